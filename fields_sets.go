// The field sets: for each record type, the fields that its records can be queried by.

package modelref

import (
	"strconv"
	"time"

	"github.com/haidra-org/modelref/internal/columns"
)

// CommonFields are the fields that the records of every category have. Their names are those of the service's JSON. The
// name of a nested field is its path.
type CommonFields[R Record] struct {
	// RecordType is "record_type", the category that the record states.
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
	// SizeOnDiskBytes is "size_on_disk_bytes", the total size of the model's files in bytes.
	SizeOnDiskBytes IntField[R]
	// LicenseExpression is "licensing.license_expression", an SPDX expression or NoAssertion.
	LicenseExpression StringField[R, string]
	// LicenseIDs is "licensing.license_ids", the licences in the expression. Licences of single files are not included.
	LicenseIDs ListField[R]
	// CommercialUse is "licensing.commercial_use". It is absent if the record states no licence. Overrides for single files
	// are not considered; Query.AllowsCommercialUse considers them.
	CommercialUse StringField[R, Permission]
	// Redistribution is "licensing.redistribution". It is absent if the record states no licence. Overrides for single files
	// are not considered; Query.AllowsRedistribution considers them.
	Redistribution StringField[R, Permission]
	// Obligations is "licensing.obligations", the duties that the licence imposes, as LicenseObligation defines them.
	Obligations ListField[R]
	// Attribution is "licensing.attribution", the text with which to name the author.
	Attribution StringField[R, string]
	// ReviewedBy is "licensing.reviewed_by".
	ReviewedBy StringField[R, string]
	// ReviewedAt is "licensing.reviewed_at", a day.
	ReviewedAt TimeField[R]
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
	MinBridgeVersion IntField[ImageGenerationRecord]
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
	// Parameters is "parameters", the number of the model's parameters. It is never absent. LookupField also
	// accepts the name "parameters_count".
	Parameters IntField[TextGenerationRecord]
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
	// MaximumTokens is "context_window.maximum_tokens".
	MaximumTokens IntField[TextGenerationRecord]
	// Completion is "interaction_modes.completion.status".
	Completion StringField[TextGenerationRecord, SupportStatus]
	// Instruction is "interaction_modes.instruction.status".
	Instruction StringField[TextGenerationRecord, SupportStatus]
	// Chat is "interaction_modes.chat.status".
	Chat StringField[TextGenerationRecord, SupportStatus]
	// ToolCalling is "capabilities.tool_calling.status".
	ToolCalling StringField[TextGenerationRecord, SupportStatus]
	// StructuredOutput is "capabilities.structured_output.status".
	StructuredOutput StringField[TextGenerationRecord, SupportStatus]
	// GuidanceStatus is "guidance.status".
	GuidanceStatus StringField[TextGenerationRecord, GuidanceStatus]
	// PrimaryProfileID is "guidance.primary_profile_id".
	PrimaryProfileID StringField[TextGenerationRecord, string]
	// SupplementalProfileIDs is "guidance.supplemental_profile_ids".
	SupplementalProfileIDs ListField[TextGenerationRecord]
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

// VideoFieldSet is the type of VideoFields.
type VideoFieldSet struct {
	CommonFields[VideoGenerationRecord]
	// Baseline is "baseline", the model family.
	Baseline StringField[VideoGenerationRecord, string]
	// NSFW is "nsfw".
	NSFW BoolField[VideoGenerationRecord]
	// Tags is "tags".
	Tags ListField[VideoGenerationRecord]
}

// AudioFieldSet is the type of AudioFields.
type AudioFieldSet struct {
	CommonFields[AudioGenerationRecord]
	// Baseline is "baseline", the model family.
	Baseline StringField[AudioGenerationRecord, string]
	// NSFW is "nsfw".
	NSFW BoolField[AudioGenerationRecord]
	// Tags is "tags".
	Tags ListField[AudioGenerationRecord]
}

// AdapterFieldSet is the type of LoRAFields and TextualInversionFields.
type AdapterFieldSet[R Record] struct {
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
	// ModelFields are the fields of a ModelRecord, which the records of every category have.
	ModelFields = newCommonFields((*ModelRecord).common)
	// ImageFields are the fields of an ImageGenerationRecord.
	ImageFields = newImageFieldSet()
	// TextFields are the fields of a TextGenerationRecord.
	TextFields = newTextFieldSet()
	// ControlNetFields are the fields of a ControlNetRecord.
	ControlNetFields = newControlNetFieldSet()
	// ControlNetAnnotatorFields are the fields of a ControlNetAnnotatorRecord.
	ControlNetAnnotatorFields = newControlNetAnnotatorFieldSet()
	// CLIPFields are the fields of a CLIPRecord.
	CLIPFields = newCLIPFieldSet()
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
	VideoFields = newVideoFieldSet()
	// AudioFields are the fields of an AudioGenerationRecord.
	AudioFields = newAudioFieldSet()
	// LoRAFields are the fields of a LoRARecord.
	LoRAFields = newLoRAFieldSet()
	// TextualInversionFields are the fields of a TextualInversionRecord.
	TextualInversionFields = newTextualInversionFieldSet()
)

func newImageFieldSet() ImageFieldSet {
	type record = ImageGenerationRecord
	return ImageFieldSet{
		CommonFields:     newCommonFields((*record).common),
		Baseline:         newStringField("baseline", func(r *record) Baseline { return r.Baseline }),
		NSFW:             newBoolField("nsfw", func(r *record) bool { return r.NSFW }),
		Inpainting:       newBoolField("inpainting", func(r *record) bool { return r.Inpainting }),
		Optimization:     newStringField("optimization", func(r *record) string { return r.Optimization }),
		Tags:             newListField("tags", func(r *record) []string { return r.Tags }),
		Showcases:        newListField("showcases", func(r *record) []string { return r.Showcases }),
		MinBridgeVersion: newOptionalField("min_bridge_version", func(r *record) Optional[int64] { return r.MinBridgeVersion }),
		Trigger:          newListField("trigger", func(r *record) []string { return r.Trigger }),
		Homepage:         newStringField("homepage", func(r *record) string { return r.Homepage }),
		Style:            newStringField("style", func(r *record) Style { return r.Style }),
	}
}

func newTextFieldSet() TextFieldSet {
	type record = TextGenerationRecord
	return TextFieldSet{
		CommonFields:        newCommonFields((*record).common),
		Baseline:            newStringField("baseline", func(r *record) string { return r.Baseline }),
		Parameters:          newIntField("parameters", func(r *record) int64 { return r.Parameters }),
		NSFW:                newBoolField("nsfw", func(r *record) bool { return r.NSFW }),
		Style:               newStringField("style", func(r *record) string { return r.Style }),
		DisplayName:         newStringField("display_name", func(r *record) string { return r.DisplayName }),
		URL:                 newStringField("url", func(r *record) string { return r.URL }),
		Tags:                newListField("tags", func(r *record) []string { return r.Tags }),
		InstructFormat:      newStringField("instruct_format", func(r *record) string { return r.InstructFormat }),
		TextModelGroup:      newStringField("text_model_group", func(r *record) string { return r.TextModelGroup }),
		NameSchemaException: newStringField("name_schema_exception", func(r *record) string { return r.NameSchemaException }),
		MaximumTokens:       newOptionalField("context_window.maximum_tokens", maximumTokens),
		Completion:          newModeField(InteractionCompletion),
		Instruction:         newModeField(InteractionInstruction),
		Chat:                newModeField(InteractionChat),
		ToolCalling:         newCapabilityField(CapabilityToolCalling),
		StructuredOutput:    newCapabilityField(CapabilityStructuredOutput),
		GuidanceStatus:      newStringField("guidance.status", func(r *record) GuidanceStatus { return guidanceOf(r).Status }),
		PrimaryProfileID:    newStringField("guidance.primary_profile_id", func(r *record) string { return guidanceOf(r).PrimaryProfileID }),
		SupplementalProfileIDs: newListField("guidance.supplemental_profile_ids",
			func(r *record) []string { return guidanceOf(r).SupplementalProfileIDs }),
	}
}

func newModeField(mode InteractionMode) StringField[TextGenerationRecord, SupportStatus] {
	return newStringField("interaction_modes."+string(mode)+".status",
		func(r *TextGenerationRecord) SupportStatus { return r.InteractionModes[mode].Status })
}

func newCapabilityField(capability ModelCapability) StringField[TextGenerationRecord, SupportStatus] {
	return newStringField("capabilities."+string(capability)+".status",
		func(r *TextGenerationRecord) SupportStatus { return r.Capabilities[capability].Status })
}

// maximumTokens returns the size of the context window, or an unset value if the record does not state it.
func maximumTokens(r *TextGenerationRecord) Optional[int64] {
	if r.ContextWindow == nil {
		return Optional[int64]{}
	}
	return Some(r.ContextWindow.MaximumTokens)
}

// guidanceOf returns the guidance summary of a record. It is empty if the record states none.
func guidanceOf(r *TextGenerationRecord) *GuidanceSummary {
	if r.Guidance == nil {
		return &GuidanceSummary{}
	}
	return r.Guidance
}

func newControlNetFieldSet() ControlNetFieldSet {
	type record = ControlNetRecord
	return ControlNetFieldSet{
		CommonFields:    newCommonFields((*record).common),
		ControlNetStyle: newStringField("controlnet_style", func(r *record) ControlNetStyle { return r.ControlNetStyle }),
	}
}

func newControlNetAnnotatorFieldSet() ControlNetAnnotatorFieldSet {
	type record = ControlNetAnnotatorRecord
	return ControlNetAnnotatorFieldSet{
		CommonFields:  newCommonFields((*record).common),
		ControlTypes:  newListField("control_types", func(r *record) []string { return r.ControlTypes }),
		Preprocessors: newListField("preprocessors", func(r *record) []string { return r.Preprocessors }),
	}
}

func newCLIPFieldSet() CLIPFieldSet {
	type record = CLIPRecord
	return CLIPFieldSet{
		CommonFields:   newCommonFields((*record).common),
		PretrainedName: newStringField("pretrained_name", func(r *record) string { return r.PretrainedName }),
	}
}

func newVideoFieldSet() VideoFieldSet {
	type record = VideoGenerationRecord
	return VideoFieldSet{
		CommonFields: newCommonFields((*record).common),
		Baseline:     newStringField("baseline", func(r *record) string { return r.Baseline }),
		NSFW:         newBoolField("nsfw", func(r *record) bool { return r.NSFW }),
		Tags:         newListField("tags", func(r *record) []string { return r.Tags }),
	}
}

func newAudioFieldSet() AudioFieldSet {
	type record = AudioGenerationRecord
	return AudioFieldSet{
		CommonFields: newCommonFields((*record).common),
		Baseline:     newStringField("baseline", func(r *record) string { return r.Baseline }),
		NSFW:         newBoolField("nsfw", func(r *record) bool { return r.NSFW }),
		Tags:         newListField("tags", func(r *record) []string { return r.Tags }),
	}
}

func newLoRAFieldSet() AdapterFieldSet[LoRARecord] {
	type record = LoRARecord
	return AdapterFieldSet[LoRARecord]{
		CommonFields: newCommonFields((*record).common),
		Baseline:     newStringField("baseline", func(r *record) Baseline { return r.Baseline }),
		NSFW:         newBoolField("nsfw", func(r *record) bool { return r.NSFW }),
		Tags:         newListField("tags", func(r *record) []string { return r.Tags }),
		Trigger:      newListField("trigger", func(r *record) []string { return r.Trigger }),
		Homepage:     newStringField("homepage", func(r *record) string { return r.Homepage }),
		Showcases:    newListField("showcases", func(r *record) []string { return r.Showcases }),
	}
}

func newTextualInversionFieldSet() AdapterFieldSet[TextualInversionRecord] {
	type record = TextualInversionRecord
	return AdapterFieldSet[TextualInversionRecord]{
		CommonFields: newCommonFields((*record).common),
		Baseline:     newStringField("baseline", func(r *record) Baseline { return r.Baseline }),
		NSFW:         newBoolField("nsfw", func(r *record) bool { return r.NSFW }),
		Tags:         newListField("tags", func(r *record) []string { return r.Tags }),
		Trigger:      newListField("trigger", func(r *record) []string { return r.Trigger }),
		Homepage:     newStringField("homepage", func(r *record) string { return r.Homepage }),
		Showcases:    newListField("showcases", func(r *record) []string { return r.Showcases }),
	}
}

// fieldSet returns the field set of R.
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
		RecordType:    newStringField("record_type", func(r *R) Category { return common(r).RecordType }),
		Name:          newStringField("name", func(r *R) string { return common(r).Name }),
		Description:   newStringField("description", func(r *R) string { return common(r).Description }),
		Version:       newStringField("version", func(r *R) string { return common(r).Version }),
		SeriesName:    newDerivedField("finetune_series.name", func(r *R) string { return seriesOf(common(r)).Name }),
		SeriesAuthor:  newDerivedField("finetune_series.author", func(r *R) string { return seriesOf(common(r)).Author }),
		SchemaVersion: newStringField("metadata.schema_version", func(r *R) string { return common(r).Metadata.SchemaVersion }),
		CreatedAt:     TimeField[R]{"metadata.created_at", func(r *R) time.Time { return common(r).Metadata.CreatedAt }},
		UpdatedAt:     TimeField[R]{"metadata.updated_at", func(r *R) time.Time { return common(r).Metadata.UpdatedAt }},
		CreatedBy:     newStringField("metadata.created_by", func(r *R) string { return common(r).Metadata.CreatedBy }),
		UpdatedBy:     newStringField("metadata.updated_by", func(r *R) string { return common(r).Metadata.UpdatedBy }),
		Domain:        newStringField("model_classification.domain", func(r *R) Domain { return common(r).Classification.Domain }),
		Purpose:       newStringField("model_classification.purpose", func(r *R) Purpose { return common(r).Classification.Purpose }),
		SizeOnDiskBytes: newOptionalField("size_on_disk_bytes",
			func(r *R) Optional[int64] { return common(r).SizeOnDiskBytes }),
		LicenseExpression: newStringField("licensing.license_expression", func(r *R) string { return licenseOf(common(r)).Expression }),
		LicenseIDs:        newListField("licensing.license_ids", func(r *R) []string { return licenseOf(common(r)).LicenseIDs }),
		CommercialUse:     newStringField("licensing.commercial_use", func(r *R) Permission { return licenseOf(common(r)).CommercialUse }),
		Redistribution:    newStringField("licensing.redistribution", func(r *R) Permission { return licenseOf(common(r)).Redistribution }),
		Obligations: newListField("licensing.obligations", func(r *R) []string {
			return obligationTexts(licenseOf(common(r)).Obligations)
		}),
		Attribution: newDerivedField("licensing.attribution", func(r *R) string { return licenseOf(common(r)).Attribution }),
		ReviewedBy:  newDerivedField("licensing.reviewed_by", func(r *R) string { return licenseOf(common(r)).ReviewedBy }),
		ReviewedAt:  TimeField[R]{"licensing.reviewed_at", func(r *R) time.Time { return licenseOf(common(r)).ReviewedAt.Time() }},
	}
}

