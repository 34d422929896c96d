// Several categories together, by the fields that the records of all categories have.

package main

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/haidra-org/modelref"
)

// everything is the kind of several categories together, by the fields that the records of all categories have.
type everything struct{ only []modelref.Category }

// several returns the kind of categories. One category has its own fields.
func several(categories []modelref.Category) (kind, error) {
	if len(categories) == 1 {
		return kindOf(string(categories[0]))
	}
	return everything{categories}, nil
}

func (everything) name() string    { return "several categories" }
func (everything) fields() []field { return fieldsOf[modelref.ModelRecord]() }
func (everything) columns() []string {
	return []string{"record_type", "name", "size_on_disk_bytes", "description"}
}

func (k everything) categories() []modelref.Category {
	if len(k.only) == 0 {
		return modelref.Categories()
	}
	return k.only
}

// check returns an error for a condition on a field that no category has. The other parts of a selection are about the
// fields that all categories have.
func (k everything) check(s selection) ([]field, error) {
	common := s
	common.filters, common.where = filters{}, nil
	_, columns, err := plan(modelref.QueryRecords[modelref.ModelRecord](nil), k.columns(), common)
	errs := []error{err}
	for _, c := range s.allConditions() {
		accepted := false
		for _, category := range k.categories() {
			accepted = accepted || accepts(category, c.text)
		}
		if !accepted {
			_, err := modelref.ParsePredicate[modelref.ModelRecord](c.text)
			errs = append(errs, asUsage(prefix(c.flag, err)))
		}
	}
	return columns, errors.Join(errs...)
}

// accepts reports whether a category has the field of a condition.
func accepts(category modelref.Category, condition string) bool {
	k, err := kindOf(string(category))
	if err == nil {
		_, err = k.check(selection{where: []string{condition}, limit: -1})
	}
	return err == nil
}

// forCategory returns the selection for a category: the conditions on its own fields. It returns false if the category does
// not have the field of a condition, so that it has no record to select. A condition that a flag is unset holds without the
// field.
func (s selection) forCategory(category modelref.Category) (selection, bool) {
	own := selection{limit: -1, filters: filters{commercial: s.commercial, licenses: s.licenses}}
	for _, c := range s.allConditions() {
		switch {
		case accepts(category, c.text):
			own.where = append(own.where, c.text)
		case !strings.HasPrefix(c.text, "!"):
			return own, false
		}
	}
	return own, true
}

// answer returns what could be read together with a *modelref.PartialError if some categories could not be read.
func (k everything) answer(ctx context.Context, client *modelref.Client, s selection) (*answer, error) {
	own := map[modelref.Category]selection{}
	var categories []modelref.Category
	for _, category := range k.categories() {
		if part, ok := s.forCategory(category); ok {
			own[category], categories = part, append(categories, category)
		}
	}
	var all []*modelref.ModelRecord
	var missing []modelref.CategoryError
	loads := loadCategories(ctx, client, categories)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, load := range loads {
		if load.err != nil {
			missing = append(missing, modelref.CategoryError{Category: load.category, Err: load.err})
			continue
		}
		records, err := selectRecords(ctx, client, load, own[load.category])
		if err != nil {
			return nil, within(ctx, err)
		}
		all = append(all, records...)
	}
	s.filters, s.where = filters{}, nil
	query, columns, err := plan(modelref.QueryRecords(all), k.columns(), s)
	if err != nil {
		return nil, err
	}
	records, err := query.All(ctx)
	if err != nil {
		return nil, within(ctx, err)
	}
	out := &answer{rows: rowsOf(records), columns: columns}
	if len(missing) > 0 {
		return out, &modelref.PartialError{Missing: missing}
	}
	return out, nil
}

// selectRecords returns the records of a category that a selection keeps, by the fields that all categories have.
func selectRecords(ctx context.Context, client *modelref.Client, load loaded, s selection) ([]*modelref.ModelRecord, error) {
	k, err := kindOf(string(load.category))
	if err != nil {
		return nil, err
	}
	found, err := k.answer(ctx, client, s)
	if err != nil {
		return nil, err
	}
	var out []*modelref.ModelRecord
	for _, r := range found.rows {
		if record, ok := load.ref.Get(r.name); ok {
			out = append(out, record)
		}
	}
	return out, nil
}

// loaded is a category, by the fields that the records of all categories have, or the error of its load.
type loaded struct {
	category modelref.Category
	ref      *modelref.Reference[modelref.ModelRecord]
	err      error
}

// loadCategories loads categories concurrently. The result has their order.
func loadCategories(ctx context.Context, client *modelref.Client, categories []modelref.Category) []loaded {
	out := make([]loaded, len(categories))
	var loads sync.WaitGroup
	for i, category := range categories {
		loads.Go(func() {
			ref, err := loadCategory(ctx, client, category)
			out[i] = loaded{category, ref, err}
		})
	}
	loads.Wait()
	return out
}

// loadCategory loads a category by the fields that the records of all categories have.
func loadCategory(ctx context.Context, client *modelref.Client, category modelref.Category) (*modelref.Reference[modelref.ModelRecord], error) {
	reader, err := client.Category(string(category))
	if err != nil {
		return nil, err
	}
	return reader.Load(ctx)
}
