// Command service serves the model reference over HTTP from memory: it loads every category when it starts, watches them
// all, and answers while the PRIMARY is down.
//
//	go run ./examples/service -demo
//	curl 'http://127.0.0.1:8080/models?category=image_generation&baseline=stable_diffusion_xl&nsfw=false&limit=3'
//	curl http://127.0.0.1:8080/healthz
//	curl http://127.0.0.1:8080/metrics
//
// The environment variables of the Python library are heeded; see modelref.FromEnv.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const usage = `service serves the model reference over HTTP from memory.

  GET /models?category=image_generation&baseline=flux_1&nsfw=false&limit=10
               the records of one category; all but category may be left out
  GET /healthz 200 while every category has an answer, 503 while one has none
  GET /metrics what the client did and holds, for Prometheus

It ends on SIGINT and SIGTERM, after the requests that are under way. Where it listens
goes to standard output, its log to standard error.

Flags:
`

// settings are what the flags say.
type settings struct {
	addr, primary, cacheDir string
	interval                time.Duration
	demo                    bool
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	flags.DurationVar(&s.interval, "interval", time.Minute, "how often the PRIMARY is asked whether something changed")
	flags.BoolVar(&s.demo, "demo", false, "read a built-in server with made-up models; no network")
	flags.StringVar(&s.primary, "primary", "", "base `URL` of the PRIMARY (default "+modelref.DefaultPrimaryURL+")")
	flags.StringVar(&s.cacheDir, "cache-dir", "", "keep copies in this `directory`, and read them when nothing else answers")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() > 0 || s.interval <= 0 {
		fmt.Fprintln(stderr, "service takes flags alone, and an -interval above 0; see -h")
		return 2
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	options, done, err := s.options(logger)
	if err == nil {
		err = serve(ctx, &s, options, stdout, logger)
		done()
	}
	if err != nil {
		fmt.Fprintln(stderr, "service:", err)
		return 1
	}
	return 0
}

// options returns the options of the client, and what to call when it is closed.
func (s *settings) options(logger *slog.Logger) ([]modelref.Option, func(), error) {
	options := []modelref.Option{
		modelref.FromEnv(),
		modelref.WithTTL(2 * s.interval), // the watches confirm every category before its time is over
		modelref.RefreshInBackground(),   // and where they cannot, no request to /models waits for the PRIMARY
		modelref.WithLogger(logger),
	}
	if s.primary != "" {
		options = append(options, modelref.WithPrimaryURL(s.primary))
	}
	if s.cacheDir != "" {
		options = append(options, modelref.WithCacheDir(s.cacheDir))
	}
	if !s.demo {
		return options, func() {}, nil
	}
	server, err := modelreftest.Start()
	if err != nil {
		return nil, nil, err
	}
	return append(options, server.Options()...), server.Close, nil
}

// serve runs the service until ctx ends. It listens before anything is loaded, so that /healthz can say so.
func serve(ctx context.Context, s *settings, options []modelref.Option, stdout io.Writer, logger *slog.Logger) error {
	client, err := modelref.New(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	api := newAPI(client, s.interval, logger)
	server := &http.Server{Handler: api.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr())

	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { api.keepWarm(ctx) })
	background.Go(func() {
		<-ctx.Done()
		limit, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer stop()
		if err := server.Shutdown(limit); err != nil {
			logger.Error("requests were cut off", "err", errors.Join(err, server.Close()))
		}
	})
	err = server.Serve(listener)
	cancel()
	background.Wait() // Serve returns when Shutdown starts; the requests end before it does
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
