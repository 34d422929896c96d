// The state of the files on disk: which exist, and whether their content is the one in the records.

package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// inspect sets the state of every file of the plan.
func (p *Plan) inspect(ctx context.Context, check Check) error {
	var all []*folders
	for _, dir := range append([]string{p.options.Dir}, p.options.ExtraDirs...) {
		d := newFolders(dir)
		defer d.close()
		all = append(all, d)
	}
	var group errgroup.Group
	group.SetLimit(2) // hashing is limited by the disk
	for _, f := range p.files {
		group.Go(func() error {
			if ctx.Err() == nil {
				p.inspectFile(ctx, all, f, check)
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return no error
	return context.Cause(ctx)
}

// inspectFile sets the state of one file. Of several weights roots, the first with a verified file counts, otherwise
// the first with any file.
func (p *Plan) inspectFile(ctx context.Context, all []*folders, f *File, check Check) {
	f.State, f.Received, f.Dir, f.Err = StateMissing, 0, "", nil
	for _, dir := range all {
		root, err := dir.open(f.Folder, false)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) && f.Err == nil {
				f.Err = err
			}
			continue
		}
		found, err := p.examineFile(ctx, root, f, check)
		if err != nil && f.Err == nil {
			f.Err = err
		}
		if found.state == StateMissing {
			continue
		}
		if f.State == StateMissing || found.state.Present() {
			f.State, f.Dir = found.state, dir.dir
		}
		if found.state.Present() {
			f.Size, f.Err = found.size, nil
			return
		}
	}
	if f.State != StateMissing {
		return
	}
	if root, err := all[0].open(f.Folder, false); err == nil {
		if n := partialBytes(root, f.Name, f.SHA256); n > 0 {
			f.State, f.Received = StatePartial, n
		}
	}
}

// partialBytes returns how many bytes of a file an interrupted download has left.
func partialBytes(root *os.Root, name, sum string) int64 {
	state, known := readPartState(root, name)
	if known && state.SHA256 != sum {
		return 0
	}
	if known && state.Segmented && isRegular(root, name+segmentedSuffix) {
		return state.Received.size()
	}
	if info, err := root.Lstat(name + partSuffix); err == nil && info.Mode().IsRegular() && (known || sum != "") {
		return info.Size()
	}
	return 0
}

// finding is the state of one file in one weights root.
type finding struct {
	state State
	size  int64
}

// examineFile determines the state of a file in a weights folder.
func (p *Plan) examineFile(ctx context.Context, root *os.Root, f *File, check Check) (finding, error) {
	file, info, err := openFile(root, f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return finding{}, nil
	}
	if err != nil {
		return finding{state: StateMismatch}, err
	}
	defer func() { _ = file.Close() }() // it was only read
	out := finding{size: info.Size()}
	if f.declared && f.Size != info.Size() {
		out.state = StateMismatch
		return out, nil
	}
	if f.SHA256 == "" {
		out.state = StateUnverified
		if info.Size() == 0 {
			out.state = StateMismatch
		}
		return out, nil
	}
	sum, trusted := "", false
	if check == CheckChanged {
		sum, trusted = readChecksum(root, f.Name, info)
	}
	if !trusted {
		if sum, err = p.hashFile(ctx, file, f, info); err != nil {
			return finding{state: StateMismatch, size: info.Size()}, err
		}
	}
	out.state = StateVerified
	if sum != f.SHA256 {
		out.state = StateMismatch
	}
	if !trusted {
		if err := writeChecksum(root, f.Name, sum, info); err != nil {
			p.emit(Event{Kind: EventWarning, Path: f.Path, Err: err}) // the next plan hashes the file again
		}
	}
	return out, nil
}

// openFile opens a regular file for reading. A symbolic link in the place of the file may lead out of the folder: the
// operator of the machine made it, and the content is verified like any other.
func openFile(root *os.Root, name string) (*os.File, os.FileInfo, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(filepath.Join(root.Name(), filepath.FromSlash(name)))
		if err != nil {
			return nil, nil, err
		}
		parent, err := os.OpenRoot(filepath.Dir(target))
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = parent.Close() }() // it was only a handle
		root, name = parent, filepath.Base(target)
		if info, err = root.Lstat(name); err != nil {
			return nil, nil, err
		}
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", name)
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	if info, err = file.Stat(); err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, info, nil
}

// hashFile returns the checksum of an open file. It returns an error if the file changes meanwhile.
func (p *Plan) hashFile(ctx context.Context, file *os.File, f *File, info os.FileInfo) (string, error) {
	digest := sha256.New()
	reader := &verifyingReader{ctx: ctx, from: file, plan: p, event: Event{Kind: EventVerifying, Path: f.Path, Size: info.Size()}}
	if _, err := io.CopyBuffer(struct{ io.Writer }{digest}, reader, make([]byte, 256<<10)); err != nil {
		return "", err
	}
	after, err := file.Stat()
	if err != nil {
		return "", err
	}
	if after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime()) {
		return "", fmt.Errorf("%s changed while it was being read", f.Path)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// verifyingReader ends with its context and reports how much was read.
type verifyingReader struct {
	ctx   context.Context
	from  io.Reader
	plan  *Plan
	event Event
	due   int64
}

func (r *verifyingReader) Read(buffer []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	n, err := r.from.Read(buffer)
	r.event.Done += int64(n)
	if r.event.Done >= r.due {
		r.plan.emit(r.event)
		r.due += 8 << 20
	}
	return n, err
}

// Verify reads and hashes every existing file of the plan, without trusting checksum files, and sets its state. It
// returns an error only if ctx is done.
func (p *Plan) Verify(ctx context.Context) error {
	if ctx == nil {
		return fmt.Errorf("download: Verify: %w", errNilContext)
	}
	return p.inspect(ctx, CheckContent)
}
