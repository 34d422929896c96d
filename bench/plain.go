package bench

// This file has the records as somebody would write them who reads the service without modelref, and the decoders that
// fill them.

import (
	"encoding/json"

	"github.com/bytedance/sonic"
	experiment "github.com/go-json-experiment/json"
	goccy "github.com/goccy/go-json"
)

// PlainCommon is what the records of all categories have.
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

// decoder is a JSON decoder as a program would call it.
type decoder struct {
	name      string
	unmarshal func(data []byte, into any) error
}

// decoders are the alternatives. The caller of each hands over the bytes and leaves them alone afterwards, so that those
// that can cut strings out of them may: sonic is set to its fastest, which also skips its checks of the text.
var decoders = []decoder{
	{"encoding/json", json.Unmarshal},
	{"go-json-experiment", func(data []byte, into any) error { return experiment.Unmarshal(data, into) }},
	{"sonic", sonic.ConfigFastest.Unmarshal},
	{"goccy", goccy.Unmarshal},
}
