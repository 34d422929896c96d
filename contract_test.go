// This file compares the decoder with the documents of the real service and with the typed view that the service has of
// them.

package modelref

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/httpx"
	"github.com/haidra-org/modelref/internal/legacy"
)

// corpus returns the path of a file of the recorded corpus. If MODELREF_CORPUS is not set, the test is skipped. If it
// is set and the file is missing, the test fails.
func corpus(t testing.TB, path ...string) string {
	t.Helper()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		t.Skip("MODELREF_CORPUS must be the directory of the recorded corpus")
	}
	file := filepath.Join(append([]string{dir}, path...)...)
	_, err := os.Stat(file)
	require.NoError(t, err, "the directory in MODELREF_CORPUS must have the corpus")
	return file
}

func corpusFile(t testing.TB, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(corpus(t, path...))
	require.NoError(t, err)
	return data
}

// parse decodes JSON. Numbers keep their spelling.
func parse(t testing.TB, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v), "%.200s", data)
	return v
}

// keysInOrder returns the keys of a JSON object in the order of the document.
func keysInOrder(t testing.TB, data []byte) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	_, err := d.Token()
	require.NoError(t, err)
	keys := []string{}
	for d.More() {
		key, err := d.Token()
		require.NoError(t, err)
		keys = append(keys, key.(string))
		var skip json.RawMessage
		require.NoError(t, d.Decode(&skip))
	}
	return keys
}

// withoutEmpty removes values that a plain Go string, list or map cannot distinguish from an absent value: null, "", []
// and {}.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			if inner = withoutEmpty(inner); inner != nil {
				out[key] = inner
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
		return v
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}

// decodedRecord has the methods that all record types have.
type decodedRecord interface {
	json.Marshaler
	common() *ModelRecord
	RawJSON() string
	DeclaredTotalSizeBytes() Optional[int64]
	PrimaryDownloadURL() string
	DownloadURLs() []string
}

// decodeAny decodes a document of any category and returns its records by name, and the names in order.
func decodeAny(t testing.TB, category Category, document string) (map[string]decodedRecord, []string, []RecordError) {
	t.Helper()
	out := map[string]decodedRecord{}
	records, ok := recordTypes[category]
	require.True(t, ok, category)
	ref, err := records.decode(document, metadata{category: category})
	require.NoError(t, err)
	names := []string{}
	ref.each(func(name string, r any) {
		out[name] = r.(decodedRecord)
		names = append(names, name)
	})
	return out, names, ref.meta().rejected
}

// requireSameView compares a decoded record with upstream's typed view of the record, field by field.
func requireSameView(t testing.TB, want map[string]any, got decodedRecord) {
	t.Helper()
	fields := map[string]any{}
	for key, value := range want {
		if !strings.HasPrefix(key, "_") {
			fields[key] = value
		}
	}
	if declared, ok := want["_declared_total_size_bytes"]; ok {
		size, set := got.DeclaredTotalSizeBytes().Get()
		if set {
			assert.EqualValues(t, declared, parse(t, mustJSON(t, size)), "declared total size")
		} else {
			assert.Nil(t, declared, "declared total size")
		}
		assert.Equal(t, withoutEmpty(want["_primary_download_url"]), withoutEmpty(got.PrimaryDownloadURL()))
		assert.EqualValues(t, want["_download_count"], parse(t, mustJSON(t, len(got.DownloadURLs()))))
	}
	encoded, err := got.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, withoutEmpty(withPlainURLs(fields)), withoutEmpty(withPlainURLs(parse(t, encoded))))
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// asNewest converts a typed view of the older service to that of the newest service: the default of the schema version,
// and "schedulers" instead of "karras". raw is the record's own JSON.
func asNewest(t testing.TB, view map[string]any, raw string) map[string]any {
	t.Helper()
	stated, _ := parse(t, []byte(raw)).(map[string]any)["metadata"].(map[string]any)
	if about := view["metadata"].(map[string]any); stated["schema_version"] == nil && about["schema_version"] == "2.0.0" {
		about["schema_version"] = "2.1.0"
	}
	if requirements, ok := view["requirements"].(map[string]any); ok {
		withSchedulers(requirements)
	}
	return view
}

// withSchedulers replaces the flag "karras" by "schedulers".
func withSchedulers(requirements map[string]any) {
	flag, ok := requirements["karras"]
	if !ok {
		return
	}
	delete(requirements, "karras")
	if name, known := map[any]string{true: "karras", false: "normal"}[flag]; known && requirements["schedulers"] == nil {
		requirements["schedulers"] = []any{name}
	}
}

