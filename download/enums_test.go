// The text forms of the enumerations.

package download_test

import (
	"encoding"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/download"
)

// checkEnum checks that the values have the given names in JSON, and that the names are read back.
func checkEnum[E comparable, P interface {
	*E
	encoding.TextUnmarshaler
}](t *testing.T, first E, values []E, names ...string) {
	t.Helper()
	encoded, err := json.Marshal(values)
	require.NoError(t, err)
	want, err := json.Marshal(names)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(encoded))
	var back []E
	require.NoError(t, json.Unmarshal(encoded, &back))
	assert.Equal(t, values, back)
	require.ErrorContains(t, P(&first).UnmarshalText([]byte("nope")), "download: \"nope\" is not a ")
}

func TestEnumerationsAsText(t *testing.T) {
	t.Parallel()
	checkEnum(t, download.CheckChanged, []download.Check{download.CheckChanged, download.CheckContent}, "changed", "content")
	checkEnum(t, download.StateMissing, []download.State{
		download.StateMissing, download.StatePartial, download.StateVerified, download.StateUnverified, download.StateMismatch,
	}, "missing", "partial", "verified", "unverified", "mismatch")
	checkEnum(t, download.OutcomeFailed, []download.Outcome{
		download.OutcomeFailed, download.OutcomeKept, download.OutcomeDownloaded, download.OutcomeLinked,
	}, "failed", "kept", "downloaded", "linked")
	checkEnum(t, download.OrphanFile, []download.OrphanKind{
		download.OrphanFile, download.OrphanPartial, download.OrphanSidecar,
	}, "file", "partial", "sidecar")
	checkEnum(t, download.EventDone, []download.EventKind{
		download.EventVerifying, download.EventStarted, download.EventProgress, download.EventWaiting, download.EventRestarted,
		download.EventSourceFailed, download.EventDone, download.EventFailed, download.EventWarning,
	}, "verifying", "started", "progress", "waiting", "restarted", "source_failed", "done", "failed", "warning")
	assert.Equal(t, "State(200)", download.State(200).String())
}
