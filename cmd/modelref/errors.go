// How an error becomes a message that says what to do, and an exit code.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/haidra-org/modelref"
)

// usageError is a command line that cannot be followed.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// asUsage makes an error that was found before anything was done one of usage.
func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// endpointError is what came of asking an endpoint that searches, ranks or counts. None of them is about one record.
type endpointError struct{ error }

func (e endpointError) Unwrap() error { return e.error }

var (
	// errNo says that the answer is no and that it has been printed.
	errNo = errors.New("the answer is no")
	// errPartly says that a part failed and that it has been told.
	errPartly = errors.New("a part failed")
)

// report prints an error and returns the exit code that it stands for.
func (a *app) report(err error) int {
	var usage usageError
	var endpoint endpointError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errNo):
		return exitMismatch
	case errors.Is(err, errPartly):
		return exitError
	case errors.Is(err, context.Canceled):
		return exitSignal
	}
	a.printError(err)
	switch {
	case errors.As(err, &usage), errors.Is(err, modelref.ErrInvalidQuery), errors.Is(err, modelref.ErrUnknownCategory):
		return exitUsage
	case errors.Is(err, modelref.ErrNotFound) && !errors.Is(err, modelref.ErrUnavailable) && !errors.As(err, &endpoint):
		return exitMismatch
	default:
		return exitError
	}
}

// printError prints what is wrong, a line for every source that was tried, and what can be done.
func (a *app) printError(err error) {
	var incomplete *modelref.PartialError
	if errors.As(err, &incomplete) {
		for _, missing := range incomplete.Missing {
			a.printCause(missing.Err)
		}
	} else {
		a.printCause(err)
	}
	if hint := hintFor(err, a.flags); hint != "" && hint != a.hinted {
		a.hinted = hint // once is enough
		a.errorLine("  " + hint)
	}
}

func (a *app) printCause(err error) {
	var fetch *modelref.FetchError
	if errors.As(err, &fetch) {
		a.errorf("no source could give %s:", fetch.Category)
		for _, attempt := range fetch.Sources {
			a.errorLine("  " + attempt.String())
		}
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		a.errorLine("modelref: " + strings.TrimPrefix(line, "modelref: "))
	}
}

// hintFor returns what can be done about an error, or "".
func hintFor(err error, flags globalFlags) string {
	var api *modelref.APIError
	var endpoint endpointError
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, modelref.ErrOffline):
		return "Leave out --offline to ask the network, or name a --cache-dir that an earlier call has filled."
	case errors.Is(err, modelref.ErrNotConfigured):
		return "Name the service with --primary URL."
	case errors.As(err, &endpoint) && errors.As(err, &api) && api.StatusCode >= 500:
		return "The service has trouble with that; `modelref list` and `query` answer without it."
	case errors.Is(err, modelref.ErrUnavailable) && flags.cacheDir == "":
		return "With --cache-dir DIR a later call has the copies of an earlier one; --demo needs no network."
	case errors.Is(err, modelref.ErrUnavailable):
		return "Try again later; `modelref status` tells how each source stands."
	case !errors.As(err, &endpoint) || !errors.As(err, &api):
		return ""
	case api.StatusCode == http.StatusNotFound:
		return "The service does not have that, or --primary names another one; `modelref list` and `query` do not need it."
	default:
		return ""
	}
}

// errorf prints a line on standard error, with the command's name before it.
func (a *app) errorf(format string, args ...any) {
	a.errorLine("modelref: " + fmt.Sprintf(format, args...))
}

func (a *app) errorLine(line string) {
	_, _ = fmt.Fprintln(a.stderr, printable(line)) // there is nobody to tell
}

// notef prints a remark on standard error, unless it is to be quiet.
func (a *app) notef(format string, args ...any) {
	a.noteLine("modelref: " + fmt.Sprintf(format, args...))
}

func (a *app) noteLine(line string) {
	if !a.flags.quiet {
		a.errorLine(line)
	}
}
