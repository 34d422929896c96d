package legacy

// This file has the two forms of a record, that of the files and that of v2 documents, and the conversion of the
// weights to download.

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// legacyRecord is a record of a JSON file. Fields that v2 does not have are not read, so they cannot make a record
// invalid.
type legacyRecord struct {
	Name             text         `json:"name"`
	Type             text         `json:"type"`
	Description      text         `json:"description"`
	Version          text         `json:"version"`
	Style            text         `json:"style"`
	NSFW             flag         `json:"nsfw"`
	Config           legacyConfig `json:"config"`
	Inpainting       flag         `json:"inpainting"`
	Baseline         text         `json:"baseline"`
	Optimization     text         `json:"optimization"`
	Tags             texts        `json:"tags"`
	Showcases        texts        `json:"showcases"`
	MinBridgeVersion whole        `json:"min_bridge_version"`
	Trigger          texts        `json:"trigger"`
	Homepage         text         `json:"homepage"`
	SizeOnDiskBytes  whole        `json:"size_on_disk_bytes"`
	Requirements     bag          `json:"requirements"`
	PretrainedName   text         `json:"pretrained_name"`
	Licensing        licensing    `json:"licensing"`
	Metadata         metadata     `json:"metadata"`
}

// legacyConfig has the files to download in two lists. Their entries refer to each other by file name.
type legacyConfig struct {
	Files    entries[legacyFile]     `json:"files"`
	Download entries[legacyDownload] `json:"download"`
	Embedded bag                     `json:"embedded_component_hashes"`
}

type legacyFile struct {
	Path        text `json:"path"`
	SHA256Sum   text `json:"sha256sum"`
	FileType    text `json:"file_type"`
	ContentHash text `json:"content_hash"`
}

type legacyDownload struct {
	FileName text `json:"file_name"`
	FileURL  text `json:"file_url"`
}

// UnmarshalJSONFrom reads a config. If a record has two configs, the later one replaces the earlier one completely.
func (c *legacyConfig) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain legacyConfig
	var fresh plain
	err := json.UnmarshalDecode(dec, &fresh)
	*c = legacyConfig(fresh)
	return err
}

// entries is a list of objects. As upstream does, it accepts every value that is false in Python as an empty list.
type entries[T any] []T

