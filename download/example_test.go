// Examples of the package.

package download_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// exampleServer serves one file. It returns a record with this file and a temporary weights root.
func exampleServer() (record *modelref.ImageGenerationRecord, dir string, closeAll func()) {
	c := newContent(1, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveContent(w, r, c) }))
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		log.Fatal(err)
	}
	file := fileOf("example.safetensors", server.URL+"/example", c)
	file.SizeBytes = modelref.Some(int64(len(c.data)))
	return model("Example", file), dir, func() {
		server.Close()
		_ = os.RemoveAll(dir)
	}
}

// A plan lists the files to download. Run downloads them.
func ExampleNewPlan() {
	record, dir, closeAll := exampleServer() // usually from a modelref.Client
	defer closeAll()
	records := []*modelref.ImageGenerationRecord{record}

	plan, err := download.NewPlan(context.Background(), records, download.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	summary := plan.Summary()
	fmt.Printf("%d of %d files are present, %d bytes to fetch\n", summary.Present, summary.Files, summary.BytesToFetch)

	report, err := plan.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range report.Files {
		fmt.Println(file.File.Path, file.Outcome, file.Verified)
	}
	// Output:
	// 0 of 1 files are present, 1000 bytes to fetch
	// compvis/example.safetensors downloaded true
}

// Events yields the progress of the plan.
func ExamplePlan_Events() {
	record, dir, closeAll := exampleServer()
	defer closeAll()
	plan, err := download.NewPlan(context.Background(), []*modelref.ImageGenerationRecord{record}, download.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range plan.Events(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Kind != download.EventProgress {
			fmt.Println(event.Kind, event.Path)
		}
	}
	// Output:
	// started compvis/example.safetensors
	// done compvis/example.safetensors
}

// A plan can have the records of several categories. The errors have the file and the cause.
func ExampleModelRecords() {
	image := &modelref.ImageGenerationRecord{ModelRecord: modelref.ModelRecord{RecordType: modelref.CategoryImageGeneration, Name: "A"}}
	clip := &modelref.CLIPRecord{ModelRecord: modelref.ModelRecord{RecordType: modelref.CategoryCLIP, Name: "B"}}
	clip.Config.Download = []modelref.DownloadRecord{{FileName: "../escape.pt", FileURL: "https://example.com/escape.pt"}}

	records := append(download.ModelRecords([]*modelref.ImageGenerationRecord{image}), download.ModelRecords([]*modelref.CLIPRecord{clip})...)
	plan, err := download.NewPlan(context.Background(), records, download.Options{Dir: "models"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = plan.Run(context.Background())
	fmt.Println(errors.Is(err, download.ErrUnsafeName))
	fmt.Println(err)
	// Output:
	// true
	// download: 1 of 1 files failed: ../escape.pt: unsafe file name: "../escape.pt" leads out of the weights folder
}

// Verify hashes the files again and ignores the checksum files.
func ExamplePlan_Verify() {
	record, dir, closeAll := exampleServer()
	defer closeAll()
	plan, err := download.NewPlan(context.Background(), []*modelref.ImageGenerationRecord{record}, download.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	if err := plan.Verify(context.Background()); err != nil {
		log.Fatal(err)
	}
	for _, file := range plan.Files() {
		fmt.Println(file.Path, file.State)
	}
	// Output:
	// compvis/example.safetensors missing
}

// Orphans lists the files that no record needs.
func ExampleOrphans() {
	record, dir, closeAll := exampleServer()
	defer closeAll()
	if err := os.MkdirAll(dir+"/compvis", 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(dir+"/compvis/old.ckpt", []byte("x"), 0o600); err != nil {
		log.Fatal(err)
	}
	orphans, err := download.Orphans(context.Background(), []modelref.Category{modelref.CategoryImageGeneration},
		[]*modelref.ImageGenerationRecord{record}, download.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	for i := range orphans {
		fmt.Println(orphans[i].Kind, orphans[i].Path, orphans[i].Size)
	}
	// Output:
	// file compvis/old.ckpt 1
}

func ExampleOptionsFromEnv() {
	_ = os.Setenv(download.EnvCacheHome, "/srv/weights")
	defer func() { _ = os.Unsetenv(download.EnvCacheHome) }()
	options, err := download.OptionsFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	options.RateLimit = 50_000_000 // bytes per second, for all files together
	fmt.Println(options.Dir)
	// Output: /srv/weights
}

func ExampleMirrorURL() {
	urls := download.MirrorURL("https://mirror.example.com/weights")(&download.File{Path: "compvis/example.safetensors"})
	fmt.Println(urls)
	// Output: [https://mirror.example.com/weights/compvis/example.safetensors]
}

func ExampleRedactURL() {
	fmt.Println(download.RedactURL("https://user:password@example.com/file?token=secret"))
	// Output: https://example.com/file
}

func ExampleFileLocation() {
	folder, name, err := download.FileLocation(modelref.CategoryImageGeneration,
		&modelref.DownloadRecord{FileName: "example.safetensors", FilePurpose: "vae"})
	fmt.Println(folder, name, err)
	// Output: vae example.safetensors <nil>
}

func ExampleWeightsRoot() {
	root, err := download.WeightsRoot("/does/not/exist")
	fmt.Println(root, err)
	// Output: /does/not/exist <nil>
}

// Inspect and Hash check one existing file in place.
func ExampleInspect() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "hello.bin"), []byte("hello\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	file := &download.File{
		Name: "hello.bin", SHA256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", Size: -1,
	}
	for range 2 {
		inspection, err := download.Inspect(dir, file)
		if err != nil {
			log.Fatal(err)
		}
		if inspection.NeedsHash() {
			if err := inspection.Hash(context.Background(), nil); err != nil {
				log.Fatal(err)
			}
		}
		fmt.Println(inspection.State, "read:", inspection.Hashed)
	}
	// Output:
	// verified read: true
	// verified read: false
}
