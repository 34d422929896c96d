// This file tests the licences of records: how they are decoded and which queries match them.

package modelref

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// licence returns the JSON of a licence with the expression, both permissions and other members.
func licence(expression, commercialUse, redistribution, members string) string {
	return `{"license_expression":"` + expression + `","commercial_use":"` + commercialUse + `","redistribution":"` +
		redistribution + `"` + members + `}`
}

// licensedRecords returns records by name. Each has a different licence.
func licensedRecords() map[string]string {
	mit := licence("MIT", "allowed", "allowed", `,"license_ids":["MIT"]`)
	return map[string]string{
		"absent":     ``,
		"null":       `"licensing":null`,
		"unreviewed": `"licensing":` + licence("NOASSERTION", "unknown", "unknown", ""),
		"mit":        `"licensing":` + mit,
		"conditions": `"licensing":` + licence("LicenseRef-own", "allowed_with_conditions", "allowed", ""),
		"prohibited": `"licensing":` + licence("CC-BY-NC-4.0", "prohibited", "allowed_with_conditions", ""),
		"new":        `"licensing":` + licence("MIT OR Zlib", "on_sundays", "allowed", ""),
		"both":       `"licensing":` + licence("MIT AND Zlib", "allowed", "unknown", ""),
		"override": `"licensing":` + licence("MIT", "allowed", "allowed",
			`,"files":{"vae.bin":`+licence("NOASSERTION", "unknown", "unknown", "")+`}`),
		"permissive": `"licensing":` + licence("mit", "allowed", "allowed", `,"files":{"vae.bin":`+mit+`}`),
		"empty":      `"licensing":{}`,
		"odd":        `"licensing":` + licence("MIT,Zlib", "allowed", "allowed", `,"license_ids":["MIT","Zlib"]`),
	}
}

func licensedReference(t *testing.T) *Reference[CLIPRecord] {
	t.Helper()
	members := map[string]json.RawMessage{}
	for name, record := range licensedRecords() {
		members[name] = json.RawMessage("{" + record + "}")
	}
	ref, err := DecodeDocument[CLIPRecord](CategoryCLIP, string(mustJSON(t, members)))
	require.NoError(t, err)
	require.Empty(t, ref.Rejected())
	return ref
}

func TestLicensingAbsentNullAndNoAssertion(t *testing.T) {
	t.Parallel()
	ref := licensedReference(t)
	absent, _ := ref.Get("absent")
	null, _ := ref.Get("null")
	unreviewed, _ := ref.Get("unreviewed")
	mit, _ := ref.Get("mit")
	assert.Nil(t, absent.Licensing)
	assert.False(t, absent.IsNull("licensing"))
	assert.Nil(t, null.Licensing)
	assert.True(t, null.IsNull("licensing"))
	assert.True(t, unreviewed.Licensing.IsNoAssertion())
	assert.False(t, unreviewed.IsNull("licensing"))
	assert.False(t, mit.Licensing.IsNoAssertion())
	assert.False(t, absent.Licensing.IsNoAssertion())
	assert.Contains(t, string(mustJSON(t, null)), `"licensing":null`, "null survives encoding")
	assert.NotContains(t, string(mustJSON(t, absent)), "licensing")
}

func TestLicensingIsDecodedCompletely(t *testing.T) {
	t.Parallel()
	raw := `{"name":"m","licensing":{"license_expression":"Apache-2.0","license_ids":["Apache-2.0"],"commercial_use":"allowed",
		"redistribution":"allowed","obligations":["include_license","sing"],"attribution":"By Ann","later":[1],
		"evidence":[{"source":"https://a.example","description":"card","checked_at":"2024-02-29","page":7}],"reviewed_by":"bob",
		"reviewed_at":"2024-03-01T00:00:00Z","notes":"n","files":{"a.bin":{"license_expression":"X","new":true}}}}`
	var r CLIPRecord
	require.NoError(t, json.Unmarshal([]byte(raw), &r))
	require.Equal(t, &Licensing{
		LicenseAssignment: LicenseAssignment{
			Expression: "Apache-2.0", LicenseIDs: []string{"Apache-2.0"}, CommercialUse: PermissionAllowed,
			Redistribution: PermissionAllowed, Obligations: []LicenseObligation{ObligationIncludeLicense, "sing"},
			Attribution: "By Ann", ReviewedBy: "bob", ReviewedAt: Date{2024, time.March, 1}, Notes: "n",
			Evidence: []LicenseEvidence{{"https://a.example", "card", Date{2024, time.February, 29}}},
		},
		Files: map[string]LicenseAssignment{"a.bin": {Expression: "X"}},
	}, r.Licensing)
	assert.Equal(t, "X", r.LicensingFor("a.bin").Expression)
	assert.Equal(t, "Apache-2.0", r.LicensingFor("b.bin").Expression)
	assert.Nil(t, (&CLIPRecord{}).LicensingFor("a.bin"))
	assert.True(t, r.Licensing.Requires("sing"))
	assert.False(t, r.Licensing.Requires(ObligationAttribution))

	var before, after map[string]any
	mine := r.Clone()
	mine.Licensing.Notes = "changed"
	require.NoError(t, json.Unmarshal(mustJSON(t, mine), &after))
	require.NoError(t, json.Unmarshal([]byte(raw), &before))
	want := before["licensing"].(map[string]any)
	want["notes"], want["reviewed_at"] = "changed", "2024-03-01"
	assert.Equal(t, want, after["licensing"], "unknown members survive encoding, at every level")
	assert.Equal(t, "n", r.Licensing.Notes)
}

