package legacy

// This file tests the blocks of newer files: licence, metadata, and the capabilities of a text model.

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// licensed returns a file of two records. The first record has the given members.
func licensed(members string) string {
	return `{"first":{"name":"first","config":{"files":[{"path":"a.bin"}],"download":[{"file_name":"a.bin","file_url":"u"}]},` +
		members + `},"second":{"name":"second"}}`
}

const unreviewed = `"license_expression":"NOASSERTION","commercial_use":"unknown","redistribution":"unknown"`

func TestLicensing(t *testing.T) {
	t.Parallel()
	full := `{"license_expression":"MIT OR Zlib","license_ids":["Zlib","MIT"],"commercial_use":"allowed","redistribution":"prohibited",
		"obligations":["attribution"],"attribution":"By Ann","evidence":[{"source":"s","description":null,"checked_at":"2024-02-29"}],
		"reviewed_by":null,"reviewed_at":"2024-03-01","notes":"n","files":{"a.bin":{` + unreviewed + `}}}`
	for name, licence := range map[string]string{
		"full": full, "unreviewed": "{" + unreviewed + "}", "no files": "{" + unreviewed + `,"files":{},"license_ids":[]}`,
	} {
		names, records, rejected := convertOK(t, "blip", licensed(`"licensing":`+licence))
		assert.Equal(t, []string{"first", "second"}, names, name)
		assert.Empty(t, rejected, name)
		assert.JSONEq(t, licence, toJSON(t, records["first"]["licensing"]), name)
		assert.NotContains(t, records["second"], "licensing")
	}
	_, records, _ := convertOK(t, "blip", licensed(`"licensing":null`))
	assert.NotContains(t, records["first"], "licensing")
}

