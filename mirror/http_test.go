// This file tests HTTP: validators, compression, methods, headers and rejected requests.

package mirror_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

const v2 = "/api/model_references/v2/"

// imageDocument has a name with a slash, an invalid record, an unknown field and white space, which a mirror must not
// change.
const imageDocument = `{"Alpha": {"name":"Alpha","baseline":"stable_diffusion_1","nsfw":false,"tags":["a","b"],"future": {"x":null} },
 "org/Beta": {"name":"org/Beta","baseline":"stable_diffusion_xl","nsfw":true,"tags":null,"size_on_disk_bytes":7},
 "Broken": {"name":"Broken","nsfw":false}, "Gamma": {"name":"Gamma","baseline":"flux_1","nsfw":false}}`

// newMirror returns a mirror of a fake service.
func newMirror(t testing.TB, options ...modelref.Option) (*mirror.Mirror, *modelreftest.Server) {
	t.Helper()
	s := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, imageDocument))
	return mirror.Handler(s.Client(t, append([]modelref.Option{modelref.WithoutGitHub()}, options...)...)), s
}

func unzip(t testing.TB, data []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	out, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(out)
}

func TestDocumentIsServedUnchanged(t *testing.T) {
	t.Parallel()
	m, _ := newMirror(t)
	plain := get(t, m, v2+"image_generation")
	require.Equal(t, http.StatusOK, plain.Code)
	assert.Equal(t, imageDocument, plain.Body.String())
	assert.Equal(t, "application/json", plain.Header().Get("Content-Type"))
	assert.Equal(t, "primary", plain.Header().Get("X-Modelref-Origin"))
	assert.Empty(t, plain.Header().Get("X-Modelref-Stale"))
	assert.Contains(t, plain.Header().Get("Vary"), "Origin")
	cross := get(t, m, v2+"image_generation", "Origin", "https://elsewhere.example.org")
	assert.Equal(t, "*", cross.Header().Get("Access-Control-Allow-Origin"))
	assert.Contains(t, cross.Header().Get("Access-Control-Expose-Headers"), "X-Modelref-Origin")
	assert.Contains(t, plain.Header().Get("Cache-Control"), "max-age=60")

	packed := get(t, m, v2+"image_generation", "Accept-Encoding", "br, gzip;q=0.5")
	assert.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	assert.Equal(t, imageDocument, unzip(t, packed.Body.Bytes()))
	assert.NotEqual(t, plain.Header().Get("Etag"), packed.Header().Get("Etag"), "two bodies have one strong validator")

	refused := get(t, m, v2+"image_generation", "Accept-Encoding", "gzip;q=0, br")
	assert.Empty(t, refused.Header().Get("Content-Encoding"))
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	m, s := newMirror(t, modelref.WithTTL(time.Millisecond))
	for _, path := range []string{
		v2 + "image_generation", v2 + "image_generation/model/Alpha", v2 + "image_generation/search", "/api/replicate_mode", "/",
		"/app.js", "/api/model_references/statistics/image_generation",
	} {
		first := get(t, m, path, "Accept-Encoding", "gzip")
		tag := first.Header().Get("Etag")
		require.NotEmpty(t, tag, path)
		for _, header := range []string{tag, `"other", ` + tag, "W/" + tag, "*", strings.Replace(tag, "-gzip", "", 1)} {
			w := get(t, m, path, "If-None-Match", header)
			assert.Equal(t, http.StatusNotModified, w.Code, "%s with %s", path, header)
			assert.Empty(t, w.Body.String())
			assert.NotEmpty(t, w.Header().Get("Etag"))
			assert.Empty(t, w.Header().Get("Content-Type"))
		}
		for _, header := range []string{`"other"`, strings.Trim(tag, `"`), `"`, ""} {
			assert.Equal(t, http.StatusOK, get(t, m, path, "If-None-Match", header).Code, "%s with %s", path, header)
		}
	}
	tag := get(t, m, v2+"image_generation").Header().Get("Etag")
	s.SetDocument(modelref.CategoryImageGeneration, `{"New": {"name":"New","baseline":"flux_1","nsfw":false}}`)
	require.Eventually(t, func() bool {
		return get(t, m, v2+"image_generation", "If-None-Match", tag).Code == http.StatusOK
	}, 10*time.Second, 5*time.Millisecond, "a changed document has the validator of the old one")
}

