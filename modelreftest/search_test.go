// This file tests searches, popular models and statistics.

package modelreftest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const searched = `{
	"Alpha": {"name": "Alpha", "nsfw": false, "baseline": "flux_1", "tags": ["a", "b"], "size_on_disk_bytes": 900, "inpainting": false,
		"style": "anime", "config": {"download": [{"file_name": "x", "file_url": "https://example.org/x"}, {"file_name": "y", "file_url": "https://example.com/y"}]},
		"licensing": {"license_ids": ["MIT"], "commercial_use": "allowed", "redistribution": "allowed_with_conditions"}},
	"Beta XL": {"name": "Beta XL", "nsfw": true, "baseline": "stable_diffusion_xl", "tags": ["b"], "size_on_disk_bytes": 1000, "inpainting": true},
	"Gamma XL": {"name": "Gamma XL", "nsfw": false, "baseline": "stable_diffusion_xl", "tags": [], "licensing": null},
	"broken": 5
}`

func TestSearch(t *testing.T) {
	t.Parallel()
	documents := []modelreftest.Option{
		modelreftest.WithDocument(modelref.CategoryImageGeneration, searched),
		modelreftest.WithDocument(modelref.CategoryTextGeneration, `{
			"Org/A-7B": {"name": "Org/A-7B", "parameters": 7000000000}, "Org/A-7B-Q4_K_M": {"name": "Org/A-7B-Q4_K_M"},
			"koboldcpp/A-7B": {"name": "koboldcpp/A-7B"}
		}`),
		modelreftest.WithDocument(modelref.CategoryCLIP, `{"Alphabet": {"name": "Alphabet"}}`),
	}
	newest := modelreftest.NewServer(t, documents...)
	older := modelreftest.NewServer(t, append(documents, modelreftest.AsOlderDeployment())...)
	for _, test := range []struct {
		path  string
		names string // if the total number differs from the number of names, it follows after a bar
	}{
		{"image_generation/search", "Alpha, Beta XL, Gamma XL"},
		{"image_generation/search?limit=1&offset=1", "Beta XL|3"},
		{"image_generation/search?offset=9", "|3"},
		{"image_generation/search?nsfw=false", "Alpha, Gamma XL"},
		{"image_generation/search?inpainting=true", "Beta XL"},
		{"image_generation/search?baseline=flux_1", "Alpha"},
		{"image_generation/search?name_contains=xl", "Beta XL, Gamma XL"},
		{"image_generation/search?tags_any=a&tags_any=x", "Alpha"},
		{"image_generation/search?tags_all=a&tags_all=b", "Alpha"},
		{"image_generation/search?tags_none=a", "Beta XL, Gamma XL"},
		{"image_generation/search?sort_by=size_on_disk_bytes&sort_desc=true", "Beta XL, Alpha, Gamma XL"},
		{"image_generation/search?sort_by=size_on_disk_bytes", "Alpha, Beta XL, Gamma XL"},
		{"image_generation/search?sort_by=name&sort_desc=true", "Gamma XL, Beta XL, Alpha"},
		{"image_generation/search?license_id=MIT", "Alpha"},
		{"image_generation/search?commercial_use=unknown", "Beta XL, Gamma XL"},
		{"image_generation/search?redistribution=allowed", ""},
		{"text_generation/search?quantized=true", "Org/A-7B-Q4_K_M"},
		{"text_generation/search?exclude_backend_variations=true&quantized=false", "Org/A-7B"},
		{"text_generation/search?backend=koboldcpp", "koboldcpp/A-7B"},
		{"search?name_contains=alpha", "Alphabet, Alpha"},
		{"lora/search", ""},
	} {
		_, body := get(t, newest, newest.URL()+v2+test.path)
		names, total := found(t, body)
		want, count, ok := strings.Cut(test.names, "|")
		assert.Equal(t, want, strings.Join(names, ", "), test.path)
		if ok {
			assert.Equal(t, count, total.String(), test.path)
		} else {
			assert.Len(t, names, int(must(t, total)), test.path)
		}
	}
	_, body := get(t, older, older.URL()+v2+"image_generation/search?license_id=MIT&commercial_use=nope")
	names, _ := found(t, body)
	assert.Len(t, names, 3, "an older deployment ignores the filter")
	_, body = get(t, newest, newest.URL()+v2+"text_generation/search?limit=1")
	assert.Contains(t, body, `"parameters_count":7000000000`)
	assert.Contains(t, body, `"has_more":true`)
	for path, status := range map[string]int{
		"nope/search": 422, "clip/search?nsfw=true": 400, "text_generation/search?inpainting=true": 400,
		"text_generation/search?backend=nope": 400, "image_generation/search?sort_by=nope": 400, "search?limit=501": 422,
		"search?commercial_use=nope": 422, "search?nsfw=maybe": 422, "search/search": 422,
	} {
		resp, _ := get(t, newest, newest.URL()+v2+path)
		assert.Equal(t, status, resp.StatusCode, path)
	}

	c := newest.Client(t)
	result, err := c.ImageGeneration.Search(t.Context(), &modelref.ImageSearchOptions{
		LicenseFilter: modelref.LicenseFilter{CommercialUse: modelref.PermissionAllowed},
	})
	require.NoError(t, err)
	require.Empty(t, result.Rejected)
	assert.Equal(t, "Alpha", result.Results[0].Name)
	_, err = older.Client(t).ImageGeneration.Search(t.Context(), &modelref.ImageSearchOptions{
		LicenseFilter: modelref.LicenseFilter{CommercialUse: modelref.PermissionAllowed},
	})
	require.ErrorIs(t, err, modelref.ErrUnsupported)
}

