// How one record on its own is written as JSON and read back.

package modelref

import (
	"fmt"
	"unicode/utf8"
)

// unmarshalRecord reads one record on its own into r. What it leaves out is filled in as for a record of the category,
// or, for the category "", of the one that the record itself names.
func unmarshalRecord[R Record](o *objectCodec[R], data []byte, r *R, common func(*R) *ModelRecord, category Category) error {
	s := scanner{s: string(data)}
	s.next()
	start := s.i
	var fresh R
	if err := o.decode(&fresh, &s); err != nil {
		return fmt.Errorf("modelref: record: %w", err)
	}
	raw := s.s[start:s.i]
	if s.next() != 0 || s.i < len(s.s) {
		return fmt.Errorf("modelref: record: %w", s.syntax("something follows the record"))
	}
	if !utf8.ValidString(s.s) {
		return fmt.Errorf("modelref: record: %w", &fieldError{reason: "not valid UTF-8"})
	}
	m := common(&fresh)
	m.raw = raw
	if category == "" {
		category = m.RecordType
	}
	facts, ok := traitsOf(category)
	if !ok {
		facts = &traits{}
	}
	fillDefaults(m, m.Name, facts)
	*r = fresh
	return nil
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r ModelRecord) MarshalJSON() ([]byte, error) { return encodeRecord(modelCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *ModelRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(modelCodec, data, r, (*ModelRecord).common, "")
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r ImageGenerationRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(imageCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *ImageGenerationRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(imageCodec, data, r, (*ImageGenerationRecord).common, CategoryImageGeneration)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r TextGenerationRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(textCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *TextGenerationRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(textCodec, data, r, (*TextGenerationRecord).common, CategoryTextGeneration)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r ControlNetRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(controlNetCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *ControlNetRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(controlNetCodec, data, r, (*ControlNetRecord).common, CategoryControlNet)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r ControlNetAnnotatorRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(annotatorCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *ControlNetAnnotatorRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(annotatorCodec, data, r, (*ControlNetAnnotatorRecord).common, CategoryControlNetAnnotator)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r CLIPRecord) MarshalJSON() ([]byte, error) { return encodeRecord(clipCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *CLIPRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(clipCodec, data, r, (*CLIPRecord).common, CategoryCLIP)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r BLIPRecord) MarshalJSON() ([]byte, error) { return encodeRecord(blipCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *BLIPRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(blipCodec, data, r, (*BLIPRecord).common, CategoryBLIP)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r ESRGANRecord) MarshalJSON() ([]byte, error) { return encodeRecord(esrganCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *ESRGANRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(esrganCodec, data, r, (*ESRGANRecord).common, CategoryESRGAN)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r GFPGANRecord) MarshalJSON() ([]byte, error) { return encodeRecord(gfpganCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *GFPGANRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(gfpganCodec, data, r, (*GFPGANRecord).common, CategoryGFPGAN)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r CodeFormerRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(codeFormerCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *CodeFormerRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(codeFormerCodec, data, r, (*CodeFormerRecord).common, CategoryCodeFormer)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r SafetyCheckerRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(safetyCheckerCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *SafetyCheckerRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(safetyCheckerCodec, data, r, (*SafetyCheckerRecord).common, CategorySafetyChecker)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r VideoGenerationRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(videoCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *VideoGenerationRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(videoCodec, data, r, (*VideoGenerationRecord).common, CategoryVideoGeneration)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r AudioGenerationRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(audioCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *AudioGenerationRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(audioCodec, data, r, (*AudioGenerationRecord).common, CategoryAudioGeneration)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r MiscellaneousRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(miscellaneousCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *MiscellaneousRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(miscellaneousCodec, data, r, (*MiscellaneousRecord).common, CategoryMiscellaneous)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r LoRARecord) MarshalJSON() ([]byte, error) { return encodeRecord(loraCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *LoRARecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(loraCodec, data, r, (*LoRARecord).common, CategoryLoRA)
}

// MarshalJSON returns the record in the v2 format with defaults filled in; fields that this package does not know are
// kept.
func (r TextualInversionRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(inversionCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, from a category document or a search result.
func (r *TextualInversionRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(inversionCodec, data, r, (*TextualInversionRecord).common, CategoryTextualInversion)
}
