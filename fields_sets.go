// The namespaces of fields: which fields the records of each category can be queried by.

package modelref

import (
	"strconv"
	"time"
)

// CommonFields are the fields that the records of every category have. Names are those of the service's JSON, with the
// path of a field inside another.
type CommonFields[R Record] struct {
	// RecordType is "record_type", the category that the record says it is of.
	RecordType StringField[R, Category]
	// Name is "name".
	Name StringField[R, string]
	// Description is "description".
	Description StringField[R, string]
	// Version is "version".
	Version StringField[R, string]
	// SeriesName is "finetune_series.name".
	SeriesName StringField[R, string]
	// SeriesAuthor is "finetune_series.author".
	SeriesAuthor StringField[R, string]
	// SchemaVersion is "metadata.schema_version".
	SchemaVersion StringField[R, string]
	// CreatedAt is "metadata.created_at".
	CreatedAt TimeField[R]
	// UpdatedAt is "metadata.updated_at".
	UpdatedAt TimeField[R]
	// CreatedBy is "metadata.created_by".
	CreatedBy StringField[R, string]
	// UpdatedBy is "metadata.updated_by".
	UpdatedBy StringField[R, string]
	// Domain is "model_classification.domain".
	Domain StringField[R, Domain]
	// Purpose is "model_classification.purpose".
	Purpose StringField[R, Purpose]
	// SizeOnDiskBytes is "size_on_disk_bytes", the size of all the model's files in bytes.
	SizeOnDiskBytes OrderedField[R, int64]
}

// ImageFieldSet is the type of ImageFields.
type ImageFieldSet struct {
	CommonFields[ImageGenerationRecord]
	// Baseline is "baseline", the model family.
	Baseline StringField[ImageGenerationRecord, Baseline]
	// NSFW is "nsfw".
	NSFW BoolField[ImageGenerationRecord]
	// Inpainting is "inpainting".
	Inpainting BoolField[ImageGenerationRecord]
	// Optimization is "optimization".
	Optimization StringField[ImageGenerationRecord, string]
	// Tags is "tags".
	Tags ListField[ImageGenerationRecord]
	// Showcases is "showcases".
	Showcases ListField[ImageGenerationRecord]
	// MinBridgeVersion is "min_bridge_version", the lowest worker version that can serve the model.
	MinBridgeVersion OrderedField[ImageGenerationRecord, int64]
	// Trigger is "trigger".
	Trigger ListField[ImageGenerationRecord]
	// Homepage is "homepage".
	Homepage StringField[ImageGenerationRecord, string]
	// Style is "style".
	Style StringField[ImageGenerationRecord, Style]
}

// TextFieldSet is the type of TextFields.
type TextFieldSet struct {
	CommonFields[TextGenerationRecord]
	// Baseline is "baseline", the name of the model that this one was trained from.
	Baseline StringField[TextGenerationRecord, string]
	// Parameters is "parameters", the number of the model's parameters; it is never absent. By name it is also
	// "parameters_count".
	Parameters OrderedField[TextGenerationRecord, int64]
	// NSFW is "nsfw".
	NSFW BoolField[TextGenerationRecord]
	// Style is "style".
	Style StringField[TextGenerationRecord, string]
	// DisplayName is "display_name".
	DisplayName StringField[TextGenerationRecord, string]
	// URL is "url".
	URL StringField[TextGenerationRecord, string]
	// Tags is "tags".
	Tags ListField[TextGenerationRecord]
	// InstructFormat is "instruct_format".
	InstructFormat StringField[TextGenerationRecord, string]
	// TextModelGroup is "text_model_group".
	TextModelGroup StringField[TextGenerationRecord, string]
	// NameSchemaException is "name_schema_exception".
	NameSchemaException StringField[TextGenerationRecord, string]
}

