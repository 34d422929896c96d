// Faults of the file system: it hangs, it is full, it permits less than expected.

package dirstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Not all systems define these errors.
var (
	errNoSpace  = errors.New("no space left on device")
	errReadOnly = errors.New("read-only file system")
)

// faulty is the file system of the operating system with faults.
type faulty struct {
	system
	block     atomic.Pointer[chan struct{}] // if set, stat, mkdirAll and openFile wait until it is closed
	blocked   atomic.Int32                  // how many calls wait
	openError func(path string, flag int) error
	afterStat func(path string)
	wrap      func(file) file
	order     *[]string // of the calls that matter to a power failure
}

func (s *faulty) hang() (resume func()) {
	block := make(chan struct{})
	s.block.Store(&block)
	return func() {
		s.block.Store(nil)
		close(block)
	}
}

func (s *faulty) wait() {
	if block := s.block.Load(); block != nil {
		s.blocked.Add(1)
		defer s.blocked.Add(-1)
		<-*block
	}
}

func (s *faulty) mkdirAll(path string) error {
	s.wait()
	return s.system.mkdirAll(path)
}

func (s *faulty) stat(path string) (fs.FileInfo, error) {
	s.wait()
	info, err := s.system.stat(path)
	if s.afterStat != nil {
		s.afterStat(path)
	}
	return info, err
}

func (s *faulty) openFile(path string, flag int, perm fs.FileMode) (file, error) {
	s.wait()
	if s.openError != nil {
		if err := s.openError(path, flag); err != nil {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
	f, err := s.system.openFile(path, flag, perm)
	if err == nil && s.order != nil {
		f = recorded{f, filepath.Ext(path), s.order}
	}
	if err == nil && s.wrap != nil {
		f = s.wrap(f)
	}
	return f, err
}

func (s *faulty) rename(from, to string) error {
	if s.order != nil {
		*s.order = append(*s.order, "rename to "+filepath.Base(to))
	}
	return s.system.rename(from, to)
}

// recorded records when a file is written to the disk.
type recorded struct {
	file
	extension string
	order     *[]string
}

func (f recorded) Sync() error {
	*f.order = append(*f.order, "sync "+f.extension)
	return f.file.Sync()
}

// fullDisk is a file on a disk that has room for a few bytes only.
type fullDisk struct{ file }

func (f fullDisk) Write(p []byte) (int, error) {
	n, err := f.file.Write(p[:min(len(p), 3)])
	return n, errors.Join(err, errNoSpace)
}

// failingSync is a file that cannot be written to the disk.
type failingSync struct {
	file
	err error
}

func (f failingSync) Sync() error { return f.err }

// slowSync is a file that is written to the disk when resume is closed.
type slowSync struct {
	file
	resume chan struct{}
}

func (f slowSync) Sync() error {
	<-f.resume
	return f.file.Sync()
}

func TestEveryOperationEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for what, operate := range map[string]func(context.Context, *Dir) error{
		"Read": func(ctx context.Context, d *Dir) error {
			_, _, _, err := d.Read(ctx, name, 1<<20)
			return err
		},
		"ReadProvenance": func(ctx context.Context, d *Dir) error {
			_, err := d.ReadProvenance(ctx, name)
			return err
		},
		"Write":           func(ctx context.Context, d *Dir) error { return d.Write(ctx, name, "late", "late") },
		"WriteProvenance": func(ctx context.Context, d *Dir) error { return d.WriteProvenance(ctx, name, "late") },
		"TryLock": func(ctx context.Context, d *Dir) error {
			_, err := d.TryLock(ctx, name)
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if what == "TryLock" && !canLock {
				t.Skip("the system has no locks")
			}
			path := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				sys := &faulty{}
				d, err := open(path, sys)
				require.NoError(t, err)
				require.NoError(t, d.Write(t.Context(), name, "{}", "p"))
				resume := sys.hang()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				err = operate(ctx, d)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, path)
				assert.Equal(t, time.Second, time.Since(start))

				for range 100 {
					err = operate(t.Context(), d)
					require.ErrorIs(t, err, ErrHung)
					require.ErrorContains(t, err, "has not returned for 1s")
				}
				assert.Equal(t, time.Second, time.Since(start), "further operations fail at once")
				synctest.Wait()
				assert.Equal(t, int32(1), sys.blocked.Load(), "and do not add to those that hang")
				require.ErrorIs(t, d.Writable(), ErrHung)

				resume()
				synctest.Wait()
				assert.Equal(t, [2]string{"{}", "p"}, read(t, d), "a late write replaces nothing, and the directory is used again")
				if canLock {
					release, err := d.TryLock(t.Context(), name)
					require.NoError(t, err)
					require.NotNil(t, release, "a lock that was taken too late is released")
					release()
				}
			})
		})
	}
}

func TestAnImpatientCallerDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		sys := &faulty{}
		d, err := open(path, sys)
		require.NoError(t, err)
		require.NoError(t, d.Write(t.Context(), name, "{}", "p"))
		resume := sys.hang()
		impatient := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, _, _, err := d.Read(ctx, name, 1<<20)
			return err
		}
		require.ErrorIs(t, impatient(), context.DeadlineExceeded)
		var readers sync.WaitGroup
		readers.Go(func() { assert.Equal(t, [2]string{"{}", "p"}, read(t, d)) })
		synctest.Wait()
		resume()
		readers.Wait()

		resume = sys.hang()
		defer resume()
		var hung error
		for range 2 * maxAbandoned {
			if hung = impatient(); errors.Is(hung, ErrHung) {
				break
			}
		}
		require.ErrorIs(t, hung, ErrHung)
		synctest.Wait()
		assert.Equal(t, int32(maxAbandoned), sys.blocked.Load())
	})
}

func TestOpenDoesNotWaitForAFileSystemThatHangs(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		sys := &faulty{}
		resume := sys.hang()
		start := time.Now()
		d, err := open(path, sys)
		require.NoError(t, err)
		assert.Equal(t, setupTimeout, time.Since(start))
		require.ErrorIs(t, d.Write(t.Context(), name, "{}", "p"), ErrHung)
		resume()
		synctest.Wait()
		require.NoError(t, d.Write(t.Context(), name, "{}", "p"))
	})
}

func TestALateWriteReplacesNothingNewer(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		resume := make(chan struct{})
		d, err := open(path, &faulty{wrap: func(f file) file { return slowSync{f, resume} }})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, d.Write(ctx, name, "old", "old"), context.DeadlineExceeded)
		another := openDir(t, path)
		require.NoError(t, another.Write(t.Context(), name, "new", "new"))
		close(resume)
		synctest.Wait()
		assert.Equal(t, [2]string{"new", "new"}, read(t, another))
		assert.Equal(t, []string{name, name + ProvenanceSuffix}, names(t, path), "the temporary files are removed")
	})
}

func TestReleasingALockDoesNotWaitForAFileSystemThatHangs(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		resume := make(chan struct{})
		d, err := open(path, &faulty{wrap: func(f file) file { return slowClose{f, resume} }})
		require.NoError(t, err)
		release, err := d.TryLock(t.Context(), name)
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip("the system has no locks")
		}
		require.NoError(t, err)
		start := time.Now()
		release()
		assert.Equal(t, releaseTimeout, time.Since(start))
		close(resume)
	})
}

// slowClose is a file that is closed when resume is closed.
type slowClose struct {
	file
	resume chan struct{}
}

func (f slowClose) Close() error {
	<-f.resume
	return f.file.Close()
}

func TestAFullDiskLeavesTheOldDocument(t *testing.T) {
	t.Parallel()
	for what, wrap := range map[string]func(file) file{
		"write": func(f file) file { return fullDisk{f} },
		"sync":  func(f file) file { return failingSync{f, errNoSpace} },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir()
			sys := &faulty{}
			d, err := open(path, sys)
			require.NoError(t, err)
			require.NoError(t, d.Write(t.Context(), name, "{}", "p"))
			sys.wrap = wrap
			err = d.Write(t.Context(), name, "too large", "q")
			require.ErrorIs(t, err, errNoSpace)
			require.ErrorContains(t, err, "write "+filepath.Join(path, name))
			require.ErrorIs(t, d.WriteProvenance(t.Context(), name, "too large"), errNoSpace)
			assert.Equal(t, [2]string{"{}", "p"}, read(t, d))
			assert.Equal(t, []string{name, name + ProvenanceSuffix}, names(t, path))
		})
	}
}

