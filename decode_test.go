// This file tests the decoder and the encoder with documents made for each case, and with fuzzing.

package modelref

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/jsondoc"
	"github.com/haidra-org/modelref/internal/redact"
)

// decodeAs decodes a document of a category.
func decodeAs[R Record](t testing.TB, category Category, document string) *Reference[R] {
	t.Helper()
	ref, err := recordTypes[category].decode(document, metadata{category: category})
	require.NoError(t, err)
	return ref.(*Reference[R])
}

func TestInvalidDocuments(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		``:                            "the document ends early",
		` `:                           "the document ends early",
		`[]`:                          "must be an object, got a list",
		`null`:                        "must be an object, got null",
		`"x"`:                         "must be an object, got a string",
		`1`:                           "must be an object, got a number",
		`true`:                        "must be an object, got a boolean",
		`<html>`:                      "not valid JSON at byte 0",
		`{`:                           "the document ends early",
		`{"a"`:                        "the document ends early",
		`{"a":{}`:                     "the document ends early",
		`{"a":{},}`:                   "not valid JSON",
		`{"a":{}}x`:                   "unexpected data after the document",
		"{\"a\":{}}\x00":              "unexpected data after the document",
		`{"a":{"name":"b}}`:           "string is not closed",
		"{\"a\":{\"name\":\"\n\"}}":   "control character in a string",
		`{"a":{"name":"\x"}}`:         "invalid escape in a string",
		`{"a":{"name":"\u12"}}`:       "invalid escape in a string",
		`{"a":{"x":01}}`:              "not valid JSON",
		`{"a":{"x":-}}`:               "expected a digit",
		`{"a":{"x":1.}}`:              "expected a digit",
		`{"a":{"x":tru}}`:             "expected a value",
		`{"a":1}`:                     "none of its records can be decoded",
		`{"a":[]}`:                    "none of its records can be decoded",
		`{"a":{"x":` + nest(20_000):   "nested too deeply",
		`{"a":{"config":` + nest(1e6): "must be an object, got a list",
	} {
		_, err := recordTypes[CategoryCLIP].decode(document, metadata{category: CategoryCLIP})
		var decode *DecodeError
		if !assert.ErrorAs(t, err, &decode, "%.60s", document) {
			continue
		}
		if len(document) < 1000 || strings.Contains(want, "nested") {
			assert.Contains(t, err.Error(), want, "%.60s", document)
		}
		assert.Equal(t, CategoryCLIP, decode.Category)
	}
}

func nest(depth int) string { return strings.Repeat("[", depth) }

