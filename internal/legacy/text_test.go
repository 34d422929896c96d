package legacy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const header = "name,parameters_bn,display_name,url,baseline,description,style,tags,instruct_format,settings\n"

// blankText returns the v2 record of a row that has only a name.
func blankText(name string) map[string]any {
	return map[string]any{
		"record_type": textGeneration, "name": name, "description": "", "version": "", "baseline": "",
		"parameters": exact("0"), "nsfw": false, "style": "", "display_name": "", "url": "",
	}
}

// TestTextRows has one row for each case. The group is tested with the parser of names.
func TestTextRows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		row, name string
		want      map[string]any
	}{
		"every cell": {
			`Ann/Owl-2B,2,Owl,https://o.example,Ann/Egg,Hoots.,chat,"night, bird",Feather,"{""heat"": 0.5}"`, "Ann/Owl-2B",
			map[string]any{
				"parameters": exact("2000000000"), "display_name": "Owl", "url": "https://o.example", "baseline": "Ann/Egg",
				"description": "Hoots.", "style": "chat", "tags": []any{"night", "bird"}, "instruct_format": "Feather",
				"settings": map[string]any{"heat": exact("1/2")},
			},
		},
		"name only":             {`Ann/Owl,,,,,,,,,`, "Ann/Owl", nil},
		"name trimmed":          {"\" \u00a0Ann/Owl \x1f\",,,,,,,", "Ann/Owl", nil},
		"cells kept untrimmed":  {`Ann/Owl,, Owl ,,, x ,,`, "Ann/Owl", map[string]any{"display_name": " Owl ", "description": " x "}},
		"row ends at the tags":  {`Ann/Owl,1,,,,,,wise`, "Ann/Owl", map[string]any{"parameters": exact("1000000000"), "tags": []any{"wise"}}},
		"cells past the header": {`Ann/Owl,,,,,,,,,,more,and more`, "Ann/Owl", nil},
		"tags":                  {`Ann/Owl,,,,,,,"  a ,b,, c c ,"`, "Ann/Owl", map[string]any{"tags": []any{"a", "b", "c c"}}},
		"quoted line ends":      {"Ann/Owl,,,,,\"one\r\ntwo\n\"\"three\"\", four\",,", "Ann/Owl", map[string]any{"description": "one\r\ntwo\n\"three\", four"}},
		"quote in a cell":       {`Ann/Owl,,,,,the 5" one,,`, "Ann/Owl", map[string]any{"description": `the 5" one`}},
		"text after a quote":    {`Ann/Owl,,,,,"the 5" one,,`, "Ann/Owl", map[string]any{"description": `the 5 one`}},
		"settings null":         {`Ann/Owl,,,,,,,,, null `, "Ann/Owl", nil},
		"settings empty":        {`Ann/Owl,,,,,,,,,{}`, "Ann/Owl", map[string]any{"settings": map[string]any{}}},
		"settings lists":        {`Ann/Owl,,,,,,,,,"{""n"":[1,2.5],""s"":[""x""],""b"":true,""i"":40}"`, "Ann/Owl", map[string]any{"settings": map[string]any{"n": []any{exact("1"), exact("5/2")}, "s": []any{"x"}, "b": true, "i": exact("40")}}},
		"settings named twice":  {`Ann/Owl,,,,,,,,,"{""a"":1,""a"":2}"`, "Ann/Owl", map[string]any{"settings": map[string]any{"a": exact("2")}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names, records, rejected := convertOK(t, textGeneration, header+test.row)
			require.Empty(t, rejected)
			require.Equal(t, []string{test.name}, names)
			want := blankText(test.name)
			for key, value := range test.want {
				want[key] = value
			}
			got := records[test.name]
			assert.IsType(t, "", got["text_model_group"])
			delete(got, "text_model_group")
			assert.Equal(t, want, got)
		})
	}
}