func TestHEAD(t *testing.T) {
	t.Parallel()
	m, _ := newMirror(t)
	for _, path := range []string{v2 + "image_generation", v2 + "image_generation/search", v2 + "nope", "/", "/healthz", v2 + "clip/model/none"} {
		want := get(t, m, path)
		r := httptest.NewRequest(http.MethodHead, path, nil)
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		assert.Equal(t, want.Code, w.Code, path)
		assert.Empty(t, w.Body.String(), path)
		assert.Equal(t, want.Header().Get("Content-Length"), w.Header().Get("Content-Length"), path)
		assert.Equal(t, want.Header().Get("Etag"), w.Header().Get("Etag"), path)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	m, s := newMirror(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodConnect, "BREW"} {
		r := httptest.NewRequest(http.MethodGet, v2+"image_generation", nil)
		r.Method = method
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		assert.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
		assert.Equal(t, "GET, HEAD, OPTIONS", w.Header().Get("Allow"))
	}
	for header, value := range map[string]string{"apikey": "0000000000", "Authorization": "Bearer x"} {
		w := get(t, m, v2+"image_generation", header, value)
		assert.Equal(t, http.StatusForbidden, w.Code, header)
	}
	for path, status := range map[string]int{
		v2 + "me/roles": http.StatusForbidden, v2 + "pending_queue/changes": http.StatusForbidden,
		v2 + "image_generation/pending":                    http.StatusForbidden,
		"/api/model_references/v1/pending_queue/changes/1": http.StatusForbidden,
		"/api/docs":                                                http.StatusNotFound,
		"/api/openapi.json":                                        http.StatusNotFound,
		"/api/model_references":                                    http.StatusNotFound,
		"/api/model_references/":                                   http.StatusNotFound,
		"/api/model_references/../../secret":                       http.StatusNotFound,
		"/api/model_references/v2/%2e%2e/%2e%2e/x":                 http.StatusNotFound,
		"/api/model_references/v2/text_generation/..%2f..%2fx":     http.StatusNotFound,
		"/api/model_references/v2//text_generation/x":              http.StatusNotFound,
		"/apix/model_references/v2/image_generation":               http.StatusNotFound,
		"/etc/passwd":                                              http.StatusNotFound,
		"/page/index.html":                                         http.StatusNotFound,
		"/../go.mod":                                               http.StatusNotFound,
		v2 + "image_generation?" + strings.Repeat("x", 9000):       http.StatusRequestURITooLong,
		v2 + "image_generation/model/" + strings.Repeat("x", 3000): http.StatusRequestURITooLong,
	} {
		w := get(t, m, path)
		assert.Equal(t, status, w.Code, path)
		assert.Contains(t, w.Body.String(), `"detail"`, path)
	}
	for _, r := range s.Requests() {
		assert.Equal(t, modelreftest.Documents, r.Endpoint, "a refused request was sent to the PRIMARY: %s", r.Path)
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	m, _ := newMirror(t)
	r := httptest.NewRequest(http.MethodOptions, v2+"image_generation", nil)
	r.Header.Set("Origin", "https://elsewhere.example.org")
	r.Header.Set("Access-Control-Request-Method", http.MethodGet)
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	assert.Equal(t, http.StatusNoContent, w.Code)
	assert.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
	assert.Contains(t, w.Header().Get("Access-Control-Allow-Headers"), "If-None-Match")
}

func TestSingleModels(t *testing.T) {
	t.Parallel()
	m, _ := newMirror(t)
	for path, want := range map[string]string{
		"Alpha":       `{"name":"Alpha","baseline":"stable_diffusion_1","nsfw":false,"tags":["a","b"],"future": {"x":null} }`,
		"org/Beta":    `{"name":"org/Beta","baseline":"stable_diffusion_xl","nsfw":true,"tags":null,"size_on_disk_bytes":7}`,
		"org%2FBeta":  `{"name":"org/Beta","baseline":"stable_diffusion_xl","nsfw":true,"tags":null,"size_on_disk_bytes":7}`,
		"Broken":      `{"name":"Broken","nsfw":false}`, // like the service, the mirror also serves invalid records
		"%41lpha":     `{"name":"Alpha","baseline":"stable_diffusion_1","nsfw":false,"tags":["a","b"],"future": {"x":null} }`,
		"Alpha?x=1&y": `{"name":"Alpha","baseline":"stable_diffusion_1","nsfw":false,"tags":["a","b"],"future": {"x":null} }`,
	} {
		w := get(t, m, v2+"image_generation/model/"+path)
		assert.Equal(t, http.StatusOK, w.Code, path)
		assert.Equal(t, want, w.Body.String(), path)
	}
	w := get(t, m, v2+"image_generation/model/none")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.JSONEq(t, `{"detail":"Model 'none' not found in category 'image_generation'"}`, w.Body.String())
}

func TestSearchNormalizes(t *testing.T) {
	t.Parallel()
	m, s := newMirror(t)
	var page struct {
		Results []map[string]any
		Total   int
		HasMore bool `json:"has_more"`
	}
	search := func(query string) {
		t.Helper()
		w := get(t, m, v2+"image_generation/search?"+query)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		page.Results = nil
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &page))
	}
	search("limit=2")
	assert.Equal(t, 3, page.Total, "a record that is not valid is found")
	assert.True(t, page.HasMore)
	require.Len(t, page.Results, 2)
	beta := page.Results[1]
	assert.Equal(t, []any{}, beta["tags"])
	assert.Equal(t, 7.0, beta["size_on_disk_bytes"])
	assert.Equal(t, false, beta["inpainting"])
	assert.Equal(t, map[string]any{"download": []any{}}, beta["config"])
	assert.NotContains(t, page.Results[0], "future")

	search("sort_by=size_on_disk_bytes&sort_desc=true")
	assert.Equal(t, "Alpha", page.Results[0]["name"], "records without a value do not come first in descending order")
	search("sort_by=tags")
	assert.Equal(t, "org/Beta", page.Results[0]["name"], "lists are not sorted by their elements")
	search("name_contains=ALP")
	assert.Equal(t, 1, page.Total)
	search("nsfw=yes&nsfw=off")
	assert.Equal(t, 2, page.Total, "the last value of a repeated parameter does not count")
	search("offset=99999999999")
	assert.Empty(t, page.Results)

	s.ResetRequests()
	for _, query := range []string{"limit=0", "limit=x", "limit=501", "offset=-1", "nsfw=maybe", "sort_desc=", "limit=1_", "limit=1.5"} {
		w := get(t, m, v2+"image_generation/search?"+query)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code, query)
		var body struct {
			Detail []struct {
				Loc []string
			}
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		name, _, _ := strings.Cut(query, "=")
		assert.Equal(t, []string{"query", name}, body.Detail[0].Loc)
	}
	for _, query := range []string{"limit=+2", "limit=%202%20", "limit=2.0", "limit=1_0", "nsfw=F"} {
		assert.Equal(t, http.StatusOK, get(t, m, v2+"image_generation/search?"+query).Code, query)
	}
	assert.Empty(t, s.Requests(), "a search was sent to the PRIMARY")
}

