// Distinct, Values and GroupBy: the result of a query by the values of one field.

package modelref

import (
	"context"
	"slices"

	"github.com/haidra-org/modelref/internal/columns"
)

// Distinct returns the values that the field has in the result of the query. Each value is returned once, in the order of
// its first record. Absent values are omitted. For a ListField the values are the elements of the lists. Distinct returns
// the same errors as the terminals of Query.
func Distinct[R Record, V comparable](ctx context.Context, q AnyQuery[R], field FieldOf[R, V]) ([]V, error) {
	query := withField(q.query(), field)
	rows, err := query.read(ctx)
	if err != nil {
		return nil, err
	}
	out, seen := []V{}, map[V]struct{}{}
	var values []V
	add := func(r *R) {
		values = field.values(r, values[:0])
		for _, v := range values {
			if _, ok := seen[v]; !ok {
				seen[v] = struct{}{}
				out = append(out, v)
			}
		}
	}
	if c := query.dictionary(rows, field); c != nil {
		var known [columns.MaxCodes]bool
		query.stream(rows, false, func(r *R, i int) bool {
			if code := c.Code(i); !known[code] {
				known[code] = true
				add(r)
			}
			return true
		})
		return out, rows.missing
	}
	for _, r := range query.collect(rows) {
		add(r)
	}
	return out, rows.missing
}

// A ValueCount is a value of a field and the number of records that have it.
type ValueCount[V comparable] struct {
	Value V
	Count int
}

// Values returns the values that the field has in the result of the query, with the number of records that have each value,
// the most frequent value first. Values that are equally frequent are in the order of their first records. Absent values are
// omitted. For a ListField the values are the elements of the lists. The field may be one of LookupField; its values are
// then texts. Values returns the same errors as the terminals of Query.
func Values[R Record, V comparable](ctx context.Context, q AnyQuery[R], field FieldOf[R, V]) ([]ValueCount[V], error) {
	groups, err := GroupBy(ctx, q, field)
	if groups == nil {
		return nil, err
	}
	out := make([]ValueCount[V], 0, len(groups))
	for i := range groups {
		if !groups[i].Unset {
			out = append(out, ValueCount[V]{groups[i].Key, len(groups[i].Records)})
		}
	}
	slices.SortStableFunc(out, func(a, b ValueCount[V]) int { return b.Count - a.Count })
	return out, err
}

// dictionary returns the dictionary-encoded column of the field. It returns nil if there is none, if the query has an
// order, or if the records are not those of one table.
func (q *Query[R]) dictionary(rows rows[R], field interface{ dictionary() *columns.Field[R] }) *columns.Column {
	if len(q.orders) > 0 || rows.tables != nil || rows.pointers != nil {
		return nil
	}
	return rows.table.columns.Of(field.dictionary(), rows.table.list)
}

// A Group is the records of a result that have one value in common.
type Group[R Record, K comparable] struct {
	// Key is the value. It is the zero value if Unset is true.
	Key K
	// Unset reports whether this is the group of the records without a value.
	Unset bool
	// Records are the records in the order of the result. They are shared and must not be modified.
	Records []*R
}

// GroupBy returns the result of the query grouped by the value of the field. The groups are in the order of their first
// records. The records without a value are in one group, whose Unset is true. For a ListField a record is in the group of
// each of its elements. GroupBy returns the same errors as the terminals of Query.
func GroupBy[R Record, K comparable](ctx context.Context, q AnyQuery[R], field FieldOf[R, K]) ([]Group[R, K], error) {
	query := withField(q.query(), field)
	rows, err := query.read(ctx)
	if err != nil {
		return nil, err
	}
	g := newGrouping(field.values)
	if c := query.dictionary(rows, field); c != nil {
		var groupOf [columns.MaxCodes]int // index of the group of each code, plus 1
		query.stream(rows, false, func(r *R, i int) bool {
			if at := groupOf[c.Code(i)]; at > 0 {
				g.groups[at-1].Records = append(g.groups[at-1].Records, r)
			} else {
				g.add(r)
				groupOf[c.Code(i)] = len(g.groups)
			}
			return true
		})
		return g.groups, rows.missing
	}
	return g.addAll(query.collect(rows)), rows.missing
}

// withField returns the query, with an error if the field is nil or a zero value.
func withField[R Record, V comparable](q Query[R], field FieldOf[R, V]) Query[R] {
	if field == nil || field.Name() == "" {
		return q.withError(errZeroField())
	}
	return q
}

// groupBy groups the result of the query by the values that a function appends.
func groupBy[R Record, K comparable](ctx context.Context, q Query[R], keys func(*R, []K) []K) ([]Group[R, K], error) {
	rows, err := q.read(ctx)
	if err != nil {
		return nil, err
	}
	return newGrouping(keys).addAll(q.collect(rows)), rows.missing
}

// grouping collects records into groups by their keys.
type grouping[R Record, K comparable] struct {
	keys    func(*R, []K) []K
	groups  []Group[R, K]
	indexOf map[K]int // index of the group of each key
	unset   int       // index of the group of the records without a key, -1 if there is none
	buffer  []K
}

func newGrouping[R Record, K comparable](keys func(*R, []K) []K) *grouping[R, K] {
	return &grouping[R, K]{keys: keys, indexOf: map[K]int{}, unset: -1, groups: []Group[R, K]{}}
}

// addAll adds the records and returns all groups.
func (g *grouping[R, K]) addAll(records []*R) []Group[R, K] {
	for _, r := range records {
		g.add(r)
	}
	return g.groups
}

// add puts the record into the group of each of its keys.
func (g *grouping[R, K]) add(r *R) {
	g.buffer = g.keys(r, g.buffer[:0])
	for i, key := range g.buffer {
		if slices.Contains(g.buffer[:i], key) {
			continue
		}
		at, ok := g.indexOf[key]
		if !ok {
			at = len(g.groups)
			g.indexOf[key] = at
			g.groups = append(g.groups, Group[R, K]{Key: key})
		}
		g.groups[at].Records = append(g.groups[at].Records, r)
	}
	if len(g.buffer) > 0 {
		return
	}
	if g.unset < 0 {
		g.unset = len(g.groups)
		g.groups = append(g.groups, Group[R, K]{Unset: true})
	}
	g.groups[g.unset].Records = append(g.groups[g.unset].Records, r)
}
