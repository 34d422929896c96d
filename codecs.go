// The tables of fields: the JSON fields of each record type and their Go fields. The decoder, the encoder and Watch use them.

package modelref

import (
	"time"

	"github.com/haidra-org/modelref/internal/jsondoc"
)

// The groups of required fields. The fields of one group are alternatives.
const (
	requireName jsondoc.Required = 1 << iota
	requireBaseline
	requireNSFW
	requireParameters
	requireFile
	requireURL
	requireDomain
	requirePurpose
)

// optionalInt is a whole number that may be null or absent.
func optionalInt[R any](name string, at func(*R) *Optional[int64]) jsondoc.Codec[R] {
	get, set := accessors(at)
	return jsondoc.OptionalInt(name, get, set)
}

// optionalFlag is a boolean that may be null or absent.
func optionalFlag[R any](name string, at func(*R) *Optional[bool]) jsondoc.Codec[R] {
	get, set := accessors(at)
	return jsondoc.OptionalFlag(name, get, set)
}

// accessors returns functions that read and write the optional value.
func accessors[R, T any](at func(*R) *Optional[T]) (get func(*R) (T, bool), set func(*R, T, bool)) {
	get = func(r *R) (T, bool) { return at(r).Get() }
	set = func(r *R, v T, isSet bool) { *at(r) = Optional[T]{value: v, set: isSet} }
	return get, set
}

// memoryOf returns the memory of a scanner that decodes records.
func memoryOf(s *jsondoc.Scanner) *recordMemory { return s.Arena.(*recordMemory) }

// downloadArena returns the memory for the lists of downloads.
func downloadArena(s *jsondoc.Scanner) *jsondoc.Arena[DownloadRecord] { return &memoryOf(s).downloads }

var seriesCodec = jsondoc.NewObject([]jsondoc.Codec[FinetuneSeries]{
	jsondoc.StrictText("name", func(r *FinetuneSeries) *string { return &r.Name }).Require(requireName),
	jsondoc.Text("version", func(r *FinetuneSeries) *string { return &r.Version }),
	jsondoc.Text("author", func(r *FinetuneSeries) *string { return &r.Author }),
	jsondoc.Text("description", func(r *FinetuneSeries) *string { return &r.Description }),
	jsondoc.Text("homepage", func(r *FinetuneSeries) *string { return &r.Homepage }),
})

var metadataCodec = jsondoc.NewObject([]jsondoc.Codec[RecordMetadata]{
	jsondoc.Text("schema_version", func(r *RecordMetadata) *string { return &r.SchemaVersion }),
	jsondoc.Time("created_at", func(r *RecordMetadata) *time.Time { return &r.CreatedAt }),
	jsondoc.Time("updated_at", func(r *RecordMetadata) *time.Time { return &r.UpdatedAt }),
	jsondoc.Text("created_by", func(r *RecordMetadata) *string { return &r.CreatedBy }),
	jsondoc.Text("updated_by", func(r *RecordMetadata) *string { return &r.UpdatedBy }),
})

var downloadCodec = jsondoc.NewObject([]jsondoc.Codec[DownloadRecord]{
	jsondoc.StrictText("file_name", func(r *DownloadRecord) *string { return &r.FileName }).Require(requireFile),
	jsondoc.StrictText("file_url", func(r *DownloadRecord) *string { return &r.FileURL }).Require(requireURL),
	jsondoc.StrictText("sha256sum", func(r *DownloadRecord) *string { return &r.SHA256Sum }),
	jsondoc.Text("content_hash", func(r *DownloadRecord) *string { return &r.ContentHash }),
	jsondoc.Text("file_purpose", func(r *DownloadRecord) *string { return &r.FilePurpose }),
	optionalFlag("known_slow_download", func(r *DownloadRecord) *Optional[bool] { return &r.KnownSlowDownload }),
	optionalInt("size_bytes", func(r *DownloadRecord) *Optional[int64] { return &r.SizeBytes }),
})

var configCodec = jsondoc.NewObject([]jsondoc.Codec[RecordConfig]{
	jsondoc.Objects("download", "file_name", downloadCodec, DownloadRecord{SHA256Sum: unknownChecksum}, downloadArena,
		func(r *RecordConfig) *[]DownloadRecord { return &r.Download }),
	jsondoc.TextMap("embedded_component_hashes",
		func(r *RecordConfig) *map[string]string { return &r.EmbeddedComponentHashes }),
})

var classificationCodec = jsondoc.NewObject([]jsondoc.Codec[Classification]{
	jsondoc.StrictText("domain", func(r *Classification) *Domain { return &r.Domain }).Require(requireDomain),
	jsondoc.StrictText("purpose", func(r *Classification) *Purpose { return &r.Purpose }).Require(requirePurpose),
})

