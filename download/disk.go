// The weights folders on disk, the locks in them, and the reservation of free space.

package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"
)

// folders has one open os.Root for each weights folder. A weights folder may be a symbolic link to another disk, which
// the operator of the machine made. What is in a folder must not lead out of it.
type folders struct {
	dir string

	mu    sync.Mutex
	roots map[string]*os.Root
}

func newFolders(dir string) *folders { return &folders{dir: dir, roots: make(map[string]*os.Root)} }

// open returns the root of a folder. If create is set, the folder is created.
func (d *folders) open(folder string, create bool) (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if root := d.roots[folder]; root != nil {
		return root, nil
	}
	full := filepath.Join(d.dir, folder)
	if create {
		if err := os.MkdirAll(full, 0o777); err != nil { //nolint:gosec // the umask restricts the mode
			return nil, err
		}
	}
	root, err := os.OpenRoot(full)
	if err != nil {
		return nil, err
	}
	d.roots[folder] = root
	return root, nil
}

func (d *folders) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for folder, root := range d.roots {
		_ = root.Close() // it was only a handle
		delete(d.roots, folder)
	}
}

// existingParent returns path, or the nearest parent that exists.
func existingParent(path string) string {
	for {
		if _, err := os.Stat(path); err == nil {
			return path
		}
		parent := filepath.Dir(path)
		if parent == path {
			return path
		}
		path = parent
	}
}

// lock takes the lock of a file, which is shared by all processes. It waits until the lock is free, and calls waiting
// once before it waits.
func lock(ctx context.Context, root *os.Root, name string, waiting func()) (release func(), err error) {
	sum := sha256.Sum256([]byte(caseKey(name)))
	lockName := path.Join(privateFolder, hex.EncodeToString(sum[:12])+".lock")
	if err := root.MkdirAll(privateFolder, 0o777); err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	for first := true; ; first = false {
		release, err := tryLock(root, lockName)
		if err == nil {
			return release, nil
		}
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		if first {
			waiting()
		}
		if err := sleep(ctx, 50*time.Millisecond+rand.N(100*time.Millisecond)); err != nil { //nolint:gosec // not a secret
			return nil, err
		}
	}
}

// sleep waits for d. It returns the cause if ctx is done before.
func sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// space keeps account of the disk space that the running downloads still need.
type space struct {
	minFree int64

	mu     sync.Mutex
	claims map[*part]int64 // what each partial file needs in all, without what was there before
}

// reserve claims the space for the rest of a partial file of the given total size. It returns ErrNoSpace if the free
// space is too small for this file and the rest of all others on the same disk.
func (s *space) reserve(p *part, total int64) error {
	need := max(total-p.received(), 0)
	s.mu.Lock()
	defer s.mu.Unlock()
	free, err := freeBytes(p.root.Name())
	if err != nil {
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
			return nil // a full disk will be reported when the file is written
		}
		return err
	}
	var claimed int64
	for other, size := range s.claims {
		if other != p && other.device == p.device {
			claimed += max(size-other.received(), 0)
		}
	}
	if need > 0 && free-claimed-s.minFree < need {
		return fmt.Errorf("%w in %s: %s needs %d bytes more, %d are free, other downloads need %d, %d must remain",
			ErrNoSpace, p.root.Name(), p.name, need, free, claimed, s.minFree)
	}
	s.claims[p] = total
	return nil
}

func (s *space) release(p *part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.claims, p)
}

// makeParents creates the folders of a file.
func makeParents(root *os.Root, name string) error {
	if dir := path.Dir(name); dir != "." {
		return root.MkdirAll(dir, 0o777) // the umask restricts the mode
	}
	return nil
}
