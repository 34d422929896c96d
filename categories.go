// The categories of the model reference with their traits, and the values that the service knows for baselines,
// styles, control styles, domains, purposes and text backends.

package modelref

import (
	"fmt"
	"slices"
	"strings"
)

// Category names one part of the model reference, as it stands in the service's URLs.
type Category string

// The categories that the service has.
const (
	CategoryImageGeneration     Category = "image_generation"
	CategoryTextGeneration      Category = "text_generation"
	CategoryControlNet          Category = "controlnet"
	CategoryControlNetAnnotator Category = "controlnet_annotator"
	CategoryCLIP                Category = "clip"
	CategoryBLIP                Category = "blip"
	CategoryESRGAN              Category = "esrgan"
	CategoryGFPGAN              Category = "gfpgan"
	CategoryCodeFormer          Category = "codeformer"
	CategorySafetyChecker       Category = "safety_checker"
	CategoryVideoGeneration     Category = "video_generation"
	CategoryAudioGeneration     Category = "audio_generation"
	CategoryMiscellaneous       Category = "miscellaneous"
	CategoryLoRA                Category = "lora"
	CategoryTextualInversion    Category = "ti"
)

// githubRepo says which of the two GitHub repositories holds a category's legacy file.
type githubRepo uint8

const (
	noRepo githubRepo = iota
	imageRepo
	textRepo
)

// traits are the facts about a category that no record states.
type traits struct {
	category      Category
	domain        Domain
	purpose       Purpose
	repo          githubRepo
	legacyFile    string // in the GitHub repository
	diskFile      string // in a cache directory
	weightsFolder string
	elsewhere     bool
}

// categoryTraits lists every category, in the order in which Categories returns them.
var categoryTraits = [...]traits{
	{CategoryBLIP, DomainImage, PurposeFeatureExtractor, imageRepo, "blip.json", "blip.json", "blip", false},
	{CategoryCLIP, DomainImage, PurposeFeatureExtractor, imageRepo, "clip.json", "clip.json", "clip", false},
	{CategoryCodeFormer, DomainImage, PurposePostProcessing, imageRepo, "codeformer.json", "codeformer.json", "codeformer", false},
	{CategoryControlNet, DomainImage, PurposeAuxiliaryOrPatch, imageRepo, "controlnet.json", "controlnet.json", "controlnet", false},
	{CategoryControlNetAnnotator, DomainImage, PurposeAuxiliaryOrPatch, noRepo, "", "controlnet_annotator.json", "controlnet", false},
	{CategoryESRGAN, DomainImage, PurposePostProcessing, imageRepo, "esrgan.json", "esrgan.json", "esrgan", false},
	{CategoryGFPGAN, DomainImage, PurposePostProcessing, imageRepo, "gfpgan.json", "gfpgan.json", "gfpgan", false},
	{CategorySafetyChecker, DomainImage, PurposeSafetyChecker, imageRepo, "safety_checker.json", "safety_checker.json", "safety_checker", false},
	{CategoryImageGeneration, DomainImage, PurposeGeneration, imageRepo, "stable_diffusion.json", "stable_diffusion.json", "compvis", false},
	{CategoryTextGeneration, DomainText, PurposeGeneration, textRepo, "models.csv", "text_generation.json", "", false},
	{CategoryVideoGeneration, DomainVideo, PurposeGeneration, noRepo, "", "video_generation.json", "", false},
	{CategoryAudioGeneration, DomainAudio, PurposeGeneration, noRepo, "", "audio_generation.json", "", false},
	{CategoryMiscellaneous, DomainImage, PurposeMiscellaneous, imageRepo, "miscellaneous.json", "miscellaneous.json", "miscellaneous", false},
	{CategoryLoRA, DomainImage, PurposeAuxiliaryOrPatch, noRepo, "", "lora.json", "lora", true},
	{CategoryTextualInversion, DomainImage, PurposeAuxiliaryOrPatch, noRepo, "", "ti.json", "ti", true},
}

func traitsOf(c Category) (*traits, bool) {
	for i := range categoryTraits {
		if categoryTraits[i].category == c {
			return &categoryTraits[i], true
		}
	}
	return nil, false
}

// Categories returns every category that this package knows, in the service's own order.
func Categories() []Category {
	out := make([]Category, len(categoryTraits))
	for i := range categoryTraits {
		out[i] = categoryTraits[i].category
	}
	return out
}

// ParseCategory returns the category of that name. The error is ErrUnknownCategory and lists the names there are.
func ParseCategory(name string) (Category, error) {
	if c := Category(name); c.Known() {
		return c, nil
	}
	return "", fmt.Errorf("%w %q: want one of %s", ErrUnknownCategory, name, joinNames(Categories()))
}

// Known reports whether c is a category that this package knows.
func (c Category) Known() bool { _, ok := traitsOf(c); return ok }

// Domain returns what the category's models make or work on, or "" for an unknown category.
func (c Category) Domain() Domain {
	if t, ok := traitsOf(c); ok {
		return t.domain
	}
	return ""
}