// UnmarshalJSONFrom reads an array, or a value that represents an empty list.
func (e *entries[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*e = nil
	if dec.PeekKind() == '[' {
		return json.UnmarshalDecode(dec, (*[]T)(e))
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch string(raw) {
	case "null", "false", "0", `""`, "{}":
		return nil
	}
	return fmt.Errorf("must be an array, got %s", kindName(raw.Kind()))
}

// record is a record of a v2 document, with the fields of all categories. Absent fields are left out, because the
// decoder of the document sets the defaults.
type record struct {
	RecordType       string   `json:"record_type"`
	Name             string   `json:"name"`
	Description      text     `json:"description,omitzero"`
	Version          text     `json:"version,omitzero"`
	Metadata         metadata `json:"metadata,omitzero"`
	Config           config   `json:"config,omitzero"`
	SizeOnDiskBytes  whole    `json:"size_on_disk_bytes,omitzero"`
	Inpainting       flag     `json:"inpainting,omitzero"`
	Baseline         text     `json:"baseline,omitzero"`
	ControlNetStyle  text     `json:"controlnet_style,omitzero"`
	PretrainedName   text     `json:"pretrained_name,omitzero"`
	Optimization     text     `json:"optimization,omitzero"`
	Parameters       whole    `json:"parameters,omitzero"`
	Tags             texts    `json:"tags,omitzero"`
	Showcases        texts    `json:"showcases,omitzero"`
	MinBridgeVersion whole    `json:"min_bridge_version,omitzero"`
	Trigger          texts    `json:"trigger,omitzero"`
	Homepage         text     `json:"homepage,omitzero"`
	NSFW             flag     `json:"nsfw,omitzero"`
	Style            text     `json:"style,omitzero"`
	Requirements     bag      `json:"requirements,omitzero"`
	DisplayName      text     `json:"display_name,omitzero"`
	URL              text     `json:"url,omitzero"`
	InstructFormat   text     `json:"instruct_format,omitzero"`
	Settings         bag      `json:"settings,omitzero"`
	TextModelGroup   text     `json:"text_model_group,omitzero"`
	ContextWindow    block    `json:"context_window,omitzero"`
	InteractionModes block    `json:"interaction_modes,omitzero"`
	Capabilities     block    `json:"capabilities,omitzero"`

	Licensing licensing `json:"licensing,omitzero"`
}

type config struct {
	Download []download `json:"download,omitempty"`
	Embedded bag        `json:"embedded_component_hashes,omitzero"`
}

// IsZero reports whether the config is empty, so that the encoder leaves it out.
func (c *config) IsZero() bool { return len(c.Download) == 0 && c.Embedded.IsZero() }

type download struct {
	FileName          string `json:"file_name"`
	FileURL           string `json:"file_url"`
	SHA256Sum         string `json:"sha256sum"`
	ContentHash       text   `json:"content_hash,omitzero"`
	FilePurpose       text   `json:"file_purpose,omitzero"`
	KnownSlowDownload bool   `json:"known_slow_download"`
}

// unknownSum is the checksum in v2 if the checksum of a file is not known.
const unknownSum = "FIXME"

// downloads joins the two lists of a config by file name, in the order of the files. If two files have the same path,
// the later file takes the place of the earlier one.
func (c *legacyConfig) downloads() ([]download, error) {
	joined := make([]download, 0, len(c.Files))
	index := make(map[string]int, len(c.Files))
	for i, file := range c.Files {
		if !file.Path.set {
			return nil, fmt.Errorf("config.files[%d]: path is missing", i)
		}
		if file.Path.value == "" || isInferenceConfig(file.Path.value) {
			continue
		}
		at, again := index[file.Path.value]
		if !again {
			at = len(joined)
			index[file.Path.value] = at
			joined = append(joined, download{})
		}
		joined[at] = file.download()
	}
	for i, source := range c.Download {
		at, known := index[source.FileName.value]
		if !known {
			return nil, fmt.Errorf("config.download[%d]: file_name must be the path of one of config.files, got %q", i, source.FileName.value)
		}
		if brokenHost(source.FileURL.value) {
			return nil, fmt.Errorf("config.download[%d]: file_url has an invalid host", i)
		}
		joined[at].FileURL = source.FileURL.value
	}
	return joined, nil
}

// download returns the download of a file without its URL, which is in the other list.
func (f *legacyFile) download() download {
	d := download{
		FileName:          f.Path.value,
		SHA256Sum:         f.SHA256Sum.value,
		ContentHash:       f.ContentHash,
		FilePurpose:       f.FileType,
		KnownSlowDownload: isSlow(f.Path.value),
	}
	if d.SHA256Sum == "" {
		d.SHA256Sum = unknownSum
	}
	return d
}

// isInferenceConfig reports whether a file is one of the .yaml files that v2 leaves out. As upstream does, it looks for
// "yaml" anywhere in the path.
func isInferenceConfig(path string) bool {
	return strings.Contains(strings.ToLower(path), "yaml")
}

// isSlow reports whether upstream marks the file as slow to download. Upstream searches the path of the file, not its
// URL, for the name of the mirror. Therefore hardly any file is marked, in v2 documents as well.
func isSlow(path string) bool {
	return strings.Contains(strings.ToLower(path), "civitai")
}

// brokenHost reports whether the host of a URL has only one of the two square brackets. This is the only error in a URL
// for which upstream rejects the record.
func brokenHost(url string) bool {
	_, rest, found := strings.Cut(url, "//")
	if !found {
		return false
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return strings.Contains(rest, "[") != strings.Contains(rest, "]")
}

// common returns the fields of a v2 record that all categories of the image repository have.
func (r *legacyRecord) common() (*record, error) {
	if !r.Name.set {
		return nil, errors.New("name is missing")
	}
	files, err := r.Config.downloads()
	if err != nil {
		return nil, err
	}
	embedded, err := r.Config.Embedded.hashes()
	if err != nil {
		return nil, fmt.Errorf("config.embedded_component_hashes: %w", err)
	}
	if err := r.Licensing.checkFiles(files); err != nil {
		return nil, err
	}
	return &record{
		Licensing:   r.Licensing,
		Metadata:    r.Metadata,
		Name:        r.Name.value,
		Description: r.Description,
		Version:     r.Version,
		Config:      config{Download: files, Embedded: embedded},
	}, nil
}
