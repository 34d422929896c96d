// The service is started as a user would start it, and asked over loopback.

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// TestMain keeps the tests on this machine: GitHub is sought at a port where nobody listens.
func TestMain(m *testing.M) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	os.Setenv("GITHUB_PROXY_URL_BASE", gone.URL)
	os.Exit(m.Run())
}

func TestServiceRunsAndEnds(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said, stdout := io.Pipe()
	var log bytes.Buffer
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"-demo", "-addr", "127.0.0.1:0"}, stdout, &log) }()
	line, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)
	base := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))

	resp, err := http.Get(base + "/models?category=image_generation&baseline=SDXL&nsfw=false&limit=2")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var got struct {
		Origin string
		Found  int
		Models []modelref.ImageGenerationRecord
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&got))
	assert.Equal(t, "primary", got.Origin)
	assert.Greater(t, got.Found, 2)
	require.Len(t, got.Models, 2)
	assert.Equal(t, modelref.BaselineStableDiffusionXL, got.Models[0].Baseline)

	stop()
	assert.Equal(t, 0, <-ended, log.String())
	_, err = http.Get(base + "/healthz")
	assert.Error(t, err, "nobody listens any more")
}

// start returns an api over a fake PRIMARY, both within the bubble, after its first watch.
func start(t *testing.T, options ...modelreftest.Option) (*api, *modelreftest.Server) {
	t.Helper()
	server := modelreftest.NewServer(t, append(options, modelreftest.InMemory())...)
	client := server.Client(t, modelref.WithTTL(2*time.Minute), modelref.RefreshInBackground())
	return newAPI(client, time.Minute, slog.New(slog.DiscardHandler)), server
}

func get(a *api, path string) (int, string) {
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestModels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, server := start(t)
		for _, test := range []struct {
			name, query string
			code        int
			want        string
		}{
			{"all", "category=image_generation", 200, `"found": 20,`},
			{"limit 0", "category=image_generation&limit=0", 200, `"models": []`},
			{"baseline by another name", "category=image_generation&baseline=SD1.5", 200, `"found": 4,`},
			{"not for work", "category=image_generation&baseline=SD1.5&nsfw=yes", 200, `"found": 1,`},
			{"a category without records", "category=lora", 200, `"found": 0,`},
			{"no category", "", 400, "want one of"},
			{"unknown category", "category=cats", 400, `unknown category`},
			{"a field that the category has not", "category=clip&baseline=x", 400, `no field \"baseline\"`},
			{"no yes or no", "category=image_generation&nsfw=maybe", 400, "nsfw"},
			{"negative limit", "category=image_generation&limit=-1", 400, "invalid query"},
			{"too high a limit", "category=image_generation&limit=1001", 400, "want 0 to 1000"},
			{"no number", "category=image_generation&limit=x", 400, "want 0 to 1000"},
		} {
			code, body := get(a, "/models?"+test.query)
			assert.Equal(t, test.code, code, "%s: %s", test.name, body)
			assert.Contains(t, body, test.want, test.name)
		}
		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		code, body := get(a, "/models?category=text_generation")
		assert.Equal(t, 503, code, body)
	})
}

func TestHealthFollowsTheSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, server := start(t)
		code, body := get(a, "/healthz")
		assert.Equal(t, 503, code)
		assert.Contains(t, body, `"status": "starting"`)

		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { a.keepWarm(ctx); close(ended) }()
		time.Sleep(time.Second) // of the bubble's clock
		code, body = get(a, "/healthz")
		assert.Equal(t, 200, code, body)
		assert.Contains(t, body, `"status": "ok"`)
		assert.Contains(t, body, `"image_generation": "from primary"`)

		server.SetDocument(modelref.CategoryImageGeneration, `{"New": {"name": "New", "baseline": "flux_1", "nsfw": false}}`)
		time.Sleep(2 * time.Minute)
		_, body = get(a, "/models?category=image_generation")
		assert.Contains(t, body, `"New"`)
		assert.Contains(t, body, `"stale": false`)

		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		time.Sleep(10 * time.Minute)
		code, body = get(a, "/healthz")
		assert.Equal(t, 200, code, "what is in memory is served: "+body)
		assert.Contains(t, body, `"status": "degraded"`)
		assert.Contains(t, body, `"primary": "left alone until `)

		server.Heal(modelreftest.Primary)
		server.Heal(modelreftest.GitHub)
		time.Sleep(15 * time.Minute)
		_, body = get(a, "/healthz")
		assert.Contains(t, body, `"status": "ok"`)
		stop()
		<-ended
	})
}

func TestNothingToServeIsUnhealthy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, server := start(t)
		server.Break(modelreftest.Primary, modelreftest.Status(503))
		server.Break(modelreftest.GitHub, modelreftest.Status(503))
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		a.keepWarm(ctx)
		code, body := get(a, "/healthz")
		assert.Equal(t, 503, code)
		assert.Contains(t, body, `"status": "unavailable"`)
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _ := start(t)
		require.NoError(t, a.client.Warm(t.Context()))
		get(a, "/models?category=image_generation")
		time.Sleep(30 * time.Second)
		code, body := get(a, "/metrics")
		require.Equal(t, 200, code)
		assert.Contains(t, body, "\nmodelref_records{category=\"image_generation\"} 20\n")
		assert.Contains(t, body, "\nmodelref_hits_total{category=\"image_generation\"} 1\n")
		assert.Contains(t, body, "\nmodelref_age_seconds{category=\"image_generation\"} 30\n")
		assert.Contains(t, body, "\nmodelref_source_cooling_down{source=\"primary\"} 0\n")
		line := regexp.MustCompile(`^(# (HELP modelref_\w+ .+|TYPE modelref_\w+ (counter|gauge))|modelref_\w+\{\w+="\w+"\} [0-9.e+]+)$`)
		for text := range strings.SplitSeq(strings.TrimSuffix(body, "\n"), "\n") {
			assert.Regexp(t, line, text)
		}
	})
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for want, tests := range map[int][][]string{
		0: {{"-h"}},
		1: {{"-primary", "nonsense"}, {"-demo", "-addr", "nonsense"}},
		2: {{"-nope"}, {"word"}, {"-interval", "0s"}},
	} {
		for _, args := range tests {
			var out, errs bytes.Buffer
			assert.Equal(t, want, run(t.Context(), args, &out, &errs), args)
			assert.NotEmpty(t, errs.String())
			assert.Empty(t, out.String())
		}
	}
}

func TestTextBaselinesHaveTheirNamesToThemselves(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryTextGeneration,
		`{"A": {"name": "A", "baseline": "Qwen", "parameters": 5}}`))
	found, err := list(t.Context(), &server.Client(t).TextGeneration.Service, url.Values{"baseline": {"Qwen"}})
	require.NoError(t, err)
	assert.Equal(t, 1, found.Found)
}
