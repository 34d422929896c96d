// The helper methods of queries about licences, and about what text models support.

package modelref

// commonOf returns the fields of a record that every record has.
func commonOf[R Record](r *R) *ModelRecord {
	return any(r).(interface{ common() *ModelRecord }).common()
}

// AllowsCommercialUse keeps the records whose licence permits commercial use of the model and of all its files without
// conditions. It drops records whose licence permits it "allowed with conditions", records for which it is "unknown" or a
// value that this package does not define, and records that state no licence. See [Licensing.AllowsCommercialUse].
func (q Query[R]) AllowsCommercialUse() Query[R] {
	return q.Where(MatchFunc(func(r *R) bool { return commonOf(r).Licensing.AllowsCommercialUse() }))
}

// AllowsRedistribution keeps the records whose licence permits redistribution of the model and of all its files without
// conditions. It drops records whose licence permits it "allowed with conditions", records for which it is "unknown" or a
// value that this package does not define, and records that state no licence. See [Licensing.AllowsRedistribution].
func (q Query[R]) AllowsRedistribution() Query[R] {
	return q.Where(MatchFunc(func(r *R) bool { return commonOf(r).Licensing.AllowsRedistribution() }))
}

// LicensedUnder keeps the records for which the given licences are sufficient: "MIT OR Zlib" needs one of the two, "MIT AND
// Zlib" both. It says nothing about what the licences permit. It drops records whose licence nobody has reviewed and records
// that state no licence. LicensedUnder() keeps no record. See [Licensing.LicensedUnder].
func (q Query[R]) LicensedUnder(ids ...string) Query[R] {
	ids = append([]string(nil), ids...)
	return q.Where(MatchFunc(func(r *R) bool { return commonOf(r).Licensing.LicensedUnder(ids...) }))
}

// MinContext keeps the models whose context window has at least n tokens. It drops models whose context window is unknown.
func (q TextQuery) MinContext(n int64) TextQuery { return q.Where(TextFields.MaximumTokens.Ge(n)) }

// SupportsToolCalling keeps the models that are stated to support tool calling. It drops models for which the support is
// "unsupported", "unknown" or not stated.
func (q TextQuery) SupportsToolCalling() TextQuery {
	return q.Where(TextFields.ToolCalling.Eq(SupportSupported))
}

// ForInteraction keeps the models that are stated to support the interaction mode. It drops models for which the support is
// "unsupported", "unknown" or not stated. The mode may be one that this package does not define.
func (q TextQuery) ForInteraction(mode InteractionMode) TextQuery {
	return q.Where(MatchFunc(func(r *TextGenerationRecord) bool {
		return r.InteractionModes[mode].Status == SupportSupported
	}))
}
