package httpx

import (
	"compress/flate"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// A RequestError is the failure of one call of [Client.Do].
type RequestError struct {
	// Err is the error of the last attempt. It also wraps the last status that was received and the error of the context, if any.
	Err error
	// Requests is the number of attempts. It is 0 if the request could not be made.
	Requests int

	canceled bool // the caller has canceled the request
}

// Error returns the text of Err.
func (e *RequestError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *RequestError) Unwrap() error { return e.Err }

// A StatusError is a response with a status that is an error.
type StatusError struct {
	// StatusCode is the status.
	StatusCode int
	// Err is the error that Config.OnStatus returned.
	Err error
}

// Error returns the text of Err.
func (e *StatusError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *StatusError) Unwrap() error { return e.Err }

// An InvalidResponseError is a response that was received but is unusable, such as one with a corrupt body. It concerns
// this response only and is not an outage of the server.
type InvalidResponseError struct {
	// Method is the method of the request.
	Method string
	// URL is the URL of the request, or of the redirect that led to the response, without secrets.
	URL string
	// StatusCode is the status of the response.
	StatusCode int
	// Reason says what is wrong with the response.
	Reason string
	// Err is the cause, or nil.
	Err error
}

// Error returns the request, the status and the reason.
func (e *InvalidResponseError) Error() string {
	text := fmt.Sprintf("%s %s: %d %s: invalid response: %s", e.Method, e.URL, e.StatusCode, http.StatusText(e.StatusCode), e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *InvalidResponseError) Unwrap() error { return e.Err }

// A BodyTooLargeError is a body that exceeds the limit.
type BodyTooLargeError struct {
	// Limit is the limit in bytes.
	Limit int64
}

// Error returns the limit.
func (e *BodyTooLargeError) Error() string {
	return fmt.Sprintf("the body is larger than %d bytes", e.Limit)
}

// invalidBody returns why a body is unusable, and reports whether it is. A body that broke off may be complete in the next
// attempt, so it is not.
func invalidBody(err error) (reason string, unusable bool) {
	var (
		long     *longBodyError
		corrupt  flate.CorruptInputError
		internal flate.InternalError
	)
	switch {
	case errors.As(err, &long):
		return "the body does not match its length", true
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt), errors.As(err, &internal):
		return "the compressed body is corrupt", true
	}
	return "", false
}

// IsOutage reports whether err says that the server is unavailable: the network failed, or the status is 408, 429 or 5xx.
// A response that concerns one document only, such as 404, an invalid response, a body over the limit or a refused
// redirect, is not an outage. Nor is a request that its caller canceled, or an error that is not of this package or the network.
func IsOutage(err error) bool {
	var (
		request *RequestError
		status  *StatusError
		network net.Error
	)
	switch {
	case errors.As(err, &status):
		return IsOutageStatus(status.StatusCode)
	case errors.As(err, &request):
		return request.Requests > 0 && !request.canceled && isOutage(request.Err)
	}
	return errors.As(err, &network) && isOutage(err)
}

// isOutage is IsOutage for the error of an attempt.
func isOutage(err error) bool {
	var (
		status   *StatusError
		large    *BodyTooLargeError
		redirect *RedirectError
		invalid  *InvalidResponseError
	)
	if errors.As(err, &status) {
		return IsOutageStatus(status.StatusCode)
	}
	return !errors.As(err, &large) && !errors.As(err, &redirect) && !errors.As(err, &invalid)
}

// IsOutageStatus reports whether a status says that the server is unavailable, not that the request is wrong.
func IsOutageStatus(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500
}

// retryable reports whether the same request may succeed in another attempt.
func retryable(err error) bool { return isOutage(err) && !IsTLS(err) }

// IsTLS reports whether a secure connection could not be made, for example because the certificate is not valid.
func IsTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		invalid     x509.CertificateInvalidError
		record      tls.RecordHeaderError
	)
	return errors.As(err, &certificate) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &record)
}
