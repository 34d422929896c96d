// This file tests fields: the values that they read, the results of the operators, and fields and conditions as text.

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

	"github.com/haidra-org/modelref/internal/columns"
)

// requireFieldsRead compares the value of every field of R with the record's own JSON.
func requireFieldsRead[R Record](t *testing.T, category Category) {
	t.Helper()
	for _, set := range []string{"primary/rich", "newest/primary/rich"} {
		requireFieldsOf[R](t, category, corpusFile(t, set, string(category)+".json"))
	}
}

func requireFieldsOf[R Record](t *testing.T, category Category, document []byte) {
	t.Helper()
	ref, err := recordTypes[category].decode(string(document), metadata{category: category})
	require.NoError(t, err)
	byName, err := ref.models().QueryByName().All(t.Context()) // as a CategoryReader queries
	require.NoError(t, err)
	require.Len(t, byName, ref.Len())
	at := 0
	ref.each(func(name string, record any) {
		named := byName[at]
		at++
		require.Same(t, record, named.Record)
		require.Equal(t, name, named.Name)
		require.Equal(t, category, named.Category)
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
			if day, err := ParseDate(strings.Join(want, "")); err == nil && field.Kind() == KindTime {
				want = []string{day.Time().Format(time.RFC3339)}
			} else if field.Kind() == KindTime && len(want) == 1 {
				seconds, err := strconv.ParseInt(want[0], 10, 64)
				require.NoError(t, err, want[0])
				want = []string{time.Unix(seconds, 0).UTC().Format(time.RFC3339)}
			}
			if field.Kind() == KindBool && want == nil {
				want = []string{"false"}
			}
			require.ElementsMatch(t, want, field.Text(record.(*R)), "%s of %s", field.Name(), name)
			require.ElementsMatch(t, want, named.Values(field.Name()), "%s of %s by name", field.Name(), name)
		}
	})
}

// everyField is a record with a value in every field of every category.
const everyField = `{"m": {"name": "m", "description": "d", "version": "1", "finetune_series": {"name": "s", "author": "a"},
	"metadata": {"schema_version": "2.1.0", "created_at": 1735689600, "updated_at": 1735689601, "created_by": "c", "updated_by": "u"},
	"size_on_disk_bytes": 7000000001, "baseline": "flux_1", "nsfw": true, "inpainting": true, "optimization": "o",
	"tags": ["t", "u"], "showcases": ["https://example.org/s"], "min_bridge_version": 11, "trigger": ["x", "y"],
	"homepage": "https://example.org", "style": "anime", "parameters": 13000000000, "display_name": "n",
	"url": "https://example.org/u", "instruct_format": "i", "text_model_group": "g", "name_schema_exception": "e",
	"controlnet_style": "control_canny", "control_types": ["canny"], "preprocessors": ["p"], "pretrained_name": "ViT-L/14"}}`

func TestEveryFieldOfEveryCategoryByName(t *testing.T) {
	t.Parallel()
	document := []byte(everyField)
	requireFieldsOf[ImageGenerationRecord](t, CategoryImageGeneration, document)
	requireFieldsOf[TextGenerationRecord](t, CategoryTextGeneration, document)
	requireFieldsOf[ControlNetRecord](t, CategoryControlNet, document)
	requireFieldsOf[ControlNetAnnotatorRecord](t, CategoryControlNetAnnotator, document)
	requireFieldsOf[CLIPRecord](t, CategoryCLIP, document)
	requireFieldsOf[BLIPRecord](t, CategoryBLIP, document)
	requireFieldsOf[ESRGANRecord](t, CategoryESRGAN, document)
	requireFieldsOf[GFPGANRecord](t, CategoryGFPGAN, document)
	requireFieldsOf[CodeFormerRecord](t, CategoryCodeFormer, document)
	requireFieldsOf[SafetyCheckerRecord](t, CategorySafetyChecker, document)
	requireFieldsOf[VideoGenerationRecord](t, CategoryVideoGeneration, document)
	requireFieldsOf[AudioGenerationRecord](t, CategoryAudioGeneration, document)
	requireFieldsOf[MiscellaneousRecord](t, CategoryMiscellaneous, document)
	requireFieldsOf[LoRARecord](t, CategoryLoRA, document)
	requireFieldsOf[TextualInversionRecord](t, CategoryTextualInversion, document)
	for category, records := range recordTypes {
		ref, err := records.decode(everyField, metadata{category: category})
		require.NoError(t, err)
		record, err := ref.QueryByName().All(t.Context())
		require.NoError(t, err)
		for _, field := range ref.QueryByName().Fields() {
			nested := strings.HasPrefix(field.Name, "licensing.") || strings.HasPrefix(field.Name, "guidance.") ||
				strings.HasSuffix(field.Name, ".status") || strings.HasPrefix(field.Name, "context_window.")
			require.True(t, nested || len(record[0].Values(field.Name)) > 0, "%s of %s has no value", field.Name, category)
		}
	}
}

func lookupPath(v any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[part]
	}
	return v
}

func TestFieldsReadTheValueOfTheirName(t *testing.T) {
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

func TestAbsentValuesMatchOnlyNeAndNotIn(t *testing.T) {
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
		require.Equal(t, columns.MinRows, keptOfColumns(t, r, holds), name)
	}
}

