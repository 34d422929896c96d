package legacy

// This file reads the JSON files of the image repository: one object from name to record for each of nine categories.

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// converters has what each category of the image repository makes of a record.
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

// baselines has the old spellings that v2 has others for. Two more that upstream lists are the same in both.
var baselines = map[string]string{
	"stable diffusion 1":     "stable_diffusion_1",
	"stable diffusion 2":     "stable_diffusion_2_768",
	"stable diffusion 2 512": "stable_diffusion_2_512",
}

// readJSON puts the records of a file into out. The error is for the file as a whole.
func readJSON(raw []byte, convert func(*legacyRecord) (*record, error), out *document) error {
	return splitObject(raw, func(m member) error {
		name, err := jsontext.AppendUnquote(nil, m.name)
		if err != nil {
			out.reject(string(name), fmt.Errorf("name: %w", err))
			return out.full()
		}
		rec, err := readRecord(m, convert)
		if err != nil {
			out.place(string(name), nil)
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
		return nil, fmt.Errorf("record of %d bytes, at most %d are read", len(m.value), maxRecordBytes)
	}
	if m.value[0] != '{' {
		return nil, errors.New("not a JSON object")
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
	rec.Baseline = old.Baseline
	if spelling, ok := baselines[old.Baseline.value]; ok {
		rec.Baseline = textOf(spelling)
	}
	rec.NSFW = flagOf(old.NSFW.value)
	rec.Inpainting = old.Inpainting
	rec.Optimization = old.Optimization
	rec.Tags = old.Tags
	rec.Showcases = old.Showcases
	rec.MinBridgeVersion = old.MinBridgeVersion
	rec.Trigger = old.Trigger
	rec.Homepage = old.Homepage
	rec.SizeOnDiskBytes = old.SizeOnDiskBytes
	rec.Style = old.Style
	return rec, nil
}

// checkImage returns what makes an image record one that upstream does not take.
func checkImage(old *legacyRecord) error {
	switch {
	case !old.Baseline.set:
		return errors.New("has no baseline")
	case old.Inpainting.null:
		return errors.New("inpainting is null")
	case slices.ContainsFunc(old.Showcases, func(url string) bool { return strings.Contains(url, "huggingface") }):
		return errors.New("has a showcase on huggingface")
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

// controlNetRecord takes the style from type, where most records have it, or else from style.
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

// checkType returns an error where a record says a type that its category does not have. Saying none is fine.
func checkType(old *legacyRecord, known ...string) error {
	if old.Type.null || old.Type.set && !slices.Contains(known, old.Type.value) {
		return fmt.Errorf("type %q is none of %q", old.Type.value, known)
	}
	return nil
}
