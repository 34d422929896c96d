// verify: files of models against the checksums that their records state.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	models  []string
	flat    bool
	missing bool
}

func newVerify(a *app) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify DIR [CATEGORY...]",
		Short: "Check downloaded files against the checksums of the records",
		Long: `Check the files that are in DIR against the SHA-256 that the records state, those of all categories where
none is named. A file is looked for where workers keep it: in the weights folder of its category, as
DIR/compvis/model.safetensors (see modelref categories), or right in DIR with --flat. A record whose path
leads out of there is not followed and told as "unsafe"; symbolic links of your own are followed.

The exit code is 3 where a file does not match, where none is found, and, with --missing or --model, where a
file is not there.`,
		Example: `  modelref verify /models image_generation
  modelref --demo verify downloads image_generation --flat --model 'Plain Diffusion'`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return categoryNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringArrayVar(&f.models, "model", nil, "check the files of this model alone; repeatable")
	cmd.Flags().BoolVar(&f.flat, "flat", false, "the files are right in DIR, without weights folders")
	cmd.Flags().BoolVar(&f.missing, "missing", false, "files that are not there count as wrong")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		categories, err := categoriesOf(args[1:])
		if err != nil {
			return err
		}
		return a.verify(cmd.Context(), args[0], categories, f)
	}
	return cmd
}

// The states of a file.
const (
	fileOK         = "ok"
	fileMismatch   = "mismatch"
	fileMissing    = "missing"
	fileNoChecksum = "no checksum"
	fileUnsafe     = "unsafe"
	fileUnreadable = "unreadable"
)

// checkedFile is what came of one file.
type checkedFile struct {
	Category modelref.Category `json:"category"`
	Model    string            `json:"model"`
	File     string            `json:"file"`
	State    string            `json:"state"`
	Error    string            `json:"error,omitempty"`
}

func (a *app) verify(ctx context.Context, dir string, categories []modelref.Category, f verifyFlags) error {
	if err := checkDirectory(dir); err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	if err := client.Warm(ctx, categories...); err != nil {
		return within(ctx, err) // what is not known cannot be verified
	}
	var files []checkedFile
	known := map[string]bool{}
	for _, category := range categories {
		checked, err := a.verifyCategory(ctx, client, dir, category, f, known)
		if err != nil {
			return err
		}
		files = append(files, checked...)
	}
	for _, model := range f.models {
		if !known[model] {
			return fmt.Errorf("model %q: %w in the categories asked for", model, modelref.ErrNotFound)
		}
	}
	return a.printChecked(dir, files, f)
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

// verifyCategory checks the files of one category and notes the models that it has.
func (a *app) verifyCategory(ctx context.Context, client *modelref.Client, dir string, category modelref.Category,
	f verifyFlags, known map[string]bool,
) ([]checkedFile, error) {
	reader, err := client.Category(string(category))
	if err != nil {
		return nil, err
	}
	ref, err := reader.Load(ctx)
	if err != nil {
		return nil, within(ctx, err)
	}
	a.remark(&about{category, ref})
	var out []checkedFile
	for name, record := range ref.All() {
		known[name] = true
		if len(f.models) > 0 && !slices.Contains(f.models, name) {
			continue
		}
		for i := range record.Config.Download {
			file := &record.Config.Download[i]
			checked := checkedFile{Category: category, Model: name, File: file.FileName}
			checked.State, err = verifyFile(ctx, dir, folderOf(category, f.flat), file)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				checked.Error = err.Error()
			}
			out = append(out, checked)
		}
	}
	return out, nil
}

func folderOf(category modelref.Category, flat bool) string {
	if flat {
		return ""
	}
	return category.WeightsFolder()
}

// verifyFile checks one file. Its name comes from the network, so that it must stay below the folder.
func verifyFile(ctx context.Context, dir, folder string, d *modelref.DownloadRecord) (string, error) {
	name := filepath.FromSlash(d.FileName)
	if !filepath.IsLocal(name) {
		return fileUnsafe, errors.New("the record's path leads out of the directory")
	}
	path := filepath.Join(dir, folder, name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fileMissing, nil
	case err != nil:
		return fileUnreadable, err
	case !info.Mode().IsRegular():
		return fileUnreadable, errors.New("not a file")
	case !d.HasChecksum():
		return fileNoChecksum, nil
	}
	file, err := os.Open(path) //nolint:gosec // checked above
	if err != nil {
		return fileUnreadable, err
	}
	defer func() { _ = file.Close() }() // it was read only
	switch err := d.Verify(interruptible{ctx, file}); {
	case err == nil:
		return fileOK, nil
	case errors.Is(err, modelref.ErrChecksumMismatch):
		return fileMismatch, err
	default:
		return fileUnreadable, err
	}
}

// interruptible ends reading with the context: weights take minutes to read.
type interruptible struct {
	ctx  context.Context
	file io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.file.Read(p)
}

// wrong reports whether the state of a file makes the answer no.
func (f verifyFlags) wrong(state string) bool {
	switch state {
	case fileOK, fileNoChecksum:
		return false
	case fileMissing:
		return f.missing || len(f.models) > 0
	default:
		return true
	}
}

func (a *app) printChecked(dir string, files []checkedFile, f verifyFlags) error {
	counts := map[string]int{}
	t := newTable("STATE", "CATEGORY", "MODEL", "FILE")
	styles := map[string]string{fileOK: green, fileNoChecksum: yellow}
	var shown []checkedFile
	no := false
	for _, file := range files {
		counts[file.State]++
		wrong := f.wrong(file.State)
		no = no || wrong
		if file.State == fileMissing && !wrong {
			continue // nobody downloads everything
		}
		shown = append(shown, file)
		t.add(file.State, string(file.Category), file.Model, file.File)
		style, ok := styles[file.State]
		if !ok {
			style = red
		}
		t.rows[len(t.rows)-1][0].style = style
	}
	if err := a.printCheckedAs(shown, t, f); err != nil {
		return err
	}
	checked := len(files) - counts[fileMissing] - counts[fileUnsafe]
	a.notef("%d of %d files are there: %d ok, %d mismatch, %d without a checksum, %d unreadable; %d records are unsafe",
		checked, len(files), counts[fileOK], counts[fileMismatch], counts[fileNoChecksum], counts[fileUnreadable],
		counts[fileUnsafe])
	if checked == 0 {
		a.notef("no file of these records is in %s: files are looked for in DIR/<weights folder>, or with --flat in DIR", dir)
	}
	if no || checked == 0 {
		return errNo
	}
	return nil
}

func (a *app) printCheckedAs(files []checkedFile, t *table, f verifyFlags) error {
	switch {
	case a.flags.json || a.flags.jsonl:
		return printEach(a, files)
	case a.flags.quiet:
		for _, file := range files {
			if !f.wrong(file.State) {
				continue
			}
			if _, err := fmt.Fprintln(a.stdout, printable(file.File)); err != nil {
				return err
			}
		}
		return nil
	case len(files) == 0:
		return nil
	default:
		return t.print(a.stdout, a.screen)
	}
}
