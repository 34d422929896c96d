// This file tests the decoder of category documents: rejected records, recovery after an error, and the reserved
// memory.

package modelref

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/legacy"
)

func TestEstimateRecords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ consumed, total, n, want int }{
		"no record yet":                      {1, 1000, 0, 1},
		"doubled before there is a sample":   {100, 100_000, 3, 6},
		"limited after a minimal sample":     {100, 100_000, 4, 64},
		"a short rest":                       {900, 1000, 9, 11},
		"limited after a small sample":       {1000, 1_000_000, 64, 4096},
		"a small sample of a short document": {1000, 2000, 64, 64 + 66},
		"with a margin after a large sample": {4096, 2 * 4096, 4096, 4096 + 4096 + 64 + 1},
		"room for some at the end":           {1_000_000, 1_000_000, 16_000, 17_000},
		"nothing left":                       {1000, 1000, 4, 5},
	} {
		assert.Equal(t, test.want, estimateRecords(test.consumed, test.total, test.n), name)
	}
}

func TestLenientRulesAreTheSameOnBothPaths(t *testing.T) {
	t.Parallel()
	const fields = `"name":"a","baseline":"flux_1","nsfw":"true","inpainting":1,"size_on_disk_bytes":"5","min_bridge_version":"7.0",
		"style":" anime ","tags":[" one","two\n"]`
	const document = `{"a":{` + fields + `},"bad":{"name":"bad","baseline":"flux_1","nsfw":true,"size_on_disk_bytes":"5.5"},
		"worse":{"name":"worse","baseline":"flux_1","nsfw":"perhaps"}}`
	converted, dropped, err := legacy.Convert("image_generation", []byte(document))
	require.NoError(t, err)
	require.Len(t, dropped, 2)
	v2 := decodeAs[ImageGenerationRecord](t, CategoryImageGeneration, document)
	require.Len(t, v2.Rejected(), 2)
	for path, ref := range map[string]*Reference[ImageGenerationRecord]{
		"v2": v2, "legacy": decodeAs[ImageGenerationRecord](t, CategoryImageGeneration, string(converted)),
	} {
		assert.Equal(t, []string{"a"}, ref.Names(), path)
		r, ok := ref.Get("a")
		require.True(t, ok, path)
		assert.True(t, r.NSFW, path)
		assert.True(t, r.Inpainting, path)
		assert.Equal(t, Some[int64](5), r.SizeOnDiskBytes, path)
		assert.Equal(t, Some[int64](7), r.MinBridgeVersion, path)
		assert.Equal(t, StyleAnime, r.Style, path)
		assert.Equal(t, []string{"one", "two"}, r.Tags, path)
	}
}

func TestTheLastValidRecordOfARepeatedNameIsUsedOnBothPaths(t *testing.T) {
	t.Parallel()
	const document = `{"a":{"name":"a","version":"1"},"b":{"name":"b"},"a":{"name":"a","version":"2"},"a":{"name":"a","version":3}}`
	converted, _, err := legacy.Convert("blip", []byte(document))
	require.NoError(t, err)
	for path, text := range map[string]string{"v2": document, "legacy": string(converted)} {
		ref := decodeAs[BLIPRecord](t, CategoryBLIP, text)
		assert.Equal(t, []string{"a", "b"}, ref.Names(), path)
		r, _ := ref.Get("a")
		assert.Equal(t, "2", r.Version, path)
	}
}

func TestAByteOrderMarkIsSkipped(t *testing.T) {
	t.Parallel()
	ref := decodeAs[CLIPRecord](t, CategoryCLIP, "\ufeff{\"a\":{}}")
	assert.Equal(t, []string{"a"}, ref.Names())
	require.NoError(t, ref.CheckUnmodified())
	_, err := DecodeDocument[CLIPRecord](CategoryCLIP, "\ufeff\ufeff{}")
	assert.Error(t, err)
}

func TestAMalformedRecordDoesNotAffectOthers(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`{"size_on_disk_bytes":NaN}`, `{"unknown":[{"x":-Infinity}]}`, `Infinity`, `{"x":tru}`, `{"x":01}`, `{"x" 1}`, `{"version":"\q"}`,
	} {
		ref := decodeAs[CLIPRecord](t, CategoryCLIP, `{"a":{"version":"1"},"bad":`+bad+`,"b":{"version":"2"}}`)
		assert.Equal(t, []string{"a", "b"}, ref.Names(), bad)
		if assert.Len(t, ref.Rejected(), 1, bad) {
			assert.Equal(t, "bad", ref.Rejected()[0].Name, bad)
			assert.Contains(t, ref.Rejected()[0].Reason, "not valid JSON", bad)
		}
	}
	for _, document := range []string{`{"a":{},"bad":{"x":NaN`, `{"a":{},"bad":{"x":"}}`, `{"a":{},"bad":{"x":]}}`} {
		_, err := DecodeDocument[CLIPRecord](CategoryCLIP, document)
		var decode *DecodeError
		require.ErrorAs(t, err, &decode, document)
	}
}

