// This file tests that baselines are recognized under the names that people type.

package modelref

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseBaseline(t *testing.T) {
	t.Parallel()
	for want, names := range map[Baseline][]string{
		BaselineInfer: {"infer", "Infer"},
		BaselineStableDiffusion1: {
			"stable_diffusion_1", "stable diffusion 1", "Stable Diffusion 1.5", "stable-diffusion-v1-5", "SD1", "sd 1.4", "sd15",
			"SD v1.5", "SD 1.x", " sd1.5 ", "stable_diffusion", "Stable Diffusion", "sd",
		},
		BaselineStableDiffusion2768: {
			"stable_diffusion_2_768", "stable diffusion 2", "SD 2.1", "sd2", "sd2.0", "sd 2.1 768", "stable-diffusion-2-1",
		},
		BaselineStableDiffusion2512: {"stable_diffusion_2_512", "stable diffusion 2 512", "sd2 512", "SD 2.1 base"},
		BaselineStableDiffusionXL: {
			"stable_diffusion_xl", "sdxl", "SDXL", "SDXL 1.0", "sd xl", "Stable Diffusion XL", "stable-diffusion-xl-base-1.0", "XL",
		},
		BaselineStableCascade: {"stable_cascade", "Stable Cascade", "cascade"},
		BaselineFlux1:         {"flux_1", "flux", "FLUX.1", "flux 1"},
		BaselineFluxSchnell:   {"flux_schnell", "Flux.1-Schnell", "flux schnell", "Flux.1 S", "schnell"},
		BaselineFluxDev:       {"flux_dev", "FLUX.1 [dev]", "flux dev", "Flux.1 D"},
		BaselineQwenImage:     {"qwen_image", "Qwen-Image", "qwen"},
		BaselineKrea2Turbo:    {"krea2_turbo", "krea2", "Krea 2", "Krea 2 Turbo", "krea_2_turbo"},
		BaselineAnima:         {"anima", "Anima", "anima_base", "Anima Turbo", "anima-aesthetic"},
		BaselineZImageTurbo:   {"z_image_turbo", "Z-Image", "Z-Image-Turbo", "zimage"},
	} {
		for _, name := range names {
			got, ok := ParseBaseline(name)
			assert.True(t, ok, name)
			assert.Equal(t, want, got, name)
		}
	}
	for _, name := range []string{"", " ", "-", "1.5", "sd3", "sd 3.5", "pony", "illustrious", "sdxl turbo", "flux 2", "dev", "base"} {
		got, ok := ParseBaseline(name)
		assert.False(t, ok, "%q is %s", name, got)
		assert.Empty(t, got)
	}
}

// No two baselines have the same name, in any spelling.
func TestBaselineNamesAreUnambiguous(t *testing.T) {
	t.Parallel()
	of := map[string]Baseline{}
	for _, info := range packagedBaselines() {
		for _, name := range append(slices.Clone(info.AlternativeNames), string(info.Name)) {
			key := foldBaseline(name)
			if other, ok := of[key]; ok {
				assert.Equal(t, other, info.Name, name)
			}
			of[key] = info.Name
		}
	}
	for key, baseline := range of {
		if typed, ok := typedBaseline(key); ok {
			assert.Equal(t, baseline, typed, key)
		}
	}
}

// Every name that the service lists is accepted, in any spelling.
func TestContractBaselineNames(t *testing.T) {
	t.Parallel()
	var catalog struct {
		Baselines map[Baseline]struct {
			Names []string `json:"alternative_names"`
		} `json:"image_baselines"`
		Legacy map[string]Baseline `json:"legacy_baseline_spellings"`
	}
	require.NoError(t, json.Unmarshal(corpusFile(t, "catalog.json"), &catalog))
	require.NotEmpty(t, catalog.Legacy)
	check := func(name string, want Baseline) {
		for _, spelled := range []string{name, strings.ToUpper(name), strings.ReplaceAll(name, "_", " "), strings.ReplaceAll(name, " ", "-")} {
			got, ok := ParseBaseline(spelled)
			assert.True(t, ok, spelled)
			assert.Equal(t, want, got, spelled)
		}
	}
	for baseline, facts := range catalog.Baselines {
		check(string(baseline), baseline)
		for _, name := range facts.Names {
			check(name, baseline)
		}
	}
	for name, baseline := range catalog.Legacy {
		check(name, baseline)
	}
}

func ExamplePackagedBaselines() {
	info := PackagedBaselines().Resolve("sdxl")
	fmt.Println(info.Name, info.NativeResolution, info.Capabilities.SupportsControlNet("canny"))
	// Output: stable_diffusion_xl 1024 true
}
