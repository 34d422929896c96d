// What all commands share: the global flags, and the client that they configure.

package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// globalFlags are the flags that every command takes.
type globalFlags struct {
	primary  string
	cacheDir string
	timeout  seconds
	offline  bool
	noGitHub bool
	demo     bool
	json     bool
	jsonl    bool
	quiet    bool
	output   string
	noHeader bool
	noCache  bool
	noPager  bool
	verbose  bool
	color    string
	yaml     bool // set by output

	primarySet bool
}

// app is one run of the command.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	screen         screen
	flags          globalFlags
	root           *cobra.Command
	closers        []func()
	hinted         string    // the last hint that was printed
	sources        *listener // to the newest client
	args           []string  // the command line
	stopPager      func()    // nil if there is no pager
	slowHosts      sync.Map  // the hosts that a remark said to be slow
	printing       sync.Mutex
}

func (a *app) addFlags(root *cobra.Command) {
	a.root = root
	flags, f := root.PersistentFlags(), &a.flags
	flags.StringVar(&f.primary, "primary", "", `base URL of the PRIMARY, "" for none (default "`+modelref.DefaultPrimaryURL+`")`)
	flags.StringVar(&f.cacheDir, "cache-dir", "", "keep copies in this directory, and read them if no source is available (default: one below the user's cache directory)")
	flags.BoolVar(&f.noCache, "no-cache", false, "do not keep or read copies")
	flags.BoolVar(&f.offline, "offline", false, "read only the cache directory; send no request")
	flags.BoolVar(&f.noGitHub, "no-github", false, "do not fall back to the files on GitHub")
	flags.Var(&f.timeout, "timeout", "time limit of one request, in seconds or with a unit such as 1m (default 10)")
	flags.BoolVar(&f.demo, "demo", false, "read a built-in server with made-up models; the network is not used")
	flags.BoolVar(&f.json, "json", false, "print JSON; a record is printed as its source has it")
	flags.BoolVar(&f.jsonl, "jsonl", false, "print JSON, a record on each line")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print only names, and no remarks")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "print each request on standard error")
	flags.BoolVar(&f.noPager, "no-pager", false, "do not use a pager on a terminal")
	flags.StringVar(&f.color, "color", "auto", "use colours: auto, always or never")
	flags.StringVarP(&f.output, "output", "o", "", "print in this format: "+strings.Join(formats(), ", "))
	flags.BoolVar(&f.noHeader, "no-header", false, "print tables, CSV and TSV without a header")
	root.MarkFlagsMutuallyExclusive("json", "jsonl", "quiet", "output")
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp))
	_ = root.MarkPersistentFlagDirname("cache-dir") // the flag exists
	for name, values := range map[string][]string{"primary": nil, "timeout": {"10"}, "color": {"auto", "always", "never"}} {
		_ = root.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// checkFlags says which global flags exclude each other.
func (a *app) checkFlags() error {
	f := &a.flags
	f.primarySet = a.root.PersistentFlags().Changed("primary")
	outputs := 0
	for _, set := range []bool{f.json, f.jsonl, f.quiet, f.output != ""} {
		if set {
			outputs++
		}
	}
	switch {
	case outputs > 1:
		return usagef("give one of --json, --jsonl, --quiet and --output")
	case f.demo && (f.primarySet || f.offline):
		return usagef("--demo has its own server: leave out --primary and --offline")
	case f.demo && f.cacheDir != "":
		return usagef("--demo keeps no copies: leave out --cache-dir")
	case f.noCache && f.cacheDir != "":
		return usagef("--no-cache and --cache-dir exclude each other")
	case f.noCache && f.offline:
		return usagef("--offline reads the cache directory: leave out --no-cache")
	case f.timeout < 0 || (f.timeout == 0 && a.root.PersistentFlags().Changed("timeout")):
		return usagef("--timeout %s: must be more than 0, such as 5", time.Duration(f.timeout))
	default:
		return errors.Join(a.chooseFormat(), a.chooseColours())
	}
}

// chooseColours follows --color. The environment decides if it is auto.
func (a *app) chooseColours() error {
	switch a.flags.color {
	case "auto":
	case "always":
		a.screen.colours = a.screen.format == ""
	case "never":
		a.screen.colours = false
	default:
		return usagef("--color %q: must be auto, always or never", a.flags.color)
	}
	return nil
}

// options returns the options that the environment and the flags set. The demo ignores the environment, so that it works
// everywhere.
func (a *app) options() ([]modelref.Option, error) {
	f := &a.flags
	options, afterEnv := f.cacheOptions()
	options = append(append(options, modelref.FromEnv()), afterEnv...)
	if f.demo {
		server, err := startDemo()
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, server.Close)
		client := server.HTTPClient()
		client.Transport = demoTransport{next: client.Transport}
		options = append(server.Options(), modelref.WithHTTPClient(client))
	}
	switch {
	case f.primarySet && f.primary == "":
		options = append(options, modelref.WithoutPrimary())
	case f.primarySet:
		options = append(options, modelref.WithPrimaryURL(f.primary))
	}
	if f.offline {
		options = append(options, modelref.WithOffline())
	}
	if f.noGitHub {
		options = append(options, modelref.WithoutGitHub())
	}
	if f.timeout > 0 {
		timeout := time.Duration(f.timeout)
		budget := max(20*time.Second, 2*timeout) // so that one slow request does not use up the budget
		options = append(options, modelref.WithTimeout(timeout), modelref.WithRetry(modelref.RetryPolicy{MaxDuration: budget}))
	}
	return options, nil
}

// client returns a client that is closed when the command ends; more options win over those of the flags.
func (a *app) client(more ...modelref.Option) (*modelref.Client, error) {
	options, err := a.options()
	if err != nil {
		return nil, err
	}
	sources := newListener()
	options = append(options, modelref.WithUserAgent("modelref-cli/"+modelref.Version), modelref.WithObserver(sources.observe),
		modelref.WithTransportWrapper(a.trace))
	client, err := modelref.New(append(options, more...)...)
	if err != nil {
		return nil, asUsage(err)
	}
	a.closers = append(a.closers, func() { _ = client.Close() }) // it always returns nil
	sources.client, a.sources = client, sources
	return client, nil
}

// close ends what the run has started, in reverse order.
func (a *app) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
}

// within returns the error of ctx if ctx is done, because an interrupt is the reason of the other error. Otherwise it returns err.
func within(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// seconds is a duration that may be given as a number of seconds.
type seconds time.Duration

func (s *seconds) String() string {
	if *s == 0 {
		return "" // as a default value it is not shown
	}
	return time.Duration(*s).String()
}

// Set parses a number of seconds or a duration with a unit.
func (s *seconds) Set(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err == nil && n < 1e9 && n > -1e9 {
		*s = seconds(n * float64(time.Second))
		return nil
	}
	d, err := time.ParseDuration(text)
	*s = seconds(d)
	return err
}

// Type names the value in the help.
func (s *seconds) Type() string { return "seconds" }
