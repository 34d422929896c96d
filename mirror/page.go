// The page at / and its files. They are embedded and need nothing from another host.

package mirror

import (
	"compress/gzip"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// contentSecurityPolicy lets the page use its own files and its own API only. Showcase pictures come from other hosts; they
// are loaded when a person clicks a button.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// pageFile is a file of the page, prepared for serving.
type pageFile struct {
	contentType string
	body, gzip  []byte
	tag         string
}

// page has the files of the page by their path.
type page struct{ files map[string]*pageFile }

func newPage() *page {
	p := &page{files: map[string]*pageFile{}}
	err := fs.WalkDir(pageFiles, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := pageFiles.ReadFile(name)
		if err != nil {
			return err
		}
		at := "/" + strings.TrimPrefix(name, "page/")
		if at == "/index.html" {
			at = "/"
		}
		p.files[at] = &pageFile{
			contentType: contentTypeOf(name), body: body, gzip: gzipped(body, gzip.BestCompression), tag: strongTag(body),
		}
		return nil
	})
	if err != nil {
		panic(err) // embedded files can be read
	}
	return p
}

// contentTypeOf returns the type of a file by its extension. The system's own table is not consulted.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.FormatMediaType("application/octet-stream", nil)
}

// serve serves a file of the page and reports whether there is one at the path.
func (p *page) serve(w http.ResponseWriter, r *http.Request) bool {
	file, ok := p.files[r.URL.Path]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Etag", file.tag)
	if matches(r.Header["If-None-Match"], strings.Trim(file.tag, `"`)) {
		notModified(w, h["Etag"])
		return true
	}
	body := file.body
	if acceptsGzip(r.Header["Accept-Encoding"]) {
		body = file.gzip
		h.Set("Content-Encoding", "gzip")
		h.Set("Etag", strings.TrimSuffix(file.tag, `"`)+gzipSuffix+`"`)
	}
	h.Set("Content-Type", file.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		send(w, body)
	}
	return true
}
