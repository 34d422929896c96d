package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// axePackage is the accessibility checker, as npm installs it.
const axePackage = "axe-core@4.14.1"

// axeScript returns the text of the checker. The test is skipped if npm cannot install it.
func axeScript(t *testing.T) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed: accessibility is not checked")
	}
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--prefix", dir, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", axePackage)
	if output, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm cannot install %s, accessibility is not checked: %v: %s", axePackage, err, output)
	}
	script, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	require.NoError(t, err)
	return string(script)
}

// finding is one rule that the page does not follow.
type finding struct {
	ID     string
	Impact string
	Help   string
	Nodes  []string
}

func TestAccessibility(t *testing.T) {
	if missing != "" {
		t.Skip(missing)
	}
	script := axeScript(t)
	s := newSite(t)
	s.service.SetDocument("text_generation", textModels())
	for _, path := range []string{"/", "/?category=text_generation&style=chat", "/?category=all&q=quartz&nsfw=1", "/?model=Aurora", "/?q=nothing-fits"} {
		for _, dark := range []bool{false, true} {
			for name, window := range map[string]size{"desktop": desktop, "phone": phone} {
				t.Run(fmt.Sprintf("%s %s dark=%t", path, name, dark), func(t *testing.T) {
					b := open(t, s.url, path, window, dark)
					if path == "/?model=Aurora" {
						b.run(chromedp.WaitVisible("dialog[open]"))
					}
					if name == "phone" && path == "/" {
						b.click("#filters-toggle")
					}
					for _, f := range b.accessibility(script) {
						assert.Failf(t, "not accessible", "%s (%s): %s: %v", f.ID, f.Impact, f.Help, f.Nodes)
					}
				})
			}
		}
	}
}

// accessibility returns the findings that are serious or critical.
func (b *tab) accessibility(script string) []finding {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[any](script+"; true"))
	require.NoError(b.t, err)
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(
		r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => ({ id: v.id, impact: v.impact, help: v.help,
		nodes: v.nodes.slice(0, 4).map((n) => n.html.slice(0, 200) + ' ' + (n.any[0]?.message ?? '')) }))))`, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	var out []finding
	require.NoError(b.t, json.Unmarshal([]byte(found), &out))
	return out
}
