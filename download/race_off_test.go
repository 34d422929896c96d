//go:build !race

package download_test

// raceDetector reports whether the race detector is enabled.
const raceDetector = false
