package mirror_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

// discard is a ResponseWriter that discards the response.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkServeHTTP measures the time of the mirror without the network.
func BenchmarkServeHTTP(b *testing.B) {
	s := modelreftest.NewServer(b, modelreftest.WithDocument(modelref.CategoryTextGeneration, textDocument()))
	m := mirror.Handler(s.Client(b, modelref.WithoutGitHub(), modelref.WithTTL(1<<50)))
	tag := get(b, m, v2+"text_generation").Header().Get("Etag")
	for _, c := range []struct{ name, path, header, value string }{
		{"document", v2 + "text_generation", "", ""},
		{"gzip", v2 + "text_generation", "Accept-Encoding", "gzip"},
		{"not modified", v2 + "text_generation", "If-None-Match", tag},
		{"one model", v2 + "text_generation/model/riverlabs/River-0100-8B", "", ""},
		{"search", v2 + "text_generation/search?name_contains=river&sort_by=name", "", ""},
		{"search all", v2 + "search?name_contains=river", "", ""},
		{"last updated", v2 + "metadata/text_generation/last_updated", "", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, c.path, nil)
			if c.header != "" {
				r.Header.Set(c.header, c.value)
			}
			b.ReportAllocs()
			for b.Loop() {
				m.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}
