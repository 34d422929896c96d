package textname

// This file tests each rule with invented names.

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParse(t *testing.T) {
	t.Parallel()
	assert.Equal(t, Name{
		Original: "4.2.0-Lantern-13b-chat-v2-Q4_k_m-08-2024-Night", Base: "Lantern-Night", Size: "13B", Variant: "chat",
		Quant: "Q4_K_M", Version: "v2", Normalized: "4_2_0_lantern_13b_chat_v2_q4_k_m_08_2024_night",
		Extras: []Extra{{"4.2.0", 0, TypeLeadingVersion}, {"08-2024", 3, TypeDate}},
	}, Parse("4.2.0-Lantern-13b-chat-v2-Q4_k_m-08-2024-Night"))
	assert.Equal(t, Name{Original: "Lantern", Base: "Lantern", Normalized: "lantern"}, Parse("Lantern"))
	assert.Equal(t, Name{}, Parse(""))
}

func TestSize(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ rule, name, size, base string }{
		{"none", "Lantern-3", "", "Lantern-3"},
		{"billions", "Lantern-7B-x", "7B", "Lantern-x"},
		{"upper case", "Lantern-13b", "13B", "Lantern"},
		{"millions and thousands", "Lantern-125m-10K", "125M", "Lantern-10K"},
		{"fraction", "Lantern-1.5B", "1.5B", "Lantern"},
		{"fraction without digits", "Lantern-3.B", "3.B", "Lantern"},
		{"only one dot", "Lantern-1.2.3B", "2.3B", "Lantern-1"},
		{"digits after the unit", "Lantern-7B1", "7B1", "Lantern"},
		{"digits after the unit up to a letter", "Lantern-7B12x", "7B1", "Lantern-2x"},
		{"one digit after the unit before a letter", "Lantern-7B1x", "7B", "Lantern-1x"},
		{"letter after", "Lantern-7Bit", "", "Lantern-7Bit"},
		{"letter before", "Lantern-A3B", "", "Lantern-A3B"},
		{"letter before two digits", "Lantern-A22B", "2B", "Lantern-A2"},
		{"in the author", "Keeper10K/Lantern-8B", "0K", "Keeper1/Lantern-8B"},
		{"underscore is not a letter", "Lantern_8B_x", "8B", "Lantern_x"},
		{"experts", "Lantern-8x7b", "8X7B", "Lantern"},
		{"experts of two digits", "Lantern-8x22B", "2B", "Lantern-8x2"},
		{"plain size before experts", "Lantern-8x7B-13B", "13B", "Lantern-8x7B"},
		{"experts without digits after", "Lantern-8x7B1", "8X7B", "Lantern-1"},
		{"experts before a letter", "Lantern-8x7Bit", "", "Lantern-8x7Bit"},
		{"experts after a letter", "Lantern-A8x7B", "", "Lantern-A8x7B"},
		{"experts after a letter and a digit", "Lantern-A18x7B", "8X7B", "Lantern-A1"},
		{"first of two", "30B-Lantern-7B", "30B", "Lantern-7B"},
		{"only a size", "7B", "7B", "7B"},
		{"letters outside ASCII do not count", "Fåå7B", "7B", "Fåå"},
		{"digits outside ASCII count", "Lantern-٧B", "٧B", "Lantern"},
		{"Kelvin sign is a k", "Lantern-7\u212A", "7\u212A", "Lantern"},
		{"long s is a letter", "Lantern-7Bſ", "", "Lantern-7Bſ"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := Parse(test.name)
			assert.Equal(t, test.size, got.Size)
			assert.Equal(t, test.base, got.Base)
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ rule, name, version, base string }{
		{"plain", "Lantern-v2-x", "v2", "Lantern-x"},
		{"keeps its case", "Lantern-V2.5", "V2.5", "Lantern"},
		{"dotted before plain", "v1-Lantern-v0.1", "v0.1", "v1-Lantern"},
		{"first plain", "Lantern-v1-v2", "v1", "Lantern-v2"},
		{"any number of dots", "Lantern-v1.2.3.4", "v1.2.3.4", "Lantern"},
		{"no plain version before a dot", "Lantern-v2.x", "", "Lantern-v2.x"},
		{"dotted up to a letter", "Lantern-v1.2.3x", "v1.2", "Lantern-.3x"},
		{"not inside a number", "Lantern-v1.23x", "", "Lantern-v1.23x"},
		{"after a letter", "Lanternv2", "", "Lanternv2"},
		{"after a digit", "Lantern-3v2", "", "Lantern-3v2"},
		{"before a letter", "Lantern-v2x", "", "Lantern-v2x"},
		{"after an underscore", "Lantern_v2", "v2", "Lantern"},
		{"in the author", "v07/Lantern", "v07", "/Lantern"},
		{"size with a v", "Lantern-v7B.1", "", "Lantern-v7B.1"},
		{"digits outside ASCII may follow", "Lantern-v٣٤x", "v٣", "Lantern-٤x"},
		{"digits outside ASCII may follow a dotted version", "Lantern-v1.٣٤x", "v1.٣", "Lantern-٤x"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := Parse(test.name)
			assert.Equal(t, test.version, got.Version)
			assert.Equal(t, test.base, got.Base)
		})
	}
}

