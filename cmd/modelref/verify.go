// verify: the files in a directory against the checksums in the records.

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	models  []string
	flat    bool
	missing bool
	extra   bool
	rehash  bool
	null    bool
}

func newVerify(a *app) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify DIR [CATEGORY...]",
		Short: "Check the files in a directory against the checksums in the records",
		Long: `Check the files in DIR against the SHA-256 in the records of the categories, of all categories if none is named. A file
is expected where modelref download and the workers store it: in the weights folder of its category or of its purpose,
such as DIR/compvis/model.safetensors. With --flat it is expected in DIR itself. Symbolic links to files are followed.

The checksum of a file that was read is stored beside it in a ".sha256" file, in the format of sha256sum. The next run
reads the file again only if it has changed since then. --rehash reads all files again.

The states of a file:
  ok           the checksum is the one in the record
  mismatch     the checksum or the size is not the one in the record, or the file is empty
  no checksum  the file is there, but the record has no checksum
  missing      the file is not there; listed only with --missing or --model
  unreadable   the file cannot be read
  unsafe       the path in the record leads out of DIR or is not portable; the file is not read
  extra        no record needs the file; listed only with --extra

With --quiet only the paths of wrong files are printed, and those of the files that --extra lists. They are relative to
DIR, one on each line. With --null each path ends with a NUL, for xargs -0.

The exit code is 3 if a file is wrong: mismatch, unreadable, unsafe, or missing if --missing or --model is given. It is
also 3 if no file is there. After an interrupt, what was found so far is printed, and the exit code is 130.`,
		Example: `  modelref verify /srv/models
  modelref verify /srv/models image --missing --extra
  cd /srv/models && modelref verify . --quiet --null | xargs -0 -r rm --
  modelref --demo verify downloads image_generation --flat --model 'Plain Diffusion'`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return categoryNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.models, "model", nil, "check only the files of this model, all of which must be there; repeatable")
	flags.BoolVar(&f.flat, "flat", false, "the files are in DIR itself, not in weights folders")
	flags.BoolVar(&f.missing, "missing", false, "files that are not there are wrong")
	flags.BoolVar(&f.extra, "extra", false, "list the files in the weights folders that no record needs")
	flags.BoolVar(&f.rehash, "rehash", false, `read all files again, also those whose ".sha256" file is up to date`)
	flags.BoolVarP(&f.null, "null", "0", false, "with --quiet, end each path with a NUL instead of a line feed")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		categories, err := categoriesOf(args[1:])
		if err != nil {
			return err
		}
		return a.verify(cmd.Context(), args[0], categories, f)
	}
	return cmd
}

// check returns an error if the flags contradict each other.
func (f verifyFlags) check(quiet bool) error {
	switch {
	case f.null && !quiet:
		return usagef("--null needs --quiet")
	case f.extra && f.flat:
		return usagef("--extra searches the weights folders: remove --flat")
	default:
		return nil
	}
}

// checkDirectory returns an error if there is no such directory.
func checkDirectory(dir string) error {
	switch info, err := os.Stat(dir); {
	case err != nil:
		return usagef("%w: name the directory that the models are in", err)
	case !info.IsDir():
		return usagef("%s is not a directory", dir)
	default:
		return nil
	}
}

// verification is one run of verify.
type verification struct {
	app     *app
	dir     string
	flags   verifyFlags
	targets []*target
	byKey   map[string]*target
	paths   map[string]int          // the number of targets of a path: above 1, records contradict each other
	known   map[string]bool         // the models of the categories
	records []*modelref.ModelRecord // all records of the categories
	doubt   error                   // why records may be missing, or nil
	extra   []checkedFile

	counts     map[string]int // the number of targets by state
	wrong      bool
	read       int   // files
	readBytes  int64 // bytes in these files
	unstored   int   // files whose checksum could not be stored
	storeError error // the first reason
}

func (a *app) verify(ctx context.Context, dir string, categories []modelref.Category, f verifyFlags) error {
	if err := f.check(a.flags.quiet); err != nil {
		return err
	}
	if err := checkDirectory(dir); err != nil {
		return err
	}
	v := &verification{
		app: a, dir: dir, flags: f, byKey: map[string]*target{}, paths: map[string]int{}, known: map[string]bool{},
		counts: map[string]int{},
	}
	if err := v.load(ctx, categories); err != nil {
		return err
	}
	v.inspect(ctx)
	if err := v.findExtra(ctx, categories); err != nil && ctx.Err() == nil {
		return err // after an interrupt, what was found is printed
	}
	bar := a.newHashBar(v.bytesToHash())
	p := v.newPrinter(bar)
	err := v.run(ctx, bar, p)
	bar.close()
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return err
	}
	return v.finish(ctx)
}

