// This file tests overlays: records of a second source that replace canonical records.

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
		broken := overlay("", errors.New("overlay unavailable"))
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
		require.ErrorContains(t, status[1].Err, "overlay unavailable")
		assert.Equal(t, []string{"Own"}, status[2].Replaced)
		require.ErrorContains(t, status[3].Err, "must be an object, got a list")
		require.Error(t, status[4].Err)

		plain := load(t, client)
		assert.Equal(t, 2, plain.Len(), "only for one read")
		assert.Empty(t, plain.Overlays())
		assert.Equal(t, "documents", requested(server))

		reader, err := client.Category("image_generation")
		require.NoError(t, err)
		models, err := reader.Load(t.Context(), modelref.WithOverlay(first))
		require.NoError(t, err)
		assert.Equal(t, 3, models.Len())
	})
}

// named is an overlay source with a name.
type named struct{ modelref.OverlaySource }

func (named) String() string { return "local" }

// failing is an overlay source that reads with a Client.
type failing struct{ client *modelref.Client }

func (f failing) Document(ctx context.Context, _ modelref.Category) ([]byte, error) {
	resp, err := f.client.Do(ctx, modelref.Request{Path: "own", RequireAPIKey: true})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func TestOverlayNamesAndErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		local := named{overlay(`{"Own": {"baseline": "flux_1", "nsfw": false}}`, nil)}
		ref, err := client.ImageGeneration.Load(t.Context(), modelref.WithOverlay(local, failing{client}))
		require.NoError(t, err)
		assert.Equal(t, "local", ref.Overlays()[0].Name)
		assert.Equal(t, "local", ref.SourceOf("Own"))
		assert.EqualError(t, ref.Overlays()[1].Err, "modelref: image_generation: overlay modelref_test.failing: "+
			"GET own: the API key is not configured: it must be set with WithAPIKey")
		require.ErrorIs(t, ref.Overlays()[1].Err, modelref.ErrNotConfigured)
	})
}