// TestAcrossCut tests a part whose pieces are joined only after another part is cut out.
func TestAcrossCut(t *testing.T) {
	t.Parallel()
	got := Parse("Lantern-v23B.4")
	assert.Equal(t, "3B", got.Size)
	assert.Equal(t, "v2.4", got.Version)
	assert.Equal(t, "Lantern", got.Base)
}

func TestQuant(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ rule, name, quant, base string }{
		{"K-quant", "Lantern-Q4_K_M", "Q4_K_M", "Lantern"},
		{"K-quant without a size", "Lantern-q6_k", "Q6_K", "Lantern"},
		{"unknown size", "Lantern-Q4_K_XL", "", "Lantern-Q4_K_XL"},
		{"older", "Lantern-q8_0", "Q8_0", "Lantern"},
		{"bare", "Lantern-q5-x", "Q5", "Lantern-x"},
		{"too few bits", "Lantern-Q1", "", "Lantern-Q1"},
		{"too many bits", "Lantern-Q9_0", "", "Lantern-Q9_0"},
		{"file formats", "Lantern-gguf", "GGUF", "Lantern"},
		{"number formats", "Lantern-fp16", "FP16", "Lantern"},
		{"K-quant before others", "GGUF-Lantern-Q4-Q5_1-Q6_K", "Q6_K", "GGUF-Lantern-Q4-Q5_1"},
		{"older before bare", "Q4-Lantern-Q5_1", "Q5_1", "Q4-Lantern"},
		{"bare before file format", "GGUF-Lantern-Q4", "Q4", "GGUF-Lantern"},
		{"file format before number format", "int8-Lantern-AWQ", "AWQ", "int8-Lantern"},
		{"first of a kind", "Lantern-EXL2-GPTQ", "EXL2", "Lantern-GPTQ"},
		{"underscore joins", "Lantern_Q4_0", "", "Lantern_Q4_0"},
		{"letters outside ASCII join", "Lantern-éQ4", "", "Lantern-éQ4"},
		{"numbers outside ASCII join", "Lantern-Q4²", "", "Lantern-Q4²"},
		{"marks do not join", "Lantern-e\u0301Q4", "Q4", "Lantern-e\u0301"},
		{"dotless i is an i", "Lantern-ınt8", "INT8", "Lantern"},
		{"dotted i is an i and is kept", "Lantern-İNT8", "İNT8", "Lantern"},
		{"long s is an s", "Lantern-q4_k_ſ", "Q4_K_S", "Lantern"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := Parse(test.name)
			assert.Equal(t, test.quant, got.Quant)
			assert.Equal(t, test.base, got.Base)
			assert.Equal(t, test.quant != "", IsQuantized(test.name))
		})
	}
}

func TestVariant(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ rule, name, variant, base string }{
		{"tuning", "Lantern-Instruct", "Instruct", "Lantern"},
		{"keeps its case", "Lantern-CHAT", "CHAT", "Lantern"},
		{"shortest", "Lantern-FT", "FT", "Lantern"},
		{"longest", "Lantern-Uncensored", "Uncensored", "Lantern"},
		{"longer", "Lantern-Uncensoredly", "", "Lantern-Uncensoredly"},
		{"part of a word", "Lantern-Coder", "", "Lantern-Coder"},
		{"underscore joins", "Lantern_chat", "", "Lantern_chat"},
		{"first of a kind", "Lantern-Code-Base", "Code", "Lantern-Base"},
		{"tuning before reasoning", "Thinking-Lantern-chat", "chat", "Thinking-Lantern"},
		{"reasoning before release", "latest-Lantern-Reasoning", "Reasoning", "latest-Lantern"},
		{"release", "Lantern-preview", "preview", "Lantern"},
		{"before a quantization", "Lantern-chat-Q4_0-x", "chat", "Lantern-x"},
		{"after a quantization", "Lantern-Q4_0-chat-x", "chat", "Lantern-x"},
		{"in the author", "base/Lantern", "base", "/Lantern"},
		{"long s is an s", "Lantern-baſe", "baſe", "Lantern"},
		{"Kelvin sign is a k", "Lantern-thin\u212Aing", "thin\u212Aing", "Lantern"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := Parse(test.name)
			assert.Equal(t, test.variant, got.Variant)
			assert.Equal(t, test.base, got.Base)
		})
	}
}

