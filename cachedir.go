// The Store in a cache directory: each category has a file, named as the Python library names it.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/haidra-org/modelref/internal/dirstore"
)

// directory is the Store of WithCacheDir. The catalogs have a directory each inside of it.
type directory struct {
	*dirstore.Dir
	inner map[string]*dirstore.Dir
}

// DirectoryStore returns the Store that WithCacheDir uses, for programs that wrap it in a Store of their own. It creates
// the directory if it does not exist. It returns an error if the directory cannot be created. If files cannot be written to
// the directory, the Store can be read, and its other methods return errors.
func DirectoryStore(path string) (Store, error) {
	if path == "" {
		return nil, errors.New("modelref: DirectoryStore: the path must not be empty")
	}
	dir, err := newDirectory(path)
	if err != nil {
		return nil, fmt.Errorf("modelref: DirectoryStore: the path must name a directory that exists or can be created: %w", err)
	}
	return dir, nil
}

func newDirectory(path string) (*directory, error) {
	dir, err := dirstore.Open(path)
	if err != nil {
		return nil, err
	}
	d := &directory{dir, map[string]*dirstore.Dir{}}
	for i := range catalogInfos {
		name, _, _ := strings.Cut(catalogInfos[i].file(), "/")
		if d.inner[name], err = dir.Sub(name); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// locate returns the directory and the name of the file of a category or a catalog. The names are constants: no name from the
// network selects a file.
func (d *directory) locate(category Category) (*dirstore.Dir, string, error) {
	info, ok := documentInfo(category)
	if !ok {
		return nil, "", fmt.Errorf("%w: %q", ErrUnknownCategory, category)
	}
	if inner, name, found := strings.Cut(info.file(), "/"); found {
		return d.inner[inner], name, nil
	}
	return d.Dir, info.file(), nil
}

// Read returns the document and its provenance.
func (d *directory) Read(ctx context.Context, category Category, maxBytes int64) (StoreEntry, error) {
	dir, name, err := d.locate(category)
	if err != nil {
		return StoreEntry{}, err
	}
	document, provenance, modTime, err := dir.Read(ctx, name, maxBytes)
	if err != nil {
		return StoreEntry{}, err
	}
	return StoreEntry{Document: document, Provenance: provenance, ModTime: modTime}, nil
}

// ReadProvenance returns the provenance of the document.
func (d *directory) ReadProvenance(ctx context.Context, category Category) (string, error) {
	dir, name, err := d.locate(category)
	if err != nil {
		return "", err
	}
	return dir.ReadProvenance(ctx, name)
}

// Write replaces the document and its provenance.
func (d *directory) Write(ctx context.Context, category Category, document, provenance string) error {
	dir, name, err := d.locate(category)
	if err != nil {
		return err
	}
	return dir.Write(ctx, name, document, provenance)
}

// WriteProvenance replaces the provenance of the document.
func (d *directory) WriteProvenance(ctx context.Context, category Category, provenance string) error {
	dir, name, err := d.locate(category)
	if err != nil {
		return err
	}
	return dir.WriteProvenance(ctx, name, provenance)
}

// TryLock locks the category's lock file. The operating system releases the lock when the process ends, so the lease is
// not needed.
func (d *directory) TryLock(ctx context.Context, category Category, _ time.Duration) (release func(), err error) {
	dir, name, err := d.locate(category)
	if err != nil {
		return nil, err
	}
	return dir.TryLock(ctx, name)
}
