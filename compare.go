// Comparing two references, record by record and field by field.

package modelref

import "github.com/haidra-org/modelref/internal/jsondoc"

// Compare returns how the later reference differs from the earlier one, as Watch does. It compares the values of all fields,
// including unknown fields, and not how they are written. Numbers are compared exactly. A nil reference has no records.
// The network is not touched.
func Compare[R Record](earlier, later *Reference[R]) Change[R] {
	change := Change[R]{Reference: later}
	for name, record := range later.All() {
		before, ok := earlier.byKey(name)
		if !ok {
			change.Added = append(change.Added, name)
			continue
		}
		if fields := jsondoc.DifferingFields(earlier.data.common(before).raw, later.data.common(record).raw); len(fields) > 0 {
			change.Changed = append(change.Changed, RecordChange{Name: name, Fields: fields})
		}
	}
	rejected := later.rejectedNames()
	for name := range earlier.All() {
		if _, ok := later.byKey(name); ok {
			continue
		}
		if rejected(name) {
			change.Rejected = append(change.Rejected, name)
		} else {
			change.Removed = append(change.Removed, name)
		}
	}
	return change
}

// rejectedNames returns a function that reports whether a record that is not in the reference was rejected. If not all
// rejected records are listed, it returns true for every name, because a record is removed only if that is certain.
func (r *Reference[R]) rejectedNames() func(name string) bool {
	if r == nil || len(r.rejected) == 0 {
		return func(string) bool { return false }
	}
	names := make(map[string]bool, len(r.rejected))
	for i := range r.rejected {
		names[r.rejected[i].Name] = true
	}
	return func(name string) bool { return len(r.rejected) > maxRejected || names[listedName(name)] }
}
