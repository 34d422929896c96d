// download: the files of models, verified and resumable.

package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// downloadFlags are the flags of download.
type downloadFlags struct {
	modelFlags
	dryRun bool
	jobs   int
	rate   string
	mirror string
}

func newDownload(a *app) *cobra.Command {
	var f downloadFlags
	cmd := &cobra.Command{
		Use:   "download CATEGORY [NAME...]",
		Short: "Download the files of models, verify and resume them",
		Long: `Download the files of the models that are named or that the filters select. A file appears under its name only if it
is complete and its checksum is the one of the record. Files that exist and are verified are kept. An interrupted
download continues if the same command is run again.

Files are placed where workers and the Python library expect them, below --dir: models/compvis/name.safetensors.
Tokens for civitai and Hugging Face are read from CIVIT_API_TOKEN and HF_TOKEN.`,
		Example: `  modelref --demo download image --baseline sdxl --max-size 8GB --dry-run
  modelref download image 'AlbedoBase XL (SDXL)' --dir /srv/models
  modelref download image --sfw --commercial --sort size_on_disk_bytes --limit 5 --limit-rate 20MB`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeCategoryAndNames,
	}
	a.addModelFlags(cmd, &f.modelFlags)
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", `weights root (default $AIWORKER_CACHE_HOME, or "models")`)
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be downloaded, and change nothing")
	flags.IntVarP(&f.jobs, "jobs", "j", download.DefaultJobs, "download this many files concurrently")
	flags.StringVar(&f.rate, "limit-rate", "", "receive at most this much a second for all files together, such as 20MB")
	flags.StringVar(&f.mirror, "mirror", "", "try the files below this URL after those of the record")
	_ = cmd.MarkFlagDirname("dir") // the flag exists
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.download(cmd.Context(), args, f)
	}
	return cmd
}

func (a *app) download(ctx context.Context, args []string, f downloadFlags) error {
	options, err := f.options()
	if err != nil {
		return err
	}
	switch {
	case a.flags.demo && !f.dryRun:
		return usagef("the files of --demo do not exist: add --dry-run")
	case a.flags.offline && !f.dryRun:
		return usagef("download needs the network: remove --offline, or add --dry-run")
	}
	category, names, err := a.modelArgs(ctx, args)
	if err != nil {
		return err
	}
	records, err := a.models(ctx, category, names, f.modelFlags)
	if err != nil {
		return err
	}
	bars := a.newProgress()
	options.OnEvent = bars.event
	plan, err := download.NewPlan(ctx, records, options)
	if err != nil {
		bars.close()
		return within(ctx, asUsage(err))
	}
	if f.dryRun {
		bars.close()
		if !a.flags.demo && !a.flags.offline {
			if err := plan.FetchSizes(ctx); err != nil {
				a.notef("some sizes are unknown: %v", err)
			}
		}
		return a.printPlan(plan, records)
	}
	bars.start(plan)
	report, err := plan.Run(ctx)
	bars.close()
	return a.printReport(ctx, plan, report, err)
}

// options returns the options of the plan, from the environment and the flags.
func (f downloadFlags) options() (download.Options, error) {
	options, err := download.OptionsFromEnv()
	if err != nil {
		return options, asUsage(err)
	}
	if f.dir != "" {
		options.Dir = f.dir
	}
	if f.jobs < 1 {
		return options, usagef("--jobs %d: must be 1 or more", f.jobs)
	}
	options.Jobs = f.jobs
	options.UserAgent = "modelref-cli/" + modelref.Version
	options.License = licenseText
	if f.rate != "" {
		if options.RateLimit, err = modelref.ParseSize(strings.TrimSuffix(f.rate, "/s")); err != nil || options.RateLimit <= 0 {
			return options, usagef("--limit-rate %q: must be a size a second above 0, such as 20MB", f.rate)
		}
	}
	if f.mirror != "" {
		options.Mirror = download.MirrorURL(f.mirror)
	}
	return options, nil
}

// plannedFile is a file of a plan as JSON.
type plannedFile struct {
	Path    string         `json:"path"`
	State   download.State `json:"state"`
	Size    int64          `json:"size_bytes,omitempty"` // 0 if it is not known
	SHA256  string         `json:"sha256,omitempty"`
	Models  []string       `json:"models"`
	License string         `json:"license"`
}

func planned(file *download.File) plannedFile {
	out := plannedFile{Path: file.Path, State: file.State, Size: max(file.Size, 0), SHA256: file.SHA256}
	for _, model := range file.Models {
		out.Models = append(out.Models, model.Name)
		out.License = model.License
	}
	return out
}

