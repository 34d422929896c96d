// The service is started as a user would start it, and requests are sent over loopback.

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestServiceRunsAndEnds(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-demo", "-addr", "127.0.0.1:0"}, stdout) }()
	line, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err)
	base := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))

	get := func(path string) string {
		response, err := http.Get(base + path)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", path, body)
		return string(body)
	}
	var names []string
	require.NoError(t, json.Unmarshal([]byte(get("/choose?baseline=stable_diffusion_xl&bytes=8000000000")), &names))
	assert.Len(t, names, 5)
	assert.Contains(t, get("/api/model_references/v2/clip"), "ViT-L/14")
	assert.Contains(t, get("/"), "<title>Model reference</title>")
	stop()
	require.NoError(t, <-ended)
}

func TestChoose(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, `{
		"Small": {"name":"Small","baseline":"flux_1","nsfw":false,"size_on_disk_bytes":10},
		"Large": {"name":"Large","baseline":"flux_1","nsfw":false,"size_on_disk_bytes":90},
		"Huge": {"name":"Huge","baseline":"flux_1","nsfw":false,"size_on_disk_bytes":900},
		"Lewd": {"name":"Lewd","baseline":"flux_1","nsfw":true,"size_on_disk_bytes":50}}`))
	h := handler(server.Client(t))
	for query, want := range map[string]string{
		"?baseline=flux_1&bytes=100": `["Large","Small"]`, "?baseline=flux_1&bytes=1": `[]`, "?baseline=stable_cascade&bytes=100": `[]`,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/choose"+query, nil))
		assert.Equal(t, http.StatusOK, w.Code, query)
		assert.JSONEq(t, want, w.Body.String(), query)
	}
	for _, query := range []string{"", "?baseline=nope&bytes=1", "?baseline=flux_1&bytes=x"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/choose"+query, nil))
		assert.Equal(t, http.StatusBadRequest, w.Code, query)
	}
}