func TestExtras(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rule, name, base string
		extras           []Extra
	}{
		{"month and year", "Lantern-x-08-2024", "Lantern-x", []Extra{{"08-2024", 2, TypeDate}}},
		{"year and month", "Lantern-2024-08", "Lantern", []Extra{{"2024-08", 1, TypeDate}}},
		{"code", "Lantern-2407-x", "Lantern-x", []Extra{{"2407", 1, TypeDate}}},
		{"month first before year first", "Lantern 2024-03 08-2024", "Lantern 2024-03", []Extra{{"08-2024", 3, TypeDate}}},
		{"year first before code", "Lantern 2407 2024-03", "Lantern 2407", []Extra{{"2024-03", 2, TypeDate}}},
		{"overlap", "Lantern-08-2024-03", "Lantern-03", []Extra{{"08-2024", 1, TypeDate}}},
		{"too many digits", "Lantern-24071", "Lantern-24071", nil},
		{"letter before", "Lantern-a2407", "Lantern-a2407", nil},
		{"letter after", "Lantern-2407a", "Lantern-2407a", nil},
		{"underscore is not a letter", "Lantern_2407_x", "Lantern_x", []Extra{{"2407", 1, TypeDate}}},
		{"long s is not a letter in a date", "Lantern-2407ſ", "Lantern-ſ", []Extra{{"2407", 1, TypeDate}}},
		{"digits outside ASCII", "Lantern-٠٨-٢٠٢٤", "Lantern", []Extra{{"٠٨-٢٠٢٤", 1, TypeDate}}},
		{"position in the rest", "a.b-7B-2407", "a.b", []Extra{{"2407", 2, TypeDate}}},
		{"position counts characters", "Ü-ö-é-2407", "Ü-ö-é", []Extra{{"2407", 3, TypeDate}}},
		{"bytes that are not UTF-8 are characters", "\xff\xff-2407-x", "\xff\xff-x", []Extra{{"2407", 1, TypeDate}}},
		{"leading version", "4.2.0-Lantern", "Lantern", []Extra{{"4.2.0", 0, TypeLeadingVersion}}},
		{"leading version of two", "4.2_Lantern", "Lantern", []Extra{{"4.2", 0, TypeLeadingVersion}}},
		{"leading number", "4-Lantern", "4-Lantern", nil},
		{"leading version of four", "1.2.3.4-Lantern", "1.2.3.4-Lantern", nil},
		{"leading version and space", "4.2 Lantern", "4.2 Lantern", nil},
		{"leading version only", "4.2", "4.2", nil},
		{"leading version and nothing", "4.2-", "4.2-", []Extra{{"4.2", 0, TypeLeadingVersion}}},
		{"leading version after an author", "Harbour/4.2-Lantern", "Harbour/4.2-Lantern", nil},
	} {
		t.Run(test.rule, func(t *testing.T) {
			got := Parse(test.name)
			assert.Equal(t, test.extras, got.Extras)
			assert.Equal(t, test.base, got.Base)
		})
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ rule, name, base string }{
		{"nothing left", "7B-Instruct", "7B-Instruct"},
		{"separators only", "-_. ", "-_. "},
		{"ends", "-_Lantern. ", "Lantern"},
		{"runs", "a---b__c..d  e", "a-b_c.d e"},
		{"mixed runs are kept", "a-_-b", "a-_-b"},
		{"prefix of the name", "Lantern--", "Lantern"},
		{"author without a name", "7B-chat/", "/"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			assert.Equal(t, test.base, Base(test.name))
			assert.Equal(t, test.base, Parse(test.name).Base)
		})
	}
}

