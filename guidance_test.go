// This file tests the capabilities of text models, the requirements of image models, and the values of fields.

package modelref

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// supportDocument has text records with different capabilities. The unknown values must be kept.
const supportDocument = `{
	"full":{"parameters":7e9,"context_window":{"maximum_tokens":131072,"sources":[{"url":"u","title":"t","x":1}],"qualification":"q"},
		"interaction_modes":{"chat":{"status":"supported","by":"me"},"telepathy":{"status":"supported"}},
		"capabilities":{"tool_calling":{"status":"supported"},"structured_output":{"status":"unsupported"}},
		"guidance":{"status":"published","primary_profile_id":"p","supplemental_profile_ids":["a","b"]}},
	"vague":{"parameters":7e9,"context_window":{"maximum_tokens":8192},"interaction_modes":{"chat":{"status":"unknown"}},
		"capabilities":{"tool_calling":{"status":"perhaps"}},"guidance":{"status":"undocumented","primary_profile_id":null,"supplemental_profile_ids":[]}},
	"null":{"parameters":7e9,"context_window":null,"interaction_modes":null,"capabilities":null,"guidance":null},
	"absent":{"parameters":7e9}}`

func TestTextSupport(t *testing.T) {
	t.Parallel()
	ref, err := DecodeDocument[TextGenerationRecord](CategoryTextGeneration, supportDocument)
	require.NoError(t, err)
	full, _ := ref.Get("full")
	assert.Equal(t, &ContextWindow{131072, []GuidanceSource{{URL: "u", Title: "t"}}, "q"}, full.ContextWindow)
	assert.Equal(t, map[InteractionMode]SupportClaim{InteractionChat: {Status: SupportSupported}, "telepathy": {Status: SupportSupported}}, full.InteractionModes)
	assert.Equal(t, SupportUnsupported, full.Capabilities[CapabilityStructuredOutput].Status)
	assert.Equal(t, &GuidanceSummary{GuidancePublished, "p", []string{"a", "b"}}, full.Guidance)
	null, _ := ref.Get("null")
	absent, _ := ref.Get("absent")
	for _, field := range []string{"context_window", "interaction_modes", "capabilities", "guidance"} {
		assert.True(t, null.IsNull(field), field)
		assert.False(t, absent.IsNull(field), field)
		assert.Contains(t, string(mustJSON(t, null)), `"`+field+`":null`)
		assert.NotContains(t, string(mustJSON(t, absent)), field)
	}
	for name, r := range ref.All() {
		var raw, encoded map[string]any
		require.NoError(t, json.Unmarshal([]byte(r.RawJSON()), &raw))
		require.NoError(t, json.Unmarshal(mustJSON(t, r), &encoded))
		requireCovers(t, any(raw), any(encoded))
		assert.NotEmpty(t, name)
	}
	mine := full.Clone()
	mine.InteractionModes[InteractionChat] = SupportClaim{}
	mine.ContextWindow.Sources[0].URL, mine.Guidance.SupplementalProfileIDs[0] = "", ""
	require.NoError(t, ref.CheckUnmodified())
}

func TestTextSupportQueries(t *testing.T) {
	t.Parallel()
	ref, err := DecodeDocument[TextGenerationRecord](CategoryTextGeneration, supportDocument)
	require.NoError(t, err)
	q := NewTextQuery(ref)
	for name, c := range map[string]struct {
		query TextQuery
		want  []string
	}{
		"context":      {q.MinContext(8192), []string{"full", "vague"}},
		"more context": {q.MinContext(8193), []string{"full"}},
		"no context":   {q.MinContext(0), []string{"full", "vague"}},
		"tools":        {q.SupportsToolCalling(), []string{"full"}},
		"chat":         {q.ForInteraction(InteractionChat), []string{"full"}},
		"unknown mode": {q.ForInteraction("telepathy"), []string{"full"}},
		"completion":   {q.ForInteraction(InteractionCompletion), nil},
		"status":       {q.Where(TextFields.GuidanceStatus.Eq(GuidanceUndocumented)), []string{"vague"}},
		"profiles":     {q.Where(TextFields.SupplementalProfileIDs.Contains("b")), []string{"full"}},
		"commercial":   {q.AllowsCommercialUse(), nil},
	} {
		found, err := c.query.All(t.Context())
		require.NoError(t, err)
		var names []string
		for _, r := range found {
			names = append(names, r.Name)
		}
		assert.Equal(t, c.want, names, name)
	}
	for condition, want := range map[string]int{
		"context_window.maximum_tokens>=128K": 1, "maximum_tokens<10k": 1, "tool_calling=supported": 1, "chat!=unknown": 3,
		"capabilities.structured_output=unsupported": 1, "guidance=published,undocumented": 2, "primary_profile_id": 1,
		"parameters=7B": 4, "parameters_count<350m": 0, "interaction_modes.chat.status=unknown": 1,
	} {
		where, err := ParsePredicate[TextGenerationRecord](condition)
		require.NoError(t, err, condition)
		n, err := q.Where(where).Count(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, n, condition)
	}
}

