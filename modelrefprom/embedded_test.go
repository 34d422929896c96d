// This file has a file system whose files have no time, like those of package embed.

package modelrefprom_test

import (
	"io/fs"
	"testing/fstest"
)

type embedded struct{}

func (embedded) Open(name string) (fs.File, error) {
	return fstest.MapFS{"clip.json": {Data: []byte(`{"A": {"name": "A"}}`)}}.Open(name)
}
