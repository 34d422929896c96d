package modelreftest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// The Server and the Client are closed at the end of the test.
func ExampleNewServer() {
	_ = func(t *testing.T) {
		server := modelreftest.NewServer(t)
		client := server.Client(t)

		// The PRIMARY is restarting when the document is first requested. The retry succeeds.
		server.Script(modelreftest.Documents, modelreftest.Status(503), modelreftest.OK())
		record, err := client.ImageGeneration.Get(t.Context(), "Lantern XL")
		if err != nil || record.Baseline != modelref.BaselineStableDiffusionXL {
			t.Error(record, err)
		}
		if n := len(server.Requests()); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	}
}

// ExampleStart shows a Server outside of a test, for example for the demonstration of a program without the network.
func ExampleStart() {
	server, err := modelreftest.Start(modelreftest.WithRecords(modelref.CategoryImageGeneration,
		&modelref.ImageGenerationRecord{
			ModelRecord: modelref.ModelRecord{Name: "Lantern XL"}, Baseline: modelref.BaselineStableDiffusionXL,
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client, err := modelref.New(server.Options()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	server.Break(modelreftest.Primary, modelreftest.Refused())
	ref, err := client.ImageGeneration.Load(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ref.Names(), "from", ref.Source())
	// Output: [Lantern XL] from github
}