func TestKarrasIsReadAsSchedulers(t *testing.T) {
	t.Parallel()
	for requirements, want := range map[string]map[string]any{
		`{"karras":true,"a":1}`:                {"schedulers": []string{"karras"}, "a": int64(1)},
		`{"karras":false}`:                     {"schedulers": []string{"normal"}},
		`{"karras":"yes"}`:                     {},
		`{"karras":null}`:                      {},
		`{"karras":true,"schedulers":["new"]}`: {"schedulers": []string{"new"}},
		`{"a":true}`:                           {"a": true},
	} {
		raw := `{"baseline":"b","nsfw":false,"requirements":` + requirements + `}`
		var r ImageGenerationRecord
		require.NoError(t, json.Unmarshal([]byte(raw), &r))
		assert.Equal(t, want, r.Requirements, requirements)
		assert.Equal(t, raw, r.RawJSON())
		assert.NotContains(t, string(mustJSON(t, &r)), "karras\":")
	}
}

func TestValuesCountsTheMostFrequentFirst(t *testing.T) {
	t.Parallel()
	q := QueryRecords([]*ImageGenerationRecord{
		{Style: StyleAnime, Tags: []string{"a", "b", "a"}}, {}, {Style: StyleOther}, {Style: StyleRealistic, Tags: []string{"b"}}, {Style: StyleRealistic},
	})
	styles, err := Values(t.Context(), q, ImageFields.Style)
	require.NoError(t, err)
	assert.Equal(t, []ValueCount[Style]{{StyleRealistic, 2}, {StyleAnime, 1}, {StyleOther, 1}}, styles)
	tags, err := Values(t.Context(), q, ImageFields.Tags)
	require.NoError(t, err)
	assert.Equal(t, []ValueCount[string]{{"b", 2}, {"a", 1}}, tags)
	field, err := LookupField[ImageGenerationRecord]("style")
	require.NoError(t, err)
	named, err := Values(t.Context(), q, field)
	require.NoError(t, err)
	assert.Equal(t, []ValueCount[string]{{"realistic", 2}, {"anime", 1}, {"other", 1}}, named)
	none, err := Values(t.Context(), q.Where(ImageFields.NSFW.IsTrue()), ImageFields.Style)
	require.NoError(t, err)
	assert.Empty(t, none)
	_, err = Values(t.Context(), q, NamedField[ImageGenerationRecord]{})
	assert.ErrorIs(t, err, ErrInvalidQuery)
}

func TestForBaselineAcceptsOtherNames(t *testing.T) {
	t.Parallel()
	ref, err := DecodeDocument[ImageGenerationRecord](CategoryImageGeneration, `{
		"new":{"baseline":"stable_diffusion_xl","nsfw":false},"old":{"baseline":"SDXL","nsfw":false},"other":{"baseline":"krea","nsfw":false}}`)
	require.NoError(t, err)
	for name, want := range map[Baseline]int{"sdxl": 1, "SDXL": 2, BaselineStableDiffusionXL: 1, "krea": 1, "Krea": 0} {
		n, err := NewImageQuery(ref).ForBaseline(name).Count(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, n, name)
	}
}

// TestAliasesFindTheRecordOnEitherDeployment looks up the aliases in the recorded documents of both services.
func TestAliasesFindTheRecordOnEitherDeployment(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"primary/real", "newest/primary/real"} {
		ref, err := DecodeDocument[ControlNetRecord](CategoryControlNet, string(corpusFile(t, set, "controlnet.json")))
		require.NoError(t, err)
		for _, names := range recordAliases[CategoryControlNet] {
			first, ok := ref.Get(names[0])
			require.True(t, ok, "%s in %s", names[0], set)
			for _, name := range names {
				record, ok := ref.Get(name)
				require.True(t, ok, "%s in %s", name, set)
				assert.Same(t, first, record)
			}
		}
	}
}
