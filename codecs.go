// The tables of fields: which JSON field of which record is held where. The decoder, the encoder and Watch read them.

package modelref

import (
	"strconv"
	"time"
)

// groups is a set of groups of required fields. Fields of one group stand for each other.
type groups uint16

const (
	needName groups = 1 << iota
	needBaseline
	needNSFW
	needParameters
	needFile
	needURL
	needDomain
	needPurpose
)

var seriesCodec = newObjectCodec([]codec[FinetuneSeries]{
	strictText("name", func(r *FinetuneSeries) *string { return &r.Name }).need(needName),
	textField("version", func(r *FinetuneSeries) *string { return &r.Version }),
	textField("author", func(r *FinetuneSeries) *string { return &r.Author }),
	textField("description", func(r *FinetuneSeries) *string { return &r.Description }),
	textField("homepage", func(r *FinetuneSeries) *string { return &r.Homepage }),
})

var metadataCodec = newObjectCodec([]codec[RecordMetadata]{
	textField("schema_version", func(r *RecordMetadata) *string { return &r.SchemaVersion }),
	timeField("created_at", func(r *RecordMetadata) *time.Time { return &r.CreatedAt }),
	timeField("updated_at", func(r *RecordMetadata) *time.Time { return &r.UpdatedAt }),
	textField("created_by", func(r *RecordMetadata) *string { return &r.CreatedBy }),
	textField("updated_by", func(r *RecordMetadata) *string { return &r.UpdatedBy }),
})

var downloadCodec = newObjectCodec([]codec[DownloadRecord]{
	strictText("file_name", func(r *DownloadRecord) *string { return &r.FileName }).need(needFile),
	strictText("file_url", func(r *DownloadRecord) *string { return &r.FileURL }).need(needURL),
	strictText("sha256sum", func(r *DownloadRecord) *string { return &r.SHA256Sum }),
	textField("content_hash", func(r *DownloadRecord) *string { return &r.ContentHash }),
	textField("file_purpose", func(r *DownloadRecord) *string { return &r.FilePurpose }),
	optionalField("known_slow_download", func(r *DownloadRecord) *Optional[bool] { return &r.KnownSlowDownload },
		(*scanner).boolean, strconv.AppendBool),
	optionalInt("size_bytes", func(r *DownloadRecord) *Optional[int64] { return &r.SizeBytes }),
})

var configCodec = newObjectCodec([]codec[RecordConfig]{
	objectsField("download", downloadCodec, DownloadRecord{SHA256Sum: unknownChecksum},
		func(s *scanner) *slab[DownloadRecord] { return &s.downloads },
		func(r *RecordConfig) *[]DownloadRecord { return &r.Download }),
	textMapField("embedded_component_hashes",
		func(r *RecordConfig) *map[string]string { return &r.EmbeddedComponentHashes }),
})

var classificationCodec = newObjectCodec([]codec[Classification]{
	strictText("domain", func(r *Classification) *Domain { return &r.Domain }).need(needDomain),
	strictText("purpose", func(r *Classification) *Purpose { return &r.Purpose }).need(needPurpose),
})

// commonFields are in the order in which the service writes them.
var commonFields = []codec[ModelRecord]{
	textField("record_type", func(r *ModelRecord) *Category { return &r.RecordType }),
	textField("name", func(r *ModelRecord) *string { return &r.Name }),
	textField("description", func(r *ModelRecord) *string { return &r.Description }),
	textField("version", func(r *ModelRecord) *string { return &r.Version }),
	pointerField("finetune_series", seriesCodec, func(r *ModelRecord) **FinetuneSeries { return &r.FinetuneSeries }),
	objectField("metadata", metadataCodec, func(r *ModelRecord) *RecordMetadata { return &r.Metadata }),
	objectField("config", configCodec, func(r *ModelRecord) *RecordConfig { return &r.Config }),
	objectField("model_classification", classificationCodec,
		func(r *ModelRecord) *Classification { return &r.Classification }),
	optionalInt("size_on_disk_bytes", func(r *ModelRecord) *Optional[int64] { return &r.SizeOnDiskBytes }),
}