func TestAnInvalidBlockRejectsItsRecord(t *testing.T) {
	t.Parallel()
	valid := `"license_expression":"MIT","license_ids":["MIT"],"commercial_use":"allowed","redistribution":"allowed"`
	for members, reason := range map[string]string{
		`"licensing":{}`:                         "license_expression",
		`"licensing":[]`:                         "",
		`"licensing":"MIT"`:                      "",
		`"licensing":{` + valid + `,"future":1}`: "future",
		`"licensing":{` + valid + `,"commercial_use":"maybe"}`:          "commercial_use",
		`"licensing":{` + valid + `,"redistribution":null}`:             "redistribution",
		`"licensing":{` + valid + `,"obligations":["sing"]}`:            "sing",
		`"licensing":{` + valid + `,"license_ids":["Zlib"]}`:            "license_ids",
		`"licensing":{` + valid + `,"license_ids":["MIT","Zlib"]}`:      "license_ids",
		`"licensing":{` + valid + `,"license_ids":[]}`:                  "license_ids",
		`"licensing":{` + valid + `,"license_expression":"MIT AND"}`:    "MIT AND",
		`"licensing":{` + valid + `,"reviewed_at":"2024-02-30"}`:        "2024-02-30",
		`"licensing":{` + valid + `,"evidence":[{"description":"d"}]}`:  "evidence[0]",
		`"licensing":{` + valid + `,"files":{"b.bin":{` + valid + `}}}`: "b.bin",
		`"licensing":{` + valid + `,"files":{"a.bin":null}}`:            "a.bin",
		`"licensing":{` + valid + `,"files":{"a.bin":{}}}`:              "a.bin",
		`"licensing":{` + unreviewed + `,"license_ids":["MIT"]}`:        "NOASSERTION",
		`"licensing":{` + unreviewed + `,"commercial_use":"allowed"}`:   "NOASSERTION",
		`"metadata":[]`:                         "",
		`"metadata":{"created_at":"yesterday"}`: "created_at",
		`"metadata":{"updated_by":7}`:           "updated_by",
	} {
		names, _, rejected := convertOK(t, "blip", licensed(members))
		assert.Equal(t, []string{"second"}, names, members)
		require.Len(t, rejected, 1, members)
		assert.Equal(t, "first", rejected[0].Name)
		assert.ErrorContains(t, rejected[0].Reason, reason, members)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	for block, want := range map[string]string{
		`{}`: `{"schema_version":"1.0.0"}`,
		`{"created_at":5,"updated_at":"6","created_by":"a","updated_by":null,"other":{"x":1}}`: `{"schema_version":"1.0.0","created_at":5,"updated_at":6,"created_by":"a"}`,
		`{"schema_version":"9"}`: `{"schema_version":"9"}`,
	} {
		_, records, rejected := convertOK(t, "clip", licensed(`"metadata":`+block))
		assert.Empty(t, rejected, block)
		assert.JSONEq(t, want, toJSON(t, records["first"]["metadata"]), block)
	}
	_, records, _ := convertOK(t, "clip", licensed(`"metadata":null`))
	assert.NotContains(t, records["first"], "metadata")
}

func TestKarrasBecomesSchedulers(t *testing.T) {
	t.Parallel()
	for requirements, want := range map[string]string{
		`{"karras":true,"steps":2}`:             `{"schedulers":["karras"],"steps":2}`,
		`{"karras":false}`:                      `{"schedulers":["normal"]}`,
		`{"karras":"yes"}`:                      `{}`,
		`{"schedulers":["beta"],"karras":true}`: `{"schedulers":["beta"]}`,
		`{"schedulers":["new"],"a":[1,2]}`:      `{"schedulers":["new"],"a":[1,2]}`,
	} {
		_, records, rejected := convertOK(t, "image_generation",
			`{"m":{"name":"m","baseline":"b","requirements":`+requirements+`}}`)
		assert.Empty(t, rejected, requirements)
		assert.JSONEq(t, want, toJSON(t, records["m"]["requirements"]), requirements)
	}
}

func TestTextBlocks(t *testing.T) {
	t.Parallel()
	columns := strings.TrimSuffix(header, "\n") + ",context_window,interaction_modes,capabilities\n"
	names, records, rejected := convertOK(t, textGeneration, columns+
		`Ann/Owl-1B,,,,,,,,,," {""maximum_tokens"": 7} ","{""chat"":{""status"":""new""}}",{}`+"\n"+
		`Ann/Bat-1B,,,,,,,,,,,`+"\n"+
		`Ann/Cat-1B,,,,,,,,,,{nope,,`+"\n"+
		`Ann/Dog-1B,,,,,,,,,,,[1],`+"\n"+
		`Ann/Eel-1B,,,,,,,,,,,,null`+"\n"+
		`Ann/Fox-1B,,,,,,,,,,,,{} {}`+"\n"+
		`Ann/Gnu-1B,,,,,,,,,,,,`+strings.Repeat("[", 100)+"\n"+
		`Ann/Hen-1B,,,,,,,`+"\n")
	assert.Equal(t, []string{"Ann/Owl-1B", "Ann/Bat-1B", "Ann/Hen-1B"}, names)
	assert.Equal(t, []string{"Ann/Cat-1B", "Ann/Dog-1B", "Ann/Eel-1B", "Ann/Fox-1B", "Ann/Gnu-1B"}, rejectedNames(rejected))
	assert.Equal(t, map[string]any{"maximum_tokens": exact("7")}, records["Ann/Owl-1B"]["context_window"])
	assert.Equal(t, map[string]any{"chat": map[string]any{"status": "new"}}, records["Ann/Owl-1B"]["interaction_modes"])
	assert.Equal(t, map[string]any{}, records["Ann/Owl-1B"]["capabilities"])
	assert.NotContains(t, records["Ann/Bat-1B"], "context_window")
}

// toJSON returns the JSON of a value of readExact.
func toJSON(tb testing.TB, v any) string {
	tb.Helper()
	data, err := json.Marshal(v, json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, n exact) error {
		return enc.WriteValue(jsontext.Value(n))
	})))
	require.NoError(tb, err)
	return string(data)
}
