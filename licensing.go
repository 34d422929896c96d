// The licence of a model: what it permits, and on what evidence.

package modelref

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/haidra-org/modelref/internal/spdx"
)

// NoAssertion is the licence expression of a model whose licence nobody has reviewed. It is defined by SPDX. It does not mean
// that the model is free to use.
const NoAssertion = "NOASSERTION"

// A Permission states whether a licence permits a use. Values that this package does not define are kept unchanged. Only
// PermissionAllowed permits a use without further conditions.
type Permission string

// The permissions that the service defines.
const (
	// PermissionAllowed means that the use is permitted.
	PermissionAllowed Permission = "allowed"
	// PermissionAllowedWithConditions means that the use is permitted under conditions, for example up to an annual revenue.
	// Read the licence before relying on it.
	PermissionAllowedWithConditions Permission = "allowed_with_conditions"
	// PermissionProhibited means that the use is not permitted.
	PermissionProhibited Permission = "prohibited"
	// PermissionUnknown means that nobody has reviewed whether the use is permitted.
	PermissionUnknown Permission = "unknown"
)

// Permissions returns the permissions that this package defines.
func Permissions() []Permission {
	return []Permission{PermissionAllowed, PermissionAllowedWithConditions, PermissionProhibited, PermissionUnknown}
}

// Known reports whether p is a permission that this package defines.
func (p Permission) Known() bool { return slices.Contains(Permissions(), p) }

// A LicenseObligation is a duty that a licence imposes. Values that this package does not define are kept unchanged.
type LicenseObligation string

// The obligations that the service defines.
const (
	// ObligationAttribution is the duty to name the author. LicenseAssignment.Attribution is the text to use, if there is one.
	ObligationAttribution LicenseObligation = "attribution"
	// ObligationIncludeLicense is the duty to pass on the text of the licence.
	ObligationIncludeLicense LicenseObligation = "include_license"
	// ObligationShareAlike is the duty to publish derived works under the same licence.
	ObligationShareAlike LicenseObligation = "share_alike"
	// ObligationDiscloseSource is the duty to publish the source when the work is distributed.
	ObligationDiscloseSource LicenseObligation = "disclose_source"
	// ObligationNetworkSourceDisclosure is the duty to publish the source when the work is used over a network.
	ObligationNetworkSourceDisclosure LicenseObligation = "network_source_disclosure"
	// ObligationResponsibleUse is the duty to keep to the restrictions on use that the licence lists.
	ObligationResponsibleUse LicenseObligation = "responsible_use_restrictions"
	// ObligationOther is a duty that the notes of the licence describe.
	ObligationOther LicenseObligation = "other"
)

// LicenseObligations returns the obligations that this package defines.
func LicenseObligations() []LicenseObligation {
	return []LicenseObligation{
		ObligationAttribution, ObligationIncludeLicense, ObligationShareAlike, ObligationDiscloseSource,
		ObligationNetworkSourceDisclosure, ObligationResponsibleUse, ObligationOther,
	}
}

// Known reports whether o is an obligation that this package defines.
func (o LicenseObligation) Known() bool { return slices.Contains(LicenseObligations(), o) }

// A LicenseEvidence is a document on which a conclusion about a licence is based.
type LicenseEvidence struct {
	// Source is a URL or the path of a document.
	Source string `json:"source"`
	// Description describes what the source shows, or is "".
	Description string `json:"description,omitempty"`
	// CheckedAt is the day on which the source was read, or the zero Date.
	CheckedAt Date `json:"checked_at,omitzero"`
}

// A LicenseAssignment is the licence of a model, of a file or of another work, and what it permits.
type LicenseAssignment struct {
	// Expression is an SPDX licence expression such as "Apache-2.0" or "MIT OR Apache-2.0". It is NoAssertion if nobody has
	// reviewed the licence.
	Expression string `json:"license_expression"`
	// LicenseIDs are the licences in Expression: SPDX identifiers or the service's own LicenseRef identifiers.
	LicenseIDs []string `json:"license_ids"`
	// CommercialUse states whether the licence permits commercial use.
	CommercialUse Permission `json:"commercial_use"`
	// Redistribution states whether the licence permits redistribution.
	Redistribution Permission `json:"redistribution"`
	// Obligations are the duties that the licence imposes.
	Obligations []LicenseObligation `json:"obligations"`
	// Attribution is the text with which to name the author, or "".
	Attribution string `json:"attribution,omitempty"`
	// Evidence lists the documents on which the assignment is based.
	Evidence []LicenseEvidence `json:"evidence"`
	// ReviewedBy names the reviewer, or is "".
	ReviewedBy string `json:"reviewed_by,omitempty"`
	// ReviewedAt is the day of the review, or the zero Date.
	ReviewedAt Date `json:"reviewed_at,omitzero"`
	// Notes is prose about the assignment, or "".
	Notes string `json:"notes,omitempty"`
}

// Licensing is the licence of a model, with the licences of those of its files that have another one.
type Licensing struct {
	LicenseAssignment
	// Files has the assignments that replace the model's own for single files, by DownloadRecord.FileName.
	Files map[string]LicenseAssignment `json:"files"`
}

// IsNoAssertion reports whether nobody has reviewed the licence.
func (l *LicenseAssignment) IsNoAssertion() bool { return l != nil && l.Expression == NoAssertion }

// AllowsCommercialUse reports whether the licence permits commercial use without conditions. It returns false for
// PermissionAllowedWithConditions, for PermissionUnknown, for values that this package does not define, and if l is nil.
func (l *LicenseAssignment) AllowsCommercialUse() bool {
	return l != nil && l.CommercialUse == PermissionAllowed
}