var (
	modelCodec = newObjectCodec(commonFields)

	imageCodec = newObjectCodec(as(commonFields, (*ImageGenerationRecord).common), []codec[ImageGenerationRecord]{
		flagField("inpainting", func(r *ImageGenerationRecord) *bool { return &r.Inpainting }),
		strictText("baseline", func(r *ImageGenerationRecord) *Baseline { return &r.Baseline }).need(needBaseline),
		textField("optimization", func(r *ImageGenerationRecord) *string { return &r.Optimization }),
		listField("tags", func(r *ImageGenerationRecord) *[]string { return &r.Tags }),
		listField("showcases", func(r *ImageGenerationRecord) *[]string { return &r.Showcases }),
		optionalInt("min_bridge_version", func(r *ImageGenerationRecord) *Optional[int64] { return &r.MinBridgeVersion }),
		listField("trigger", func(r *ImageGenerationRecord) *[]string { return &r.Trigger }),
		textField("homepage", func(r *ImageGenerationRecord) *string { return &r.Homepage }),
		strictFlag("nsfw", func(r *ImageGenerationRecord) *bool { return &r.NSFW }).need(needNSFW),
		textField("style", func(r *ImageGenerationRecord) *Style { return &r.Style }),
		settingsField("requirements", func(r *ImageGenerationRecord) *map[string]any { return &r.Requirements }),
	})

	textCodec = newObjectCodec(as(commonFields, (*TextGenerationRecord).common), []codec[TextGenerationRecord]{
		textField("baseline", func(r *TextGenerationRecord) *string { return &r.Baseline }),
		intField("parameters", func(r *TextGenerationRecord) *int64 { return &r.Parameters }).need(needParameters),
		flagField("nsfw", func(r *TextGenerationRecord) *bool { return &r.NSFW }),
		textField("style", func(r *TextGenerationRecord) *string { return &r.Style }),
		textField("display_name", func(r *TextGenerationRecord) *string { return &r.DisplayName }),
		textField("url", func(r *TextGenerationRecord) *string { return &r.URL }),
		listField("tags", func(r *TextGenerationRecord) *[]string { return &r.Tags }),
		textField("instruct_format", func(r *TextGenerationRecord) *string { return &r.InstructFormat }),
		settingsField("settings", func(r *TextGenerationRecord) *map[string]any { return &r.Settings }),
		textField("text_model_group", func(r *TextGenerationRecord) *string { return &r.TextModelGroup }),
		textField("name_schema_exception", func(r *TextGenerationRecord) *string { return &r.NameSchemaException }),
		// Search and popular results say parameters_count where category documents say parameters.
		intField("parameters_count", func(r *TextGenerationRecord) *int64 { return &r.Parameters }).
			need(needParameters).readOnly(),
	})

	controlNetCodec = newObjectCodec(as(commonFields, (*ControlNetRecord).common), []codec[ControlNetRecord]{
		textField("controlnet_style", func(r *ControlNetRecord) *ControlNetStyle { return &r.ControlNetStyle }),
	})

	annotatorCodec = newObjectCodec(as(commonFields, (*ControlNetAnnotatorRecord).common), []codec[ControlNetAnnotatorRecord]{
		listField("control_types", func(r *ControlNetAnnotatorRecord) *[]string { return &r.ControlTypes }),
		listField("preprocessors", func(r *ControlNetAnnotatorRecord) *[]string { return &r.Preprocessors }),
	})

	clipCodec = newObjectCodec(as(commonFields, (*CLIPRecord).common), []codec[CLIPRecord]{
		textField("pretrained_name", func(r *CLIPRecord) *string { return &r.PretrainedName }),
	})

	blipCodec          = newObjectCodec(as(commonFields, (*BLIPRecord).common))
	esrganCodec        = newObjectCodec(as(commonFields, (*ESRGANRecord).common))
	gfpganCodec        = newObjectCodec(as(commonFields, (*GFPGANRecord).common))
	codeFormerCodec    = newObjectCodec(as(commonFields, (*CodeFormerRecord).common))
	safetyCheckerCodec = newObjectCodec(as(commonFields, (*SafetyCheckerRecord).common))
	miscellaneousCodec = newObjectCodec(as(commonFields, (*MiscellaneousRecord).common))

	videoCodec = newObjectCodec(as(commonFields, (*VideoGenerationRecord).common), []codec[VideoGenerationRecord]{
		textField("baseline", func(r *VideoGenerationRecord) *string { return &r.Baseline }),
		flagField("nsfw", func(r *VideoGenerationRecord) *bool { return &r.NSFW }),
		listField("tags", func(r *VideoGenerationRecord) *[]string { return &r.Tags }),
	})

	audioCodec = newObjectCodec(as(commonFields, (*AudioGenerationRecord).common), []codec[AudioGenerationRecord]{
		textField("baseline", func(r *AudioGenerationRecord) *string { return &r.Baseline }),
		flagField("nsfw", func(r *AudioGenerationRecord) *bool { return &r.NSFW }),
		listField("tags", func(r *AudioGenerationRecord) *[]string { return &r.Tags }),
	})

	loraCodec = newObjectCodec(as(commonFields, (*LoRARecord).common), []codec[LoRARecord]{
		textField("baseline", func(r *LoRARecord) *Baseline { return &r.Baseline }),
		flagField("nsfw", func(r *LoRARecord) *bool { return &r.NSFW }),
		listField("tags", func(r *LoRARecord) *[]string { return &r.Tags }),
		listField("trigger", func(r *LoRARecord) *[]string { return &r.Trigger }),
		textField("homepage", func(r *LoRARecord) *string { return &r.Homepage }),
		listField("showcases", func(r *LoRARecord) *[]string { return &r.Showcases }),
	})

	inversionCodec = newObjectCodec(as(commonFields, (*TextualInversionRecord).common), []codec[TextualInversionRecord]{
		textField("baseline", func(r *TextualInversionRecord) *Baseline { return &r.Baseline }),
		flagField("nsfw", func(r *TextualInversionRecord) *bool { return &r.NSFW }),
		listField("tags", func(r *TextualInversionRecord) *[]string { return &r.Tags }),
		listField("trigger", func(r *TextualInversionRecord) *[]string { return &r.Trigger }),
		textField("homepage", func(r *TextualInversionRecord) *string { return &r.Homepage }),
		listField("showcases", func(r *TextualInversionRecord) *[]string { return &r.Showcases }),
	})
)
