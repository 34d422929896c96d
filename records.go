// The record types of the 15 categories, and what can be asked of one record.

package modelref

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Record is the constraint of the generic functions over records: one of the record types.
type Record interface {
	ModelRecord | ImageGenerationRecord | TextGenerationRecord | ControlNetRecord | ControlNetAnnotatorRecord |
		CLIPRecord | BLIPRecord | ESRGANRecord | GFPGANRecord | CodeFormerRecord | SafetyCheckerRecord |
		VideoGenerationRecord | AudioGenerationRecord | MiscellaneousRecord | LoRARecord | TextualInversionRecord
}

// ModelRecord is what the records of every category have. The records that a [Client] returns are shared between all
// its callers and read-only: take a Clone to change one.
type ModelRecord struct {
	// RecordType is the category that the record says it is of; filled in from the document's category where the
	// record does not say.
	RecordType Category
	// Name is the model's name, unique in its category. It may hold slashes, spaces and any Unicode.
	Name string
	// Description is prose about the model, or "".
	Description string
	// Version is the model's own version, in no fixed form, or "".
	Version string
	// FinetuneSeries is the series that the model belongs to, or nil.
	FinetuneSeries *FinetuneSeries
	// Metadata says when and by whom the record was written.
	Metadata RecordMetadata
	// Config lists the model's files.
	Config RecordConfig
	// Classification is the model's domain and purpose; filled in from the category where the record does not say.
	Classification Classification
	// SizeOnDiskBytes is the size of all the model's files in bytes, where the record states it.
	SizeOnDiskBytes Optional[int64]

	raw string
}

// Classification says what a model makes and what it is for.
type Classification struct {
	Domain  Domain
	Purpose Purpose
}

// FinetuneSeries is a series of models by one author, as "Pony" is.
type FinetuneSeries struct {
	Name        string
	Version     string
	Author      string
	Description string
	Homepage    string
}

// RecordMetadata says when and by whom a record was written. A time that is not known is the zero time.
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
	// EmbeddedComponentHashes gives, by purpose ("vae", "text_encoders"), the hash of each component that is inside
	// the weights file.
	EmbeddedComponentHashes map[string]string
}

// DownloadRecord is one file of a model.
type DownloadRecord struct {
	// FileName is where the file goes below the category's weights folder; it comes from the network, so check it with
	// filepath.IsLocal before writing to it.
	FileName string
	// FileURL is where to get it.
	FileURL string
	// SHA256Sum is the file's SHA-256 in hex of either case, or "FIXME" where nobody has recorded it yet.
	SHA256Sum string
	// ContentHash is the hash of the tensors without the file's header, or "".
	ContentHash string
	// FilePurpose is what the file is for ("unet", "vae", "text_encoders"), or "" for a whole checkpoint.
	FilePurpose string
	// KnownSlowDownload says whether the host is known to be slow, where the record states it.
	KnownSlowDownload Optional[bool]
	// SizeBytes is the file's size in bytes, where the record states it.
	SizeBytes Optional[int64]
}