const legacyImages = `{"a":{"name":"a","baseline":"stable diffusion 1","type":"ckpt","nsfw":false,"config":{
	"files":[{"path":"a.ckpt","sha256sum":"12ab"},{"path":"a.yaml"}],
	"download":[{"file_name":"a.ckpt","file_path":"","file_url":"https://example.com/a"}]}},
	"bad":{"name":"bad","config":{"files":[{"path":"b.ckpt"}]}}}`

func TestALegacyFileInsteadOfAV2DocumentIsConverted(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{"plain": legacyImages, "with a BOM": "\ufeff" + legacyImages} {
		ref := decodeAs[ImageGenerationRecord](t, CategoryImageGeneration, document)
		assert.Equal(t, []string{"a"}, ref.Names(), name)
		r, _ := ref.Get("a")
		assert.Equal(t, BaselineStableDiffusion1, r.Baseline, name)
		require.Len(t, r.Config.Download, 1, name)
		assert.Equal(t, "12ab", r.Config.Download[0].SHA256Sum, name)
		assert.Equal(t, "https://example.com/a", r.Config.Download[0].FileURL, name)
		require.Len(t, ref.Rejected(), 1, name)
		assert.Equal(t, "bad", ref.Rejected()[0].Name, name)
		require.NoError(t, ref.CheckUnmodified(), name)
	}
	for _, category := range Categories() {
		if !category.HasGitHubSource() || category == CategoryTextGeneration {
			continue
		}
		ref, err := DecodeDocument[ModelRecord](category, `{"a":{"name":"a","baseline":"b","config":{
			"files":[{"path":"f","sha256sum":"12"}],"download":[{"file_name":"f","file_url":"u"}]}}}`)
		require.NoError(t, err, category)
		r, ok := ref.Get("a")
		require.True(t, ok, category)
		require.Len(t, r.Config.Download, 1, category)
		assert.Equal(t, "12", r.Config.Download[0].SHA256Sum, category)
	}
	texts := decodeAs[TextGenerationRecord](t, CategoryTextGeneration, "name,parameters_bn,tags\na/b,7,\"x,y\"\n")
	r, ok := texts.Get("a/b")
	require.True(t, ok)
	assert.EqualValues(t, 7_000_000_000, r.Parameters)
}

func TestALegacyFileThatCannotBeConvertedIsRejected(t *testing.T) {
	t.Parallel()
	for category, document := range map[Category]string{
		CategoryImageGeneration: `{"a":{"config":{"files":[{"path":"f"}]}}}`,
		CategoryBLIP:            `{"a":{"name":"a","config":{"files":[{"path":"f"}]}}`,
		CategoryTextGeneration:  "name,parameters_bn\na,x\n",
	} {
		_, err := DecodeDocument[ModelRecord](category, document)
		var decode *DecodeError
		require.ErrorAs(t, err, &decode, category)
	}
}

func TestV2DocumentsAreNotConverted(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		`{"a":{"record_type":"blip","config":{"files":[{"path":"f"}]}}}`,
		`{"a":{"config":{"download":[{"file_name":"f","file_url":"u","sha256sum":"1"}],"files":[{"path":"f"}]}}}`,
		`{"a":{"config":{"files":[]}}}`, `{"a":{"config":{"files":{"path":1}}}}`, `{"a":{"files":[{"path":"f"}]}}`, `{"a":1,"b":{}}`,
	} {
		ref := decodeAs[BLIPRecord](t, CategoryBLIP, document)
		assert.Equal(t, document, ref.text())
	}
}

