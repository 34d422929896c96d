package httpx

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRetryAfter checks that no header makes a wait that is negative or without end.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "1", "-1", "86400", "9223372036854775807", "99999999999999999999", "1.5", "Fri, 31 Dec 2999 23:59:59 GMT"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		wait := RetryAfter(http.Header{"Retry-After": {header}})
		require.GreaterOrEqual(t, int64(wait), int64(0))
		require.LessOrEqual(t, wait, maxRetryAfter)
	})
}