// ControlNetFieldSet is the type of ControlNetFields.
type ControlNetFieldSet struct {
	CommonFields[ControlNetRecord]
	// ControlNetStyle is "controlnet_style", the kind of control.
	ControlNetStyle StringField[ControlNetRecord, ControlNetStyle]
}

// ControlNetAnnotatorFieldSet is the type of ControlNetAnnotatorFields.
type ControlNetAnnotatorFieldSet struct {
	CommonFields[ControlNetAnnotatorRecord]
	// ControlTypes is "control_types".
	ControlTypes ListField[ControlNetAnnotatorRecord]
	// Preprocessors is "preprocessors".
	Preprocessors ListField[ControlNetAnnotatorRecord]
}

// CLIPFieldSet is the type of CLIPFields.
type CLIPFieldSet struct {
	CommonFields[CLIPRecord]
	// PretrainedName is "pretrained_name".
	PretrainedName StringField[CLIPRecord, string]
}

// MediaFieldSet is the type of VideoFields and AudioFields.
type MediaFieldSet[R Record] struct {
	CommonFields[R]
	// Baseline is "baseline", the model family.
	Baseline StringField[R, string]
	// NSFW is "nsfw".
	NSFW BoolField[R]
	// Tags is "tags".
	Tags ListField[R]
}

// AddOnFieldSet is the type of LoRAFields and TextualInversionFields.
type AddOnFieldSet[R Record] struct {
	CommonFields[R]
	// Baseline is "baseline", the family of models that the record works with.
	Baseline StringField[R, Baseline]
	// NSFW is "nsfw".
	NSFW BoolField[R]
	// Tags is "tags".
	Tags ListField[R]
	// Trigger is "trigger".
	Trigger ListField[R]
	// Homepage is "homepage".
	Homepage StringField[R, string]
	// Showcases is "showcases".
	Showcases ListField[R]
}

