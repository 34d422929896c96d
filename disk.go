// The copies of documents in a cache directory: written whole or not at all, checked when they are read.

package modelref

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// provenanceSuffix is what the name of the file beside a document has behind the document's own.
const provenanceSuffix = ".modelref"

// tempPattern names the files that are not finished. A dot in front hides them from whoever lists the documents.
const tempPattern = ".modelref-*.tmp"

// abandonedAfter is the age at which an unfinished file has surely lost its writer.
const abandonedAfter = time.Hour

// provenance is what the file beside a document says of it.
type provenance struct {
	Source      string      `json:"source"`
	FetchedAt   time.Time   `json:"fetched_at"`
	ConfirmedAt time.Time   `json:"confirmed_at"`
	Size        int         `json:"size"`
	CRC32C      uint32      `json:"crc32c"`
	State       sourceState `json:"state"`
	Writer      string      `json:"writer"`
}

func checksum(document string) uint32 {
	return crc32.Checksum([]byte(document), crc32.MakeTable(crc32.Castagnoli))
}

// checkWritable makes the directory and tries to write in it.
func checkWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // shared with other programs, as the Python library does
		return err
	}
	file, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// removeAbandoned deletes the unfinished files that a killed writer left behind.
func removeAbandoned(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, tempPattern)) // the pattern is well formed
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > abandonedAfter {
			_ = os.Remove(name) // another process may have been quicker
		}
	}
}

// writeFile puts a file in its place by renaming, so that a reader sees the old one or the new one, whole.
func writeFile(dir, name, content string) (err error) {
	file, err := os.CreateTemp(dir, tempPattern)
	if errors.Is(err, fs.ErrNotExist) { // the directory was removed meanwhile
		if err = os.MkdirAll(dir, 0o755); err == nil { //nolint:gosec // as checkWritable does
			file, err = os.CreateTemp(dir, tempPattern)
		}
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // the first error is the one to tell
		}
	}()
	_, err = io.WriteString(file, content)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(dir, name))
}

// lockPause is how long a process waits before it looks again whether another one has let go of a category.
const lockPause = 50 * time.Millisecond

// awaitTurn waits, for half the budget at most, until no other process with the same cache directory downloads the
// category, and keeps others from it until release. Without a lock each process downloads on its own. It reports whether
// there was another one, which has perhaps written what is wanted.
func (l *load) awaitTurn() (release func(), waited bool) {
	config := l.client.config
	if config.cacheDir == "" || config.offline {
		return func() {}, false
	}
	path := filepath.Join(config.cacheDir, "."+l.facts.diskFile+".lock")
	for deadline := l.start.Add(config.retry.Budget / 2); ; waited = true {
		release, err := tryLock(path)
		if release != nil {
			return release, waited
		}
		if err != nil || time.Now().After(deadline) || l.ctx.Err() != nil {
			return func() {}, waited
		}
		time.Sleep(lockPause)
	}
}

// diskCopy is a document as it was found in the cache directory.
type diskCopy struct {
	document   string
	provenance provenance
}

// readDisk reads the copy of a category. Where the file beside it is missing, or was written for another document, the
// copy is somebody else's, and as old as its file.
func readDisk(dir string, facts *traits, limit int64) (*diskCopy, error) {
	path := filepath.Join(dir, facts.diskFile)
	file, info, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", path, limit)
	}
	document, err := readUnchanged(file, info)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := &diskCopy{document: document}
	p, err := readProvenance(dir, facts)
	if err == nil && p.Size == len(out.document) && p.CRC32C == checksum(out.document) {
		out.provenance = *p
		return out, nil
	}
	out.provenance = provenance{FetchedAt: info.ModTime(), ConfirmedAt: past(info.ModTime())}
	return out, nil
}

// openRegular opens a file to read it. Anything else, as a pipe, is refused before it could block.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s: not a regular file", path)
	}
	file, err := os.Open(path) //nolint:gosec // the name is a constant of the category
	if err != nil {
		return nil, nil, err
	}
	if info, err = file.Stat(); err != nil {
		_ = file.Close() // the first error is the one to tell
		return nil, nil, err
	}
	return file, info, nil
}

