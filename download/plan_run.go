// The execution of a plan: which files are downloaded concurrently, from which sources, and what is reported.

package download

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Outcome says how a file became available.
type Outcome uint8

const (
	// OutcomeFailed is a file that is not available.
	OutcomeFailed Outcome = iota
	// OutcomeKept is a file that was there already, or that another process has downloaded meanwhile.
	OutcomeKept
	// OutcomeDownloaded is a file that was downloaded.
	OutcomeDownloaded
	// OutcomeLinked is a file whose content was taken from another file of the plan.
	OutcomeLinked
)

// FileResult is the result of one file.
type FileResult struct {
	File    *File
	Outcome Outcome
	// Verified reports whether the SHA-256 is the one in the record. It is false if the record has none.
	Verified bool
	// SHA256 is the checksum of a downloaded file, in lower-case hex.
	SHA256 string
	// Source is the URL of the source of a downloaded file, without user info and query.
	Source string
	// Requests is the number of requests that were sent.
	Requests int64
	// Fetched is the number of bytes received for the file, including those that were discarded. Resumed is the
	// number of bytes that an earlier run has left.
	Fetched, Resumed int64
	// Duration is the time from the first request to the end.
	Duration time.Duration
	// Err is the reason of a failure.
	Err *FileError

	size int64
}

// Report is the result of a plan.
type Report struct {
	// Files has a result for every file of the plan that was processed, in the order of the plan.
	Files []FileResult
	// Duration is the time that Run took.
	Duration time.Duration
}

// Fetched returns the number of bytes received for all files.
func (r *Report) Fetched() (n int64) {
	for i := range r.Files {
		n += r.Files[i].Fetched
	}
	return n
}

// runner has what the transfers of one run share.
type runner struct {
	plan     *Plan
	options  *Options
	segments segmentSizes
	client   *http.Client
	endHTTP  func()
	limiter  *limiter
	space    *space
	folders  *folders
	jobs     chan struct{} // has an element for each file that is being transferred
	chunks   sync.Pool     // of *chunk

	mu    sync.Mutex
	hosts map[string]*host
}

func newRunner(p *Plan) *runner {
	r := &runner{
		plan: p, options: &p.options, segments: p.options.segments, limiter: newLimiter(p.options.RateLimit),
		space:   &space{minFree: p.options.MinFree, claims: make(map[*part]int64)},
		folders: newFolders(p.options.Dir),
		jobs:    make(chan struct{}, p.options.Jobs),
		hosts:   make(map[string]*host),
	}
	r.client, r.endHTTP = newHTTPClient(r.options)
	r.chunks.New = func() any { return new(chunk) }
	return r
}

func (r *runner) close() {
	r.endHTTP()
	r.folders.close()
}

// free returns a chunk to the pool.
func (r *runner) free(c *chunk) { r.chunks.Put(c) }

// host returns the shared state of the host of a source.
func (r *runner) host(src *source) *host {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := src.url.Scheme + "://" + src.url.Host
	h := r.hosts[key]
	if h == nil {
		h = newHost(r.options.Connections)
		r.hosts[key] = h
	}
	return h
}

// Run downloads the files of the plan that are not present. It returns when every file is available or has failed, or
// when ctx is done: received data is then kept, and a later Run resumes it.
//
// The error is nil if every file of the plan is available. It is an [*PartialError] if at least one is not, also if
// a record has a file that cannot be planned. It wraps ErrNoSpace, before any byte is transferred, if the files are
// known to need more space than is free. If ctx is done, the error is its cause. The report is never nil.
func (p *Plan) Run(ctx context.Context) (*Report, error) {
	start := time.Now()
	report := &Report{}
	defer func() { report.Duration = time.Since(start) }()
	if ctx == nil {
		return report, fmt.Errorf("download: Run: %w", errNilContext)
	}
	s := p.Summary()
	if s.FreeBytes >= 0 && s.BytesToStore > 0 && s.BytesToStore > s.FreeBytes-p.options.MinFree {
		return report, fmt.Errorf("download: %w in %s: the files need %d bytes, %d are free, %d must remain",
			ErrNoSpace, p.options.Dir, s.BytesToStore, s.FreeBytes, p.options.MinFree)
	}
	r := newRunner(p)
	defer r.close()
	results := r.units(ctx)
	failed := &PartialError{Files: s.Files}
	for _, problem := range p.problems {
		failed.Failed = append(failed.Failed, &FileError{Path: problem.FileName, Err: problem.Err})
	}
	for _, f := range p.files {
		result, ok := results[f]
		if !ok { // ctx was done before
			result = FileResult{File: f, Err: &FileError{Path: f.Path, Err: context.Cause(ctx)}}
		}
		report.Files = append(report.Files, result)
		if result.Err != nil {
			failed.Failed = append(failed.Failed, result.Err)
		}
		f.update(&result, p.options.Dir)
	}
	if len(failed.Failed) > 0 && ctx.Err() != nil {
		return report, fmt.Errorf("download: %w", context.Cause(ctx))
	}
	return report, failed.orNil()
}

