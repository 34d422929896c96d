// This file exports internal functions for the tests.

package download

import "time"

// WithSmallSegments returns options with which small files have segments.
func WithSmallSegments(o Options, first, largest, smallest, checkpoint int64) Options {
	o.segments = segmentSizes{first: first, largest: largest, smallest: smallest, checkpoint: checkpoint}
	return o
}

// WithFastRate returns options that use only one connection, if this connection delivers fast bytes per second after
// the time settle.
func WithFastRate(o Options, settle time.Duration, fast int64) Options {
	o.segments.settle, o.segments.fast = settle, fast
	return o
}

// WithRetryDelay returns options with another delay after the first failure.
func WithRetryDelay(o Options, d time.Duration) Options {
	o.retryDelay = d
	return o
}

// ChecksumPath returns the path of the checksum file of a file.
func ChecksumPath(name string) string { return checksumPath(name) }

// SafeName checks a file name from the network.
func SafeName(name string) (string, error) { return safeName(name) }
