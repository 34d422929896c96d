package textname

// This file measures how well the names that workers report are resolved. It tests generated spellings of every name.
// It also tests them with an index that does not have the model, in which case every result is wrong.

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ourNames returns names of models that are similar to each other: versions, sizes, variants, quantized siblings.
func ourNames() []string {
	return []string{
		"Harbour/Lantern-7B", "Harbour/Lantern-13B", "Harbour/Lantern-1.3B", "Harbour/Lantern-7B-v2", "Harbour/Lantern-7B-v2.1",
		"Harbour/Lantern-7B-Instruct", "Harbour/Lantern-7B-Instruct-v0.2", "Harbour/Lantern-8x7B", "Harbour/Lantern-7B-Chat-hf",
		"Quay/Lantern_Keeper_70B", "Quay/Tide-12B-it", "Quay/Tide-12B-it-qat-q4_0-unquantized", "Quay/Tide-12B-pt", "Quay/Tide-E4B",
		"Quay/4.2.0-Breaker-24b", "Quay/Breaker-24B-Unslop-v2.0", "Pier/Stilt-1_8B-Chat", "Pier/Stilt-1_8B", "Pier/Stilt-18B",
		"Pier/Alpha_30B_FP16", "Pier/oak_70b_fp16_hf", "Pier/GLM-Z1-9B-0414", "Pier/Sloop-Base-7B-v0.1", "Pier/X-Ray_Alpha",
		"Pier/Rig-R1-70b", "Pier/Rig-70b-R1", "Pier/2B_or_not_2B", "plain-large", "plain", "plain-xl", "Dock/Sub/Deep-7B",
		"Löschblatt/Größe-7B", "Pier/C+-7B", "Pier/C-7B", "Pier/Model (merged) 9B",
	}
}

// spelling is a function that returns the name that a worker may report for a model.
type spelling struct {
	label string
	of    func(name string) string
	short bool // the spelling leaves out the author
}

// endings are the ends that file names and repositories append to the name of a model.
var endings = []string{
	"-GGUF", ".gguf", "-gguf", ".GGUF", "-GGML", ".safetensors", ".bin", "-GPTQ", "-gptq", "-GPTQ-4bit-128g", "-GPTQ-4bit-32g-actorder",
	"-AWQ", "-awq", "-EXL2", "-exl2", "-8bpw", "-8.0bpw", "_8bpw", "-4.65bpw-h6-exl2", "-exl2-6bpw", "-exl2-6.0", "-6.0bpw-h8-EXL3", "-8bpw-h8-exl2",
	"-fp8", "-FP8", "-FP8-Dynamic", "-fp16", "-bf16", "-F16.gguf", "-int8", "-int4", "-w4a16", "-quantized.w8a8", "-4bit", "-8-bit", "-bnb-4bit", "-unsloth-bnb-4bit",
	"-nf4", "-NVFP4", "-MXFP4", "-MLX-4bit", "-HQQ", "-IQ4_XS", ".IQ4_XS", "-iq4_xs.gguf", "-IQ3_XXS", "-IQ4_NL", "-IQ2_M", "-TQ1_0", "-Q4_K_M",
	".Q4_K_M.gguf", "-q4_k_m", "_Q4_K_M", " Q4_K_M", "-Q4_K_S", "-Q5_K_M", "-Q6_K", "-Q6_K_L", "-Q3_K_XL", "-Q4_K_XL", "-UD-Q4_K_XL", "-UD-Q4_K_XL.gguf", "-Q8_0", "-Q4_0_4_4",
	"-Q4_1", "-q8", ".q5_1.bin", "-Q4KM", "-i1-GGUF", "-i1-Q4_K_M", ".i1-Q6_K.gguf", ".i1-IQ4_XS", "-imat", "-imat-IQ4_XS", "-imat-Q5_K_M", "-iMat-GGUF", "-Imatrix", "-GGUF-IQ-Imatrix",
	"-Q4_K_M-imat", "_exl2_8bpw", "-8bpw-exl2", "-EXL2-8bpw-h8", "-GPTQ-Int4", "-AWQ-4bit", "-fp8-e4m3", "-GGUF-Q4_K_M", "-Q4_K_M-GGUF", "-imat-gguf", "-i1", "-5_0bpw_exl2",
	":Q4_K_M", "-GGUF:Q4_K_M", ":latest-gguf", "-Q4_K_M-00001-of-00002.gguf", "-q4f16_1-MLC", "-hf-GPTQ",
}

