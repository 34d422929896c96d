// Progress of downloads: bars on a terminal, otherwise one line for each step.

package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// progress shows the events of a plan on standard error.
type progress struct {
	app   *app
	all   *mpb.Progress // nil if there is no terminal
	total *mpb.Bar

	mu   sync.Mutex
	bars map[string]*mpb.Bar
	done map[string]int64 // received bytes by path
	size map[string]int64 // sizes by path, of the files whose size is known
}

// newProgress returns a progress with bars if standard error is a terminal and --quiet is not given.
func (a *app) newProgress() *progress {
	return &progress{
		app: a, all: a.newBars(a.stderr), bars: map[string]*mpb.Bar{}, done: map[string]int64{}, size: map[string]int64{},
	}
}

// newBars returns a container of bars on output, or nil if standard error is not a terminal or --quiet is given.
func (a *app) newBars(output io.Writer) *mpb.Progress {
	if !isTerminal(a.stderr) || a.flags.quiet {
		return nil
	}
	return mpb.New(mpb.WithOutput(output), mpb.WithRefreshRate(150*time.Millisecond), mpb.WithAutoRefresh())
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// start adds the bar of all files.
func (p *progress) start(plan *download.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		return
	}
	for _, file := range plan.Files() {
		if !file.State.Present() && file.Size > 0 {
			p.size[file.Path] = file.Size
		}
	}
	p.total = p.all.AddBar(0, mpb.BarPriority(1<<20),
		mpb.PrependDecorators(decor.Name("all files", decor.WCSyncSpaceR)), mpb.AppendDecorators(decor.CountersKiloByte("% .1f / % .1f")))
	p.showTotal()
}

// showTotal moves the bar of all files.
func (p *progress) showTotal() {
	p.total.SetTotal(sum(p.size), false)
	p.total.SetCurrent(sum(p.done))
}

func sum(values map[string]int64) (n int64) {
	for _, value := range values {
		n += value
	}
	return n
}

// event shows one event.
func (p *progress) event(e download.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.log(e)
		return
	}
	switch e.Kind {
	case download.EventVerifying, download.EventStarted, download.EventProgress:
		p.advance(e)
	case download.EventDone, download.EventFailed:
		if bar := p.bars[e.Path]; bar != nil {
			bar.Abort(true)
		}
		delete(p.bars, e.Path)
	default:
	}
}

// advance moves the bar of a file, and that of all files.
func (p *progress) advance(e download.Event) {
	bar := p.bars[e.Path]
	if bar == nil {
		bar = p.all.AddBar(max(e.Size, 0),
			mpb.PrependDecorators(decor.Name(printable(e.Path), decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.CountersKiloByte("% .1f / % .1f"), decor.AverageSpeed(decor.SizeB1000(0), "  % .1f")))
		p.bars[e.Path] = bar
	}
	if e.Size > 0 {
		bar.SetTotal(e.Size, false)
	}
	bar.SetCurrent(e.Done)
	if p.total != nil && e.Kind == download.EventProgress {
		p.done[e.Path] = e.Done
		if e.Size > 0 {
			p.size[e.Path] = e.Size
		}
		p.showTotal()
	}
}

// log prints a line for an event, but not for progress.
func (p *progress) log(e download.Event) {
	switch e.Kind {
	case download.EventStarted:
		p.app.noteLine("start    " + e.Path + " from " + e.Source)
	case download.EventWaiting:
		p.app.noteLine("wait     " + e.Path + reasonText(e.Err))
	case download.EventRestarted:
		p.app.noteLine("restart  " + e.Path + reasonText(e.Err))
	case download.EventSourceFailed:
		p.app.noteLine("failed   " + e.Path + reasonText(e.Err))
	case download.EventDone:
		p.app.noteLine("done     " + e.Path)
	case download.EventWarning:
		p.app.noteLine("warning  " + e.Path + reasonText(e.Err))
	default:
	}
}

func reasonText(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// close removes the bars. It is safe to call close more than once.
func (p *progress) close() {
	if p.all == nil {
		return
	}
	p.mu.Lock()
	for _, bar := range p.bars {
		bar.Abort(true)
	}
	if p.total != nil {
		p.total.Abort(true)
	}
	all := p.all
	p.all = nil
	p.mu.Unlock()
	all.Wait()
}

// timeUnit is the precision of durations that are printed.
const timeUnit = 10 * time.Millisecond

// sizeText writes a size for people. A negative size is unknown.
func sizeText(n int64) string {
	if n < 0 {
		return "?"
	}
	return modelref.FormatSize(n)
}

// printLine prints one line on standard output.
func (a *app) printLine(text string) error {
	_, err := io.WriteString(a.stdout, printable(text)+"\n")
	return err
}