// withPlainURLs removes the slash that upstream's typed view adds to a URL without a path in a list of sources.
func withPlainURLs(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if url, ok := inner.(string); ok && key == "url" && strings.Count(url, "/") == 3 {
				v[key] = strings.TrimSuffix(url, "/")
			} else {
				v[key] = withPlainURLs(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = withPlainURLs(v[i])
		}
	}
	return v
}

// recordedDocuments are the directories of the recorded category documents: of the older and of the newest service.
func recordedDocuments() []string {
	return []string{"primary/real", "primary/rich", "newest/primary/real", "newest/primary/rich"}
}

func TestDecodeAgreesWithUpstream(t *testing.T) {
	t.Parallel()
	for _, set := range recordedDocuments() {
		for _, category := range Categories() {
			t.Run(set+"/"+string(category), func(t *testing.T) {
				t.Parallel()
				document := corpusFile(t, set, string(category)+".json")
				decoded := corpusFile(t, set+".decoded", string(category)+".json")
				records, names, rejected := decodeAny(t, category, string(document))
				require.Empty(t, rejected)
				require.Equal(t, keysInOrder(t, document), names, "names in the document's order")
				want := parse(t, decoded).(map[string]any)
				skipped := 0
				for _, name := range names {
					if _, ok := want[name]; !ok {
						require.Contains(t, skippedByUpstream(t, set, category), name)
						skipped++
					}
				}
				require.Len(t, names, len(want)+skipped)
				for name, view := range want {
					requireSameView(t, asNewest(t, view.(map[string]any), records[name].RawJSON()), records[name])
				}
			})
		}
	}
}

// skippedByUpstream returns the records that the newest service cannot parse itself.
func skippedByUpstream(t testing.TB, set string, category Category) map[string]any {
	t.Helper()
	if !strings.HasPrefix(set, "newest/") {
		return nil
	}
	out, _ := parse(t, corpusFile(t, set+".decoded", "_skipped.json")).(map[string]any)[string(category)].(map[string]any)
	return out
}

func TestReencodingLosesNothing(t *testing.T) {
	t.Parallel()
	for _, set := range recordedDocuments() {
		for _, category := range Categories() {
			document := corpusFile(t, set, string(category)+".json")
			records, _, _ := decodeAny(t, category, string(document))
			for name, raw := range parse(t, document).(map[string]any) {
				require.Equal(t, raw, parse(t, []byte(records[name].RawJSON())), "Raw of %s", name)
				encoded, err := records[name].MarshalJSON()
				require.NoError(t, err)
				if requirements, ok := raw.(map[string]any)["requirements"].(map[string]any); ok {
					withSchedulers(requirements)
				}
				requireCovers(t, raw, parse(t, encoded))
			}
		}
	}
}

// requireCovers checks that got has all values of want, except for empty values.
func requireCovers(t testing.TB, want, got any) {
	t.Helper()
	object, ok := want.(map[string]any)
	if !ok {
		require.Equal(t, withoutEmpty(want), withoutEmpty(got))
		return
	}
	for key, inner := range object {
		if withoutEmpty(inner) != nil {
			require.Contains(t, got, key)
			requireCovers(t, inner, got.(map[string]any)[key])
		}
	}
}

func TestCatalogAgreesWithUpstream(t *testing.T) {
	t.Parallel()
	var catalog struct {
		Categories map[Category]struct {
			Domain, Purpose  string
			GithubURL        *string `json:"github_url"`
			DiskFile         string  `json:"disk_file"`
			ManagedElsewhere bool    `json:"managed_elsewhere"`
			WeightsFolder    *string `json:"weights_folder"`
		}
		ImageBaselines map[Baseline]struct {
			NativeResolution *int     `json:"native_resolution"`
			AlternativeNames []string `json:"alternative_names"`
		} `json:"image_baselines"`
		Domains          []Domain
		Purposes         []Purpose
		Styles           []Style
		ControlNetStyles []ControlNetStyle      `json:"controlnet_styles"`
		TextBackends     map[TextBackend]string `json:"text_backends"`
		KnownTags        []string               `json:"known_tags"`
	}
	require.NoError(t, json.Unmarshal(corpusFile(t, "catalog.json"), &catalog))
	require.Len(t, Categories(), len(catalog.Categories))
	for category, want := range catalog.Categories {
		require.True(t, category.Known(), category)
		assert.EqualValues(t, want.Domain, category.Domain())
		assert.EqualValues(t, want.Purpose, category.Purpose())
		assert.Equal(t, want.DiskFile, category.FileName())
		assert.Equal(t, want.ManagedElsewhere, category.ManagedElsewhere())
		assert.Equal(t, want.GithubURL != nil, category.HasGitHubSource())
		if want.WeightsFolder != nil {
			assert.Equal(t, *want.WeightsFolder, category.WeightsFolder())
		}
		if want.GithubURL != nil {
			got, err := defaultConfig().github.url(category)
			require.NoError(t, err)
			assert.Equal(t, *want.GithubURL, got)
		}
	}
	require.Len(t, Baselines(), len(catalog.ImageBaselines)+2, "all but krea2_turbo and anima, which are newer")
	for baseline, want := range catalog.ImageBaselines {
		require.True(t, baseline.Known(), baseline)
		if want.NativeResolution != nil {
			assert.Equal(t, *want.NativeResolution, baseline.NativeResolution())
		}
		for _, name := range want.AlternativeNames {
			got, ok := ParseBaseline(name)
			assert.True(t, ok, name)
			assert.Equal(t, baseline, got, name)
		}
	}
	assert.Equal(t, catalog.Domains, Domains())
	assert.Equal(t, catalog.Purposes, Purposes())
	assert.Equal(t, catalog.Styles, Styles())
	assert.Equal(t, catalog.ControlNetStyles, ControlNetStyles())
	assert.Equal(t, catalog.KnownTags, KnownTags())
	require.Len(t, TextBackends(), len(catalog.TextBackends))
	for backend, prefix := range catalog.TextBackends {
		assert.True(t, slices.Contains(TextBackends(), backend))
		assert.Equal(t, prefix, backend.Prefix())
	}
}

