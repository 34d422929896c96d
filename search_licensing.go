// Whether the service has applied the licence filter of a search.

package modelref

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
)

// checkLicences returns ErrUnsupported if a record on the page does not match the licence filter of the query. An older
// deployment ignores the filter, and a caller must not take its results for licensed ones.
func (r *SearchResult[R]) checkLicences(query url.Values) error {
	id, commercial, redistribution := query.Get("license_id"), query.Get("commercial_use"), query.Get("redistribution")
	if id == "" && commercial == "" && redistribution == "" {
		return nil
	}
	for _, record := range r.Results {
		var found struct {
			Name      string `json:"name"`
			Licensing struct {
				LicenseIDs     []string   `json:"license_ids"`
				CommercialUse  Permission `json:"commercial_use"`
				Redistribution Permission `json:"redistribution"`
			} `json:"licensing"`
		}
		if err := decodeJSON(any(record).(interface{ RawJSON() string }).RawJSON(), &found); err != nil {
			return err
		}
		l := found.Licensing
		if id != "" && !slices.Contains(l.LicenseIDs, id) ||
			commercial != "" && string(cmp.Or(l.CommercialUse, PermissionUnknown)) != commercial ||
			redistribution != "" && string(cmp.Or(l.Redistribution, PermissionUnknown)) != redistribution {
			return fmt.Errorf("the licence filter is %w: the service returned the record %q, which does not match",
				ErrUnsupported, found.Name)
		}
	}
	return nil
}