// keptOfColumns returns the number of records that match a predicate among columns.MinRows copies of a record.
func keptOfColumns(t *testing.T, r *ImageGenerationRecord, p Predicate[ImageGenerationRecord]) int {
	t.Helper()
	list := slices.Repeat([]ImageGenerationRecord{*r}, columns.MinRows)
	kept, err := referenceTo(list).Query().Where(p).Count(t.Context())
	require.NoError(t, err)
	return kept
}

// referenceTo returns a reference to records. It has no index of their names.
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

func TestLookupField(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"size_on_disk_bytes": "size_on_disk_bytes", "name": "name", "created_at": "metadata.created_at",
		"metadata.created_at": "metadata.created_at", "domain": "model_classification.domain",
		"parameters_count": "parameters", "parameters": "parameters", "version": "version",
		"size": "size_on_disk_bytes", "params": "parameters", "category": "record_type",
	} {
		field, err := LookupField[TextGenerationRecord](name)
		require.NoError(t, err, name)
		require.Equal(t, want, field.Name())
	}
	for name, near := range map[string]string{"baselin": "baseline", "Name": "name", "sizeondisk": "size_on_disk_bytes"} {
		_, err := LookupField[TextGenerationRecord](name)
		require.ErrorIs(t, err, ErrInvalidQuery, name)
		require.ErrorContains(t, err, fmt.Sprintf("no field %q: did you mean %s", name, near))
	}
	for _, name := range []string{"", ".", "qqq", "inpainting"} {
		_, err := LookupField[TextGenerationRecord](name)
		require.ErrorIs(t, err, ErrInvalidQuery, name)
		require.ErrorContains(t, err, fmt.Sprintf("no field %q: must be one of record_type, name, description", name))
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

func TestParsePredicate(t *testing.T) {
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
		"size_on_disk_bytes<=7GB":              true,
		"size_on_disk_bytes<7 gb":              false,
		"size_on_disk_bytes>6.5GiB":            true,
		"size_on_disk_bytes=1GB, 7GB":          true,
		"size_on_disk_bytes!=1GB,7GB":          false,
		"size_on_disk_bytes>-1":                true,
		"baseline=SDXL":                        true,
		"baseline=sd15, sdxl":                  true,
		"baseline!=stable diffusion xl":        false,
		"baseline!=stable diffusion 1":         true,
		"name=x,a<b=c":                         true,
		`name="a<b=c", "x"`:                    true,
		`name="x,a<b=c"`:                       false,
		`name!="x",y`:                          true,
		"name~a,b":                             false,
		"tags=hentai,tv show":                  true,
		"tags!=hentai,tv show":                 false,
		"tags!=hentai,cg":                      true,
		"nsfw=true,false":                      true,
	} {
		p, err := ParsePredicate[ImageGenerationRecord](condition)
		if assert.NoError(t, err, condition) {
			assert.Equal(t, want, p.test(r), condition)
		}
	}
	p, err := ParsePredicate[ImageGenerationRecord]("nsfw", "tags=Anime", "size_on_disk_bytes>1")
	require.NoError(t, err)
	require.True(t, p.test(r))
	p, err = ParsePredicate[ImageGenerationRecord]()
	require.NoError(t, err)
	require.True(t, p.test(r))
}

func TestParsePredicateListsTheValidChoices(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]string{
		"qqq<1":                       `no field "qqq": must be one of record_type`,
		"":                            `no field ""`,
		"!":                           `no field ""`,
		"=x":                          `no field ""`,
		"size_on_disk_bytes<big":      `"big": must be an integer`,
		"size_on_disk_bytes<":         `"": must be an integer`,
		"size_on_disk_bytes=1.5":      "must be an integer",
		"size_on_disk_bytes=1e30":     "must be an integer",
		"size_on_disk_bytes=1e999999": "must be an integer",
		"size_on_disk_bytes~7":        `(integer) has no operator "~": must be one of = != < <= > >=`,
		"nsfw=perhaps":                "must be true or false",
		"nsfw>false":                  "must be one of = !=",
		"tags<a":                      "must be one of = != ~",
		"created_at<yesterday":        "must be a time, such as 2024-05-01",
		`name="open`:                  "not a quoted string",
		`name="a" b`:                  "not a quoted string",
		`name~"a","b"`:                "not a quoted string",
		"size_on_disk_bytes<8G":       "must have one of the units",
		"size_on_disk_bytes>-1TiB":    "must not be negative",
		"size_on_disk_bytes=1,x":      `"x": must be an integer`,
		"min_bridge_version=1K":       `"1K": must be an integer`,
	} {
		p, err := ParsePredicate[ImageGenerationRecord](condition)
		require.ErrorIs(t, err, ErrInvalidQuery, condition)
		require.ErrorContains(t, err, want, condition)
		_, err = QueryRecords([]*ImageGenerationRecord{}).Where(p).All(t.Context())
		require.ErrorIs(t, err, ErrInvalidQuery, "the predicate must return the same error: %s", condition)
	}
	_, err := ParsePredicate[ImageGenerationRecord]("one", "nsfw", "two=2")
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
	require.ErrorContains(t, err, `cannot order by "tags": must be one of record_type, name`)
}

func FuzzParsePredicate(f *testing.F) {
	for _, seed := range []string{"size_on_disk_bytes<7e9", "!nsfw", `name="x"`, "tags~", "created_at>=2024-05-01", "=", "e1"} {
		f.Add(seed)
	}
	r := anImage("x", sized(1))
	f.Fuzz(func(t *testing.T, condition string) {
		p, err := ParsePredicate[ImageGenerationRecord](condition)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidQuery)
			return
		}
		p.test(r)
	})
}