// ImageGenerationRecord is a model that makes images.
type ImageGenerationRecord struct {
	ModelRecord
	// Baseline is the model family.
	Baseline Baseline
	// NSFW says that the model makes images that are not safe for work.
	NSFW bool
	// Inpainting says that the model is made to fill in parts of an image.
	Inpainting bool
	// Optimization names the number format of the weights, as "fp8", or "".
	Optimization string
	// Tags are free words that describe the model.
	Tags []string
	// Showcases are the URLs of example images.
	Showcases []string
	// MinBridgeVersion is the lowest worker version that can serve the model, where the record states one.
	MinBridgeVersion Optional[int64]
	// Trigger lists the words that bring out the model's effect in a prompt.
	Trigger []string
	// Homepage is the URL of the model's page, or "".
	Homepage string
	// Style is the kind of picture that the model is best at, or "".
	Style Style
	// Requirements are the generation settings that the model needs, as "clip_skip" or "samplers". A value is an
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
	// NSFW says that the model is made for text that is not safe for work.
	NSFW bool
	// Style is what the model is for, as "chat" or "roleplay", or "".
	Style string
	// DisplayName is the name to show people, or "".
	DisplayName string
	// URL is the model's page, or "".
	URL string
	// Tags are free words that describe the model.
	Tags []string
	// InstructFormat names the prompt format that the model was trained on, as "ChatML", or "".
	InstructFormat string
	// Settings are generation settings that suit the model. A value is an int64, a float64, a string, a bool, or a
	// slice of one of the first three.
	Settings map[string]any
	// TextModelGroup is the name that the model's sizes and quantisations have in common, or "".
	TextModelGroup string
	// NameSchemaException says why the name does not follow its group's scheme, or "".
	NameSchemaException string
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
	// PretrainedName is the name under which open_clip knows the weights, or "".
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
	// NSFW says that the model makes video that is not safe for work.
	NSFW bool
	// Tags are free words that describe the model.
	Tags []string
}

// AudioGenerationRecord is a model that makes sound.
type AudioGenerationRecord struct {
	ModelRecord
	// Baseline is the model family, or "".
	Baseline string
	// NSFW says that the model makes sound that is not safe for work.
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
	// NSFW says that the LoRA is made for images that are not safe for work.
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
	// NSFW says that the embedding is made for images that are not safe for work.
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

// Get returns the value and true, or the zero value and false where it is unset.
func (o Optional[T]) Get() (T, bool) { return o.value, o.set }

// Or returns the value, or otherwise where it is unset.
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

// common gives generic code the fields that every record has.
func (r *ModelRecord) common() *ModelRecord { return r }

// Raw returns the record's own JSON as the source sent it, fields that this package does not know included. It is ""
// for a record that was not decoded from a document. The string shares the memory of the whole document: clone it with
// strings.Clone to keep it for long.
func (r *ModelRecord) Raw() string { return r.raw }

// DeclaredTotalSizeBytes returns the size in bytes that the record declares for all its files: SizeOnDiskBytes where
// it is set, else the sum of the files' sizes where every file has one. It is unset where the record does not say.
func (r *ModelRecord) DeclaredTotalSizeBytes() Optional[int64] {
	if r.SizeOnDiskBytes.set || len(r.Config.Download) == 0 {
		return r.SizeOnDiskBytes
	}
	var sum int64
	for i := range r.Config.Download {
		size, ok := r.Config.Download[i].SizeBytes.Get()
		if !ok || size < 0 || size > math.MaxInt64-sum { // no such files are
			return Optional[int64]{}
		}
		sum += size
	}
	return Some(sum)
}

// PrimaryDownloadURL returns the URL of the first file, or "" for a record that lists none.
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

// unknownChecksum is what the service writes where nobody has recorded a checksum yet.
const unknownChecksum = "FIXME"

// HasChecksum reports whether the record states a checksum to verify the file with.
func (d *DownloadRecord) HasChecksum() bool {
	return d.SHA256Sum != "" && !strings.EqualFold(d.SHA256Sum, unknownChecksum)
}

// Verify reads the file's content from r and compares its SHA-256 with the record's. It returns nil where they match,
// ErrNoChecksum before reading anything where the record states no checksum, ErrChecksumMismatch where they differ or
// the record's checksum is none, and r's own error where reading fails. The network is not touched.
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
		return fmt.Errorf("modelref: %s: %w: got %x, want %x", d.FileName, ErrChecksumMismatch, got, want)
	}
	return nil
}

