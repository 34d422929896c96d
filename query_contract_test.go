// This file compares queries and text model names with the recorded results of the real service.

package modelref

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vector is one recorded query with its result.
type vector struct {
	ID       string
	Category Category
	Steps    []vectorStep
	Terminal string
	Field    string
	Expect   struct {
		Names  []string
		Name   *string
		Count  int
		Values []any
		Groups [][2]json.RawMessage
	}
}

type vectorStep struct {
	Op, Field, Value string
	Desc             bool
	N                int
	Tags             []string
	Expr             *vectorExpr
}

type vectorExpr struct {
	And, Or []*vectorExpr
	Not     *vectorExpr
	Field   string
	Cmp     string
	Value   json.RawMessage
}

// loadReal decodes a real category document.
func loadReal[R Record](t testing.TB, category Category) *Reference[R] {
	t.Helper()
	document := corpusFile(t, "primary", "real", string(category)+".json")
	ref, err := recordTypes[category].decode(string(document), metadata{category: category})
	require.NoError(t, err)
	return ref.(*Reference[R])
}

// vectorPredicate builds the predicate of a recorded expression through the public API.
func vectorPredicate[R Record](t testing.TB, e *vectorExpr) Predicate[R] {
	t.Helper()
	parts := func(list []*vectorExpr) []Predicate[R] {
		out := []Predicate[R]{}
		for _, inner := range list {
			out = append(out, vectorPredicate[R](t, inner))
		}
		return out
	}
	switch {
	case e.Not != nil:
		return Not(vectorPredicate[R](t, e.Not))
	case e.And != nil:
		return And(parts(e.And)...)
	case e.Or != nil:
		return Or(parts(e.Or)...)
	}
	switch f := typedField[R](t, e.Field).(type) {
	case StringField[R, string]:
		return stringLeaf(t, f, e)
	case StringField[R, Baseline]:
		return stringLeaf(t, f, e)
	case StringField[R, Style]:
		return stringLeaf(t, f, e)
	case StringField[R, ControlNetStyle]:
		return stringLeaf(t, f, e)
	case IntField[R]:
		return orderedLeaf[R, int64](t, f, e)
	case BoolField[R]:
		if e.Cmp == "is_true" {
			return f.IsTrue()
		}
		require.Equal(t, "is_false", e.Cmp)
		return f.IsFalse()
	case ListField[R]:
		require.Equal(t, "contains", e.Cmp)
		return f.Contains(valueOf[string](t, e.Value))
	}
	require.Fail(t, "no such field", e.Field)
	return Predicate[R]{}
}

func stringLeaf[R Record, S ~string](t testing.TB, f StringField[R, S], e *vectorExpr) Predicate[R] {
	return orderedLeaf[R, S](t, f, e)
}

// An orderedField is a field of strings or of integers.
type orderedField[R Record, V any] interface {
	comparableField[R, V]
	In(values ...V) Predicate[R]
	IsSet() Predicate[R]
	IsUnset() Predicate[R]
}

func orderedLeaf[R Record, V any](t testing.TB, f orderedField[R, V], e *vectorExpr) Predicate[R] {
	switch e.Cmp {
	case "in":
		return f.In(valueOf[[]V](t, e.Value)...)
	case "is_none":
		return f.IsUnset()
	case "is_not_none":
		return f.IsSet()
	}
	v := valueOf[V](t, e.Value)
	switch e.Cmp {
	case "eq":
		return f.Eq(v)
	case "ne":
		return f.Ne(v)
	case "lt":
		return f.Lt(v)
	case "le":
		return f.Le(v)
	case "gt":
		return f.Gt(v)
	case "ge":
		return f.Ge(v)
	}
	require.Fail(t, "no such comparison", e.Cmp)
	return Predicate[R]{}
}

