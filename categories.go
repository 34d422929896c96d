// The categories of the model reference with their traits, and the values that the service knows for baselines,
// styles, control styles, domains, purposes and text backends.

package modelref

import (
	"cmp"
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

// categoryInfo has the facts about a category that no record states, or about a catalog, which is read in the same way.
type categoryInfo struct {
	category      Category
	domain        Domain
	purpose       Purpose
	repo          githubRepo
	legacyFile    string // in the GitHub repository, if it is not CATEGORY.json
	storeFile     string // in a cache directory, if it is not CATEGORY.json
	weightsFolder string
	external      bool // the models are listed elsewhere
	guided        bool // the document depends on the guidance catalog

	export        []string // the path of a catalog, below the path of the v2 API
	decodeCatalog func(document string) (*catalogData, error)
}

// file returns the name of the category's file in a cache directory.
func (i *categoryInfo) file() string { return cmp.Or(i.storeFile, string(i.category)+".json") }

// fileOnGitHub returns the name of the category's file in the GitHub repository, or "" if there is none.
func (i *categoryInfo) fileOnGitHub() string {
	if i.repo == noRepo {
		return ""
	}
	return cmp.Or(i.legacyFile, string(i.category)+".json")
}

// categoryInfos lists every category, in the order in which Categories returns them.
var categoryInfos = [...]categoryInfo{
	{category: CategoryBLIP, domain: DomainImage, purpose: PurposeFeatureExtractor, repo: imageRepo, weightsFolder: "blip"},
	{category: CategoryCLIP, domain: DomainImage, purpose: PurposeFeatureExtractor, repo: imageRepo, weightsFolder: "clip"},
	{category: CategoryCodeFormer, domain: DomainImage, purpose: PurposePostProcessing, repo: imageRepo, weightsFolder: "codeformer"},
	{category: CategoryControlNet, domain: DomainImage, purpose: PurposeAuxiliaryOrPatch, repo: imageRepo, weightsFolder: "controlnet"},
	{category: CategoryControlNetAnnotator, domain: DomainImage, purpose: PurposeAuxiliaryOrPatch, weightsFolder: "controlnet"},
	{category: CategoryESRGAN, domain: DomainImage, purpose: PurposePostProcessing, repo: imageRepo, weightsFolder: "esrgan"},
	{category: CategoryGFPGAN, domain: DomainImage, purpose: PurposePostProcessing, repo: imageRepo, weightsFolder: "gfpgan"},
	{category: CategorySafetyChecker, domain: DomainImage, purpose: PurposeSafetyChecker, repo: imageRepo, weightsFolder: "safety_checker"},
	{
		category: CategoryImageGeneration, domain: DomainImage, purpose: PurposeGeneration, repo: imageRepo,
		legacyFile: "stable_diffusion.json", storeFile: "stable_diffusion.json", weightsFolder: "compvis",
	},
	{category: CategoryTextGeneration, domain: DomainText, purpose: PurposeGeneration, repo: textRepo, legacyFile: "models.csv", guided: true},
	{category: CategoryVideoGeneration, domain: DomainVideo, purpose: PurposeGeneration},
	{category: CategoryAudioGeneration, domain: DomainAudio, purpose: PurposeGeneration},
	{category: CategoryMiscellaneous, domain: DomainImage, purpose: PurposeMiscellaneous, repo: imageRepo, weightsFolder: "miscellaneous"},
	{category: CategoryLoRA, domain: DomainImage, purpose: PurposeAuxiliaryOrPatch, weightsFolder: "lora", external: true},
	{category: CategoryTextualInversion, domain: DomainImage, purpose: PurposeAuxiliaryOrPatch, weightsFolder: "ti", external: true},
}

func infoOf(c Category) (*categoryInfo, bool) {
	for i := range categoryInfos {
		if categoryInfos[i].category == c {
			return &categoryInfos[i], true
		}
	}
	return nil, false
}

// Categories returns every category that this package knows, in the service's own order.
func Categories() []Category {
	out := make([]Category, len(categoryInfos))
	for i := range categoryInfos {
		out[i] = categoryInfos[i].category
	}
	return out
}

// Known reports whether c is a category that this package knows.
func (c Category) Known() bool { _, ok := infoOf(c); return ok }

// Domain returns what the category's models make or work on, or "" for an unknown category.
func (c Category) Domain() Domain {
	if t, ok := infoOf(c); ok {
		return t.domain
	}
	return ""
}

// Purpose returns what the category's models are for, or "" for an unknown category.
func (c Category) Purpose() Purpose {
	if t, ok := infoOf(c); ok {
		return t.purpose
	}
	return ""
}

// HasGitHubSource reports whether the category has a file in one of the two GitHub repositories, and so a fallback
// for when the PRIMARY is not there.
func (c Category) HasGitHubSource() bool { t, ok := infoOf(c); return ok && t.repo != noRepo }

// FileName returns the name of the category's document in a cache directory, or "" for an unknown category. It is the
// name that the Python library uses: image_generation is stable_diffusion.json.
func (c Category) FileName() string {
	if t, ok := infoOf(c); ok {
		return t.file()
	}
	return ""
}

// WeightsFolder returns the folder in which workers keep the weights of the category's models, or "" where there is
// none.
func (c Category) WeightsFolder() string {
	if t, ok := infoOf(c); ok {
		return t.weightsFolder
	}
	return ""
}

// ManagedElsewhere reports whether the category's models are curated outside the model reference, so that its document
// is usually empty (LoRAs and textual inversions).
func (c Category) ManagedElsewhere() bool { t, ok := infoOf(c); return ok && t.external }

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
	BaselineKrea2Turbo          Baseline = "krea2_turbo"
	BaselineAnima               Baseline = "anima"
)

// Baselines returns the image baselines that this package defines. A [BaselineCatalog] from the service may have more.
func Baselines() []Baseline {
	table := packagedBaselines()
	out := make([]Baseline, len(table))
	for i := range table {
		out[i] = table[i].Name
	}
	return out
}

// Known reports whether b is a baseline that this package defines.
func (b Baseline) Known() bool { return b.packaged() != nil }

// NativeResolution returns the edge length in pixels of the images that models of the baseline are made for, or 0 if it
// is unknown. It uses the baselines that this package defines; a [BaselineCatalog] from the service may have more.
func (b Baseline) NativeResolution() int {
	if info := b.packaged(); info != nil {
		return info.NativeResolution.Or(0)
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