func TestValues(t *testing.T) {
	t.Parallel()
	ref := decodeAs[ImageGenerationRecord](t, CategoryImageGeneration, `{
		"a\u00fc\ud83d\ude00\n\/" : {"name":"a\u00fc\ud83d\ude00\n\/", "baseline":"x","nsfw":true , "inpainting": null,
			"size_on_disk_bytes": 5e3, "min_bridge_version": 0, "tags": ["a\"b", "", "c"], "homepage": null,
			"metadata": {"created_at": 1700000000.0, "updated_at": null},
			"requirements": {"i": 1, "f": 2.0, "b": false, "s": "x", "n": null, "is": [1, 2], "fs": [1, 2.5], "ss": ["a"],
				"mixed": [1, "a"], "none": [], "deep": {"x": [[1]]}, "big": 1e400, "wide": 123456789012345678901234567890}},
		"half \ud800 pair": {"baseline":"x","nsfw":false}}`)
	require.Len(t, ref.Rejected(), 1, "a number out of range costs its record")
	assert.Contains(t, ref.Rejected()[0].Reason, "requirements: number out of range: 1e400")
	_, ok := ref.Get("half \uFFFD pair")
	assert.True(t, ok)

	ref = decodeAs[ImageGenerationRecord](t, CategoryImageGeneration, `{
		"a\u00fc\ud83d\ude00\n\/" : {"baseline":"x","nsfw":true , "inpainting": null,
			"size_on_disk_bytes": 5e3, "min_bridge_version": 0, "tags": ["a\"b", "", "c"], "homepage": null,
			"metadata": {"created_at": 1700000000.0, "updated_at": null},
			"requirements": {"i": 1, "f": 2.0, "b": false, "s": "x", "n": null, "is": [1, 2], "fs": [1, 2.5], "ss": ["a"],
				"mixed": [1, "a"], "none": [], "deep": {"x": [[1]]}, "wide": 123456789012345678901234567890}}}`)
	require.Empty(t, ref.Rejected())
	r, ok := ref.Get("aü😀\n/")
	require.True(t, ok)
	assert.Equal(t, "aü😀\n/", r.Name, "filled in from the document")
	assert.Equal(t, Some[int64](5000), r.SizeOnDiskBytes)
	assert.Equal(t, Some[int64](0), r.MinBridgeVersion, "zero is not unset")
	assert.Equal(t, []string{`a"b`, "", "c"}, r.Tags)
	assert.EqualValues(t, 1700000000, r.Metadata.CreatedAt.Unix())
	assert.True(t, r.Metadata.UpdatedAt.IsZero())
	assert.Equal(t, map[string]any{
		"i": int64(1), "f": 2.0, "b": false, "s": "x", "n": nil, "is": []int64{1, 2}, "fs": []float64{1, 2.5},
		"ss": []string{"a"}, "mixed": []any{int64(1), "a"}, "none": []any{},
		"deep": map[string]any{"x": []any{[]int64{1}}}, "wide": 123456789012345678901234567890.0,
	}, r.Requirements)
	assert.Equal(t, "2.1.0", r.Metadata.SchemaVersion)
	assert.Equal(t, DomainImage, r.Classification.Domain)
}

func TestInvalidUTF8RejectsOnlyItsRecord(t *testing.T) {
	t.Parallel()
	ref := decodeAs[CLIPRecord](t, CategoryCLIP, "{\"good\":{}, \"b\xffd\":{}, \"bad\": {\"description\": \"\xc3\x28\"}}")
	assert.Equal(t, []string{"good"}, ref.Names())
	require.Len(t, ref.Rejected(), 2)
	assert.Equal(t, "b\uFFFDd", ref.Rejected()[0].Name)
	assert.Equal(t, "not valid UTF-8", ref.Rejected()[1].Reason)
}

func TestRejectedRecordsAreListedUpToALimit(t *testing.T) {
	t.Parallel()
	var document strings.Builder
	document.WriteString(`{"good":{}`)
	for i := range 5000 {
		fmt.Fprintf(&document, `,"%d":1`, i)
	}
	ref := decodeAs[CLIPRecord](t, CategoryCLIP, document.String()+"}")
	assert.Equal(t, 1, ref.Len())
	require.Len(t, ref.Rejected(), maxRejected+1)
	assert.Equal(t, "4000 more records were rejected", ref.Rejected()[maxRejected].Error())
}

func TestANameMayDifferFromItsKey(t *testing.T) {
	t.Parallel()
	ref := decodeAs[CLIPRecord](t, CategoryCLIP, `{"a":{}, "key": {"name": "inside"}, "b": {}, "a": {"version": "2"}}`)
	assert.Equal(t, []string{"a", "key", "b"}, ref.Names())
	r, ok := ref.Get("key")
	require.True(t, ok)
	assert.Equal(t, "inside", r.Name)
	inside, ok := ref.Get("inside")
	assert.True(t, ok, "its own name is unique")
	assert.Same(t, r, inside)
	r, _ = ref.Get("a")
	assert.Equal(t, "2", r.Version)
}

