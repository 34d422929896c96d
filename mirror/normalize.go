// The JSON of a record in search results: the fields that the service knows, with defaults filled in and without nulls.

package mirror

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

// fieldKind says how the service normalizes a field.
type fieldKind uint8

const (
	kindText fieldKind = iota
	kindInt
	kindBool
	kindList    // a list of strings
	kindTags    // a list of strings without white space around them
	kindTrimmed // a text without white space around it
	kindObject  // anything else: it is kept without nulls, and records cannot be sorted by it
)

// recordField is one field of a record.
type recordField struct {
	name     string
	kind     fieldKind
	fallback string // the JSON that the service fills in if the record does not have the field
}

// recordType is what the service knows about the records of a category.
type recordType struct {
	class  string // the name of the type in the service's error messages
	fields []recordField
}

// commonFields are the fields of every record.
var commonFields = []recordField{
	{name: "record_type"}, {name: "name"}, {name: "description"}, {name: "version"},
	{name: "finetune_series", kind: kindObject}, {name: "metadata", kind: kindObject}, {name: "config", kind: kindObject},
	{name: "model_classification", kind: kindObject}, {name: "size_on_disk_bytes", kind: kindInt},
}

// Fields that more than one category has.
var (
	baselineField  = recordField{name: "baseline"}
	nsfwField      = recordField{name: "nsfw", kind: kindBool, fallback: "false"}
	tagsField      = recordField{name: "tags", kind: kindTags}
	triggerField   = recordField{name: "trigger", kind: kindList}
	homepageField  = recordField{name: "homepage"}
	showcasesField = recordField{name: "showcases", kind: kindList}
)

// genericRecord is the type of the records of a search in all categories.
var genericRecord = recordType{class: "GenericModelRecord"}

// recordTypes has the type of the records of each category.
var recordTypes = map[modelref.Category]recordType{
	modelref.CategoryImageGeneration: {"ImageGenerationModelRecord", []recordField{
		{name: "inpainting", kind: kindBool, fallback: "false"}, baselineField, {name: "optimization"},
		{name: "tags", kind: kindTags, fallback: "[]"}, {name: "showcases", kind: kindList, fallback: "[]"},
		{name: "min_bridge_version", kind: kindInt}, {name: "trigger", kind: kindList, fallback: "[]"}, homepageField,
		nsfwField, {name: "style", kind: kindTrimmed}, {name: "requirements", kind: kindObject},
	}},
	modelref.CategoryTextGeneration: {"TextGenerationModelRecord", []recordField{
		baselineField, {name: "parameters_count", kind: kindInt}, nsfwField, {name: "style"}, {name: "display_name"},
		{name: "url"}, tagsField, {name: "instruct_format"}, {name: "settings", kind: kindObject},
		{name: "text_model_group"}, {name: "name_schema_exception"},
	}},
	modelref.CategoryControlNet: {"ControlNetModelRecord", []recordField{{name: "controlnet_style"}}},
	modelref.CategoryControlNetAnnotator: {"ControlNetAnnotatorModelRecord", []recordField{
		{name: "control_types", kind: kindList, fallback: "[]"}, {name: "preprocessors", kind: kindList, fallback: "[]"},
	}},
	modelref.CategoryCLIP:            {"ClipModelRecord", []recordField{{name: "pretrained_name"}}},
	modelref.CategoryBLIP:            {"BlipModelRecord", nil},
	modelref.CategoryESRGAN:          {"EsrganModelRecord", nil},
	modelref.CategoryGFPGAN:          {"GfpganModelRecord", nil},
	modelref.CategoryCodeFormer:      {"CodeformerModelRecord", nil},
	modelref.CategorySafetyChecker:   {"SafetyCheckerModelRecord", nil},
	modelref.CategoryMiscellaneous:   {"MiscellaneousModelRecord", nil},
	modelref.CategoryVideoGeneration: {"VideoGenerationModelRecord", []recordField{baselineField, nsfwField, tagsField}},
	modelref.CategoryAudioGeneration: {"AudioGenerationModelRecord", []recordField{baselineField, nsfwField, tagsField}},
	modelref.CategoryLoRA: {"LoraModelRecord", []recordField{
		baselineField, nsfwField, tagsField, triggerField, homepageField, showcasesField,
	}},
	modelref.CategoryTextualInversion: {"TextualInversionModelRecord", []recordField{
		baselineField, nsfwField, tagsField, triggerField, homepageField, showcasesField,
	}},
}

// newerTextFields are the fields that newer deployments have on text models.
var newerTextFields = []recordField{
	{name: "context_window", kind: kindObject}, {name: "interaction_modes", kind: kindObject},
	{name: "capabilities", kind: kindObject},
}

// licensingField is the field that newer deployments have on every record.
var licensingField = recordField{name: "licensing", kind: kindObject}