func TestARecordIsFoundByKeyOwnNameAndAlias(t *testing.T) {
	t.Parallel()
	const document = `{"control_qr_sdxl":{"name":"control_qr_xl","version":"1"},"x":{"name":"shared"},"y":{"name":"shared"},
		"p":{"name":"q"},"q":{"name":"p"},"plain":{}}`
	ref := decodeAs[ControlNetRecord](t, CategoryControlNet, document)
	models, err := DecodeDocument[ModelRecord](CategoryControlNet, document)
	require.NoError(t, err)
	for name, key := range map[string]string{
		"control_qr_sdxl": "control_qr_sdxl", "control_qr_xl": "control_qr_sdxl", "p": "p", "q": "q", "plain": "plain", "x": "x",
		"shared": "", "": "", "other": "",
	} {
		want, wantOK := ref.byKey(key)
		got, ok := ref.Get(name)
		assert.Equal(t, wantOK, ok, name)
		assert.Same(t, want, got, name)
		_, ok = models.Get(name)
		assert.Equal(t, wantOK, ok, name)
	}
	for _, r := range mustAll(t, ref.Query()) {
		_, ok := ref.Get(r.Name)
		assert.Equal(t, r.Name != "shared", ok, "the name in a query's result finds the record")
	}
	found, err := ref.Query().Where(ControlNetFields.Name.Eq("control_qr_xl")).Only(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "1", found.Version)
	for _, key := range []string{"control_qr_sdxl", "control_qr_xl"} { // the record does not have the other name
		ref := decodeAs[ControlNetRecord](t, CategoryControlNet, `{"`+key+`":{}}`)
		for _, name := range []string{"control_qr_sdxl", "control_qr_xl"} {
			_, ok := ref.Get(name)
			assert.True(t, ok, "%s by %s", key, name)
		}
	}
	_, ok := decodeAs[CLIPRecord](t, CategoryCLIP, `{"control_qr_xl":{}}`).Get("control_qr_sdxl")
	assert.False(t, ok, "an alias belongs to its category")
}

func TestGetDoesNotAllocate(t *testing.T) { // AllocsPerRun does not allow parallel tests
	ref := decodeAs[ControlNetRecord](t, CategoryControlNet, `{"control_qr_sdxl":{"name":"control_qr_xl"},"plain":{}}`)
	for _, name := range []string{"plain", "control_qr_xl", "missing"} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { ref.Get(name) }), name)
	}
}

func mustAll[R Record](t *testing.T, q Query[R]) []*R {
	t.Helper()
	all, err := q.All(t.Context())
	require.NoError(t, err)
	return all
}

func TestCompareUsesKeysAndExactNumbers(t *testing.T) {
	t.Parallel()
	decode := func(document string) *Reference[ControlNetRecord] {
		return decodeAs[ControlNetRecord](t, CategoryControlNet, document)
	}
	change := Compare(decode(`{"a":{"x":9007199254740992},"b":{"x":1,"y":{"p":1,"q":2}}}`),
		decode(`{"a":{"x":9007199254740993},"b":{"y":{"q":2e0,"p":1.0},"x":1.0}}`))
	assert.Equal(t, []RecordChange{{Name: "a", Fields: []string{"x"}}}, change.Changed)
	change = Compare(decode(`{"control_qr_sdxl":{"name":"control_qr_xl"}}`), decode(`{"control_qr_xl":{}}`))
	assert.Equal(t, []string{"control_qr_xl"}, change.Added)
	assert.Equal(t, []string{"control_qr_sdxl"}, change.Removed)
}

func TestNullLeavesARecordUnchanged(t *testing.T) {
	t.Parallel()
	record := CLIPRecord{PretrainedName: "kept"}
	require.NoError(t, json.Unmarshal([]byte(`null`), &record))
	require.NoError(t, record.UnmarshalJSON([]byte(" null\n")))
	assert.Equal(t, "kept", record.PretrainedName)
	var list []CLIPRecord
	require.NoError(t, json.Unmarshal([]byte(`[{"name":"a"},null]`), &list))
	assert.Equal(t, "a", list[0].Name)
	_, rejected := decodeRecord[CLIPRecord]([]byte(`null`))
	require.NotNil(t, rejected, "a search result must be a record")
}

func TestASettingThatJSONCannotRepresentIsAnError(t *testing.T) {
	t.Parallel()
	for want, settings := range map[string]map[string]any{
		"settings.temperature: NaN is not a JSON number": {"temperature": math.NaN()},
		"settings.a.b: +Inf is not a JSON number":        {"a": map[string]any{"b": math.Inf(1)}},
		"settings.list[1]: -Inf is not a JSON number":    {"list": []float64{1, math.Inf(-1)}},
		"settings.f: json: unsupported type: func()":     {"f": func() {}},
	} {
		record := TextGenerationRecord{Settings: settings}
		_, err := record.MarshalJSON()
		require.ErrorContains(t, err, want)
	}
}

func TestVerifyReportsAChangedName(t *testing.T) {
	t.Parallel()
	ref := decodeAs[CLIPRecord](t, CategoryCLIP, `{"a":{},"b":{}}`)
	models := ref.models()
	r, _ := ref.Get("a")
	r.Name = "changed"
	err := ref.CheckUnmodified()
	require.ErrorContains(t, err, `record "a" was modified`)
	assert.NotContains(t, err.Error(), `"b"`)
	m, _ := models.Get("b")
	m.Name = strings.ToUpper(m.Name)
	require.ErrorContains(t, models.CheckUnmodified(), `record "b" was modified`)
}
