// The names of baselines as people type them.

package modelref

import (
	"strings"
	"unicode"
)

// ParseBaseline returns the baseline that a name stands for. It accepts the baseline's own name, every alternative name
// and old spelling that the service knows, and what people commonly type instead: "sdxl", "SDXL 1.0", "sd15",
// "Stable Diffusion v1.5", "sd 2.1", "FLUX.1 [dev]", "qwen-image", "z image". Letter case, spaces and punctuation do not
// matter.
//
// "stable diffusion 2" without a resolution is BaselineStableDiffusion2768, as it is for the service. The names of models
// that are often used like a baseline, such as Pony, are not baselines of the service and are not accepted.
//
// ParseBaseline returns false if it does not know the name. It knows the baselines that this package defines. To resolve
// the name of a baseline that was published later, use the Resolve method of a [BaselineCatalog] from the service.
func ParseBaseline(name string) (Baseline, bool) {
	key := foldBaseline(name)
	if key == "" {
		return "", false
	}
	for _, info := range packagedBaselines() {
		if key == foldBaseline(string(info.Name)) {
			return info.Name, true
		}
		for _, other := range info.AlternativeNames {
			if key == foldBaseline(other) {
				return info.Name, true
			}
		}
	}
	return typedBaseline(key)
}

// baselineNames returns the values that a record of the baseline may have: the given name and, if the name is one that
// ParseBaseline accepts, the baseline that it stands for.
func baselineNames(name Baseline) []Baseline {
	if known := name.orKnown(); known != name {
		return []Baseline{name, known}
	}
	return []Baseline{name}
}

// orKnown returns the baseline that the name stands for, or the name itself if ParseBaseline does not know it.
func (b Baseline) orKnown() Baseline {
	if known, ok := ParseBaseline(string(b)); ok {
		return known
	}
	return b
}

// foldBaseline returns the letters and digits of a name in lower case, with "stable diffusion" shortened to "sd" and
// without the "v" before a version.
func foldBaseline(name string) string {
	folded := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	if rest, ok := strings.CutPrefix(folded, "stablediffusion"); ok {
		folded = "sd" + rest
	}
	if rest, ok := strings.CutPrefix(folded, "sdv"); ok {
		folded = "sd" + rest
	}
	return folded
}

// typedBaseline returns the baseline for a name that the service does not know but that people use. The key is a result of
// foldBaseline.
func typedBaseline(key string) (Baseline, bool) {
	switch key {
	case "sd11", "sd12", "sd13", "sd1x":
		return BaselineStableDiffusion1, true
	case "sd2", "sd20", "sd21", "sd2x", "sd20768", "sd21768":
		return BaselineStableDiffusion2768, true
	case "sd2base", "sd20base", "sd21base", "sd20512", "sd21512":
		return BaselineStableDiffusion2512, true
	case "xl", "sdxl1", "sdxl10", "sdxlbase", "sdxl10base", "sdxlbase10":
		return BaselineStableDiffusionXL, true
	case "cascade":
		return BaselineStableCascade, true
	case "flux":
		return BaselineFlux1, true
	case "flux1schnell", "flux1s", "schnell":
		return BaselineFluxSchnell, true
	case "flux1dev", "flux1d":
		return BaselineFluxDev, true
	default:
		return "", false
	}
}
