// The record types of the 15 categories, and their methods.

package modelref

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/haidra-org/modelref/internal/jsondoc"
)

// Record is the constraint of the generic functions over records: one of the record types.
type Record interface {
	ModelRecord | ImageGenerationRecord | TextGenerationRecord | ControlNetRecord | ControlNetAnnotatorRecord |
		CLIPRecord | BLIPRecord | ESRGANRecord | GFPGANRecord | CodeFormerRecord | SafetyCheckerRecord |
		VideoGenerationRecord | AudioGenerationRecord | MiscellaneousRecord | LoRARecord | TextualInversionRecord
}

// ModelRecord has the fields that the records of all categories have. The records that a [Client] returns are shared by all
// callers and read-only. Use Clone to get a copy that can be changed.
type ModelRecord struct {
	// RecordType is the category that the record states. If the record does not state it, RecordType is the category of the
	// document.
	RecordType Category
	// Name is the model's name, which is unique in its category. It can contain slashes, spaces and any Unicode.
	Name string
	// Description describes the model, or is "".
	Description string
	// Version is the version of the model, in no fixed format, or "".
	Version string
	// FinetuneSeries is the series that the model belongs to, or nil.
	FinetuneSeries *FinetuneSeries
	// Metadata has the times and the authors of the record.
	Metadata RecordMetadata
	// Config lists the model's files.
	Config RecordConfig
	// Classification is the model's domain and purpose. A value that the record does not state is that of the category.
	Classification Classification
	// SizeOnDiskBytes is the total size of the model's files in bytes. It is unset if the record does not state it.
	SizeOnDiskBytes Optional[int64]
	// Licensing is the licence of the model and what it permits. It is nil if the record does not state it, for example
	// because the service is older, or if the record states null; see IsNull. If nobody has reviewed the licence, Licensing is
	// not nil and its Expression is NoAssertion. Records with the same licence share one Licensing.
	Licensing *Licensing

	raw string
}

// Classification is the domain and the purpose of a model.
type Classification struct {
	Domain  Domain
	Purpose Purpose
}

// FinetuneSeries is a series of models by one author, for example "Pony".
type FinetuneSeries struct {
	Name        string
	Version     string
	Author      string
	Description string
	Homepage    string
}

// RecordMetadata has the times and the authors of a record. An unknown time is the zero time.
type RecordMetadata struct {
	SchemaVersion string
	CreatedAt     time.Time
	UpdatedAt     time.Time
	CreatedBy     string
	UpdatedBy     string
}

// RecordConfig lists the files of a model.
type RecordConfig struct {
	// Download lists the files to download, the weights first.
	Download []DownloadRecord
	// EmbeddedComponentHashes has the hash of each component inside the weights file, by its purpose ("vae",
	// "text_encoders").
	EmbeddedComponentHashes map[string]string
}

// DownloadRecord is one file of a model.
type DownloadRecord struct {
	// FileName is the path of the file below the category's weights folder. It comes from the network: check it with
	// filepath.IsLocal before you write to it.
	FileName string
	// FileURL is the URL of the file.
	FileURL string
	// SHA256Sum is the file's SHA-256 in hexadecimal digits of either case. It is "FIXME" if no checksum is recorded.
	SHA256Sum string
	// ContentHash is the hash of the tensors without the file's header, or "".
	ContentHash string
	// FilePurpose is what the file is for ("unet", "vae", "text_encoders"), or "" for a whole checkpoint.
	FilePurpose string
	// KnownSlowDownload reports whether the host is known to be slow. It is unset if the record does not state it.
	KnownSlowDownload Optional[bool]
	// SizeBytes is the size of the file in bytes. It is unset if the record does not state it.
	SizeBytes Optional[int64]
}

// ImageGenerationRecord is a model that makes images.
type ImageGenerationRecord struct {
	ModelRecord
	// Baseline is the model family.
	Baseline Baseline
	// NSFW reports whether the model makes images that are not safe for work.
	NSFW bool
	// Inpainting reports whether the model is made to fill in parts of an image.
	Inpainting bool
	// Optimization is the number format of the weights, for example "fp8", or "".
	Optimization string
	// Tags are free words that describe the model.
	Tags []string
	// Showcases are the URLs of example images.
	Showcases []string
	// MinBridgeVersion is the lowest worker version that can serve the model. It is unset if the record does not state it.
	MinBridgeVersion Optional[int64]
	// Trigger lists the words that bring out the model's effect in a prompt.
	Trigger []string
	// Homepage is the URL of the model's page, or "".
	Homepage string
	// Style is the kind of picture that the model is best at, or "".
	Style Style
	// Requirements are the generation settings that the model needs, such as "clip_skip" or "schedulers". The old flag
	// "karras" is replaced by "schedulers": ["karras"] if it is true and ["normal"] if it is false. A value is an
	// int64, a float64, a string, a bool, or a slice of one of the first three.
	Requirements map[string]any
}