// fieldsOf returns the fields of the records of a category, as a deployment has them: licensed is set for the newer ones.
func fieldsOf(t recordType, licensed bool) []recordField {
	fields := slices.Concat(commonFields, t.fields)
	if licensed {
		fields = append(fields, licensingField)
		if t.class == "TextGenerationModelRecord" {
			fields = append(fields, newerTextFields...)
		}
	}
	return fields
}

// normalizedJSON returns the JSON of an entry in search results. It is made once.
func (e *record) normalizedJSON() string {
	if made := e.normalized.Load(); made != nil {
		return *made
	}
	made := normalize(e.category, e.raw, e.facts.name, e.licensed)
	e.normalized.Store(&made)
	return made
}

// normalize returns the JSON of a record in search results.
func normalize(category modelref.Category, raw, name string, licensed bool) string {
	var stored map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &stored) != nil {
		return raw // not reached: only valid records are searched
	}
	if value, ok := stored["parameters"]; ok && stored["parameters_count"] == nil {
		stored["parameters_count"] = value
	}
	if licensed && category == modelref.CategoryImageGeneration {
		stored["requirements"] = schedulers(stored["requirements"])
	}
	out := bytes.NewBuffer(make([]byte, 0, len(raw)+len(raw)/4))
	out.WriteByte('{')
	for _, field := range fieldsOf(recordTypes[category], licensed) {
		value := normalizeField(field, stored[field.name], category, name, licensed)
		if value == "" {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.WriteByte('"')
		out.WriteString(field.name) // the names need no escape
		out.WriteString(`":`)
		out.WriteString(value)
	}
	out.WriteByte('}')
	return out.String()
}

// normalizeField returns the JSON of one field, or "" if the field is left out.
func normalizeField(field recordField, value json.RawMessage, category modelref.Category, name string, licensed bool) string {
	switch field.name {
	case "record_type":
		if absent(value) {
			return strconv.Quote(string(category))
		}
	case "name":
		if absent(value) {
			return encodeText(name)
		}
	case "metadata":
		return normalizeMetadata(value, licensed)
	case "config":
		return normalizeConfig(value)
	case "licensing":
		return normalizeLicensing(value)
	case "context_window":
		return normalizeClaim(value)
	case "interaction_modes", "capabilities":
		return normalizeClaims(value)
	case "model_classification":
		if absent(value) {
			return `{"domain":` + encodeText(string(category.Domain())) + `,"purpose":` + encodeText(string(category.Purpose())) + `}`
		}
	}
	if absent(value) {
		return field.fallback
	}
	switch field.kind {
	case kindInt:
		return normalizeInt(value)
	case kindBool:
		return normalizeBool(value)
	case kindTrimmed:
		var text string
		if json.Unmarshal(value, &text) == nil {
			return encodeText(strings.TrimSpace(text))
		}
	case kindTags:
		var tags []string
		if json.Unmarshal(value, &tags) == nil {
			for i := range tags {
				tags[i] = strings.TrimSpace(tags[i])
			}
			return string(encode(tags))
		}
	case kindObject:
		return withoutNulls(value)
	}
	return string(value)
}

