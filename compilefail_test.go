// This file checks that misuse does not compile: the type checker rejects each snippet in testdata/compilefail for the
// stated reason.

package modelref

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exportImporter imports packages from the export data of the go command, for this package and its imports.
func exportImporter(t *testing.T, fset *token.FileSet) types.Importer {
	t.Helper()
	var stderr bytes.Buffer
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".")
	list.Stderr = &stderr
	out, err := list.Output()
	require.NoError(t, err, "go list: %s", stderr.String())
	files := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		path, file, _ := strings.Cut(lines.Text(), "=")
		files[path] = file
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(files[path])
	})
}

// typeErrors type-checks a file and returns the errors.
func typeErrors(fset *token.FileSet, imports types.Importer, file *ast.File) []string {
	var found []string
	config := types.Config{Importer: imports, Error: func(err error) { found = append(found, err.Error()) }}
	_, _ = config.Check("snippet", fset, []*ast.File{file}, nil)
	return found
}

func TestMisuseDoesNotCompile(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is required for export data")
	}
	fset := token.NewFileSet()
	imports := exportImporter(t, fset)
	files, err := filepath.Glob("testdata/compilefail/*.go")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 13)
	for _, name := range files {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		errs := typeErrors(fset, imports, file)
		want, ok := strings.CutPrefix(file.Comments[0].List[0].Text, "// want: ")
		if !ok {
			assert.Equal(t, "must_compile.go", filepath.Base(name))
			assert.Empty(t, errs, name)
			continue
		}
		if assert.Len(t, errs, 1, "%s: there must be one error of the kind %q", name, want) {
			assert.Regexp(t, regexp.MustCompile(want), errs[0], name)
		}
	}
}