// TextGenerationRecord is a model that makes text.
type TextGenerationRecord struct {
	ModelRecord
	// Baseline is the name of the model that this one was trained from, or "".
	Baseline string
	// Parameters is the number of the model's parameters.
	Parameters int64
	// NSFW reports whether the model is made for text that is not safe for work.
	NSFW bool
	// Style is what the model is for, for example "chat" or "roleplay", or "".
	Style string
	// DisplayName is the name for people, or "".
	DisplayName string
	// URL is the URL of the model's page, or "".
	URL string
	// Tags are free words that describe the model.
	Tags []string
	// InstructFormat is the prompt format that the model was trained on, for example "ChatML", or "".
	InstructFormat string
	// Settings are generation settings that suit the model. A value is an int64, a float64, a string, a bool, or a
	// slice of one of the first three.
	Settings map[string]any
	// TextModelGroup is the name that the model's sizes and quantisations have in common, or "".
	TextModelGroup string
	// NameSchemaException is the reason why the name does not follow the scheme of its group, or "".
	NameSchemaException string
	// ContextWindow is the number of tokens that the model can process, or nil if the record does not state it.
	ContextWindow *ContextWindow
	// InteractionModes has the ways of prompting, and whether the model supports them. A mode that is not in the map is unknown.
	InteractionModes map[InteractionMode]SupportClaim
	// Capabilities has other features, and whether the model supports them. A capability that is not in the map is unknown.
	Capabilities map[ModelCapability]SupportClaim
	// Guidance names the guidance profiles of the model. It is nil in search results and in the records of an older service.
	// Records with the same guidance share one GuidanceSummary.
	Guidance *GuidanceSummary
}

// ControlNetRecord is a model that steers image generation by another image.
type ControlNetRecord struct {
	ModelRecord
	// ControlNetStyle is the kind of control, or "".
	ControlNetStyle ControlNetStyle
}

// ControlNetAnnotatorRecord is a model that prepares the control image of a ControlNet.
type ControlNetAnnotatorRecord struct {
	ModelRecord
	// ControlTypes are the kinds of control that the annotator prepares images for.
	ControlTypes []string
	// Preprocessors are the names of the preprocessors that use the annotator.
	Preprocessors []string
}

// CLIPRecord is a CLIP model.
type CLIPRecord struct {
	ModelRecord
	// PretrainedName is the name of the weights in open_clip, or "".
	PretrainedName string
}

// BLIPRecord is a BLIP captioning model.
type BLIPRecord struct{ ModelRecord }

// ESRGANRecord is an upscaler.
type ESRGANRecord struct{ ModelRecord }

// GFPGANRecord is a GFPGAN face fixer.
type GFPGANRecord struct{ ModelRecord }

// CodeFormerRecord is a CodeFormer face fixer.
type CodeFormerRecord struct{ ModelRecord }

// SafetyCheckerRecord is a model that finds images that are not safe for work.
type SafetyCheckerRecord struct{ ModelRecord }

// VideoGenerationRecord is a model that makes video.
type VideoGenerationRecord struct {
	ModelRecord
	// Baseline is the model family, or "".
	Baseline string
	// NSFW reports whether the model makes video that is not safe for work.
	NSFW bool
	// Tags are free words that describe the model.
	Tags []string
}

// AudioGenerationRecord is a model that makes sound.
type AudioGenerationRecord struct {
	ModelRecord
	// Baseline is the model family, or "".
	Baseline string
	// NSFW reports whether the model makes sound that is not safe for work.
	NSFW bool
	// Tags are free words that describe the model.
	Tags []string
}

// MiscellaneousRecord is a model that fits no other category.
type MiscellaneousRecord struct{ ModelRecord }

// LoRARecord is a low-rank adaptation of an image model.
type LoRARecord struct {
	ModelRecord
	// Baseline is the family of models that the LoRA works with, or "".
	Baseline Baseline
	// NSFW reports whether the LoRA is made for images that are not safe for work.
	NSFW bool
	// Tags are free words that describe the LoRA.
	Tags []string
	// Trigger lists the words that bring out the LoRA's effect in a prompt.
	Trigger []string
	// Homepage is the URL of the LoRA's page, or "".
	Homepage string
	// Showcases are the URLs of example images.
	Showcases []string
}

// TextualInversionRecord is an embedding for an image model.
type TextualInversionRecord struct {
	ModelRecord
	// Baseline is the family of models that the embedding works with, or "".
	Baseline Baseline
	// NSFW reports whether the embedding is made for images that are not safe for work.
	NSFW bool
	// Tags are free words that describe the embedding.
	Tags []string
	// Trigger lists the words that bring out the embedding's effect in a prompt.
	Trigger []string
	// Homepage is the URL of the embedding's page, or "".
	Homepage string
	// Showcases are the URLs of example images.
	Showcases []string
}

// Optional is a value that a record may not state. The zero Optional is unset.
type Optional[T any] struct {
	value T
	set   bool
}

// Some returns an Optional that is set to v.
func Some[T any](v T) Optional[T] { return Optional[T]{value: v, set: true} }

// Get returns the value and true, or the zero value and false if o is unset.
func (o Optional[T]) Get() (T, bool) { return o.value, o.set }

