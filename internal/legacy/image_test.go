package legacy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// convertOK converts a file and fails the test if Convert returns an error.
func convertOK(tb testing.TB, category, raw string) (names []string, records map[string]map[string]any, rejected []Rejected) {
	tb.Helper()
	document, rejected, err := Convert(category, []byte(raw))
	require.NoError(tb, err)
	names, records = readDocument(tb, document)
	return names, records, rejected
}

// rejectedNames returns the names of rejected records.
func rejectedNames(rejected []Rejected) (names []string) {
	for _, r := range rejected {
		names = append(names, r.Name)
	}
	return names
}

// TestImageFields has one record for each case: the members of the legacy record besides name and baseline, and the
// members of the v2 record.
func TestImageFields(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		members string
		want    map[string]any
	}{
		"nothing set":               {``, map[string]any{}},
		"nulls are unset":           {`"description":null,"tags":null,"trigger":null,"nsfw":null,"config":null,"requirements":null,"size_on_disk_bytes":null,"style":null`, map[string]any{}},
		"empty strings are kept":    {`"description":"","style":"","homepage":""`, map[string]any{"description": "", "style": "", "homepage": ""}},
		"empty lists are unset":     {`"tags":[],"showcases":[]`, map[string]any{}},
		"lists":                     {`"tags":["wood","tin"],"trigger":["a b","c,d"],"showcases":["https://pics.example/1"]`, map[string]any{"tags": []any{"wood", "tin"}, "trigger": []any{"a b", "c,d"}, "showcases": []any{"https://pics.example/1"}}},
		"flags":                     {`"nsfw":true,"inpainting":true`, map[string]any{"nsfw": true, "inpainting": true}},
		"flags as numbers":          {`"nsfw":1,"inpainting":0.0`, map[string]any{"nsfw": true, "inpainting": false}},
		"flags as words":            {`"nsfw":"Yes","inpainting":"off"`, map[string]any{"nsfw": true, "inpainting": false}},
		"integers":                  {`"size_on_disk_bytes":13000000001,"min_bridge_version":15`, map[string]any{"size_on_disk_bytes": exact("13000000001"), "min_bridge_version": exact("15")}},
		"zero is set":               {`"size_on_disk_bytes":0`, map[string]any{"size_on_disk_bytes": exact("0")}},
		"integers as floats":        {`"size_on_disk_bytes":5.0,"min_bridge_version":1e3`, map[string]any{"size_on_disk_bytes": exact("5"), "min_bridge_version": exact("1000")}},
		"integers as strings":       {`"size_on_disk_bytes":" 1_000.0 ","min_bridge_version":"+7"`, map[string]any{"size_on_disk_bytes": exact("1000"), "min_bridge_version": exact("7")}},
		"type is dropped":           {`"type":"ckpt"`, map[string]any{}},
		"unknown fields dropped":    {`"available":"maybe","download_all":7,"novel":{"deep":[1,{"er":2}]}`, map[string]any{}},
		"optimization":              {`"optimization":"swift"`, map[string]any{"optimization": "swift"}},
		"escapes":                   {`"description":"\u00e9\ud83d\ude00\n\"\\"`, map[string]any{"description": "é😀\n\"\\"}},
		"later member counts":       {`"version":"1","version":"2"`, map[string]any{"version": "2"}},
		"later null counts":         {`"version":"1","version":null`, map[string]any{}},
		"requirements":              {`"requirements":{"steps":30,"scale":1.50,"fast":true,"who":"me","many":["p","q"]}`, map[string]any{"requirements": map[string]any{"steps": exact("30"), "scale": exact("3/2"), "fast": true, "who": "me", "many": []any{"p", "q"}}}},
		"empty requirements are":    {`"requirements":{}`, map[string]any{"requirements": map[string]any{}}},
		"requirement named twice":   {`"requirements":{"a":1,"b":2,"a":3}`, map[string]any{"requirements": map[string]any{"a": exact("3"), "b": exact("2")}}},
		"later config counts whole": {`"config":{"files":[{"path":"a.bin"}]},"config":{"files":null}`, map[string]any{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := `{"it":{"name":"it","baseline":"odd"`
			if test.members != "" {
				raw += "," + test.members
			}
			_, records, rejected := convertOK(t, "image_generation", raw+`}}`)
			require.Empty(t, rejected)
			want := map[string]any{"record_type": "image_generation", "name": "it", "baseline": "odd", "nsfw": false}
			for key, value := range test.want {
				want[key] = value
			}
			assert.Equal(t, want, records["it"])
		})
	}
}

