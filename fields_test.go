// Fields: what each reads, what each operator keeps, and fields and conditions given as text.

package modelref

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireFieldsRead compares what every field of R reads with the record's own JSON.
func requireFieldsRead[R Record](t *testing.T, category Category) {
	t.Helper()
	document := corpusFile(t, "primary", "rich", string(category)+".json")
	ref, err := decoders[category](string(document), about{category: category})
	require.NoError(t, err)
	ref.each(func(name string, record any) {
		encoded, err := record.(json.Marshaler).MarshalJSON()
		require.NoError(t, err)
		for _, field := range namedFields[R]() {
			var want []string
			switch v := lookupPath(parse(t, encoded), field.Name()).(type) {
			case nil:
			case []any:
				for _, element := range v {
					want = append(want, element.(string))
				}
			default:
				if text := fmt.Sprint(v); text != "" {
					want = []string{text}
				}
			}
			if field.Kind() == KindTime && len(want) == 1 {
				seconds, err := strconv.ParseInt(want[0], 10, 64)
				require.NoError(t, err, want[0])
				want = []string{time.Unix(seconds, 0).UTC().Format(time.RFC3339)}
			}
			if field.Kind() == KindFlag && want == nil {
				want = []string{"false"}
			}
			require.ElementsMatch(t, want, field.Text(record.(*R)), "%s of %s", field.Name(), name)
		}
	})
}

func lookupPath(v any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[part]
	}
	return v
}

func TestFieldsReadWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	requireFieldsRead[ImageGenerationRecord](t, CategoryImageGeneration)
	requireFieldsRead[TextGenerationRecord](t, CategoryTextGeneration)
	requireFieldsRead[ControlNetRecord](t, CategoryControlNet)
	requireFieldsRead[ControlNetAnnotatorRecord](t, CategoryControlNetAnnotator)
	requireFieldsRead[CLIPRecord](t, CategoryCLIP)
	requireFieldsRead[BLIPRecord](t, CategoryBLIP)
	requireFieldsRead[ESRGANRecord](t, CategoryESRGAN)
	requireFieldsRead[GFPGANRecord](t, CategoryGFPGAN)
	requireFieldsRead[CodeFormerRecord](t, CategoryCodeFormer)
	requireFieldsRead[SafetyCheckerRecord](t, CategorySafetyChecker)
	requireFieldsRead[VideoGenerationRecord](t, CategoryVideoGeneration)
	requireFieldsRead[AudioGenerationRecord](t, CategoryAudioGeneration)
	requireFieldsRead[MiscellaneousRecord](t, CategoryMiscellaneous)
	requireFieldsRead[LoRARecord](t, CategoryLoRA)
	requireFieldsRead[TextualInversionRecord](t, CategoryTextualInversion)
}

