package legacy

// This file has the two shapes of a record, the one in the files and the one in v2 documents, and what both share: the
// weights to download.

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// legacyRecord is a record of a JSON file. What v2 has no place for is not read, and so cannot make a record bad.
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
}

// legacyConfig says what to download in two lists that name each other's entries.
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

// UnmarshalJSONFrom reads the config afresh: of two in one record the later counts, and nothing of the earlier.
func (c *legacyConfig) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain legacyConfig
	var fresh plain
	err := json.UnmarshalDecode(dec, &fresh)
	*c = legacyConfig(fresh)
	return err
}

// entries is a list of objects. Upstream takes whatever is false in Python for an empty one.
type entries[T any] []T

// UnmarshalJSONFrom reads an array, or one of the values that stand for none.
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
	return fmt.Errorf("want an array, not %s", kindName(raw.Kind()))
}

// record is a record of a v2 document, with the fields of every category. Absent ones are left out, for whoever
// decodes the document has the defaults.
type record struct {
	RecordType       string `json:"record_type"`
	Name             string `json:"name"`
	Description      text   `json:"description,omitzero"`
	Version          text   `json:"version,omitzero"`
	Config           config `json:"config,omitzero"`
	SizeOnDiskBytes  whole  `json:"size_on_disk_bytes,omitzero"`
	Inpainting       flag   `json:"inpainting,omitzero"`
	Baseline         text   `json:"baseline,omitzero"`
	ControlNetStyle  text   `json:"controlnet_style,omitzero"`
	PretrainedName   text   `json:"pretrained_name,omitzero"`
	Optimization     text   `json:"optimization,omitzero"`
	Parameters       whole  `json:"parameters,omitzero"`
	Tags             texts  `json:"tags,omitzero"`
	Showcases        texts  `json:"showcases,omitzero"`
	MinBridgeVersion whole  `json:"min_bridge_version,omitzero"`
	Trigger          texts  `json:"trigger,omitzero"`
	Homepage         text   `json:"homepage,omitzero"`
	NSFW             flag   `json:"nsfw,omitzero"`
	Style            text   `json:"style,omitzero"`
	Requirements     bag    `json:"requirements,omitzero"`
	DisplayName      text   `json:"display_name,omitzero"`
	URL              text   `json:"url,omitzero"`
	InstructFormat   text   `json:"instruct_format,omitzero"`
	Settings         bag    `json:"settings,omitzero"`
	TextModelGroup   text   `json:"text_model_group,omitzero"`
}

type config struct {
	Download []download `json:"download,omitempty"`
	Embedded bag        `json:"embedded_component_hashes,omitzero"`
}

// IsZero tells the encoder to leave out a config that says nothing.
func (c *config) IsZero() bool { return len(c.Download) == 0 && c.Embedded.IsZero() }

type download struct {
	FileName          string `json:"file_name"`
	FileURL           string `json:"file_url"`
	SHA256Sum         string `json:"sha256sum"`
	ContentHash       text   `json:"content_hash,omitzero"`
	FilePurpose       text   `json:"file_purpose,omitzero"`
	KnownSlowDownload bool   `json:"known_slow_download"`
}

// unknownSum is what v2 says where no checksum is known.
const unknownSum = "FIXME"

// downloads joins the two lists of a config by file name. The order is that of the files; of two with one path the
// later counts, in the earlier one's place.
func (c *legacyConfig) downloads() ([]download, error) {
	joined := make([]download, 0, len(c.Files))
	index := make(map[string]int, len(c.Files))
	for i, file := range c.Files {
		if !file.Path.set {
			return nil, fmt.Errorf("config.files[%d] has no path", i)
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
			return nil, fmt.Errorf("config.download[%d] is for %q, which is not among config.files", i, source.FileName.value)
		}
		if brokenHost(source.FileURL.value) {
			return nil, fmt.Errorf("config.download[%d] has a broken URL", i)
		}
		joined[at].FileURL = source.FileURL.value
	}
	return joined, nil
}

// download returns the file's half of a download; the URL is in the other list.
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

// isInferenceConfig tells whether a file is one of the .yaml files that v2 leaves out. Upstream looks for the word
// anywhere in the path.
func isInferenceConfig(path string) bool {
	return strings.Contains(strings.ToLower(path), "yaml")
}

// isSlow tells whether upstream flags the file as slow to download. The mirror's name is looked for in the file's own
// path and not in its URL, so that hardly any file is flagged; v2 documents say the same.
func isSlow(path string) bool {
	return strings.Contains(strings.ToLower(path), "civitai")
}

// brokenHost tells whether a URL's host opens a bracket that it does not close or the reverse, the one thing about a
// URL that makes its record a bad one upstream.
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

// common returns the part of a v2 record that every category of the image repository has.
func (r *legacyRecord) common() (*record, error) {
	if !r.Name.set {
		return nil, errors.New("has no name")
	}
	files, err := r.Config.downloads()
	if err != nil {
		return nil, err
	}
	embedded, err := r.Config.Embedded.hashes()
	if err != nil {
		return nil, fmt.Errorf("config.embedded_component_hashes: %w", err)
	}
	return &record{
		Name:        r.Name.value,
		Description: r.Description,
		Version:     r.Version,
		Config:      config{Download: files, Embedded: embedded},
	}, nil
}
