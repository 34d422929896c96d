// Queries over the common fields of the records of every category.

package modelref

import (
	"context"
	"strings"
	"sync"
)

// A PartialError lists the categories that a call over several categories could not load. It is ErrUnavailable if the
// error of one of them is.
type PartialError struct {
	// Missing are the categories that could not be loaded, in the order of Categories.
	Missing []CategoryError
}

// A CategoryError is a category that could not be loaded.
type CategoryError struct {
	// Category is the category.
	Category Category
	// Err is the error of the load; see Service.Load.
	Err error
}

// partialError returns a *PartialError with the categories that have an error, or nil if none has.
func partialError(categories []Category, errs []error) error {
	var out PartialError
	for i, category := range categories {
		if errs[i] != nil {
			out.Missing = append(out.Missing, CategoryError{category, errs[i]})
		}
	}
	if len(out.Missing) == 0 {
		return nil
	}
	return &out
}

// Error returns the missing categories and their errors on one line.
func (e *PartialError) Error() string {
	var out strings.Builder
	out.WriteString("modelref: not all categories could be loaded: ")
	for i, m := range e.Missing {
		if i > 0 {
			out.WriteString("; ")
		}
		text := strings.TrimPrefix(m.Err.Error(), "modelref: ")
		if !strings.HasPrefix(text, string(m.Category)+": ") {
			out.WriteString(string(m.Category) + ": ")
		}
		out.WriteString(text)
	}
	return out.String()
}

// Unwrap returns the errors of the missing categories.
func (e *PartialError) Unwrap() []error {
	out := make([]error, len(e.Missing))
	for i, m := range e.Missing {
		out[i] = m.Err
	}
	return out
}

// Categories returns the missing categories.
func (e *PartialError) Categories() []Category {
	out := make([]Category, len(e.Missing))
	for i, m := range e.Missing {
		out[i] = m.Category
	}
	return out
}

// ModelQuery is a query over the records of every category, by the fields in ModelFields that all of them have. It is
// immutable and has the terminals of Query. They load all categories concurrently, each in the same way as its Load. The
// records are in the order of Categories, and those of one category in the order of its document. If a category cannot be
// loaded, the terminals return a *PartialError; see Partial.
type ModelQuery struct{ Query[ModelRecord] }

// QueryModels returns a query over the records of every category.
func (c *Client) QueryModels() ModelQuery {
	return ModelQuery{NewQuery[ModelRecord](clientSource{client: c})}
}

// Partial makes the terminals return the records of the categories that could be loaded. If others could not be loaded,
// the terminals return both the result and a *PartialError that lists the missing categories; Iter yields the error
// last. If any other error occurs, there is no result.
//
//	records, err := client.QueryModels().Partial().All(ctx)
//	var incomplete *modelref.PartialError
//	if errors.As(err, &incomplete) {
//		log.Print("without ", incomplete.Categories())
//	} else if err != nil {
//		return err
//	}
func (q ModelQuery) Partial() ModelQuery {
	if all, ok := q.source.(clientSource); ok {
		all.partial = true
		q.source = all
	}
	return q
}

// clientSource loads every category of a Client.
type clientSource struct {
	client  *Client
	partial bool
}

func (s clientSource) rows(ctx context.Context) (rows[ModelRecord], error) {
	if s.client == nil || s.client.config == nil || s.client.closed.Load() {
		return rows[ModelRecord]{}, errClosed
	}
	categories := Categories()
	read, errs := make([]rows[ModelRecord], len(categories)), make([]error, len(categories))
	var loads sync.WaitGroup
	for i, category := range categories {
		loads.Go(func() {
			reader := &CategoryReader{category: category, cache: s.client.caches[category]}
			if ref, err := reader.Load(ctx); err != nil {
				errs[i] = err
			} else {
				read[i], errs[i] = ref.rows(ctx)
			}
		})
	}
	loads.Wait()
	var all rows[ModelRecord]
	for _, r := range read {
		all.tables = append(all.tables, r.table)
	}
	switch err := partialError(categories, errs); {
	case err == nil:
		return all, nil
	case s.partial && ctx.Err() == nil:
		all.missing = err
		return all, nil
	default:
		return rows[ModelRecord]{}, err
	}
}
