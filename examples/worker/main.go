// Command worker answers what this machine can serve: the image models that fit its disk and its VRAM and that its NSFW
// policy allows, with the download URL, size and checksum of every file. With -dir it downloads and verifies the files, and
// with -watch it goes on to download what changes. With -verify it checks the files that exist. With -commercial it takes
// only models whose licence permits commercial use, and prints the attribution that is required.
//
//	go run ./examples/worker -demo -baselines SDXL -disk 30GB -vram 12GB
//	go run ./examples/worker -baselines SDXL -disk 100GB -dir /models -watch 5m
//	go run ./examples/worker -nsfw exclude -verify /models/compvis
//	go run ./examples/worker -demo -commercial
//
// The program reads the environment variables of the Python library; see modelref.FromEnv.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const usage = `worker lists the image models that this machine can serve, the smallest first, with the
download URL, size and checksum of every file.

  worker -baselines SDXL,flux_1 -disk 100GB -vram 12GB -nsfw exclude
  worker -dir /models                 also downloads the files that are missing, and verifies them
  worker -dir /models -watch 5m       then downloads what changes, until it is interrupted
  worker -verify /models/compvis      also checks the files that are in that directory
  worker -commercial                  only models that may be used commercially, with whom to name

A model whose record states no size fits no budget. What a model takes of VRAM is estimated
from the size of its files and can be off by half in either direction.

Exit codes: 0 all is well, 1 nothing could be read or a file is not what its record says,
2 wrong flags.

Flags:
`

// settings are what the flags say.
type settings struct {
	machine            machine
	verifyDir          string
	dir                string        // the weights root, or "" to download nothing
	watch              time.Duration // 0 for no watch
	demo               bool
	primary, cacheDir  string
	unfamiliarBaseline []modelref.Baseline
}

// run is main with its input and output as arguments. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	for _, b := range s.unfamiliarBaseline {
		fmt.Fprintf(stderr, "worker: this program does not know the baseline %q; it is used unchanged\n", b)
	}
	options := []modelref.Option{modelref.FromEnv()}
	if s.primary != "" {
		options = append(options, modelref.WithPrimaryURL(s.primary))
	}
	if s.cacheDir != "" {
		options = append(options, modelref.WithCacheDir(s.cacheDir))
	}
	if s.demo {
		var documents modelreftest.Option
		if s.machine.commercial {
			documents = licensedDemo()
		}
		server, err := modelreftest.Start(documents)
		if err != nil {
			fmt.Fprintln(stderr, "worker:", err)
			return 1
		}
		defer server.Close()
		options = append(options, server.Options()...)
	}
	if err := serve(ctx, &s, options, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "worker:", err)
		return 1
	}
	return 0
}

// parseFlags returns what the flags say. Its errors have been printed.
func parseFlags(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.Func("baselines", "`names` of the baselines to serve, with commas between them (default all)", s.addBaselines)
	flags.Var(&s.machine.disk, "disk", "`size` of the room for weights, as 500GB or 1.5TiB (default no limit)")
	flags.Var(&s.machine.vram, "vram", "`size` of the video memory, as 12GB (default no limit)")
	flags.Var(&s.machine.nsfw, "nsfw", "`policy`: include, exclude or only (default include)")
	flags.StringVar(&s.verifyDir, "verify", "", "check the listed models' files in this `directory`, the weights folder of "+
		"image models (compvis)")
	flags.StringVar(&s.dir, "dir", "", "download the listed models' files to this `directory`, the weights root")
	flags.DurationVar(&s.watch, "watch", 0, "after the download, check for changes at this `interval` and download them")
	flags.BoolVar(&s.machine.commercial, "commercial", false, "take only models whose licence permits commercial use without "+
		"conditions, and print the attribution that is required")
	flags.BoolVar(&s.demo, "demo", false, "read a built-in server with made-up models; no network")
	flags.StringVar(&s.primary, "primary", "", "base `URL` of the PRIMARY (default "+modelref.DefaultPrimaryURL+")")
	flags.StringVar(&s.cacheDir, "cache-dir", "", "keep copies in this `directory`, and read them if no source is available")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("worker takes only flags, not %q; see -h", flags.Arg(0))
	case s.watch != 0 && s.watch < time.Second:
		err = fmt.Errorf("-watch must be at least 1s, got %v", s.watch)
	case s.watch != 0 && s.dir == "":
		err = errors.New("-watch needs -dir, the directory to download to")
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return s, err
}

// addBaselines takes baselines by any name that the service has for them. One that is not known may be newer than this
// program and is taken as it is.
func (s *settings) addBaselines(names string) error {
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return errors.New("a name is empty")
		}
		baseline, known := modelref.ParseBaseline(name)
		if !known {
			baseline = modelref.Baseline(name)
			s.unfamiliarBaseline = append(s.unfamiliarBaseline, baseline)
		}
		s.machine.baselines = append(s.machine.baselines, baseline)
	}
	return nil
}

// serve is what the example is about: read the reference, choose, print, download, watch.
func serve(ctx context.Context, s *settings, options []modelref.Option, stdout, stderr io.Writer) error {
	client, err := modelref.New(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	ref, err := client.ImageGeneration.Load(ctx)
	if err != nil {
		return err
	}
	if ref.Stale() {
		fmt.Fprintf(stderr, "worker: the list comes from %s and may be behind\n", ref.Source())
	}
	chosen, err := s.machine.choose(ctx, ref)
	if err != nil {
		return err
	}
	if err := chosen.print(stdout); err != nil {
		return err
	}
	if s.machine.commercial {
		if err := chosen.printCredits(stdout); err != nil {
			return err
		}
	}
	if s.verifyDir != "" {
		if err := verify(ctx, s.verifyDir, chosen.models, stdout, newBar(stderr)); err != nil {
			return err
		}
	}
	if s.dir == "" {
		return nil
	}
	err = fetch(ctx, s.dir, chosen.models, stdout)
	if s.watch == 0 || ctx.Err() != nil {
		return err
	}
	if err != nil {
		fmt.Fprintln(stderr, "worker:", err) // what failed is tried again at the next change
	}
	return s.follow(ctx, client, stdout, stderr)
}
