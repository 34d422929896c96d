package bench

// This file measures reads: cold over loopback, warm, the poll of a watch, and the first record after a restart.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	gocache "github.com/patrickmn/go-cache"

	"github.com/haidra-org/modelref"
)

var errWrong = errors.New("wrong result")

// serve starts a server that responds like the service: it has the document and a last-updated time in the past. If
// polled is not nil, the server sends on polled after each request for the last-updated time.
func serve(d *document, polled chan<- struct{}) *httptest.Server {
	path := "/model_references/v2/" + string(d.category)
	updatedPath := "/model_references/v2/metadata/" + string(d.category) + "/last_updated"
	whole := []byte(d.body)
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := whole
		switch r.URL.Path {
		case path:
		case updatedPath:
			body = []byte(`{"last_updated":1700000000}`)
			if polled != nil {
				select {
				case polled <- struct{}{}:
				case <-r.Context().Done():
				}
			}
		default:
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // ignores a client that closes the connection
	}))
}

// networkClient returns a client whose only source is the server.
func networkClient(server *httptest.Server, options ...modelref.Option) (*modelref.Client, error) {
	return modelref.New(append([]modelref.Option{
		modelref.WithPrimaryURL(server.URL), modelref.WithoutGitHub(), modelref.WithTTL(time.Hour),
		modelref.WithMaxBodyBytes(roomy),
	}, options...)...)
}

// coldReadGroup downloads and decodes a document over loopback, on an open connection.
func coldReadGroup[P any](d *document) Group {
	g := Group{Name: "ColdRead/" + d.label, Bytes: len(d.body)}
	g.Cases = append(g.Cases, Case{By: ours, Inexact: true, Open: func() (func() error, func(), error) {
		server := serve(d, nil)
		client, err := networkClient(server)
		run := func() error {
			ref, err := client.TextGeneration.Load(context.Background(), modelref.WithRefresh())
			return errors.Join(err, wantRecords(ref.Len(), d.records))
		}
		return run, func() { _ = client.Close(); server.Close() }, err
	}})
	for _, by := range decoders {
		g.Cases = append(g.Cases, Case{By: "http.Get+" + by.name, Inexact: true, Open: func() (func() error, func(), error) {
			server := serve(d, nil)
			run := func() error {
				body, err := get(server.URL + "/model_references/v2/" + string(d.category))
				if err != nil {
					return err
				}
				var records map[string]P
				err = by.unmarshal(body, &records)
				return errors.Join(err, wantRecords(len(records), d.records))
			}
			return run, func() { http.DefaultClient.CloseIdleConnections(); server.Close() }, nil
		}})
	}
	return g
}

// get is an HTTP request without modelref.
func get(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	return body, errors.Join(err, resp.Body.Close())
}

// batch is the number of warm reads in one operation. A smaller number would take no longer than the start of a
// goroutine.
const batch = 50_000

// warmWay is a way to read a category in memory.
type warmWay struct {
	by   string
	read func(*modelref.Client, *gocache.Cache) error
}

// warmGroup reads a category in memory. One operation is a batch of reads. In the cases whose names end in "x2", each
// of two goroutines does half of the reads. The cases "spin" only calculate and share no memory. They show the best
// possible speedup of two goroutines on the machine.
func warmGroup(d *document) Group {
	g := Group{Name: "Warm/" + d.label}
	ctx := context.Background()
	for _, way := range []warmWay{
		{ours + ".Load", func(client *modelref.Client, _ *gocache.Cache) error {
			_, err := client.TextGeneration.Load(ctx)
			return err
		}},
		{ours + ".Get", func(client *modelref.Client, _ *gocache.Cache) error {
			_, err := client.TextGeneration.Get(ctx, d.last)
			return err
		}},
		{"go-cache.Get", func(_ *modelref.Client, cache *gocache.Cache) error {
			if _, ok := cache.Get(string(modelref.CategoryTextGeneration)); !ok {
				return errWrong
			}
			return nil
		}},
		{"spin", func(*modelref.Client, *gocache.Cache) error { return spin() }},
	} {
		g.Cases = append(g.Cases, warmCase(d, way, 1), warmCase(d, way, 2))
	}
	return g
}

