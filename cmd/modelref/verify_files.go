// The files that verify looks at: where they are expected, their states, and the reasons for the states.

package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// The states of a file.
const (
	fileOK         = "ok"
	fileMismatch   = "mismatch"
	fileMissing    = "missing"
	fileNoChecksum = "no checksum" // the longest name of a state
	fileUnsafe     = "unsafe"
	fileUnreadable = "unreadable"
	fileExtra      = "extra"
)

// wrong reports whether a file in this state makes the exit code 3.
func (f verifyFlags) wrong(state string) bool {
	switch state {
	case fileOK, fileNoChecksum, fileExtra:
		return false
	case fileMissing:
		return f.missing || len(f.models) > 0
	default:
		return true
	}
}

// checkedFile is the result for one file of one record, as JSON.
type checkedFile struct {
	State    string            `json:"state"`
	Category modelref.Category `json:"category,omitempty"`
	Model    string            `json:"model,omitempty"`
	File     string            `json:"file"`           // the name in the record
	Path     string            `json:"path,omitempty"` // below DIR, with slashes; "" if the name is unsafe
	Size     int64             `json:"size_bytes"`
	Expected string            `json:"expected_sha256,omitempty"`
	Actual   string            `json:"actual_sha256,omitempty"`
	Hashed   bool              `json:"hashed"` // the content was read in this run
	Reason   string            `json:"reason,omitempty"`

	modelSize int64 // the size of the model in the record, if this is its only file; else 0
	doubtful  bool  // another record has another checksum or size for the path
}

// target is one file on disk, or a file name that cannot be used.
type target struct {
	file    download.File
	rows    []checkedFile // one for each record that needs the file
	pending bool          // the content must be read

	inspection *download.Inspection // nil if there is none
	state      string               // the state if there is no inspection
	reason     string               // the reason for state, or why the record's checksum cannot be used
}

// add notes the files of a record.
func (v *verification) add(category modelref.Category, name string, record *modelref.ModelRecord) {
	v.known[name] = true
	v.records = append(v.records, record)
	if len(v.flags.models) > 0 && !slices.Contains(v.flags.models, name) {
		return
	}
	for i := range record.Config.Download {
		d := &record.Config.Download[i]
		row := checkedFile{Category: category, Model: name, File: d.FileName}
		if len(record.Config.Download) == 1 {
			row.modelSize = record.SizeOnDiskBytes.Or(0)
		}
		v.addFile(row, d)
	}
}

// addFile adds a file of a record to the target with the same path and content, or to a new one.
func (v *verification) addFile(row checkedFile, d *modelref.DownloadRecord) {
	folder, name, err := v.location(row.Category, d)
	if err != nil {
		t := &target{rows: []checkedFile{row}, state: fileUnsafe, reason: err.Error()}
		if errors.Is(err, download.ErrNoFolder) {
			t.state = fileMissing
		}
		v.targets = append(v.targets, t)
		return
	}
	sum, reason := checksumOf(d)
	row.Path, row.Expected = strings.TrimPrefix(folder+"/"+name, "/"), sum
	size := d.SizeBytes.Or(-1)
	key := fmt.Sprintf("%s %d %s", sum, size, row.Path)
	t := v.byKey[key]
	if t == nil {
		t = &target{file: download.File{Path: row.Path, Folder: folder, Name: name, SHA256: sum, Size: size}, reason: reason}
		v.byKey[key] = t
		v.targets = append(v.targets, t)
		v.paths[row.Path]++
	}
	t.rows = append(t.rows, row)
}

// location returns the folder below the directory, and the name in it.
func (v *verification) location(category modelref.Category, d *modelref.DownloadRecord) (folder, name string, err error) {
	if !v.flags.flat {
		return download.FileLocation(category, d)
	}
	_, name, err = download.FileLocation(modelref.CategoryImageGeneration, d) // any category that has a folder
	return "", name, err
}

// checksumOf returns the checksum of a record in lower case. If it cannot be used, it returns "" and the reason.
func checksumOf(d *modelref.DownloadRecord) (sum, reason string) {
	if !d.HasChecksum() {
		return "", ""
	}
	sum = strings.ToLower(strings.TrimSpace(d.SHA256Sum))
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 32 {
		return "", fmt.Sprintf("the record's checksum %.80q is not a SHA-256", d.SHA256Sum)
	}
	return sum, ""
}

