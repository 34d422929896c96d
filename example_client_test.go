// Examples of the life cycle of a Client: its start, its status, and how it follows changes.

package modelref_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/haidra-org/modelref"
)

func ExampleNew() {
	dir, err := os.MkdirTemp("", "modelref") // a program would use a directory below os.UserCacheDir
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	client, err := modelref.New(
		modelref.WithCacheDir(dir),
		modelref.WithTTL(5*time.Minute),
		modelref.WithUserAgent("my-worker/1.0"),
		modelref.WithOffline(), // only in this example, to avoid the network
	)
	if err != nil {
		log.Fatal(err) // the error lists all invalid options
	}
	defer client.Close()

	_, err = client.CLIP.Load(context.Background())
	fmt.Println(errors.Is(err, modelref.ErrUnavailable), errors.Is(err, modelref.ErrOffline))
	// Output: true true
}

func ExampleWithBootstrap() {
	// In a program:
	//
	//	//go:embed boot/*.json
	//	var embedded embed.FS
	embedded := fstest.MapFS{"boot/clip.json": {Data: []byte(`{"ViT-L/14": {"name": "ViT-L/14"}}`)}}

	boot, err := fs.Sub(embedded, "boot")
	if err != nil {
		log.Fatal(err)
	}
	client, err := modelref.New(modelref.WithBootstrap(boot), modelref.WithOffline())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ref, err := client.CLIP.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ref.Names(), ref.Source(), "stale:", ref.Stale(), "age known:", !ref.ConfirmedAt().IsZero())
	// Output: [ViT-L/14] bootstrap stale: true age known: false
}

func ExampleClient_Status() {
	client := exampleClient() // the client has two of the 15 categories
	defer client.Close()
	if err := client.Warm(context.Background(), modelref.CategoryCLIP); err != nil {
		log.Fatal(err)
	}
	status := client.Status()
	clip := status.Category(modelref.CategoryCLIP)
	fmt.Println(clip.Source, clip.Records, "stale:", clip.Stale)
	fmt.Println(status.Ready(modelref.CategoryCLIP), status.Ready(modelref.CategoryBLIP))
	// Output:
	// bootstrap 1 stale: true
	// true false
}

func ExampleService_Watch() {
	var document atomic.Value
	document.Store(`{"A": {"name": "A"}, "B": {"name": "B"}}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/model_references/v2/clip" {
			http.NotFound(w, r) // this server has no last-updated times
			return
		}
		_, _ = fmt.Fprint(w, document.Load())
	}))
	defer server.Close()
	client, err := modelref.New(modelref.WithPrimaryURL(server.URL), modelref.WithTTL(time.Second))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx := context.Background() // a program would use signal.NotifyContext to end on SIGINT
	for change, err := range client.CLIP.Watch(ctx, modelref.WatchOptions{Interval: time.Second}) {
		if err != nil {
			fmt.Println("cannot be confirmed now:", err) // the watch continues
			continue
		}
		if change.Initial {
			fmt.Println("now:", change.Reference.Names())
			document.Store(`{"A": {"name": "A", "description": "better"}, "C": {"name": "C"}}`)
			continue
		}
		fmt.Println("added:", change.Added, "removed:", change.Removed)
		for _, c := range change.Changed {
			fmt.Println("changed:", c.Name, c.Fields)
		}
		break
	}
	// Output:
	// now: [A B]
	// added: [C] removed: [B]
	// changed: A [description]
}