func TestUnknownFieldsSurviveEncoding(t *testing.T) {
	t.Parallel()
	raw := `{"name":"m","baseline":"flux_1","nsfw":false,"licensing":{"spdx":"MIT","n":[1,{"a":null}]},"guidance":3.50,
		"config":{"download":[{"file_name":"f","file_url":"u","mirror":"m2"}],"layout":"split"},
		"metadata":{"reviewed":true}}`
	ref := decodeAs[ImageGenerationRecord](t, CategoryImageGeneration, `{"m":`+raw+`}`)
	r, _ := ref.Get("m")
	assert.Equal(t, raw, r.RawJSON())
	mine := r.Clone()
	mine.NSFW, mine.Description = true, "changed"
	mine.Config.Download[0].FileName = "g"
	encoded, err := json.Marshal(mine)
	require.NoError(t, err)
	assert.JSONEq(t, `{"record_type":"image_generation","name":"m","description":"changed","baseline":"flux_1","nsfw":true,
		"inpainting":false,"licensing":{"spdx":"MIT","n":[1,{"a":null}]},"guidance":3.50,
		"model_classification":{"domain":"image","purpose":"generation"},
		"config":{"download":[{"file_name":"g","file_url":"u","sha256sum":"FIXME","mirror":"m2"}],"layout":"split"},
		"metadata":{"schema_version":"2.1.0","reviewed":true}}`, string(encoded))
	assert.False(t, r.NSFW, "the shared record is untouched")
	assert.Equal(t, "f", r.Config.Download[0].FileName)
	require.NoError(t, ref.CheckUnmodified())
	r.Tags = append(r.Tags, "mine")
	require.ErrorContains(t, ref.CheckUnmodified(), `record "m" was modified`)
}

func TestClonesShareNothing(t *testing.T) {
	t.Parallel()
	for category, records := range recordTypes {
		document := `{"a":{"baseline":"b","nsfw":false,"parameters":1,"tags":["t"],"showcases":["s"],"trigger":["t"],
			"requirements":{"l":[1],"f":[1.5],"s":["a"],"m":[1,"a",{"d":[1]}]},"settings":{"l":[1]},"control_types":["c"],"preprocessors":["p"],
			"finetune_series":{"name":"s"},"config":{"download":[{"file_name":"f","file_url":"u"}],"embedded_component_hashes":{"vae":"h"}}}}`
		ref, err := records.decode(document, metadata{category: category})
		require.NoError(t, err)
		ref.each(func(_ string, record any) {
			clone := reflect.ValueOf(record).MethodByName("Clone").Call(nil)[0]
			require.Equal(t, record, clone.Interface())
			scribble(clone.Elem())
		})
		require.NoError(t, ref.CheckUnmodified(), "writing to the clone has changed the original")
	}
}

