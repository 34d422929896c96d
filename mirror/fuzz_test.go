package mirror_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
)

// onlyHost is a transport that has a document for every category, counts requests, and records a request to another
// base URL.
type onlyHost struct{ left atomic.Pointer[string] }

func (o *onlyHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "primary.test" || !strings.HasPrefix(r.URL.EscapedPath(), "/base/api/model_references/") ||
		strings.Contains(r.URL.Path, "/../") || r.Header.Get("apikey") != "" {
		target := r.URL.String()
		o.left.Store(&target)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	if name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; modelref.Category(name) == modelref.CategoryImageGeneration {
		_, _ = w.WriteString(imageDocument)
	} else {
		_, _ = w.WriteString("{}")
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

// FuzzRequest sends arbitrary requests to a mirror. The mirror must not panic, send a request to another host, or serve
// a file.
func FuzzRequest(f *testing.F) {
	transport := &onlyHost{}
	client := clientOf(f, "http://primary.test/base/api", modelref.WithHTTPClient(&http.Client{Transport: transport}),
		modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
	m := mirror.Handler(client)
	for _, seed := range [][4]string{
		{"GET", "/api/model_references/v2/image_generation", "", ""}, {"GET", "/", "", "gzip"},
		{"HEAD", "/api/model_references/v2/image_generation/search", "sort_by=tags&limit=1&nsfw=x&tags_any=a", "*"},
		{"GET", "/api/model_references/v2/search", "sort_by=config&offset=1e9&license_id=MIT", `"a", W/"b"`},
		{"GET", "/api/model_references/v2/image_generation/model/org%2FBeta", "%zz", "gzip;q=0"},
		{"GET", "/api/model_references/v2/text_generation/..%2f..%2fx", "a=b;c", ""},
		{"GET", "/api/model_references/v2/metadata/clip/last_updated", "", ""}, {"OPTIONS", "*", "", ""},
		{"GET", "/api/model_references/statistics/image_generation", "group_text_models=1&limit=0", ""},
		{"GET", "/api//evil.example.org/model_references/v2/x", "", ""}, {"GET", "/api/model_references/v2/@evil.example.org:80/x", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, path, query, header string) {
		u := &url.URL{Path: path, RawQuery: query}
		if unescaped, err := url.PathUnescape(path); err == nil {
			u.Path, u.RawPath = unescaped, path
		}
		r := &http.Request{Method: method, URL: u, Header: http.Header{
			"If-None-Match": {header}, "Accept-Encoding": {header}, "Accept": {header},
		}, Body: http.NoBody}
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r.WithContext(t.Context()))
		if target := transport.left.Load(); target != nil {
			t.Fatalf("a request went to %s", *target)
		}
		if w.Code < 200 || w.Code > 599 {
			t.Fatalf("status %d", w.Code)
		}
		if body := w.Body.String(); strings.Contains(body, "package mirror") || strings.Contains(body, "root:x:0") {
			t.Fatal("a file was served")
		}
	})
}