// spellings returns the spellings under which a worker may report a model.
func spellings() []spelling {
	out := []spelling{
		{"unchanged", func(n string) string { return n }, false},
		{"lower case", strings.ToLower, false},
		{"upper case", strings.ToUpper, false},
		{"white space", func(n string) string { return " " + n + " \n" }, false},
		{"spaces", func(n string) string { return strings.ReplaceAll(n, "-", " ") }, false},
		{"underscores", func(n string) string { return strings.ReplaceAll(n, "-", "_") }, false},
		{"user", func(n string) string { return n + "::somebody#1234" }, false},
		{"URL", func(n string) string { return "https://huggingface.co/" + n }, false},
		{"file of author", func(n string) string { return strings.ReplaceAll(n, "/", "_") + "-Q6_K.gguf" }, false},
		{"short", withoutAuthor, true},
		{"path", func(n string) string { return "/srv/models/" + withoutAuthor(n) + "-Q4_K_M.gguf" }, true},
		{"path of Windows", func(n string) string { return `D:\models\` + withoutAuthor(n) + ".Q4_K_M.gguf" }, true},
		{"quantizer", func(n string) string { return "TheBloke/" + withoutAuthor(n) + "-GPTQ" }, true},
		{"quantizer of file", func(n string) string { return "bartowski/" + strings.ReplaceAll(n, "/", "_") + "-GGUF" }, false},
		{"quantizer of imatrix", func(n string) string { return "hf.co/mradermacher/" + withoutAuthor(n) + "-i1-GGUF:IQ4_XS" }, true},
	}
	for _, prefix := range []string{
		"koboldcpp/", "KoboldCpp/", "KOBOLDCPP/", "aphrodite/", "Aphrodite/", "tabbyAPI/", "tabbyapi/", "vllm/", "vLLM/", "ollama/", "llamacpp/", "llama.cpp/",
		"exllama/", "exllamav2/", "ExLlamaV3/", "sglang/", "text-generation-webui/", "tgi/", "lmstudio/", "mlx/", "vllm/aphrodite/",
	} {
		out = append(out,
			spelling{prefix, func(n string) string { return prefix + n }, false},
			spelling{prefix + " short", func(n string) string { return prefix + withoutAuthor(n) }, true},
			spelling{prefix + " everything", func(n string) string {
				return prefix + strings.ToLower(withoutAuthor(n)) + "-i1-Q4_K_M.gguf::somebody "
			}, true})
	}
	for _, ending := range endings {
		out = append(out,
			spelling{ending, func(n string) string { return n + ending }, false},
			spelling{ending + " short", func(n string) string { return "koboldcpp/" + withoutAuthor(n) + ending }, true},
			spelling{ending + " lower case", func(n string) string { return strings.ToLower(n + ending) }, false})
	}
	return out
}

// measured has the counts of the results of resolving names.
type measured struct {
	right, wrong, none int
	examples           []string // of wrong results, and of names without a result
}

func (m *measured) recall() float64    { return float64(m.right) / float64(m.right+m.wrong+m.none) }
func (m *measured) precision() float64 { return float64(m.right) / float64(max(1, m.right+m.wrong)) }

// measure resolves every spelling of every name.
func measure(names []string) (m measured) {
	x := NewIndex(names)
	for i, name := range names {
		for _, s := range spellings() {
			switch got, ok := x.Resolve(s.of(name)); {
			case !ok:
				m.none++
				m.examples = append(m.examples, "none: "+s.of(name))
			case got == i:
				m.right++
			default:
				m.wrong++
				m.examples = append(m.examples, "wrong: "+s.of(name)+" => "+names[got])
			}
		}
	}
	return m
}

// measureMissing resolves every spelling of every name with an index of all other names.
func measureMissing(names []string) (m measured) {
	for i, name := range names {
		x := NewIndex(slices.Concat(names[:i], names[i+1:]))
		for _, s := range spellings() {
			if got, ok := x.Resolve(s.of(name)); ok {
				m.wrong++
				m.examples = append(m.examples, "wrong: "+s.of(name)+" => "+x.names[got])
			} else {
				m.none++
			}
		}
	}
	return m
}

// holdResolve reports precision and recall, and checks that they are above the thresholds.
func holdResolve(t *testing.T, names []string, missing bool, precision, recall, falsePositives float64) {
	t.Helper()
	m := measure(names)
	t.Logf("%d names, %d spellings: precision %.5f, recall %.5f (%d wrong, %d without an answer)",
		len(names), m.right+m.wrong+m.none, m.precision(), m.recall(), m.wrong, m.none)
	assert.GreaterOrEqual(t, m.precision(), precision, m.examples)
	assert.GreaterOrEqual(t, m.recall(), recall, m.examples)
	if !missing {
		return
	}
	absent := measureMissing(names)
	share := float64(absent.wrong) / float64(absent.wrong+absent.none)
	t.Logf("without the model: %d of %d spellings have a wrong answer (%.5f)", absent.wrong, absent.wrong+absent.none, share)
	assert.LessOrEqual(t, share, falsePositives, absent.examples)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	names := append(ourNames(), "Other/Lantern-13B", "koboldcpp/Kept-7B", "other/lantern-8x7b-chat", "Other/Lantern-8x7B-Chat")
	x := NewIndex(names)
	for reported, want := range map[string]string{
		"Lantern-7B":                             "Harbour/Lantern-7B",
		"harbour/lantern 7b v2.1":                "Harbour/Lantern-7B-v2.1",
		"harbour/lantern-7b-v2":                  "Harbour/Lantern-7B-v2",
		"Lantern-7B-v2-8bpw":                     "Harbour/Lantern-7B-v2",
		"Lantern-7B-v2-1.8bpw":                   "Harbour/Lantern-7B-v2",
		"Harbour/Lantern-13B-exl2":               "Harbour/Lantern-13B",
		"Lantern-7B-Chat-GPTQ":                   "Harbour/Lantern-7B-Chat-hf", // the same model in the format of a library
		"alpha_30b.Q4_K_M":                       "Pier/Alpha_30B_FP16",
		"Alpha_30B_FP16-GGUF":                    "Pier/Alpha_30B_FP16",
		"TheBloke/Lantern-1.3B-GGUF":             "Harbour/Lantern-1.3B",
		"Harbour_Lantern-13B-Q8_0.gguf":          "Harbour/Lantern-13B",
		"koboldcpp/Kept-7B":                      "koboldcpp/Kept-7B",
		"Deep-7B-Q4_0":                           "",
		"koboldcpp/sub/deep-7b":                  "Dock/Sub/Deep-7B",
		"aphrodite/Other/Lantern-8x7B-Chat":      "Other/Lantern-8x7B-Chat", // the case decides between two names that are otherwise the same
		"aphrodite/OTHER/Lantern-8x7B-Chat":      "",
		"Lantern-13B":                            "", // two authors have the model
		"Nobody/Lantern-7B":                      "", // another author
		"Nobody/Lantern-7B-GGUF":                 "",
		"TheBloke/Lantern-7B-Mystery-GGUF":       "",
		"Lantern-1-3B":                           "", // 1.3 is a different number
		"Lantern-7":                              "",
		"Lantern":                                "",
		"Lantern-7B-v3":                          "",
		"Lantern-7B-Uncensored-Q4_K_M":           "",
		"Kept-7B":                                "", // a backend is not an author
		"Tide-12B":                               "",
		"Tide-12B-it-qat":                        "",
		"Tide-12B-it-unquantized":                "",
		"Tide-12B-it-qat-q4_0":                   "",
		"Tide-12B-base":                          "",
		"Quay/Tide-E4B.pt":                       "Quay/Tide-E4B",
		"Quay/Tide-E4B-pt":                       "", // pretrained, not a file extension
		"Q4_K_M":                                 "",
		"GGUF":                                   "",
		"koboldcpp/":                             "",
		"koboldcpp/::x":                          "",
		"::":                                     "",
		"/":                                      "",
		"":                                       "",
		"Harbour/":                               "",
		"Harbour/GGUF":                           "",
		"vllm/vllm/vllm/vllm/Harbour/Lantern-7B": "",
		"plain":                                  "plain",
		"koboldcpp/Plain-Q4_K_M":                 "plain",
		"somebody/plain":                         "",
		"C+-7B":                                  "Pier/C+-7B",
		"c-7b":                                   "Pier/C-7B",
		strings.Repeat("-Q4_K_M", 10_000):        "",
		"plain" + strings.Repeat("-Q4_K_M", 1000): "",
	} {
		i, ok := x.Resolve(reported)
		if want == "" {
			if ok {
				assert.Failf(t, "wrong match", "%.40q is %q", reported, names[i])
			}
			continue
		}
		if assert.True(t, ok, reported) {
			assert.Equal(t, want, names[i], reported)
		}
	}
}

func TestModel(t *testing.T) {
	t.Parallel()
	for reported, want := range map[string]string{
		"koboldcpp/Harbour/Lantern-7B-i1-Q4_K_M.gguf::me": "Harbour/Lantern-7B",
		"Lantern-7B":                  "Lantern-7B",
		" TabbyAPI/Lantern_8bpw ":     "Lantern",
		`C:\models\Lantern.Q6_K.gguf`: "Lantern",
		"Q4_K_M":                      "Q4_K_M",
		"koboldcpp/":                  "",
		"":                            "",
	} {
		assert.Equal(t, want, Model(reported), reported)
	}
}

func TestResolveSpellings(t *testing.T) {
	t.Parallel()
	require.Greater(t, len(spellings()), 300)
	holdResolve(t, ourNames(), true, 1, 0.999, 0)
}

func TestContractResolveSpellings(t *testing.T) {
	t.Parallel()
	var records map[string]json.RawMessage
	corpusFile(t, &records, "primary", "real", "text_generation.json")
	names := make([]string, 0, len(records))
	for name := range records {
		names = append(names, name)
	}
	slices.Sort(names)
	require.Len(t, names, 719)
	holdResolve(t, names, true, 0.999, 0.99, 0.001)
}
