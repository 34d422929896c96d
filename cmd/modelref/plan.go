// How a selection becomes a query: its conditions, its order, and the fields that are printed.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/haidra-org/modelref"
)

// fieldsOf returns the fields that records R can be asked for.
func fieldsOf[R modelref.Record]() []field {
	names := modelref.FieldNames[R]()
	out := make([]field, len(names))
	for i, name := range names {
		f, _ := modelref.LookupField[R](name) // it is one of them
		out[i] = field{name, f.Kind()}
	}
	return out
}

// plan adds a selection to a query and finds the fields to show. The error tells all that is wrong.
func plan[R modelref.Record](q modelref.Query[R], columns []string, s selection) (modelref.Query[R], []field, error) {
	q, filterErr := filter(q, s.filters)
	where, whereErr := modelref.ParsePredicate[R](s.where...)
	orders, sortErr := modelref.ParseOrder[R](s.sort...)
	if len(s.fields) > 0 {
		columns = s.fields
	}
	flag := "--fields"
	if s.by != "" {
		columns, flag = []string{s.by}, "--by"
	}
	shown, fieldsErr := lookUp[R](columns)
	if fieldsErr != nil {
		fieldsErr = fmt.Errorf("%w; files and checksums are no fields: `get` and --json have them", fieldsErr)
	}
	if err := errors.Join(filterErr, prefix("--where", whereErr), prefix("--sort", sortErr), prefix(flag, fieldsErr)); err != nil {
		return q, nil, asUsage(err)
	}
	q = q.Where(where).OrderBy(orders...)
	if s.limit >= 0 {
		q = q.Limit(s.limit)
	}
	return q, shown, nil
}

// prefix puts the flag at fault before every line of an error, in place of the package's name.
func prefix(flag string, err error) error {
	if err == nil {
		return nil
	}
	var lines []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "modelref: "), modelref.ErrInvalidQuery.Error()+": ")
		lines = append(lines, fmt.Errorf("%s: %s", flag, line))
	}
	return errors.Join(lines...)
}

func lookUp[R modelref.Record](names []string) ([]field, error) {
	var out []field
	var errs []error
	for _, name := range names {
		f, err := modelref.LookupField[R](strings.TrimSpace(name))
		out, errs = append(out, field{f.Name(), f.Kind()}), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// rowsOf takes the type off records.
func rowsOf[R modelref.Record](records []*R) []row {
	fields := map[string]modelref.NamedField[R]{}
	for _, f := range fieldsOf[R]() {
		fields[f.name], _ = modelref.LookupField[R](f.name) // it is one of them
	}
	out := make([]row, len(records))
	for i, r := range records {
		own := any(r).(interface {
			json.Marshaler
			RawJSON() string
		})
		text := func(name string) []string {
			f, ok := fields[name]
			if !ok {
				return nil
			}
			return f.Text(r)
		}
		out[i] = row{name: strings.Join(text("name"), ""), text: text, full: own.MarshalJSON,
			json: func() ([]byte, error) { return ownJSON(own.RawJSON(), own) }}
	}
	return out
}

// ownJSON returns a record as its source sent it, or with its defaults if it does not have its own name: in a
// list of records there is no key that has the name.
func ownJSON(raw string, record json.Marshaler) ([]byte, error) {
	var named struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal([]byte(raw), &named); err != nil || named.Name == "" {
		return record.MarshalJSON()
	}
	return []byte(raw), nil
}
