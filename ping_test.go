// Ping: what it says about a PRIMARY in each state.

package modelref_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const apiHint = "does the base URL of the PRIMARY end in /api?"

func TestPing(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	client := server.Client(t)
	require.NoError(t, client.Ping(t.Context()))
	require.Len(t, server.Requests(), 1, "Ping sends one request")
	assert.False(t, client.Status().Category(modelref.CategoryCLIP).Loaded)

	withoutAPI := newClient(t, modelref.WithPrimaryURL(server.URL()[:len(server.URL())-len("/api")]))
	err := withoutAPI.Ping(t.Context())
	var status *modelref.APIError
	require.ErrorAs(t, err, &status)
	assert.Equal(t, http.StatusNotFound, status.StatusCode)
	require.ErrorContains(t, err, "modelref: Ping: GET http://")
	require.ErrorContains(t, err, apiHint)

	offline := newClient(t, modelref.WithOffline(), modelref.WithCacheDir(t.TempDir()))
	require.EqualError(t, offline.Ping(t.Context()), "modelref: Ping: the Client is offline: it was made with WithOffline and sends no requests")
	require.ErrorIs(t, offline.Ping(t.Context()), modelref.ErrOffline)
	github := newClient(t, modelref.WithoutPrimary())
	require.EqualError(t, github.Ping(t.Context()), "modelref: Ping: the PRIMARY is not configured: it must be set with WithPrimaryURL")
	require.ErrorIs(t, github.Ping(t.Context()), modelref.ErrNotConfigured)
	require.NoError(t, client.Close())
	require.EqualError(t, client.Ping(t.Context()), "modelref: Ping: the client is closed")
	for _, none := range []*modelref.Client{nil, new(modelref.Client)} {
		require.ErrorIs(t, none.Ping(t.Context()), modelref.ErrClosed)
	}
}

func TestPingOfSomethingElse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		contentType, body, want string
	}{
		"a web page":         {"text/html", "<html><title>Welcome</title></html>", `the body is HTML, titled "Welcome"`},
		"another service":    {"application/json", `{"status": "ok"}`, "body does not decode"},
		"another list":       {"application/json", `["a", "b"]`, "the list must have a category of the model reference"},
		"an empty list":      {"application/json", `[]`, "the list must have a category of the model reference"},
		"null":               {"application/json", `null`, "body does not decode"},
		"nothing":            {"", ``, "body does not decode"},
		"an unknown element": {"application/json", `[1]`, "body does not decode"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := modelreftest.NewServer(t)
			server.Handle("/model_references/v2/model_categories", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.contentType)
				_, _ = w.Write([]byte(test.body))
			}))
			err := server.Client(t).Ping(t.Context())
			var decode *modelref.ResponseDecodeError
			require.ErrorAs(t, err, &decode)
			require.ErrorContains(t, err, test.want)
			assert.NotErrorIs(t, err, modelref.ErrUnavailable)
			assert.NotContains(t, err.Error(), apiHint, "the URL ends in /api")
		})
	}
}

func TestPingDuringAnOutage(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.InMemory())
	client := server.Client(t, modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1, MaxDuration: 50 * time.Millisecond}))
	server.Break(modelreftest.Primary, modelreftest.Status(503))
	require.ErrorIs(t, client.Ping(t.Context()), modelref.ErrUnavailable)
	server.Break(modelreftest.Primary, modelreftest.Refused())
	require.ErrorIs(t, client.Ping(t.Context()), modelref.ErrUnavailable)
	server.Break(modelreftest.Primary, modelreftest.Stall())
	err := client.Ping(t.Context())
	require.ErrorIs(t, err, modelref.ErrUnavailable)
	require.NotErrorIs(t, err, context.DeadlineExceeded, "the context of the caller has not ended")

	why := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	err = client.Ping(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, why)
	require.EqualError(t, err, "modelref: Ping: context canceled: shutting down")
}

// newClient makes a Client that is closed after the test.
func newClient(t *testing.T, options ...modelref.Option) *modelref.Client {
	t.Helper()
	client, err := modelref.New(options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}
