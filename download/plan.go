// The plan of a download: which files are needed, and what is known about each before any byte is transferred.

package download

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/haidra-org/modelref"
)

// State is the state of a file on disk.
type State uint8

const (
	// StateMissing is a file that does not exist.
	StateMissing State = iota
	// StatePartial is a file of which a part was downloaded.
	StatePartial
	// StateVerified is a file whose SHA-256 is the one in the record.
	StateVerified
	// StateUnverified is an existing file for which the record has no checksum.
	StateUnverified
	// StateMismatch is an existing file whose SHA-256 or size is not the one in the record.
	StateMismatch
)

// Present reports whether the file needs no download: its state is StateVerified or StateUnverified.
func (s State) Present() bool { return s == StateVerified || s == StateUnverified }

// Model is a record that needs a file.
type Model struct {
	Category modelref.Category
	Name     string
	// License is the result of Options.License, or "".
	License string
}

// File is one file of a plan.
type File struct {
	// Path is the path below the weights root, with slashes: Folder/Name.
	Path string
	// Folder is the folder below the weights root, and Name the name in it, with slashes.
	Folder, Name string
	// SHA256 is the checksum in lower-case hex, or "" if no record has one.
	SHA256 string
	// Size is the size in bytes, or -1 if it is not known.
	Size int64
	// Models lists the records that need the file.
	Models []Model
	// URLs lists the URLs in the records, without duplicates, those of slow hosts last. Do not print them without
	// RedactURL.
	URLs []string
	// Slow reports whether every URL is that of a host which is known to be slow.
	Slow bool

	// State is the state on disk when the plan was made.
	State State
	// Received is the number of bytes on disk of a file whose state is StatePartial.
	Received int64
	// Dir is the weights root that has the file, if the file is present.
	Dir string
	// SameAs is the path of another file of the plan with the same checksum, or "". The content is downloaded once:
	// this file becomes a link to the other one, or a copy of it.
	SameAs string
	// Err says why the state on disk could not be determined, or is nil.
	Err error

	declared   bool     // a record has the size
	fast, slow []string // the URLs while the plan is made
}

// Problem is a file that cannot be downloaded.
type Problem struct {
	// Models lists the records that need the file.
	Models []Model
	// FileName is the name in the record.
	FileName string
	// Err is ErrUnsafeName, ErrConflict, ErrNoFolder or ErrNoSource.
	Err error
}

// Summary has the totals of a plan.
type Summary struct {
	// Files is the number of files, including those that cannot be downloaded.
	Files int
	// Present is the number of files that need no download, and Problems the number of those that cannot be planned.
	Present, Problems int
	// Shared is the number of files that are not downloaded because another file has the same content.
	Shared int
	// Unverifiable is the number of files without a checksum in any record.
	Unverifiable int
	// UnknownSizes is the number of files to download whose size is not known. Plan.FetchSizes finds the sizes.
	UnknownSizes int
	// BytesToFetch is the number of bytes to download, without the files of unknown size.
	BytesToFetch int64
	// BytesToStore is the additional space that is needed on the disk, without the files of unknown size. Files
	// that become links need no space.
	BytesToStore int64
	// FreeBytes is the free space on the disk of the weights root, or -1 if it cannot be determined.
	FreeBytes int64
}

// Plan says what a download will do. Its methods may be called concurrently, except for Run, FetchSizes and Verify.
type Plan struct {
	options  Options
	files    []*File
	problems []Problem

	eventMu sync.Mutex
	observe func(Event)
}

// NewPlan returns the plan for the files of records. It reads the disk. By default it hashes a file if there is no ".sha256"
// file beside it, or if the ".sha256" file is older than the file. It does not touch the network, and does not change the
// disk except for ".sha256" files. If a file has no URL, or its name is not safe, Problems lists it, and NewPlan does not
// return an error for it. NewPlan returns an error if an option is invalid, or if ctx is done.
//
// The category of a record is its RecordType. Use [ModelRecords] to combine the records of several categories.
func NewPlan[R modelref.Record](ctx context.Context, records []*R, options Options) (*Plan, error) {
	if ctx == nil {
		return nil, fmt.Errorf("download: NewPlan: %w", errNilContext)
	}
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Plan{options: options, observe: options.OnEvent}
	p.collect(ModelRecords(records))
	if err := p.inspect(ctx, options.Check); err != nil {
		return nil, err
	}
	return p, nil
}