// The fields of each record type. Treat them as constants.
var (
	// ModelFields are the fields of a ModelRecord: those that the records of every category have.
	ModelFields = newCommonFields((*ModelRecord).common)

	// ImageFields are the fields of an ImageGenerationRecord.
	ImageFields = ImageFieldSet{
		CommonFields: newCommonFields((*ImageGenerationRecord).common),
		Baseline: stringFieldOf("baseline",
			func(r *ImageGenerationRecord) *Baseline { return &r.Baseline }),
		NSFW:       boolFieldOf("nsfw", func(r *ImageGenerationRecord) *bool { return &r.NSFW }),
		Inpainting: boolFieldOf("inpainting", func(r *ImageGenerationRecord) *bool { return &r.Inpainting }),
		Optimization: stringFieldOf("optimization",
			func(r *ImageGenerationRecord) *string { return &r.Optimization }),
		Tags:      listFieldOf("tags", func(r *ImageGenerationRecord) *[]string { return &r.Tags }),
		Showcases: listFieldOf("showcases", func(r *ImageGenerationRecord) *[]string { return &r.Showcases }),
		MinBridgeVersion: optionalFieldOf("min_bridge_version",
			func(r *ImageGenerationRecord) *Optional[int64] { return &r.MinBridgeVersion }),
		Trigger: listFieldOf("trigger", func(r *ImageGenerationRecord) *[]string { return &r.Trigger }),
		Homepage: stringFieldOf("homepage",
			func(r *ImageGenerationRecord) *string { return &r.Homepage }),
		Style: stringFieldOf("style", func(r *ImageGenerationRecord) *Style { return &r.Style }),
	}

	// TextFields are the fields of a TextGenerationRecord.
	TextFields = TextFieldSet{
		CommonFields: newCommonFields((*TextGenerationRecord).common),
		Baseline: stringFieldOf("baseline",
			func(r *TextGenerationRecord) *string { return &r.Baseline }),
		Parameters: intFieldOf("parameters", func(r *TextGenerationRecord) *int64 { return &r.Parameters }),
		NSFW:       boolFieldOf("nsfw", func(r *TextGenerationRecord) *bool { return &r.NSFW }),
		Style:      stringFieldOf("style", func(r *TextGenerationRecord) *string { return &r.Style }),
		DisplayName: stringFieldOf("display_name",
			func(r *TextGenerationRecord) *string { return &r.DisplayName }),
		URL:  stringFieldOf("url", func(r *TextGenerationRecord) *string { return &r.URL }),
		Tags: listFieldOf("tags", func(r *TextGenerationRecord) *[]string { return &r.Tags }),
		InstructFormat: stringFieldOf("instruct_format",
			func(r *TextGenerationRecord) *string { return &r.InstructFormat }),
		TextModelGroup: stringFieldOf("text_model_group",
			func(r *TextGenerationRecord) *string { return &r.TextModelGroup }),
		NameSchemaException: stringFieldOf("name_schema_exception",
			func(r *TextGenerationRecord) *string { return &r.NameSchemaException }),
	}

	// ControlNetFields are the fields of a ControlNetRecord.
	ControlNetFields = ControlNetFieldSet{
		CommonFields: newCommonFields((*ControlNetRecord).common),
		ControlNetStyle: stringFieldOf("controlnet_style",
			func(r *ControlNetRecord) *ControlNetStyle { return &r.ControlNetStyle }),
	}

	// ControlNetAnnotatorFields are the fields of a ControlNetAnnotatorRecord.
	ControlNetAnnotatorFields = ControlNetAnnotatorFieldSet{
		CommonFields: newCommonFields((*ControlNetAnnotatorRecord).common),
		ControlTypes: listFieldOf("control_types",
			func(r *ControlNetAnnotatorRecord) *[]string { return &r.ControlTypes }),
		Preprocessors: listFieldOf("preprocessors",
			func(r *ControlNetAnnotatorRecord) *[]string { return &r.Preprocessors }),
	}

	// CLIPFields are the fields of a CLIPRecord.
	CLIPFields = CLIPFieldSet{
		CommonFields: newCommonFields((*CLIPRecord).common),
		PretrainedName: stringFieldOf("pretrained_name",
			func(r *CLIPRecord) *string { return &r.PretrainedName }),
	}

	// BLIPFields are the fields of a BLIPRecord.
	BLIPFields = newCommonFields((*BLIPRecord).common)
	// ESRGANFields are the fields of an ESRGANRecord.
	ESRGANFields = newCommonFields((*ESRGANRecord).common)
	// GFPGANFields are the fields of a GFPGANRecord.
	GFPGANFields = newCommonFields((*GFPGANRecord).common)
	// CodeFormerFields are the fields of a CodeFormerRecord.
	CodeFormerFields = newCommonFields((*CodeFormerRecord).common)
	// SafetyCheckerFields are the fields of a SafetyCheckerRecord.
	SafetyCheckerFields = newCommonFields((*SafetyCheckerRecord).common)
	// MiscellaneousFields are the fields of a MiscellaneousRecord.
	MiscellaneousFields = newCommonFields((*MiscellaneousRecord).common)

	// VideoFields are the fields of a VideoGenerationRecord.
	VideoFields = MediaFieldSet[VideoGenerationRecord]{
		CommonFields: newCommonFields((*VideoGenerationRecord).common),
		Baseline: stringFieldOf("baseline",
			func(r *VideoGenerationRecord) *string { return &r.Baseline }),
		NSFW: boolFieldOf("nsfw", func(r *VideoGenerationRecord) *bool { return &r.NSFW }),
		Tags: listFieldOf("tags", func(r *VideoGenerationRecord) *[]string { return &r.Tags }),
	}

	// AudioFields are the fields of an AudioGenerationRecord.
	AudioFields = MediaFieldSet[AudioGenerationRecord]{
		CommonFields: newCommonFields((*AudioGenerationRecord).common),
		Baseline: stringFieldOf("baseline",
			func(r *AudioGenerationRecord) *string { return &r.Baseline }),
		NSFW: boolFieldOf("nsfw", func(r *AudioGenerationRecord) *bool { return &r.NSFW }),
		Tags: listFieldOf("tags", func(r *AudioGenerationRecord) *[]string { return &r.Tags }),
	}

	// LoRAFields are the fields of a LoRARecord.
	LoRAFields = AddOnFieldSet[LoRARecord]{
		CommonFields: newCommonFields((*LoRARecord).common),
		Baseline:     stringFieldOf("baseline", func(r *LoRARecord) *Baseline { return &r.Baseline }),
		NSFW:         boolFieldOf("nsfw", func(r *LoRARecord) *bool { return &r.NSFW }),
		Tags:         listFieldOf("tags", func(r *LoRARecord) *[]string { return &r.Tags }),
		Trigger:      listFieldOf("trigger", func(r *LoRARecord) *[]string { return &r.Trigger }),
		Homepage:     stringFieldOf("homepage", func(r *LoRARecord) *string { return &r.Homepage }),
		Showcases:    listFieldOf("showcases", func(r *LoRARecord) *[]string { return &r.Showcases }),
	}

	// TextualInversionFields are the fields of a TextualInversionRecord.
	TextualInversionFields = AddOnFieldSet[TextualInversionRecord]{
		CommonFields: newCommonFields((*TextualInversionRecord).common),
		Baseline: stringFieldOf("baseline",
			func(r *TextualInversionRecord) *Baseline { return &r.Baseline }),
		NSFW:    boolFieldOf("nsfw", func(r *TextualInversionRecord) *bool { return &r.NSFW }),
		Tags:    listFieldOf("tags", func(r *TextualInversionRecord) *[]string { return &r.Tags }),
		Trigger: listFieldOf("trigger", func(r *TextualInversionRecord) *[]string { return &r.Trigger }),
		Homepage: stringFieldOf("homepage",
			func(r *TextualInversionRecord) *string { return &r.Homepage }),
		Showcases: listFieldOf("showcases", func(r *TextualInversionRecord) *[]string { return &r.Showcases }),
	}
)

