// The bootstrap as a source: documents that the program brings along.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
	"github.com/haidra-org/modelref/internal/httpx"
)

// bootstrapSource is the file system of [WithBootstrap].
type bootstrapSource struct {
	documents fs.FS
	maxBody   int64
	limit     time.Duration // for reading a file, because a file system can hang
	running   *sync.WaitGroup
}

// fetch reads the document of a category. It is confirmed when its file was last written.
func (b *bootstrapSource) fetch(ctx context.Context, r fetchRequest) (fetchResult, error) {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	type file struct {
		body string
		at   time.Time
	}
	read, err := await(ctx, b.running, 0, func() (file, error) {
		body, at, err := readBootstrap(b.documents, bootstrapFile(r.info), b.maxBody)
		return file{body, at}, err
	})
	if err != nil {
		return fetchResult{}, err
	}
	body, at := read.body, read.at
	ref, err := r.decode(body, metadata{
		category: r.info.category, origin: SourceBootstrap, fetchedAt: at, confirmedAt: clock.At(at),
	})
	if err != nil {
		return fetchResult{}, err
	}
	doc := &document{ref: ref, validators: validators{Source: SourceBootstrap}}
	return fetchResult{doc: doc, confirmedAt: clock.At(at)}, nil
}

// bootstrapFile returns the name of the file of a category, or that of a catalog, which is the same as in a cache directory.
func bootstrapFile(info *categoryInfo) string {
	if info.isCatalog() {
		return info.file()
	}
	return string(info.category) + ".json"
}

// checkBootstrap returns an error if no category can be read from the bootstrap.
func checkBootstrap(documents fs.FS) error {
	if isNil(documents) {
		return errors.New("the file system must not be nil")
	}
	for i := range categoryInfos {
		if _, err := fs.Stat(documents, bootstrapFile(&categoryInfos[i])); !errors.Is(err, fs.ErrNotExist) {
			return nil // if it cannot be read, the read returns the error
		}
	}
	return fmt.Errorf("the root has no document such as %s.json: it must have the file of one category at least", CategoryImageGeneration)
}

// readBootstrap returns a file and its modification time, which is the zero time for embedded files.
func readBootstrap(documents fs.FS, name string, limit int64) (string, time.Time, error) {
	file, err := documents.Open(name)
	if err != nil {
		return "", time.Time{}, err
	}
	defer func() { _ = file.Close() }() // it was only read
	var (
		body strings.Builder
		at   time.Time
	)
	if info, err := file.Stat(); err == nil {
		at = info.ModTime()
		body.Grow(int(min(max(info.Size(), 0), limit)))
	}
	n, err := io.Copy(&body, io.LimitReader(file, limit+1))
	if err == nil && n > limit {
		err = &httpx.BodyTooLargeError{Limit: limit}
	}
	if err != nil {
		return "", time.Time{}, err
	}
	return body.String(), at, nil
}