func TestBaselines(t *testing.T) {
	t.Parallel()
	for old, want := range map[string]string{
		"stable diffusion 1":     "stable_diffusion_1",
		"stable diffusion 2":     "stable_diffusion_2_768",
		"stable diffusion 2 512": "stable_diffusion_2_512",
		"stable_diffusion_xl":    "stable_diffusion_xl",
		"stable_cascade":         "stable_cascade",
		"stable diffusion xl":    "stable diffusion xl",
		"SDXL":                   "SDXL",
		"Stable Diffusion 1":     "Stable Diffusion 1",
		"next_year_1":            "next_year_1",
		"":                       "",
	} {
		_, records, rejected := convertOK(t, "image_generation", fmt.Sprintf(`{"it":{"name":"it","baseline":%q}}`, old))
		require.Empty(t, rejected)
		assert.Equal(t, want, records["it"]["baseline"], old)
	}
	_, records, _ := convertOK(t, "miscellaneous", `{"it":{"name":"it","baseline":"stable diffusion 1"}}`)
	assert.NotContains(t, records["it"], "baseline", "only image generation has a baseline")
}

func TestDownloads(t *testing.T) {
	t.Parallel()
	file := func(name, url, sum string, more ...any) map[string]any {
		d := map[string]any{"file_name": name, "file_url": url, "sha256sum": sum, "known_slow_download": false}
		for i := 0; i < len(more); i += 2 {
			d[more[i].(string)] = more[i+1]
		}
		return d
	}
	tests := map[string]struct {
		config string
		want   []any
	}{
		"joined by name": {
			`"files":[{"path":"a.bin","sha256sum":"AA"},{"path":"b.bin","sha256sum":"bb"}],"download":[{"file_name":"b.bin","file_url":"https://w.example/b"},{"file_name":"a.bin","file_url":"https://w.example/a"}]`,
			[]any{file("a.bin", "https://w.example/a", "AA"), file("b.bin", "https://w.example/b", "bb")},
		},
		"no sum": {
			`"files":[{"path":"a.bin"},{"path":"b.bin","sha256sum":null},{"path":"c.bin","sha256sum":""}]`,
			[]any{file("a.bin", "", "FIXME"), file("b.bin", "", "FIXME"), file("c.bin", "", "FIXME")},
		},
		"no url":              {`"files":[{"path":"a.bin"}],"download":[{"file_name":"a.bin","file_url":null}]`, []any{file("a.bin", "", "FIXME")}},
		"later url counts":    {`"files":[{"path":"a.bin"}],"download":[{"file_name":"a.bin","file_url":"u:1"},{"file_name":"a.bin","file_url":"u:2"}]`, []any{file("a.bin", "u:2", "FIXME")}},
		"later file counts":   {`"files":[{"path":"a.bin","sha256sum":"1"},{"path":"b.bin"},{"path":"a.bin","sha256sum":"2"}]`, []any{file("a.bin", "", "2"), file("b.bin", "", "FIXME")}},
		"yaml is left out":    {`"files":[{"path":"a.bin"},{"path":"v9.yaml"},{"path":"V9.YAML"},{"path":"my_yaml_notes.bin"}]`, []any{file("a.bin", "", "FIXME")}},
		"blank path left out": {`"files":[{"path":""}]`, nil},
		"json is kept":        {`"files":[{"path":"settings.json"}]`, []any{file("settings.json", "", "FIXME")}},
		"purpose and content": {`"files":[{"path":"a.bin","file_type":"vae","content_hash":"cc"}]`, []any{file("a.bin", "", "FIXME", "file_purpose", "vae", "content_hash", "cc")}},
		"slow by path":        {`"files":[{"path":"CivitAI_7.bin"}]`, []any{file("CivitAI_7.bin", "", "FIXME", "known_slow_download", true)}},
		"not slow by url":     {`"files":[{"path":"a.bin"}],"download":[{"file_name":"a.bin","file_url":"https://civitai.com/1"}]`, []any{file("a.bin", "https://civitai.com/1", "FIXME")}},
		"false values":        {`"files":false,"download":{}`, nil},
		"other lists":         {`"files":"","download":0,"notes":["x"]`, nil},
		"dropped fields":      {`"files":[{"path":"a.bin","md5sum":7,"novel":[]}],"download":[{"file_name":"a.bin","file_path":{"odd":1}}]`, []any{file("a.bin", "", "FIXME")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, records, rejected := convertOK(t, "esrgan", `{"it":{"name":"it","config":{`+test.config+`}}}`)
			require.Empty(t, rejected)
			if test.want == nil {
				assert.NotContains(t, records["it"], "config")
				return
			}
			assert.Equal(t, map[string]any{"download": test.want}, records["it"]["config"])
		})
	}
}

