// Files in the weights folders that no record needs.

package download

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
)

// OrphanKind says what an orphan is.
type OrphanKind uint8

const (
	// OrphanFile is a file that no record names.
	OrphanFile OrphanKind = iota + 1
	// OrphanPartial is the partial file, or its state, of a file that no record names, or that is finished.
	OrphanPartial
	// OrphanSidecar is the checksum file, or another derived file, of a file that does not exist.
	OrphanSidecar
)

// Orphan is a file in a weights folder that no record needs.
type Orphan struct {
	// Path is the path below the weights root, with slashes.
	Path string
	Kind OrphanKind
	// Size is the size in bytes, and Modified the modification time.
	Size     int64
	Modified time.Time

	dir string
}

// Orphans returns the files in the weights folders of Options.Dir that no record needs, sorted by path. It does not
// change anything and does not touch the network.
//
// Records must be all records of the given categories. A folder is searched only if every category that can store files
// in it is given, because the files of the others would be listed. The records must be complete: if a
// [modelref.Reference] has rejected records, or is stale, files may be listed that are needed. The folders of
// categories that are managed elsewhere (lora, ti) are never searched. Symbolic links are listed, but not followed.
func Orphans[R modelref.Record](
	ctx context.Context, categories []modelref.Category, records []*R, options Options,
) ([]Orphan, error) {
	if ctx == nil {
		return nil, fmt.Errorf("download: Orphans: %w", errNilContext)
	}
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	needed := make(map[string]bool)
	for _, record := range ModelRecords(records) {
		for i := range record.Config.Download {
			folder, name, err := FileLocation(record.RecordType, &record.Config.Download[i])
			if err == nil {
				needed[folder+"/"+name] = true
			}
		}
	}
	var out []Orphan
	for _, folder := range searchable(categories) {
		found, err := orphansIn(ctx, options.Dir, folder, needed)
		if err != nil {
			return nil, fmt.Errorf("download: %w", err)
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b Orphan) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// searchable returns the folders whose categories are all given. The folders of purposes need all categories.
func searchable(categories []modelref.Category) []string {
	missing := make(map[string]bool) // folders with a category that is not given
	all := true
	var folders []string
	for _, c := range modelref.Categories() {
		folder := c.WeightsFolder()
		if folder == "" || c.ManagedElsewhere() {
			continue
		}
		if !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
		if !slices.Contains(categories, c) {
			missing[folder], all = true, false
		}
	}
	for _, folder := range purposeFolders {
		if !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
		if !all {
			missing[folder] = true
		}
	}
	slices.Sort(folders)
	return slices.DeleteFunc(folders, func(folder string) bool { return missing[folder] })
}

// orphansIn searches one folder.
func orphansIn(ctx context.Context, dir, folder string, needed map[string]bool) ([]Orphan, error) {
	root, err := os.OpenRoot(filepath.Join(dir, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // it was only a handle
	exists := make(map[string]fs.DirEntry)
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != ".":
			return fs.SkipDir
		case !entry.IsDir():
			exists[name] = entry
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Orphan
	for name, entry := range exists {
		kind := orphanKind(folder, name, needed, exists)
		info, err := entry.Info()
		if kind == 0 || err != nil { // it was removed meanwhile
			continue
		}
		out = append(out, Orphan{Path: folder + "/" + name, Kind: kind, Size: info.Size(), Modified: info.ModTime(), dir: dir})
	}
	return out, nil
}

// orphanKind returns what an orphan is, or 0 for a file that is needed.
func orphanKind(folder, name string, needed map[string]bool, exists map[string]fs.DirEntry) OrphanKind {
	if needed[folder+"/"+name] {
		return 0
	}
	for _, suffix := range []string{stateSuffix, segmentedSuffix, partSuffix} {
		if owner, ok := strings.CutSuffix(name, suffix); ok {
			if needed[folder+"/"+owner] && exists[owner] == nil {
				return 0 // the download will be resumed
			}
			return OrphanPartial
		}
	}
	if owner, ok := strings.CutSuffix(name, identitySuffix); ok {
		if exists[owner] != nil {
			return 0
		}
		return OrphanSidecar
	}
	for _, suffix := range []string{checksumSuffix, oldSumSuffix} {
		stem, ok := strings.CutSuffix(name, suffix)
		if !ok {
			continue
		}
		for other := range exists {
			if other != name && strings.TrimSuffix(other, path.Ext(other)) == stem && needed[folder+"/"+other] {
				return 0
			}
		}
		return OrphanSidecar
	}
	return OrphanFile
}

// Remove deletes the orphan. It is not an error if the file does not exist any more.
func (o *Orphan) Remove() error {
	folder, name, ok := strings.Cut(o.Path, "/")
	if !ok || o.dir == "" {
		return fmt.Errorf("download: %q was not returned by Orphans", o.Path)
	}
	root, err := os.OpenRoot(filepath.Join(o.dir, folder))
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer func() { _ = root.Close() }() // it was only a handle
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("download: %w", err)
	}
	return nil
}
