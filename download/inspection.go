// One existing file: its state without reading the content, and the check of the content in place.

package download

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Inspection is the state of one file on disk. [Inspect] returns it.
type Inspection struct {
	// State is the state of the file. It is StateUnverified if the record has no checksum, or if NeedsHash returns true.
	State State
	// Size is the size of an existing file in bytes, and Received the number of bytes of a StatePartial file.
	Size, Received int64
	// SHA256 is the checksum of the content in lower-case hex, or "" if the checksum is not known.
	SHA256 string
	// Hashed reports whether Hash has read the content. If Hashed is false, SHA256 is from the ".sha256" file.
	Hashed bool
	// Warning says why Hash could not write or remove the ".sha256" file, or is nil.
	Warning error

	dir  string
	file File
}

// Inspect returns the state of a file in the weights root dir, without a plan. It uses the Folder, Name, SHA256 and Size
// of file. If Folder is "", the file is in dir itself. Inspect does not read the content: it trusts a ".sha256" file as
// [CheckChanged] does. If there is no such file, or if it has another checksum than file, only Hash can tell whether the
// content is right, and NeedsHash returns true.
//
// Inspect does not change anything and does not touch the network. A file that does not exist is not an error. Inspect
// returns an error if the file cannot be opened.
func Inspect(dir string, file *File) (*Inspection, error) {
	i := &Inspection{dir: dir, file: *file}
	root, err := os.OpenRoot(filepath.Join(dir, file.Folder))
	if errors.Is(err, fs.ErrNotExist) {
		return i, nil
	}
	if err != nil {
		return i, fmt.Errorf("download: %w", err)
	}
	defer func() { _ = root.Close() }() // it was only a handle
	opened, info, err := openFile(root, file.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if i.Received = partialBytes(root, file.Name, file.SHA256); i.Received > 0 {
			i.State = StatePartial
		}
		return i, nil
	case err != nil:
		return i, fmt.Errorf("download: %w", err)
	}
	defer func() { _ = opened.Close() }() // it was only looked at
	i.Size, i.State = info.Size(), StateUnverified
	switch {
	case file.Size >= 0 && file.Size != i.Size, file.SHA256 == "" && i.Size == 0:
		i.State = StateMismatch
	case file.SHA256 != "":
		if sum, trusted := readChecksum(root, file.Name, info); trusted && sum == file.SHA256 {
			i.State, i.SHA256 = StateVerified, sum
		}
	}
	return i, nil
}

// NeedsHash reports whether the content must be read to know whether it is the one in the record.
func (i *Inspection) NeedsHash() bool { return i.State == StateUnverified && i.file.SHA256 != "" }

// Hash reads the content of the file and sets the state, also if a ".sha256" file is trusted. If the content is the one
// in the record, the checksum is stored in the ".sha256" file. Otherwise a ".sha256" file with another checksum than that
// of the content is removed, because it would hide the mismatch. If the ".sha256" file cannot be changed, Warning is set,
// and Hash does not fail.
//
// Hash calls progress with the number of bytes read so far, unless progress is nil. It returns an error, and leaves the
// Inspection unchanged, if the file cannot be read, if the file changes meanwhile, or if ctx is done.
func (i *Inspection) Hash(ctx context.Context, progress func(done int64)) error {
	if ctx == nil {
		return fmt.Errorf("download: Hash: %w", errNilContext)
	}
	root, err := os.OpenRoot(filepath.Join(i.dir, i.file.Folder))
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer func() { _ = root.Close() }() // it was only a handle
	opened, info, err := openFile(root, i.file.Name)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer func() { _ = opened.Close() }() // it was only read
	var p Plan
	if progress != nil {
		p.observe = func(e Event) { progress(e.Done) }
	}
	sum, err := p.hashFile(ctx, opened, &i.file, info)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	i.SHA256, i.Size, i.Hashed, i.State = sum, info.Size(), true, i.stateOf(sum, info.Size())
	i.Warning = i.remember(root, info)
	return nil
}

// stateOf returns the state of a file with this content.
func (i *Inspection) stateOf(sum string, size int64) State {
	switch {
	case i.file.Size >= 0 && i.file.Size != size, i.file.SHA256 != "" && i.file.SHA256 != sum:
		return StateMismatch
	case i.file.SHA256 == "":
		return StateUnverified
	default:
		return StateVerified
	}
}

// remember makes the checksum file agree with the content that was read.
func (i *Inspection) remember(root *os.Root, info os.FileInfo) error {
	stored, trusted := readChecksum(root, i.file.Name, info)
	switch {
	case i.State == StateVerified && trusted && stored == i.SHA256:
		return nil
	case i.State == StateVerified:
		return writeChecksum(root, i.file.Name, i.SHA256, info)
	}
	sidecar := checksumPath(i.file.Name)
	stored, owner, err := parseChecksum(root, sidecar)
	if err != nil || stored == i.SHA256 || !ownsChecksum(i.file.Name, owner) {
		return nil //nolint:nilerr // a checksum file that cannot be parsed is not trusted by anyone
	}
	return root.Remove(sidecar)
}
