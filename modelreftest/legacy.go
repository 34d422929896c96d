package modelreftest

// This file makes the legacy files at GitHub from v2 documents. The SDK does the reverse.

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

const textFile = "models.csv"

// legacyFile returns the name of a category's file at GitHub, or "" if there is none.
func legacyFile(category modelref.Category) string {
	switch {
	case !category.HasGitHubSource():
		return ""
	case category == modelref.CategoryTextGeneration:
		return textFile
	}
	return category.FileName()
}

// emptyLegacy returns the file of a category without records.
func emptyLegacy(category modelref.Category) string {
	if category == modelref.CategoryTextGeneration {
		return strings.Join(csvHeader(), ",") + "\n"
	}
	return emptyDocument
}

// toLegacy returns the legacy file that converts to the records of a document. Entries that are not records are left out, and
// so are text models with the prefix of a backend, which the file never has. It returns an error if the document is not a
// JSON object.
func toLegacy(category modelref.Category, document string) (string, error) {
	entries, err := decodeObject([]byte(document))
	if err != nil {
		return "", err
	}
	if category == modelref.CategoryTextGeneration {
		return toCSV(entries)
	}
	old := make([]member, 0, len(entries))
	for _, entry := range entries {
		if fields, err := decodeObject(entry.value); err == nil {
			old = append(old, member{entry.name, encodeObject(legacyFields(category, entry.name, fields))})
		}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, encodeObject(old), "", "    "); err != nil {
		return "", err
	}
	return out.String() + "\n", nil
}

// copiedFields are the fields that are the same in both formats.
func copiedFields() []string {
	return []string{
		"description", "version", "style", "nsfw", "inpainting", "tags", "min_bridge_version", "trigger", "homepage",
		"size_on_disk_bytes", "requirements", "optimization", "pretrained_name",
	}
}

// oldBaseline returns the spelling of a baseline in the legacy files.
func oldBaseline(baseline string) string {
	switch baseline {
	case "stable_diffusion_1":
		return "stable diffusion 1"
	case "stable_diffusion_2_768":
		return "stable diffusion 2"
	case "stable_diffusion_2_512":
		return "stable diffusion 2 512"
	}
	return baseline
}

// legacyFields returns the legacy record of a v2 record.
func legacyFields(category modelref.Category, key string, fields []member) []member {
	name := stringField(fields, "name")
	if name == "" {
		name = key
	}
	old := []member{{"name", encode(name)}, {"type", encode(legacyType(category, fields))}}
	if category == modelref.CategoryImageGeneration {
		old = append(old, member{"baseline", encode(oldBaseline(stringField(fields, "baseline")))})
	}
	for _, copied := range copiedFields() {
		if value := field(fields, copied); value != nil {
			old = append(old, member{copied, value})
		}
	}
	var showcases []string
	if json.Unmarshal(field(fields, "showcases"), &showcases) == nil {
		old = append(old, member{"showcases", encode(withoutMirror(showcases))})
	}
	return append(old, member{"config", legacyConfig(field(fields, "config"))}, member{"available", encode(false)})
}

// legacyType returns the "type" of a legacy record, which some categories require.
func legacyType(category modelref.Category, fields []member) string {
	switch category {
	case modelref.CategoryImageGeneration:
		return "ckpt"
	case modelref.CategoryControlNet:
		return stringField(fields, "controlnet_style")
	}
	return string(category)
}

// withoutMirror removes the showcases for which a legacy record is rejected.
func withoutMirror(showcases []string) []string {
	kept := []string{}
	for _, url := range showcases {
		if !strings.Contains(url, "huggingface") {
			kept = append(kept, url)
		}
	}
	return kept
}