// Files returns the files of the plan in the order of the download: files on slow hosts last.
func (p *Plan) Files() []*File { return slices.Clone(p.files) }

// Problems returns the files of the records that cannot be downloaded.
func (p *Plan) Problems() []Problem { return slices.Clone(p.problems) }

// Dir returns the weights root.
func (p *Plan) Dir() string { return p.options.Dir }

// collector merges the files of all records.
type collector struct {
	options *Options
	byPath  map[string]*File
	order   []*File
	refused map[string]error // by path
	plan    *Plan
}

func (p *Plan) collect(records []*modelref.ModelRecord) {
	c := &collector{options: &p.options, byPath: make(map[string]*File), refused: make(map[string]error), plan: p}
	for _, record := range records {
		model := Model{Category: record.RecordType, Name: record.Name}
		if p.options.License != nil {
			model.License = p.options.License(record)
		}
		for i := range record.Config.Download {
			if err := c.add(model, &record.Config.Download[i]); err != nil {
				p.problems = append(p.problems, Problem{Models: []Model{model}, FileName: record.Config.Download[i].FileName, Err: err})
			}
		}
	}
	c.refuseCaseClashes()
	p.files = c.accepted()
	shareContent(p.files)
}

// add merges one file of one record.
func (c *collector) add(model Model, file *modelref.DownloadRecord) error {
	folder, name, err := FileLocation(model.Category, file)
	if err != nil {
		return err
	}
	sum, err := checksumOf(file)
	if err != nil {
		return err
	}
	key := folder + "/" + name
	f := c.byPath[key]
	if f == nil {
		f = &File{Path: key, Folder: folder, Name: name, Size: -1}
		c.byPath[key] = f
		c.order = append(c.order, f)
	}
	if !slices.Contains(f.Models, model) {
		f.Models = append(f.Models, model)
	}
	if sum != "" && f.SHA256 != "" && sum != f.SHA256 {
		c.refused[key] = fmt.Errorf("%w: %s has different checksums in the records %q and %q",
			ErrConflict, key, f.Models[0].Name, model.Name)
		return nil
	}
	f.SHA256 = cmp.Or(f.SHA256, sum)
	if size, ok := file.SizeBytes.Get(); ok && size >= 0 {
		if f.Size >= 0 && f.Size != size {
			c.refused[key] = fmt.Errorf("%w: %s has different sizes in the records %q and %q",
				ErrConflict, key, f.Models[0].Name, model.Name)
		}
		f.Size, f.declared = size, true
	}
	if !isHTTP(file.FileURL) {
		return nil // a file with a checksum may still come from the gateway or a mirror
	}
	if file.KnownSlowDownload.Or(false) {
		f.slow = appendNew(f.slow, file.FileURL)
	} else {
		f.fast = appendNew(f.fast, file.FileURL)
	}
	return nil
}

// checksumOf returns the checksum of the record in lower case, or "" if the record has none.
func checksumOf(file *modelref.DownloadRecord) (string, error) {
	if !file.HasChecksum() {
		return "", nil
	}
	sum := strings.ToLower(strings.TrimSpace(file.SHA256Sum))
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 32 {
		return "", fmt.Errorf("%w: %q is not a SHA-256 checksum", modelref.ErrChecksumMismatch, shorten(file.SHA256Sum))
	}
	return sum, nil
}

