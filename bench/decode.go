package bench

// This file measures decoding: a document in memory becomes records.

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing/fstest"

	"github.com/haidra-org/modelref"
)

// roomy lets a generated document of any size through.
const roomy = 4 << 30

// decodeGroup decodes a document that is in memory. What stands for modelref is the shortest way that it offers its
// users: a client whose only source is a file in memory, made anew each time, because it would not read the file twice.
// So the making of a client and of a copy of the document count against it.
func decodeGroup[P any](d *document) Group {
	g := Group{Name: "Decode/category=" + string(d.category) + "/" + d.label, Bytes: len(d.body)}
	files := oneFile{name: string(d.category) + ".json", body: d.body}
	g.Cases = append(g.Cases, Case{By: ours, Open: func() (func() error, func(), error) {
		return func() error {
			client, err := fileClient(files)
			if err != nil {
				return err
			}
			n, err := load(client, d.category)
			return errors.Join(err, wantRecords(n, d.records), client.Close())
		}, nil, nil
	}})
	for _, by := range decoders {
		g.Cases = append(g.Cases, Case{By: by.name, Inexact: true, Open: func() (func() error, func(), error) {
			data := []byte(d.body)
			return func() error {
				var records map[string]P
				err := by.unmarshal(data, &records)
				return errors.Join(err, wantRecords(len(records), d.records))
			}, nil, nil
		}})
	}
	return g
}

// fileClient returns a client that reads files and nothing else.
func fileClient(files fs.FS) (*modelref.Client, error) {
	return modelref.New(modelref.WithBootstrap(files), modelref.WithOffline(), modelref.WithoutGitHub(),
		modelref.WithMaxBodyBytes(roomy))
}

// load reads one of the two large categories and returns the number of its records.
func load(client *modelref.Client, category modelref.Category) (int, error) {
	if category == modelref.CategoryTextGeneration {
		ref, err := client.TextGeneration.Load(context.Background())
		return ref.Len(), err
	}
	ref, err := client.ImageGeneration.Load(context.Background())
	return ref.Len(), err
}

func wantRecords(got, want int) error {
	if got != want {
		return errors.New("wrong number of records")
	}
	return nil
}

// oneFile is a file system with one file in it, which is read without being copied first.
type oneFile struct{ name, body string }

func (f oneFile) Open(name string) (fs.File, error) {
	if name != f.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	info, err := fstest.MapFS{name: &fstest.MapFile{}}.Stat(name)
	return &openFile{Reader: strings.NewReader(f.body), info: sized{info, int64(len(f.body))}}, err
}

type openFile struct {
	*strings.Reader
	info fs.FileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type sized struct {
	fs.FileInfo
	size int64
}

func (s sized) Size() int64 { return s.size }
