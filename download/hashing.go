// The checksum of a partial file, computed in order while the file grows.

package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// follower hashes the prefix of a partial file while the rest is received. It hashes a chunk directly if the chunk
// comes at the right time. Everything else is read from the file (usually from the page cache), so that segments that
// arrive early need no memory.
type follower struct {
	part   *part
	free   func(*chunk)
	stop   chan struct{} // closed when all data has been received
	cancel context.CancelFunc
	result chan followResult

	digest     hash.Hash
	buffer     []byte
	at         int64 // what is hashed
	generation int   // of the partial file
}

type followResult struct {
	sum string
	err error
}

// follow starts the follower of a partial file. Chunks that it has used are passed to free.
func follow(ctx context.Context, p *part, free func(*chunk)) *follower {
	ctx, cancel := context.WithCancel(ctx)
	f := &follower{
		part: p, free: free, stop: make(chan struct{}), cancel: cancel, result: make(chan followResult, 1),
		digest: sha256.New(), buffer: make([]byte, chunkSize),
	}
	go func() {
		sum, err := f.run(ctx)
		f.drain()
		f.result <- followResult{sum, err}
	}()
	return f
}

// finish waits until everything received is hashed, and returns the checksum.
func (f *follower) finish() (string, error) {
	close(f.stop)
	r := <-f.result
	f.cancel()
	return r.sum, r.err
}

// abort ends the follower without a result. It returns when the partial file is not used any more.
func (f *follower) abort() {
	f.cancel()
	<-f.result
}

func (f *follower) run(ctx context.Context) (string, error) {
	for ctx.Err() == nil {
		select {
		case c := <-f.part.handed:
			f.use(c)
			continue
		default:
		}
		prefix, generation := f.part.progress()
		if generation != f.generation {
			f.digest.Reset()
			f.at, f.generation = 0, generation
		}
		// A chunk that ends the prefix is handed over right after it was written, so the last one is waited for.
		if behind := prefix - f.at; behind > chunkSize || behind > 0 && f.stopped() {
			if err := f.read(f.buffer[:min(int64(len(f.buffer)), behind)]); err != nil {
				return "", err
			}
			continue
		}
		select {
		case c := <-f.part.handed:
			f.use(c)
		case <-f.part.changed:
		case <-f.stop:
			if prefix, generation := f.part.progress(); prefix == f.at && generation == f.generation {
				return hex.EncodeToString(f.digest.Sum(nil)), nil
			}
		case <-ctx.Done():
		}
	}
	return "", context.Cause(ctx)
}

func (f *follower) stopped() bool {
	select {
	case <-f.stop:
		return true
	default:
		return false
	}
}

// use hashes a chunk if it is the next one.
func (f *follower) use(c *chunk) {
	if c.offset == f.at && c.generation == f.generation {
		_, _ = f.digest.Write(c.data[:c.size]) // a hash returns no error
		f.at += int64(c.size)
	}
	f.free(c)
}

// read hashes the next bytes from the file. It does nothing if the partial file was reset meanwhile.
func (f *follower) read(buffer []byte) error {
	n, err := f.part.file.ReadAt(buffer, f.at)
	if _, generation := f.part.progress(); generation != f.generation {
		return nil
	}
	if n < len(buffer) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	_, _ = f.digest.Write(buffer) // a hash returns no error
	f.at += int64(n)
	return nil
}

// drain frees the chunks that were not used.
func (f *follower) drain() {
	for {
		select {
		case c := <-f.part.handed:
			f.free(c)
		default:
			return
		}
	}
}
