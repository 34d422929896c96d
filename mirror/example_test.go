package mirror_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

func ExampleHandler() {
	service, err := modelreftest.Start() // stands in for the real service
	if err != nil {
		fmt.Println(err)
		return
	}
	defer service.Close()
	client, err := modelref.New(service.Options()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	site := httptest.NewServer(mirror.Handler(client))
	defer site.Close()

	worker, err := modelref.New(modelref.WithPrimaryURL(site.URL + "/api"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer worker.Close()
	record, err := worker.CLIP.Get(context.Background(), "ViT-L/14")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record.Name)
	// Output: ViT-L/14
}

func ExampleServe() {
	client, err := modelref.New(modelref.WithOffline(), modelref.WithCacheDir("/var/cache/modelref"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:8765")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background()) // or signal.NotifyContext
	defer stop()
	mux := http.NewServeMux()
	mux.Handle("/", mirror.Handler(client, mirror.WithoutPage()))
	if err := mirror.Serve(ctx, listener, mux); err != nil {
		fmt.Println(err)
	}
}