func absent(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

func encodeText(text string) string { return string(encode(text)) }

// encode returns the JSON of a value, with the characters <, > and & as they are.
func encode(value any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err) // every type that is encoded here can be encoded
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// normalizeInt returns the JSON of an integer that may be written as a string or with a fraction of zero.
func normalizeInt(value json.RawMessage) string {
	text := strings.TrimSpace(strings.Trim(string(value), `"`))
	switch text {
	case "true":
		return "1"
	case "false":
		return "0"
	}
	if n, ok := new(big.Rat).SetString(text); ok && n.IsInt() {
		return n.Num().String()
	}
	return string(value)
}

// normalizeBool returns the JSON of a flag that may be written as a number or as a word.
func normalizeBool(value json.RawMessage) string {
	if flag, ok := parseBool(strings.Trim(string(value), `"`)); ok {
		return strconv.FormatBool(flag)
	}
	return string(value)
}

func normalizeMetadata(value json.RawMessage, licensed bool) string {
	version := "2.0.0"
	if licensed {
		version = "2.1.0"
	}
	return pick(value, []recordField{
		{name: "schema_version", fallback: strconv.Quote(version)}, {name: "created_at", kind: kindInt},
		{name: "updated_at", kind: kindInt}, {name: "created_by"}, {name: "updated_by"},
	})
}

var downloadFields = []recordField{
	{name: "file_name"}, {name: "file_url"}, {name: "sha256sum", fallback: `"FIXME"`}, {name: "content_hash"},
	{name: "file_purpose"}, {name: "known_slow_download", kind: kindBool}, {name: "size_bytes", kind: kindInt},
}

func normalizeConfig(value json.RawMessage) string {
	var config struct {
		Download []json.RawMessage `json:"download"`
		Hashes   json.RawMessage   `json:"embedded_component_hashes"`
	}
	if !absent(value) && json.Unmarshal(value, &config) != nil {
		return string(value)
	}
	var out strings.Builder
	out.WriteString(`{"download":[`)
	for i, file := range config.Download {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(pick(file, downloadFields))
	}
	out.WriteByte(']')
	if !absent(config.Hashes) {
		out.WriteString(`,"embedded_component_hashes":`)
		out.WriteString(withoutNulls(config.Hashes))
	}
	out.WriteByte('}')
	return out.String()
}

// pick returns the JSON of an object with only the given fields.
func pick(value json.RawMessage, fields []recordField) string {
	stored := map[string]json.RawMessage{}
	if !absent(value) && json.Unmarshal(value, &stored) != nil {
		return string(value)
	}
	var out strings.Builder
	out.WriteByte('{')
	for _, field := range fields {
		part := normalizeField(recordField{kind: field.kind, fallback: field.fallback}, stored[field.name], "", "", false)
		if part == "" {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.WriteString(strconv.Quote(field.name) + ":" + part)
	}
	out.WriteByte('}')
	return out.String()
}

// withoutNulls returns the JSON of a value without the members that are null.
func withoutNulls(value json.RawMessage) string {
	if !bytes.Contains(value, []byte("null")) {
		return string(value)
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var decoded any
	if decoder.Decode(&decoded) != nil {
		return string(value)
	}
	return string(encode(dropNulls(decoded)))
}

func dropNulls(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if inner == nil {
				delete(value, key)
				continue
			}
			value[key] = dropNulls(inner)
		}
	case []any:
		for i := range value {
			value[i] = dropNulls(value[i])
		}
	}
	return value
}

// schedulers replaces the requirement "karras" by a list of schedulers, as newer deployments do.
func schedulers(value json.RawMessage) json.RawMessage {
	if absent(value) || !bytes.Contains(value, []byte(`"karras"`)) {
		return value
	}
	var requirements map[string]json.RawMessage
	if json.Unmarshal(value, &requirements) != nil {
		return value
	}
	karras, ok := requirements["karras"]
	if !ok {
		return value
	}
	delete(requirements, "karras")
	if _, ok := requirements["schedulers"]; !ok {
		switch string(karras) {
		case "true":
			requirements["schedulers"] = json.RawMessage(`["karras"]`)
		case "false":
			requirements["schedulers"] = json.RawMessage(`["normal"]`)
		}
	}
	return encode(requirements)
}

// noLicence is what the service says about a record without a licence.
const noLicence = `{"license_expression":"NOASSERTION","license_ids":[],"commercial_use":"unknown",` +
	`"redistribution":"unknown","obligations":[],"evidence":[],` +
	`"notes":"No reviewed licensing conclusion is currently available.","files":{}}`

// normalizeLicensing returns the JSON of a licence with its lists filled in.
func normalizeLicensing(value json.RawMessage) string {
	if absent(value) {
		return noLicence
	}
	return complete(value, map[string]json.RawMessage{
		"license_ids": json.RawMessage("[]"), "obligations": json.RawMessage("[]"), "evidence": json.RawMessage("[]"),
		"files": json.RawMessage("{}"),
	})
}

// normalizeClaims returns the JSON of an object of claims with their lists filled in.
func normalizeClaims(value json.RawMessage) string {
	var claims map[string]json.RawMessage
	if absent(value) || json.Unmarshal(value, &claims) != nil {
		return withoutNulls(value)
	}
	for name, claim := range claims {
		if absent(claim) {
			delete(claims, name)
			continue
		}
		claims[name] = json.RawMessage(normalizeClaim(claim))
	}
	return string(encode(claims))
}

// normalizeClaim returns the JSON of a claim with its list of sources, whose URLs have a path.
func normalizeClaim(value json.RawMessage) string {
	var claim map[string]json.RawMessage
	var sources []map[string]any
	if absent(value) || json.Unmarshal(value, &claim) != nil {
		return withoutNulls(value)
	}
	if json.Unmarshal(claim["sources"], &sources) != nil {
		return complete(value, map[string]json.RawMessage{"sources": json.RawMessage("[]")})
	}
	for _, source := range sources {
		address, _ := source["url"].(string)
		if _, rest, ok := strings.Cut(address, "://"); ok && !strings.ContainsAny(rest, "/?#") {
			source["url"] = address + "/"
		}
	}
	claim["sources"] = encode(sources)
	return withoutNulls(encode(claim))
}

// complete returns the JSON of an object with the given members added if it does not have them.
func complete(value json.RawMessage, fallback map[string]json.RawMessage) string {
	var object map[string]json.RawMessage
	if absent(value) || json.Unmarshal(value, &object) != nil {
		return withoutNulls(value)
	}
	for name, member := range fallback {
		if absent(object[name]) {
			object[name] = member
		}
	}
	return withoutNulls(encode(object))
}