func TestFilesAreOnTheDiskBeforeTheyReplaceOthers(t *testing.T) {
	t.Parallel()
	if !canSyncDirectory {
		t.Skip("the system cannot write a directory to the disk")
	}
	var order []string
	d, err := open(filepath.Join(t.TempDir(), "cache.dir"), &faulty{order: &order})
	require.NoError(t, err)
	require.NoError(t, d.Write(t.Context(), name, "{}", "p"))
	require.NoError(t, d.WriteProvenance(t.Context(), name, "q"))
	assert.Equal(t, []string{
		"sync .tmp", "sync .tmp", "rename to " + name, "rename to " + name + ProvenanceSuffix, "sync .dir",
		"sync .tmp", "rename to " + name + ProvenanceSuffix, "sync .dir",
	}, order)
}

func TestADirectoryThatCannotBeWrittenToTheDisk(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	for err, want := range map[error]error{syscall.EINVAL: nil, errors.ErrUnsupported: nil, syscall.EIO: syscall.EIO} {
		d, openErr := open(path, &faulty{wrap: func(f file) file {
			if info, statErr := f.Stat(); statErr == nil && info.IsDir() {
				return failingSync{f, err}
			}
			return f
		}})
		require.NoError(t, openErr)
		require.ErrorIs(t, d.Write(t.Context(), name, "{}", "p"), want)
	}
}

func TestAReadOnlyDirectoryIsRead(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	require.NoError(t, openDir(t, path).Write(t.Context(), name, "{}", "p"))
	d, err := open(path, &faulty{openError: func(_ string, flag int) error {
		if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
			return errReadOnly
		}
		return nil
	}})
	require.NoError(t, err)
	assert.Equal(t, [2]string{"{}", "p"}, read(t, d))
	require.ErrorIs(t, d.Write(t.Context(), name, "{}", "q"), errReadOnly)
	require.ErrorIs(t, d.WriteProvenance(t.Context(), name, "q"), errReadOnly)
	if canLock {
		_, err = d.TryLock(t.Context(), name)
		require.ErrorIs(t, err, errReadOnly, "a lock file that does not exist cannot be created")
	}
	assert.Equal(t, []string{name, name + ProvenanceSuffix}, names(t, path))
}

func TestALockFileOfAnotherUserIsLocked(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	mine := openDir(t, path)
	release, err := mine.TryLock(t.Context(), name)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the system has no locks")
	}
	require.NoError(t, err)
	theirs, err := open(path, &faulty{openError: func(path string, flag int) error {
		if strings.HasSuffix(path, ".lock") && flag&os.O_RDWR != 0 {
			return syscall.EACCES
		}
		return nil
	}})
	require.NoError(t, err)
	held, err := theirs.TryLock(t.Context(), name)
	require.NoError(t, err)
	assert.Nil(t, held)
	release()
	held, err = theirs.TryLock(t.Context(), name)
	require.NoError(t, err)
	require.NotNil(t, held)
	refused, err := mine.TryLock(t.Context(), name)
	require.NoError(t, err)
	assert.Nil(t, refused, "a lock on a file opened for reading excludes others")
	held()
}

func TestAFileThatChangesIsNotReturned(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	require.NoError(t, openDir(t, path).Write(t.Context(), name, "{}", "p"))
	d, err := open(path, &faulty{wrap: func(f file) file { return growing{f, filepath.Join(path, name)} }})
	require.NoError(t, err)
	_, _, _, err = d.Read(t.Context(), name, 1<<20)
	require.ErrorContains(t, err, "file changed while it was being read")
}

// growing is a file that another program appends to while it is read.
type growing struct {
	file
	path string
}

func (f growing) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	other, openErr := os.OpenFile(f.path, os.O_APPEND|os.O_WRONLY, 0)
	if openErr == nil {
		_, openErr = other.WriteString("x")
		openErr = errors.Join(openErr, other.Close())
	}
	return n, errors.Join(err, openErr)
}