// fieldSet returns the namespace of the fields of R.
func fieldSet[R Record]() any {
	switch any((*R)(nil)).(type) {
	case *ImageGenerationRecord:
		return ImageFields
	case *TextGenerationRecord:
		return TextFields
	case *ControlNetRecord:
		return ControlNetFields
	case *ControlNetAnnotatorRecord:
		return ControlNetAnnotatorFields
	case *CLIPRecord:
		return CLIPFields
	case *BLIPRecord:
		return BLIPFields
	case *ESRGANRecord:
		return ESRGANFields
	case *GFPGANRecord:
		return GFPGANFields
	case *CodeFormerRecord:
		return CodeFormerFields
	case *SafetyCheckerRecord:
		return SafetyCheckerFields
	case *VideoGenerationRecord:
		return VideoFields
	case *AudioGenerationRecord:
		return AudioFields
	case *MiscellaneousRecord:
		return MiscellaneousFields
	case *LoRARecord:
		return LoRAFields
	case *TextualInversionRecord:
		return TextualInversionFields
	default:
		return ModelFields
	}
}

func newCommonFields[R Record](common func(*R) *ModelRecord) CommonFields[R] {
	return CommonFields[R]{
		RecordType:  stringFieldOf("record_type", func(r *R) *Category { return &common(r).RecordType }),
		Name:        stringFieldOf("name", func(r *R) *string { return &common(r).Name }),
		Description: stringFieldOf("description", func(r *R) *string { return &common(r).Description }),
		Version:     stringFieldOf("version", func(r *R) *string { return &common(r).Version }),
		SeriesName: behindFieldOf("finetune_series.name", func(r *R) (string, bool) {
			if series := common(r).FinetuneSeries; series != nil {
				return series.Name, series.Name != ""
			}
			return "", false
		}),
		SeriesAuthor: behindFieldOf("finetune_series.author", func(r *R) (string, bool) {
			if series := common(r).FinetuneSeries; series != nil {
				return series.Author, series.Author != ""
			}
			return "", false
		}),
		SchemaVersion: stringFieldOf("metadata.schema_version",
			func(r *R) *string { return &common(r).Metadata.SchemaVersion }),
		CreatedAt: TimeField[R]{"metadata.created_at", func(r *R) time.Time { return common(r).Metadata.CreatedAt }},
		UpdatedAt: TimeField[R]{"metadata.updated_at", func(r *R) time.Time { return common(r).Metadata.UpdatedAt }},
		CreatedBy: stringFieldOf("metadata.created_by",
			func(r *R) *string { return &common(r).Metadata.CreatedBy }),
		UpdatedBy: stringFieldOf("metadata.updated_by",
			func(r *R) *string { return &common(r).Metadata.UpdatedBy }),
		Domain: stringFieldOf("model_classification.domain",
			func(r *R) *Domain { return &common(r).Classification.Domain }),
		Purpose: stringFieldOf("model_classification.purpose",
			func(r *R) *Purpose { return &common(r).Classification.Purpose }),
		SizeOnDiskBytes: optionalFieldOf("size_on_disk_bytes",
			func(r *R) *Optional[int64] { return &common(r).SizeOnDiskBytes }),
	}
}

