// The download of one file: its sources in order, the verification, and the final name.

package download

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/haidra-org/modelref"
)

// fileDownload is the download of one file. The caller holds the lock of the file.
type fileDownload struct {
	r        *runner
	file     *File
	part     *part
	start    time.Time
	resumed  int64
	requests int64
	fetched  int64
}

// run tries the sources in order.
func (d *fileDownload) run(ctx context.Context, sources []*source) FileResult {
	defer d.r.space.release(d.part)
	var tried []*SourceError
	for _, src := range sources {
		before := d.requests
		sum, err := d.from(ctx, src)
		if err == nil {
			return d.finish(ctx, src, sum)
		}
		if isLocal(ctx, err) {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return d.fail(tried, errors.Join(err, d.part.close()))
		}
		failure := &SourceError{URL: src.String(), Requests: int(d.requests - before), Err: err}
		tried = append(tried, failure)
		d.r.plan.emit(Event{Kind: EventSourceFailed, Path: d.file.Path, Size: d.file.Size, Source: failure.URL, Err: failure})
	}
	return d.fail(tried, d.part.close())
}

func (d *fileDownload) fail(tried []*SourceError, err error) FileResult {
	result := d.r.fail(d.file, tried, err)
	d.count(&result)
	return result
}

func (d *fileDownload) count(result *FileResult) {
	result.Requests, result.Fetched, result.Resumed = d.requests, d.fetched, d.resumed
	result.Duration = time.Since(d.start)
}

// from receives the file from one source and verifies it. If the content is wrong, the file is received once more only
// if there is a reason other than the content of the source: data of an earlier run or of another source, ranges
// without a version, or a response that may have been cut off.
func (d *fileDownload) from(ctx context.Context, src *source) (sum string, err error) {
	for again := false; ; again = true {
		if id, _, _ := d.part.origin(); d.file.SHA256 == "" && id != src.id() && d.part.received() > 0 {
			if err := d.part.reset(); err != nil { // without a checksum, the data of two sources must not be mixed
				return "", local(err)
			}
		}
		carried := d.part.received() > 0
		sum, k, err := d.transfer(ctx, src)
		if err != nil {
			return "", err
		}
		if d.file.SHA256 == "" || sum == d.file.SHA256 {
			return sum, nil
		}
		err = fmt.Errorf("%w: received %d bytes with %s, the record says %s",
			modelref.ErrChecksumMismatch, d.part.received(), sum, d.file.SHA256)
		if k.unmarkedEnd {
			err = fmt.Errorf("%w; the response had no length and may have been cut off", err)
		}
		if reset := d.part.reset(); reset != nil {
			return "", local(errors.Join(err, reset))
		}
		if again || !carried && !k.unmarkedEnd && !k.unproven {
			return "", err
		}
		d.r.plan.emit(Event{Kind: EventRestarted, Path: d.file.Path, Size: d.file.Size, Source: src.String(), Err: err})
	}
}

// transfer receives the file and returns its checksum.
func (d *fileDownload) transfer(ctx context.Context, src *source) (sum string, known knowledge, err error) {
	follower := follow(ctx, d.part, d.r.free)
	t := newTransfer(d.r, d.file, d.part, src)
	select {
	case d.r.jobs <- struct{}{}:
	case <-ctx.Done():
		follower.abort()
		return "", known, context.Cause(ctx)
	}
	err = t.run(ctx)
	<-d.r.jobs
	d.requests += t.requests.Load()
	d.fetched += t.fetched.Load()
	if err != nil {
		follower.abort()
		return "", known, err
	}
	sum, err = follower.finish()
	return sum, t.knows(), local(err)
}

// finish gives the file its name.
func (d *fileDownload) finish(ctx context.Context, src *source, sum string) FileResult {
	size := d.part.received()
	if err := d.part.commit(ctx); err != nil {
		return d.fail(nil, errors.Join(local(err), d.part.close()))
	}
	if err := writeNewChecksum(d.part.root, d.file.Name, sum); err != nil {
		d.r.plan.emit(Event{Kind: EventWarning, Path: d.file.Path, Err: err}) // the file will be hashed when it is needed
	}
	result := FileResult{Outcome: OutcomeDownloaded, SHA256: sum, Source: src.String()}
	d.count(&result)
	return d.r.done(d.file, result, size)
}

// commit makes the partial file durable and gives it its final name. If the name cannot be changed, for example because
// another program has the old file open, it tries again for some seconds. The partial file is kept after a failure.
func (p *part) commit(ctx context.Context) error {
	if err := p.file.Sync(); err != nil {
		return err
	}
	_ = p.save() // if the next steps fail, the next run finds the file complete
	p.closed = true
	if err := p.file.Close(); err != nil { // Windows does not rename an open file
		return err
	}
	p.removeOldChecksum()
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		err := p.rename()
		if err == nil {
			break
		}
		if errors.Is(err, errDirectory) || wait > 2*time.Second {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
	return errors.Join(syncDirectory(p.root, path.Dir(p.name)), removeParts(p.root, p.name))
}

// removeOldChecksum deletes the checksum file of the content that is about to be replaced.
func (p *part) removeOldChecksum() {
	sidecar := checksumPath(p.name)
	if _, owner, err := parseChecksum(p.root, sidecar); err == nil && ownsChecksum(p.name, owner) {
		_ = p.root.Remove(sidecar) // writeChecksum replaces it anyway
	}
}

var errDirectory = errors.New("a directory has the name of the file")

func (p *part) rename() error {
	if info, err := p.root.Lstat(p.name); err == nil && info.IsDir() {
		return fmt.Errorf("%s: %w", p.name, errDirectory)
	}
	return p.root.Rename(p.path(), p.name)
}