func TestNormalized(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ rule, name, normalized string }{
		{"unchanged", "harbour/lantern_7b", "harbour/lantern_7b"},
		{"case", "Harbour/LANTERN", "harbour/lantern"},
		{"separators", "a-b c.d_e", "a_b_c_d_e"},
		{"runs of any", "a-_. b", "a_b"},
		{"ends", "--a--", "a"},
		{"nothing", "-. _", ""},
		{"other punctuation is kept", "a+b~c", "a+b~c"},
		{"outside ASCII", "ÜBER-ẞ", "über_ß"},
		{"dotted i", "İ", "i\u0307"},
		{"sigma at the end", "ΑΣ-ΑΣ", "ας_ας"},
		{"sigma inside", "ΣΑΣΑ", "σασα"},
		{"sigma alone", "Σ", "σ"},
		{"sigma before a dot and a letter", "ΑΣ.Α", "ασ_α"},
		{"not UTF-8", "A\xffB", "a\xffb"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			assert.Equal(t, test.normalized, Parse(test.name).Normalized)
		})
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ rule, name, group string }{
		{"author", "Harbour/Lantern-7B", "Lantern"},
		{"no author", "Lantern-7B", "Lantern"},
		{"backend and author", "aphrodite/Harbour/Lantern-7B", "Lantern"},
		{"backend", "koboldcpp/Lantern-7B-GGUF", "Lantern"},
		{"one author only", "a/b/Lantern-7B", "b/Lantern"},
		{"leading version after an author", "Harbour/4.2-Lantern", "Lantern"},
		{"size in the author", "Keeper10K/Lantern-8B", "Lantern"},
		{"nothing left", "Harbour/7B", "7B"},
		{"author alone", "Harbour/", ""},
		{"nothing", "", ""},
	} {
		t.Run(test.rule, func(t *testing.T) {
			assert.Equal(t, test.group, Group(test.name))
		})
	}
}

func TestBackends(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rule, name string
		prefixed   bool
		stripped   string
		variants   []string
	}{
		{"author", "Harbour/Lantern", false, "Harbour/Lantern",
			[]string{"Harbour/Lantern", "aphrodite/Harbour/Lantern", "koboldcpp/Lantern"}},
		{"no author", "Lantern", false, "Lantern", []string{"Lantern", "aphrodite/Lantern", "koboldcpp/Lantern"}},
		{"aphrodite", "aphrodite/Harbour/Lantern", true, "Harbour/Lantern",
			[]string{"aphrodite/Harbour/Lantern", "aphrodite/aphrodite/Harbour/Lantern", "koboldcpp/Harbour/Lantern"}},
		{"its own variant", "koboldcpp/Lantern", true, "Lantern",
			[]string{"koboldcpp/Lantern", "aphrodite/koboldcpp/Lantern"}},
		{"one prefix", "aphrodite/koboldcpp/Lantern", true, "koboldcpp/Lantern",
			[]string{"aphrodite/koboldcpp/Lantern", "aphrodite/aphrodite/koboldcpp/Lantern", "koboldcpp/koboldcpp/Lantern"}},
		{"case", "KoboldCpp/Lantern", false, "KoboldCpp/Lantern",
			[]string{"KoboldCpp/Lantern", "aphrodite/KoboldCpp/Lantern", "koboldcpp/Lantern"}},
		{"no slash", "koboldcpp", false, "koboldcpp", []string{"koboldcpp", "aphrodite/koboldcpp", "koboldcpp/koboldcpp"}},
		{"prefix alone", "aphrodite/", true, "", []string{"aphrodite/", "aphrodite/aphrodite/", "koboldcpp/"}},
		{"nothing", "", false, "", []string{"", "aphrodite/", "koboldcpp/"}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			assert.Equal(t, test.prefixed, HasBackendPrefix(test.name))
			assert.Equal(t, test.stripped, StripBackendPrefix(test.name))
			assert.Equal(t, test.variants, BackendVariants(test.name))
		})
	}
}

// TestHuge checks that the time is proportional to the length. A quadratic scan would take minutes with the race
// detector.
func TestHuge(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"1", "1.", "1x", "1B", "v1.", "v1", "12-", "a", "-", "_", "é", "Σ", ".Σ", "'", "1.1B1-"} {
		name := strings.Repeat(piece, 1<<17/len(piece))
		start := time.Now()
		got := Parse(name)
		assert.Less(t, time.Since(start), 5*time.Second, "%q repeated", piece)
		assert.Equal(t, len(name), len(got.Original))
	}
}

// TestAllocations checks that a typical name needs one allocation: the normalized name.
func TestAllocations(t *testing.T) {
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { Parse("Harbour/Lantern-7B-Instruct-v0.2") }), 1.0)
	assert.Zero(t, testing.AllocsPerRun(100, func() { Group("aphrodite/Harbour/Lantern-7B-Instruct-v0.2") }))
}
