// The pager: on a terminal, long output can be read page by page.

package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
)

// errPagerClosed is the error of output after the reader has left the pager.
var errPagerClosed = errors.New("the pager was closed")

// paged reports whether the output of a command is shown in a pager. Commands that run for long, and those that print
// while they work, are not.
func paged(cmd *cobra.Command) bool {
	return slices.Contains([]string{
		"categories", "list", "get", "search", "popular", "stats", "files", "diff", "licenses", "guidance", "baselines",
	}, cmd.Name())
}

// pagerCommand returns the pager that the environment names: MODELREF_PAGER, PAGER, or less if it is installed. It
// returns "" for no pager.
func pagerCommand() string {
	for _, name := range []string{"MODELREF_PAGER", "PAGER"} {
		if command, ok := os.LookupEnv(name); ok {
			if command == "cat" {
				return ""
			}
			return command
		}
	}
	if _, err := exec.LookPath("less"); err != nil {
		return ""
	}
	return "less"
}

// startPager sends standard output through the pager if standard output is a terminal.
func (a *app) startPager(cmd *cobra.Command) {
	command := pagerCommand()
	if a.flags.noPager || !a.screen.terminal || !paged(cmd) || command == "" {
		return
	}
	pager := exec.Command("sh", "-c", command) //nolint:gosec,noctx // the user names it, and ends it
	if runtime.GOOS == "windows" {
		pager = exec.Command("cmd", "/C", command) //nolint:gosec,noctx // the user names it, and ends it
	}
	pager.Stdout, pager.Stderr, pager.Env = a.stdout, a.stderr, os.Environ()
	if os.Getenv("LESS") == "" {
		pager.Env = append(pager.Env, "LESS=FRX") // show colours, and leave at once if one page is enough
	}
	in, err := pager.StdinPipe()
	if err != nil || pager.Start() != nil {
		return // without a pager the output is the same
	}
	shown := a.stdout
	a.stdout, a.screen.links = pagerInput{in}, false
	a.stopPager = func() {
		signal.Ignore(os.Interrupt) // the pager decides what an interrupt means
		_ = in.Close()
		_ = pager.Wait()
		a.stdout, a.stopPager = shown, nil
	}
}

// pagerInput is standard output while there is a pager.
type pagerInput struct{ io.Writer }

func (p pagerInput) Write(text []byte) (int, error) {
	n, err := p.Writer.Write(text)
	if err != nil {
		return n, errPagerClosed
	}
	return n, nil
}
