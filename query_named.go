// Queries by the names of fields: conditions, orders and results for programs that learn the category at run time.

package modelref

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
)

// A FieldInfo describes a field that a NamedQuery can filter by.
type FieldInfo struct {
	// Name is the field's name in the service's JSON. The name of a nested field is its path, such as
	// "metadata.created_at".
	Name string `json:"name"`
	// Kind is the type of the values.
	Kind FieldKind `json:"kind"`
	// Operators are the operators that a condition can have; see [NamedField.Where].
	Operators []string `json:"operators"`
	// Ordered reports whether a query can be sorted by the field. A list has no order.
	Ordered bool `json:"ordered"`
}

// A NamedQuery selects records by the names of their fields, with conditions and orders in text form. It is meant for
// programs that learn the category or the conditions at run time, such as command lines. [CategoryReader.Query],
// [Reference.QueryByName] and [Query.ByName] return one.
//
// A NamedQuery is immutable, and its result is computed in the same way as that of a [Query]. If the query is invalid, the
// terminals read nothing and return everything that is wrong with it, joined; each error is ErrInvalidQuery. Check returns
// the same errors without reading. The other errors of the terminals are those of the terminals of Query.
type NamedQuery struct{ query untypedQuery }

// untypedQuery is a Query without the type of its records. The receivers are not changed.
type untypedQuery interface {
	fields() []FieldInfo
	lookup(name string) (FieldInfo, error)
	where(conditions []string) untypedQuery
	orderBy(keys []string) untypedQuery
	limit(n int) untypedQuery
	offset(n int) untypedQuery
	problems() []error
	all(ctx context.Context) ([]NamedRecord, error)
	count(ctx context.Context) (int, error)
	values(ctx context.Context, field string) ([]ValueCount[string], error)
}

// Fields returns the fields of the records, in the order of the service's JSON.
func (q NamedQuery) Fields() []FieldInfo { return q.untyped().fields() }

// LookupField returns the field with the given name. The name may be shortened, such as "created_at" for
// "metadata.created_at"; see the function [LookupField]. If there is no such field, the error is ErrInvalidQuery and lists
// the names.
func (q NamedQuery) LookupField(name string) (FieldInfo, error) { return q.untyped().lookup(name) }

// Where keeps the records that all the conditions keep, such as "size_on_disk_bytes<=8GB", "style=anime,realistic" or
// "!nsfw"; see [ParsePredicate]. Several calls of Where are combined with AND.
func (q NamedQuery) Where(conditions ...string) NamedQuery {
	return NamedQuery{q.untyped().where(conditions)}
}

// OrderBy sorts the result by the first key, then by the second, and so on. A key is the name of a field, or "-" and the
// name for the highest value first; see [ParseOrder]. It replaces an earlier OrderBy.
func (q NamedQuery) OrderBy(keys ...string) NamedQuery { return NamedQuery{q.untyped().orderBy(keys)} }

// Limit keeps the first n records of the result, after OrderBy and Offset. It replaces an earlier Limit. If n is
// negative, the query is invalid.
func (q NamedQuery) Limit(n int) NamedQuery { return NamedQuery{q.untyped().limit(n)} }

// Offset drops the first n records of the result, after OrderBy. It replaces an earlier Offset. If n is negative, the
// query is invalid.
func (q NamedQuery) Offset(n int) NamedQuery { return NamedQuery{q.untyped().offset(n)} }

// Check returns everything that is wrong with the query and with the given names of fields, for example those that a
// program will show, or nil. It reads nothing. The reader of a zero [Client] can therefore check a query before there is a
// Client.
func (q NamedQuery) Check(fields ...string) error {
	untyped := q.untyped()
	errs := untyped.problems()
	for _, name := range fields {
		if _, err := untyped.lookup(name); err != nil {
			errs = append(slices.Clip(errs), err)
		}
	}
	return errors.Join(errs...)
}

// All returns the records of the result. The slice belongs to the caller; the records behind it are shared and must not be
// modified.
func (q NamedQuery) All(ctx context.Context) ([]NamedRecord, error) { return q.untyped().all(ctx) }

// Count returns the number of records of the result, after Offset and Limit.
func (q NamedQuery) Count(ctx context.Context) (int, error) { return q.untyped().count(ctx) }

// Iter returns an iterator over the records of the result. An error is yielded once, as the last element, with a zero
// record. Each range over the iterator reads the source again.
func (q NamedQuery) Iter(ctx context.Context) iter.Seq2[NamedRecord, error] {
	return func(yield func(NamedRecord, error) bool) {
		records, err := q.All(ctx)
		for _, record := range records {
			if !yield(record, nil) {
				return
			}
		}
		if err != nil {
			yield(NamedRecord{}, err)
		}
	}
}

// Values returns the values that a field has in the result, with the number of records that have each value, the most
// frequent value first; see the function [Values]. It returns ErrInvalidQuery if there is no such field.
func (q NamedQuery) Values(ctx context.Context, field string) ([]ValueCount[string], error) {
	return q.untyped().values(ctx, field)
}

// untyped returns the query, or for the zero NamedQuery a query without a source.
func (q NamedQuery) untyped() untypedQuery {
	if q.query == nil {
		return typedQuery[ModelRecord]{}
	}
	return q.query
}

// ByName returns the query as a NamedQuery, which goes on with the names of the fields of R. It keeps the predicates, the
// orders, the limit and the offset of q. For example, client.QueryModels().ByName() queries all categories by the fields that
// all records have.
func (q Query[R]) ByName() NamedQuery { return NamedQuery{typedQuery[R]{q}} }

