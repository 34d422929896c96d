// How bodies are decoded. The service writes whole numbers and times in other forms than Go does: Optional reads them.

package api

import (
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/haidra-org/modelref"
)

// decoding has the options of decode. A whole number may be written as 5.0, a time is a number of seconds since 1970,
// null is the zero value, and unknown fields are ignored.
var decoding = json.JoinOptions(
	jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true),
	json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFunc(decodeOptional[int64]),
		json.UnmarshalFunc(decodeOptional[int]),
		json.UnmarshalFunc(decodeOptional[time.Time]),
	)),
)

// decode decodes one JSON value. It returns an error if anything but white space follows the value.
func decode(body []byte, to any) error {
	err := json.Unmarshal(body, to, decoding)
	if err == nil {
		return nil
	}
	if strings.TrimSpace(string(body)) == "" {
		return errors.New("it is empty")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: ")) // callers need not know the decoder
}

// decodeOptional decodes a value as an Optional does. Null is the zero value.
func decodeOptional[T any](data []byte, to *T) error {
	var value modelref.Optional[T]
	err := value.UnmarshalJSON(data)
	*to, _ = value.Get()
	return err
}
