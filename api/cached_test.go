// The catalogs that the Client caches.

package api_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
	"github.com/haidra-org/modelref/modelreftest"
)

const oneProfile = `{"metadata": {"revision": 2}, "profiles": {"chatml": {"profile_id": "chatml", "kind": "prompt_contract",
	"display_name": "ChatML"}}, "assignments": {"Org/A": {"model_name": "Org/A", "primary_profile_id": "chatml"}}}`

func TestLoadReturnsWhatExportReturns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := modelreftest.NewServer(t, modelreftest.InMemory(), modelreftest.WithLicensing(bigLicensing(3, 5)),
			modelreftest.WithGuidance(oneProfile))
		a := api.New(server.Client(t))
		licensing, err := a.Licensing.Export(t.Context())
		require.NoError(t, err)
		guidance, err := a.Guidance.Export(t.Context())
		require.NoError(t, err)
		baselines, err := a.Baselines.Export(t.Context())
		require.NoError(t, err)
		server.ResetRequests()

		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 5 {
					cachedLicensing, err := a.Licensing.Load(t.Context())
					assert.NoError(t, err)
					assert.Equal(t, licensing, cachedLicensing)
					cachedGuidance, err := a.Guidance.Load(t.Context())
					assert.NoError(t, err)
					assert.Equal(t, guidance, cachedGuidance)
					cachedBaselines, err := a.Baselines.Load(t.Context())
					assert.NoError(t, err)
					assert.Equal(t, baselines, cachedBaselines)
				}
			})
		}
		wg.Wait()
		assert.Len(t, server.Requests(), 3, "one load for each catalog")

		first, err := a.Licensing.Load(t.Context())
		require.NoError(t, err)
		time.Sleep(61 * time.Second)
		again, err := a.Licensing.Load(t.Context())
		require.NoError(t, err)
		assert.Same(t, first, again, "a document that is confirmed is not decoded again")
		server.SetLicensing(bigLicensing(4, 6))
		refreshed, err := a.Licensing.Load(t.Context(), modelref.WithRefresh())
		require.NoError(t, err)
		assert.Len(t, refreshed.Licenses, 4)
		assert.Equal(t, 6, refreshed.Metadata.Revision)
		assert.Len(t, first.Licenses, 3, "what was returned before does not change")
	})
}

func TestLoadFromAnOlderDeployment(t *testing.T) {
	t.Parallel()
	a := api.New(modelreftest.NewServer(t, modelreftest.AsOlderDeployment()).Client(t))
	_, err := a.Licensing.Load(t.Context())
	require.ErrorIs(t, err, modelref.ErrUnsupported)
	_, err = a.Guidance.Load(t.Context())
	require.ErrorIs(t, err, modelref.ErrUnsupported)
	baselines, err := a.Baselines.Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, modelref.PackagedBaselines(), baselines)
}

func TestLoadOfACatalogThatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	server.Handle("model_references/v2/text_generation/guidance/export", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"profiles": {"a": {"kind": "usage_recipe", "sources": 7}}, "assignments": {}}`))
	}))
	_, err := api.New(server.Client(t)).Guidance.Load(t.Context())
	var invalid *modelref.DecodeError
	require.ErrorAs(t, err, &invalid)
	assert.ErrorContains(t, err, "modelref: the document is not a valid guidance reference")
	_, err = new(api.API).Licensing.Load(t.Context())
	require.ErrorIs(t, err, modelref.ErrClosed)
	_, err = new(api.GuidanceService).Load(t.Context())
	require.ErrorIs(t, err, modelref.ErrClosed)
}