// commonFields are in the order in which the service writes them.
var commonFields = []jsondoc.Codec[ModelRecord]{
	jsondoc.Text("record_type", func(r *ModelRecord) *Category { return &r.RecordType }),
	jsondoc.Text("name", func(r *ModelRecord) *string { return &r.Name }),
	jsondoc.Text("description", func(r *ModelRecord) *string { return &r.Description }),
	jsondoc.Text("version", func(r *ModelRecord) *string { return &r.Version }),
	jsondoc.Pointer("finetune_series", seriesCodec, func(r *ModelRecord) **FinetuneSeries { return &r.FinetuneSeries }),
	jsondoc.Nested("metadata", metadataCodec, func(r *ModelRecord) *RecordMetadata { return &r.Metadata }),
	jsondoc.Nested("config", configCodec, func(r *ModelRecord) *RecordConfig { return &r.Config }),
	jsondoc.Nested("model_classification", classificationCodec,
		func(r *ModelRecord) *Classification { return &r.Classification }),
	optionalInt("size_on_disk_bytes", func(r *ModelRecord) *Optional[int64] { return &r.SizeOnDiskBytes }),
}

// licensingFields is the field of the licence. The service writes it after the fields of the category.
var licensingFields = []jsondoc.Codec[ModelRecord]{
	jsondoc.Shared("licensing", licensingCodec, licensingMemory, func(r *ModelRecord) **Licensing { return &r.Licensing }).
		KeepNull(func(r *ModelRecord) string { return r.raw }),
}