func TestAbsentValuesFailEveryComparisonButNeAndNotIn(t *testing.T) {
	t.Parallel()
	f, now := ImageFields, time.Now()
	r := anImage("")
	r.Baseline = ""
	for name, fails := range map[string]Predicate[ImageGenerationRecord]{
		"Eq":       f.Style.Eq(""),
		"In":       f.Style.In("", StyleAnime),
		"Le":       f.Name.Le("z"),
		"Ge":       f.Name.Ge(""),
		"Between":  f.Name.Between("", "z"),
		"prefix":   f.Name.HasPrefix(""),
		"fold":     f.Name.ContainsFold(""),
		"size":     f.SizeOnDiskBytes.Eq(0),
		"size Le":  f.SizeOnDiskBytes.Le(math.MaxInt64),
		"size In":  f.SizeOnDiskBytes.In(0),
		"time Eq":  f.CreatedAt.Eq(time.Time{}),
		"time In":  f.CreatedAt.In(time.Time{}),
		"time Lt":  f.CreatedAt.Lt(now),
		"time Le":  f.CreatedAt.Le(now),
		"Contains": f.Tags.Contains(""),
		"Any":      f.Tags.ContainsAny("", "x"),
		"All":      f.Tags.ContainsAll(),
		"IsSet":    Or(f.Name.IsSet(), f.SizeOnDiskBytes.IsSet(), f.CreatedAt.IsSet(), f.Tags.IsSet(), f.SeriesName.IsSet()),
	} {
		require.False(t, fails.test(r), name)
		require.True(t, Not(fails).test(r), name)
		require.Zero(t, keptOfColumns(t, r, fails), name)
	}
	for name, holds := range map[string]Predicate[ImageGenerationRecord]{
		"Ne":         f.Style.Ne(""),
		"NotIn":      f.Style.NotIn("", StyleAnime),
		"size Ne":    f.SizeOnDiskBytes.Ne(0),
		"size NotIn": f.SizeOnDiskBytes.NotIn(0),
		"time Ne":    f.CreatedAt.Ne(time.Time{}),
		"time NotIn": f.CreatedAt.NotIn(time.Time{}),
		"None":       f.Tags.ContainsNone("", "x"),
		"IsUnset": And(f.Name.IsUnset(), f.SizeOnDiskBytes.IsUnset(), f.CreatedAt.IsUnset(), f.Tags.IsUnset(),
			f.SeriesAuthor.IsUnset()),
		"a flag is never absent": And(f.NSFW.IsSet(), f.NSFW.Eq(false), f.NSFW.IsFalse()),
	} {
		require.True(t, holds.test(r), name)
		require.Equal(t, worthColumns, keptOfColumns(t, r, holds), name)
	}
}

// keptOfColumns returns how many records a predicate keeps of as many copies of one as are worth columns.
func keptOfColumns(t *testing.T, r *ImageGenerationRecord, p Predicate[ImageGenerationRecord]) int {
	t.Helper()
	list := slices.Repeat([]ImageGenerationRecord{*r}, worthColumns)
	kept, err := referenceTo(list).Query().Where(p).Count(t.Context())
	require.NoError(t, err)
	return kept
}

// referenceTo returns a reference to records, which it does not find by name.
func referenceTo(list []ImageGenerationRecord) *Reference[ImageGenerationRecord] {
	return &Reference[ImageGenerationRecord]{data: &records[ImageGenerationRecord]{
		list: list, common: (*ImageGenerationRecord).common,
	}}
}

func TestTimesAreComparedAsInstants(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	same := at.In(time.FixedZone("", 7200))
	f := CLIPFields.UpdatedAt
	r := &CLIPRecord{ModelRecord: ModelRecord{Metadata: RecordMetadata{UpdatedAt: at}}}
	for i, holds := range []Predicate[CLIPRecord]{
		f.Eq(same), f.In(at.Add(1), same), f.Le(same), f.Ge(same), f.Between(same, same), f.Lt(at.Add(1)), f.Gt(at.Add(-1)),
		Not(f.Ne(same)), Not(f.NotIn(same)), Not(f.Lt(same)), Not(f.Gt(same)), f.IsSet(), Not(f.Between(at.Add(1), at)),
	} {
		require.True(t, holds.test(r), i)
	}
	later := &CLIPRecord{ModelRecord: ModelRecord{Metadata: RecordMetadata{UpdatedAt: at.Add(1)}}}
	require.Negative(t, f.Asc().compare(r, later))
	require.Positive(t, f.Desc().compare(r, later))
	require.Negative(t, f.Desc().compare(r, &CLIPRecord{}))
	require.Positive(t, f.Asc().compare(&CLIPRecord{}, r))
}

func TestContainsFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, part string
		want       bool
	}{
		{"Anime Model", "MODEL", true},
		{"Anime Model", "models", false},
		{"x", "", true},
		{"STRASSE", "ß", false},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", true},
		{"300 \u212A", "300 k", true},
		{"long \u017Fword", "LONG SWORD", true},
		{"aab", "ab", true},
		{"日本語", "本", true},
		{"a\xffb", "\xffB", true},
		{"", "a", false},
	} {
		assert.Equal(t, c.want, containsFold(c.text, foldAll(c.part)), "%q in %q", c.part, c.text)
	}
}