func isHTTP(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func appendNew(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// refuseCaseClashes refuses all files whose paths differ only in case: on some file systems they are one file.
func (c *collector) refuseCaseClashes() {
	first := make(map[string]*File)
	for _, f := range c.order {
		key := caseKey(f.Path)
		other := first[key]
		if other == nil {
			first[key] = f
			continue
		}
		err := fmt.Errorf("%w: %s and %s differ only in case", ErrUnsafeName, other.Path, f.Path)
		c.refused[other.Path], c.refused[f.Path] = err, err
	}
}

// accepted returns the files that can be downloaded and reports the others as problems.
func (c *collector) accepted() []*File {
	var files []*File
	for _, f := range c.order {
		f.URLs = append(slices.Clone(f.fast), f.slow...)
		f.Slow = len(f.fast) == 0 && len(f.slow) > 0
		err := c.refused[f.Path]
		if err == nil && len(c.sources(f)) == 0 {
			err = ErrNoSource
		}
		if err == nil {
			files = append(files, f)
			continue
		}
		c.plan.problems = append(c.plan.problems, Problem{Models: f.Models, FileName: f.Name, Err: err})
	}
	slices.SortStableFunc(files, func(a, b *File) int { return cmp.Compare(asInt(a.Slow), asInt(b.Slow)) })
	return files
}

func (c *collector) sources(f *File) []*source { return sourcesOf(f, c.options) }

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shareContent sets SameAs of the files whose content another file has.
func shareContent(files []*File) {
	first := make(map[string]*File)
	for _, f := range files {
		if f.SHA256 == "" {
			continue
		}
		if other := first[f.SHA256]; other != nil {
			f.SameAs = other.Path
			if other.Size < 0 {
				other.Size = f.Size
			}
			f.Size = cmp.Or(other.Size, f.Size)
		} else {
			first[f.SHA256] = f
		}
	}
}

// Summary returns the totals of the plan, and the free disk space.
func (p *Plan) Summary() Summary {
	s := Summary{Files: len(p.files) + len(p.problems), Problems: len(p.problems), FreeBytes: -1}
	present := make(map[string]bool) // the checksums that are on disk, or are downloaded for another file
	for _, f := range p.files {
		if f.State.Present() && f.SHA256 != "" {
			present[f.SHA256] = true
		}
	}
	for _, f := range p.files {
		if f.SHA256 == "" {
			s.Unverifiable++
		}
		switch {
		case f.State.Present():
			s.Present++
		case f.SHA256 != "" && present[f.SHA256]:
			s.Shared++
		default:
			if f.SHA256 != "" {
				present[f.SHA256] = true
			}
			if f.Size < 0 {
				s.UnknownSizes++
				continue
			}
			remaining := max(f.Size-f.Received, 0)
			s.BytesToFetch += remaining
			s.BytesToStore += remaining
		}
	}
	if free, err := freeBytes(existingParent(p.options.Dir)); err == nil {
		s.FreeBytes = free
	}
	return s
}

// FetchSizes sends HEAD requests for the files to download whose size is not known, and sets their sizes. It returns an
// error only if ctx is done: a server that does not report the size is not an error.
func (p *Plan) FetchSizes(ctx context.Context) error {
	if ctx == nil {
		return fmt.Errorf("download: FetchSizes: %w", errNilContext)
	}
	r := newRunner(p)
	defer r.close()
	var group errgroup.Group
	group.SetLimit(p.options.Jobs)
	for _, f := range p.files {
		if f.Size >= 0 || f.State.Present() || f.SameAs != "" {
			continue
		}
		group.Go(func() error {
			for _, src := range sourcesOf(f, &p.options) {
				if size, err := r.fetchSize(ctx, src); err == nil && size >= 0 {
					f.Size = size
					break
				}
			}
			return nil
		})
	}
	if err := errors.Join(group.Wait(), context.Cause(ctx)); err != nil {
		return err
	}
	shareSizes(p.files)
	return nil
}

// shareSizes copies the sizes to the files with the same content.
func shareSizes(files []*File) {
	sizes := make(map[string]int64)
	for _, f := range files {
		if f.SHA256 != "" && f.Size >= 0 {
			sizes[f.SHA256] = f.Size
		}
	}
	for _, f := range files {
		if size, ok := sizes[f.SHA256]; ok && f.Size < 0 {
			f.Size = size
		}
	}
}