// AllowsRedistribution reports whether the licence permits redistribution without conditions. It returns false for
// PermissionAllowedWithConditions, for PermissionUnknown, for values that this package does not define, and if l is nil.
func (l *LicenseAssignment) AllowsRedistribution() bool {
	return l != nil && l.Redistribution == PermissionAllowed
}

// Requires reports whether the licence imposes the obligation.
func (l *LicenseAssignment) Requires(o LicenseObligation) bool {
	return l != nil && slices.Contains(l.Obligations, o)
}

// AllowsCommercialUse reports whether the model and every file in Files may be used commercially without conditions. It
// returns false if one of them has PermissionAllowedWithConditions, PermissionUnknown or a value that this package does not
// define, and if l is nil.
func (l *Licensing) AllowsCommercialUse() bool {
	return l.all((*LicenseAssignment).AllowsCommercialUse)
}

// AllowsRedistribution reports whether the model and every file in Files may be redistributed without conditions. It returns
// false if one of them has PermissionAllowedWithConditions, PermissionUnknown or a value that this package does not define,
// and if l is nil.
func (l *Licensing) AllowsRedistribution() bool {
	return l.all((*LicenseAssignment).AllowsRedistribution)
}

// IsNoAssertion reports whether nobody has reviewed the licence of the model. It returns false if l is nil.
func (l *Licensing) IsNoAssertion() bool { return l != nil && l.LicenseAssignment.IsNoAssertion() }

// Requires reports whether the licence of the model or of one of the files in Files imposes the obligation.
func (l *Licensing) Requires(o LicenseObligation) bool {
	return l != nil && !l.all(func(a *LicenseAssignment) bool { return !a.Requires(o) })
}

// LicensedUnder reports whether the given licences satisfy the licence expressions of the model and of every file in Files.
// "MIT OR GPL-3.0-only" is satisfied by either licence, "MIT AND Zlib" only by both. Letter case does not matter. A model
// whose licence nobody has reviewed is not licensed under anything. LicensedUnder returns false if l is nil.
func (l *Licensing) LicensedUnder(ids ...string) bool {
	return l.all(func(a *LicenseAssignment) bool { return a.satisfiedBy(ids) })
}

// all reports whether test returns true for the model's own assignment and for those of its files.
func (l *Licensing) all(test func(*LicenseAssignment) bool) bool {
	if l == nil || !test(&l.LicenseAssignment) {
		return false
	}
	for _, assignment := range l.Files {
		if !test(&assignment) {
			return false
		}
	}
	return true
}

// satisfiedBy reports whether the licences satisfy the expression. If the expression is not valid, all of LicenseIDs are
// necessary.
func (l *LicenseAssignment) satisfiedBy(ids []string) bool {
	if l.Expression == "" || l.IsNoAssertion() {
		return false
	}
	accepts := func(license string) bool {
		return license != NoAssertion && slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, license) })
	}
	expression, err := spdx.Parse(l.Expression)
	if err != nil {
		return len(l.LicenseIDs) > 0 && !slices.ContainsFunc(l.LicenseIDs, func(id string) bool { return !accepts(id) })
	}
	return expression.Satisfied(accepts)
}

// LicensingFor returns the licence of one of the record's files: the one that the record states for the file, or the
// model's own. file is a DownloadRecord.FileName. It returns nil if Licensing is nil. The result is shared and must not be
// modified.
func (r *ModelRecord) LicensingFor(file string) *LicenseAssignment { return r.Licensing.For(file) }

// For returns the assignment of the file: the one in Files, or the model's own if Files has none. It returns nil if l is nil.
// The result is shared with l and must not be modified.
func (l *Licensing) For(file string) *LicenseAssignment {
	if l == nil {
		return nil
	}
	if assignment, ok := l.Files[file]; ok {
		return &assignment
	}
	return &l.LicenseAssignment
}

// Clone returns a deep copy of l, or nil if l is nil.
func (l *Licensing) Clone() *Licensing {
	if l == nil {
		return nil
	}
	out := &Licensing{LicenseAssignment: l.LicenseAssignment.clone(), Files: maps.Clone(l.Files)}
	for file, assignment := range out.Files {
		out.Files[file] = assignment.clone()
	}
	return out
}

func (l LicenseAssignment) clone() LicenseAssignment {
	l.LicenseIDs = slices.Clone(l.LicenseIDs)
	l.Obligations = slices.Clone(l.Obligations)
	l.Evidence = slices.Clone(l.Evidence)
	return l
}

// A Date is a day without a time. The zero Date is an unknown day. Dates can be compared with ==.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate returns the day that text states in the form "2006-01-02". A time after the day ("2006-01-02T15:04:05Z") is
// ignored. It returns an error if text is not a day of the calendar.
func ParseDate(text string) (Date, error) {
	day := text
	if len(text) > len(time.DateOnly) && strings.ContainsRune("Tt ", rune(text[len(time.DateOnly)])) {
		day = text[:len(time.DateOnly)]
	}
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return Date{}, fmt.Errorf("modelref: %q must be a day such as 2006-01-02", text)
	}
	return DateOf(t), nil
}

// DateOf returns the day of t in the time zone of t.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// IsZero reports whether the day is unknown.
func (d Date) IsZero() bool { return d == Date{} }

// Time returns the start of the day in UTC, or the zero time if the day is unknown.
func (d Date) Time() time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// String returns the day in the form "2006-01-02", or "" if it is unknown.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// MarshalText implements encoding.TextMarshaler. It returns the result of String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It accepts what ParseDate accepts, and "" for the zero Date.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d = Date{}
	if len(text) > 0 {
		*d, err = ParseDate(string(text))
	}
	return err
}
