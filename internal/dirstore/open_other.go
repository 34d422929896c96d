//go:build !unix

// How files are opened on systems other than Unix, which have no named pipes in directories.

package dirstore

const (
	nonBlock         = 0
	canSyncDirectory = false
)
