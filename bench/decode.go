package bench

// This file measures the decoding of a document in memory.

import (
	"errors"
	"io/fs"
	"strings"
	"testing/fstest"

	"github.com/haidra-org/modelref"
)

// roomy is a size limit that is large enough for every generated document.
const roomy = 4 << 30

// decodeGroup decodes a document in memory into the records of modelref and into plain records.
func decodeGroup[R modelref.Record, P any](d *document) Group {
	g := Group{Name: "Decode/category=" + string(d.category) + "/" + d.label, Bytes: len(d.body)}
	g.Cases = append(g.Cases, Case{By: ours, Open: func() (func() error, func(), error) {
		return func() error {
			ref, err := modelref.DecodeDocument[R](d.category, d.body)
			return errors.Join(err, wantRecords(ref.Len(), d.records))
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

// fileClient returns a client that only reads files.
func fileClient(files fs.FS) (*modelref.Client, error) {
	return modelref.New(modelref.WithBootstrap(files), modelref.WithOffline(), modelref.WithoutGitHub(),
		modelref.WithMaxBodyBytes(roomy))
}

func wantRecords(got, want int) error {
	if got != want {
		return errors.New("wrong number of records")
	}
	return nil
}

// oneFile is a file system with one file, which is read without copying it. All other files contain an empty document.
type oneFile struct{ name, body string }

func (f oneFile) Open(name string) (fs.File, error) {
	if name != f.name {
		f = oneFile{name, "{}"}
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