// stringFieldOf returns the field of the text in a record that at points to.
func stringFieldOf[R Record, S ~string](name string, at func(*R) *S) StringField[R, S] {
	offset := fieldOffset(at)
	var f StringField[R, S]
	f.name, f.column = name, textColumn[R, S](offset)
	f.text = func(v S) string { return string(v) }
	f.get = func(r *R) (S, bool) {
		v := *valueAt[S](r, offset)
		return v, v != ""
	}
	return f
}

// behindFieldOf returns the field of a text that is not in the record itself.
func behindFieldOf[R Record](name string, get func(*R) (string, bool)) StringField[R, string] {
	return StringField[R, string]{OrderedField[R, string]{Field: Field[R, string]{name: name, get: get}}}
}

// numberFieldOf returns the field of an integer.
func numberFieldOf[R Record](name string, get func(*R) (int64, bool)) OrderedField[R, int64] {
	var f OrderedField[R, int64]
	f.name, f.get, f.numbers = name, get, numberColumn(get)
	f.whole = func(v int64) int64 { return v }
	return f
}

// optionalFieldOf returns the field of the integer in a record that at points to.
func optionalFieldOf[R Record](name string, at func(*R) *Optional[int64]) OrderedField[R, int64] {
	offset := fieldOffset(at)
	return numberFieldOf(name, func(r *R) (int64, bool) {
		v := valueAt[Optional[int64]](r, offset)
		return v.value, v.set
	})
}

// intFieldOf returns the field of the integer in a record that at points to; it is never absent.
func intFieldOf[R Record](name string, at func(*R) *int64) OrderedField[R, int64] {
	offset := fieldOffset(at)
	return numberFieldOf(name, func(r *R) (int64, bool) { return *valueAt[int64](r, offset), true })
}

// boolFieldOf returns the field of the flag in a record that at points to.
func boolFieldOf[R Record](name string, at func(*R) *bool) BoolField[R] {
	offset := fieldOffset(at)
	var f BoolField[R]
	f.name, f.column, f.text = name, flagColumn[R](offset), strconv.FormatBool
	f.get = func(r *R) (bool, bool) { return *valueAt[bool](r, offset), true }
	return f
}

// listFieldOf returns the field of the list in a record that at points to.
func listFieldOf[R Record](name string, at func(*R) *[]string) ListField[R] {
	offset := fieldOffset(at)
	return ListField[R]{
		name: name, get: func(r *R) []string { return *valueAt[[]string](r, offset) }, column: listColumn[R](offset),
	}
}
