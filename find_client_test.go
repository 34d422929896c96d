// This file tests finding names with a Client.

package modelref_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestClientFind(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t,
		modelreftest.WithDocument(modelref.CategoryImageGeneration, `{"Lantern XL": {"name": "Lantern XL", "baseline": "flux_1", "nsfw": false}}`),
		modelreftest.WithDocument(modelref.CategoryTextGeneration, `{"Org/Lantern-7B": {"name": "Org/Lantern-7B", "nsfw": false},
			"Org/Lxntern": {"name": "Org/Lxntern", "nsfw": false}}`))
	client := server.Client(t)
	ctx := t.Context()

	matches, err := client.Find(ctx, "lantern", modelref.CategoryTextGeneration, modelref.CategoryImageGeneration)
	require.NoError(t, err)
	assert.Equal(t, []string{"Org/Lantern-7B", "Lantern XL"}, matches.Names(), "a typing error in another category does not match")
	assert.Equal(t, modelref.CategoryImageGeneration, matches[1].Category)
	assert.Equal(t, "Lantern XL", matches[1].Record.Name)
	_, ok := matches.Best()
	assert.False(t, ok, "two names have the word")

	found, err := client.ImageGeneration.Find(ctx, "lantern-xl")
	require.NoError(t, err)
	best, ok := found.Best()
	assert.True(t, ok)
	assert.Equal(t, modelref.BaselineFlux1, best.Record.Baseline)

	reader, err := client.Category("image_generation")
	require.NoError(t, err)
	requests := len(server.Requests())
	models, err := reader.Find(ctx, "lanternn xl")
	require.NoError(t, err)
	assert.Equal(t, []string{"Lantern XL"}, models.Names())
	assert.Equal(t, modelref.MatchTypo, models[0].Kind)
	assert.Len(t, server.Requests(), requests, "the category is in memory")

	_, err = reader.Get(ctx, "Lantern")
	var missing *modelref.NotFoundError
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, []string{"Lantern XL"}, missing.Suggestions)
	_, err = client.ImageGeneration.Get(ctx, "Lantern")
	require.ErrorAs(t, err, &missing)
	_, err = client.TextGeneration.Resolve(ctx, "koboldcpp/Lantern-8B-Q4_K_M")
	require.ErrorAs(t, err, &missing)
	assert.Contains(t, missing.Suggestions, "Org/Lantern-7B")

	_, err = client.Find(ctx, "x", "nonsense")
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	require.NoError(t, client.Close())
	_, err = client.Find(ctx, "x")
	require.ErrorIs(t, err, modelref.ErrClosed)
	_, err = new(modelref.Client).Find(ctx, "x")
	require.ErrorIs(t, err, modelref.ErrClosed)
}

func TestClientFindWithoutSomeCategories(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/clip") {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"ViT-L/14": {"name": "ViT-L/14"}}`))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	client, err := modelref.New(modelref.WithPrimaryURL(server.URL+"/api"), modelref.WithoutGitHub())
	require.NoError(t, err)
	defer client.Close()
	matches, err := client.Find(t.Context(), "vit l 14")
	assert.Equal(t, []string{"ViT-L/14"}, matches.Names())
	var incomplete *modelref.PartialError
	require.True(t, errors.As(err, &incomplete))
	assert.Len(t, incomplete.Missing, len(modelref.Categories())-1)
}