// scribble writes to everything that v holds.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				scribble(v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			scribble(v.Elem())
		}
		if v.CanSet() {
			v.SetZero()
		}
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if inner := v.MapIndex(key); inner.Kind() == reflect.Interface {
				scribble(inner)
			}
			v.SetMapIndex(key, reflect.Zero(v.Type().Elem()))
		}
	default:
		if v.CanSet() {
			v.SetZero()
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of "abc"
	check := func(sum, content string) error {
		d := DownloadRecord{FileName: "f", SHA256Sum: sum}
		return d.Verify(strings.NewReader(content))
	}
	require.NoError(t, check(sum, "abc"))
	require.NoError(t, check(strings.ToUpper(sum), "abc"))
	require.ErrorIs(t, check(sum, "abd"), ErrChecksumMismatch)
	require.ErrorIs(t, check("FIXME", "abc"), ErrNoChecksum)
	require.ErrorIs(t, check("fixme", "abc"), ErrNoChecksum)
	require.ErrorIs(t, check("", "abc"), ErrNoChecksum)
	require.ErrorIs(t, check("12", "abc"), ErrChecksumMismatch)
	require.ErrorIs(t, check("zz"+sum[2:], "abc"), ErrChecksumMismatch)
	d := DownloadRecord{SHA256Sum: sum}
	require.ErrorIs(t, d.Verify(io.MultiReader(strings.NewReader("a"), brokenReader{})), io.ErrClosedPipe)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestDeclaredTotalSize(t *testing.T) {
	t.Parallel()
	file := func(size Optional[int64]) DownloadRecord { return DownloadRecord{SizeBytes: size} }
	for name, test := range map[string]struct {
		record ModelRecord
		want   Optional[int64]
	}{
		"nothing":       {ModelRecord{}, Optional[int64]{}},
		"stated":        {ModelRecord{SizeOnDiskBytes: Some[int64](7)}, Some[int64](7)},
		"stated as 0":   {ModelRecord{SizeOnDiskBytes: Some[int64](0), Config: RecordConfig{Download: []DownloadRecord{file(Some[int64](1))}}}, Some[int64](0)},
		"sum":           {ModelRecord{Config: RecordConfig{Download: []DownloadRecord{file(Some[int64](1)), file(Some[int64](2))}}}, Some[int64](3)},
		"one not known": {ModelRecord{Config: RecordConfig{Download: []DownloadRecord{file(Some[int64](1)), file(Optional[int64]{})}}}, Optional[int64]{}},
	} {
		assert.Equal(t, test.want, test.record.DeclaredTotalSizeBytes(), name)
	}
	assert.Equal(t, "unset", Optional[int64]{}.String())
	assert.Equal(t, "7", Some(7).String())
	assert.EqualValues(t, 3, Optional[int64]{}.Or(3))
}

// FuzzDecode compares the decoder with encoding/json. It checks that encoding loses nothing and that an invalid record
// does not affect other records.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":{}}`, `{"a":{"baseline":"x","nsfw":true,"tags":["a"],"requirements":{"a":[1,2.5,"x"]}}}`,
		`{"a":{"baseline":"\u00fc\ud83d","nsfw":false,"size_on_disk_bytes":1e3,"x":{"y":[null,{}]}},"b":1}`,
		`{"a":{"baseline":"b","nsfw":false,"config":{"download":[{"file_name":"f","file_url":"u","size_bytes":5.0,"z":1}]}},"a":{}}`,
		`{"a":{"baseline":"b","nsfw":false,"metadata":{"created_at":1},"finetune_series":{"name":"n"}}} `, "{\"\xff\":{}}",
		"\ufeff{}", `{"a":{"x":NaN},"b":{"baseline":"b","nsfw":"true"},"c":-Infinity}`, `{"a":{"config":{"files":[{"path":"f"}]}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		before := allocated()
		ref, err := recordTypes[CategoryImageGeneration].decode(document, metadata{category: CategoryImageGeneration})
		require.Less(t, allocated()-before, uint64(4<<20+64*len(document)), "what is listed as rejected, and the records")
		var seen map[string]json.RawMessage
		jsonErr := json.Unmarshal([]byte(document), &seen)
		if err != nil {
			return
		}
		if jsonErr == nil {
			require.LessOrEqual(t, ref.Len(), len(seen))
		}
		for _, record := range rawRecords(ref) {
			require.True(t, json.Valid([]byte(record)), "only records that are JSON are decoded: %s", record)
		}
		images := ref.(*Reference[ImageGenerationRecord])
		for name, record := range images.All() {
			encoded, err := record.MarshalJSON()
			require.NoError(t, err)
			require.True(t, json.Valid(encoded), "%s", encoded)
			again := new(ImageGenerationRecord)
			require.NoError(t, again.UnmarshalJSON(encoded), "%s", encoded)
			want := *record
			again.raw, want.raw = "", ""
			require.Equal(t, want, *again)
			if strings.HasPrefix(document, "\ufeff") {
				continue
			}
			neighbour := `{"good":{"baseline":"b","nsfw":false},` + strings.TrimPrefix(strings.TrimLeft(document, " \t\r\n"), "{")
			with, err := recordTypes[CategoryImageGeneration].decode(neighbour, metadata{category: CategoryImageGeneration})
			require.NoError(t, err)
			if name != "good" {
				_, ok := with.(*Reference[ImageGenerationRecord]).Get(name)
				require.True(t, ok)
			}
		}
	})
}

// rawRecords returns the original JSON of the records.
func rawRecords(ref anyReference) (out []string) {
	for _, record := range ref.models().All() {
		out = append(out, record.RawJSON())
	}
	return out
}

// allocated returns the number of bytes that the process has allocated. A fuzz target runs alone in its process.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// FuzzErrorBody checks that the body of an error response neither hides the status nor floods a log.
func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{
		"", "Internal Server Error", `{"detail":"x"}`, `{"detail":[{"loc":["query",1],"msg":"m","type":"t"}]}`, "<html><title>t",
		`{"detail":[1,{"msg":3}]}`, "\xff\x00\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		detail, _ := errorDetail(body)
		require.LessOrEqual(t, len(detail), redact.MaxText+len("…"))
		require.NotContains(t, detail, "\n")
	})
}

func TestCodecsHaveEveryField(t *testing.T) {
	t.Parallel()
	names := imageCodec.Names()
	slices.Sort(names)
	assert.Equal(t, slices.Compact(slices.Clone(names)), names, "no field twice")
}

func TestEncodingManyUnknownFieldsIsLinear(t *testing.T) { // measures the time, so it is not parallel
	record := func(unknown int) string {
		var b strings.Builder
		b.WriteString(`{"name": "a"`)
		for i := range unknown {
			fmt.Fprintf(&b, `, "field %d": %d`, i, i)
		}
		return b.String() + "}"
	}
	encode := func(unknown int) time.Duration {
		clip := new(CLIPRecord)
		require.NoError(t, json.Unmarshal([]byte(record(unknown)), clip))
		least := time.Hour
		for range 5 {
			start := time.Now()
			out, err := json.Marshal(clip)
			least = min(least, time.Since(start))
			require.NoError(t, err)
			require.Contains(t, string(out), fmt.Sprintf(`"field %d":%d`, unknown-1, unknown-1))
		}
		return least
	}
	few, many := encode(2_000), encode(64_000)
	assert.Less(t, many, 512*max(few, 100*time.Microsecond),
		"32 times as many fields; 1,024 times the work were it quadratic")
}

func TestTheLastOfARepeatedFieldReplacesTheOthers(t *testing.T) {
	t.Parallel()
	ref, err := DecodeDocument[CLIPRecord](CategoryCLIP, `{"a": {"name": "a",
		"config": {"download": [{"file_name": "f", "file_url": "u"}]}, "config": {},
		"metadata": {"created_by": "x"}, "metadata": null,
		"model_classification": {"domain": "text", "purpose": "generation"}, "model_classification": null}}`)
	require.NoError(t, err)
	record, ok := ref.Get("a")
	require.True(t, ok)
	assert.Empty(t, record.Config.Download)
	assert.Empty(t, record.Metadata.CreatedBy)
	assert.Equal(t, DomainImage, record.Classification.Domain, "as for a record without the field")
}

func TestARecordIsEncodedLikeAPointerToIt(t *testing.T) {
	t.Parallel()
	var record CLIPRecord
	require.NoError(t, json.Unmarshal([]byte(`{"name": "a", "pretrained_name": "p", "licensing": {"x": 1}}`), &record))
	want, err := json.Marshal(&record)
	require.NoError(t, err)
	for _, holder := range []any{record, []CLIPRecord{record}, map[string]CLIPRecord{"a": record}, struct{ A CLIPRecord }{record}} {
		got, err := json.Marshal(holder)
		require.NoError(t, err)
		assert.Contains(t, string(got), string(want))
	}
}

func TestDownloadsKeepTheirOwnUnknownFields(t *testing.T) {
	t.Parallel()
	var record CLIPRecord
	require.NoError(t, json.Unmarshal([]byte(`{"name": "a", "config": {"download": [
		{"file_name": "f1", "file_url": "u1", "etag": "one"}, {"file_name": "f2", "file_url": "u2", "etag": "two"}]}}`), &record))
	etags := func(files ...DownloadRecord) (out []string) {
		changed := record.Clone()
		changed.Config.Download = files
		text, err := json.Marshal(changed)
		require.NoError(t, err)
		var read struct {
			Config struct{ Download []struct{ ETag string } }
		}
		require.NoError(t, json.Unmarshal(text, &read))
		for _, file := range read.Config.Download {
			out = append(out, file.ETag)
		}
		return out
	}
	f1, f2 := record.Config.Download[0], record.Config.Download[1]
	other, renamed := DownloadRecord{FileName: "f3"}, f1
	renamed.FileName = "g1"
	assert.Equal(t, []string{"one", "two"}, etags(f1, f2))
	assert.Equal(t, []string{"two", "one"}, etags(f2, f1))
	assert.Equal(t, []string{"two"}, etags(f2))
	assert.Equal(t, []string{"", "one", "two"}, etags(other, f1, f2))
	assert.Equal(t, []string{"one", "two"}, etags(renamed, f2))
}

func TestSettingsAreWrittenWithoutLoss(t *testing.T) {
	t.Parallel()
	var record TextGenerationRecord
	require.NoError(t, json.Unmarshal([]byte(`{"name": "a", "parameters": 1,
		"settings": {"seed": 18446744073709551615, "list": [9007199254740993, 0.5]}}`), &record))
	text, err := json.Marshal(&record)
	require.NoError(t, err)
	assert.Contains(t, string(text), "18446744073709551615")
	assert.Contains(t, string(text), "9007199254740993")

	changed := record.Clone()
	changed.Settings = map[string]any{"a": int32(3), "b": []int{1}, "c": json.Number("5"), "d": map[string]string{"k": "v"}}
	text, err = json.Marshal(changed)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"settings":{"a":3,"b":[1],"c":5,"d":{"k":"v"}}`)
	changed.Settings["e"] = func() {}
	_, err = json.Marshal(changed)
	assert.Error(t, err)
}

func TestARecordMustBeOneValueInUTF8(t *testing.T) {
	t.Parallel()
	var record CLIPRecord
	assert.ErrorContains(t, record.UnmarshalJSON([]byte(`{"name": "a"} more`)), "unexpected data after")
	assert.ErrorContains(t, record.UnmarshalJSON([]byte("{\"name\": \"a\xff\"}")), "UTF-8")
	assert.NoError(t, record.UnmarshalJSON([]byte(" {\"name\": \"a\"}\n")))
}

func TestSizesThatOverflowHaveNoTotal(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{math.MaxInt64, -1} {
		record := ModelRecord{Config: RecordConfig{Download: []DownloadRecord{{SizeBytes: Some(size)}, {SizeBytes: Some[int64](10)}}}}
		assert.False(t, record.DeclaredTotalSizeBytes().IsSet(), size)
	}
}

func TestWholeNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-7": -7, "0.0": 0, "5.0": 5, "5e3": 5000, "12E1": 120,
		"999999999999999999": 999_999_999_999_999_999, "1000000000000000000": 1_000_000_000_000_000_000,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "-9223372036854775808.0": math.MinInt64,
		"9007199254740993.0": 9_007_199_254_740_993, "1.234567890123456789e18": 1_234_567_890_123_456_789, "0e99": 0,
	} {
		ref := decodeAs[CLIPRecord](t, CategoryCLIP, `{"a":{"size_on_disk_bytes":`+text+`}}`)
		r, ok := ref.Get("a")
		require.True(t, ok, text)
		assert.Equal(t, Some(want), r.SizeOnDiskBytes, text)
	}
	for text, want := range map[string]string{
		"9223372036854775808": "must be a whole number of 64 bits", "99999999999999999999": "must be a whole number of 64 bits",
		"0.5": "must be a whole number", "01": "not valid JSON", "00": "not valid JSON", "-": "expected a digit",
		"1.": "expected a digit", "1e": "expected a digit", "123456789012345678x": "not valid JSON",
	} {
		_, err := recordTypes[CategoryCLIP].decode(`{"a":{"size_on_disk_bytes":`+text+`}}`, metadata{category: CategoryCLIP})
		assert.ErrorContains(t, err, want, text)
	}
}

