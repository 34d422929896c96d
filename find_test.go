// This file tests finding names as people type them.

package modelref

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// namedImages returns a reference of image models with the given names.
func namedImages(tb testing.TB, names ...string) *Reference[ImageGenerationRecord] {
	tb.Helper()
	document := make(map[string]any, len(names))
	for _, name := range names {
		document[name] = map[string]any{"name": name, "baseline": "flux_1", "nsfw": false}
	}
	text, err := json.Marshal(document)
	require.NoError(tb, err)
	ref, err := DecodeDocument[ImageGenerationRecord](CategoryImageGeneration, string(text))
	require.NoError(tb, err)
	return ref
}

func TestFind(t *testing.T) {
	t.Parallel()
	ref := namedImages(t, "Deliberate", "Deliberate 3.0", "Deliberate Inpainting", "Reliberate", "AlbedoBase XL (SDXL)", "AlbedoBase XL 3.1",
		"DreamShaper", "DreamShaper XL", "DreamShaper Inpainting", "stable_diffusion_2.1", "stable_diffusion", "stable_diffusion_21",
		"ICBINP - I Can't Believe It's Not Photography", "4x_AnimeSharp", "Org/Model-7B", "Other/Model-7B", "Org/Model-13B", "日本語のモデル", "x", "+++")
	for text, want := range map[string]struct {
		kind MatchKind
		best string // "" if the text is ambiguous
		all  []string
	}{
		"Deliberate":                        {MatchExact, "Deliberate", []string{"Deliberate", "Deliberate 3.0", "Deliberate Inpainting"}},
		"deliberate":                        {MatchFolded, "Deliberate", []string{"Deliberate", "Deliberate 3.0", "Deliberate Inpainting"}},
		"  deliberate-3.0 ":                 {MatchFolded, "Deliberate 3.0", []string{"Deliberate 3.0"}},
		"delibrate":                         {MatchTypo, "Deliberate", []string{"Deliberate", "Reliberate", "Deliberate 3.0", "Deliberate Inpainting"}},
		"dleiberate inpainting":             {MatchTypo, "Deliberate Inpainting", []string{"Deliberate Inpainting"}},
		"inpanting deliberate":              {MatchTypo, "Deliberate Inpainting", []string{"Deliberate Inpainting"}},
		"albedobase xl":                     {MatchWords, "", []string{"AlbedoBase XL 3.1", "AlbedoBase XL (SDXL)"}},
		"albedo base xl":                    {MatchWords, "", []string{"AlbedoBase XL 3.1", "AlbedoBase XL (SDXL)"}},
		"AlbedoBaseXL31":                    {MatchTypo, "AlbedoBase XL 3.1", []string{"AlbedoBase XL 3.1"}},
		"sdxl albedobase":                   {MatchWords, "AlbedoBase XL (SDXL)", []string{"AlbedoBase XL (SDXL)"}},
		"albedo":                            {MatchPrefix, "", []string{"AlbedoBase XL 3.1", "AlbedoBase XL (SDXL)"}},
		"dream inp":                         {MatchPrefix, "DreamShaper Inpainting", []string{"DreamShaper Inpainting"}},
		"shaper":                            {MatchSubstring, "", []string{"DreamShaper", "DreamShaper XL", "DreamShaper Inpainting"}},
		"xl shaper":                         {MatchSubstring, "DreamShaper XL", []string{"DreamShaper XL"}},
		"anime sharp":                       {MatchWords, "4x_AnimeSharp", []string{"4x_AnimeSharp"}},
		"i cant believe":                    {MatchWords, "ICBINP - I Can't Believe It's Not Photography", []string{"ICBINP - I Can't Believe It's Not Photography"}},
		"Stable Diffusion 2.1":              {MatchFolded, "stable_diffusion_2.1", []string{"stable_diffusion_2.1"}},
		"Stable Diffusion 21":               {MatchFolded, "stable_diffusion_21", []string{"stable_diffusion_21"}},
		"model 7b":                          {MatchFolded, "", []string{"Org/Model-7B", "Other/Model-7B"}},
		"org model 7b":                      {MatchFolded, "Org/Model-7B", []string{"Org/Model-7B"}},
		"model-7b org":                      {MatchWords, "Org/Model-7B", []string{"Org/Model-7B"}},
		"model 9b":                          {MatchNone, "", nil}, // a different digit is a different model
		"日本のモデル":                            {MatchTypo, "日本語のモデル", []string{"日本語のモデル"}},
		"X":                                 {MatchFolded, "x", []string{"x", "DreamShaper XL", "AlbedoBase XL 3.1", "AlbedoBase XL (SDXL)"}},
		"+++":                               {MatchExact, "+++", []string{"+++"}},
		"++":                                {},
		"":                                  {},
		"frobnicate":                        {},
		strings.Repeat("deliberate ", 2000): {MatchWords, "", []string{"Deliberate", "Deliberate 3.0", "Deliberate Inpainting"}},
		strings.Repeat("z", 100_000):        {},
	} {
		matches := ref.Find(text)
		assert.ElementsMatch(t, want.all, matches.Names(), "%.40q", text)
		best, ok := matches.Best()
		assert.Equal(t, want.best, best.Name, "%.40q", text)
		assert.Equal(t, want.best != "", ok, "%.40q", text)
		if len(matches) == 0 {
			continue
		}
		assert.Equal(t, want.kind, matches[0].Kind, "%.40q", text)
		assert.True(t, slices.IsSortedFunc(matches, func(a, b NameMatch[ImageGenerationRecord]) int {
			return int(1000 * (b.Score - a.Score))
		}), text)
		for _, m := range matches {
			assert.Equal(t, m.Name, m.Record.Name)
			assert.Equal(t, CategoryImageGeneration, m.Category)
			assert.Equal(t, m.Kind == MatchExact, m.Score == 1)
			assert.Greater(t, m.Score, 0.0)
		}
	}
	var none *Reference[ImageGenerationRecord]
	assert.Nil(t, none.Find("x"))
	assert.Nil(t, new(Reference[ImageGenerationRecord]).Find("x"))
}

