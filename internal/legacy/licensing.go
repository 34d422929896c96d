package legacy

// This file reads the blocks that newer files may have in a record: its licence, its metadata, and the capabilities of
// a text model. An invalid block rejects its record.

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/haidra-org/modelref/internal/jsondoc"
	"github.com/haidra-org/modelref/internal/spdx"
)

// noAssertion is the expression of a licence that nobody has reviewed.
const noAssertion = "NOASSERTION"

// licensing is the licence of a record. It has been validated. raw is written to the document unchanged.
type licensing struct {
	raw    jsontext.Value
	parsed modelLicensing
}

// IsZero reports whether the record states no licence.
func (l *licensing) IsZero() bool { return l.raw == nil }

// UnmarshalJSONFrom reads a valid licence or null.
func (l *licensing) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*l = licensing{}
	if dec.PeekKind() == 'n' {
		return dec.SkipValue()
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	l.raw = raw.Clone()
	if err := json.Unmarshal(l.raw, &l.parsed, laterWins, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	return l.parsed.check()
}

// MarshalJSONTo writes the licence.
func (l *licensing) MarshalJSONTo(enc *jsontext.Encoder) error { return enc.WriteValue(l.raw) }

// checkFiles returns an error if the licence has an override for a file that is not one of the downloads.
func (l *licensing) checkFiles(files []download) error {
	for name := range l.parsed.Files {
		if !slices.ContainsFunc(files, func(d download) bool { return d.FileName == name }) {
			return fmt.Errorf("licensing.files: %q must be one of the downloads", name)
		}
	}
	return nil
}

type modelLicensing struct {
	assignment
	Files map[string]*assignment `json:"files"`
}

func (m *modelLicensing) check() error {
	if err := m.assignment.check(); err != nil {
		return err
	}
	for name, file := range m.Files {
		if file == nil {
			return fmt.Errorf("files: %q must not be null", name)
		}
		if err := file.check(); err != nil {
			return fmt.Errorf("files: %q: %w", name, err)
		}
	}
	return nil
}

// assignment is the licence of a model or of a file.
type assignment struct {
	Expression     text       `json:"license_expression"`
	LicenseIDs     texts      `json:"license_ids"`
	CommercialUse  text       `json:"commercial_use"`
	Redistribution text       `json:"redistribution"`
	Obligations    texts      `json:"obligations"`
	Attribution    text       `json:"attribution"`
	Evidence       []evidence `json:"evidence"`
	ReviewedBy     text       `json:"reviewed_by"`
	ReviewedAt     day        `json:"reviewed_at"`
	Notes          text       `json:"notes"`
}

type evidence struct {
	Source      text `json:"source"`
	Description text `json:"description"`
	CheckedAt   day  `json:"checked_at"`
}

// day is an optional day in the form "2006-01-02".
type day struct{ text }

// UnmarshalJSONFrom reads a day or null.
func (d *day) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if err := d.text.UnmarshalJSONFrom(dec); err != nil || !d.set {
		return err
	}
	if _, err := time.Parse(time.DateOnly, d.value); err != nil {
		return fmt.Errorf("%.40q must be a day such as 2006-01-02", d.value)
	}
	return nil
}

// check returns an error if the assignment is not valid by the rules of the service.
func (a *assignment) check() error {
	if a.Expression.value == "" {
		return errors.New("license_expression is missing")
	}
	permissions := []string{"allowed", "allowed_with_conditions", "prohibited", "unknown"}
	if !slices.Contains(permissions, a.CommercialUse.value) {
		return fmt.Errorf("commercial_use must be one of %q, got %.40q", permissions, a.CommercialUse.value)
	}
	if !slices.Contains(permissions, a.Redistribution.value) {
		return fmt.Errorf("redistribution must be one of %q, got %.40q", permissions, a.Redistribution.value)
	}
	obligations := []string{
		"attribution", "include_license", "share_alike", "disclose_source", "network_source_disclosure",
		"responsible_use_restrictions", "other",
	}
	for _, obligation := range a.Obligations {
		if !slices.Contains(obligations, obligation) {
			return fmt.Errorf("obligations must be among %q, got %.40q", obligations, obligation)
		}
	}
	for i := range a.Evidence {
		if a.Evidence[i].Source.value == "" {
			return fmt.Errorf("evidence[%d]: source is missing", i)
		}
	}
	return a.checkIDs()
}

// checkIDs returns an error if license_ids differs from the licences in the expression.
func (a *assignment) checkIDs() error {
	if a.Expression.value == noAssertion {
		if len(a.LicenseIDs) > 0 || a.CommercialUse.value != "unknown" || a.Redistribution.value != "unknown" {
			return errors.New("NOASSERTION must have no license_ids and the permissions must be unknown")
		}
		return nil
	}
	expression, err := spdx.Parse(a.Expression.value)
	if err != nil {
		return err
	}
	stated, used := slices.Sorted(slices.Values(a.LicenseIDs)), expression.Licenses()
	slices.Sort(used)
	if !slices.Equal(slices.Compact(stated), used) {
		return fmt.Errorf("license_ids %q must be the licences in license_expression, %q", a.LicenseIDs, used)
	}
	return nil
}

// legacySchemaVersion is the version of a record if its metadata has no version.
const legacySchemaVersion = "1.0.0"

// metadata is the time and the author of a record. Other members are not kept.
type metadata struct {
	set           bool
	SchemaVersion text  `json:"schema_version,omitzero"`
	CreatedAt     whole `json:"created_at,omitzero"`
	UpdatedAt     whole `json:"updated_at,omitzero"`
	CreatedBy     text  `json:"created_by,omitzero"`
	UpdatedBy     text  `json:"updated_by,omitzero"`
}

// IsZero reports whether the record has no metadata.
func (m *metadata) IsZero() bool { return !m.set }

// UnmarshalJSONFrom reads an object or null.
func (m *metadata) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*m = metadata{}
	if dec.PeekKind() == 'n' {
		return dec.SkipValue()
	}
	type plain metadata
	var fresh plain
	if err := json.UnmarshalDecode(dec, &fresh); err != nil {
		return err
	}
	*m = metadata(fresh)
	m.set = true
	if !m.SchemaVersion.set {
		m.SchemaVersion = textOf(legacySchemaVersion)
	}
	return nil
}

// block returns the JSON object in the cell of the column, or nil if the cell is empty. White space around the object
// is ignored.
func (r *row) block(column string) (block, error) {
	cell := jsondoc.TrimSpace(r.cell(column))
	if cell == "" {
		return nil, nil
	}
	deep, err := (&scanner{text: []byte(cell)}).value()
	value := jsontext.Value(cell)
	switch {
	case err != nil:
	case deep:
		err = errTooDeep
	case !value.IsValid(laterWins):
		err = errors.New("must be valid JSON")
	case value.Kind() != '{':
		err = fmt.Errorf("must be an object, got %s", kindName(value.Kind()))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", column, err)
	}
	return block(value), nil
}

// block is a JSON object that is written unchanged.
type block jsontext.Value

// MarshalJSONTo writes the object.
func (b block) MarshalJSONTo(enc *jsontext.Encoder) error { return enc.WriteValue(jsontext.Value(b)) }
