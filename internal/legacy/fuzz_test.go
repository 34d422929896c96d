package legacy

import (
	"bytes"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

// checkConvert checks the properties that every result of [Convert] must have.
func checkConvert(t *testing.T, category string, raw []byte) (names []string) {
	t.Helper()
	input := bytes.Clone(raw)
	before := allocated()
	document, rejected, err := Convert(category, raw)
	require.Less(t, allocated()-before, uint64(4<<20+256*len(raw)), "a record is written with all its fields")
	require.Equal(t, input, raw, "the input is left as it was")
	if err != nil {
		require.Nil(t, document)
		require.Nil(t, rejected)
		return nil
	}
	require.True(t, jsontext.Value(document).IsValid(), "strict JSON without duplicate names")
	require.Equal(t, byte('{'), document[0])
	names, records := readDocument(t, document)
	require.Len(t, records, len(names))
	// A JSON record has at least the five bytes `"":0,` and may be reported twice. A CSV row has at least one byte and
	// a line end.
	require.LessOrEqual(t, len(names)+len(rejected), len(raw)+1)
	for _, r := range rejected {
		require.Error(t, r.Reason)
	}
	return names
}

// allocated returns the number of bytes that the process has allocated. A fuzz target runs alone in its process.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func FuzzConvertJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`,
		`{"a":{"name":"a","baseline":"stable diffusion 1"}}`,
		`{"a":{"name":"a","baseline":"b","nsfw":"yes","inpainting":1,"size_on_disk_bytes":5.0,"min_bridge_version":"7"}}`,
		`{"a":{"name":"a","baseline":"b","requirements":{"l":[1,2.5],"m":["1",2],"n":[true,1e3],"s":"x"}}}`,
		`{"a":{"name":"a","baseline":"b","config":{"files":[{"path":"f","sha256sum":"00"},{"path":"g.yaml"}],"download":[{"file_name":"f","file_url":"u"}]}}}`,
		`{"a":{"name":"a","baseline":"b","config":{"download":[{"file_name":"f"}],"embedded_component_hashes":{"v":"w"}}}}`,
		`{"a":{"name":"a","type":"coca"},"a":{"name":"a","type":"control_x","tags":null}}`,
		`{"a":{"name":5},"\u0061":null,"b":[[[[]]]],"c":"\ud800"}`,
		`{"a":{"name":"a",},"b":{"name":NaN},"c":{}}`,
		"{\"\xff\":{\"name\":\"\xff\"}}",
		`{"a":` + strings.Repeat(`{"a":`, 40) + `0` + strings.Repeat(`}`, 40) + `}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for category := range converters {
			checkConvert(t, category, raw)
		}
		checkNeighbours(t, raw)
	})
}

// checkNeighbours puts raw between two valid records. If the file is still well-formed and raw does not have their
// names, both records must be kept.
func checkNeighbours(t *testing.T, raw []byte) {
	t.Helper()
	s := &scanner{text: raw}
	if _, err := s.value(); err != nil || s.end() != nil {
		return
	}
	file := append([]byte(`{"before":{"name":"before"},"it":`), raw...)
	file = append(file, `,"after":{"name":"after"}}`...)
	names := checkConvert(t, "blip", file)
	require.Contains(t, names, "before")
	require.Contains(t, names, "after")
}

func FuzzConvertCSV(f *testing.F) {
	for _, seed := range []string{
		header,
		header + "Ann/Owl-2B,2,Owl,https://o.example,Egg,\"one\r\ntwo \"\"x\"\"\",chat,\"a, b\",F,\"{\"\"n\"\":[1,2.5]}\"\n",
		header + "Ann/Owl,8.03,,,,,,,,\nAnn/Owl,9,,,,,,,,\nkoboldcpp/Owl,1,,,,,,,,\n",
		header + "Bad,x,,,,,,,,\n,1,,,,,,,,\nCut,1,,\nQ,1,\"\nR,1_0,,,,,,,,{\n",
		"name,parameters_bn\na,1\r\rb,\"2\"3\nc,1e400\n\xff,1\n",
		"\ufeffnsfw,name,parameters_bn,name,version\n TRUE ,a,-1,b,\"\"\"\"\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkConvert(t, textGeneration, raw)
		// An earlier row is not affected by raw, unless raw has a row of the same name.
		names := checkConvert(t, textGeneration, append([]byte(header+"Ann/Owl,7,,,,,,,,\n"), raw...))
		if len(raw) < maxFileBytes/2 && len(names) > 0 {
			require.Equal(t, "Ann/Owl", names[0])
		}
		// If raw has no quotes, a later row is not affected either.
		if bytes.IndexByte(raw, '"') < 0 {
			file := append([]byte(header), raw...)
			names = checkConvert(t, textGeneration, append(file, "\nAnn/Wren,7,,,,,,,,\n"...))
			require.Contains(t, names, "Ann/Wren")
		}
	})
}