func TestLookupField(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"size_on_disk_bytes": "size_on_disk_bytes", "name": "name", "created_at": "metadata.created_at",
		"metadata.created_at": "metadata.created_at", "domain": "model_classification.domain",
		"parameters_count": "parameters", "parameters": "parameters", "version": "version",
	} {
		field, err := LookupField[TextGenerationRecord](name)
		require.NoError(t, err, name)
		require.Equal(t, want, field.Name())
	}
	for _, name := range []string{"siz", "", ".", "at", "Name", "inpainting"} {
		_, err := LookupField[TextGenerationRecord](name)
		require.ErrorIs(t, err, ErrInvalidQuery, name)
		require.ErrorContains(t, err, fmt.Sprintf("no field %q: want one of record_type, name, description", name))
		require.ErrorContains(t, err, "text_model_group")
	}
	_, err := LookupField[CLIPRecord]("parameters_count")
	require.ErrorIs(t, err, ErrInvalidQuery)
	require.Contains(t, FieldNames[CLIPRecord](), "pretrained_name")
	require.Contains(t, FieldNames[ModelRecord](), "size_on_disk_bytes")
	require.NotContains(t, FieldNames[ModelRecord](), "tags")

	var zero NamedField[CLIPRecord]
	_, err = zero.Where("=", "x")
	require.ErrorIs(t, err, ErrInvalidQuery)
	_, err = QueryRecords([]*CLIPRecord{}).Where(zero.IsUnset()).All(t.Context())
	require.ErrorIs(t, err, ErrInvalidQuery)
	require.Nil(t, zero.Text(nil))
}

func TestParseWhere(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	r := anImage("a<b=c", sized(7_000_000_000), tagged("Anime", "tv show"), func(r *ImageGenerationRecord) {
		r.NSFW, r.Metadata.CreatedAt, r.Description = true, at, " spaced "
	})
	for condition, want := range map[string]bool{
		"size_on_disk_bytes<7e9":               false,
		"size_on_disk_bytes<=7e9":              true,
		"size_on_disk_bytes >= 7_000_000_000":  true,
		"size_on_disk_bytes>6.9e9":             true,
		"size_on_disk_bytes==7000000000.0":     true,
		"size_on_disk_bytes!=1":                true,
		"name=a<b=c":                           true,
		`name="a<b=c"`:                         true,
		"name!=a<b=c":                          false,
		"name~B=C":                             true,
		"name<b":                               true,
		"name>=b":                              false,
		`description=" spaced "`:               true,
		"description= spaced ":                 false,
		"baseline=stable_diffusion_xl":         true,
		"baseline~DIFFUSION":                   true,
		"nsfw":                                 true,
		"!nsfw":                                false,
		"! nsfw":                               false,
		"nsfw=yes":                             true,
		"nsfw!=true":                           false,
		"nsfw=0":                               false,
		"inpainting":                           false,
		"!inpainting":                          true,
		"homepage":                             false,
		"!homepage":                            true,
		"tags":                                 true,
		"tags=Anime":                           true,
		"tags=anime":                           false,
		"tags!=hentai":                         true,
		"tags~TV":                              true,
		"created_at>2024-05-01":                true,
		"created_at=2024-05-01T14:00:00+02:00": true,
		"created_at!=2024-05-01T12:00:00Z":     false,
		"created_at<2024-05-01T12:00:00Z":      false,
		"created_at<=2024-05-01T12:00:00Z":     true,
		"created_at>=2024-05-02":               false,
		"updated_at":                           false,
		"min_bridge_version":                   false,
		"style!=anime":                         true,
	} {
		p, err := ParseWhere[ImageGenerationRecord](condition)
		if assert.NoError(t, err, condition) {
			assert.Equal(t, want, p.test(r), condition)
		}
	}
	p, err := ParseWhere[ImageGenerationRecord]("nsfw", "tags=Anime", "size_on_disk_bytes>1")
	require.NoError(t, err)
	require.True(t, p.test(r))
	p, err = ParseWhere[ImageGenerationRecord]()
	require.NoError(t, err)
	require.True(t, p.test(r))
}

func TestParseWhereSaysWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]string{
		"size<1":                      `no field "size": want one of record_type`,
		"":                            `no field ""`,
		"!":                           `no field ""`,
		"=x":                          `no field ""`,
		"size_on_disk_bytes<big":      `"big": want an integer`,
		"size_on_disk_bytes<":         `"": want an integer`,
		"size_on_disk_bytes=1.5":      "want an integer",
		"size_on_disk_bytes=1e30":     "want an integer",
		"size_on_disk_bytes=1e999999": "want an integer",
		"size_on_disk_bytes~7":        `(integer) has no operator "~": want one of = != < <= > >=`,
		"nsfw=perhaps":                "want true or false",
		"nsfw>false":                  "want one of = !=",
		"tags<a":                      "want one of = != ~",
		"created_at<yesterday":        "want a time, as 2024-05-01",
		`name="open`:                  "not a quoted string",
	} {
		p, err := ParseWhere[ImageGenerationRecord](condition)
		require.ErrorIs(t, err, ErrInvalidQuery, condition)
		require.ErrorContains(t, err, want, condition)
		_, err = QueryRecords([]*ImageGenerationRecord{}).Where(p).All(t.Context())
		require.ErrorIs(t, err, ErrInvalidQuery, "the predicate is as wrong as the condition: %s", condition)
	}
	_, err := ParseWhere[ImageGenerationRecord]("one", "nsfw", "two=2")
	require.ErrorContains(t, err, `"one"`)
	require.ErrorContains(t, err, `"two"`)
}

func TestParseOrder(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]string{
		"name":                          "abcde",
		"-name":                         "edcba",
		"-size_on_disk_bytes,name":      "bdcae",
		" size_on_disk_bytes , -name ,": "cdbea",
		"":                              "dacbe",
	} {
		orders, err := ParseOrder[ImageGenerationRecord](keys)
		require.NoError(t, err, keys)
		requireNames(t, want, fiveImages().OrderBy(orders...))
	}
	_, err := ParseOrder[ImageGenerationRecord]("nome", "-tags", "name")
	require.ErrorIs(t, err, ErrInvalidQuery)
	require.ErrorContains(t, err, `no field "nome"`)
	require.ErrorContains(t, err, `cannot order by "tags": want one of record_type, name`)
}

func TestParseInteger(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "-5": -5, "+5": 5, "7e9": 7_000_000_000, "7E9": 7_000_000_000, "1_000": 1000, "1.5e3": 1500, "120e-1": 12,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "5.0": 5, "5.": 5,
		"9007199254740993e0": 9007199254740993, "0e5": 0, "-0e-1": 0, "-0e-2": 0, "0e99": 0, "0.00e1": 0, "1_0_0": 100,
		"-1.5E1": -15, "-10e-1": -1, "00012": 12,
	} {
		got, err := parseInteger(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "e", "e5", "1e", "1.5", "12e-1", "5e-1", "-5e-3", "9223372036854775808", "1e19", "1e31", "0x10", "1 0", "NaN", "Inf",
		"1e9999999999999999999", ".", "-", "-e3", "+e3", "-.e3", ".5e1", "-.5e1", "_1", "1_", "1__0", "--1", "1.5_0e2", "1.2.3",
		"-9223372036854775809", "1e400", "١",
	} {
		got, err := parseInteger(text)
		assert.Error(t, err, "%s is %d", text, got)
	}
}

func FuzzParseWhere(f *testing.F) {
	for _, seed := range []string{"size_on_disk_bytes<7e9", "!nsfw", `name="x"`, "tags~", "created_at>=2024-05-01", "=", "e1"} {
		f.Add(seed)
	}
	r := anImage("x", sized(1))
	f.Fuzz(func(t *testing.T, condition string) {
		p, err := ParseWhere[ImageGenerationRecord](condition)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidQuery)
			return
		}
		p.test(r)
	})
}
