// This file checks the text of the documentation: the targets of links, names, and figures.

package modelref

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documentationFiles returns the Markdown files that are checked.
func documentationFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	files = append(files, "README.md", "CONTRIBUTING.md", "SECURITY.md", filepath.Join("cmd", "modelref", "README.md"))
	require.Greater(t, len(files), 8)
	return files
}

// withoutBlocks returns the text of a Markdown file without its fenced blocks. Lines keep their numbers.
func withoutBlocks(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var out strings.Builder
	fenced := false
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			line = "\n"
		}
		if fenced {
			line = "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

// anchorOf returns the anchor that GitHub creates for a heading.
func anchorOf(heading string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case r == ' ':
			out.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			out.WriteRune(r)
		}
	}
	return out.String()
}

func TestDocumentationLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	checked := 0
	for _, file := range documentationFiles(t) {
		for _, match := range link.FindAllStringSubmatch(withoutBlocks(t, file), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue // tests use the loopback network only
			}
			checked++
			path := file
			if target != "" {
				path = filepath.Join(filepath.Dir(file), filepath.FromSlash(target))
			}
			_, err := os.Stat(path)
			if !assert.NoError(t, err, "%s links to %s", file, match[1]) || anchor == "" {
				continue
			}
			var anchors []string
			for _, h := range heading.FindAllStringSubmatch(withoutBlocks(t, path), -1) {
				anchors = append(anchors, anchorOf(h[1]))
			}
			assert.Contains(t, anchors, anchor, "%s links to %s", file, match[1])
		}
	}
	assert.Greater(t, checked, 20)
}

// exportedNames returns the exported identifiers of the packages in the directories: types, functions, methods, fields,
// constants and variables.
func exportedNames(t *testing.T, dirs ...string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					out[n.Name.Name] = true
					return false
				case *ast.TypeSpec:
					out[n.Name.Name] = true
				case *ast.ValueSpec:
					for _, name := range n.Names {
						out[name.Name] = true
					}
				case *ast.Field:
					for _, name := range n.Names {
						out[name.Name] = true
					}
				}
				return true
			})
		}
	}
	return out
}

func TestDocumentationNames(t *testing.T) {
	t.Parallel()
	names := exportedNames(t, ".", "api", "download", "mirror", "modelreftest", "modelrefotel", "modelrefprom", "modelrefredis")
	code := regexp.MustCompile("`([^`\n]+)`")
	qualified := regexp.MustCompile(`\b(?:client|modelref|api|download|mirror|modelreftest|modelrefotel|modelrefprom|modelrefredis|a|ref|err)((?:\.[A-Z]\w*(?:\(\))?)+)`)
	bare := regexp.MustCompile(`^(?:(?:With|Err|Event|Source|New|From)[A-Z]\w*|[A-Z]\w*\.[A-Z]\w*)(?:\(.*\))?$`)
	checked := 0
	for _, file := range documentationFiles(t) {
		for _, match := range code.FindAllStringSubmatch(withoutBlocks(t, file), -1) {
			var chains []string
			for _, q := range qualified.FindAllStringSubmatch(match[1], -1) {
				chains = append(chains, q[1])
			}
			if bare.MatchString(match[1]) {
				chains = append(chains, match[1][:strings.IndexFunc(match[1]+"(", func(r rune) bool { return r == '(' })])
			}
			for _, chain := range chains {
				for name := range strings.SplitSeq(strings.ReplaceAll(strings.Trim(chain, "."), "()", ""), ".") {
					checked++
					assert.True(t, names[name], "%s: %q: there is no exported %s", file, match[1], name)
				}
			}
		}
	}
	assert.Greater(t, checked, 60)
}

// TestReadmeDefaults compares the defaults in README.md with those of New.
func TestReadmeDefaults(t *testing.T) {
	t.Parallel()
	text := withoutBlocks(t, "README.md")
	client, err := New()
	require.NoError(t, err)
	defer client.Close()
	c := client.config
	for option, want := range map[string]string{
		"WithPrimaryURL(url)": DefaultPrimaryURL,
		"WithTTL(d)":          inWords(c.ttl) + "; at least " + strings.TrimSuffix(minDuration.String(), "ms") + " ms",
		"WithMaxStale(d)":     inWords(c.maxStale),
		"WithRefreshWait(d)":  inWords(c.refreshWait),
		"WithRetry(policy)": fmt.Sprintf("%d attempts, %d ms, %d s per read", c.retry.MaxAttempts, c.retry.BaseDelay.Milliseconds(),
			int(c.retry.MaxDuration.Seconds())),
		"WithTimeout(d)": fmt.Sprintf("%d s per attempt, %d MiB", int(c.timeout.Seconds()), c.maxBody>>20),
	} {
		rows := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
			return !strings.HasPrefix(line, "| ") || !strings.Contains(line, "`"+option+"`")
		})
		if assert.Len(t, rows, 1, option) {
			assert.Contains(t, rows[0], want)
		}
	}
}

// inWords returns a duration such as "1 minute".
func inWords(d time.Duration) string {
	for _, unit := range []struct {
		name string
		d    time.Duration
	}{{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if d >= unit.d && d%unit.d == 0 {
			plural := ""
			if d > unit.d {
				plural = "s"
			}
			return fmt.Sprintf("%d %s%s", d/unit.d, unit.name, plural)
		}
	}
	return d.String()
}