func TestConversionAgreesWithUpstream(t *testing.T) {
	t.Parallel()
	for _, set := range []struct{ files, expected string }{
		{"github/real", "github/real.expected"},
		{"github/edge", "github/edge.expected"},
		{"github/real", "newest/github/real.expected"},
		{"github/edge", "newest/github/edge.expected"},
		{"newest/github/newedge", "newest/github/newedge.expected"},
	} {
		for _, category := range Categories() {
			facts, _ := infoOf(category)
			if facts.repo == noRepo || set.files == "newest/github/newedge" && !hasNewEdgeFile(category) {
				continue
			}
			t.Run(set.expected+"/"+string(category), func(t *testing.T) {
				t.Parallel()
				file := corpusFile(t, set.files, facts.fileOnGitHub())
				expected := corpusFile(t, set.expected, string(category)+".json")
				document, _, err := legacy.Convert(string(category), file)
				require.NoError(t, err)
				records, names, rejected := decodeAny(t, category, string(document))
				require.Empty(t, rejected)
				require.Equal(t, keysInOrder(t, expected), names, "names in the file's order")
				for name, view := range parse(t, expected).(map[string]any) {
					requireSameView(t, asNewest(t, view.(map[string]any), records[name].RawJSON()), records[name])
				}
			})
		}
	}
}

// hasNewEdgeFile reports whether the cases of the newest conversion have a file of the category.
func hasNewEdgeFile(category Category) bool {
	switch category {
	case CategoryImageGeneration, CategoryTextGeneration, CategoryControlNet, CategoryCLIP, CategoryBLIP:
		return true
	}
	return false
}

// TestRecordedErrorsAreTyped replays every recorded error response through the HTTP layer.
func TestRecordedErrorsAreTyped(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, file := range []string{"real.json", "rich.json"} {
		var exchanges []struct {
			Path        string
			Status      int
			ContentType string `json:"content_type"`
			Body        json.RawMessage
		}
		require.NoError(t, json.Unmarshal(corpusFile(t, "http", file), &exchanges))
		for _, e := range exchanges {
			if e.Status < 400 {
				continue
			}
			seen++
			body := string(e.Body)
			var text string
			if json.Unmarshal(e.Body, &text) == nil {
				body = text // recorded as a string because it was not JSON
			}
			h := layer(t, func(r *http.Request) (*http.Response, error) {
				return answer(r, e.Status, body, "Content-Type", e.ContentType), nil
			}, WithRetry(RetryPolicy{MaxAttempts: 1}))
			_, err := h.Do(t.Context(), httpx.Request{URL: "https://models.example.org/api" + e.Path})
			var api *APIError
			require.ErrorAs(t, err, &api, e.Path)
			assert.Equal(t, e.Status, api.StatusCode, e.Path)
			assert.NotEmpty(t, api.Detail, e.Path)
			assert.Equal(t, e.Status == 404, errors.Is(err, ErrNotFound), e.Path)
			var detail struct {
				Detail []struct{ Type, Msg string }
			}
			if json.Unmarshal(e.Body, &detail) == nil && len(detail.Detail) > 0 {
				require.Len(t, api.Validation, len(detail.Detail), e.Path)
				assert.Equal(t, detail.Detail[0].Type, api.Validation[0].Type)
				assert.Equal(t, detail.Detail[0].Msg, api.Validation[0].Message)
				assert.NotEmpty(t, api.Validation[0].Location)
			}
		}
	}
	assert.Greater(t, seen, 15)
}