func TestEmbeddedHashes(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]any{
		`{"vae":"dd","unet":"ee"}`: map[string]any{"vae": "dd", "unet": "ee"},
		`{}`:                       map[string]any{},
		`null`:                     nil,
	} {
		_, records, rejected := convertOK(t, "blip", `{"it":{"name":"it","config":{"embedded_component_hashes":`+raw+`}}}`)
		require.Empty(t, rejected)
		if want == nil {
			assert.NotContains(t, records["it"], "config")
		} else {
			assert.Equal(t, map[string]any{"embedded_component_hashes": want}, records["it"]["config"])
		}
	}
}

// TestRequirementLists expects lists of one type, as upstream's types return them.
func TestRequirementLists(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`[1, 2]`:                   `[1,2]`,
		`[1,2.5]`:                  `[1.0,2.5]`,
		`[1.0,2]`:                  `[1.0,2.0]`,
		`[1e3,1]`:                  `[1e3,1.0]`,
		`["1","2"]`:                `["1","2"]`,
		`["x"]`:                    `["x"]`,
		`[]`:                       `[]`,
		`[1,true]`:                 `[1,1]`,
		`[true,false]`:             `[1,0]`,
		`[2.0,true]`:               `[2,1]`,
		`[2.5,true]`:               `[2.5,1.0]`,
		`[1,"2"]`:                  `[1,2]`,
		`[1.5,"2"]`:                `[1.5,2.0]`,
		`["1.0",2]`:                `[1,2]`,
		`["1","2",3.5]`:            `[1.0,2.0,3.5]`,
		`[1,99999999999999999999]`: `[1,99999999999999999999]`,
		`["a",1]`:                  ``,
		`["a",true]`:               ``,
		`[1,null]`:                 ``,
		`[[1]]`:                    ``,
		`[{}]`:                     ``,
		`[1,"nan"]`:                ``,
		`[1,"0x1p3"]`:              ``,
		`{"b":1}`:                  ``,
		`null`:                     ``,
		`1e999`:                    ``,
	} {
		document, rejected, err := Convert("image_generation", []byte(`{"it":{"name":"it","baseline":"b","requirements":{"k":`+raw+`}}}`))
		require.NoError(t, err)
		if want == "" {
			assert.Equal(t, []string{"it"}, rejectedNames(rejected), raw)
			continue
		}
		require.Empty(t, rejected, raw)
		assert.Contains(t, string(document), `"requirements":{"k":`+want+`}`, raw)
	}
}