// legacyConfig splits the downloads of a record into the two lists that the legacy files have.
func legacyConfig(config json.RawMessage) json.RawMessage {
	var now struct {
		Download []struct {
			FileName    string `json:"file_name"`
			FileURL     string `json:"file_url"`
			SHA256Sum   string `json:"sha256sum"`
			ContentHash string `json:"content_hash"`
			FilePurpose string `json:"file_purpose"`
		} `json:"download"`
		Embedded json.RawMessage `json:"embedded_component_hashes,omitempty"`
	}
	type file struct {
		Path        string `json:"path"`
		SHA256Sum   string `json:"sha256sum,omitempty"`
		FileType    string `json:"file_type,omitempty"`
		ContentHash string `json:"content_hash,omitempty"`
	}
	type download struct {
		FileName string `json:"file_name"`
		FilePath string `json:"file_path"`
		FileURL  string `json:"file_url"`
	}
	var old struct {
		Files    []file          `json:"files"`
		Download []download      `json:"download"`
		Embedded json.RawMessage `json:"embedded_component_hashes,omitempty"`
	}
	old.Files, old.Download = []file{}, []download{}
	if json.Unmarshal(config, &now) != nil {
		return encode(old) // a config that is not an object has no files
	}
	for _, d := range now.Download {
		old.Files = append(old.Files, file{d.FileName, d.SHA256Sum, d.FilePurpose, d.ContentHash})
		if d.FileURL != "" && !strings.Contains(strings.ToLower(d.FileName), "yaml") { // such files are not downloaded
			old.Download = append(old.Download, download{FileName: d.FileName, FileURL: d.FileURL})
		}
	}
	if string(now.Embedded) != "null" {
		old.Embedded = now.Embedded
	}
	return encode(old)
}

func csvHeader() []string {
	return []string{
		"name", "parameters_bn", "display_name", "url", "baseline", "description", "style", "tags", "instruct_format",
		"settings",
	}
}

// toCSV returns the rows of text records.
func toCSV(entries []member) (string, error) {
	var out strings.Builder
	w := csv.NewWriter(&out)
	rows := [][]string{csvHeader()}
	for _, entry := range entries {
		fields, err := decodeObject(entry.value)
		if err == nil && !hasBackendPrefix(entry.name) {
			rows = append(rows, csvRow(entry.name, fields))
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return "", err
	}
	return out.String(), nil
}

func hasBackendPrefix(name string) bool {
	for _, backend := range modelref.TextBackends() {
		if strings.HasPrefix(name, backend.Prefix()) {
			return true
		}
	}
	return false
}

func csvRow(name string, fields []member) []string {
	row := []string{name}
	for _, column := range csvHeader()[1:] {
		var cell string
		switch column {
		case "parameters_bn":
			cell = billions(field(fields, "parameters"))
		case "tags":
			var tags []string
			if json.Unmarshal(field(fields, "tags"), &tags) == nil {
				cell = strings.Join(tags, ", ")
			}
		case "settings":
			cell = string(field(fields, "settings"))
		default:
			cell = stringField(fields, column)
		}
		row = append(row, cell)
	}
	return row
}

// billions returns a number of parameters in billions, so that multiplying and truncating returns the same number.
func billions(parameters json.RawMessage) string {
	var n float64
	if json.Unmarshal(parameters, &n) != nil {
		return ""
	}
	bn := n / 1e9
	if math.Trunc(bn*1e9) < math.Trunc(n) {
		bn = math.Nextafter(bn, math.Inf(1))
	}
	return strconv.FormatFloat(bn, 'f', -1, 64)
}

// duplicateRow repeats the first row after the header.
func duplicateRow(body []byte) []byte {
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) < 2 {
		return body
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(append(rows, rows[1])); err != nil {
		return body
	}
	return out.Bytes()
}

// member is one name and value of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// decodeObject returns the members of a JSON object in their order.
func decodeObject(document []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	start, err := d.Token()
	if err != nil {
		return nil, err
	}
	if start != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var members []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		members = append(members, member{name.(string), value})
	}
	_, err = d.Token()
	return members, err
}

// encodeObject returns the JSON of an object.
func encodeObject(members []member) json.RawMessage {
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, encode(m.name)...), ':'), m.value...)
	}
	return append(out, '}')
}

// field returns the value of a field, or nil if it is absent or null.
func field(fields []member, name string) json.RawMessage {
	for i := len(fields) - 1; i >= 0; i-- {
		if fields[i].name == name && string(fields[i].value) != "null" {
			return fields[i].value
		}
	}
	return nil
}

// stringField returns the value of a field if it is a string, and otherwise "".
func stringField(fields []member, name string) string {
	var value string
	if json.Unmarshal(field(fields, name), &value) != nil {
		return ""
	}
	return value
}

// setField returns the fields with another value for one of them, at the end.
func setField(fields []member, name, value string) []member {
	out := make([]member, 0, len(fields)+1)
	for _, f := range fields {
		if f.name != name {
			out = append(out, f)
		}
	}
	return append(out, member{name, json.RawMessage(value)})
}
