// The partial file: what was received of a file so far, and of which version of the content.

package download

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// version identifies the content at a server, as far as the server reports it.
type version struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Size         int64  `json:"size"` // of the whole file, or -1
}

// partState is stored beside a partial file.
type partState struct {
	Format    int     `json:"format"`
	Source    string  `json:"source"`
	Version   version `json:"version"`
	SHA256    string  `json:"sha256"`
	Segmented bool    `json:"segmented"`
	Received  spans   `json:"received,omitempty"` // of a segmented file
	// Length and ModTime are those of the partial file of a file without a checksum. They prove that no other
	// program has written to it.
	Length  int64 `json:"length,omitempty"`
	ModTime int64 `json:"mod_time,omitempty"`
}

const partFormat = 1

// part is the partial file of one file. The caller holds the lock of the file.
type part struct {
	root       *os.Root
	name       string
	sum        string // the checksum in the record, or ""
	device     uint64
	checkpoint int64 // how many received bytes of a segmented file may be unrecorded

	changed chan struct{} // has an element if the prefix may have grown
	handed  chan *chunk   // received data that the follower may hash without reading it again

	mu         sync.Mutex
	file       *os.File
	state      partState
	done       spans
	recorded   int64 // received bytes in the stored state
	carried    int64 // received bytes that an earlier run or another source has left
	generation int   // counts the resets
	closed     bool  // the file is closed
}

// openPart opens the partial file of name, or creates it. Data is kept only if it can belong to the content that is
// needed.
func openPart(root *os.Root, name, sum string, checkpoint int64) (*part, error) {
	p := &part{root: root, name: name, sum: sum, checkpoint: checkpoint, changed: make(chan struct{}, 1), handed: make(chan *chunk, 4)}
	if err := makeParents(root, name); err != nil {
		return nil, err
	}
	state, known := readPartState(root, name)
	if known && state.SHA256 != sum {
		state, known = partState{}, false
		if err := removeParts(root, name); err != nil { // it is the data of other content
			return nil, err
		}
	}
	segmented := known && state.Segmented && state.Version.Size >= 0 && isRegular(root, name+segmentedSuffix)
	suffix := partSuffix
	if segmented {
		suffix = segmentedSuffix
	}
	file, err := openRegular(root, name+suffix)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	p.file, p.device = file, device(info)
	switch {
	case segmented && state.Received.valid(info.Size()):
		p.done = state.Received
	case segmented:
		known = false
	case sum == "" && (!known || info.Size() != state.Length || info.ModTime().UnixNano() != state.ModTime):
		known = false // without a checksum, data of unknown origin must not be used
	case info.Size() > 0:
		p.done = spans{{0, info.Size()}}
	}
	if known {
		p.state = state
		p.state.Segmented = segmented
	} else {
		p.state = partState{Version: version{Size: -1}}
	}
	if size := p.state.Version.Size; size >= 0 && p.done.size() > size {
		p.done = nil
	}
	if len(p.done) == 0 && info.Size() > 0 {
		if err := p.reset(); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	p.carried = p.done.size()
	p.recorded = p.carried
	return p, nil
}

// readPartState returns the stored state of the partial file of name. It returns false if there is none, or if it is
// not valid.
func readPartState(root *os.Root, name string) (partState, bool) {
	if !isRegular(root, name+stateSuffix) {
		return partState{}, false
	}
	file, err := root.Open(name + stateSuffix)
	if err != nil {
		return partState{}, false
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, 1<<20))
	var state partState
	if err != nil || json.Unmarshal(text, &state) != nil || state.Format != partFormat {
		return partState{}, false
	}
	return state, true
}

func isRegular(root *os.Root, name string) bool {
	info, err := root.Lstat(name)
	return err == nil && info.Mode().IsRegular()
}

// openRegular opens or creates a file for reading and writing. A link or a pipe under the name is removed.
func openRegular(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	if err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory", name)
	}
	if err == nil && !info.Mode().IsRegular() {
		if err := root.Remove(name); err != nil {
			return nil, err
		}
	}
	return root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666) // the umask restricts the mode
}

