// The JSON of a single record.

package modelref

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/haidra-org/modelref/internal/jsondoc"
)

// unmarshalRecord reads a single record into r. The fields that it leaves out get the defaults of the category or, if
// category is "", of the category that the record states. null leaves r unchanged.
func unmarshalRecord[R Record](o *jsondoc.Object[R], data []byte, r *R, common func(*R) *ModelRecord, category Category) error {
	text := string(data)
	if strings.Trim(text, " \t\r\n") == "null" {
		return nil // as encoding/json does
	}
	d := newRecordScanner(text)
	d.Arena = &d.memory
	d.Next()
	start := d.Offset()
	var fresh R
	if err := o.Decode(&fresh, &d.Scanner); err != nil {
		return fmt.Errorf("modelref: record: %w", err)
	}
	raw := d.Since(start)
	if err := d.End("record"); err != nil {
		return fmt.Errorf("modelref: record: %w", err)
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("modelref: record: %w", &jsondoc.FieldError{Reason: "not valid UTF-8"})
	}
	m := common(&fresh)
	m.raw = raw
	if category == "" {
		category = m.RecordType
	}
	facts, ok := infoOf(category)
	if !ok {
		facts = &categoryInfo{}
	}
	fillDefaults(m, m.Name, facts)
	*r = fresh
	return nil
}

// encodeRecord returns the JSON of r with its defaults filled in, and with the unknown fields of raw.
func encodeRecord[R any](o *jsondoc.Object[R], r *R, raw string) ([]byte, error) {
	out, err := jsondoc.EncodeRecord(o, r, raw)
	if err != nil {
		return nil, fmt.Errorf("modelref: record: %w", err)
	}
	return out, nil
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r ModelRecord) MarshalJSON() ([]byte, error) { return encodeRecord(modelCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *ModelRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(modelCodec, data, r, (*ModelRecord).common, "")
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r ImageGenerationRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(imageCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *ImageGenerationRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(imageCodec, data, r, (*ImageGenerationRecord).common, CategoryImageGeneration)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r TextGenerationRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(textCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *TextGenerationRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(textCodec, data, r, (*TextGenerationRecord).common, CategoryTextGeneration)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r ControlNetRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(controlNetCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *ControlNetRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(controlNetCodec, data, r, (*ControlNetRecord).common, CategoryControlNet)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r ControlNetAnnotatorRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(annotatorCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *ControlNetAnnotatorRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(annotatorCodec, data, r, (*ControlNetAnnotatorRecord).common, CategoryControlNetAnnotator)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r CLIPRecord) MarshalJSON() ([]byte, error) { return encodeRecord(clipCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *CLIPRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(clipCodec, data, r, (*CLIPRecord).common, CategoryCLIP)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r BLIPRecord) MarshalJSON() ([]byte, error) { return encodeRecord(blipCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *BLIPRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(blipCodec, data, r, (*BLIPRecord).common, CategoryBLIP)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r ESRGANRecord) MarshalJSON() ([]byte, error) { return encodeRecord(esrganCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *ESRGANRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(esrganCodec, data, r, (*ESRGANRecord).common, CategoryESRGAN)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r GFPGANRecord) MarshalJSON() ([]byte, error) { return encodeRecord(gfpganCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *GFPGANRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(gfpganCodec, data, r, (*GFPGANRecord).common, CategoryGFPGAN)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r CodeFormerRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(codeFormerCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *CodeFormerRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(codeFormerCodec, data, r, (*CodeFormerRecord).common, CategoryCodeFormer)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r SafetyCheckerRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(safetyCheckerCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *SafetyCheckerRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(safetyCheckerCodec, data, r, (*SafetyCheckerRecord).common, CategorySafetyChecker)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r VideoGenerationRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(videoCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *VideoGenerationRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(videoCodec, data, r, (*VideoGenerationRecord).common, CategoryVideoGeneration)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r AudioGenerationRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(audioCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *AudioGenerationRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(audioCodec, data, r, (*AudioGenerationRecord).common, CategoryAudioGeneration)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r MiscellaneousRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(miscellaneousCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *MiscellaneousRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(miscellaneousCodec, data, r, (*MiscellaneousRecord).common, CategoryMiscellaneous)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r LoRARecord) MarshalJSON() ([]byte, error) { return encodeRecord(loraCodec, &r, r.raw) }

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *LoRARecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(loraCodec, data, r, (*LoRARecord).common, CategoryLoRA)
}

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept. It returns an error
// that names the field if a setting cannot be written as JSON, such as NaN.
func (r TextualInversionRecord) MarshalJSON() ([]byte, error) {
	return encodeRecord(inversionCodec, &r, r.raw)
}

// UnmarshalJSON reads a record in the v2 format, as it is in a category document or a search result. null leaves the
// record unchanged.
func (r *TextualInversionRecord) UnmarshalJSON(data []byte) error {
	return unmarshalRecord(inversionCodec, data, r, (*TextualInversionRecord).common, CategoryTextualInversion)
}
