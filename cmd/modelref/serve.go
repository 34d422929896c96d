// serve: a mirror of the read API for many workers, with a page for people.

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelrefprom"
)

const (
	defaultAddress = "127.0.0.1:8765"
	healthTimeout  = 5 * time.Second
)

func newServe(a *app) *cobra.Command {
	var address string
	var check bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the read API to many workers, and a page for people",
		Long: `Serve the read API of the model reference from memory, below /api, until interrupted. Workers use
the address of the mirror in place of that of the PRIMARY: fifty workers then need one download, and
none of them notices when the PRIMARY is down. Give --cache-dir, so that the mirror has data after a
restart during an outage.

The page at / shows the models. /healthz is the health check, /status.json the state of each
category, and /metrics has metrics for Prometheus. The log goes to standard error.`,
		Example: `  modelref serve --cache-dir /var/cache/modelref
  modelref serve --addr 0.0.0.0:8765
  modelref serve --check                 # exit with 0 if the mirror at --addr is healthy`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&address, "addr", defaultAddress, "listen on this host and port")
	cmd.Flags().BoolVar(&check, "check", false, "check the health of the mirror at --addr, and exit")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return usagef("--addr %q must have a host and a port, such as %s", address, defaultAddress)
		}
		if check {
			return checkHealth(cmd.Context(), address)
		}
		return a.serve(cmd.Context(), address)
	}
	return cmd
}

// serve serves a mirror until ctx is done.
func (a *app) serve(ctx context.Context, address string) error {
	logger := slog.New(slog.NewTextHandler(a.stderr, nil))
	// No reader waits for a load while there is a copy to serve.
	client, err := a.client(modelref.WithLogger(logger), modelref.WithRefreshWait(0))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	var warm sync.WaitGroup
	defer warm.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	warm.Go(func() {
		if err := client.Warm(ctx); err != nil && ctx.Err() == nil {
			logger.Warn("not every category could be loaded", "err", err)
		}
	})
	logger.Info("serving", "page", "http://"+listener.Addr().String()+"/", "api", "http://"+listener.Addr().String()+"/api")
	return mirror.Serve(ctx, listener, serveHandler(client, logger))
}

// serveHandler returns the handler of the mirror with its metrics.
func serveHandler(client *modelref.Client, logger *slog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "modelref_mirror_requests_total", Help: "Requests that the mirror has answered, by status and method.",
	}, []string{"code", "method"})
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "modelref_mirror_request_duration_seconds", Help: "How long the mirror took to answer a request.",
		Buckets: []float64{.0001, .001, .01, .1, 1, 10},
	}, nil)
	registry.MustRegister(requests, durations, modelrefprom.NewCollector(client), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	site := promhttp.InstrumentHandlerCounter(requests,
		promhttp.InstrumentHandlerDuration(durations, mirror.Handler(client, mirror.WithLogger(logger))))
	// Not a ServeMux: it redirects paths with dots or two slashes, which the service answers with 404.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			metrics.ServeHTTP(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
}

// checkHealth returns an error if the mirror at the address is not healthy.
func checkHealth(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the mirror at %s does not respond: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the mirror at %s is not healthy: %s", address, response.Status)
	}
	return nil
}
