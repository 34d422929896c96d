// Command quickstart prints the ten smallest SDXL models that are safe for work: their size and where to download them,
// where the list came from, and how old it is.
//
//	go run ./examples/quickstart                 reads the public PRIMARY
//	go run ./examples/quickstart -demo           needs no network
//	go run ./examples/quickstart -data DIR       serves the documents CATEGORY.json in DIR
//
// The environment variables of the Python library are heeded; see modelref.FromEnv.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"text/tabwriter"
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

// run is main with its surroundings as arguments; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "quickstart prints the ten smallest SDXL models that are safe for work.\n\nFlags:")
		flags.PrintDefaults()
	}
	demo := flags.Bool("demo", false, "read a built-in server with made-up models; no network")
	data := flags.String("data", "", "read a built-in server with the documents CATEGORY.json in this `directory`; no network")
	primary := flags.String("primary", "", "base `URL` of the PRIMARY (default "+modelref.DefaultPrimaryURL+")")
	cacheDir := flags.String("cache-dir", "", "keep copies in this `directory`, and read them when nothing else answers")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() > 0 || (*demo && *data != "") {
		fmt.Fprintln(stderr, "quickstart takes flags alone, and one of -demo and -data at most; see -h")
		return 2
	}

	options := []modelref.Option{modelref.FromEnv()}
	if *primary != "" {
		options = append(options, modelref.WithPrimaryURL(*primary))
	}
	if *cacheDir != "" {
		options = append(options, modelref.WithCacheDir(*cacheDir))
	}
	if *demo || *data != "" {
		server, err := startServer(*data)
		if err != nil {
			fmt.Fprintln(stderr, "quickstart:", err)
			return 1
		}
		defer server.Close()
		options = append(options, server.Options()...)
	}
	if err := printSmallest(ctx, stdout, options); err != nil {
		printError(stderr, err)
		return 1
	}
	return 0
}

// startServer starts the server of made-up models, or one with the documents in a directory.
func startServer(dir string) (*modelreftest.Server, error) {
	if dir == "" {
		return modelreftest.Start()
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	return modelreftest.Start(modelreftest.WithDocuments(os.DirFS(dir)))
}

// printSmallest is what the example is about: make a client, load a category, ask it.
func printSmallest(ctx context.Context, stdout io.Writer, options []modelref.Option) error {
	client, err := modelref.New(options...)
	if err != nil {
		return err
	}
	defer client.Close()

	models, err := client.ImageGeneration.Query().
		ForBaseline(modelref.BaselineStableDiffusionXL).
		ExcludeNSFW().
		Where(modelref.ImageFields.SizeOnDiskBytes.IsSet()).
		OrderBy(modelref.ImageFields.SizeOnDiskBytes.Asc(), modelref.ImageFields.Name.Asc()).
		Limit(10).
		All(ctx)
	if err != nil {
		return err
	}
	ref, err := client.ImageGeneration.Load(ctx) // from memory: the query has loaded it
	if err != nil {
		return err
	}

	table := tabwriter.NewWriter(stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL\tSIZE\tFIRST DOWNLOAD")
	for _, m := range models {
		fmt.Fprintf(table, "%s\t%.2f GB\t%s\n", m.Name, float64(m.SizeOnDiskBytes.Or(0))/1e9, m.PrimaryDownloadURL())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "\n%d of %d image models, from %s, %s\n", len(models), ref.Len(), ref.Source(), age(ref))
	return err
}

// age says how old a reference is, and whether it may be behind.
func age(ref *modelref.Reference[modelref.ImageGenerationRecord]) string {
	if ref.ConfirmedAt().IsZero() {
		return "of unknown age"
	}
	text := time.Since(ref.ConfirmedAt()).Round(time.Second).String() + " old"
	if ref.Stale() {
		text += " and perhaps behind"
	}
	return text
}

// printError prints a line for every source that was tried.
func printError(stderr io.Writer, err error) {
	var fetch *modelref.FetchError
	if !errors.As(err, &fetch) {
		fmt.Fprintln(stderr, "quickstart:", err)
		return
	}
	fmt.Fprintf(stderr, "quickstart: no source could give %s:\n", fetch.Category)
	for _, attempt := range fetch.Sources {
		fmt.Fprintln(stderr, "  "+attempt.String())
	}
}
