// The tables of fields of the licence of a record, and of what a text record states about prompting.

package modelref

import "github.com/haidra-org/modelref/internal/jsondoc"

func licensingMemory(s *jsondoc.Scanner) *jsondoc.Recent[Licensing] { return &memoryOf(s).licensing }

func guidanceMemory(s *jsondoc.Scanner) *jsondoc.Recent[GuidanceSummary] {
	return &memoryOf(s).guidance
}

func textRaw(r *TextGenerationRecord) string { return r.raw }

var evidenceCodec = jsondoc.NewObject([]jsondoc.Codec[LicenseEvidence]{
	jsondoc.Text("source", func(r *LicenseEvidence) *string { return &r.Source }),
	jsondoc.Text("description", func(r *LicenseEvidence) *string { return &r.Description }),
	jsondoc.Parsed("checked_at", func(r *LicenseEvidence) *Date { return &r.CheckedAt }, ParseDate, Date.String),
})

var assignmentFields = []jsondoc.Codec[LicenseAssignment]{
	jsondoc.Text("license_expression", func(r *LicenseAssignment) *string { return &r.Expression }),
	jsondoc.Values("license_ids", func(r *LicenseAssignment) *[]string { return &r.LicenseIDs }),
	jsondoc.Text("commercial_use", func(r *LicenseAssignment) *Permission { return &r.CommercialUse }),
	jsondoc.Text("redistribution", func(r *LicenseAssignment) *Permission { return &r.Redistribution }),
	jsondoc.Values("obligations", func(r *LicenseAssignment) *[]LicenseObligation { return &r.Obligations }),
	jsondoc.Text("attribution", func(r *LicenseAssignment) *string { return &r.Attribution }),
	jsondoc.Few("evidence", "source", evidenceCodec, func(r *LicenseAssignment) *[]LicenseEvidence { return &r.Evidence }),
	jsondoc.Text("reviewed_by", func(r *LicenseAssignment) *string { return &r.ReviewedBy }),
	jsondoc.Parsed("reviewed_at", func(r *LicenseAssignment) *Date { return &r.ReviewedAt }, ParseDate, Date.String),
	jsondoc.Text("notes", func(r *LicenseAssignment) *string { return &r.Notes }),
}

var licensingCodec = jsondoc.NewObject(
	jsondoc.Embed(assignmentFields, func(r *Licensing) *LicenseAssignment { return &r.LicenseAssignment }),
	[]jsondoc.Codec[Licensing]{
		jsondoc.ObjectMap("files", jsondoc.NewObject(assignmentFields),
			func(r *Licensing) *map[string]LicenseAssignment { return &r.Files }),
	},
)

var sourceCodec = jsondoc.NewObject([]jsondoc.Codec[GuidanceSource]{
	jsondoc.Text("url", func(r *GuidanceSource) *string { return &r.URL }),
	jsondoc.Text("title", func(r *GuidanceSource) *string { return &r.Title }),
	jsondoc.Text("note", func(r *GuidanceSource) *string { return &r.Note }),
})

var contextCodec = jsondoc.NewObject([]jsondoc.Codec[ContextWindow]{
	jsondoc.Int("maximum_tokens", func(r *ContextWindow) *int64 { return &r.MaximumTokens }),
	jsondoc.Few("sources", "url", sourceCodec, func(r *ContextWindow) *[]GuidanceSource { return &r.Sources }),
	jsondoc.Text("qualification", func(r *ContextWindow) *string { return &r.Qualification }),
})

var claimCodec = jsondoc.NewObject([]jsondoc.Codec[SupportClaim]{
	jsondoc.Text("status", func(r *SupportClaim) *SupportStatus { return &r.Status }),
	jsondoc.Few("sources", "url", sourceCodec, func(r *SupportClaim) *[]GuidanceSource { return &r.Sources }),
	jsondoc.Text("qualification", func(r *SupportClaim) *string { return &r.Qualification }),
})

var guidanceCodec = jsondoc.NewObject([]jsondoc.Codec[GuidanceSummary]{
	jsondoc.Text("status", func(r *GuidanceSummary) *GuidanceStatus { return &r.Status }),
	jsondoc.Text("primary_profile_id", func(r *GuidanceSummary) *string { return &r.PrimaryProfileID }),
	jsondoc.Values("supplemental_profile_ids", func(r *GuidanceSummary) *[]string { return &r.SupplementalProfileIDs }),
})

// normalizeRequirements replaces the old flag "karras" by "schedulers", as the service's typed view does. If there are
// schedulers, the flag is dropped.
func normalizeRequirements(r *ImageGenerationRecord) {
	flag, ok := r.Requirements["karras"]
	if !ok {
		return
	}
	delete(r.Requirements, "karras")
	if _, ok := r.Requirements["schedulers"]; ok {
		return
	}
	switch flag {
	case true:
		r.Requirements["schedulers"] = []string{"karras"}
	case false:
		r.Requirements["schedulers"] = []string{"normal"}
	}
}