func TestOtherCategories(t *testing.T) {
	t.Parallel()
	_, records, rejected := convertOK(t, "clip", `{
		"a/b":{"name":"a/b","type":"coca","pretrained_name":"laid"},
		"plain":{"name":"plain","pretrained_name":null},
		"odd":{"name":"odd","type":"blip"},
		"null":{"name":"null","type":null}}`)
	assert.Equal(t, map[string]map[string]any{
		"a/b":   {"record_type": "clip", "name": "a/b", "pretrained_name": "laid"},
		"plain": {"record_type": "clip", "name": "plain"},
	}, records)
	assert.Equal(t, []string{"odd", "null"}, rejectedNames(rejected))

	_, records, rejected = convertOK(t, "controlnet", `{
		"by type":{"name":"by type","type":"control_wool","style":"control_silk"},
		"by style":{"name":"by style","style":"control_silk"},
		"blank type":{"name":"blank type","type":"","style":"control_silk"},
		"neither":{"name":"other name"}}`)
	require.Empty(t, rejected)
	assert.Equal(t, map[string]map[string]any{
		"by type":    {"record_type": "controlnet", "name": "by type", "controlnet_style": "control_wool"},
		"by style":   {"record_type": "controlnet", "name": "by style", "controlnet_style": "control_silk"},
		"blank type": {"record_type": "controlnet", "name": "blank type", "controlnet_style": "control_silk"},
		"neither":    {"record_type": "controlnet", "name": "other name"},
	}, records)

	for category := range converters {
		names, records, rejected := convertOK(t, category, `{"it":{"name":"it","baseline":"b"}}`)
		assert.Empty(t, rejected)
		assert.Equal(t, []string{"it"}, names)
		assert.Equal(t, category, records["it"]["record_type"])
	}
}