// Purpose returns what the category's models are for, or "" for an unknown category.
func (c Category) Purpose() Purpose {
	if t, ok := traitsOf(c); ok {
		return t.purpose
	}
	return ""
}

// HasGitHubSource reports whether the category has a file in one of the two GitHub repositories, and so a fallback
// for when the PRIMARY is not there.
func (c Category) HasGitHubSource() bool { t, ok := traitsOf(c); return ok && t.repo != noRepo }

// FileName returns the name of the category's document in a cache directory, or "" for an unknown category. It is the
// name that the Python library uses: image_generation is stable_diffusion.json.
func (c Category) FileName() string {
	if t, ok := traitsOf(c); ok {
		return t.diskFile
	}
	return ""
}

// WeightsFolder returns the folder in which workers keep the weights of the category's models, or "" where there is
// none.
func (c Category) WeightsFolder() string {
	if t, ok := traitsOf(c); ok {
		return t.weightsFolder
	}
	return ""
}

// ManagedElsewhere reports whether the category's models are curated outside the model reference, so that its document
// is usually empty (LoRAs and textual inversions).
func (c Category) ManagedElsewhere() bool { t, ok := traitsOf(c); return ok && t.elsewhere }

// Domain is what a model makes or works on.
type Domain string

// The domains that the service knows.
const (
	DomainImage      Domain = "image"
	DomainText       Domain = "text"
	DomainVideo      Domain = "video"
	DomainAudio      Domain = "audio"
	DomainRendered3D Domain = "rendered_3d"
)

// Domains returns the known domains.
func Domains() []Domain {
	return []Domain{DomainImage, DomainText, DomainVideo, DomainAudio, DomainRendered3D}
}

// Known reports whether d is a domain that the service knows.
func (d Domain) Known() bool { return slices.Contains(Domains(), d) }

// Purpose is what a model is for.
type Purpose string

// The purposes that the service knows.
const (
	PurposeGeneration       Purpose = "generation"
	PurposePostProcessing   Purpose = "post_processing"
	PurposeAuxiliaryOrPatch Purpose = "auxiliary_or_patch"
	PurposeFeatureExtractor Purpose = "feature_extractor"
	PurposeSafetyChecker    Purpose = "safety_checker"
	PurposeMiscellaneous    Purpose = "miscellaneous"
)

// Purposes returns the known purposes.
func Purposes() []Purpose {
	return []Purpose{
		PurposeGeneration, PurposePostProcessing, PurposeAuxiliaryOrPatch,
		PurposeFeatureExtractor, PurposeSafetyChecker, PurposeMiscellaneous,
	}
}

// Known reports whether p is a purpose that the service knows.
func (p Purpose) Known() bool { return slices.Contains(Purposes(), p) }

// Baseline is the model family that an image model was trained from. Values that the service does not know are kept
// as they come.
type Baseline string

// The image baselines that the service knows.
const (
	BaselineInfer               Baseline = "infer"
	BaselineStableDiffusion1    Baseline = "stable_diffusion_1"
	BaselineStableDiffusion2768 Baseline = "stable_diffusion_2_768"
	BaselineStableDiffusion2512 Baseline = "stable_diffusion_2_512"
	BaselineStableDiffusionXL   Baseline = "stable_diffusion_xl"
	BaselineStableCascade       Baseline = "stable_cascade"
	BaselineFlux1               Baseline = "flux_1"
	BaselineFluxSchnell         Baseline = "flux_schnell"
	BaselineFluxDev             Baseline = "flux_dev"
	BaselineQwenImage           Baseline = "qwen_image"
	BaselineZImageTurbo         Baseline = "z_image_turbo"
)

type baselineFacts struct {
	baseline   Baseline
	resolution int
	names      []string
}

// baselineTable returns the known baselines with their native edge length in pixels and the other names they go by.
func baselineTable() []baselineFacts {
	return []baselineFacts{
		{BaselineInfer, 0, nil},
		{BaselineStableDiffusion1, 512, []string{
			"stable diffusion 1", "stable diffusion 1.4", "stable diffusion 1.5", "SD1", "SD14", "SD1.4", "SD15", "SD1.5",
			"stable_diffusion", "stable_diffusion_1.4", "stable_diffusion_1.5",
		}},
		{BaselineStableDiffusion2768, 768, nil},
		{BaselineStableDiffusion2512, 512, nil},
		{BaselineStableDiffusionXL, 1024, []string{"stable diffusion xl", "SDXL"}},
		{BaselineStableCascade, 1024, []string{"stable cascade"}},
		{BaselineFlux1, 1024, nil},
		{BaselineFluxSchnell, 1024, []string{"flux schnell"}},
		{BaselineFluxDev, 1024, []string{"flux dev"}},
		{BaselineQwenImage, 1024, []string{"qwen image", "qwen-image", "qwen"}},
		{BaselineZImageTurbo, 1024, []string{"z image turbo", "zimage-turbo", "zimage"}},
	}
}

