// How a project tests its own code: a fake PRIMARY with records of the test's own, faults on demand, and a clock that
// jumps. Nothing here needs a network, and nothing waits.

package picker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// image makes a record of what these tests are about.
func image(name string, bytes int64, nsfw bool) *modelref.ImageGenerationRecord {
	return &modelref.ImageGenerationRecord{
		ModelRecord: modelref.ModelRecord{
			Name:            name,
			SizeOnDiskBytes: modelref.Some(bytes),
			Config: modelref.RecordConfig{Download: []modelref.DownloadRecord{
				{FileName: name, FileURL: "https://example.org/" + name},
			}},
		},
		Baseline: modelref.BaselineFlux1,
		NSFW:     nsfw,
	}
}

func fluxRecords() modelreftest.Option {
	return modelreftest.WithRecords(modelref.CategoryImageGeneration,
		image("small", 10, false), image("large", 30, false), image("bold", 20, true))
}

// The plain case: records of the test's own, a client that reads them, and the code under test.
func TestPick(t *testing.T) {
	t.Parallel()
	picker := New(modelreftest.NewServer(t, fluxRecords()).Client(t))
	for name, test := range map[string]struct {
		wish Wish
		want string
	}{
		"the largest that fits": {Wish{modelref.BaselineFlux1, 100, false}, "large"},
		"room for less":         {Wish{modelref.BaselineFlux1, 29, false}, "small"},
		"all are allowed":       {Wish{modelref.BaselineFlux1, 29, true}, "bold"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pick, err := picker.Pick(t.Context(), test.wish)
			require.NoError(t, err)
			assert.Equal(t, Pick{Name: test.want, URL: "https://example.org/" + test.want}, pick)
		})
	}
	for _, wish := range []Wish{{modelref.BaselineFlux1, 9, true}, {modelref.BaselineStableCascade, 100, true}} {
		_, err := picker.Pick(t.Context(), wish)
		assert.ErrorIs(t, err, ErrNothingFits)
	}
}

// Without options the server has made-up models of every kind, enough to see that something works.
func TestPickAmongTheBuiltInModels(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	pick, err := New(server.Client(t)).Pick(t.Context(), Wish{modelref.BaselineStableDiffusion1, 3e9, false})
	require.NoError(t, err)
	assert.Equal(t, "Inkwell", pick.Name)
	assert.Len(t, server.Requests(), 1, "one pick is one request")
}

// Faults can be scripted one request at a time. In a bubble of synctest the pauses between attempts take no time.
func TestPickRidesOutAHiccup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := modelreftest.NewServer(t, fluxRecords(), modelreftest.InMemory())
		server.Script(modelreftest.Documents, modelreftest.Status(503), modelreftest.Reset(), modelreftest.OK())
		pick, err := New(server.Client(t)).Pick(t.Context(), Wish{modelref.BaselineFlux1, 100, false})
		require.NoError(t, err)
		assert.Equal(t, "large", pick.Name)
		assert.False(t, pick.Doubtful)
		assert.Len(t, server.Requests(), 3)
	})
}

// A fault can stay. GitHub stands in for the PRIMARY; with GitHub gone too there is nothing to pick from.
func TestPickDuringAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := modelreftest.NewServer(t, fluxRecords(), modelreftest.InMemory())
		server.Break(modelreftest.Primary, modelreftest.Refused())
		wish := Wish{modelref.BaselineFlux1, 100, false}
		pick, err := New(server.Client(t)).Pick(t.Context(), wish)
		require.NoError(t, err)
		assert.Equal(t, "large", pick.Name, "from GitHub")

		server.Break(modelreftest.GitHub, modelreftest.DNSFailure())
		_, err = New(server.Client(t)).Pick(t.Context(), wish)
		assert.ErrorIs(t, err, modelref.ErrUnavailable)
		var fetch *modelref.FetchError
		require.ErrorAs(t, err, &fetch)
		assert.Len(t, fetch.Sources, 2)
	})
}

// Time in a bubble is the test's own: a TTL passes at once, and what the PRIMARY has changed is seen.
func TestPickSeesANewModelAfterTheTTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := modelreftest.NewServer(t, fluxRecords(), modelreftest.InMemory())
		picker := New(server.Client(t))
		wish := Wish{modelref.BaselineFlux1, 100, false}
		pick, err := picker.Pick(t.Context(), wish)
		require.NoError(t, err)
		assert.Equal(t, "large", pick.Name)

		server.SetDocument(modelref.CategoryImageGeneration,
			`{"new": {"name": "new", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 40}}`)
		pick, err = picker.Pick(t.Context(), wish)
		require.NoError(t, err)
		assert.Equal(t, "large", pick.Name, "the TTL is not over")

		time.Sleep(time.Minute)
		pick, err = picker.Pick(t.Context(), wish)
		require.NoError(t, err)
		assert.Equal(t, "new", pick.Name)

		server.Break(modelreftest.Primary, modelreftest.Status(503))
		time.Sleep(time.Minute)
		pick, err = picker.Pick(t.Context(), wish)
		require.NoError(t, err)
		assert.Equal(t, "new", pick.Name)
		assert.True(t, pick.Doubtful, "the last good copy, which nobody could confirm")
	})
}
