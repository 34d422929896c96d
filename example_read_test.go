// Examples of reading: a whole category, one record, and what a program can learn about them. The records are invented.

package modelref_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing/fstest"

	"github.com/haidra-org/modelref"
)

// exampleReader returns a Client with four invented image models. A program passes its own options to New.
func exampleReader(options ...modelref.Option) *modelref.Client {
	documents := fstest.MapFS{"image_generation.json": {Data: []byte(`{
		"Meadow XL": {"name": "Meadow XL", "baseline": "stable_diffusion_xl", "nsfw": false, "size_on_disk_bytes": 6900000000},
		"Ink": {"name": "Ink", "baseline": "stable_diffusion_1", "nsfw": false, "size_on_disk_bytes": 2100000000},
		"Ink Inpainting": {"name": "Ink Inpainting", "baseline": "stable_diffusion_1", "nsfw": false, "inpainting": true},
		"Nocturne": {"name": "Nocturne", "baseline": "flux_1", "nsfw": true}
	}`)}}
	client, err := modelref.New(append(options, modelref.WithBootstrap(documents), modelref.WithOffline())...)
	if err != nil {
		log.Fatal(err)
	}
	return client
}

func ExampleService_Load() {
	client := exampleReader()
	defer client.Close()

	ref, err := client.ImageGeneration.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for name, record := range ref.All() {
		fmt.Println(name, record.Baseline)
	}
	fmt.Println(ref.Len(), "records from", ref.Source())
	// Output:
	// Meadow XL stable_diffusion_xl
	// Ink stable_diffusion_1
	// Ink Inpainting stable_diffusion_1
	// Nocturne flux_1
	// 4 records from bootstrap
}

func ExampleService_Get() {
	client := exampleReader()
	defer client.Close()

	record, err := client.ImageGeneration.Get(context.Background(), "Meadow XL")
	if err != nil {
		log.Fatal(err)
	}
	size, known := record.SizeOnDiskBytes.Get()
	fmt.Println(record.Name, modelref.FormatSize(size), known)
	// Output: Meadow XL 6.90 GB true
}

// The error suggests the nearest names.
func ExampleNotFoundError() {
	client := exampleReader()
	defer client.Close()

	_, err := client.ImageGeneration.Get(context.Background(), "meadow")
	var missing *modelref.NotFoundError
	if errors.As(err, &missing) {
		fmt.Println(missing.Name, missing.Suggestions)
	}
	fmt.Println(errors.Is(err, modelref.ErrNotFound))
	// Output:
	// meadow [Meadow XL]
	// true
}

// Find accepts a name as a person types it. The best match is first.
func ExampleService_Find() {
	client := exampleReader()
	defer client.Close()

	matches, err := client.ImageGeneration.Find(context.Background(), "nocturn")
	if err != nil {
		log.Fatal(err)
	}
	for _, match := range matches {
		fmt.Println(match.Name)
	}
	// Output: Nocturne
}

// Values shows which values exist, for example if a condition matches nothing.
func ExampleValues() {
	client := exampleReader()
	defer client.Close()

	values, err := modelref.Values(context.Background(), client.ImageGeneration.Query(), modelref.ImageFields.Baseline)
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range values {
		fmt.Println(v.Value, v.Count)
	}
	// Output:
	// stable_diffusion_1 2
	// stable_diffusion_xl 1
	// flux_1 1
}

// Warm loads categories concurrently, for example before a service starts to listen.
func ExampleClient_Warm() {
	client := exampleReader()
	defer client.Close()

	err := client.Warm(context.Background(), modelref.CategoryImageGeneration)
	fmt.Println(err, client.Status().Ready(modelref.CategoryImageGeneration))
	// Output: <nil> true
}

// Compare lists the differences between two states of a category.
func ExampleCompare() {
	decode := func(document string) *modelref.Reference[modelref.CLIPRecord] {
		ref, err := modelref.DecodeDocument[modelref.CLIPRecord](modelref.CategoryCLIP, document)
		if err != nil {
			log.Fatal(err)
		}
		return ref
	}
	earlier := decode(`{"A": {"name": "A"}, "B": {"name": "B"}}`)
	later := decode(`{"A": {"name": "A", "description": "better"}, "C": {"name": "C"}}`)

	change := modelref.Compare(earlier, later)
	fmt.Println(change.Added, change.Removed, change.Changed[0].Name, change.Changed[0].Fields)
	// Output: [C] [B] A [description]
}

// An observer receives the events of a Client, for example to count them. It must not block.
func ExampleWithObserver() {
	client := exampleReader(modelref.WithObserver(func(e modelref.Event) {
		if e.Kind == modelref.EventFallback {
			fmt.Println(e.Category, "comes from", e.Source, "stale:", e.Stale)
		}
	}))
	defer client.Close()
	if _, err := client.ImageGeneration.Load(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: image_generation comes from bootstrap stale: true
}

// FromEnv reads the variables that the Python library reads. Options after it override it.
func ExampleFromEnv() {
	os.Setenv("HORDE_MODEL_REFERENCE_PRIMARY_API_URL", "http://10.0.0.5:8765/api")
	defer os.Unsetenv("HORDE_MODEL_REFERENCE_PRIMARY_API_URL")

	client, err := modelref.New(modelref.FromEnv(), modelref.WithUserAgent("my-worker/1.0"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(client.Status().Primary.LastError)
	// Output: <nil>
}

func ExampleDownloadRecord_Verify() {
	file := modelref.DownloadRecord{
		FileName:  "hello.txt",
		SHA256Sum: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
	}
	fmt.Println(file.Verify(strings.NewReader("hello")))
	fmt.Println(file.Verify(strings.NewReader("hallo")) != nil)
	// Output:
	// <nil>
	// true
}

// Baselines have the names that people use.
func ExampleParseBaseline() {
	for _, name := range []string{"SDXL", "stable diffusion 1", "nova"} {
		baseline, known := modelref.ParseBaseline(name)
		fmt.Println(baseline, known)
	}
	// Output:
	// stable_diffusion_xl true
	// stable_diffusion_1 true
	//  false
}