// What a file's Verify can find.
var (
	// ErrNoChecksum says that a download record states no checksum, so that nothing can be verified.
	ErrNoChecksum = errors.New("no checksum recorded")
	// ErrChecksumMismatch says that a file is not the one that the record describes.
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

func (r ModelRecord) clone() ModelRecord {
	if r.FinetuneSeries != nil {
		series := *r.FinetuneSeries
		r.FinetuneSeries = &series
	}
	r.Config.Download = slices.Clone(r.Config.Download)
	r.Config.EmbeddedComponentHashes = maps.Clone(r.Config.EmbeddedComponentHashes)
	return r
}

// cloneSettings copies a settings map and all that is in it.
func cloneSettings(m map[string]any) map[string]any {
	out := maps.Clone(m)
	for key, value := range out {
		out[key] = cloneValue(value)
	}
	return out
}

func cloneValue(value any) any {
	switch v := value.(type) {
	case []int64:
		return slices.Clone(v)
	case []float64:
		return slices.Clone(v)
	case []string:
		return slices.Clone(v)
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = cloneValue(out[i])
		}
		return out
	case map[string]any:
		return cloneSettings(v)
	default:
		return value
	}
}

// Clone returns a copy that the caller may change.
func (r *ModelRecord) Clone() *ModelRecord { c := r.clone(); return &c }

// Clone returns a copy that the caller may change.
func (r *ImageGenerationRecord) Clone() *ImageGenerationRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.Tags, c.Showcases, c.Trigger = slices.Clone(r.Tags), slices.Clone(r.Showcases), slices.Clone(r.Trigger)
	c.Requirements = cloneSettings(r.Requirements)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *TextGenerationRecord) Clone() *TextGenerationRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.Tags, c.Settings = slices.Clone(r.Tags), cloneSettings(r.Settings)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *ControlNetRecord) Clone() *ControlNetRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	return &c
}

// Clone returns a copy that the caller may change.
func (r *ControlNetAnnotatorRecord) Clone() *ControlNetAnnotatorRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.ControlTypes, c.Preprocessors = slices.Clone(r.ControlTypes), slices.Clone(r.Preprocessors)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *CLIPRecord) Clone() *CLIPRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	return &c
}

// Clone returns a copy that the caller may change.
func (r *BLIPRecord) Clone() *BLIPRecord { return &BLIPRecord{r.ModelRecord.clone()} }

// Clone returns a copy that the caller may change.
func (r *ESRGANRecord) Clone() *ESRGANRecord { return &ESRGANRecord{r.ModelRecord.clone()} }

// Clone returns a copy that the caller may change.
func (r *GFPGANRecord) Clone() *GFPGANRecord { return &GFPGANRecord{r.ModelRecord.clone()} }

// Clone returns a copy that the caller may change.
func (r *CodeFormerRecord) Clone() *CodeFormerRecord { return &CodeFormerRecord{r.ModelRecord.clone()} }

// Clone returns a copy that the caller may change.
func (r *SafetyCheckerRecord) Clone() *SafetyCheckerRecord {
	return &SafetyCheckerRecord{r.ModelRecord.clone()}
}

// Clone returns a copy that the caller may change.
func (r *VideoGenerationRecord) Clone() *VideoGenerationRecord {
	c := *r
	c.ModelRecord, c.Tags = r.ModelRecord.clone(), slices.Clone(r.Tags)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *AudioGenerationRecord) Clone() *AudioGenerationRecord {
	c := *r
	c.ModelRecord, c.Tags = r.ModelRecord.clone(), slices.Clone(r.Tags)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *MiscellaneousRecord) Clone() *MiscellaneousRecord {
	return &MiscellaneousRecord{r.ModelRecord.clone()}
}

// Clone returns a copy that the caller may change.
func (r *LoRARecord) Clone() *LoRARecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.Tags, c.Trigger, c.Showcases = slices.Clone(r.Tags), slices.Clone(r.Trigger), slices.Clone(r.Showcases)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *TextualInversionRecord) Clone() *TextualInversionRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.Tags, c.Trigger, c.Showcases = slices.Clone(r.Tags), slices.Clone(r.Trigger), slices.Clone(r.Showcases)
	return &c
}
