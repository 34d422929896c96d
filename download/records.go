// The common part of the records of every category.

package download

import "github.com/haidra-org/modelref"

// ModelRecords returns the common part of records, for a plan with the records of several categories. Records that are
// nil are left out.
func ModelRecords[R modelref.Record](records []*R) []*modelref.ModelRecord {
	out := make([]*modelref.ModelRecord, 0, len(records))
	for _, record := range records {
		if record != nil {
			out = append(out, modelRecord(any(record)))
		}
	}
	return out
}

// modelRecord returns the embedded ModelRecord of a pointer to a record type. The type set of modelref.Record has no
// other types.
func modelRecord(record any) *modelref.ModelRecord {
	switch r := record.(type) {
	case *modelref.ImageGenerationRecord:
		return &r.ModelRecord
	case *modelref.TextGenerationRecord:
		return &r.ModelRecord
	case *modelref.ControlNetRecord:
		return &r.ModelRecord
	case *modelref.ControlNetAnnotatorRecord:
		return &r.ModelRecord
	case *modelref.CLIPRecord:
		return &r.ModelRecord
	case *modelref.BLIPRecord:
		return &r.ModelRecord
	case *modelref.ESRGANRecord:
		return &r.ModelRecord
	case *modelref.GFPGANRecord:
		return &r.ModelRecord
	case *modelref.CodeFormerRecord:
		return &r.ModelRecord
	case *modelref.SafetyCheckerRecord:
		return &r.ModelRecord
	case *modelref.VideoGenerationRecord:
		return &r.ModelRecord
	case *modelref.AudioGenerationRecord:
		return &r.ModelRecord
	case *modelref.MiscellaneousRecord:
		return &r.ModelRecord
	case *modelref.LoRARecord:
		return &r.ModelRecord
	case *modelref.TextualInversionRecord:
		return &r.ModelRecord
	}
	return record.(*modelref.ModelRecord)
}