func must(t testing.TB, n json.Number) int64 {
	t.Helper()
	i, err := n.Int64()
	require.NoError(t, err)
	return i
}

// found returns the names of the records on a page, and the total number of records.
func found(t testing.TB, body string) ([]string, json.Number) {
	t.Helper()
	var page struct {
		Results []struct{ Name string }
		Total   json.Number
	}
	require.NoError(t, json.Unmarshal([]byte(body), &page), body)
	var names []string
	for _, record := range page.Results {
		names = append(names, record.Name)
	}
	return names, page.Total
}

func TestPopularAndStatistics(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, searched))
	popular, err := s.Client(t).ImageGeneration.Popular(t.Context(), &modelref.PopularOptions{Limit: 2})
	require.NoError(t, err)
	require.Len(t, popular, 2)
	require.NoError(t, popular[0].Err)
	assert.Equal(t, "Alpha", popular[0].Record.Name)
	assert.Equal(t, 3, popular[0].Stats.WorkerCount)
	assert.Greater(t, popular[0].Stats.Usage.Month, popular[1].Stats.Usage.Month)
	for path, want := range map[string]string{
		v2 + "clip/popular":                                        `[]`,
		v2 + "image_generation/popular?sort_by=nope":               `"type":"enum"`,
		"/model_references/statistics/nope":                        `"type":"enum"`,
		"/model_references/statistics/clip":                        `No models found`,
		"/model_references/statistics/image_generation/with-stats": `{"Alpha":{"eta":0,`,
		"/model_references/statistics/image_generation":            `"top_tags":[{"count":2,"percentage":66.66,"tag":"b"},{"count":1,`,
	} {
		_, body := get(t, s, s.URL()+path)
		assert.Contains(t, body, want, path)
	}
	_, body := get(t, s, s.URL()+"/model_references/statistics/image_generation")
	for _, part := range []string{
		`"total_models":3`, `"nsfw_count":1`, `"models_with_inpainting":1`, `"hosts":{"example.com":1,"example.org":1}`,
		`"total_size_bytes":1900`, `"average_size_bytes":950`, `"flux_1":{"baseline":"flux_1","count":1,`, `"tag":"anime"`,
	} {
		assert.Contains(t, body, part)
	}
	s.SetDocument(modelref.CategoryTextGeneration, `{"Org/A-7B": {"name": "Org/A-7B"}}`)
	_, body = get(t, s, s.URL()+"/model_references/statistics/text_generation/with-stats?include_backend_variations=true")
	assert.Contains(t, body, `"koboldcpp":{"backend":"koboldcpp",`)
	assert.Contains(t, body, `"variant_name":"koboldcpp/A-7B"`)
	_, body = get(t, s, s.URL()+"/model_references/statistics/text_generation/with-stats")
	assert.NotContains(t, body, "backend_variations")
	_, body = get(t, s, s.URL()+v2+"search?name_contains=alpha")
	assert.Contains(t, body, `"record_type":"image_generation"`, "the document does not state it")
	resp, _ := get(t, s, s.URL()+"/model_references/statistics/clip/with-stats")
	assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
}

// TestContractSearch checks that searches find the same records as the service in the same documents, in the same
// order.
func TestContractSearch(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		t.Skip("MODELREF_CORPUS must be the directory of the recorded responses")
	}
	s := modelreftest.NewServer(t, modelreftest.WithDocuments(os.DirFS(filepath.Join(dir, "primary", "real"))))
	data, err := os.ReadFile(filepath.Join(dir, "http", "real.json"))
	require.NoError(t, err)
	var exchanges []struct {
		Path   string
		Status int
		Body   json.RawMessage
	}
	require.NoError(t, json.Unmarshal(data, &exchanges))
	compared := 0
	for _, e := range exchanges {
		if path, _, _ := strings.Cut(e.Path, "?"); !strings.HasSuffix(path, "/search") {
			continue
		}
		compared++
		resp, body := get(t, s, s.URL()+e.Path)
		assert.Equal(t, e.Status, resp.StatusCode, e.Path)
		if e.Status == http.StatusOK {
			want, wantTotal := found(t, string(e.Body))
			names, total := found(t, body)
			assert.Equal(t, want, names, e.Path)
			assert.Equal(t, wantTotal, total, e.Path)
		}
	}
	assert.Greater(t, compared, 8)
}
