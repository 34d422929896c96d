// Verifying: whether the files that are there are those that the records describe.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/haidra-org/modelref"
)

// errUnsafeName says that a record names a file outside of the weights folder.
var errUnsafeName = errors.New("the name leads out of the directory; not opened")

// verify checks the models' files that are in the directory and prints what it found of each. Its error says how many
// are not what their record says, or why it could not go on.
func verify(
	ctx context.Context, dir string, models []*modelref.ImageGenerationRecord, stdout io.Writer, bar *bar,
) error {
	root, err := os.OpenRoot(dir) // beneath a Root no symbolic link leads out either
	if err != nil {
		return err
	}
	defer root.Close()
	var good, missing, unknown, bad int
	for _, model := range models {
		for i := range model.Config.Download {
			file := &model.Config.Download[i]
			err := verifyFile(ctx, root, file, bar)
			word := "ok"
			switch {
			case err == nil:
				good++
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case errors.Is(err, fs.ErrNotExist):
				missing++
				continue // a list of what is not there yet would be long
			case errors.Is(err, modelref.ErrNoChecksum):
				unknown++
				word = "no checksum recorded"
			default:
				bad++
				word = "BAD: " + printable(err.Error())
			}
			fmt.Fprintf(stdout, "%s: %s\n", printable(file.FileName), word)
		}
	}
	fmt.Fprintf(stdout, "\n%d files are good, %d cannot be checked, %d are bad, %d are not there\n", good, unknown, bad, missing)
	if bad > 0 {
		return fmt.Errorf("%d files in %s are not what their records say; delete and download them again", bad, dir)
	}
	return nil
}

// verifyFile checks one file. The name comes from the network: it must stay below the directory.
func verifyFile(ctx context.Context, root *os.Root, file *modelref.DownloadRecord, bar *bar) error {
	name := filepath.FromSlash(file.FileName)
	if !filepath.IsLocal(name) {
		return errUnsafeName
	}
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // a pipe would hold us up for good
		return errors.New("not a regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	bar.start(file.FileName, info.Size())
	defer bar.end()
	return file.Verify(&watchedReader{ctx: ctx, from: f, bar: bar})
}

// watchedReader ends with its context and moves a bar.
type watchedReader struct {
	ctx  context.Context
	from io.Reader
	bar  *bar
}

func (r *watchedReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.from.Read(p)
	r.bar.add(n)
	return n, err
}