func valueOf[V any](t testing.TB, raw json.RawMessage) (v V) {
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

// typedField returns the field with the name that upstream uses.
func typedField[R Record](t testing.TB, name string) any {
	var fields map[string]any
	switch any((*R)(nil)).(type) {
	case *ImageGenerationRecord:
		f := ImageFields
		fields = map[string]any{
			"name": f.Name, "baseline": f.Baseline, "style": f.Style, "nsfw": f.NSFW, "inpainting": f.Inpainting,
			"tags": f.Tags, "trigger": f.Trigger, "size_on_disk_bytes": f.SizeOnDiskBytes,
			"min_bridge_version": f.MinBridgeVersion,
		}
	case *TextGenerationRecord:
		f := TextFields
		fields = map[string]any{
			"name": f.Name, "baseline": f.Baseline, "style": f.Style, "nsfw": f.NSFW, "tags": f.Tags,
			"parameters_count": f.Parameters, "instruct_format": f.InstructFormat, "text_model_group": f.TextModelGroup,
		}
	case *ControlNetRecord:
		fields = map[string]any{"name": ControlNetFields.Name, "controlnet_style": ControlNetFields.ControlNetStyle}
	}
	require.Contains(t, fields, name)
	return fields[name]
}

func orderOf[R Record](t testing.TB, name string, desc bool) Order[R] {
	t.Helper()
	f, ok := typedField[R](t, name).(interface {
		Asc() Order[R]
		Desc() Order[R]
	})
	require.True(t, ok, "%s has an order", name)
	if desc {
		return f.Desc()
	}
	return f.Asc()
}

// buildVector applies the steps that all query types have to a query of its type.
func buildVector[R Record, Q interface {
	Where(...Predicate[R]) Q
	OrderBy(...Order[R]) Q
	Limit(int) Q
	Offset(int) Q
}](t testing.TB, q Q, v vector, helper func(Q, vectorStep) Q,
) Q {
	t.Helper()
	for _, step := range v.Steps {
		switch step.Op {
		case "where":
			q = q.Where(vectorPredicate[R](t, step.Expr))
		case "order_by":
			q = q.OrderBy(orderOf[R](t, step.Field, step.Desc))
		case "limit":
			q = q.Limit(step.N)
		case "offset":
			q = q.Offset(step.N)
		default:
			q = helper(q, step)
		}
	}
	return q
}

func namesOf[R Record](records []*R) []string {
	out := []string{}
	for _, r := range records {
		out = append(out, any(r).(interface{ common() *ModelRecord }).common().Name)
	}
	return out
}

// answerVector runs the terminal of a vector and compares the result.
func answerVector[R Record](t *testing.T, q Query[R], v vector, byBaseModel func() ([]Group[R, string], error)) {
	ctx := t.Context()
	switch v.Terminal {
	case "list":
		got, err := q.All(ctx)
		require.NoError(t, err)
		require.Equal(t, v.Expect.Names, namesOf(got))
	case "count":
		got, err := q.Count(ctx)
		require.NoError(t, err)
		require.Equal(t, v.Expect.Count, got)
	case "first":
		got, err := q.First(ctx)
		if v.Expect.Name == nil {
			require.ErrorIs(t, err, ErrNotFound)
			return
		}
		require.NoError(t, err)
		require.Equal(t, []string{*v.Expect.Name}, namesOf([]*R{got}))
	case "group_by_base_model":
		got, err := byBaseModel()
		require.NoError(t, err)
		requireGroups(t, v, got)
	default:
		switch f := typedField[R](t, v.Field).(type) {
		case StringField[R, string]:
			byField(t, q, v, f)
		case StringField[R, Baseline]:
			byField(t, q, v, f)
		case StringField[R, Style]:
			byField(t, q, v, f)
		case StringField[R, ControlNetStyle]:
			byField(t, q, v, f)
		case IntField[R]:
			byField(t, q, v, f)
		case BoolField[R]:
			byField(t, q, v, f)
		default:
			require.Fail(t, "no such terminal", v.Terminal)
		}
	}
}

func byField[R Record, V comparable](t *testing.T, q Query[R], v vector, f FieldOf[R, V]) {
	t.Helper()
	if v.Terminal == "distinct" {
		got, err := Distinct(t.Context(), q, f)
		require.NoError(t, err)
		require.JSONEq(t, string(mustJSON(t, v.Expect.Values)), string(mustJSON(t, got)))
		return
	}
	require.Equal(t, "group_by", v.Terminal)
	got, err := GroupBy(t.Context(), q, f)
	require.NoError(t, err)
	requireGroups(t, v, got)
}

func requireGroups[R Record, K comparable](t *testing.T, v vector, got []Group[R, K]) {
	t.Helper()
	require.Len(t, got, len(v.Expect.Groups))
	for i, want := range v.Expect.Groups {
		require.JSONEq(t, string(want[0]), string(mustJSON(t, got[i].Key)))
		require.Equal(t, valueOf[[]string](t, want[1]), namesOf(got[i].Records))
	}
}

func imageHelper(q ImageQuery, step vectorStep) ImageQuery {
	switch step.Op {
	case "tags_any":
		return q.TagsAny(step.Tags...)
	case "tags_all":
		return q.TagsAll(step.Tags...)
	case "tags_none":
		return q.TagsNone(step.Tags...)
	case "exclude_nsfw":
		return q.ExcludeNSFW()
	case "only_nsfw":
		return q.OnlyNSFW()
	case "only_inpainting":
		return q.OnlyInpainting()
	case "exclude_inpainting":
		return q.ExcludeInpainting()
	case "for_baseline":
		return q.ForBaseline(Baseline(step.Value))
	}
	return q.Limit(-1)
}

func textHelper(q TextQuery, step vectorStep) TextQuery {
	switch step.Op {
	case "tags_any":
		return q.TagsAny(step.Tags...)
	case "tags_all":
		return q.TagsAll(step.Tags...)
	case "tags_none":
		return q.TagsNone(step.Tags...)
	case "exclude_backend_variations":
		return q.ExcludeBackendVariations()
	case "only_quantized":
		return q.OnlyQuantized()
	case "exclude_quantized":
		return q.ExcludeQuantized()
	}
	return q.Limit(-1)
}

func controlNetHelper(q ControlNetQuery, step vectorStep) ControlNetQuery {
	if step.Op == "for_style" {
		return q.ForStyle(ControlNetStyle(step.Value))
	}
	return q.Limit(-1)
}

func TestQueryAgreesWithUpstream(t *testing.T) {
	t.Parallel()
	var vectors []vector
	require.NoError(t, json.Unmarshal(corpusFile(t, "query_vectors.json"), &vectors))
	require.Len(t, vectors, 150)
	images := loadReal[ImageGenerationRecord](t, CategoryImageGeneration)
	texts := loadReal[TextGenerationRecord](t, CategoryTextGeneration)
	controlNets := loadReal[ControlNetRecord](t, CategoryControlNet)
	for _, v := range vectors {
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			switch v.Category {
			case CategoryImageGeneration:
				q := buildVector(t, NewImageQuery(images), v, imageHelper)
				answerVector(t, q.Query, v, nil)
			case CategoryTextGeneration:
				q := buildVector(t, NewTextQuery(texts), v, textHelper)
				answerVector(t, q.Query, v, func() ([]Group[TextGenerationRecord, string], error) {
					return q.GroupByBaseModel(t.Context())
				})
			case CategoryControlNet:
				q := buildVector(t, NewControlNetQuery(controlNets), v, controlNetHelper)
				answerVector(t, q.Query, v, nil)
			default:
				require.Fail(t, "no such category", v.Category)
			}
		})
	}
}