// TestBadRecords puts each invalid record between two valid records, which must be kept.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	const head = `"name":"bad","baseline":"b"`
	tests := map[string]struct{ record, reason string }{
		"download without file": {`{` + head + `,"config":{"files":[{"path":"a.bin"}],"download":[{"file_name":"b.bin","file_url":"u"}]}}`, `config.download[0]: file_name must be the path of one of config.files, got "b.bin"`},
		"download of yaml":      {`{` + head + `,"config":{"files":[{"path":"a.yaml"}],"download":[{"file_name":"a.yaml"}]}}`, `config.download[0]: file_name must be the path of one of config.files, got "a.yaml"`},
		"download without name": {`{` + head + `,"config":{"download":[{"file_url":"u"}]}}`, `config.download[0]: file_name must be the path of one of config.files, got ""`},
		"file without path":     {`{` + head + `,"config":{"files":[{"sha256sum":"aa"}]}}`, `config.files[0]: path is missing`},
		"file that is a string": {`{` + head + `,"config":{"files":["a.bin"]}}`, `/config/files/0`},
		"files an object":       {`{` + head + `,"config":{"files":{"path":"a.bin"}}}`, `/config/files`},
		"broken url":            {`{` + head + `,"config":{"files":[{"path":"a"}],"download":[{"file_name":"a","file_url":"https://[half/x"}]}}`, `invalid host`},
		"config a list":         {`{` + head + `,"config":[]}`, `/config`},
		"hash not a string":     {`{` + head + `,"config":{"embedded_component_hashes":{"vae":5}}}`, `embedded_component_hashes: "vae"`},
		"no name":               {`{"baseline":"b"}`, `name is missing`},
		"null name":             {`{"name":null,"baseline":"b"}`, `name is missing`},
		"name a number":         {`{"name":5,"baseline":"b"}`, `must be a string, got a number`},
		"no baseline":           {`{"name":"bad"}`, `baseline is missing`},
		"baseline a list":       {`{"name":"bad","baseline":["b"]}`, `/baseline`},
		"other type":            {`{` + head + `,"type":"lora"}`, `got "lora"`},
		"inpainting null":       {`{` + head + `,"inpainting":null}`, `inpainting must not be null`},
		"flag a list":           {`{` + head + `,"nsfw":[]}`, `/nsfw`},
		"flag 2":                {`{` + head + `,"nsfw":2}`, `must be a boolean`},
		"size a fraction":       {`{` + head + `,"size_on_disk_bytes":1.5}`, `must be a 64-bit integer`},
		"size too large":        {`{` + head + `,"size_on_disk_bytes":9223372036854775808}`, `must be a 64-bit integer`},
		"size in exponents":     {`{` + head + `,"size_on_disk_bytes":"1e3"}`, `must be a 64-bit integer`},
		"tags a string":         {`{` + head + `,"tags":"a,b"}`, `must be an array of strings, got a string`},
		"tag null":              {`{` + head + `,"tags":["a",null]}`, `must be a string, got null`},
		"banned showcase":       {`{` + head + `,"showcases":["https://huggingface.co/x.png"]}`, `showcase`},
		"requirements a list":   {`{` + head + `,"requirements":[1]}`, `must be an object, got an array`},
		"nested requirement":    {`{` + head + `,"requirements":{"a":{"b":1}}}`, `requirements: "a"`},
		"null":                  {`null`, `must be a JSON object`},
		"a string":              {`"bad"`, `must be a JSON object`},
		"an array":              {`[{` + head + `}]`, `must be a JSON object`},
		"a bare word":           {`oops`, `must be a JSON object`},
		"a comma too many":      {`{` + head + `,}`, `invalid character`},
		"not a number":          {`{` + head + `,"size_on_disk_bytes":NaN}`, `invalid character`},
		"no value":              {`{` + head + `,"style":}`, `invalid character`},
		"not UTF-8":             {"{" + head + `,"style":"` + "\xff" + `"}`, `UTF-8`},
		"half a surrogate":      {`{` + head + `,"style":"\ud800"}`, `surrogate`},
		"raw newline":           {"{" + head + ",\"style\":\"a\nb\"}", `invalid character`},
		"too deep":              {`{` + head + `,"x":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}`, `nested deeper`},
		"too large":             {`{` + head + `,"x":"` + strings.Repeat(`y`, maxRecordBytes) + `"}`, `bytes`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const good = `{"name":"good","baseline":"b"}`
			names, records, rejected := convertOK(t, "image_generation",
				`{"before":`+good+`, "bad" : `+test.record+` , "after":`+good+`}`)
			assert.Equal(t, []string{"before", "after"}, names)
			assert.Equal(t, records["before"], records["after"])
			require.Equal(t, []string{"bad"}, rejectedNames(rejected))
			assert.ErrorContains(t, rejected[0].Reason, test.reason)
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	names, _, rejected := convertOK(t, "blip", `{"z":{"name":"z"},"search":{"name":"s"},"a/b?#%&+":{"name":"q"},"":{"name":"e"},"\u00e9\ud83d\ude00":{"name":"u"}}`)
	assert.Empty(t, rejected)
	assert.Equal(t, []string{"z", "search", "a/b?#%&+", "", "é😀"}, names)

	names, _, rejected = convertOK(t, "blip", "{\"a\":{\"name\":\"a\"},\"b\xff\":{\"name\":\"b\"},\"\\ud800\":{\"name\":\"c\"},\"d\":{\"name\":\"d\"}}")
	assert.Equal(t, []string{"a", "d"}, names)
	assert.Equal(t, []string{"b\ufffd", "\ufffd"}, rejectedNames(rejected))
}

func TestDuplicateNames(t *testing.T) {
	t.Parallel()
	names, records, rejected := convertOK(t, "blip",
		`{"a":{"name":"a","version":"1"},"b":{"name":"b"},"\u0061":{"name":"a","version":"2"}}`)
	assert.Equal(t, []string{"a", "b"}, names)
	assert.Equal(t, "2", records["a"]["version"])
	require.Equal(t, []string{"a"}, rejectedNames(rejected))
	assert.ErrorIs(t, rejected[0].Reason, ErrDuplicate)

	names, _, rejected = convertOK(t, "blip", `{"a":{"name":"a"},"b":{"name":"b"},"a":{}}`)
	assert.Equal(t, []string{"a", "b"}, names, "a later bad record replaces nothing")
	require.Equal(t, []string{"a"}, rejectedNames(rejected))
	assert.NotErrorIs(t, rejected[0].Reason, ErrDuplicate)

	names, records, rejected = convertOK(t, "blip", `{"a":{},"b":{"name":"b"},"a":{"name":"a","version":"2"}}`)
	assert.Equal(t, []string{"b", "a"}, names, "a bad record has no place")
	assert.Equal(t, "2", records["a"]["version"])
	require.Len(t, rejected, 1)
	assert.NotErrorIs(t, rejected[0].Reason, ErrDuplicate)
}

// TestBadFiles has files that are invalid as a whole.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	const good = `{"a":{"name":"a"}`
	tests := map[string]string{
		"empty": ``, "blank": " \n", "null": `null`, "array": `[]`, "string": `"a"`, "html": `<html></html>`,
		"cut after a brace": `{`, "cut in a name": `{"a`, "cut after a name": `{"a"`, "cut after a colon": `{"a":`,
		"cut in a record": `{"a":{"name":"a"`, "cut after a record": good, "cut after a comma": good + `,`,
		"trailing comma": good + `,}`, "something after": good + `} x`, "two objects": good + `}{}`,
		"no colon": `{"a" {"name":"a"}}`, "no comma": good + ` "b":{}}`, "no value": `{"a":,"b":{}}`,
		"unquoted name": `{a:{}}`, "crossed brackets": `{"a":{"x":[}],"b":{}}`, "bracket too many": good + `}}`,
		"cut in an escape": `{"a":"\`, "too large": `{"a":"` + strings.Repeat("x", maxFileBytes) + `"}`,
		"too many records": `{` + strings.Repeat(`"a":0,`, maxRecords) + `"b":0}`,
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document, rejected, err := Convert("blip", []byte(raw))
			require.Error(t, err)
			assert.ErrorContains(t, err, "legacy blip: ")
			assert.Nil(t, document)
			assert.Nil(t, rejected)
		})
	}
}

func TestGoodFiles(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{}`, " {\n}\r\n", "\ufeff{}"} {
		document, rejected, err := Convert("blip", []byte(raw))
		require.NoError(t, err)
		assert.Empty(t, rejected)
		assert.Equal(t, `{}`, string(document))
	}
	names, _, _ := convertOK(t, "blip", "\ufeff{\"a\":{\"name\":\"a\"}}")
	assert.Equal(t, []string{"a"}, names)
}