func warmCase(d *document, way warmWay, workers int) Case {
	c := Case{By: way.by, Inexact: workers > 1, Open: func() (func() error, func(), error) {
		client, err := fileClient(oneFile{name: string(d.category) + ".json", body: d.body})
		if err != nil {
			return nil, nil, err
		}
		ref, err := client.TextGeneration.Load(context.Background())
		cache := gocache.New(time.Hour, 0)
		cache.SetDefault(string(d.category), ref)
		return inParallel(workers, func() error { return way.read(client, cache) }), func() { _ = client.Close() }, err
	}}
	if workers > 1 {
		c.By += fmt.Sprintf("-x%d", workers)
	}
	return c
}

// spin takes about the same time as a read.
func spin() error {
	x := uint64(1)
	for range 20 {
		x = scatter(x)
	}
	if x == 0 {
		return errWrong
	}
	return nil
}

// inParallel returns an operation that performs a batch of reads, divided between the workers.
func inParallel(workers int, read func() error) func() error {
	work := func() error {
		for range batch / workers {
			if err := read(); err != nil {
				return err
			}
		}
		return nil
	}
	if workers == 1 {
		return work
	}
	return func() error {
		errs := make([]error, workers)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = work() })
		}
		group.Wait()
		return errors.Join(errs...)
	}
}

// restartGroup measures the time from the start of a program with a fresh copy on disk to the first record.
func restartGroup[P any](d *document) Group {
	g := Group{Name: "Restart/" + d.label, Bytes: len(d.body)}
	g.Cases = append(g.Cases, restartByModelref(d))
	readFile := func(by string, decode func(data []byte) (int, error)) {
		g.Cases = append(g.Cases, Case{By: by, Inexact: true, Open: func() (func() error, func(), error) {
			dir, path, err := onDisk(d)
			run := func() error {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				n, err := decode(data)
				return errors.Join(err, wantRecords(n, d.records))
			}
			return run, func() { _ = os.RemoveAll(dir) }, err
		}})
	}
	for _, by := range decoders {
		readFile("os.ReadFile+"+by.name, func(data []byte) (int, error) {
			var records map[string]P
			err := by.unmarshal(data, &records)
			return len(records), err
		})
	}
	// The cost of the cache directory: the same decoder without the validation of the file.
	readFile("os.ReadFile+"+ours, func(data []byte) (int, error) {
		ref, err := modelref.DecodeDocument[modelref.TextGenerationRecord](d.category, string(data))
		return ref.Len(), err
	})
	return g
}

// restartByModelref writes the cache directory with a first client and measures the following clients.
func restartByModelref(d *document) Case {
	return Case{By: ours, Inexact: true, Open: func() (func() error, func(), error) {
		dir, err := os.MkdirTemp("", "modelref-bench-")
		if err != nil {
			return nil, nil, err
		}
		server := serve(d, nil)
		run := func() error {
			client, err := networkClient(server, modelref.WithCacheDir(dir))
			if err != nil {
				return err
			}
			_, err = client.TextGeneration.Get(context.Background(), d.last)
			return errors.Join(err, client.Close())
		}
		err = run()
		server.Close() // only the disk is left
		return run, func() { _ = os.RemoveAll(dir) }, err
	}}
}

// onDisk writes the document to a temporary file.
func onDisk(d *document) (dir, path string, err error) {
	dir, err = os.MkdirTemp("", "modelref-bench-")
	if err != nil {
		return "", "", err
	}
	path = filepath.Join(dir, string(d.category)+".json")
	return dir, path, os.WriteFile(path, []byte(strings.Clone(d.body)), 0o600)
}
