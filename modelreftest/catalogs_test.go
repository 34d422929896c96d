// This file tests the catalogs of the newest service: image baselines, text guidance and licences.

package modelreftest_test

import (
	"bytes"
	"encoding/json"
	"io"
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

const guidance = `{
	"metadata": {"schema_version": 1, "revision": 4, "updated_at": null},
	"profiles": {
		"talk": {"profile_id": "talk", "kind": "prompt_contract", "display_name": "Talk", "summary": "S", "aliases": ["t"], "deprecated": false},
		"tools": {"profile_id": "tools", "kind": "usage_recipe", "display_name": "Tools", "summary": "S", "aliases": [], "deprecated": false},
		"gone": {"profile_id": "gone", "kind": "prompt_contract", "display_name": "Gone", "summary": "S", "aliases": [], "deprecated": true}
	},
	"assignments": {
		"Org/B-7B": {"model_name": "Org/B-7B", "primary_profile_id": "talk", "supplemental_profile_ids": ["tools"]},
		"Org/A-7B": {"model_name": "Org/A-7B", "primary_profile_id": "talk", "supplemental_profile_ids": []}
	}
}`

const licensing = `{
	"metadata": {"revision": 3},
	"licenses": [{"license_id": "MIT", "deprecated": false}, {"license_id": "Apache-2.0"}, {"license_id": "Old+", "deprecated": true}],
	"assets": [{
		"asset_kind": "other", "asset_identifier": "a/b c", "display_name": "Thing",
		"licensing": {"license_expression": "Old+", "license_ids": ["Old+"], "commercial_use": "prohibited", "redistribution": "unknown"}
	}]
}`

const licensedDocument = `{
	"Big": {"name": "Big", "licensing": {
		"license_expression": "MIT", "license_ids": ["MIT"], "commercial_use": "allowed", "redistribution": "allowed_with_conditions",
		"obligations": [], "evidence": [], "files": {"vae.pt": {
			"license_expression": "Apache-2.0", "license_ids": ["Apache-2.0"], "commercial_use": "allowed", "redistribution": "allowed"
		}}
	}, "config": {"download": [{"file_url": "https://example.org/big"}]}},
	"unreviewed/one": {"name": "unreviewed/one"}
}`

func TestCatalogs(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.WithGuidance(guidance), modelreftest.WithLicensing(licensing),
		modelreftest.WithBaselines(`{"metadata": {"revision": 9}, "baselines": {"z": {"name": "z"}, "a": {"name": "a"}}}`),
		modelreftest.WithDocument(modelref.CategoryESRGAN, licensedDocument),
		modelreftest.WithDocument(modelref.CategoryTextGeneration, `{
			"Org/B-7B": {"name": "Org/B-7B", "guidance": {"status": "stored"}}, "C": {"name": "C", "instruct_format": "ChatML"},
			"D": {"name": "D", "instruct_format": " "}, "koboldcpp/D": {"name": "D"}
		}`))
	const (
		ig = v2 + "image_generation/baselines"
		lc = v2 + "licensing/"
		gd = v2 + "text_generation/guidance/"
	)
	for _, test := range []struct {
		path   string
		status int
		body   string // a part of the body
	}{
		{ig, 200, `{"items":[{"name":"a"},{"name":"z"}],"metadata":{"revision":9},"total":2}`}, // redirected
		{ig + "/", 200, `{"items":[{"name":"a"},{"name":"z"}],"metadata":{"revision":9},"total":2}`},
		{ig + "/z", 200, `{"name": "z"}`},
		{ig + "/Z", 404, `{"detail":"Baseline 'Z' not found."}`},
		{ig + "/a%2Fb", 404, `{"detail":"Not Found"}`},
		{ig + "/export", 200, `{"metadata": {"revision": 9}, "baselines"`},

		{lc + "licenses", 200, `"items":[{"license_id":"Apache-2.0"},{"license_id":"MIT","deprecated":false},{"license_id":"Old+",`},
		{lc + "licenses?include_deprecated=false", 200, `"total":2`},
		{lc + "licenses?limit=1&offset=1", 200, `{"items":[{"license_id":"MIT","deprecated":false}],"limit":1,"metadata":{"revision":3},"offset":1,"total":3}`},
		{lc + "licenses?offset=99", 200, `{"items":[],`},
		{lc + "licenses?limit=0", 422, `"loc":["query","limit"],"msg":"Input should be greater than or equal to 1"`},
		{lc + "licenses?limit=1001", 422, `"type":"less_than_equal"`},
		{lc + "licenses?offset=-1", 422, `"loc":["query","offset"]`},
		{lc + "licenses?limit=x", 422, `"type":"int_parsing"`},
		{lc + "licenses?include_deprecated=maybe", 422, `"type":"bool_parsing"`},
		{lc + "licenses/Old%2B", 200, `{"license_id": "Old+", "deprecated": true}`},
		{lc + "licenses/mit", 404, `{"detail":"License definition not found: mit"}`},
		{lc + "assets", 200, `"total":7`},
		{lc + "assets?asset_kind=other", 200, `"definition_urls":{"Old+":"/model_references/v2/licensing/licenses/Old%2B"}`},
		{lc + "assets?asset_kind=nope", 200, `{"items":[],`},
		{lc + "assets?category=esrgan", 200, `"total":2`},
		{lc + "assets?category=nope", 422, `"loc":["query","category"]`},
		{lc + "assets?license_id=MIT", 200, `"total":1`},
		{lc + "assets?license_id=Apache-2.0", 200, `"total":0`}, // only a file has this licence
		{lc + "assets?commercial_use=unknown", 200, `"total":5`},
		{lc + "assets?redistribution=nope", 422, `Input should be 'allowed', 'allowed_with_conditions', 'prohibited' or 'unknown'`},
		{lc + "assets?name_contains=BIG", 200, `"asset_identifier":"esrgan:Big"`},
		{lc + "assets/other/a/b%20c", 200, `"asset_identifier":"a/b c"`},
		{lc + "assets/other/a%2Fb%20c", 200, `"asset_identifier":"a/b c"`},
		{lc + "assets/other/nope", 404, `{"detail":"Licensed asset not found: other:nope"}`},
		{lc + "assets/model/esrgan:Big", 422, `"loc":["path","asset_kind"]`},
		{lc + "models/esrgan/Big", 200, `"source_url":"https://example.org/big"`},
		{lc + "models/esrgan/Big", 200, `"Apache-2.0":"/model_references/v2/licensing/licenses/Apache-2.0"`},
		{lc + "models/esrgan/unreviewed/one", 200, `"license_expression":"NOASSERTION"`},
		{lc + "models/esrgan/nope", 404, `{"detail":"Model not found: esrgan/nope"}`},
		{lc + "models/nope/Big", 422, `"loc":["path","category"]`},
		{lc + "summary", 200, `{"commercial_use":{"allowed":1,"allowed_with_conditions":0,"prohibited":1,"unknown":5},"licenses":{"MIT":1,"Old+":1},`},
		{lc + "export", 200, `"schema_version":1`},
		{lc + "nope", 404, `{"detail":"Not Found"}`},

		{gd + "profiles", 200, `{"items":[{"aliases":["t"],"assigned_model_count":2,"deprecated":false,"display_name":"Talk","kind":"prompt_contract","profile_id":"talk"`},
		{gd + "profiles", 200, `"total":2`},
		{gd + "profiles?include_deprecated=true", 200, `"total":3`},
		{gd + "profiles/gone", 200, `"profile_id": "gone"`},
		{gd + "profiles/t", 404, `{"detail":"Guidance profile 't' not found."}`},
		{gd + "assignments", 200, `{"items":[{"model_name":"Org/A-7B"`},
		{gd + "assignments?profile_id=tools", 200, `"total":1`},
		{gd + "assignments?model_name=-", 200, `{"items":[],`},
		{gd + "model?name=Org/B-7B", 200, `"supplemental_profiles":[{"profile_id":"tools"`},
		{gd + "model?name=C", 200, `"status":"legacy_label"`},
		{gd + "model?name=D", 200, `"legacy_instruct_format":" "`},
		{gd + "model?name=koboldcpp/D", 404, `{"detail":"Text model 'koboldcpp/D' not found."}`},
		{gd + "model", 422, `"type":"missing"`},
		{gd + "model?name=", 422, `"type":"string_too_short"`},
		{gd + "export", 200, `"assignments": {`},
		{v2 + "text_generation", 200, `"Org/B-7B":{"name":"Org/B-7B","guidance":{"primary_profile_id":"talk","status":"published","supplemental_profile_ids":["tools"]}}`},
		{v2 + "text_generation", 200, `"koboldcpp/D":{"name":"D","guidance":{"primary_profile_id":null,"status":"undocumented","supplemental_profile_ids":[]}}`},
		{v2 + "text_generation/model/C", 200, `"guidance":{"primary_profile_id":null,"status":"legacy_label",`},
	} {
		resp, body := get(t, s, s.URL()+test.path)
		assert.Equal(t, test.status, resp.StatusCode, test.path)
		assert.Contains(t, body, test.body, test.path)
		switch {
		case resp.StatusCode != http.StatusOK || strings.HasPrefix(test.path, lc) || strings.HasPrefix(test.path, v2+"text_generation/model"):
			assert.Empty(t, resp.Header.Get("ETag"), test.path)
		case strings.HasPrefix(test.path, ig):
			assert.Equal(t, `W/"image-baselines-9"`, resp.Header.Get("ETag"), test.path)
		case strings.HasPrefix(test.path, gd):
			assert.Equal(t, `W/"text-guidance-4"`, resp.Header.Get("ETag"), test.path)
		}
	}
}