func TestTextColumns(t *testing.T) {
	t.Parallel()
	_, records, rejected := convertOK(t, textGeneration,
		"version,nsfw,parameters_bn,extra,name\n2.1, TRUE ,1,zzz,Ann/Owl\n,yes,1,,Ann/Wren\n,,1,,Ann/Jay\n")
	require.Empty(t, rejected)
	assert.Equal(t, "2.1", records["Ann/Owl"]["version"])
	assert.Equal(t, true, records["Ann/Owl"]["nsfw"])
	assert.Equal(t, false, records["Ann/Wren"]["nsfw"], "only true is true")
	assert.NotContains(t, records["Ann/Jay"], "tags")

	_, records, _ = convertOK(t, textGeneration, "name,name,parameters_bn\nAnn/Owl,Ann/Wren,1\n")
	assert.Contains(t, records, "Ann/Wren", "the later of two columns counts")

	names, _, _ := convertOK(t, textGeneration, "\ufeff"+header+"Ann/Owl,1,,,,,,,,\n")
	assert.Equal(t, []string{"Ann/Owl"}, names)
}

func TestParameterCounts(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]int64{
		"": 0, "  ": 0, "7": 7_000_000_000, " 1.1 ": 1_100_000_000, "0.125": 125_000_000, "1e2": 100_000_000_000,
		"8.03": 8_029_999_999, "0.56": 560_000_000, "1_000": 1_000_000_000_000, "+3": 3_000_000_000, ".5": 500_000_000,
		"5.": 5_000_000_000, "-2": -2_000_000_000, "1e-12": 0, "0": 0, "-0": 0, "1E1": 10_000_000_000,
	} {
		got, err := parameterCount(cell)
		require.NoError(t, err, cell)
		assert.Equal(t, want, got, cell)
	}
	for _, cell := range []string{
		"seven", "7B", "1,5", "1 000", "0x10", "0x1p4", "nan", "inf", "-Infinity", "1e400", "1e12", "-1e12", "_1", "1_",
		"1__0", "1._5", "e5", ".", "--1", "1e", "٣",
	} {
		_, err := parameterCount(cell)
		assert.ErrorContains(t, err, "parameters_bn", cell)
	}
}

// TestBadRows puts each invalid row between two valid rows, which must be kept.
func TestBadRows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ row, name, reason string }{
		"no name":            {`,7,,,,,,,,`, "", "name is missing"},
		"blank name":         {`"  ",7,,,,,,,,`, "", "name is missing"},
		"wrong number":       {`Bad/Hen,many,,,,,,,,`, "Bad/Hen", "parameters_bn"},
		"settings no JSON":   {`Bad/Hen,7,,,,,,,,{heat`, "Bad/Hen", "settings"},
		"settings cut":       {`Bad/Hen,7,,,,,,,,"{""heat"":1"`, "Bad/Hen", "settings"},
		"settings and more":  {`Bad/Hen,7,,,,,,,,{} {}`, "Bad/Hen", "settings"},
		"settings a list":    {`Bad/Hen,7,,,,,,,,[1]`, "Bad/Hen", "must be an object, got an array"},
		"settings a number":  {`Bad/Hen,7,,,,,,,,1`, "Bad/Hen", "must be an object, got a number"},
		"settings nested":    {`Bad/Hen,7,,,,,,,,"{""a"":{""b"":1}}"`, "Bad/Hen", `settings: "a"`},
		"settings with null": {`Bad/Hen,7,,,,,,,,"{""a"":null}"`, "Bad/Hen", `settings: "a"`},
		"settings mixed":     {`Bad/Hen,7,,,,,,,,"{""a"":[1,""x""]}"`, "Bad/Hen", `settings: "a"`},
		"settings NaN":       {`Bad/Hen,7,,,,,,,,{"a":NaN}`, "Bad/Hen", "settings"},
		"settings deep":      {`Bad/Hen,7,,,,,,,,` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "Bad/Hen", "nested deeper"},
		"koboldcpp":          {`koboldcpp/Hen,7,,,,,,,,`, "koboldcpp/Hen", ErrBackendPrefix.Error()},
		"aphrodite":          {`aphrodite/Bad/Hen,7,,,,,,,,`, "aphrodite/Bad/Hen", ErrBackendPrefix.Error()},
		"cut off":            {`Bad/Hen,7,,`, "Bad/Hen", "row must have tags, but ends after 4 cells"},
		"not UTF-8":          {"Bad/Hen,7,,,,\xff,,,,", "Bad/Hen", "must be UTF-8"},
		"name not UTF-8":     {"Bad/\xffHen,7,,,,,,,,", "Bad/\ufffdHen", "must be UTF-8"},
		"unclosed quote":     {`Bad/Hen,7,,,,"a b,,,,`, "Bad/Hen", "quoted cell is not closed"},
		"too long":           {`Bad/Hen,7,,,,` + strings.Repeat("x", maxRecordBytes) + `,,,,`, "Bad/Hen", "bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names, _, rejected := convertOK(t, textGeneration, header+"Ann/Owl,7,,,,,,,,\n"+test.row+"\nAnn/Wren,7,,,,,,,,\n")
			assert.Equal(t, []string{"Ann/Owl", "Ann/Wren"}, names)
			require.Equal(t, []string{test.name}, rejectedNames(rejected))
			assert.ErrorContains(t, rejected[0].Reason, test.reason)
			assert.ErrorContains(t, rejected[0].Reason, "line 3: ")
		})
	}
}

