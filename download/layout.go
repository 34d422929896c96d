// The layout of a weights root: which folder a file belongs to, and which file names are refused.

package download

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haidra-org/modelref"
)

// The two folders that identify a weights root.
var markerFolders = [...]string{"compvis", "clip"}

// purposeFolders has the folder of the purposes that are not stored in the folder of their category.
var purposeFolders = map[string]string{
	"vae":                 "vae",
	"text_encoder":        "text_encoders",
	"text_encoders":       "text_encoders",
	"face_restore_helper": "gfpgan",
}

// WeightsRoot returns the weights root of base, as the Python library determines it. If base is "", the environment
// variable AIWORKER_CACHE_HOME is used, or else "models". The result is the first directory at or below base, in
// breadth-first order, that has both folders "compvis" and "clip". If there is none, the result is base.
func WeightsRoot(base string) (string, error) {
	if base == "" {
		base = os.Getenv(EnvCacheHome)
	}
	if base == "" {
		base = "models"
	}
	const maxDirectories = 100_000 // a wrong base, such as "/", must not take for ever
	var visited []os.FileInfo      // the targets of links: a link may lead back up
	seen := 0
	for level := []string{base}; len(level) > 0; {
		var next []string
		for _, dir := range level {
			if isWeightsRoot(dir) {
				return dir, nil
			}
			if seen++; seen > maxDirectories {
				return "", fmt.Errorf("download: %s: no weights root in the first %d directories", base, maxDirectories)
			}
			next = append(next, subdirectories(dir, &visited)...)
		}
		level = next
	}
	return base, nil
}

// subdirectories returns the directories in dir, and the links to directories that are not among the visited ones. A
// directory that does not exist or cannot be read has none.
func subdirectories(dir string, visited *[]os.FileInfo) (out []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		child := filepath.Join(dir, entry.Name())
		if entry.Type()&os.ModeSymlink == 0 {
			if entry.IsDir() {
				out = append(out, child)
			}
			continue
		}
		info, err := os.Stat(child) //nolint:gosec // below the directory that the caller has named
		if err != nil || !info.IsDir() || slices.ContainsFunc(*visited, func(v os.FileInfo) bool { return os.SameFile(v, info) }) {
			continue
		}
		*visited = append(*visited, info)
		out = append(out, child)
	}
	return out
}

func isWeightsRoot(dir string) bool {
	for _, marker := range markerFolders {
		info, err := os.Stat(filepath.Join(dir, marker)) //nolint:gosec // below the directory that the caller has named
		if err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// FileLocation returns the folder below the weights root and the name in that folder, with slashes, of a file of a
// record of the given category. The folder is that of the file's purpose if the purpose has its own one, else that of
// the category. The error is ErrNoFolder or ErrUnsafeName.
func FileLocation(category modelref.Category, file *modelref.DownloadRecord) (folder, name string, err error) {
	folder = category.WeightsFolder()
	if folder == "" {
		return "", "", fmt.Errorf("%w for the category %q", ErrNoFolder, category)
	}
	if other, ok := purposeFolders[file.FilePurpose]; ok {
		folder = other
	}
	name, err = safeName(file.FileName)
	return folder, name, err
}

// The names that this package and the Python library derive from the name of a file.
const (
	partSuffix      = ".part"      // the partial file of one stream: its length is what was received
	segmentedSuffix = ".spart"     // the partial file of several segments: it has gaps
	stateSuffix     = ".part.json" // the version of the content and the ranges received
	checksumSuffix  = ".sha256"    // the checksum of the finished file
	oldSumSuffix    = ".md5"
	identitySuffix  = ".component-identity.json" // the Python library's list of embedded components
	privateFolder   = ".modelref"                // the locks
)

// safeName returns the cleaned name, or an error if the name must not be used on some operating system.
func safeName(name string) (string, error) {
	refuse := func(reason string) (string, error) {
		return "", fmt.Errorf("%w: %q %s", ErrUnsafeName, shorten(name), reason)
	}
	if name == "" {
		return refuse("is empty")
	}
	if len(name) > 1024 {
		return refuse("is longer than 1024 bytes")
	}
	if !utf8.ValidString(name) {
		return refuse("is not valid UTF-8")
	}
	if i := strings.IndexFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || strings.ContainsRune(`\:*?"<>|`, r)
	}); i >= 0 {
		return refuse("has a character that is not portable")
	}
	clean := path.Clean(name)
	if path.IsAbs(name) || clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.HasSuffix(name, "/") {
		return refuse("leads out of the weights folder")
	}
	for element := range strings.SplitSeq(clean, "/") {
		switch {
		case strings.HasSuffix(element, ".") || strings.HasSuffix(element, " ") || strings.HasPrefix(element, " "):
			return refuse("has an element that begins or ends with a space or ends with a dot")
		case len(element) > 200:
			return refuse("has an element longer than 200 bytes")
		case isDeviceName(element):
			return refuse("is the name of a device")
		case strings.EqualFold(element, privateFolder):
			return refuse("is reserved")
		}
	}
	lower := strings.ToLower(clean)
	for _, suffix := range []string{partSuffix, segmentedSuffix, stateSuffix, checksumSuffix, oldSumSuffix, identitySuffix} {
		if strings.HasSuffix(lower, suffix) {
			return refuse("has the reserved suffix " + suffix)
		}
	}
	return clean, nil
}

// isDeviceName reports whether Windows treats the path element as a device, with or without an extension.
func isDeviceName(element string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(element), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	digits, ok := strings.CutPrefix(base, "COM")
	if !ok {
		digits, ok = strings.CutPrefix(base, "LPT")
	}
	return ok && utf8.RuneCountInString(digits) == 1 && strings.ContainsAny(digits, "0123456789¹²³")
}

// caseKey returns the same value for names that are one file on a file system that ignores case.
func caseKey(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// shorten limits text from the network for an error message.
func shorten(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
