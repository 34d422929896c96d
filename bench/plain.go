package bench

// This file has the records as a user of the service without modelref might define them, and the decoders for these
// records.

import (
	"encoding/json"

	"github.com/bytedance/sonic"
	experiment "github.com/go-json-experiment/json"
	goccy "github.com/goccy/go-json"
)

// PlainCommon has the fields of the records of all categories.
type PlainCommon struct {
	RecordType     string `json:"record_type"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	Version        string `json:"version"`
	FinetuneSeries *struct {
		Name        string `json:"name"`
		Version     string `json:"version"`
		Author      string `json:"author"`
		Description string `json:"description"`
		Homepage    string `json:"homepage"`
	} `json:"finetune_series"`
	Metadata struct {
		SchemaVersion string `json:"schema_version"`
		CreatedAt     *int64 `json:"created_at"`
		UpdatedAt     *int64 `json:"updated_at"`
		CreatedBy     string `json:"created_by"`
		UpdatedBy     string `json:"updated_by"`
	} `json:"metadata"`
	Config struct {
		Download []struct {
			FileName          string `json:"file_name"`
			FileURL           string `json:"file_url"`
			SHA256Sum         string `json:"sha256sum"`
			ContentHash       string `json:"content_hash"`
			FilePurpose       string `json:"file_purpose"`
			KnownSlowDownload *bool  `json:"known_slow_download"`
			SizeBytes         *int64 `json:"size_bytes"`
		} `json:"download"`
		EmbeddedComponentHashes map[string]string `json:"embedded_component_hashes"`
	} `json:"config"`
	Classification struct {
		Domain  string `json:"domain"`
		Purpose string `json:"purpose"`
	} `json:"model_classification"`
	SizeOnDiskBytes *int64 `json:"size_on_disk_bytes"`
	Licensing       *struct {
		PlainAssignment
		Files map[string]PlainAssignment `json:"files"`
	} `json:"licensing"`
}

// PlainAssignment is the licence of a model or a file.
type PlainAssignment struct {
	LicenseExpression string   `json:"license_expression"`
	LicenseIDs        []string `json:"license_ids"`
	CommercialUse     string   `json:"commercial_use"`
	Redistribution    string   `json:"redistribution"`
	Obligations       []string `json:"obligations"`
	Attribution       string   `json:"attribution"`
	Evidence          []struct {
		Source      string `json:"source"`
		Description string `json:"description"`
		CheckedAt   string `json:"checked_at"`
	} `json:"evidence"`
	ReviewedBy string `json:"reviewed_by"`
	ReviewedAt string `json:"reviewed_at"`
	Notes      string `json:"notes"`
}

// PlainClaim says whether a text model supports something.
type PlainClaim struct {
	Status        string        `json:"status"`
	Sources       []PlainSource `json:"sources"`
	Qualification string        `json:"qualification"`
}

// PlainSource is the source of a claim.
type PlainSource struct {
	URL   string `json:"url"`
	Title string `json:"title"`
	Note  string `json:"note"`
}

// PlainText is a text record.
type PlainText struct {
	PlainCommon
	Baseline            string         `json:"baseline"`
	Parameters          int64          `json:"parameters"`
	NSFW                bool           `json:"nsfw"`
	Style               string         `json:"style"`
	DisplayName         string         `json:"display_name"`
	URL                 string         `json:"url"`
	Tags                []string       `json:"tags"`
	InstructFormat      string         `json:"instruct_format"`
	Settings            map[string]any `json:"settings"`
	TextModelGroup      string         `json:"text_model_group"`
	NameSchemaException string         `json:"name_schema_exception"`
	Guidance            *struct {
		Status                 string   `json:"status"`
		PrimaryProfileID       string   `json:"primary_profile_id"`
		SupplementalProfileIDs []string `json:"supplemental_profile_ids"`
	} `json:"guidance"`
	ContextWindow *struct {
		MaximumTokens int64         `json:"maximum_tokens"`
		Sources       []PlainSource `json:"sources"`
		Qualification string        `json:"qualification"`
	} `json:"context_window"`
	InteractionModes map[string]PlainClaim `json:"interaction_modes"`
	Capabilities     map[string]PlainClaim `json:"capabilities"`
}

// PlainImage is an image record.
type PlainImage struct {
	PlainCommon
	Baseline         string         `json:"baseline"`
	NSFW             bool           `json:"nsfw"`
	Inpainting       bool           `json:"inpainting"`
	Optimization     string         `json:"optimization"`
	Tags             []string       `json:"tags"`
	Showcases        []string       `json:"showcases"`
	MinBridgeVersion *int64         `json:"min_bridge_version"`
	Trigger          []string       `json:"trigger"`
	Homepage         string         `json:"homepage"`
	Style            string         `json:"style"`
	Requirements     map[string]any `json:"requirements"`
}

// decoder is a JSON decoder with the call that a program would use.
type decoder struct {
	name      string
	unmarshal func(data []byte, into any) error
}

// decoders are the alternatives. The caller must not modify the bytes afterwards, because some decoders return strings
// that refer to the bytes. sonic has its fastest configuration, which also skips the validation of strings.
var decoders = []decoder{
	{"encoding/json", json.Unmarshal},
	{"go-json-experiment", func(data []byte, into any) error { return experiment.Unmarshal(data, into) }},
	{"sonic", sonic.ConfigFastest.Unmarshal},
	{"goccy", goccy.Unmarshal},
}