func TestEqualLicencesAreShared(t *testing.T) {
	t.Parallel()
	block := `"licensing":` + licence("MIT", "allowed", "allowed", "")
	ref, err := DecodeDocument[CLIPRecord](CategoryCLIP, `{"a":{`+block+`},"b":{`+block+`},"c":{"licensing":{}}}`)
	require.NoError(t, err)
	a, _ := ref.Get("a")
	b, _ := ref.Get("b")
	c, _ := ref.Get("c")
	assert.Same(t, a.Licensing, b.Licensing)
	assert.NotSame(t, a.Licensing, c.Licensing)
	assert.NotSame(t, a.Licensing, a.Clone().Licensing)
}

func TestAMalformedLicenceRejectsOnlyItsRecord(t *testing.T) {
	t.Parallel()
	for _, block := range []string{
		`[]`, `"MIT"`, `{"license_ids":[1]}`, `{"commercial_use":true}`, `{"reviewed_at":"soon"}`, `{"evidence":{}}`, `{"files":[]}`,
	} {
		ref, err := DecodeDocument[CLIPRecord](CategoryCLIP, `{"a":{"licensing":`+block+`},"b":{}}`)
		require.NoError(t, err, block)
		assert.Equal(t, []string{"b"}, ref.Names(), block)
		require.Len(t, ref.Rejected(), 1, block)
		assert.Contains(t, ref.Rejected()[0].Reason, "licensing", block)
	}
}

func TestLicenceQueries(t *testing.T) {
	t.Parallel()
	q := licensedReference(t).Query()
	for name, c := range map[string]struct {
		query Query[CLIPRecord]
		want  []string
	}{
		"commercial use":    {q.AllowsCommercialUse(), []string{"mit", "both", "permissive", "odd"}},
		"redistribution":    {q.AllowsRedistribution(), []string{"mit", "conditions", "new", "permissive", "odd"}},
		"one licence":       {q.LicensedUnder("MIT"), []string{"mit", "new", "permissive"}},
		"letter case":       {q.LicensedUnder("zlib"), []string{"new"}},
		"two licences":      {q.LicensedUnder("MIT", "Zlib"), []string{"mit", "new", "both", "permissive", "odd"}},
		"unreviewed":        {q.LicensedUnder("NOASSERTION"), nil},
		"no licence":        {q.LicensedUnder(), nil},
		"field":             {q.Where(CLIPFields.CommercialUse.Eq(PermissionAllowedWithConditions)), []string{"conditions"}},
		"absent expression": {q.Where(CLIPFields.LicenseExpression.IsUnset()), []string{"absent", "null", "empty"}},
		"ids":               {q.Where(CLIPFields.LicenseIDs.Contains("Zlib")), []string{"odd"}},
	} {
		found, err := c.query.All(t.Context())
		require.NoError(t, err)
		var names []string
		for _, r := range found {
			names = append(names, r.Name)
		}
		assert.ElementsMatch(t, c.want, names, name)
	}
	where, err := ParsePredicate[CLIPRecord]("licensing.commercial_use=unknown,prohibited", "redistribution!=unknown")
	require.NoError(t, err)
	r, err := q.Where(where).Only(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "prohibited", r.Name)
}

func TestDates(t *testing.T) {
	t.Parallel()
	day, err := ParseDate("2024-02-29")
	require.NoError(t, err)
	assert.Equal(t, Date{2024, time.February, 29}, day)
	assert.Equal(t, "2024-02-29", day.String())
	assert.Equal(t, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), day.Time())
	assert.Equal(t, day, DateOf(day.Time().Add(23*time.Hour)))
	for _, text := range []string{"", "2024-02-30", "2024-2-3", "29.02.2024", "2024-02-291", "tomorrow"} {
		_, err := ParseDate(text)
		assert.Error(t, err, text)
	}
	assert.True(t, Date{}.IsZero())
	assert.True(t, Date{}.Time().IsZero())
	assert.Equal(t, "", Date{}.String())
	var e LicenseEvidence
	require.NoError(t, json.Unmarshal([]byte(`{"source":"s","checked_at":null}`), &e))
	assert.Equal(t, `{"source":"s"}`, string(mustJSON(t, e)))
	require.NoError(t, json.Unmarshal([]byte(`{"source":"s","checked_at":"2024-02-29"}`), &e))
	assert.Equal(t, `{"source":"s","checked_at":"2024-02-29"}`, string(mustJSON(t, e)))
}