// The ranks of one name are in order, from exact matches to typing errors.
func TestFindRanks(t *testing.T) {
	t.Parallel()
	last := 2.0
	for _, text := range []string{"Silver Lantern 7B", "silver-lantern-7b", "lantern silver", "silv lant", "ilver antern", "silverr lanttern"} {
		matches := namedImages(t, "Silver Lantern 7B").Find(text)
		require.Len(t, matches, 1, text)
		assert.Less(t, matches[0].Score, last, text)
		last = matches[0].Score
		marshaled, err := matches[0].Kind.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, matches[0].Kind.String(), string(marshaled))
	}
	assert.Equal(t, "none", MatchNone.String())
}

func TestARecordWithTwoNamesIsFoundOnce(t *testing.T) {
	t.Parallel()
	ref, err := DecodeDocument[ControlNetRecord](CategoryControlNet,
		`{"control_qr_sdxl": {"name": "control_qr_xl", "controlnet_style": "control_qr_xl"}}`)
	require.NoError(t, err)
	for text, kind := range map[string]MatchKind{
		"control_qr_sdxl": MatchExact, "control_qr_xl": MatchExact, "control qr xl": MatchFolded, "control qr": MatchWords,
	} {
		matches := ref.Find(text)
		require.Len(t, matches, 1, text)
		assert.Equal(t, "control_qr_sdxl", matches[0].Name)
		assert.Equal(t, kind, matches[0].Kind)
	}
	assert.Equal(t, []string{"control_qr_sdxl"}, ref.nearest("control_qr", maxSuggestions))
}

func TestNotFoundError(t *testing.T) {
	t.Parallel()
	ref := namedImages(t, "Deliberate", "Deliberate 3.0", "Deliberate Inpainting", "Deliberate XL", "Lantern-7B-v4", "Lantern-7B-v5", "Other")
	for name, want := range map[string]struct {
		suggestions []string
		text        string
	}{
		"delibrat":          {[]string{"Deliberate", "Deliberate XL", "Deliberate 3.0"}, `"delibrat": not found; did you mean "Deliberate", "Deliberate XL" or "Deliberate 3.0"?`},
		"Lantern-7B-v9":     {[]string{"Lantern-7B-v4", "Lantern-7B-v5"}, `"Lantern-7B-v9": not found; did you mean "Lantern-7B-v4" or "Lantern-7B-v5"?`},
		"others":            {[]string{"Other"}, `"others": not found; did you mean "Other"?`},
		"Deliberate Turbo":  {[]string{"Deliberate", "Deliberate 3.0", "Deliberate XL"}, ""},
		"nothing like this": {nil, `modelref: image_generation: "nothing like this": not found`},
		"":                  {nil, `modelref: image_generation: "": not found`},
	} {
		err := fmt.Errorf("wrapped: %w", ref.notFound(name))
		var found *NotFoundError
		require.ErrorAs(t, err, &found)
		assert.ErrorIs(t, err, ErrNotFound)
		assert.NotErrorIs(t, err, ErrUnavailable)
		assert.Equal(t, &NotFoundError{CategoryImageGeneration, name, want.suggestions}, found)
		assert.ErrorContains(t, err, want.text)
	}
	ends := ref.notFound("nothing like this").Error()
	assert.True(t, strings.HasSuffix(ends, "not found"), ends)
}

func TestNearestNames(t *testing.T) {
	t.Parallel()
	names := []string{"Deliberate", "Plain Diffusion", "日本語のモデル", "image_generation", "clip", "blip"}
	for name, want := range map[string][]string{
		"Delibrate": {"Deliberate"}, "plain-difusion": {"Plain Diffusion"}, "日本のモデル": {"日本語のモデル"}, "Delphi": nil,
		"clp": {"clip"}, "clipp": {"clip"}, "image": {"image_generation"}, "ImageGeneration": {"image_generation"}, "x": nil, "": nil,
	} {
		assert.Equal(t, want, NearestNames(name, names, 3), name)
	}
	assert.Nil(t, NearestNames("Deliberate", names, 0))
	assert.Nil(t, NearestNames("Deliberate", names, -1))
	assert.Nil(t, NearestNames("Deliberate", nil, 3))
}