// printPlan prints the files of a plan, and what is missing for the whole.
// Records seldom have the size of a file: if a model has one file, its size is that of the model.
func (a *app) printPlan(plan *download.Plan, records []*modelref.ModelRecord) error {
	sizes := map[string]int64{}
	for _, record := range records {
		sizes[record.Name] = sizeOfOnlyFile(record)
	}
	var about int64
	unknown := 0
	files := make([]plannedFile, len(plan.Files()))
	t := newTable("STATE", "SIZE", "FILE", "MODELS", "LICENSE").right(1)
	for i, file := range plan.Files() {
		files[i] = planned(file)
		size := sizeText(file.Size)
		if likely := sizes[file.Models[0].Name]; file.Size < 0 && likely > 0 {
			size = "~" + modelref.FormatSize(likely)
			if file.State == download.StateMissing {
				about += likely
			}
		} else if file.Size < 0 {
			unknown++
		}
		t.add(file.State.String(), size, file.Path, strings.Join(files[i].Models, ", "), files[i].License)
	}
	if err := a.printFiled(files, func(f plannedFile) string { return f.Path }, t); err != nil {
		return err
	}
	a.printProblems(plan)
	s := plan.Summary()
	fetch := modelref.FormatSize(s.BytesToFetch + about)
	if about > 0 {
		fetch = "about " + fetch
	}
	switch {
	case unknown > 0 && s.BytesToFetch+about == 0:
		fetch = fileCount(unknown) + " of unknown size"
	case unknown > 0:
		fetch += " and " + fileCount(unknown) + " of unknown size"
	}
	a.notef("%s, %d present; %s to download, %s free in %s; %d without a checksum",
		fileCount(s.Files), s.Present, fetch, sizeText(s.FreeBytes), plan.Dir(), s.Unverifiable)
	return nil
}

// printFiled prints planned files in the format that the flags select.
func (a *app) printFiled(values []plannedFile, path func(plannedFile) string, t *table) error {
	switch {
	case a.flags.json || a.flags.jsonl:
		return printEach(a, values)
	case a.flags.quiet:
		var errs []error
		for _, value := range values {
			errs = append(errs, a.printLine(path(value)))
		}
		return errors.Join(errs...)
	default:
		return t.print(a.stdout, a.screen)
	}
}

// printProblems prints the files that cannot be downloaded.
func (a *app) printProblems(plan *download.Plan) {
	for _, problem := range plan.Problems() {
		var models []string
		for _, model := range problem.Models {
			models = append(models, model.Name)
		}
		a.errorf("%s of %s cannot be downloaded: %v", problem.FileName, strings.Join(models, ", "), problem.Err)
	}
}

// downloadedFile is the result of one file as JSON.
type downloadedFile struct {
	Path     string           `json:"path"`
	Outcome  download.Outcome `json:"outcome"`
	Verified bool             `json:"verified"`
	Size     int64            `json:"size_bytes"`
	Fetched  int64            `json:"fetched_bytes"`
	Source   string           `json:"source,omitempty"`
	Error    string           `json:"error,omitempty"`
}

// printReport prints the result of each file, and returns the error for the exit code.
func (a *app) printReport(ctx context.Context, plan *download.Plan, report *download.Report, err error) error {
	a.printProblems(plan)
	if report != nil {
		if printErr := a.printResults(report); printErr != nil {
			return printErr
		}
	}
	var partial *download.PartialError
	switch {
	case ctx.Err() != nil:
		a.notef("interrupted; run the same command again to continue")
		return ctx.Err()
	case errors.As(err, &partial):
		for _, failed := range partial.Failed {
			a.errorf("%v", failed)
		}
		return errPartly
	default:
		return err
	}
}

func (a *app) printResults(report *download.Report) error {
	files := make([]downloadedFile, len(report.Files))
	t := newTable("RESULT", "SIZE", "FILE", "SOURCE", "TIME").right(1)
	counts := map[download.Outcome]int{}
	for i, r := range report.Files {
		counts[r.Outcome]++
		files[i] = downloadedFile{Path: r.File.Path, Outcome: r.Outcome, Verified: r.Verified, Size: r.File.Size, Fetched: r.Fetched, Source: r.Source}
		if r.Err != nil {
			files[i].Error = r.Err.Error()
		}
		t.add(resultText(r), sizeText(r.File.Size), r.File.Path, r.Source, r.Duration.Round(timeUnit).String())
	}
	switch {
	case a.flags.json || a.flags.jsonl:
		return printEach(a, files)
	case a.flags.quiet:
		return nil
	}
	if err := t.print(a.stdout, a.screen); err != nil {
		return err
	}
	a.notef("%s downloaded, %d kept, %d linked, %d failed; %s received in %s", fileCount(counts[download.OutcomeDownloaded]),
		counts[download.OutcomeKept], counts[download.OutcomeLinked], counts[download.OutcomeFailed],
		modelref.FormatSize(report.Fetched()), report.Duration.Round(timeUnit))
	return nil
}

func resultText(r download.FileResult) string {
	if r.Outcome != download.OutcomeFailed && !r.Verified {
		return r.Outcome.String() + ", unverified"
	}
	return r.Outcome.String()
}
