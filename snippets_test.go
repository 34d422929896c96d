// This file checks the code in README.md and docs: every Go block compiles, and every command of the README is run by
// the gate.

package modelref_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// snippetPackages has the packages that a block may use without importing them, by name.
var snippetPackages = map[string]string{
	"context": "context", "errors": "errors", "filepath": "path/filepath", "fmt": "fmt", "fs": "io/fs", "http": "net/http",
	"io": "io", "json": "encoding/json", "log": "log", "net": "net", "os": "os", "slices": "slices", "slog": "log/slog",
	"strings": "strings", "synctest": "testing/synctest", "testing": "testing", "time": "time",
	"modelref":     "github.com/haidra-org/modelref",
	"api":          "github.com/haidra-org/modelref/api",
	"modelreftest": "github.com/haidra-org/modelref/modelreftest",
	"mirror":       "github.com/haidra-org/modelref/mirror",
	"download":     "github.com/haidra-org/modelref/download",
}

// snippetFunc encloses statements. Its parameters are the variables that the text around the blocks mentions.
const snippetFunc = "func _(ctx context.Context, t *testing.T, client *modelref.Client, weights, dir string) error {\n" +
	"{\n%s\n}\nreturn nil\n}\n"

// block is a fenced block of a Markdown file.
type block struct {
	file     string
	line     int // the first line of the text
	language string
	text     string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// blocksOf returns the fenced blocks of a Markdown file. Blocks inside a list are indented.
func blocksOf(t *testing.T, file string) []block {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var out []block
	var open *block
	for i, line := range strings.Split(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n") {
		fence, fenced := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fenced && open == nil:
			open = &block{file: filepath.ToSlash(file), line: i + 2, language: strings.TrimSpace(fence)}
		case fenced:
			out = append(out, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	require.Nil(t, open, "%s: a block is not closed", file)
	return out
}

// parseSnippet parses a block as a file, as declarations, or as statements. If all three fail, it returns the error
// with the highest position.
func parseSnippet(fset *token.FileSet, b block) (*ast.File, error) {
	here := fmt.Sprintf("//line %s:%d\n", b.file, b.line)
	var furthest error
	for _, source := range []string{
		here + b.text,
		"package snippet\n" + here + b.text,
		"package snippet\n" + fmt.Sprintf(snippetFunc, here+b.text),
	} {
		file, err := parser.ParseFile(fset, "snippet.go", source, parser.SkipObjectResolution)
		if err == nil {
			return file, nil
		}
		if furthest == nil || lineOf(err) >= lineOf(furthest) {
			furthest = err
		}
	}
	return nil, furthest
}

func lineOf(err error) int {
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return list[0].Pos.Line
	}
	return 0
}

// addImports adds the packages that the file uses but does not import.
func addImports(file *ast.File) {
	imported := map[string]bool{}
	for _, spec := range file.Imports {
		imported[strings.Trim(spec.Path.Value, `"`)] = true
	}
	var specs []ast.Spec
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		name, ok := selector.X.(*ast.Ident)
		if path := ""; ok {
			path = snippetPackages[name.Name]
			if path != "" && !imported[path] {
				imported[path] = true
				literal := &ast.BasicLit{Kind: token.STRING, Value: `"` + path + `"`, ValuePos: file.Name.End()}
				specs = append(specs, &ast.ImportSpec{Path: literal})
			}
		}
		return true
	})
	for _, spec := range specs {
		file.Imports = append(file.Imports, spec.(*ast.ImportSpec))
	}
	if len(specs) > 0 {
		file.Decls = append([]ast.Decl{&ast.GenDecl{Tok: token.IMPORT, Specs: specs}}, file.Decls...)
	}
}

// snippetImporter imports the packages of snippetPackages from the export data of the go command. It does not use the
// network.
func snippetImporter(t *testing.T, fset *token.FileSet) types.Importer {
	t.Helper()
	arguments := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}
	for _, path := range snippetPackages {
		arguments = append(arguments, path)
	}
	slices.Sort(arguments[5:])
	var stderr bytes.Buffer
	list := exec.CommandContext(t.Context(), "go", arguments...)
	list.Stderr = &stderr
	out, err := list.Output()
	require.NoError(t, err, "go list: %s", stderr.String())
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("snippetPackages has no %q", path)
		}
		return os.Open(files[path])
	})
}

// snippetErrors returns the compile errors of a block. Unused variables and imports are allowed.
func snippetErrors(fset *token.FileSet, imports types.Importer, b block) []error {
	file, err := parseSnippet(fset, b)
	if err != nil {
		return []error{err}
	}
	addImports(file)
	var found []error
	config := types.Config{Importer: imports, Error: func(err error) {
		var fault types.Error
		if !errors.As(err, &fault) || !fault.Soft {
			found = append(found, err)
		}
	}}
	_, _ = config.Check("snippet", fset, []*ast.File{file}, nil)
	return found
}

func TestSnippetsCompile(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is required for export data")
	}
	files, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	fset := token.NewFileSet()
	imports := snippetImporter(t, fset)
	compiled := 0
	for _, file := range append(files, "README.md") {
		for _, b := range blocksOf(t, file) {
			if b.language == "go" {
				compiled++
				for _, err := range snippetErrors(fset, imports, b) {
					assert.NoError(t, err, "%s", b)
				}
			}
		}
	}
	assert.GreaterOrEqual(t, compiled, 3, "the README has more")

	for name, text := range map[string]string{
		"no such method": "client.ImageGeneration.Lod(ctx)", "no such package": "foo.Bar()", "no Go": "if err != nil { … }",
		"wrong type": "var n int = weights",
	} {
		assert.NotEmpty(t, snippetErrors(fset, imports, block{file: name, line: 1, text: text}), name)
	}
}

// Every command in the README must be a line of .ci/run.
func TestReadmeCommandsAreRun(t *testing.T) {
	t.Parallel()
	gate, err := os.ReadFile(filepath.Join(".ci", "run"))
	require.NoError(t, err)
	run := map[string]bool{}
	for line := range strings.Lines(string(gate)) {
		run[strings.TrimSpace(line)] = true
	}
	commands := 0
	for _, b := range blocksOf(t, "README.md") {
		if b.language != "sh" {
			continue
		}
		for line := range strings.Lines(b.text) {
			command, _, _ := strings.Cut(line, " #")
			if command = strings.TrimSpace(command); command == "" || strings.HasPrefix(command, "#") {
				continue
			}
			commands++
			assert.True(t, run[command], "README.md:%d: .ci/run does not run %q", b.line, command)
		}
	}
	assert.Positive(t, commands)
}