func TestTextDuplicates(t *testing.T) {
	t.Parallel()
	names, records, rejected := convertOK(t, textGeneration, header+
		"Ann/Owl,7,,,,first,,,,\nAnn/Wren,1,,,,,,,,\n Ann/Owl ,8,,,,second,,,,\nAnn/Owl,many,,,,third,,,,\n")
	assert.Equal(t, []string{"Ann/Owl", "Ann/Wren"}, names)
	assert.Equal(t, "second", records["Ann/Owl"]["description"], "a bad row replaces nothing")
	assert.Equal(t, exact("8000000000"), records["Ann/Owl"]["parameters"])
	require.Equal(t, []string{"Ann/Owl", "Ann/Owl"}, rejectedNames(rejected))
	assert.ErrorIs(t, rejected[0].Reason, ErrDuplicate)
	assert.NotErrorIs(t, rejected[1].Reason, ErrDuplicate)
}

func TestTextGroups(t *testing.T) {
	t.Parallel()
	_, records, _ := convertOK(t, textGeneration, header+"Ann/Owl-2B,2,,,,,,,,\nBob/Owl-4B-Q4_K_M,4,,,,,,,,\n")
	assert.Equal(t, "Owl", records["Ann/Owl-2B"]["text_model_group"])
	assert.Equal(t, "Owl", records["Bob/Owl-4B-Q4_K_M"]["text_model_group"])
}

func TestBadSheets(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"empty": "", "blank": "\n\r\n", "no header": "Ann/Owl,7,,,,,,,,\n", "no name column": "parameters_bn,tags\n7,a\n",
		"no parameters column": "name,tags\nAnn/Owl,a\n", "html": "<html>\n<body>name</body>\n", "json": `{"a":{"name":"a"}}`,
		"unclosed header": `name,"parameters_bn` + "\n1,2\n", "names with spaces": "name, parameters_bn\na,1\n",
		"too many rows": "name,parameters_bn\n" + strings.Repeat("a,1\n", maxRecords+2),
		"too large":     strings.Repeat("\n", maxFileBytes+1),
	} {
		document, rejected, err := Convert(textGeneration, []byte(raw))
		assert.ErrorContains(t, err, "legacy text_generation: ", name)
		assert.Nil(t, document, name)
		assert.Nil(t, rejected, name)
	}
}

func TestHeaderOnly(t *testing.T) {
	t.Parallel()
	document, rejected, err := Convert(textGeneration, []byte(header))
	require.NoError(t, err)
	assert.Empty(t, rejected)
	assert.Equal(t, "{}", string(document))
}