func TestARejectedRecordDoesNotChangeTheNext(t *testing.T) {
	t.Parallel()
	var document strings.Builder
	for i := range 200 {
		fmt.Fprintf(&document, `,"bad %d":{"baseline":"b","nsfw":true,"tags":["t"],"homepage":"h","trigger":1}`, i)
		fmt.Fprintf(&document, `,"good %d":{"baseline":"b","nsfw":false}`, i)
	}
	ref := decodeAs[ImageGenerationRecord](t, CategoryImageGeneration, "{"+document.String()[1:]+"}")
	require.Equal(t, 200, ref.Len())
	require.Len(t, ref.Rejected(), 200)
	for name, r := range ref.All() {
		assert.True(t, !r.NSFW && r.Tags == nil && r.Homepage == "", name)
	}
}

// The lengths of the first records may be misleading.
func TestRoomForRecordsOfAnyLength(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for name, describe := range map[string]func(i int) string{
		"the first are long":      func(i int) string { return long[min(5*i, len(long)):] },
		"the last are long":       func(i int) string { return long[max(len(long)-5*i, 0):] },
		"all are of one length":   func(int) string { return long[:100] },
		"a long one among others": func(i int) string { return long[:len(long)*(i%500/499)] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{1, 2, 3, 4, 5, 63, 64, 65, 1000, 5000} {
				var document strings.Builder
				for i := range n {
					fmt.Fprintf(&document, `,"%d":{"description":"%s"}`, i, describe(i))
				}
				ref := decodeAs[CLIPRecord](t, CategoryCLIP, "{"+document.String()[1:]+"}")
				require.Equal(t, n, ref.Len())
				for i := range n {
					r, ok := ref.Get(strconv.Itoa(i))
					require.True(t, ok)
					require.Equal(t, describe(i), r.Description)
				}
				spare := cap(ref.data.list) - n
				assert.LessOrEqual(t, spare, n/spareRecords, "of %d", n)
			}
		})
	}
}

