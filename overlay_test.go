// Records of a second source over the canonical ones.

package modelref_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func overlay(document string, err error) modelref.OverlaySource {
	return modelref.OverlayFunc(func(context.Context, modelref.Category) ([]byte, error) { return []byte(document), err })
}

func TestOverlays(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		first := overlay(`{"Large?": {"baseline": "first", "nsfw": false}, "Own": {"baseline": "first", "nsfw": false}, "bad": 1}`, nil)
		second := overlay(`{"Own": {"baseline": "second", "nsfw": false}}`, nil)
		broken := overlay("", errors.New("no such luck"))
		nonsense := overlay("[]", nil)
		ref, err := client.ImageGeneration.Load(t.Context(), modelref.WithOverlay(first, broken, second, nonsense, nil))
		require.NoError(t, err)
		assert.Equal(t, []string{"Small/1", "Large?", "Own"}, ref.Names())
		large, _ := ref.Get("Large?")
		assert.EqualValues(t, "first", large.Baseline)
		own, _ := ref.Get("Own")
		assert.EqualValues(t, "second", own.Baseline)
		assert.Equal(t, "primary", ref.SourceOf("Small/1"))
		assert.Equal(t, "modelref.OverlayFunc", ref.SourceOf("Own"))
		assert.Empty(t, ref.SourceOf("nobody"))
		status := ref.Overlays()
		require.Len(t, status, 5)
		assert.Equal(t, []string{"Large?"}, status[0].Replaced)
		assert.Equal(t, 2, status[0].Records)
		assert.Len(t, status[0].Rejected, 1)
		require.ErrorContains(t, status[1].Err, "no such luck")
		assert.Equal(t, []string{"Own"}, status[2].Replaced)
		require.ErrorContains(t, status[3].Err, "want an object, got a list")
		require.Error(t, status[4].Err)

		plain := load(t, client)
		assert.Equal(t, 2, plain.Len(), "for one read alone")
		assert.Empty(t, plain.Overlays())
		assert.Equal(t, "document", tiers(server))

		reader, err := client.Category("image_generation")
		require.NoError(t, err)
		models, err := reader.Load(t.Context(), modelref.WithOverlay(first))
		require.NoError(t, err)
		assert.Equal(t, 3, models.Len())
	})
}

func TestPendingRecordsNeedAKeyAndNeverCostTheCanonicalOnes(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		ref, err := server.Client(t).ImageGeneration.Load(t.Context(), modelref.WithOverlay(modelref.Pending()))
		require.NoError(t, err)
		assert.Equal(t, 2, ref.Len())
		require.ErrorContains(t, ref.Overlays()[0].Err, "WithAPIKey")
		assert.Equal(t, "document", tiers(server), "nothing is sent without a key")

		client := server.Client(t, modelref.WithAPIKey("0123456789"))
		server.Script(modelreftest.Primary, modelreftest.OK(),
			modelreftest.Body(200, "application/json", `{"Waiting": {"name": "Waiting", "baseline": "flux_1", "nsfw": false}}`))
		ref, err = client.ImageGeneration.Load(t.Context(), modelref.WithOverlay(modelref.Pending()))
		require.NoError(t, err)
		require.NoError(t, ref.Overlays()[0].Err)
		assert.Equal(t, "pending", ref.SourceOf("Waiting"))
		for _, r := range server.Requests() {
			assert.Empty(t, r.Query, "the key travels in a header")
		}
		_, err = modelref.Pending().Overlay(t.Context(), modelref.CategoryCLIP)
		require.ErrorIs(t, err, modelref.ErrNotConfigured)
	})
}
