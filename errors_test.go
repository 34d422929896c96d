// The errors of reads and endpoints in each state: what they match, and what they say.

package modelref_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestAFetchErrorHasURLStatusAndHint(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault  modelreftest.Fault
		status int
		hint   string
	}{
		"404":         {modelreftest.Status(404), 404, "whether a proxy has responded"},
		"403":         {modelreftest.Status(403), 403, "requires a login"},
		"429":         {modelreftest.Status(429), 429, "send fewer requests"},
		"503":         {modelreftest.Status(503), 503, "try again later"},
		"a web page":  {modelreftest.HTML(200), 200, "whether a proxy has responded"},
		"redirects":   {modelreftest.RedirectLoop(), 0, "the target of the redirect"},
		"refused":     {modelreftest.Refused(), 0, "check the network and the URL of the PRIMARY"},
		"DNS":         {modelreftest.DNSFailure(), 0, "check the host name"},
		"TLS":         {modelreftest.TLSFailure(), 0, "check the certificate"},
		"no response": {modelreftest.Stall(), 0, "allow more time with WithTimeout"},
		"no document": {modelreftest.Body(200, "application/json", "[]"), 200, "whether a proxy has responded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := modelreftest.NewServer(t, modelreftest.InMemory())
			server.Break(modelreftest.Primary, test.fault)
			client := server.Client(t, modelref.WithoutGitHub(), modelref.WithTimeout(50*time.Millisecond),
				modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1, MaxDuration: 100 * time.Millisecond}))
			_, err := client.CLIP.Load(t.Context())
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			require.NotErrorIs(t, err, context.DeadlineExceeded, "the context of the caller has not ended")
			var fetch *modelref.FetchError
			require.ErrorAs(t, err, &fetch)
			require.Len(t, fetch.Sources, 1)
			source := fetch.Sources[0]
			assert.Equal(t, server.URL()+"/model_references/v2/clip", source.URL)
			assert.Equal(t, test.status, source.StatusCode)
			assert.Contains(t, source.Hint, test.hint)
			assert.Equal(t, source.Hint, fetch.Hint())
			assert.Contains(t, err.Error(), source.URL)
			assert.Contains(t, err.Error(), "hint: "+source.Hint)
			assert.Equal(t, 1, strings.Count(err.Error(), "modelref:"), err.Error())
		})
	}
}

// An outage of an endpoint is ErrUnavailable. The end of the caller's context is not: its error wraps the cause.
func TestTheErrorsOfEveryCall(t *testing.T) {
	t.Parallel()
	why := errors.New("the user has left")
	for name, call := range map[string]func(context.Context, *modelref.Client) error{
		"Load":  func(ctx context.Context, c *modelref.Client) error { return errorOf(c.LoRA.Load(ctx)) },
		"Get":   func(ctx context.Context, c *modelref.Client) error { return errorOf(c.LoRA.Get(ctx, "a")) },
		"Find":  func(ctx context.Context, c *modelref.Client) error { return errorOf(c.LoRA.Find(ctx, "a")) },
		"Query": func(ctx context.Context, c *modelref.Client) error { return errorOf(c.LoRA.Query().All(ctx)) },
		"Warm":  func(ctx context.Context, c *modelref.Client) error { return c.Warm(ctx, modelref.CategoryLoRA) },
		"Ping":  func(ctx context.Context, c *modelref.Client) error { return c.Ping(ctx) },
		"Do": func(ctx context.Context, c *modelref.Client) error {
			return errorOf(c.Do(ctx, modelref.Request{Path: "heartbeat"}))
		},
		"GetJSON":   func(ctx context.Context, c *modelref.Client) error { return c.GetJSON(ctx, "heartbeat", nil, new(any)) },
		"Search":    func(ctx context.Context, c *modelref.Client) error { return errorOf(c.Search(ctx, nil)) },
		"SearchAll": func(ctx context.Context, c *modelref.Client) error { return lastError(c.LoRA.SearchAll(ctx, nil)) },
		"Popular": func(ctx context.Context, c *modelref.Client) error {
			return errorOf(c.ImageGeneration.Popular(ctx, nil))
		},
		"FetchRecord": func(ctx context.Context, c *modelref.Client) error { return errorOf(c.LoRA.FetchRecord(ctx, "a")) },
		"LastUpdated": func(ctx context.Context, c *modelref.Client) error { return errorOf(c.LastUpdated(ctx)) },
		"api":         func(ctx context.Context, c *modelref.Client) error { return errorOf(api.New(c).Heartbeat(ctx)) },
		"api of text": func(ctx context.Context, c *modelref.Client) error { return errorOf(api.New(c).Text.Groups(ctx)) },
		"api pending": func(ctx context.Context, c *modelref.Client) error {
			return errorOf(api.Pending(ctx, api.New(c), c.LoRA))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, fault := range map[string]modelreftest.Fault{
				"503": modelreftest.Status(503), "refused": modelreftest.Refused(), "stall": modelreftest.Stall(),
			} {
				server := modelreftest.NewServer(t, modelreftest.InMemory())
				server.Break(modelreftest.Primary, fault)
				quick := modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1, MaxDuration: 50 * time.Millisecond})
				err := call(t.Context(), server.Client(t, quick))
				require.ErrorIs(t, err, modelref.ErrUnavailable, kind)
				require.NotErrorIs(t, err, context.DeadlineExceeded, kind)
				require.NotErrorIs(t, err, context.Canceled, kind)
				assert.Equal(t, 1, strings.Count(err.Error(), "modelref:"), err.Error())

				ctx, cancel := context.WithCancelCause(t.Context())
				cancel(why)
				err = call(ctx, server.Client(t, quick))
				require.ErrorIs(t, err, context.Canceled, kind)
				require.ErrorIs(t, err, why, kind)
				require.NotErrorIs(t, err, modelref.ErrUnavailable, kind)
				assert.Equal(t, 1, strings.Count(err.Error(), "modelref:"), err.Error())

				patient := server.Client(t)
				ctx, stop := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, why)
				err = call(ctx, patient)
				if kind == "stall" {
					require.ErrorIs(t, err, context.DeadlineExceeded, kind)
					require.ErrorIs(t, err, why, kind)
				}
				stop()

				closed := server.Client(t)
				require.NoError(t, closed.Close())
				err = call(t.Context(), closed)
				require.ErrorIs(t, err, modelref.ErrClosed)
				assert.Equal(t, 1, strings.Count(err.Error(), "modelref:"), err.Error())
			}
		})
	}
}