// units runs the groups of files with the same content.
func (r *runner) units(ctx context.Context) map[*File]FileResult {
	results := make(map[*File]FileResult)
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(2 * r.options.Jobs) // some are transferred while others are finished
	for _, unit := range unitsOf(r.plan.files) {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			done := r.unit(ctx, unit)
			mu.Lock()
			defer mu.Unlock()
			for _, result := range done {
				results[result.File] = result
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return no error
	return results
}

// update sets the state of a file after a run.
func (f *File) update(result *FileResult, dir string) {
	if result.Outcome == OutcomeFailed || f.State.Present() {
		return
	}
	f.Dir, f.State, f.Received, f.Err = dir, StateUnverified, 0, nil
	if result.Verified {
		f.State = StateVerified
	}
	if result.size > 0 {
		f.Size = result.size
	}
}

// unitsOf groups the files with the same content. The first of a group is one that is present, if there is one.
func unitsOf(files []*File) [][]*File {
	index := make(map[string]int)
	var units [][]*File
	for _, f := range files {
		i, ok := index[f.SHA256]
		if f.SHA256 == "" || !ok {
			if f.SHA256 != "" {
				index[f.SHA256] = len(units)
			}
			units = append(units, []*File{f})
			continue
		}
		units[i] = append(units[i], f)
		if last := len(units[i]) - 1; f.State.Present() && !units[i][0].State.Present() {
			units[i][0], units[i][last] = units[i][last], units[i][0]
		}
	}
	return units
}

// unit makes the files of one content available.
func (r *runner) unit(ctx context.Context, files []*File) []FileResult {
	sources := sourcesOf(files[0], r.options)
	for _, f := range files[1:] {
		for _, src := range sourcesOf(f, r.options) {
			if !containsSource(sources, src) {
				sources = append(sources, src)
			}
		}
	}
	results := []FileResult{r.file(ctx, files[0], sources)}
	for _, f := range files[1:] {
		if results[0].Err != nil {
			results = append(results, r.fail(f, results[0].Err.Sources, results[0].Err.Err))
			continue
		}
		results = append(results, r.share(ctx, files[0], f))
	}
	if len(results) > 1 {
		r.renewChecksums(results)
	}
	return results
}

func containsSource(sources []*source, src *source) bool {
	for _, other := range sources {
		if other.url.String() == src.url.String() {
			return true
		}
	}
	return false
}

// fail returns the result of a file that is not available.
func (r *runner) fail(f *File, sources []*SourceError, err error) FileResult {
	e := &FileError{Path: f.Path, Sources: sources, Err: err}
	r.plan.emit(Event{Kind: EventFailed, Path: f.Path, Size: f.Size, Err: e})
	return FileResult{File: f, Err: e}
}

// done returns the result of a file that is available.
func (r *runner) done(f *File, result FileResult, size int64) FileResult {
	result.File, result.Verified, result.size = f, f.SHA256 != "", size
	r.plan.emit(Event{Kind: EventDone, Path: f.Path, Done: size, Size: size, Source: result.Source})
	return result
}

// file makes one file available: it is kept if it is present, otherwise downloaded.
func (r *runner) file(ctx context.Context, f *File, sources []*source) FileResult {
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
	// Another process may have finished the file since the plan was made.
	if found, err := r.plan.examineFile(ctx, root, f, CheckChanged); err == nil && found.state.Present() {
		_ = removeParts(root, f.Name) // nothing needs them any more
		return r.done(f, FileResult{Outcome: OutcomeKept}, found.size)
	}
	if ctx.Err() != nil {
		return r.fail(f, nil, context.Cause(ctx))
	}
	p, err := openPart(root, f.Name, f.SHA256, r.segments.checkpoint)
	if err != nil {
		return r.fail(f, nil, local(err))
	}
	d := &fileDownload{r: r, file: f, part: p, start: time.Now(), resumed: p.received()}
	return d.run(ctx, sources)
}

// stillThere reports whether a file that was present when the plan was made still exists with the same size.
func (r *runner) stillThere(f *File) bool {
	if !f.State.Present() {
		return false
	}
	folders := r.folders
	if f.Dir != r.options.Dir {
		folders = newFolders(f.Dir)
		defer folders.close()
	}
	root, err := folders.open(f.Folder, false)
	if err != nil {
		return false
	}
	file, info, err := openFile(root, f.Name)
	if err != nil {
		return false
	}
	_ = file.Close() // it was not used
	// A process that was killed after it had named the file has left the state of the partial file.
	return info.Size() == f.Size && (folders != r.folders || !isRegular(root, f.Name+stateSuffix))
}
