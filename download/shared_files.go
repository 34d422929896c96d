// Files with the same content: they are downloaded once, and become hard links or copies.

package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/haidra-org/modelref"
)

// share makes a file available from another one with the same content: as a hard link, or else as a copy.
func (r *runner) share(ctx context.Context, from, f *File) FileResult {
	if r.stillThere(f) {
		return r.done(f, FileResult{Outcome: OutcomeKept}, f.Size)
	}
	root, err := r.folders.open(f.Folder, true)
	if err != nil {
		return r.fail(f, nil, err)
	}
	release, err := lock(ctx, root, f.Name, func() { r.plan.emit(Event{Kind: EventWaiting, Path: f.Path, Size: f.Size}) })
	if err != nil {
		return r.fail(f, nil, err)
	}
	defer release()
	if found, err := r.plan.examineFile(ctx, root, f, CheckChanged); err == nil && found.state.Present() {
		return r.done(f, FileResult{Outcome: OutcomeKept}, found.size)
	}
	if err := makeParents(root, f.Name); err != nil {
		return r.fail(f, nil, err)
	}
	if r.link(from, f) != nil {
		if err := r.copyFile(ctx, root, from, f); err != nil {
			return r.fail(f, nil, local(err))
		}
	}
	_ = removeParts(root, f.Name) // an earlier download of the same file
	if err := writeNewChecksum(root, f.Name, f.SHA256); err != nil {
		r.plan.emit(Event{Kind: EventWarning, Path: f.Path, Err: err})
	}
	info, err := root.Stat(f.Name)
	if err != nil {
		return r.fail(f, nil, err)
	}
	return r.done(f, FileResult{Outcome: OutcomeLinked, SHA256: f.SHA256}, info.Size())
}

// link makes f a hard link to from. Both must be in the weights root itself, and not behind a symbolic link.
func (r *runner) link(from, f *File) error {
	if from.Dir != "" && from.Dir != r.options.Dir {
		return errors.New("not in the same weights root")
	}
	root, err := os.OpenRoot(r.options.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it was only a handle
	info, err := root.Lstat(from.Path)
	if err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, errors.New("not a regular file"))
	}
	temp := f.Path + partSuffix + ".link"
	_ = root.Remove(temp) // a process that was killed may have left it
	if err := root.Link(from.Path, temp); err != nil {
		return err
	}
	if err := root.Rename(temp, f.Path); err != nil {
		_ = root.Remove(temp) // the first error is the one to report
		return err
	}
	return nil
}

// renewChecksums writes the checksum files of files with the same content again that are not newer than the file: each
// hard link has changed the metadata of all.
func (r *runner) renewChecksums(results []FileResult) {
	for i := range results {
		f := results[i].File
		if results[i].Err != nil || results[i].Outcome == OutcomeKept && f.Dir != r.options.Dir {
			continue
		}
		root, err := r.folders.open(f.Folder, false)
		if err != nil {
			continue // the next plan hashes the file again
		}
		info, err := root.Stat(f.Name)
		if err != nil {
			continue
		}
		if _, trusted := readChecksum(root, f.Name, info); !trusted {
			_ = writeChecksum(root, f.Name, f.SHA256, info) // a failure was reported when the file was linked
		}
	}
}

// copyFile copies from to f. What is written is hashed.
func (r *runner) copyFile(ctx context.Context, root *os.Root, from, f *File) error {
	source := r.folders
	if from.Dir != "" && from.Dir != r.options.Dir {
		source = newFolders(from.Dir)
		defer source.close()
	}
	folder, err := source.open(from.Folder, false)
	if err != nil {
		return err
	}
	file, info, err := openFile(folder, from.Name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	if err := removeParts(root, f.Name); err != nil {
		return err
	}
	p, err := openPart(root, f.Name, f.SHA256, r.segments.checkpoint)
	if err != nil {
		return err
	}
	if err := r.space.reserve(p, info.Size()); err != nil {
		return errors.Join(err, p.close())
	}
	defer r.space.release(p)
	follower := follow(ctx, p, r.free)
	if _, err := io.Copy(&partWriter{ctx: ctx, part: p}, file); err != nil {
		follower.abort()
		return errors.Join(err, p.discard())
	}
	sum, err := follower.finish()
	if err == nil && sum != f.SHA256 {
		err = fmt.Errorf("%w: the copy of %s has %s", modelref.ErrChecksumMismatch, from.Path, sum)
	}
	if err != nil {
		return errors.Join(err, p.discard())
	}
	return p.commit(ctx)
}

// partWriter appends to a partial file.
type partWriter struct {
	ctx  context.Context
	part *part
	at   int64
}

func (w *partWriter) Write(data []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	if err := w.part.write(w.at, data); err != nil {
		return 0, err
	}
	w.at += int64(len(data))
	return len(data), nil
}