func TestTextNamesAgreeWithUpstream(t *testing.T) {
	t.Parallel()
	var vectors []struct {
		Name                          string
		BaseName                      string `json:"base_name"`
		Size, Variant, Quant, Version string
		NormalizedName                string `json:"normalized_name"`
		Extras                        []TextModelNameExtra
		Group, Stripped               string
		Quantized                     bool
		HasBackendPrefix              bool `json:"has_backend_prefix"`
		Variants                      []string
	}
	require.NoError(t, json.Unmarshal(corpusFile(t, "text_names.json"), &vectors))
	require.Len(t, vectors, 635)
	for _, v := range vectors {
		want := TextModelName{
			Original: v.Name, Base: v.BaseName, Size: v.Size, Variant: v.Variant, Quant: v.Quant, Version: v.Version,
			Normalized: v.NormalizedName,
		}
		if len(v.Extras) > 0 {
			want.Extras = v.Extras
		}
		assert.Equal(t, want, ParseTextModelName(v.Name))
		assert.Equal(t, v.BaseName, BaseModelName(v.Name), v.Name)
		assert.Equal(t, v.Group, TextModelGroup(v.Name), v.Name)
		assert.Equal(t, v.Quantized, IsQuantized(v.Name), v.Name)
		assert.Equal(t, v.Stripped, StripBackendPrefix(v.Name), v.Name)
		assert.Equal(t, v.HasBackendPrefix, v.Name != StripBackendPrefix(v.Name), v.Name)
		assert.Equal(t, v.Variants, BackendVariants(v.Name), v.Name)
	}
}

// A name that workers report for a real record resolves to this record, unless a model of another author with the same
// name is first.
func TestEveryReportedTextNameResolves(t *testing.T) {
	t.Parallel()
	ref := loadReal[TextGenerationRecord](t, CategoryTextGeneration)
	first := map[string]*TextGenerationRecord{} // the key is the name that KoboldCpp reports
	for name, r := range ref.All() {
		variants := BackendVariants(name)
		if kobold := variants[len(variants)-1]; first[kobold] == nil {
			first[kobold] = r
		}
	}
	for name, r := range ref.All() {
		for i, variant := range BackendVariants(name) {
			want := r
			if i == 2 {
				want = first[variant]
			}
			for _, suffix := range []string{"", "::somebody#1234"} {
				got, ok := ResolveTextModel(ref, variant+suffix)
				require.True(t, ok, variant+suffix)
				require.Same(t, want, got, variant+suffix)
			}
		}
	}
}
