// Package browsertest drives the page of a mirror in a real browser. It is a module of its own, so that the SDK does not
// depend on a browser driver.
package browsertest

import (
	"context"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

// stepTimeout limits the time that the browser has for one step.
const stepTimeout = 20 * time.Second

var (
	browser context.Context // of the browser that all tabs belong to
	stop    = func() {}
	missing string // why there is no browser
)

func TestMain(m *testing.M) {
	if path := browserPath(); path == "" {
		missing = "chromium is not installed"
	} else {
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("no-proxy-server", true), chromedp.Flag("font-render-hinting", "none"))
		start(options)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// start starts the browser.
func start(options []chromedp.ExecAllocatorOption) {
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	browser, stop = ctx, func() { cancel(); end() }
	if err := chromedp.Do(ctx); err != nil {
		missing = "the browser does not start: " + err.Error()
	}
}

func browserPath() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// tab is a tab of the browser that shows the page of a mirror.
type tab struct {
	t    testing.TB
	ctx  context.Context
	base string

	mu       sync.Mutex
	problems []string // what the console and the security policy complained about
	foreign  []string // requests to other hosts
}

// size is the size of a window.
type size struct{ width, height int64 }

var (
	desktop = size{1280, 900}
	phone   = size{380, 820}
)

// open opens the page of the site at a path in a new tab.
func open(t testing.TB, base, path string, window size, dark bool) *tab {
	t.Helper()
	if missing != "" {
		t.Skip(missing)
	}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, base: base}
	require.NoError(t, chromedp.Listen(ctx, b.listen))
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media)
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	viewport := []chromedp.EmulateViewportOption{}
	if window.width < 600 {
		viewport = append(viewport, chromedp.EmulateMobile)
	}
	b.run(
		chromedp.EmulateViewport(window.width, window.height, viewport...),
		chromedp.Navigate(base+path), chromedp.WaitReady(`body[data-ready="true"]`),
	)
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			b.problems = append(b.problems, string(e.Type)+" on the console")
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.problems = append(b.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil && u.Scheme != "blob" && !strings.HasPrefix(e.Request.URL, b.base) {
			b.foreign = append(b.foreign, e.Request.URL)
		}
	}
}

// run runs steps within a time limit.
func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
}

// eval returns the value of a JavaScript expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(b.t, err, expression)
	return out
}

// until waits until an expression is true.
func (b *tab) until(expression string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(stepTimeout)))
	require.NoError(b.t, err, expression)
}

// screenshot writes what the tab shows, if a directory for it is set.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("MODELREF_SCREENSHOTS")
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	require.NotEmpty(b.t, image)
	if dir == "" {
		return
	}
	require.NoError(b.t, os.MkdirAll(dir, 0o755))
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644))
}

// clean fails the test if the page complained or sent a request to another host.
func (b *tab) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b.t, b.problems, "the console is not clean")
	require.Empty(b.t, b.foreign, "the page sent requests to other hosts")
}

// site is a mirror in front of a fake service.
type site struct {
	service *modelreftest.Server
	url     string
}

func newSite(t testing.TB, options ...modelref.Option) *site {
	t.Helper()
	s := modelreftest.NewServer(t, modelreftest.WithDocuments(os.DirFS("documents")))
	client := s.Client(t, append([]modelref.Option{modelref.WithoutGitHub()}, options...)...)
	server := httptest.NewServer(mirror.Handler(client))
	t.Cleanup(server.Close)
	host, _, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	return &site{service: s, url: server.URL}
}
