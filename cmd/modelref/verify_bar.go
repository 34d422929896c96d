// The bar of verify: how many bytes were hashed of all bytes to hash, and which file is being read.

package main

import (
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// hashBar is a bar on a terminal, or nothing. What is written to it appears on standard output, above the bar.
type hashBar struct {
	app   *app
	all   *mpb.Progress // nil if there is no bar
	bar   *mpb.Bar
	above bool  // standard output is a terminal too: the bar must know what is printed there
	done  int64 // bytes of the files before the current one

	mu   sync.Mutex
	name string // the current file
}

// newHashBar returns a bar for a number of bytes to hash. There is no bar if there is nothing to hash.
func (a *app) newHashBar(total int64) *hashBar {
	b := &hashBar{app: a}
	if total == 0 {
		return b
	}
	output := a.stderr
	if b.above = isTerminal(a.stdout); b.above {
		output = a.stdout // so that rows and bar do not overwrite each other
	}
	if b.all = a.newBars(output); b.all == nil {
		return b
	}
	// A bar that is made without a total ends only in close. If it ended by itself, later lines would never be printed.
	b.bar = b.all.AddBar(0, mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.current() })),
		mpb.AppendDecorators(decor.CountersKiloByte("% .1f / % .1f"), decor.AverageSpeed(decor.SizeB1000(0), "  % .1f")))
	b.bar.SetTotal(total, false)
	return b
}

// current returns the name of the current file in a fixed width.
func (b *hashBar) current() string {
	const width = 28
	b.mu.Lock()
	defer b.mu.Unlock()
	return cells().FillRight(cut(printable(b.name), width), width) + " "
}

// file starts the next file.
func (b *hashBar) file(path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.name = path
}

// progress moves the bar: n bytes of the current file were read.
func (b *hashBar) progress(n int64) {
	if b.all != nil {
		b.bar.SetCurrent(b.done + n)
	}
}

// fileDone ends the current file, which had that size when the bar was made.
func (b *hashBar) fileDone(size int64) {
	b.done += size
	b.progress(0)
}

// Write prints complete lines on standard output.
func (b *hashBar) Write(p []byte) (int, error) {
	if b.all != nil && b.above {
		if n, err := b.all.Write(p); err == nil {
			return n, nil
		}
	}
	return b.app.stdout.Write(p)
}

// close removes the bar. It is safe to call close more than once.
func (b *hashBar) close() {
	if b.all == nil {
		return
	}
	b.bar.Abort(true)
	b.all.Wait()
	b.all = nil
}