func TestBuiltInCatalogs(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t)
	for path, want := range map[string]string{
		"image_generation/baselines/krea2_turbo":  `"native_resolution":1024`,
		"licensing/licenses":                      `"total":3`,
		"licensing/assets?asset_kind=custom_node": `"asset_identifier":"example/tile node"`,
		"text_generation/guidance/export":         `"profiles": {}`,
	} {
		_, body := get(t, s, s.URL()+v2+path)
		assert.Contains(t, body, want, path)
	}
}

func TestSetCatalogs(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t)
	_, before := get(t, s, s.URL()+v2+"text_generation")
	_, changed := get(t, s, s.URL()+v2+"metadata/text_generation/last_updated")
	assert.NotContains(t, before, `"guidance"`)
	s.SetGuidance(guidance)
	s.SetLicensing(licensing)
	s.SetBaselines(`{"metadata": {"revision": 2}, "baselines": {}}`)
	_, after := get(t, s, s.URL()+v2+"text_generation")
	assert.Contains(t, after, `"guidance"`)
	_, still := get(t, s, s.URL()+v2+"metadata/text_generation/last_updated")
	assert.Equal(t, changed, still)
	_, body := get(t, s, s.URL()+v2+"licensing/licenses")
	assert.Contains(t, body, "Old+")
	_, body = get(t, s, s.URL()+v2+"image_generation/baselines/")
	assert.Contains(t, body, `"total":0`)

	for name, set := range map[string]func(){
		"guidance":   func() { s.SetGuidance(`{"profiles": {}}`) },
		"assignment": func() { s.SetGuidance(`{"profiles": {}, "assignments": {"a": {"primary_profile_id": "x"}}}`) },
		"licensing":  func() { s.SetLicensing(`{"licenses": [{}], "assets": []}`) },
		"asset":      func() { s.SetLicensing(`{"licenses": [], "assets": [{}]}`) },
		"baselines":  func() { s.SetBaselines(`[]`) },
	} {
		assert.Panics(t, set, name)
	}
	_, err := modelreftest.Start(modelreftest.WithBaselines(`{}`), modelreftest.WithLicensing(`{`), modelreftest.WithGuidance(`null`))
	require.ErrorContains(t, err, "WithBaselines")
	require.ErrorContains(t, err, "WithLicensing")
	require.ErrorContains(t, err, "WithGuidance")
}

