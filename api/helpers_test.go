// This file has helpers of the tests: servers with given responses, clients of these servers, and the recorded corpus.

package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// clientOf returns a Client of a server whose API is below /api. It does not wait between attempts.
func clientOf(t testing.TB, server *httptest.Server, options ...modelref.Option) *modelref.Client {
	t.Helper()
	c, err := modelref.New(append([]modelref.Option{
		modelref.WithPrimaryURL(server.URL + "/api"), modelref.WithHTTPClient(server.Client()), modelref.WithoutGitHub(),
		modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 2, BaseDelay: time.Nanosecond}),
	}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// serving returns a Client of a server with the handler.
func serving(t *testing.T, handler http.HandlerFunc, options ...modelref.Option) *modelref.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return clientOf(t, server, options...)
}

// respond returns a handler with the same response to every request.
func respond(status int, contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// corpusFile returns a file of the recorded corpus. If there is no corpus, it skips the test.
func corpusFile(t testing.TB, path ...string) []byte {
	t.Helper()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		t.Skip("MODELREF_CORPUS must be the directory of the recorded responses")
	}
	data, err := os.ReadFile(filepath.Join(append([]string{dir}, path...)...))
	require.NoError(t, err, "the directory in MODELREF_CORPUS must have the corpus")
	return data
}

// parse decodes JSON. Numbers keep their spelling.
func parse(t testing.TB, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v), "%.200s", data)
	return v
}

// withoutEmpty removes null, "", [] and {}. In Go, they are the same as an unset string, list or map.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			if inner = withoutEmpty(inner); inner != nil {
				out[key] = inner
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
		return v
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}

// requireCovers checks that got has all values of want.
func requireCovers(t testing.TB, want, got any) {
	t.Helper()
	object, ok := want.(map[string]any)
	if !ok {
		require.Equal(t, withoutEmpty(want), withoutEmpty(got))
		return
	}
	for key, inner := range object {
		if withoutEmpty(inner) != nil {
			require.Contains(t, got, key)
			requireCovers(t, inner, got.(map[string]any)[key])
		}
	}
}
