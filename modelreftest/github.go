package modelreftest

// This file responds as the server of GitHub's raw files does.

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// fromGitHub returns the response of GitHub to /OWNER/NAME/refs/heads/BRANCH/FILE. s.mu is held.
func (s *Server) fromGitHub(r *http.Request, path string) *answer {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	missing := newAnswer(http.StatusNotFound, contentText, "404: Not Found")
	if r.Method != http.MethodGet || len(segments) < 6 || segments[2] != "refs" || segments[3] != "heads" {
		return missing
	}
	content, ok := s.legacy[segments[len(segments)-1]] // a branch may have slashes
	if !ok {
		return missing
	}
	sum := sha256.Sum256([]byte(content))
	tag := `"` + hex.EncodeToString(sum[:]) + `"`
	a := newAnswer(http.StatusOK, contentText, content)
	if matches(r.Header.Get("If-None-Match"), tag) {
		a = newAnswer(http.StatusNotModified, "", "")
	}
	a.header.Set("ETag", tag)
	a.header.Set("Cache-Control", "max-age=300")
	return a
}

// matches reports whether an If-None-Match has the tag. A CDN may have made the tag a weak one.
func matches(header, tag string) bool {
	for _, candidate := range strings.Split(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}
