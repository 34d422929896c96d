// How the error of a response is made from its status and body.

package modelref

import (
	"fmt"
	"mime"
	"strings"

	"github.com/haidra-org/modelref/internal/httpx"
	"github.com/haidra-org/modelref/internal/jsondoc"
	"github.com/haidra-org/modelref/internal/redact"
)

// newAPIError returns the function that makes the error of a response with an error status. A body that cannot be parsed
// never hides the status. Secrets are removed from all texts, because a service may quote what it received.
func newAPIError(key redact.Secret) func(*httpx.StatusResponse) error {
	return func(r *httpx.StatusResponse) error {
		e := &APIError{StatusCode: r.StatusCode, Method: r.Method, URL: r.URL, RetryAfter: r.RetryAfter}
		mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		e.ContentType = key.Clean(mediaType)
		e.Body = key.Clean(r.Body)
		e.Detail, e.Validation = errorDetail(r.Body)
		e.Detail = key.Clean(e.Detail)
		for i, v := range e.Validation {
			e.Validation[i] = ValidationError{
				Type: key.Clean(v.Type), Location: key.Clean(v.Location), Message: key.Clean(v.Message),
			}
		}
		return e
	}
}

// errorDetail returns the service's "detail" of an error body, or the start of a body of another form. A list of validation
// errors is also returned in parsed form.
func errorDetail(body string) (string, []ValidationError) {
	s := jsondoc.NewScanner(body)
	var detail string
	var validation []ValidationError
	err := s.Fields(func(key string) error {
		if key != "detail" {
			_, err := s.Skip()
			return err
		}
		switch s.Next() {
		case '"':
			var err error
			detail, err = s.Str()
			return err
		case '[':
			return s.Elements(func(int) error {
				text, err := s.Skip()
				validation = append(validation, validationError(text))
				return err
			})
		}
		var err error
		detail, err = s.Skip()
		return err
	})
	if err != nil {
		return redact.Truncate(redact.SingleLine(body)), nil
	}
	if len(validation) > 0 {
		said := make([]string, len(validation))
		for i, v := range validation {
			said[i] = strings.TrimPrefix(v.Location+": "+v.Message, ": ")
		}
		detail = strings.Join(said, "; ")
	}
	return redact.Truncate(redact.SingleLine(detail)), validation
}

// validationError parses one entry of the "detail" list of a 422.
func validationError(text string) (v ValidationError) {
	s := jsondoc.NewScanner(text)
	v.Message = text
	_ = s.Fields(func(key string) (err error) { // text has been scanned: it is JSON, of whatever form
		switch {
		case key == "type" && s.Next() == '"':
			v.Type, err = s.Str()
		case key == "msg" && s.Next() == '"':
			v.Message, err = s.Str()
		case key == "loc" && s.Next() == '[':
			v.Location = ""
			err = s.Elements(func(i int) error {
				part, err := s.Value()
				if i > 0 {
					v.Location += "."
				}
				v.Location += fmt.Sprint(part)
				return err
			})
		default:
			_, err = s.Skip()
		}
		return err
	})
	return v
}

// hideSecrets returns a decode function whose errors have no secrets: a document may quote what the service received.
func hideSecrets(key redact.Secret, decode decodeFunc) decodeFunc {
	return func(document string, a metadata) (anyDocument, error) {
		ref, err := decode(document, a)
		if err == nil {
			hideInRecordErrors(key, ref.meta().rejected)
			return ref, nil
		}
		if failure, ok := err.(*DecodeError); ok { //nolint:errorlint // decoding does not wrap it
			failure.Reason = key.Clean(failure.Reason)
			return nil, failure
		}
		return nil, key.Err(err)
	}
}

// hideInRecordErrors removes secrets from the names and the reasons of errors.
func hideInRecordErrors(key redact.Secret, errs []RecordError) {
	for i := range errs {
		errs[i].Name, errs[i].Reason = key.Hide(errs[i].Name), key.Clean(errs[i].Reason)
	}
}