// The memory of a document is proportional to its size, for all settings.
func TestSettingsAreBounded(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	for _, element := range []string{`{"":0},`, `{},`, `[],`, `[0],`} {
		list := strings.Repeat(element, size/len(element))
		document := `{"a":{"baseline":"b","nsfw":false,"requirements":{"a":[` + list[:len(list)-1] + `]}},
			"b":{"baseline":"b","nsfw":false,"requirements":{"a":[` + element[:len(element)-1] + `]}}}`
		ref := decodeAs[ImageGenerationRecord](t, CategoryImageGeneration, document)
		assert.Equal(t, []string{"b"}, ref.Names(), element)
		require.Len(t, ref.Rejected(), 1)
		assert.Equal(t, "requirements: too many lists and objects in a document", ref.Rejected()[0].Reason)
	}
}

func TestAnInvalidTimeRejectsItsRecord(t *testing.T) {
	t.Parallel()
	ref := decodeAs[CLIPRecord](t, CategoryCLIP, fmt.Sprintf(`{"late":{"metadata":{"created_at":%d}},
		"too late":{"metadata":{"created_at":%d}}}`, int64(jsondoc.LatestTime), int64(jsondoc.LatestTime+1)))
	late, ok := ref.Get("late")
	require.True(t, ok)
	assert.True(t, late.Metadata.CreatedAt.After(time.Now()))
	require.Len(t, ref.Rejected(), 1)
	assert.Equal(t, "metadata.created_at: must be a time, got 9223371974719179008", ref.Rejected()[0].Reason)
}

func TestOnlyTheNamesOfRecordsAreFound(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 500, 5000} {
		list := make([]ImageGenerationRecord, n)
		for i := range list {
			list[i].Name = fmt.Sprint("model ", i)
		}
		ref := referenceTo(list)
		require.False(t, ref.data.index())
		for i := range list {
			found, ok := ref.Get(list[i].Name)
			require.True(t, ok)
			require.Same(t, &list[i], found)
			_, ok = ref.Get(list[i].Name + "x")
			require.False(t, ok)
		}
		_, ok := ref.Get("")
		require.False(t, ok)
	}
}
