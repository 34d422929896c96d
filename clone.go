// Clone: private copies of records, which callers share otherwise.

package modelref

import (
	"maps"
	"slices"
)

func (r ModelRecord) clone() ModelRecord {
	if r.FinetuneSeries != nil {
		series := *r.FinetuneSeries
		r.FinetuneSeries = &series
	}
	r.Config.Download = slices.Clone(r.Config.Download)
	r.Config.EmbeddedComponentHashes = maps.Clone(r.Config.EmbeddedComponentHashes)
	r.Licensing = r.Licensing.Clone()
	return r
}

// cloneSettings returns a deep copy of a settings map.
func cloneSettings(m map[string]any) map[string]any {
	out := maps.Clone(m)
	for key, value := range out {
		out[key] = cloneValue(value)
	}
	return out
}

func cloneValue(value any) any {
	switch v := value.(type) {
	case []int64:
		return slices.Clone(v)
	case []float64:
		return slices.Clone(v)
	case []string:
		return slices.Clone(v)
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = cloneValue(out[i])
		}
		return out
	case map[string]any:
		return cloneSettings(v)
	default:
		return value
	}
}

// Clone returns a copy that the caller may change.
func (r *ModelRecord) Clone() *ModelRecord { c := r.clone(); return &c }

// Clone returns a copy that the caller may change.
func (r *ImageGenerationRecord) Clone() *ImageGenerationRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.Tags, c.Showcases, c.Trigger = slices.Clone(r.Tags), slices.Clone(r.Showcases), slices.Clone(r.Trigger)
	c.Requirements = cloneSettings(r.Requirements)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *TextGenerationRecord) Clone() *TextGenerationRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.Tags, c.Settings = slices.Clone(r.Tags), cloneSettings(r.Settings)
	c.ContextWindow, c.Guidance = r.ContextWindow.clone(), r.Guidance.clone()
	c.InteractionModes, c.Capabilities = cloneClaims(r.InteractionModes), cloneClaims(r.Capabilities)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *ControlNetRecord) Clone() *ControlNetRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	return &c
}

// Clone returns a copy that the caller may change.
func (r *ControlNetAnnotatorRecord) Clone() *ControlNetAnnotatorRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.ControlTypes, c.Preprocessors = slices.Clone(r.ControlTypes), slices.Clone(r.Preprocessors)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *CLIPRecord) Clone() *CLIPRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	return &c
}

// Clone returns a copy that the caller may change.
func (r *BLIPRecord) Clone() *BLIPRecord { return &BLIPRecord{r.ModelRecord.clone()} }

// Clone returns a copy that the caller may change.
func (r *ESRGANRecord) Clone() *ESRGANRecord { return &ESRGANRecord{r.ModelRecord.clone()} }

// Clone returns a copy that the caller may change.
func (r *GFPGANRecord) Clone() *GFPGANRecord { return &GFPGANRecord{r.ModelRecord.clone()} }

// Clone returns a copy that the caller may change.
func (r *CodeFormerRecord) Clone() *CodeFormerRecord { return &CodeFormerRecord{r.ModelRecord.clone()} }

// Clone returns a copy that the caller may change.
func (r *SafetyCheckerRecord) Clone() *SafetyCheckerRecord {
	return &SafetyCheckerRecord{r.ModelRecord.clone()}
}

// Clone returns a copy that the caller may change.
func (r *VideoGenerationRecord) Clone() *VideoGenerationRecord {
	c := *r
	c.ModelRecord, c.Tags = r.ModelRecord.clone(), slices.Clone(r.Tags)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *AudioGenerationRecord) Clone() *AudioGenerationRecord {
	c := *r
	c.ModelRecord, c.Tags = r.ModelRecord.clone(), slices.Clone(r.Tags)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *MiscellaneousRecord) Clone() *MiscellaneousRecord {
	return &MiscellaneousRecord{r.ModelRecord.clone()}
}

// Clone returns a copy that the caller may change.
func (r *LoRARecord) Clone() *LoRARecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.Tags, c.Trigger, c.Showcases = slices.Clone(r.Tags), slices.Clone(r.Trigger), slices.Clone(r.Showcases)
	return &c
}

// Clone returns a copy that the caller may change.
func (r *TextualInversionRecord) Clone() *TextualInversionRecord {
	c := *r
	c.ModelRecord = r.ModelRecord.clone()
	c.Tags, c.Trigger, c.Showcases = slices.Clone(r.Tags), slices.Clone(r.Trigger), slices.Clone(r.Showcases)
	return &c
}
