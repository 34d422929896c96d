// export: the documents of categories as files.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newExport(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "export DIR|- [CATEGORY...]",
		Short: "Write the documents of categories to DIR/CATEGORY.json, or to standard output",
		Long: `Write the document of each category, or of all if none is named, to DIR/CATEGORY.json. The directory is created. A
file is replaced in one step: a reader sees the old document or the new one. The files can be compared with
diff, and a Go program can embed them as its bootstrap. If a category cannot be read, its file stays as it is
and the exit code is 1.

With -, the document of one category is written to standard output. Several categories are written as one
object with their names.`,
		Example: `  modelref --demo export models image_generation clip
  modelref --demo export - clip`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return categoryNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			categories, err := categoriesOf(args[1:])
			if err != nil {
				return err
			}
			return a.export(cmd.Context(), args[0], categories)
		},
	}
}

// exported is what was written for a category.
type exported struct {
	Category modelref.Category `json:"category"`
	Records  int               `json:"records"`
	Source   string            `json:"origin"`
	File     string            `json:"file"`
}

func (a *app) export(ctx context.Context, dir string, categories []modelref.Category) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	if dir == "-" {
		return a.exportToOutput(ctx, client, categories)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documents are public
		return err
	}
	_ = client.Warm(ctx, categories...) // concurrently; the loads below have the errors
	var done []exported
	failed := false
	for _, category := range categories {
		one, err := a.exportOne(ctx, client, dir, category)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failed = true
			a.printError(err)
		default:
			done = append(done, one)
		}
	}
	if err := a.printExported(done); err != nil {
		return err
	}
	if failed {
		return errPartly
	}
	return nil
}

func (a *app) exportOne(ctx context.Context, client *modelref.Client, dir string, category modelref.Category) (exported, error) {
	ref, data, err := a.documentBytes(ctx, client, category)
	if err != nil {
		return exported{}, err
	}
	path := filepath.Join(dir, string(category)+".json")
	return exported{category, ref.Len(), ref.Source().String(), path}, replaceFile(path, data)
}

// documentBytes returns a category and its document.
func (a *app) documentBytes(ctx context.Context, client *modelref.Client, category modelref.Category) (*modelref.Reference[modelref.ModelRecord], []byte, error) {
	ref, err := loadCategory(ctx, client, category)
	if err != nil {
		return nil, nil, err
	}
	a.remark(&about{category, ref})
	doc, err := documentOf(ref)
	if err != nil {
		return nil, nil, err
	}
	data, err := doc.bytes()
	return ref, data, err
}

// exportToOutput writes the documents to standard output. It writes nothing if one of them cannot be read.
func (a *app) exportToOutput(ctx context.Context, client *modelref.Client, categories []modelref.Category) error {
	_ = client.Warm(ctx, categories...) // concurrently; the loads below have the errors
	var out bytes.Buffer
	for i, category := range categories {
		_, data, err := a.documentBytes(ctx, client, category)
		if err != nil {
			return within(ctx, err)
		}
		if len(categories) > 1 {
			fmt.Fprintf(&out, "%c\n%q: ", "{,"[min(i, 1)], category)
		}
		out.Write(bytes.TrimSuffix(data, []byte("\n")))
	}
	if len(categories) > 1 {
		out.WriteString("\n}")
	}
	out.WriteByte('\n')
	_, err := a.stdout.Write(out.Bytes())
	return err
}

// bytes writes the document: an object of the records as their source has them, each beginning on a line of its own.
func (d *document) bytes() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, name := range d.names {
		key, err := marshal(name)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "\n%s: %s", key, d.records[name])
	}
	out.WriteString("\n}\n")
	return out.Bytes(), nil
}

// replaceFile puts a file in place in one step.
func replaceFile(path string, data []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close() // it may be closed, and gone
			_ = os.Remove(file.Name())
		}
	}()
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := errors.Join(file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func (a *app) printExported(done []exported) error {
	if a.flags.json || a.flags.jsonl {
		return printEach(a, done)
	}
	t := newTable("CATEGORY", "RECORDS", "ORIGIN", "FILE").right(1)
	for _, e := range done {
		t.add(string(e.Category), strconv.Itoa(e.Records), e.Source, e.File)
		if a.flags.quiet {
			if _, err := fmt.Fprintln(a.stdout, e.File); err != nil {
				return err
			}
		}
	}
	if a.flags.quiet {
		return nil
	}
	return t.print(a.stdout, a.screen)
}
