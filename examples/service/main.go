// Command service is an HTTP service of your own that uses the model reference: it serves the read API and the page of
// package mirror, and one endpoint beside them.
//
//	go run ./examples/service -demo
//	curl 'http://127.0.0.1:8080/choose?baseline=stable_diffusion_xl&bytes=8000000000'
//
// The environment variables of the Python library are used; see modelref.FromEnv.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments. It returns after ctx is done and the responses under way are written.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	cacheDir := flags.String("cache-dir", "", "keep copies in this `directory`, and read them if the PRIMARY is down")
	demo := flags.Bool("demo", false, "read a built-in server with made-up models; no network")
	if err := flags.Parse(args); err != nil {
		return err
	}
	options := []modelref.Option{
		modelref.FromEnv(), modelref.WithLogger(slog.Default()),
		modelref.WithRefreshWait(0), // no request waits for the PRIMARY while there is a copy to serve
	}
	if *cacheDir != "" {
		options = append(options, modelref.WithCacheDir(*cacheDir))
	}
	if *demo {
		server, err := modelreftest.Start()
		if err != nil {
			return err
		}
		defer server.Close()
		options = append(options, server.Options()...)
	}
	client, err := modelref.New(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr())
	return mirror.Serve(ctx, listener, handler(client))
}

// handler returns the service's own endpoint, and the mirror for all other paths.
func handler(client *modelref.Client) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /choose", func(w http.ResponseWriter, r *http.Request) { choose(w, r, client) })
	mux.Handle("/", mirror.Handler(client))
	return mux
}

// choose responds with the names of the largest models of a baseline that fit into a number of bytes.
func choose(w http.ResponseWriter, r *http.Request, client *modelref.Client) {
	baseline, known := modelref.ParseBaseline(r.FormValue("baseline"))
	room, err := strconv.ParseInt(r.FormValue("bytes"), 10, 64)
	if !known || err != nil {
		http.Error(w, "the parameters baseline and bytes must be set", http.StatusBadRequest)
		return
	}
	size := modelref.ImageFields.SizeOnDiskBytes
	models, err := client.ImageGeneration.Query().ForBaseline(baseline).ExcludeNSFW().
		Where(size.Le(room)).OrderBy(size.Desc()).Limit(5).All(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	names := make([]string, len(models))
	for i, model := range models {
		names[i] = model.Name
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(names) // a client that has gone away is no concern of the service
}