func TestOlderDeployment(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.AsOlderDeployment(), modelreftest.WithGuidance(guidance),
		modelreftest.WithDocument(modelref.CategoryTextGeneration, `{"C": {"name": "C"}}`))
	for _, path := range []string{
		"image_generation/baselines/", "image_generation/baselines/flux_1", "licensing/licenses", "licensing/models/clip/x",
		"text_generation/guidance/export", "text_generation/guidance/profiles/talk",
	} {
		resp, body := get(t, s, s.URL()+v2+path)
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
		assert.Equal(t, `{"detail":"Not Found"}`, body, path)
	}
	_, body := get(t, s, s.URL()+v2+"text_generation")
	assert.Equal(t, `{"C": {"name": "C"}}`, body)
}

func TestAliasesOfModels(t *testing.T) {
	t.Parallel()
	document := modelreftest.WithDocument(modelref.CategoryControlNet, `{"control_qr_sdxl": {"name": "control_qr_xl"}}`)
	newest, older := modelreftest.NewServer(t, document), modelreftest.NewServer(t, document, modelreftest.AsOlderDeployment())
	for _, name := range []string{"control_qr_sdxl", "control_qr_xl"} {
		resp, _ := get(t, newest, newest.URL()+v2+"controlnet/model/"+name)
		assert.Equal(t, 200, resp.StatusCode, name)
		resp, _ = get(t, newest, newest.URL()+v2+"licensing/models/controlnet/"+name)
		assert.Equal(t, 200, resp.StatusCode, name)
	}
	resp, _ := get(t, older, older.URL()+v2+"controlnet/model/control_qr_xl")
	assert.Equal(t, 404, resp.StatusCode)
}

