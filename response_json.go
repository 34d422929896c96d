// How the bodies of the endpoints are decoded. The service writes whole numbers and times in other forms than Go does.

package modelref

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/haidra-org/modelref/internal/redact"
)

// decoding has the options of decodeJSON. A whole number may be written as 5.0, a time is a number of seconds since 1970,
// null is the zero value, and unknown fields are ignored.
var decoding = json.JoinOptions(
	jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true),
	json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(decodeInt[int64]),
		json.UnmarshalFromFunc(decodeInt[int]),
		json.UnmarshalFromFunc(decodeTime),
	)),
)

// decodeJSON decodes one JSON value. It returns an error if anything but white space follows the value.
func decodeJSON(text string, to any) error {
	err := json.Unmarshal([]byte(text), to, decoding)
	if err == nil {
		return nil
	}
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: ")) // callers need not know the decoder
}

func decodeInt[I int | int64](d *jsontext.Decoder, to *I) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	*to = 0
	if token.Kind() == 'n' {
		return nil
	}
	text := token.String()
	if token.Kind() != '0' {
		return fmt.Errorf("must be a whole number, got %s", redact.Truncate(text))
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, floatErr := strconv.ParseFloat(text, 64)
		if floatErr == nil && f == math.Trunc(f) && math.Abs(f) < 1<<63 {
			n, err = int64(f), nil
		}
	}
	if err != nil || int64(I(n)) != n { // an int may have 32 bits
		return errors.New("must be a whole number, got " + text)
	}
	*to = I(n)
	return nil
}

func decodeTime(d *jsontext.Decoder, to *time.Time) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	*to = time.Time{}
	text := token.String()
	switch token.Kind() {
	case 'n':
		return nil
	case '"':
		*to, err = time.Parse(time.RFC3339, text)
		return err
	case '0':
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(seconds) > 1<<53 {
			return fmt.Errorf("must be a time in seconds since 1970, got %s", text)
		}
		whole, rest := math.Modf(seconds)
		*to = time.Unix(int64(whole), int64(math.Round(rest*1e9))).UTC()
		return nil
	default:
		return fmt.Errorf("must be a time, got %s", redact.Truncate(text))
	}
}

// MarshalJSON returns the value as JSON, or null if it is unset.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.set {
		return []byte("null"), nil
	}
	return stdjson.Marshal(o.value)
}

// UnmarshalJSON sets the value. JSON null unsets it. A whole number may be written as 5.0. A time may be a number of
// seconds since 1970.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	*o = Optional[T]{}
	if string(data) == "null" {
		return nil
	}
	if err := decodeJSON(string(data), &o.value); err != nil {
		return err
	}
	o.set = true
	return nil
}