// removeParts deletes the partial files of name and their state.
func removeParts(root *os.Root, name string) error {
	var errs []error
	for _, suffix := range []string{partSuffix, segmentedSuffix, stateSuffix} {
		if err := root.Remove(name + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// chunk is a buffer with received data.
type chunk struct {
	data       [chunkSize]byte
	offset     int64
	size       int
	generation int
}

const chunkSize = 256 << 10

// give passes a written chunk to the follower, and reports whether it was accepted. The caller must not use the chunk
// after that. The follower does not need the chunk: it can read the data from the file.
func (p *part) give(c *chunk) bool {
	prefix, generation := p.progress()
	if prefix != c.offset+int64(c.size) { // it is not the end of the prefix
		return false
	}
	c.generation = generation
	select {
	case p.handed <- c:
		return true
	default:
		return false
	}
}

// write stores received bytes.
func (p *part) write(offset int64, data []byte) error {
	if _, err := p.file.WriteAt(data, offset); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.done.prefix()
	p.done = p.done.add(offset, offset+int64(len(data)))
	if p.done.prefix() > before {
		p.signal()
	}
	if p.state.Segmented && p.done.size()-p.recorded >= p.checkpoint {
		return p.saveLocked()
	}
	return nil
}

// signal wakes the follower.
func (p *part) signal() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// received returns the number of bytes in the partial file.
func (p *part) received() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done.size()
}

// ranges returns a copy of the received ranges.
func (p *part) ranges() spans {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(spans(nil), p.done...)
}

// progress returns the length of the received prefix and the number of resets.
func (p *part) progress() (prefix int64, generation int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done.prefix(), p.generation
}

// origin returns the source and the version of the received data.
func (p *part) origin() (sourceID string, v version, segmented bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.Source, p.state.Version, p.state.Segmented
}

// describe records the source and the version of the data that will be received.
func (p *part) describe(sourceID string, v version) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Format == partFormat && p.state.Source == sourceID && p.state.Version == v && p.state.SHA256 == p.sum {
		return nil
	}
	p.state.Source, p.state.Version = sourceID, v
	return p.saveLocked()
}

// segment turns the partial file into one that may have gaps. The state is stored first: a state of a segmented file
// beside a file that is not one still describes that file.
func (p *part) segment() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Segmented {
		return nil
	}
	p.state.Segmented = true
	if err := p.saveLocked(); err != nil {
		return err
	}
	return p.root.Rename(p.name+partSuffix, p.name+segmentedSuffix)
}

// reset discards the received data. The caller makes sure that nobody writes.
func (p *part) reset() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation++
	p.done, p.carried, p.recorded = nil, 0, 0
	p.signal()
	if err := p.file.Truncate(0); err != nil {
		return err
	}
	segmented := p.state.Segmented
	p.state.Segmented = false
	p.state.Version = version{Size: -1}
	if err := p.saveLocked(); err != nil {
		return err
	}
	if segmented {
		return p.root.Rename(p.name+segmentedSuffix, p.name+partSuffix)
	}
	return nil
}

// save stores the state, for an interruption.
func (p *part) save() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.saveLocked()
}

func (p *part) saveLocked() error {
	p.state.Format, p.state.SHA256, p.state.Received = partFormat, p.sum, nil
	if p.state.Segmented {
		p.state.Received = p.done
	}
	if p.sum == "" {
		info, err := p.file.Stat()
		if err != nil {
			return err
		}
		p.state.Length, p.state.ModTime = info.Size(), info.ModTime().UnixNano()
	}
	text, err := json.Marshal(&p.state)
	if err != nil {
		return err
	}
	if err := replaceFile(p.root, p.name+stateSuffix, text, false); err != nil {
		return err
	}
	p.recorded = p.done.size()
	return nil
}

// close ends the use of the partial file and keeps its data for a later run.
func (p *part) close() error {
	if p.closed { // commit has stored the state
		return nil
	}
	p.closed = true
	var err error
	if p.received() == 0 {
		err = removeParts(p.root, p.name)
	} else {
		if p.sum == "" {
			err = p.file.Sync() // there is no checksum that would find data lost by a crash
		}
		err = errors.Join(err, p.save())
	}
	return errors.Join(err, p.file.Close())
}

// discard deletes the partial file.
func (p *part) discard() error {
	p.closed = true
	return errors.Join(p.file.Close(), removeParts(p.root, p.name))
}

// path returns the name of the partial file.
func (p *part) path() string {
	_, _, segmented := p.origin()
	if segmented {
		return p.name + segmentedSuffix
	}
	return p.name + partSuffix
}
