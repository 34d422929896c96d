// The sources of a file: where it can be downloaded, in the order in which the sources are tried.

package download

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
)

// source is one URL of a file.
type source struct {
	url     *url.URL
	gateway bool
	apiKey  string // of the gateway
}

// id identifies the source in the state of a partial file, without revealing what the URL contains.
func (s *source) id() string {
	sum := sha256.Sum256([]byte(s.url.String()))
	return hex.EncodeToString(sum[:16])
}

func (s *source) String() string { return redact(s.url) }

// sourcesOf returns the sources of f in order: the gateway, the URLs in the records, the caller's mirrors.
func sourcesOf(f *File, o *Options) []*source {
	var out []*source
	if o.Gateway.URL != "" && o.Gateway.APIKey != "" && f.SHA256 != "" {
		if u, err := url.Parse(o.Gateway.URL); err == nil {
			out = append(out, &source{url: u.JoinPath("by-hash", f.SHA256), gateway: true, apiKey: o.Gateway.APIKey})
		}
	}
	urls := f.URLs
	if o.Mirror != nil {
		mirrors := o.Mirror(f)
		if o.MirrorFirst {
			urls = append(append([]string{}, mirrors...), urls...)
		} else {
			urls = append(append([]string{}, urls...), mirrors...)
		}
	}
	for _, raw := range urls {
		if !isHTTP(raw) {
			continue
		}
		if u, err := url.Parse(raw); err == nil {
			out = append(out, &source{url: u})
		}
	}
	return out
}

// RedactURL returns the URL without user info, query and fragment, which may contain secrets. If raw is not a URL, the
// result is "invalid URL".
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "invalid URL"
	}
	return redact(u)
}

func redact(u *url.URL) string {
	c := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return shorten(c.String())
}

// sameHost reports whether two URLs have the same scheme, host and port.
func sameHost(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}