func TestStaleCopyIsServedWithItsAge(t *testing.T) {
	t.Parallel()
	m, s := newMirror(t, modelref.WithTTL(time.Millisecond), modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
	require.Equal(t, http.StatusOK, get(t, m, v2+"image_generation").Code)
	s.Break(modelreftest.Primary, modelreftest.Status(503))
	var w *httptest.ResponseRecorder
	require.Eventually(t, func() bool {
		w = get(t, m, v2+"image_generation")
		return w.Header().Get("X-Modelref-Stale") == "true"
	}, 10*time.Second, 5*time.Millisecond)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, imageDocument, w.Body.String())
	assert.NotEmpty(t, w.Header().Get("Age"))

	assert.Equal(t, http.StatusOK, get(t, m, "/healthz").Code, "a stale copy is not healthy")

	status := get(t, m, "/status.json")
	assert.Contains(t, status.Body.String(), `"stale":true`)
	assert.Contains(t, status.Body.String(), "503")
	assert.NotContains(t, status.Body.String(), "127.0.0.1", "the status names hosts of the site")
	assert.Contains(t, get(t, m, "/api/heartbeat").Body.String(), `"degraded":true`)
}

func TestWithoutAnyCopy(t *testing.T) {
	t.Parallel()
	m, s := newMirror(t, modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
	s.Break(modelreftest.Primary, modelreftest.Status(503))
	for _, path := range []string{
		v2 + "image_generation", v2 + "image_generation/model/x", v2 + "image_generation/search", v2 + "search",
		v2 + "metadata/image_generation/last_updated", v2 + "metadata/last_updated", v2 + "metadata/metadata",
		"/api/model_references/statistics/clip", v2 + "text_generation/groups", "/healthz",
	} {
		w := get(t, m, path)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code, path)
		assert.True(t, json.Valid(w.Body.Bytes()), path)
	}
	assert.Equal(t, http.StatusUnprocessableEntity, get(t, m, v2+"nope").Code, "an unknown category is not an outage")
	assert.Equal(t, http.StatusOK, get(t, m, v2+"model_categories").Code)
}

func TestPageHeaders(t *testing.T) {
	t.Parallel()
	m, _ := newMirror(t)
	w := get(t, m, "/?category=all", "Accept-Encoding", "gzip")
	assert.Equal(t, http.StatusOK, w.Code)
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
		assert.Contains(t, policy, want)
	}
	assert.NotContains(t, policy, "unsafe")
	assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	page := unzip(t, w.Body.Bytes())
	assert.NotContains(t, page, "http:")
	assert.NotContains(t, page, "https:")
	for _, file := range []string{"/app.js", "/data.js", "/charts.js", "/detail.js", "/dom.js", "/style.css", "/icon.svg"} {
		w := get(t, m, file)
		assert.Equal(t, http.StatusOK, w.Code, file)
		assert.NotContains(t, w.Body.String(), "innerHTML", file)
		assert.NotContains(t, w.Body.String(), "eval(", file)
	}
	bare := mirror.Handler(modelreftest.NewServer(t).Client(t), mirror.WithoutPage())
	assert.Equal(t, http.StatusNotFound, get(t, bare, "/").Code)
}

func TestNilClient(t *testing.T) {
	t.Parallel()
	m := mirror.Handler(nil, nil)
	for _, path := range []string{v2 + "image_generation", v2 + "search", v2 + "text_generation/groups", "/status.json", "/", "/healthz"} {
		assert.NotPanics(t, func() { get(t, m, path) }, path)
	}
	assert.Equal(t, http.StatusServiceUnavailable, get(t, m, v2+"image_generation").Code)
}