// Baselines returns the known image baselines.
func Baselines() []Baseline {
	table := baselineTable()
	out := make([]Baseline, len(table))
	for i := range table {
		out[i] = table[i].baseline
	}
	return out
}

// ParseBaseline returns the known baseline that goes by that name, its own or one of the other names that the service
// lists (SDXL, "stable diffusion 1.5"), letter case aside. It returns false for a name that the service does not know.
func ParseBaseline(name string) (Baseline, bool) {
	for _, facts := range baselineTable() {
		if strings.EqualFold(name, string(facts.baseline)) {
			return facts.baseline, true
		}
		for _, other := range facts.names {
			if strings.EqualFold(name, other) {
				return facts.baseline, true
			}
		}
	}
	return "", false
}

// Known reports whether b is a baseline that the service knows.
func (b Baseline) Known() bool { return slices.Contains(Baselines(), b) }

// NativeResolution returns the edge length in pixels that models of the baseline are made for, or 0 where it is not
// known.
func (b Baseline) NativeResolution() int {
	for _, facts := range baselineTable() {
		if facts.baseline == b {
			return facts.resolution
		}
	}
	return 0
}

// Style is the kind of picture that a model is best at. Values that the service does not know are kept as they come.
type Style string

// The styles that the service knows.
const (
	StyleGeneralist Style = "generalist"
	StyleAnime      Style = "anime"
	StyleFurry      Style = "furry"
	StyleArtistic   Style = "artistic"
	StyleOther      Style = "other"
	StyleRealistic  Style = "realistic"
)

// Styles returns the known styles.
func Styles() []Style {
	return []Style{StyleGeneralist, StyleAnime, StyleFurry, StyleArtistic, StyleOther, StyleRealistic}
}

// Known reports whether s is a style that the service knows.
func (s Style) Known() bool { return slices.Contains(Styles(), s) }

// ControlNetStyle is the kind of control that a ControlNet takes. Values that the service does not know are kept as
// they come.
type ControlNetStyle string

// The control styles that the service knows.
const (
	ControlNetSeg           ControlNetStyle = "control_seg"
	ControlNetScribble      ControlNetStyle = "control_scribble"
	ControlNetFakeScribbles ControlNetStyle = "control_fakescribbles"
	ControlNetOpenPose      ControlNetStyle = "control_openpose"
	ControlNetNormal        ControlNetStyle = "control_normal"
	ControlNetMLSD          ControlNetStyle = "control_mlsd"
	ControlNetHough         ControlNetStyle = "control_hough"
	ControlNetHED           ControlNetStyle = "control_hed"
	ControlNetCanny         ControlNetStyle = "control_canny"
	ControlNetDepth         ControlNetStyle = "control_depth"
	ControlNetQR            ControlNetStyle = "control_qr"
	ControlNetQRXL          ControlNetStyle = "control_qr_xl"
	ControlNetLineart       ControlNetStyle = "control_lineart"
	ControlNetLineartAnime  ControlNetStyle = "control_lineart_anime"
	ControlNetNormalBAE     ControlNetStyle = "control_normal_bae"
	ControlNetRecolor       ControlNetStyle = "control_recolor"
	ControlNetTile          ControlNetStyle = "control_tile"
)

// ControlNetStyles returns the known control styles.
func ControlNetStyles() []ControlNetStyle {
	return []ControlNetStyle{
		ControlNetSeg, ControlNetScribble, ControlNetFakeScribbles, ControlNetOpenPose, ControlNetNormal,
		ControlNetMLSD, ControlNetHough, ControlNetHED, ControlNetCanny, ControlNetDepth, ControlNetQR, ControlNetQRXL,
		ControlNetLineart, ControlNetLineartAnime, ControlNetNormalBAE, ControlNetRecolor, ControlNetTile,
	}
}

// Known reports whether s is a control style that the service knows.
func (s ControlNetStyle) Known() bool { return slices.Contains(ControlNetStyles(), s) }

// TextBackend is a program that serves text models; workers put its name before the name of the model.
type TextBackend string

// The text backends that the service knows.
const (
	TextBackendAphrodite TextBackend = "aphrodite"
	TextBackendKoboldCPP TextBackend = "koboldcpp"
)

// TextBackends returns the known text backends.
func TextBackends() []TextBackend { return []TextBackend{TextBackendAphrodite, TextBackendKoboldCPP} }

// Known reports whether b is a backend that the service knows.
func (b TextBackend) Known() bool { return slices.Contains(TextBackends(), b) }

// Prefix returns what the backend's workers put before the name of a model, the slash included.
func (b TextBackend) Prefix() string { return string(b) + "/" }

// KnownTags returns the tags that the service suggests for image models. Records may carry any other.
func KnownTags() []string {
	return []string{
		"anime", "booru", "cartoon", "cg", "character", "comic", "cyberpunk", "game", "hentai", "high resolution",
		"landscapes", "low poly", "manga", "painting", "retro", "scenes", "sketch", "tv show",
	}
}

func joinNames[S ~string](names []S) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = string(name)
	}
	return strings.Join(out, ", ")
}