// Or returns the value, or otherwise if o is unset.
func (o Optional[T]) Or(otherwise T) T {
	if o.set {
		return o.value
	}
	return otherwise
}

// IsSet reports whether there is a value.
func (o Optional[T]) IsSet() bool { return o.set }

// String returns the value as fmt.Sprint writes it, or "unset".
func (o Optional[T]) String() string {
	if !o.set {
		return "unset"
	}
	return fmt.Sprint(o.value)
}

// common returns the fields that all records have, for generic code.
func (r *ModelRecord) common() *ModelRecord { return r }

// RawJSON returns the JSON of the record as the source returned it, with the fields that this package does not define. It
// returns "" if the record was not decoded from a document. The string shares the memory of the whole document: copy it with
// strings.Clone if you keep it for long.
func (r *ModelRecord) RawJSON() string { return r.raw }

// IsNull reports whether the record's own JSON, which RawJSON returns, has null in the field of that name. It distinguishes a
// field that is null from a field that is absent, for example if Licensing is nil.
func (r *ModelRecord) IsNull(field string) bool { return r.raw != "" && jsondoc.IsNull(r.raw, field) }

// DeclaredTotalSizeBytes returns the total size of the files that the record states, in bytes: SizeOnDiskBytes if it is set,
// otherwise the sum of the sizes of the files. It is unset if the size of a file is missing.
func (r *ModelRecord) DeclaredTotalSizeBytes() Optional[int64] {
	if r.SizeOnDiskBytes.set || len(r.Config.Download) == 0 {
		return r.SizeOnDiskBytes
	}
	var sum int64
	for i := range r.Config.Download {
		size, ok := r.Config.Download[i].SizeBytes.Get()
		if !ok || size < 0 || size > math.MaxInt64-sum { // invalid or overflowing size
			return Optional[int64]{}
		}
		sum += size
	}
	return Some(sum)
}

// PrimaryDownloadURL returns the URL of the first file, or "" if the record lists no files.
func (r *ModelRecord) PrimaryDownloadURL() string {
	if len(r.Config.Download) == 0 {
		return ""
	}
	return r.Config.Download[0].FileURL
}

// DownloadURLs returns the URLs of all files, in the record's order.
func (r *ModelRecord) DownloadURLs() []string {
	out := make([]string, len(r.Config.Download))
	for i := range r.Config.Download {
		out[i] = r.Config.Download[i].FileURL
	}
	return out
}

// unknownChecksum is the value that the service writes if no checksum is recorded.
const unknownChecksum = "FIXME"

// HasChecksum reports whether the record states a checksum.
func (d *DownloadRecord) HasChecksum() bool {
	return d.SHA256Sum != "" && !strings.EqualFold(d.SHA256Sum, unknownChecksum)
}

// Verify reads the content of the file from r and compares its SHA-256 with that of the record. It returns nil if they are
// equal. It returns ErrNoChecksum, without reading, if the record states no checksum, and ErrChecksumMismatch if they differ
// or if the record's checksum is not a SHA-256. If reading fails, the error wraps that of r. The network is not used.
func (d *DownloadRecord) Verify(r io.Reader) error {
	if !d.HasChecksum() {
		return fmt.Errorf("modelref: %s: %w", d.FileName, ErrNoChecksum)
	}
	want, err := hex.DecodeString(d.SHA256Sum)
	if err != nil || len(want) != sha256.Size {
		return fmt.Errorf("modelref: %s: %w: the record says %q, which is no SHA-256", d.FileName, ErrChecksumMismatch, d.SHA256Sum)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		return fmt.Errorf("modelref: %s: reading to verify: %w", d.FileName, err)
	}
	if got := hash.Sum(nil); !slices.Equal(got, want) {
		return fmt.Errorf("modelref: %s: %w: got %x, must be %x", d.FileName, ErrChecksumMismatch, got, want)
	}
	return nil
}

// The errors of DownloadRecord.Verify.
var (
	// ErrNoChecksum is returned if a download record states no checksum.
	ErrNoChecksum = errors.New("no checksum recorded")
	// ErrChecksumMismatch is returned if the content of a file does not have the checksum of its record.
	ErrChecksumMismatch = errors.New("checksum does not match")
)

// IsNSFW reports whether the model makes images that are not safe for work.
func (r *ImageGenerationRecord) IsNSFW() bool { return r.NSFW }

// IsNSFW reports whether the model is made for text that is not safe for work.
func (r *TextGenerationRecord) IsNSFW() bool { return r.NSFW }

// IsNSFW reports whether the model makes video that is not safe for work.
func (r *VideoGenerationRecord) IsNSFW() bool { return r.NSFW }

// IsNSFW reports whether the model makes sound that is not safe for work.
func (r *AudioGenerationRecord) IsNSFW() bool { return r.NSFW }

// IsNSFW reports whether the LoRA is made for images that are not safe for work.
func (r *LoRARecord) IsNSFW() bool { return r.NSFW }

// IsNSFW reports whether the embedding is made for images that are not safe for work.
func (r *TextualInversionRecord) IsNSFW() bool { return r.NSFW }