func TestHandle(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, options...)
		s.Handle("model_references/v2/search", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, "found "+r.URL.Query().Get("name_contains"))
		}))
		s.Handle("/heartbeat", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		resp, body := get(t, s, s.URL()+v2+"search?name_contains=x")
		assert.Equal(t, http.StatusAccepted, resp.StatusCode)
		assert.Equal(t, "found x", body)
		resp, body = get(t, s, s.URL()+"/heartbeat")
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Empty(t, body)
		log := s.Requests()
		require.Len(t, log, 2)
		assert.Equal(t, http.StatusAccepted, log[0].Status)
		assert.Equal(t, len("found x"), log[0].BodyBytes)
		assert.Equal(t, http.StatusOK, log[1].Status)

		s.Script(modelreftest.Primary, modelreftest.Status(503))
		resp, _ = get(t, s, s.URL()+"/heartbeat")
		assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
		s.Handle("heartbeat", nil)
		_, body = get(t, s, s.URL()+"/heartbeat")
		assert.Contains(t, body, `"status":"ok"`)
	})
}

// TestContractCatalogs checks that the Server responds as the newest service did with the same data.
func TestContractCatalogs(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		t.Skip("MODELREF_CORPUS must be the directory of the recorded responses")
	}
	read := func(path ...string) []byte {
		data, err := os.ReadFile(filepath.Join(append([]string{dir, "newest"}, path...)...))
		require.NoError(t, err)
		return data
	}
	var exchanges []struct {
		Path    string
		Status  int
		Body    json.RawMessage
		Headers map[string]string
	}
	require.NoError(t, json.Unmarshal(read("http", "new_rich.json"), &exchanges))
	options := []modelreftest.Option{modelreftest.WithLicensing(string(read("http", "licensing_export_rich.json")))}
	for _, e := range exchanges {
		switch {
		case strings.HasSuffix(e.Path, "/baselines/export"):
			options = append(options, modelreftest.WithBaselines(string(e.Body)))
		case strings.HasSuffix(e.Path, "/guidance/export"):
			options = append(options, modelreftest.WithGuidance(string(e.Body)))
		}
	}
	var skipped map[modelref.Category]map[string]any // the service cannot parse these records
	require.NoError(t, json.Unmarshal(read("primary", "rich.decoded", "_skipped.json"), &skipped))
	for _, category := range modelref.Categories() {
		var records map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(read("primary", "rich", string(category)+".json"), &records))
		for name := range skipped[category] {
			delete(records, name)
		}
		document, err := json.Marshal(records)
		require.NoError(t, err)
		options = append(options, modelreftest.WithDocument(category, string(document)))
	}
	s := modelreftest.NewServer(t, options...)
	compared := 0
	for _, e := range exchanges {
		if !strings.Contains(e.Path, "/baselines") && !strings.Contains(e.Path, "/licensing/") && !strings.Contains(e.Path, "/guidance/") ||
			e.Status == http.StatusTemporaryRedirect {
			continue
		}
		compared++
		resp, body := get(t, s, s.URL()+e.Path)
		assert.Equal(t, e.Status, resp.StatusCode, e.Path)
		assert.Equal(t, e.Headers["etag"], resp.Header.Get("ETag"), e.Path)
		if e.Status == http.StatusUnprocessableEntity {
			continue // the details of the texts differ
		}
		assert.Equal(t, comparable(t, e.Body), comparable(t, []byte(body)), e.Path)
	}
	assert.Greater(t, compared, 70)
}

func comparable(t testing.TB, body []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	require.NoError(t, d.Decode(&v), "%.200s", body)
	return v
}