// load reads the records of the categories, and notes their files.
func (v *verification) load(ctx context.Context, categories []modelref.Category) error {
	client, err := v.app.client()
	if err != nil {
		return err
	}
	if err := client.Warm(ctx, categories...); err != nil {
		return within(ctx, err) // the files of an unknown category cannot be verified
	}
	for _, category := range categories {
		reader, err := client.Category(string(category))
		if err != nil {
			return err
		}
		ref, err := reader.Load(ctx)
		if err != nil {
			return within(ctx, err)
		}
		v.app.remark(&about{category, ref})
		if ref.Stale() || len(ref.Rejected()) > 0 {
			v.doubt = fmt.Errorf("%s is stale or has records that cannot be decoded", category)
		}
		for name, record := range ref.All() {
			v.add(category, name, record)
		}
	}
	for _, model := range v.flags.models {
		if !v.known[model] {
			return fmt.Errorf("model %q: %w in the categories asked for", model, modelref.ErrNotFound)
		}
	}
	return nil
}

// findExtra finds the files that no record needs, if --extra is given.
func (v *verification) findExtra(ctx context.Context, categories []modelref.Category) error {
	if !v.flags.extra {
		return nil
	}
	orphans, err := download.Orphans(ctx, categories, v.records, download.Options{Dir: v.dir})
	if err != nil {
		return err
	}
	reasons := map[download.OrphanKind]string{
		download.OrphanFile: "no record names it", download.OrphanPartial: "no record needs the rest of this download",
		download.OrphanSidecar: "the file that it belongs to is not there",
	}
	for _, o := range orphans {
		v.extra = append(v.extra, checkedFile{State: fileExtra, File: o.Path, Path: o.Path, Size: o.Size, Reason: reasons[o.Kind]})
	}
	if v.doubt != nil && len(v.extra) > 0 {
		v.app.errorf("files that are listed as extra may be needed: %v", v.doubt)
	}
	return nil
}

// run hashes the files in the order of the records, and prints each when it is done. After an interrupt it prints those
// that are known without reading.
func (v *verification) run(ctx context.Context, bar *hashBar, p *rowPrinter) error {
	for _, t := range v.targets {
		if t.pending && ctx.Err() == nil {
			v.hash(ctx, t, bar)
		}
		if t.pending {
			continue
		}
		state, _ := t.outcome()
		v.counts[state]++
		v.wrong = v.wrong || v.flags.wrong(state)
		if state == fileMissing && !v.flags.wrong(state) {
			continue // nobody downloads everything
		}
		for _, row := range v.rows(t) {
			if err := p.print(row); err != nil {
				return err
			}
		}
	}
	for _, row := range v.extra {
		if err := p.print(row); err != nil {
			return err
		}
	}
	return nil
}

// finish prints the closing count, and returns the error for the exit code.
func (v *verification) finish(ctx context.Context) error {
	done := 0
	for _, n := range v.counts {
		done += n
	}
	there := done - v.counts[fileMissing] - v.counts[fileUnsafe]
	text := fmt.Sprintf("%d of %d files are there", there, len(v.targets))
	if ctx.Err() != nil {
		text = fmt.Sprintf("interrupted after %d of %d files, %d are there", done, len(v.targets), there)
	}
	text += fmt.Sprintf(": %d ok, %d mismatch, %d without a checksum, %d unreadable; %d unsafe", v.counts[fileOK],
		v.counts[fileMismatch], v.counts[fileNoChecksum], v.counts[fileUnreadable], v.counts[fileUnsafe])
	if v.flags.extra {
		text += fmt.Sprintf(", %d extra", len(v.extra))
	}
	v.app.notef("%s; %s read, %s", text, fileCount(v.read), modelref.FormatSize(v.readBytes))
	if v.unstored > 0 {
		v.app.notef("the next run reads %s again, because the checksum cannot be stored: %v", fileCount(v.unstored), v.storeError)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case there == 0:
		v.app.notef("no file of these records is in %s: files are expected in DIR/<weights folder>, or with --flat in DIR", v.dir)
		return errNo
	case v.wrong:
		return errNo
	default:
		return nil
	}
}