func TestParseCategorySuggests(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"image": {"image_generation"}, "clp": {"clip"}, "clipp": {"clip"}, "stable_diffusion": {"image_generation"},
		"TextualInversion": {"ti"}, "text": {"text_generation", "ti"}, "ImageGeneration": {"image_generation"}, "LoRA": {"lora"},
		"control": {"controlnet", "controlnet_annotator"}, "frobnicate": nil, "": nil, "x": nil,
	} {
		_, err := ParseCategory(name)
		require.ErrorIs(t, err, ErrUnknownCategory, name)
		assert.Equal(t, want, similarCategories(name), name)
		if want != nil {
			assert.ErrorContains(t, err, "; did you mean "+strings.Join(want, " or ")+"?")
		}
	}
}

// A name is found without its author, in another letter case, with other punctuation, or with one typing error.
func TestContractFind(t *testing.T) {
	t.Parallel()
	ref := loadReal[TextGenerationRecord](t, CategoryTextGeneration)
	require.Equal(t, 719, ref.Len())
	typos, found, ambiguous := 0, 0, 0
	for name := range ref.All() {
		model := name[strings.IndexByte(name, '/')+1:]
		for _, text := range []string{name, strings.ToLower(name), strings.ReplaceAll(strings.ToLower(model), "-", " "), strings.ReplaceAll(model, "-", "_")} {
			matches := ref.Find(text)
			best, ok := matches.Best()
			if !ok {
				ambiguous++ // for example "pygmalion 2 7b", which are two models
				require.Contains(t, matches[:2].Names(), name, text)
				continue
			}
			require.Equal(t, name, best.Name, text)
		}
		if at := len(model) / 2; model[at] > '9' && len(model) > 8 {
			typos++
			best, ok := ref.Find(model[:at] + model[at+1:]).Best() // without one letter
			if ok && best.Name == name {
				found++
			}
		}
	}
	t.Logf("%d of %d names with a missing letter are found unambiguously", found, typos)
	assert.Greater(t, found, typos*8/10)
	assert.LessOrEqual(t, ambiguous, 4)

	nemo := ref.Find("mistral nemo")
	require.NotEmpty(t, nemo)
	assert.Equal(t, "mistralai/Mistral-Nemo-Instruct-2407", nemo[0].Name)
	images := loadReal[ImageGenerationRecord](t, CategoryImageGeneration)
	assert.Equal(t, []string{"AlbedoBase XL 3.1", "AlbedoBase XL (SDXL)"}, images.Find("albedobase xl").Names())
	best, ok := images.Find("delibrate").Best()
	assert.True(t, ok)
	assert.Equal(t, "Deliberate", best.Name)
}

// typedNames returns texts for every kind of match, and texts without a match, which take the longest time.
func typedNames() []string {
	return []string{
		"mistral nemo", "Mistral-Nemo-Instruct-2407", "stheno", "llama 3.1 8b instruct", "tiefighter 13b", "mythomaxx", "cydonia 24b v9",
		"nohting like thiss at all", "qwen2.5 coder instruct", "dolpin mistral nemo",
	}
}

// textReference returns the real text models if the corpus is available. Otherwise it returns the same number of
// invented models.
func textReference(tb testing.TB) *Reference[TextGenerationRecord] {
	tb.Helper()
	document := inventedTextDocument(719)
	if os.Getenv("MODELREF_CORPUS") != "" {
		document = string(corpusFile(tb, "primary", "real", "text_generation.json"))
	}
	ref, err := DecodeDocument[TextGenerationRecord](CategoryTextGeneration, document)
	require.NoError(tb, err)
	return ref
}

// A lookup takes at most 2 ms, even if it is the first one.
func TestFindIsFast(t *testing.T) {
	ref := textReference(t)
	const limit = 2 * time.Millisecond
	for _, text := range typedNames() {
		best, first := time.Hour, time.Hour
		for range 20 {
			fresh := &Reference[TextGenerationRecord]{metadata: ref.metadata, data: &records[TextGenerationRecord]{
				list: ref.data.list, keys: ref.data.keys, common: ref.data.common,
			}}
			start := time.Now()
			fresh.Find(text)
			first = min(first, time.Since(start))
			start = time.Now()
			fresh.Find(text)
			best = min(best, time.Since(start))
		}
		t.Logf("%-30s %8s, with the index %8s", text, best, first)
		if !raceDetector() {
			assert.Less(t, best, limit, text)
			assert.Less(t, first, 5*limit, text)
		}
	}
}

// raceDetector reports whether the race detector is enabled. It makes all tests slow.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func BenchmarkFind(b *testing.B) {
	ref := textReference(b)
	texts := typedNames()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ref.Find(texts[i%len(texts)])
	}
}

func BenchmarkNotFound(b *testing.B) {
	ref := textReference(b)
	b.ReportAllocs()
	for b.Loop() {
		if !errors.Is(ref.notFound("TheDrummer/Cydonia-24B-v9"), ErrNotFound) {
			b.Fatal("found")
		}
	}
}
