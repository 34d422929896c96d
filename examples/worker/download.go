// Downloading: the files of the chosen models, and what changes later.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// fetch downloads the files of models that are not in the weights root yet, and verifies them. Files that are there and
// verified are kept. If it is interrupted, the next call resumes.
func fetch(ctx context.Context, dir string, models []*modelref.ImageGenerationRecord, stdout io.Writer) error {
	plan, err := download.NewPlan(ctx, models, download.Options{Dir: dir})
	if err != nil {
		return err
	}
	report, err := plan.Run(ctx)
	for _, file := range report.Files {
		switch {
		case file.Err != nil:
			fmt.Fprintf(stdout, "%s: %s\n", printable(file.File.Name), printable(file.Err.Error()))
		case file.Fetched > 0:
			fmt.Fprintf(stdout, "%s: downloaded, %s\n", printable(file.File.Name), modelref.FormatSize(file.Fetched))
		}
	}
	for _, problem := range plan.Problems() {
		fmt.Fprintf(stdout, "%s: %s\n", printable(problem.FileName), printable(problem.Err.Error()))
	}
	fmt.Fprintf(stdout, "%d files of %d models are wanted, %s downloaded\n", plan.Summary().Files, len(models),
		modelref.FormatSize(report.Fetched()))
	return err
}

// follow downloads what changes in the model reference, until ctx is done. A change may bring a model, another file of a
// model, or take a model away: its files are kept, because another program may use them.
func (s *settings) follow(ctx context.Context, client *modelref.Client, stdout, stderr io.Writer) error {
	for change, err := range client.ImageGeneration.Watch(ctx, modelref.WatchOptions{Interval: s.watch}) {
		switch {
		case errors.Is(err, modelref.ErrClosed):
			return err
		case err != nil:
			fmt.Fprintln(stderr, "worker:", err) // the watch goes on
			continue
		case change.Initial:
			continue // its files were downloaded before the watch began
		}
		fmt.Fprintf(stdout, "%s: %d models added, %d removed, %d changed\n", time.Now().Format(time.TimeOnly),
			len(change.Added), len(change.Removed), len(change.Changed))
		chosen, err := s.machine.choose(ctx, change.Reference)
		if err == nil {
			err = fetch(ctx, s.dir, chosen.models, stdout)
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(stderr, "worker:", err) // a file that failed is tried again at the next change
		}
	}
	return nil
}
