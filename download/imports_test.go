// This file checks the imports of the package: only the standard library, golang.org/x/sync, and the root package.

package download_test

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestImports(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	checked := 0
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			checked++
			first, _, _ := strings.Cut(path, "/")
			allowed := !strings.Contains(first, ".") || strings.HasPrefix(path, "golang.org/x/sync/") || path == "github.com/haidra-org/modelref"
			assert.True(t, allowed && path != "unsafe", "%s imports %s", entry.Name(), path)
		}
	}
	assert.Greater(t, checked, 50)
}
