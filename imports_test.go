// This file has the import table: it defines which packages of the project may import which.

package modelref

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// modulePath is the path of the root package.
const modulePath = "github.com/haidra-org/modelref"

// importsOf returns the imports of the files in every directory below root, including nested modules. The keys are
// directories relative to root. Tests are not included, because they may use every package that is not internal to
// another package.
func importsOf(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != root && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(relative)
		if found[dir] == nil {
			found[dir] = map[string]bool{}
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[dir][imported] = true
		}
		return nil
	})
	require.NoError(t, err)
	out := map[string][]string{}
	for dir, imported := range found {
		out[dir] = slices.Sorted(maps.Keys(imported))
	}
	return out
}

// wrongImports returns the imports of a package that the table does not allow.
func wrongImports(dir string, imports []string) []string {
	var wrong []string
	dependencies := map[string]bool{}
	for _, imported := range imports {
		inside, ours := strings.CutPrefix(imported, modulePath)
		inside = strings.TrimPrefix(inside, "/")
		switch first, _, _ := strings.Cut(imported, "/"); {
		case ours && !mayImport(dir, inside):
			wrong = append(wrong, imported)
		case !ours && strings.Contains(first, "."): // not in the standard library
			dependencies[repository(imported)] = true
		}
	}
	if strings.HasPrefix(dir, "internal/") && len(dependencies) > 1 {
		wrong = append(wrong, slices.Sorted(maps.Keys(dependencies))...)
	}
	return wrong
}

// mayImport reports whether the package in a directory may import the package of the project in another directory.
func mayImport(from, to string) bool {
	internal := strings.HasPrefix(to, "internal/")
	switch {
	case strings.HasPrefix(from, "internal/"), from == ".":
		return internal // internal packages and the root do not import the packages above them
	case from == "api":
		return to == "" // api uses only the exported names of the root
	case strings.HasPrefix(from, "bench"):
		return true // the benchmarks may measure everything
	default:
		return !internal // the faces use only exported packages
	}
}

// repository returns the first three elements of an import path.
func repository(imported string) string {
	parts := strings.SplitN(imported, "/", 4)
	return path.Join(parts[:min(3, len(parts))]...)
}

func TestImports(t *testing.T) {
	t.Parallel()
	imports := importsOf(t, ".")
	for _, dir := range []string{".", "api", "internal/legacy", "modelreftest", "cmd/modelref", "modelrefotel", "examples/worker"} {
		require.Contains(t, imports, dir, "the table does not see the package")
	}
	for dir, list := range imports {
		assert.Empty(t, wrongImports(dir, list), "%s must not import these packages", dir)
	}
}

// TestImportsOfWrongPackages checks that the table finds violations.
func TestImportsOfWrongPackages(t *testing.T) {
	t.Parallel()
	root, internal := modulePath, modulePath+"/internal/legacy"
	for name, test := range map[string]struct {
		dir     string
		imports []string
		wrong   int
	}{
		"root":                     {".", []string{"fmt", internal, "golang.org/x/sync/errgroup"}, 0},
		"root imports api":         {".", []string{modulePath + "/api"}, 1},
		"api":                      {"api", []string{"fmt", root}, 0},
		"api imports internal":     {"api", []string{root, internal}, 1},
		"api imports a face":       {"api", []string{modulePath + "/modelreftest"}, 1},
		"internal":                 {"internal/x", []string{"net/http", internal, "golang.org/x/sync/errgroup", "golang.org/x/sync/semaphore"}, 0},
		"internal imports root":    {"internal/x", []string{root}, 1},
		"internal imports api":     {"internal/x", []string{modulePath + "/api"}, 1},
		"two dependencies":         {"internal/x", []string{"golang.org/x/sync/errgroup", "github.com/a/b/c"}, 2},
		"face":                     {"cmd/modelref", []string{root, modulePath + "/api", modulePath + "/modelreftest", "github.com/a/b"}, 0},
		"face imports internal":    {"examples/worker", []string{internal}, 1},
		"nested imports internal":  {"modelrefotel", []string{internal}, 1},
		"a module of another name": {"internal/x", []string{"modelref.example.org/x"}, 0},
	} {
		assert.Len(t, wrongImports(test.dir, test.imports), test.wrong, name)
	}
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "internal", "x"), 0o700))
	source := []byte("package x\n\nimport _ \"" + root + "\"\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "internal", "x", "x.go"), source, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "internal", "x", "x_test.go"), []byte("package x\n"), 0o600))
	assert.Equal(t, map[string][]string{"internal/x": {root}}, importsOf(t, dir))
}
