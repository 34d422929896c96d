// The recognition of web pages and error messages that a server sends in place of a file.

package download

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"
)

// textExtensions are the extensions of files that may be text.
var textExtensions = map[string]bool{
	".json": true, ".txt": true, ".yaml": true, ".yml": true, ".md": true, ".csv": true, ".toml": true, ".xml": true,
	".html": true, ".htm": true, ".py": true, ".model": true, ".vocab": true, ".merges": true, "": true,
}

func mediaType(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
	}
	return strings.ToLower(strings.TrimSpace(kind))
}

func isWebPage(contentType string) bool {
	kind := mediaType(contentType)
	return kind == "text/html" || kind == "application/xhtml+xml"
}

// isText reports whether a media type is text or JSON.
func isText(kind string) bool {
	return kind == "application/json" || strings.HasSuffix(kind, "+json") || strings.HasPrefix(kind, "text/")
}

// checkKind refuses a response by its Content-Type. With a checksum only the content matters.
func checkKind(name, contentType string, verified bool) error {
	if verified {
		return nil
	}
	ext := strings.ToLower(path.Ext(name))
	kind := mediaType(contentType)
	switch {
	case isWebPage(contentType) && ext != ".html" && ext != ".htm":
		return fmt.Errorf("%w: it is a web page (%s)", ErrNotTheFile, kind)
	case isText(kind) && !textExtensions[ext]:
		return fmt.Errorf("%w: it is text (%s)", ErrNotTheFile, kind)
	}
	return nil
}

// checkStart refuses a file by its first bytes. start has at least 512 bytes unless the file is shorter. A web page is
// always refused. Without a checksum, an empty file is refused, text is refused under the name of a binary file, and
// the header of a safetensors file must be valid.
func checkStart(name string, start []byte, size int64, verified bool) error {
	ext := strings.ToLower(path.Ext(name))
	kind := mediaType(http.DetectContentType(start))
	if kind == "text/html" && ext != ".html" && ext != ".htm" {
		return fmt.Errorf("%w: it is a web page", ErrNotTheFile)
	}
	switch {
	case verified:
		return nil
	case len(start) == 0:
		return fmt.Errorf("%w: it is empty", ErrNotTheFile)
	case ext == ".json":
		if text := bytes.TrimLeft(start, " \t\r\n\ufeff"); len(text) == 0 || text[0] != '{' && text[0] != '[' {
			return fmt.Errorf("%w: it is not JSON", ErrNotTheFile)
		}
		return nil
	case textExtensions[ext]:
		return nil
	}
	if ext == ".safetensors" {
		return checkSafetensors(start, size)
	}
	if strings.HasPrefix(kind, "text/") {
		return fmt.Errorf("%w: it is text of %d bytes", ErrNotTheFile, size)
	}
	return nil
}

// checkSafetensors checks the header: its length as 64 bits, then a JSON object of that length.
func checkSafetensors(start []byte, size int64) error {
	if len(start) < 10 {
		return fmt.Errorf("%w: %d bytes are too few for a safetensors file", ErrNotTheFile, len(start))
	}
	length := binary.LittleEndian.Uint64(start)
	if start[8] != '{' || length < 2 || size >= 0 && length > uint64(size)-8 {
		return fmt.Errorf("%w: it has no safetensors header", ErrNotTheFile)
	}
	return nil
}
