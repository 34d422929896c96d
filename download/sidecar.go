// The checksum file beside a file, in the format of sha256sum: when it is trusted, and how it is written.

package download

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"
)

// checksumPath returns the path of the checksum file: the last suffix of the name is replaced.
func checksumPath(name string) string {
	base := path.Base(name)
	if ext := path.Ext(base); ext != "" && ext != base {
		name = strings.TrimSuffix(name, ext)
	}
	return name + checksumSuffix
}

// readChecksum returns the checksum in the checksum file of name. It returns false if the checksum file is missing,
// malformed or that of another file, or is not newer than the last change of the file described by info.
func readChecksum(root *os.Root, name string, info os.FileInfo) (string, bool) {
	sidecar := checksumPath(name)
	stat, err := root.Stat(sidecar)
	if err != nil || !stat.Mode().IsRegular() || !stat.ModTime().After(lastChange(info)) {
		return "", false
	}
	sum, owner, err := parseChecksum(root, sidecar)
	if err != nil || !ownsChecksum(name, owner) {
		return "", false
	}
	return sum, true
}

// parseChecksum returns the checksum in lower case and the file name in a checksum file.
func parseChecksum(root *os.Root, sidecar string) (sum, owner string, err error) {
	file, err := root.Open(sidecar)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, 4<<10))
	if err != nil {
		return "", "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	sum, owner, _ = strings.Cut(strings.TrimSpace(line), " ")
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 32 {
		return "", "", errors.New("not a SHA-256 checksum")
	}
	return strings.ToLower(sum), strings.TrimPrefix(strings.TrimSpace(owner), "*"), nil
}

// ownsChecksum reports whether a checksum file that names owner can be that of the file name. Old programs write the
// name of the checksum file itself, or no name.
func ownsChecksum(name, owner string) bool {
	return owner == "" || owner == path.Base(name) || owner == path.Base(checksumPath(name))
}

// writeChecksum writes the checksum file of name, so that it is newer than the state of the file described by info, but
// not newer than any later change. It does nothing if the checksum file belongs to another existing file.
func writeChecksum(root *os.Root, name, sum string, info os.FileInfo) error {
	sidecar := checksumPath(name)
	if _, owner, err := parseChecksum(root, sidecar); err == nil && !ownsChecksum(name, owner) {
		if _, err := root.Stat(path.Join(path.Dir(name), owner)); err == nil {
			return nil
		}
	}
	if err := replaceFile(root, sidecar, fmt.Appendf(nil, "%s *%s", sum, path.Base(name)), true); err != nil {
		return err
	}
	changed := lastChange(info)
	// The Python library compares times in steps of a quarter of a microsecond. A file system may have larger steps.
	for _, step := range []time.Duration{time.Microsecond, 10 * time.Millisecond, 2 * time.Second} {
		if err := root.Chtimes(sidecar, time.Time{}, changed.Add(step)); err != nil {
			return err
		}
		stat, err := root.Stat(sidecar)
		if err != nil {
			return err
		}
		if stat.ModTime().After(changed) {
			break
		}
	}
	return nil
}

// writeNewChecksum writes the checksum file of a file that was just written.
func writeNewChecksum(root *os.Root, name, sum string) error {
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	return writeChecksum(root, name, sum, info)
}

// replaceFile writes a small file so that a reader sees the old content or the new one. If durable is set, the content
// is on the disk before it becomes visible.
func replaceFile(root *os.Root, name string, content []byte, durable bool) (err error) {
	temp := name + ".tmp"                                                       // the caller holds the lock of the file
	file, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666) // the umask restricts the mode
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil && durable {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		_ = root.Remove(temp) // the first error is the one to report
	}
	return err
}

// lastChange returns the time of the last change of the content or the metadata of a file.
func lastChange(info os.FileInfo) time.Time {
	modified, changed := info.ModTime(), changeTime(info)
	if changed.After(modified) {
		return changed
	}
	return modified
}