var (
	modelCodec = jsondoc.NewObject(commonFields, licensingFields)

	imageCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*ImageGenerationRecord).common), []jsondoc.Codec[ImageGenerationRecord]{
		jsondoc.Flag("inpainting", func(r *ImageGenerationRecord) *bool { return &r.Inpainting }),
		jsondoc.StrictText("baseline", func(r *ImageGenerationRecord) *Baseline { return &r.Baseline }).Require(requireBaseline),
		jsondoc.Text("optimization", func(r *ImageGenerationRecord) *string { return &r.Optimization }),
		jsondoc.TrimmedList("tags", func(r *ImageGenerationRecord) *[]string { return &r.Tags }),
		jsondoc.List("showcases", func(r *ImageGenerationRecord) *[]string { return &r.Showcases }),
		optionalInt("min_bridge_version", func(r *ImageGenerationRecord) *Optional[int64] { return &r.MinBridgeVersion }),
		jsondoc.List("trigger", func(r *ImageGenerationRecord) *[]string { return &r.Trigger }),
		jsondoc.Text("homepage", func(r *ImageGenerationRecord) *string { return &r.Homepage }),
		jsondoc.StrictFlag("nsfw", func(r *ImageGenerationRecord) *bool { return &r.NSFW }).Require(requireNSFW),
		jsondoc.TrimmedText("style", func(r *ImageGenerationRecord) *Style { return &r.Style }),
		jsondoc.Settings("requirements", func(r *ImageGenerationRecord) *map[string]any { return &r.Requirements }).
			Mapped(normalizeRequirements),
	}, jsondoc.Embed(licensingFields, (*ImageGenerationRecord).common))

	textCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*TextGenerationRecord).common), []jsondoc.Codec[TextGenerationRecord]{
		jsondoc.Text("baseline", func(r *TextGenerationRecord) *string { return &r.Baseline }),
		jsondoc.Int("parameters", func(r *TextGenerationRecord) *int64 { return &r.Parameters }).Require(requireParameters),
		jsondoc.Flag("nsfw", func(r *TextGenerationRecord) *bool { return &r.NSFW }),
		jsondoc.Text("style", func(r *TextGenerationRecord) *string { return &r.Style }),
		jsondoc.Text("display_name", func(r *TextGenerationRecord) *string { return &r.DisplayName }),
		jsondoc.Text("url", func(r *TextGenerationRecord) *string { return &r.URL }),
		jsondoc.TrimmedList("tags", func(r *TextGenerationRecord) *[]string { return &r.Tags }),
		jsondoc.Text("instruct_format", func(r *TextGenerationRecord) *string { return &r.InstructFormat }),
		jsondoc.Settings("settings", func(r *TextGenerationRecord) *map[string]any { return &r.Settings }),
		jsondoc.Text("text_model_group", func(r *TextGenerationRecord) *string { return &r.TextModelGroup }),
		jsondoc.Text("name_schema_exception", func(r *TextGenerationRecord) *string { return &r.NameSchemaException }),
	}, jsondoc.Embed(licensingFields, (*TextGenerationRecord).common), []jsondoc.Codec[TextGenerationRecord]{
		jsondoc.Shared("guidance", guidanceCodec, guidanceMemory,
			func(r *TextGenerationRecord) **GuidanceSummary { return &r.Guidance }).KeepNull(textRaw),
		jsondoc.Pointer("context_window", contextCodec,
			func(r *TextGenerationRecord) **ContextWindow { return &r.ContextWindow }).KeepNull(textRaw),
		jsondoc.ObjectMap("interaction_modes", claimCodec,
			func(r *TextGenerationRecord) *map[InteractionMode]SupportClaim { return &r.InteractionModes }).KeepNull(textRaw),
		jsondoc.ObjectMap("capabilities", claimCodec,
			func(r *TextGenerationRecord) *map[ModelCapability]SupportClaim { return &r.Capabilities }).KeepNull(textRaw),
		// In search and popular results the field is parameters_count, in category documents it is parameters.
		jsondoc.Int("parameters_count", func(r *TextGenerationRecord) *int64 { return &r.Parameters }).
			Require(requireParameters).ReadOnly(),
	})

	controlNetCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*ControlNetRecord).common), []jsondoc.Codec[ControlNetRecord]{
		jsondoc.Text("controlnet_style", func(r *ControlNetRecord) *ControlNetStyle { return &r.ControlNetStyle }),
	}, jsondoc.Embed(licensingFields, (*ControlNetRecord).common))

	annotatorCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*ControlNetAnnotatorRecord).common), []jsondoc.Codec[ControlNetAnnotatorRecord]{
		jsondoc.List("control_types", func(r *ControlNetAnnotatorRecord) *[]string { return &r.ControlTypes }),
		jsondoc.List("preprocessors", func(r *ControlNetAnnotatorRecord) *[]string { return &r.Preprocessors }),
	}, jsondoc.Embed(licensingFields, (*ControlNetAnnotatorRecord).common))

	clipCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*CLIPRecord).common), []jsondoc.Codec[CLIPRecord]{
		jsondoc.Text("pretrained_name", func(r *CLIPRecord) *string { return &r.PretrainedName }),
	}, jsondoc.Embed(licensingFields, (*CLIPRecord).common))

	blipCodec          = jsondoc.NewObject(jsondoc.Embed(commonFields, (*BLIPRecord).common), jsondoc.Embed(licensingFields, (*BLIPRecord).common))
	esrganCodec        = jsondoc.NewObject(jsondoc.Embed(commonFields, (*ESRGANRecord).common), jsondoc.Embed(licensingFields, (*ESRGANRecord).common))
	gfpganCodec        = jsondoc.NewObject(jsondoc.Embed(commonFields, (*GFPGANRecord).common), jsondoc.Embed(licensingFields, (*GFPGANRecord).common))
	codeFormerCodec    = jsondoc.NewObject(jsondoc.Embed(commonFields, (*CodeFormerRecord).common), jsondoc.Embed(licensingFields, (*CodeFormerRecord).common))
	safetyCheckerCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*SafetyCheckerRecord).common), jsondoc.Embed(licensingFields, (*SafetyCheckerRecord).common))
	miscellaneousCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*MiscellaneousRecord).common), jsondoc.Embed(licensingFields, (*MiscellaneousRecord).common))

	videoCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*VideoGenerationRecord).common), []jsondoc.Codec[VideoGenerationRecord]{
		jsondoc.Text("baseline", func(r *VideoGenerationRecord) *string { return &r.Baseline }),
		jsondoc.Flag("nsfw", func(r *VideoGenerationRecord) *bool { return &r.NSFW }),
		jsondoc.TrimmedList("tags", func(r *VideoGenerationRecord) *[]string { return &r.Tags }),
	}, jsondoc.Embed(licensingFields, (*VideoGenerationRecord).common))

	audioCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*AudioGenerationRecord).common), []jsondoc.Codec[AudioGenerationRecord]{
		jsondoc.Text("baseline", func(r *AudioGenerationRecord) *string { return &r.Baseline }),
		jsondoc.Flag("nsfw", func(r *AudioGenerationRecord) *bool { return &r.NSFW }),
		jsondoc.TrimmedList("tags", func(r *AudioGenerationRecord) *[]string { return &r.Tags }),
	}, jsondoc.Embed(licensingFields, (*AudioGenerationRecord).common))

	loraCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*LoRARecord).common), []jsondoc.Codec[LoRARecord]{
		jsondoc.Text("baseline", func(r *LoRARecord) *Baseline { return &r.Baseline }),
		jsondoc.Flag("nsfw", func(r *LoRARecord) *bool { return &r.NSFW }),
		jsondoc.TrimmedList("tags", func(r *LoRARecord) *[]string { return &r.Tags }),
		jsondoc.List("trigger", func(r *LoRARecord) *[]string { return &r.Trigger }),
		jsondoc.Text("homepage", func(r *LoRARecord) *string { return &r.Homepage }),
		jsondoc.List("showcases", func(r *LoRARecord) *[]string { return &r.Showcases }),
	}, jsondoc.Embed(licensingFields, (*LoRARecord).common))

	inversionCodec = jsondoc.NewObject(jsondoc.Embed(commonFields, (*TextualInversionRecord).common), []jsondoc.Codec[TextualInversionRecord]{
		jsondoc.Text("baseline", func(r *TextualInversionRecord) *Baseline { return &r.Baseline }),
		jsondoc.Flag("nsfw", func(r *TextualInversionRecord) *bool { return &r.NSFW }),
		jsondoc.TrimmedList("tags", func(r *TextualInversionRecord) *[]string { return &r.Tags }),
		jsondoc.List("trigger", func(r *TextualInversionRecord) *[]string { return &r.Trigger }),
		jsondoc.Text("homepage", func(r *TextualInversionRecord) *string { return &r.Homepage }),
		jsondoc.List("showcases", func(r *TextualInversionRecord) *[]string { return &r.Showcases }),
	}, jsondoc.Embed(licensingFields, (*TextualInversionRecord).common))
)