// QueryByName returns a query over the records of the reference by the names of the fields of its category. The reference
// of a [CategoryReader] has only the common fields of the records, but QueryByName can use all fields of the category. Its
// terminals do not use the network.
func (r *Reference[R]) QueryByName() NamedQuery {
	if r != nil && r.typed != nil {
		return r.typed.QueryByName()
	}
	return r.Query().ByName()
}

// A NamedRecord is a record in the result of a NamedQuery.
type NamedRecord struct {
	// Category is the category of the record.
	Category Category
	// Name is the name of the record in its category, as Get accepts it.
	Name string
	// Record points to the record of the category's type, for example to a ControlNetRecord. For a query over all
	// categories it points to a ModelRecord. The record is shared and must not be modified.
	Record any

	fields fieldReader
}

// fieldReader reads the fields of records by name.
type fieldReader interface {
	text(record any, name string) []string
}

// Model returns the fields of the record that the records of all categories have. They are shared and must not be
// modified.
func (r NamedRecord) Model() *ModelRecord {
	if record, ok := r.Record.(commonRecord); ok {
		return record.common()
	}
	return &ModelRecord{}
}

// Values returns the values of a field as text: none if the field is absent, several for a list. The name may be
// shortened, as for [NamedQuery.LookupField]. Values returns nil if there is no such field; [NamedQuery.Check] finds such
// names.
func (r NamedRecord) Values(field string) []string {
	if r.fields == nil {
		return nil
	}
	return r.fields.text(r.Record, field)
}

// RawJSON returns the record as its source sent it; see [ModelRecord.RawJSON].
func (r NamedRecord) RawJSON() string { return r.Model().RawJSON() }

// MarshalJSON returns the record in the v2 format with its defaults filled in. Unknown fields are kept.
func (r NamedRecord) MarshalJSON() ([]byte, error) {
	if record, ok := r.Record.(json.Marshaler); ok {
		return record.MarshalJSON()
	}
	return []byte("null"), nil
}

// commonRecord is a pointer to a record of any type.
type commonRecord interface{ common() *ModelRecord }

// typedQuery is a query over records R that is built by names.
type typedQuery[R Record] struct{ query Query[R] }

func (q typedQuery[R]) fields() []FieldInfo {
	fields := namedFields[R]()
	out := make([]FieldInfo, len(fields))
	for i, f := range fields {
		out[i] = f.info()
	}
	return out
}

func (q typedQuery[R]) lookup(name string) (FieldInfo, error) {
	field, err := LookupField[R](name)
	if err != nil {
		return FieldInfo{}, err
	}
	return field.info(), nil
}

func (f NamedField[R]) info() FieldInfo {
	return FieldInfo{Name: f.name, Kind: f.kind, Operators: f.Operators(), Ordered: f.asc.compare != nil}
}

func (q typedQuery[R]) where(conditions []string) untypedQuery {
	p, _ := ParsePredicate[R](conditions...) // the predicate has the error
	return typedQuery[R]{q.query.Where(p)}
}

func (q typedQuery[R]) orderBy(keys []string) untypedQuery {
	orders, err := ParseOrder[R](keys...)
	if err != nil {
		return typedQuery[R]{q.query.withError(err)}
	}
	return typedQuery[R]{q.query.OrderBy(orders...)}
}

func (q typedQuery[R]) limit(n int) untypedQuery { return typedQuery[R]{q.query.Limit(n)} }

func (q typedQuery[R]) offset(n int) untypedQuery { return typedQuery[R]{q.query.Offset(n)} }

func (q typedQuery[R]) problems() []error { return q.query.problems() }

func (q typedQuery[R]) count(ctx context.Context) (int, error) { return q.query.Count(ctx) }

func (q typedQuery[R]) all(ctx context.Context) ([]NamedRecord, error) {
	rows, err := q.query.read(ctx)
	if err != nil {
		return nil, err
	}
	return namedRecords(q.query.collect(rows), rows.otherNames()), rows.missing
}

func (q typedQuery[R]) values(ctx context.Context, name string) ([]ValueCount[string], error) {
	field, err := LookupField[R](name)
	if err != nil {
		return nil, errors.Join(append(q.problems(), err)...)
	}
	return Values(ctx, q.query, field)
}

// recordName is where a record is found.
type recordName struct {
	category Category
	name     string
}

// otherNames returns the names of the records that are found under another name, or in another category, than they state
// themselves. There are few of them.
func (r *rows[R]) otherNames() map[*R]recordName {
	var out map[*R]recordName
	add := func(t *table[R]) {
		for i := range t.list {
			record := &t.list[i]
			stated := any(record).(commonRecord).common()
			found := recordName{t.category, stated.Name}
			if t.keys != nil {
				found.name = t.keys[i]
			}
			if found.name == stated.Name && found.category == stated.RecordType {
				continue
			}
			if out == nil {
				out = map[*R]recordName{}
			}
			out[record] = found
		}
	}
	add(&r.table)
	for i := range r.tables {
		add(&r.tables[i])
	}
	return out
}

// namedRecords returns the records without their type. others has the names of those that state another name.
func namedRecords[R Record](records []*R, others map[*R]recordName) []NamedRecord {
	fields := namedFieldReader[R]{namedFields[R]()}
	out := make([]NamedRecord, len(records))
	for i, record := range records {
		stated := any(record).(commonRecord).common()
		out[i] = NamedRecord{Category: stated.RecordType, Name: stated.Name, Record: record, fields: fields}
		if found, ok := others[record]; ok {
			out[i].Category, out[i].Name = found.category, found.name
		}
	}
	return out
}

// namedFieldReader reads the fields of records R.
type namedFieldReader[R Record] struct{ fields []NamedField[R] }

func (f namedFieldReader[R]) text(record any, name string) []string {
	r, ok := record.(*R)
	at := indexOfField(f.fields, name)
	if !ok || at < 0 {
		return nil
	}
	return f.fields[at].Text(r)
}