// readUnchanged reads a file that nobody writes to meanwhile. Programs that write in place could otherwise make us read
// the start of one document and the end of the next, which may well be valid JSON together.
func readUnchanged(file *os.File, info fs.FileInfo) (string, error) {
	var body strings.Builder
	body.Grow(int(info.Size()))
	if _, err := io.Copy(&body, io.LimitReader(file, info.Size()+1)); err != nil {
		return "", err
	}
	after, err := file.Stat()
	if err != nil {
		return "", err
	}
	if int64(body.Len()) != info.Size() || after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime()) {
		return "", errors.New("somebody is writing to it")
	}
	return body.String(), nil
}

// readProvenance reads the file beside the copy of a category.
func readProvenance(dir string, facts *traits) (*provenance, error) {
	file, _, err := openRegular(filepath.Join(dir, facts.diskFile+provenanceSuffix))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return nil, err
	}
	p := new(provenance)
	if err := json.Unmarshal(data, p); err != nil {
		return nil, err
	}
	p.ConfirmedAt, p.State.DownloadedAt = past(p.ConfirmedAt), past(p.State.DownloadedAt)
	return p, nil
}

// past returns t, or the zero time where t is still to come: somebody's clock was wrong, and a copy of unknown age is
// an old one.
func past(t time.Time) time.Time {
	if t.After(time.Now()) {
		return time.Time{}
	}
	return t
}

// fromDisk decodes the copy in the cache directory. A copy that is missing is fs.ErrNotExist.
func (s *store) fromDisk() (*loaded, error) {
	dir := s.client.config.cacheDir
	if dir == "" {
		return nil, fmt.Errorf("%w: no cache directory", ErrNotConfigured)
	}
	found, err := readDisk(dir, s.facts, s.client.config.maxBody)
	if err != nil {
		return nil, err
	}
	p := &found.provenance
	got, err := s.decoded(found.document, about{origin: OriginDisk, fetchedAt: p.FetchedAt, confirmedAt: p.ConfirmedAt})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, s.facts.diskFile), err)
	}
	got.state = p.State
	return got, nil
}

// keepOnDisk writes a document that came off the network, and what is known of it. A failure is told, never fatal.
func (s *store) keepOnDisk(l *loaded) {
	dir := s.client.config.cacheDir
	if dir == "" {
		return
	}
	document := l.ref.text()
	err := writeFile(dir, s.facts.diskFile, document)
	if err == nil {
		err = s.writeProvenance(dir, l)
	}
	s.diskResult(err)
}

// confirmOnDisk writes that the document on disk is still its source's present state.
func (s *store) confirmOnDisk(l *loaded) {
	dir := s.client.config.cacheDir
	if dir == "" {
		return
	}
	if p, err := readProvenance(dir, s.facts); err != nil || p.CRC32C != checksum(l.ref.text()) {
		s.keepOnDisk(l) // gone, or another one: write the whole
		return
	}
	s.diskResult(s.writeProvenance(dir, l))
}

func (s *store) writeProvenance(dir string, l *loaded) error {
	meta := l.ref.meta()
	p := provenance{
		Source: l.state.Source.String(), FetchedAt: meta.fetchedAt.UTC(), ConfirmedAt: meta.confirmedAt.UTC(),
		Size: len(l.ref.text()), CRC32C: checksum(l.ref.text()), State: l.state, Writer: "modelref-go/" + Version,
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(dir, s.facts.diskFile+provenanceSuffix, string(data)+"\n")
}

// diskResult tells of a failure of the cache directory, once until it works again.
func (s *store) diskResult(err error) {
	if err == nil {
		if s.client.diskFailing.Swap(false) {
			s.client.config.logger.Info("cache directory works again", "dir", s.client.config.cacheDir)
		}
		return
	}
	s.client.observe(Event{Kind: EventDiskFailed, Category: s.facts.category, Origin: OriginDisk, Err: err})
	if !s.client.diskFailing.Swap(true) {
		s.client.config.logger.Warn("cache directory cannot be used; reading goes on without it",
			"dir", s.client.config.cacheDir, "category", s.facts.category, "error", err)
	}
}
