package legacy

// This file reads the JSON files of the image repository. Each of the nine categories has a file with one object from
// name to record.

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/haidra-org/modelref/internal/jsondoc"
)

// converters has the conversion of a record for each category of the image repository.
var converters = map[string]func(*legacyRecord) (*record, error){
	"image_generation": imageRecord,
	"clip":             clipRecord,
	"controlnet":       controlNetRecord,
	"blip":             (*legacyRecord).common,
	"codeformer":       (*legacyRecord).common,
	"esrgan":           (*legacyRecord).common,
	"gfpgan":           (*legacyRecord).common,
	"miscellaneous":    (*legacyRecord).common,
	"safety_checker":   (*legacyRecord).common,
}

// baselines maps old spellings to the spellings of v2. Upstream lists two more, which are the same in both.
var baselines = map[string]string{
	"stable diffusion 1":     "stable_diffusion_1",
	"stable diffusion 2":     "stable_diffusion_2_768",
	"stable diffusion 2 512": "stable_diffusion_2_512",
}

// readJSON adds the records of a file to out. It returns an error if the file as a whole is invalid.
func readJSON(raw []byte, convert func(*legacyRecord) (*record, error), out *document) error {
	return splitObject(raw, func(m member) error {
		name, err := jsontext.AppendUnquote(nil, m.name)
		if err != nil {
			out.reject(string(name), fmt.Errorf("name: %w", err))
			return out.full()
		}
		rec, err := readRecord(m, convert)
		if err != nil {
			out.reject(string(name), err)
		} else {
			out.put(string(name), rec)
		}
		return out.full()
	})
}

// readRecord returns the v2 record of one member of a file.
func readRecord(m member, convert func(*legacyRecord) (*record, error)) (*record, error) {
	if m.deep {
		return nil, errTooDeep
	}
	if len(m.value) > maxRecordBytes {
		return nil, fmt.Errorf("record must have at most %d bytes, got %d", maxRecordBytes, len(m.value))
	}
	if m.value[0] != '{' {
		return nil, errors.New("must be a JSON object")
	}
	var old legacyRecord
	if err := json.Unmarshal(m.value, &old, laterWins); err != nil {
		return nil, err
	}
	return convert(&old)
}

func imageRecord(old *legacyRecord) (*record, error) {
	rec, err := old.common()
	if err != nil {
		return nil, err
	}
	if err := checkImage(old); err != nil {
		return nil, err
	}
	if rec.Requirements, err = old.Requirements.options(); err != nil {
		return nil, fmt.Errorf("requirements: %w", err)
	}
	rec.Requirements.useSchedulers()
	rec.Baseline = old.Baseline
	if spelling, ok := baselines[old.Baseline.value]; ok {
		rec.Baseline = textOf(spelling)
	}
	rec.NSFW = flagOf(old.NSFW.value)
	rec.Inpainting = old.Inpainting
	rec.Optimization = old.Optimization
	rec.Tags = old.Tags.trimmed()
	rec.Showcases = old.Showcases
	rec.MinBridgeVersion = old.MinBridgeVersion
	rec.Trigger = old.Trigger
	rec.Homepage = old.Homepage
	rec.SizeOnDiskBytes = old.SizeOnDiskBytes
	if old.Style.set {
		rec.Style = textOf(jsondoc.TrimSpace(old.Style.value))
	}
	return rec, nil
}

// checkImage returns an error if upstream rejects the image record.
func checkImage(old *legacyRecord) error {
	switch {
	case !old.Baseline.set:
		return errors.New("baseline is missing")
	case old.Inpainting.null:
		return errors.New("inpainting must not be null")
	case slices.ContainsFunc(old.Showcases, func(url string) bool { return strings.Contains(url, "huggingface") }):
		return errors.New("showcases must not be on huggingface")
	}
	return checkType(old, "ckpt")
}

func clipRecord(old *legacyRecord) (*record, error) {
	rec, err := old.common()
	if err != nil {
		return nil, err
	}
	rec.PretrainedName = old.PretrainedName
	return rec, checkType(old, "clip", "coca")
}

// controlNetRecord takes the style from type, which most records have. If type is empty, it takes the style from style.
func controlNetRecord(old *legacyRecord) (*record, error) {
	rec, err := old.common()
	if err != nil {
		return nil, err
	}
	rec.ControlNetStyle = old.Type
	if old.Type.value == "" {
		rec.ControlNetStyle = old.Style
	}
	return rec, nil
}

// checkType returns an error if the record has a type that its category does not have. The type may be absent.
func checkType(old *legacyRecord, known ...string) error {
	if old.Type.null || old.Type.set && !slices.Contains(known, old.Type.value) {
		return fmt.Errorf("type must be one of %q, got %q", known, old.Type.value)
	}
	return nil
}