func TestCategoriesWithoutFile(t *testing.T) {
	t.Parallel()
	for _, category := range []string{"lora", "ti", "video_generation", "audio_generation", "controlnet_annotator", "", "no such"} {
		_, _, err := Convert(category, []byte(`{}`))
		assert.ErrorContains(t, err, "no file on GitHub", category)
	}
}

// TestConvertKeepsInput checks that Convert only reads its input: cached bytes may be read concurrently.
func TestConvertKeepsInput(t *testing.T) {
	t.Parallel()
	for category, raw := range map[string]string{
		"image_generation": `{"a":{"name":"a","baseline":"b","requirements":{"l":[1,2.5]}}}`,
		textGeneration:     "name,parameters_bn,tags\n\"a \"\"b\"\"\",1,\"x, y\"\n",
	} {
		input := []byte(raw)
		document, _, err := Convert(category, input)
		require.NoError(t, err)
		assert.Equal(t, raw, string(input))
		clear(input)
		again, _, err := Convert(category, []byte(raw))
		require.NoError(t, err)
		assert.Equal(t, string(again), string(document), "the document is a copy")
	}
}

func TestSpaceAroundTagsAndStyleIsRemoved(t *testing.T) {
	t.Parallel()
	_, records, rejected := convertOK(t, "image_generation",
		`{"a":{"name":"a","baseline":"b","style":" anime\t","tags":[" x ","y\u00a0"]}}`)
	require.Empty(t, rejected)
	assert.Equal(t, "anime", records["a"]["style"])
	assert.Equal(t, []any{"x", "y"}, records["a"]["tags"])
}