// inspect finds out what is known of the files without reading them.
func (v *verification) inspect(ctx context.Context) {
	for _, t := range v.targets {
		if t.state != "" {
			continue
		}
		t.pending = true
		if ctx.Err() != nil {
			continue // after an interrupt, nothing is known of the file
		}
		var err error
		if t.inspection, err = download.Inspect(v.dir, &t.file); err != nil {
			t.fail(err)
			continue
		}
		t.pending = t.inspection.NeedsHash()
		switch t.inspection.State {
		case download.StateVerified, download.StateMismatch:
			t.pending = t.pending || v.flags.rehash && t.file.SHA256 != ""
		default:
		}
	}
}

// fail makes a file unreadable.
func (t *target) fail(err error) {
	t.pending, t.inspection, t.state = false, nil, fileUnreadable
	t.reason = strings.TrimPrefix(err.Error(), "download: ")
}

func (v *verification) bytesToHash() (n int64) {
	for _, t := range v.targets {
		if t.pending && t.inspection != nil {
			n += t.inspection.Size
		}
	}
	return n
}

// hash reads a file. If ctx is done before the end, the file stays pending.
func (v *verification) hash(ctx context.Context, t *target, bar *hashBar) {
	size := t.inspection.Size
	bar.file(t.file.Path)
	err := t.inspection.Hash(ctx, bar.progress)
	bar.fileDone(size)
	if err != nil {
		if ctx.Err() == nil {
			t.fail(err)
		}
		return
	}
	t.pending = false
	v.read++
	v.readBytes += t.inspection.Size
	if t.inspection.Warning != nil && t.inspection.State == download.StateVerified {
		v.unstored++
		if v.storeError == nil {
			v.storeError = t.inspection.Warning
		}
	}
}

// outcome returns the state of a file that is not pending, and the reason.
func (t *target) outcome() (state, reason string) {
	if t.inspection == nil {
		return t.state, t.reason
	}
	switch t.inspection.State {
	case download.StateVerified:
		return fileOK, ""
	case download.StateUnverified:
		return fileNoChecksum, t.reason
	case download.StateMismatch:
		return fileMismatch, t.mismatch()
	case download.StatePartial:
		return fileMissing, modelref.FormatSize(t.inspection.Received) + " of it were downloaded: modelref download continues"
	default:
		return fileMissing, "there is no such file"
	}
}

// mismatch says what differs.
func (t *target) mismatch() string {
	i := t.inspection
	var parts []string
	if i.SHA256 != "" && i.SHA256 != t.file.SHA256 {
		parts = append(parts, fmt.Sprintf("expected %.12s, is %.12s", t.file.SHA256, i.SHA256))
	}
	switch {
	case i.Size == 0:
		parts = append(parts, "the file is empty")
	case t.file.Size >= 0 && t.file.Size != i.Size:
		parts = append(parts, sizeDifference(i.Size, t.file.Size))
	}
	if i.Warning != nil {
		parts = append(parts, fmt.Sprintf(`the ".sha256" file is wrong and cannot be removed: %v`, i.Warning))
	}
	return strings.Join(parts, "; ")
}

// sizeDifference compares the size of a file with the one in the record.
func sizeDifference(size, expected int64) string {
	comparison := "larger"
	difference := size - expected
	if difference < 0 {
		comparison, difference = "smaller", -difference
	}
	return fmt.Sprintf("%s, %s %s than in the record", modelref.FormatSize(size), modelref.FormatSize(difference), comparison)
}

// rows returns the results of a file that is not pending, one for each record that needs the file.
func (v *verification) rows(t *target) []checkedFile {
	out := slices.Clone(t.rows)
	for i := range out {
		row := &out[i]
		row.State, row.Reason = t.outcome()
		row.doubtful = v.paths[row.Path] > 1
		if t.inspection != nil {
			row.Size, row.Actual, row.Hashed = t.inspection.Size, t.inspection.SHA256, t.inspection.Hashed
		}
		if row.State != fileMismatch {
			continue
		}
		if t.file.Size < 0 && row.modelSize > 0 && row.Size > 0 && row.modelSize != row.Size {
			row.Reason += "; " + sizeDifference(row.Size, row.modelSize)
		}
		if row.doubtful {
			row.Reason += "; another record expects another content at this path"
		}
	}
	return out
}
