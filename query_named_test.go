// Queries by name: every field of every category, what is wrong with a query, and the reader of a category.

package modelref_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const (
	threeControlNets = `{
		"edges": {"name": "edges", "controlnet_style": "control_canny", "size_on_disk_bytes": 700000000},
		"control_qr_sdxl": {"name": "control_qr_xl", "controlnet_style": "control_qr", "size_on_disk_bytes": 5000000000},
		"edges XL": {"name": "edges XL", "controlnet_style": "control_canny", "size_on_disk_bytes": 2500000000}}`
	editedControlNets = `{
		"edges": {"name": "edges", "controlnet_style": "control_hed", "size_on_disk_bytes": 700000000},
		"control_qr_sdxl": {"name": "control_qr_xl", "controlnet_style": "control_qr", "size_on_disk_bytes": 5000000000},
		"edges XL": {"name": "edges XL", "controlnet_style": "control_canny", "size_on_disk_bytes": 2500000000}}`
)

func namedNames(records []modelref.NamedRecord) string {
	names := make([]string, len(records))
	for i, r := range records {
		names[i] = r.Name
	}
	return strings.Join(names, ", ")
}

func TestQueryOfACategoryByItsOwnFields(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.SetDocument(modelref.CategoryControlNet, threeControlNets)
		client, ctx := server.Client(t), t.Context()
		reader, err := client.Category("controlnet")
		require.NoError(t, err)
		canny := reader.Query().Where("style=control_canny,control_hed")
		got, err := canny.OrderBy("-controlnet_style", "-size_on_disk_bytes").All(ctx)
		require.NoError(t, err)
		assert.Equal(t, "edges XL, edges", namedNames(got))
		assert.Equal(t, []string{"control_canny"}, got[0].Values("controlnet_style"))
		assert.Equal(t, []string{"2500000000"}, got[0].Values("size_on_disk_bytes"))
		assert.Nil(t, got[0].Values("no_such_field"))
		n, err := canny.Where("size_on_disk_bytes<1GB").Count(ctx)
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		counts, err := reader.Query().Values(ctx, "style")
		require.NoError(t, err)
		assert.Equal(t, []modelref.ValueCount[string]{{Value: "control_canny", Count: 2}, {Value: "control_qr", Count: 1}}, counts)

		got, err = reader.Query().Offset(1).Limit(1).All(ctx)
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Equal(t, "control_qr_sdxl", got[0].Name, "the key, as Get accepts it")
		assert.Equal(t, "control_qr_xl", got[0].Model().Name)
		assert.Equal(t, modelref.CategoryControlNet, got[0].Category)
		typed, ok := got[0].Record.(*modelref.ControlNetRecord)
		require.True(t, ok)
		assert.Equal(t, modelref.ControlNetQR, typed.ControlNetStyle)
		assert.Contains(t, threeControlNets, got[0].RawJSON())
		full, err := got[0].MarshalJSON()
		require.NoError(t, err)
		own, err := json.Marshal(typed)
		require.NoError(t, err)
		assert.JSONEq(t, string(own), string(full))
		var names []string
		for record, err := range reader.Query().Iter(ctx) {
			require.NoError(t, err)
			names = append(names, record.Name)
		}
		assert.Equal(t, []string{"edges", "control_qr_sdxl", "edges XL"}, names)
	})
}

func TestWatchOfACategoryByItsOwnFields(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.SetDocument(modelref.CategoryControlNet, threeControlNets)
		reader, err := server.Client(t).Category("controlnet")
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(5*time.Minute, func() { server.SetDocument(modelref.CategoryControlNet, editedControlNets) })
		var told []string
		for change, err := range reader.Watch(ctx, modelref.WatchOptions{}) {
			require.NoError(t, err)
			got, err := change.Reference.QueryByName().Where("style=control_canny").OrderBy("name").All(ctx)
			require.NoError(t, err)
			told = append(told, fmt.Sprint(namedNames(got), change.Changed))
			if !change.Initial {
				break
			}
		}
		assert.Equal(t, []string{"edges, edges XL[]", "edges XL[{edges [controlnet_style]}]"}, told)
	})
}

func TestAQueryByNameListsEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	reader, err := new(modelref.Client).Category("controlnet")
	require.NoError(t, err)
	valid := reader.Query().Where("style=control_canny").OrderBy("-size_on_disk_bytes")
	require.NoError(t, valid.Check("name", "style"), "nothing is read")
	_, err = valid.All(t.Context())
	require.ErrorIs(t, err, modelref.ErrClosed)

	wrong := valid.Where("baseline=flux_1", "size_on_disk_bytes<much").OrderBy("config").Limit(-1).Offset(-2)
	err = wrong.Check("name", "tags")
	require.ErrorIs(t, err, modelref.ErrInvalidQuery)
	for _, part := range []string{`no field "baseline"`, `"much"`, `no field "config"`, "Limit(-1)", "Offset(-2)", `no field "tags"`} {
		require.ErrorContains(t, err, part)
	}
	_, err = wrong.Values(t.Context(), "tags")
	require.ErrorContains(t, err, "Offset(-2)")
	require.ErrorContains(t, err, `no field "tags"`)
	require.NoError(t, valid.Check(), "a query is immutable")

	var zero modelref.NamedQuery
	require.ErrorIs(t, zero.Check(), modelref.ErrInvalidQuery)
	_, err = zero.Where("nsfw").Count(t.Context())
	require.ErrorIs(t, err, modelref.ErrInvalidQuery)
	require.ErrorIs(t, new(modelref.CategoryReader).Query().Check(), modelref.ErrInvalidQuery)
	var none modelref.NamedRecord
	assert.Nil(t, none.Values("name"))
	assert.Empty(t, none.Model().Name)
	text, err := json.Marshal(none)
	require.NoError(t, err)
	assert.Equal(t, "null", string(text))
}

func TestFieldsOfACategoryByName(t *testing.T) {
	t.Parallel()
	reader, err := new(modelref.Client).Category("image_generation")
	require.NoError(t, err)
	var names []string
	for _, field := range reader.Fields() {
		names = append(names, field.Name)
		found, err := reader.LookupField(field.Name)
		require.NoError(t, err)
		assert.Equal(t, field, found)
		assert.NotEmpty(t, field.Operators)
		assert.Equal(t, field.Kind != modelref.KindList, field.Ordered, field.Name)
	}
	assert.Equal(t, modelref.FieldNames[modelref.ImageGenerationRecord](), names)
	short, err := reader.LookupField("created_at")
	require.NoError(t, err)
	assert.Equal(t, "metadata.created_at", short.Name)
	_, err = reader.LookupField("created")
	require.ErrorIs(t, err, modelref.ErrInvalidQuery)
}

func TestQueryOfAllCategoriesByName(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		for _, category := range modelref.Categories() {
			server.SetDocument(category, "{}")
		}
		server.SetDocument(modelref.CategoryControlNet, threeControlNets)
		server.SetDocument(modelref.CategoryCLIP, `{"ViT-L/14": {"name": "ViT-L/14", "size_on_disk_bytes": 900000000}}`)
		query := server.Client(t).QueryModels().ByName().Where("size_on_disk_bytes>=900MB").OrderBy("size_on_disk_bytes")
		got, err := query.All(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "ViT-L/14, edges XL, control_qr_sdxl", namedNames(got))
		assert.Equal(t, modelref.CategoryControlNet, got[2].Category)
		require.ErrorContains(t, query.Check("pretrained_name"), `no field "pretrained_name"`)
	})
}

func TestSearchOfACategoryHasItsOwnFields(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.SetDocument(modelref.CategoryControlNet, threeControlNets)
		client := server.Client(t)
		reader, err := client.Category("controlnet")
		require.NoError(t, err)
		page, err := reader.Search(t.Context(), &modelref.CategorySearchOptions{NameContains: "XL", Page: modelref.Page{Limit: 1}})
		require.NoError(t, err)
		assert.True(t, page.HasMore)
		require.Len(t, page.Named(), 1)
		assert.Same(t, page.Results[0], page.Named()[0].Model())
		assert.Equal(t, []string{"control_qr"}, page.Named()[0].Values("style"))
		all, err := client.Search(t.Context(), &modelref.SearchOptions{NameContains: "edges"})
		require.NoError(t, err)
		assert.Equal(t, "edges, edges XL", namedNames(all.Named()))
		_, err = new(modelref.CategoryReader).Search(t.Context(), nil)
		require.ErrorIs(t, err, modelref.ErrClosed)
	})
}

func TestOverlaysOfACategoryReaderHaveAllFields(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.SetDocument(modelref.CategoryControlNet, threeControlNets)
		reader, err := server.Client(t).Category("controlnet")
		require.NoError(t, err)
		ref, err := reader.Load(t.Context(), modelref.WithOverlay(named{overlay(
			`{"edges": {"controlnet_style": "control_mlsd"}, "new": {"controlnet_style": "control_mlsd"}}`, nil)}))
		require.NoError(t, err)
		got, err := ref.QueryByName().Where("style=control_mlsd").All(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "edges, new", namedNames(got))
		assert.Equal(t, "local", ref.SourceOf("new"))
		assert.Equal(t, "primary", ref.SourceOf("edges XL"))
		assert.Equal(t, []string{"edges"}, ref.Overlays()[0].Replaced)
	})
}