// newStringField returns a field of strings that has columns.
func newStringField[R Record, S ~string](name string, get func(*R) S) StringField[R, S] {
	f := newDerivedField(name, get)
	f.column, f.text = columns.Text(get), func(v S) string { return string(v) }
	return f
}

// newDerivedField returns a field of strings without columns.
func newDerivedField[R Record, S ~string](name string, get func(*R) S) StringField[R, S] {
	var f StringField[R, S]
	f.name, f.get = name, func(r *R) (S, bool) { v := get(r); return v, v != "" }
	return f
}

// newIntField returns a field of integers that are never absent.
func newIntField[R Record](name string, get func(*R) int64) IntField[R] {
	return newNumberField(name, func(r *R) (int64, bool) { return get(r), true })
}

// newOptionalField returns a field of integers that may be absent.
func newOptionalField[R Record](name string, get func(*R) Optional[int64]) IntField[R] {
	return newNumberField(name, func(r *R) (int64, bool) { return get(r).Get() })
}

func newNumberField[R Record](name string, get func(*R) (int64, bool)) IntField[R] {
	var f IntField[R]
	f.name, f.get, f.column = name, get, columns.Int(get)
	return f
}

func newBoolField[R Record](name string, get func(*R) bool) BoolField[R] {
	var f BoolField[R]
	f.name, f.get = name, func(r *R) (bool, bool) { return get(r), true }
	f.column, f.text = columns.Bool(get), strconv.FormatBool
	return f
}

func newListField[R Record](name string, get func(*R) []string) ListField[R] {
	return ListField[R]{name: name, get: get, column: columns.List(get)}
}

// seriesOf returns the finetune series of a record. It is empty if the record states none.
func seriesOf(r *ModelRecord) FinetuneSeries {
	if r.FinetuneSeries == nil {
		return FinetuneSeries{}
	}
	return *r.FinetuneSeries
}

// licenseOf returns the licence of a record's model. It is empty if the record states none.
func licenseOf(r *ModelRecord) *LicenseAssignment {
	if r.Licensing == nil {
		return &LicenseAssignment{}
	}
	return &r.Licensing.LicenseAssignment
}

func obligationTexts(obligations []LicenseObligation) []string {
	out := make([]string, len(obligations))
	for i, obligation := range obligations {
		out[i] = string(obligation)
	}
	return out
}
