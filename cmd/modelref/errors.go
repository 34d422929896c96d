// How an error becomes a message that says what to do, and an exit code.

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
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

// report prints an error and returns its exit code.
func (a *app) report(err error) int {
	var usage usageError
	var endpoint endpointError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errPagerClosed):
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
		a.printMissing(incomplete)
	} else {
		a.printCause(err)
	}
	if hint := hintFor(err, a.flags); hint != "" && hint != a.hinted {
		a.hinted = hint // once is enough
		a.errorLine("  " + hint)
	}
}

// printMissing prints the categories that could not be read, and the first error of each source. The errors of the other
// categories are mostly the same.
func (a *app) printMissing(incomplete *modelref.PartialError) {
	categories := incomplete.Categories()
	names := joinNames(categories)
	if len(categories) == len(modelref.Categories()) {
		names = "any category"
	}
	a.errorf("no source could give %s:", names)
	var first []modelref.SourceError
	for _, missing := range incomplete.Missing {
		var fetch *modelref.FetchError
		if !errors.As(missing.Err, &fetch) {
			a.errorLine(fmt.Sprintf("  %s: %v", missing.Category, missing.Err))
			continue
		}
		for _, attempt := range told(fetch.Sources) {
			first = keepFirst(first, attempt)
		}
	}
	for _, attempt := range first {
		a.errorLine("  " + flagNames.Replace(attempt.String()))
	}
}

// keepFirst adds an attempt if it is the first of its source. That the circuit breaker is open follows from another error.
func keepFirst(first []modelref.SourceError, attempt modelref.SourceError) []modelref.SourceError {
	i := slices.IndexFunc(first, func(other modelref.SourceError) bool { return other.Source == attempt.Source })
	switch {
	case i < 0:
		return append(first, attempt)
	case errors.Is(first[i].Err, modelref.ErrCircuitOpen) && !errors.Is(attempt.Err, modelref.ErrCircuitOpen):
		first[i] = attempt
	}
	return first
}

// told returns the attempts that are worth a line. That there is no copy yet is one only if nothing else was tried.
func told(attempts []modelref.SourceError) []modelref.SourceError {
	out := slices.DeleteFunc(slices.Clone(attempts), func(s modelref.SourceError) bool {
		return s.Source == modelref.SourceDisk && errors.Is(s.Err, fs.ErrNotExist)
	})
	if len(out) > 0 && !slices.ContainsFunc(out, func(s modelref.SourceError) bool { return !errors.Is(s.Err, modelref.ErrOffline) }) {
		return slices.DeleteFunc(slices.Clone(attempts), func(s modelref.SourceError) bool { return s.Source != modelref.SourceDisk })
	}
	if len(out) == 0 {
		return attempts
	}
	return out
}

func (a *app) printCause(err error) {
	var fetch *modelref.FetchError
	if errors.As(err, &fetch) {
		a.errorf("no source could give %s:", fetch.Category)
		for _, attempt := range told(fetch.Sources) {
			a.errorLine("  " + flagNames.Replace(attempt.String()))
		}
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		a.errorLine("modelref: " + flagNames.Replace(strings.TrimPrefix(line, "modelref: ")))
	}
}

// flagNames writes the options of the SDK as the flags that set them.
var flagNames = strings.NewReplacer(
	"an offline Client", "--offline", "a Client without", "a client without",
	"WithPrimaryURL", "--primary", "WithoutPrimary", `--primary ""`, "WithoutGitHub", "--no-github",
	"WithCacheDir, WithStore or WithBootstrap", "--cache-dir", "WithCacheDir", "--cache-dir", "WithOffline", "--offline",
	"WithTimeout", "--timeout", "WithAPIKey", "MODELREF_API_KEY",
	"a cache directory, a store or a bootstrap", "a cache directory",
)

// hintFor returns what can be done about an error, or "".
func hintFor(err error, flags globalFlags) string {
	var api *modelref.APIError
	var endpoint endpointError
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, modelref.ErrOffline):
		return "Run without --offline, or pass --cache-dir with a directory that an earlier run has filled."
	case errors.Is(err, modelref.ErrNotConfigured):
		return "Pass the URL of the service with --primary."
	case errors.As(err, &endpoint) && errors.As(err, &api) && api.StatusCode >= 500:
		return "The service has failed. `modelref list` and `search` do not need it."
	case errors.Is(err, modelref.ErrUnavailable) && flags.cacheDir == "":
		return "Try again later. `modelref status` shows the state of each source, and --demo needs no network."
	case errors.Is(err, modelref.ErrUnavailable):
		return "Try again later. `modelref status` shows the state of each source."
	case !errors.As(err, &endpoint) || !errors.As(err, &api):
		return ""
	case api.StatusCode == http.StatusNotFound:
		return "The service does not have this endpoint, or --primary is the URL of another service. `modelref list` and `search` do not need it."
	default:
		return ""
	}
}

// errorf prints a line on standard error, with the command's name before it.
func (a *app) errorf(format string, args ...any) {
	a.errorLine("modelref: " + fmt.Sprintf(format, args...))
}

func (a *app) errorLine(line string) {
	a.printing.Lock() // a slow request is mentioned while the command works
	defer a.printing.Unlock()
	_, _ = fmt.Fprintln(a.stderr, printable(line)) // a failure cannot be reported anywhere
}

// verbosef prints a remark if --verbose is set.
func (a *app) verbosef(format string, args ...any) {
	if a.flags.verbose {
		a.errorf(format, args...)
	}
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
