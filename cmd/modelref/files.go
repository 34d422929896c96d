// files: where the files of models belong, with their checksums and URLs.

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newFiles(a *app) *cobra.Command {
	var f modelFlags
	var checksums, urls, aria2 bool
	cmd := &cobra.Command{
		Use:   "files CATEGORY [NAME...]",
		Short: "Print the files of models: checksum, size, path and URL",
		Long: `Print one line for each file of the models that are named or that the filters select. Paths are below the weights
root, as workers expect them.`,
		Example: `  modelref --demo files image 'Lantern XL'
  modelref --demo files image --baseline sdxl --max-size 8GB
  modelref files image --baseline sdxl --checksums >sums && (cd models && sha256sum -c --ignore-missing ../sums)
  modelref files image --baseline sdxl --urls | wget -i -
  modelref files image --baseline sdxl --aria2 | aria2c -d models -i -`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeCategoryAndNames,
	}
	a.addModelFlags(cmd, &f)
	cmd.Flags().BoolVar(&checksums, "checksums", false, "print lines for sha256sum -c; files without a checksum are left out")
	cmd.Flags().BoolVar(&urls, "urls", false, "print the URLs only, for wget -i and others")
	cmd.Flags().BoolVar(&aria2, "aria2", false, "print the input of aria2c -i, with path and checksum")
	cmd.MarkFlagsMutuallyExclusive("checksums", "urls", "aria2")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (checksums || urls || aria2) && (a.flags.json || a.flags.jsonl || a.screen.format != "") {
			return usagef("--checksums, --urls and --aria2 are formats: leave out --output, --json and --jsonl")
		}
		category, names, err := a.modelArgs(cmd.Context(), args)
		if err != nil {
			return err
		}
		f.all = f.all || (len(names) == 0 && !f.used() && len(f.where) == 0 && f.limit < 0)
		records, err := a.models(cmd.Context(), category, names, f)
		if err != nil {
			return err
		}
		files := filesOf(category, records)
		switch {
		case checksums:
			return a.printLines(files, checksumLine)
		case urls:
			return a.printLines(files, func(file fileOf) string { return file.URL })
		case aria2:
			return a.printLines(files, aria2Entry)
		default:
			return a.printFileTable(files)
		}
	}
	return cmd
}

// checksumLine returns the line of sha256sum -c, or "" if there is no checksum or no safe path.
func checksumLine(file fileOf) string {
	if file.SHA256 == "" || file.Err != nil {
		return ""
	}
	return file.SHA256 + "  " + file.Path
}

// aria2Entry returns the entry of an input file of aria2c, or "" if there is no safe path.
func aria2Entry(file fileOf) string {
	if file.Err != nil {
		return ""
	}
	entry := file.URL + "\n  out=" + file.Path
	if file.SHA256 != "" {
		entry += "\n  checksum=sha-256=" + file.SHA256
	}
	return entry
}

// printLines prints the text of each file that has one, each text once. Text with control characters other than the line
// feeds of an entry is left out, because another program reads it.
func (a *app) printLines(files []fileOf, text func(fileOf) string) error {
	seen, missing := map[string]bool{}, 0
	var errs []error
	for _, file := range files {
		line := text(file)
		switch {
		case line == "" || strings.ContainsFunc(file.Path+file.URL, hidden):
			missing++
		case !seen[line]:
			seen[line] = true
			_, err := fmt.Fprintln(a.stdout, line)
			errs = append(errs, err)
		}
	}
	if missing > 0 {
		a.notef("%d of %d files are left out: they have no checksum or no safe name", missing, len(files))
	}
	return errors.Join(errs...)
}

func (a *app) printFileTable(files []fileOf) error {
	switch {
	case a.flags.json || a.flags.jsonl:
		return printEach(a, files)
	case a.flags.quiet:
		return a.printLines(files, func(file fileOf) string { return file.Path })
	case a.screen.format != "":
		t := newTable("model", "sha256", "size_bytes", "path", "url")
		for _, file := range files {
			size := ""
			if file.Size > 0 {
				size = strconv.FormatInt(file.Size, 10)
			}
			t.add(file.Model, file.SHA256, size, file.Path, file.URL)
		}
		return t.print(a.stdout, a.screen)
	}
	var errs []error
	for _, file := range files {
		sum, size := file.SHA256, "-"
		if sum == "" {
			sum = "-"
		}
		if file.Size > 0 {
			size = modelref.FormatSize(file.Size)
		}
		// A line is never cut: the URL and the checksum are there to be copied.
		_, err := fmt.Fprintf(a.stdout, "%-64s  %9s  %s  %s\n", sum, size, printable(file.Path), printable(file.URL))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
