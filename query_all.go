// QueryAll: one query over the common fields of the records of every category.

package modelref

import (
	"context"
	"strings"
	"sync"
)

// IncompleteError says which categories a query over all of them could not read, and why. It is ErrUnavailable where
// one of them is.
type IncompleteError struct {
	// Missing are the categories that could not be read, in the order of Categories.
	Missing []MissingCategory
}

// MissingCategory is a category that could not be read.
type MissingCategory struct {
	// Category is the category.
	Category Category
	// Err says why, as Service.Load does.
	Err error
}

// Error returns each category that is missing and why, on one line.
func (e *IncompleteError) Error() string {
	var out strings.Builder
	out.WriteString("modelref: query over all categories: ")
	for i, m := range e.Missing {
		if i > 0 {
			out.WriteString("; ")
		}
		said := strings.TrimPrefix(m.Err.Error(), "modelref: ")
		if !strings.HasPrefix(said, string(m.Category)+": ") {
			out.WriteString(string(m.Category) + ": ")
		}
		out.WriteString(said)
	}
	return out.String()
}

// Unwrap returns why each category is missing.
func (e *IncompleteError) Unwrap() []error {
	out := make([]error, len(e.Missing))
	for i, m := range e.Missing {
		out[i] = m.Err
	}
	return out
}

// Categories returns the categories that are missing.
func (e *IncompleteError) Categories() []Category {
	out := make([]Category, len(e.Missing))
	for i, m := range e.Missing {
		out[i] = m.Category
	}
	return out
}

// AllQuery asks for records of every category, by the fields in ModelFields that all of them have. It is immutable and
// has the terminals of Query. They read the categories side by side, each as its Load does, and give the records in the
// order of Categories, those of one category in its document's order. A category that cannot be read makes them fail
// with an *IncompleteError; see Partial.
type AllQuery struct{ Query[ModelRecord] }

// QueryAll returns a query over the records of every category.
func (c *Client) QueryAll() AllQuery { return AllQuery{NewQuery[ModelRecord](allSource{client: c})} }

// Query returns a query over the common fields of the category. Its terminals read the category as Load does.
func (r *CategoryReader) Query() Query[ModelRecord] { return NewQuery[ModelRecord](readerSource{r}) }

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q AllQuery) Where(predicates ...Predicate[ModelRecord]) AllQuery {
	return AllQuery{q.Query.Where(predicates...)}
}

// OrderBy orders the answer by the first order, then the second, and so on. It replaces an earlier OrderBy.
func (q AllQuery) OrderBy(orders ...Order[ModelRecord]) AllQuery {
	return AllQuery{q.Query.OrderBy(orders...)}
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit.
func (q AllQuery) Limit(n int) AllQuery { return AllQuery{q.Query.Limit(n)} }

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset.
func (q AllQuery) Offset(n int) AllQuery { return AllQuery{q.Query.Offset(n)} }

// Partial makes the terminals answer from the categories that could be read. Where some could not, they return that
// answer and, beside it, an *IncompleteError that tells what is missing; Iter yields it last. All other errors come
// without an answer, as ever.
//
//	records, err := client.QueryAll().Partial().All(ctx)
//	var incomplete *modelref.IncompleteError
//	if errors.As(err, &incomplete) {
//		log.Print("without ", incomplete.Categories())
//	} else if err != nil {
//		return err
//	}
func (q AllQuery) Partial() AllQuery {
	if all, ok := q.source.(allSource); ok {
		all.partial = true
		q.source = all
	}
	return q
}

// readerSource reads one category through a CategoryReader.
type readerSource struct{ reader *CategoryReader }

func (s readerSource) rows(ctx context.Context) (rows[ModelRecord], error) {
	ref, err := s.reader.Load(ctx)
	if err != nil {
		return rows[ModelRecord]{}, err
	}
	return ref.rows(ctx)
}

// allSource reads every category of a Client.
type allSource struct {
	client  *Client
	partial bool
}

func (s allSource) rows(ctx context.Context) (rows[ModelRecord], error) {
	if s.client == nil || s.client.config == nil || s.client.closed.Load() {
		return rows[ModelRecord]{}, ErrClosed
	}
	categories := Categories()
	read, errs := make([]rows[ModelRecord], len(categories)), make([]error, len(categories))
	var loads sync.WaitGroup
	for i, category := range categories {
		loads.Go(func() {
			read[i], errs[i] = readerSource{&CategoryReader{cache: s.client.caches[category]}}.rows(ctx)
		})
	}
	loads.Wait()
	var all rows[ModelRecord]
	var incomplete IncompleteError
	for i, category := range categories {
		if errs[i] != nil {
			incomplete.Missing = append(incomplete.Missing, MissingCategory{category, errs[i]})
		}
		all.slabs = append(all.slabs, read[i].slab)
	}
	switch {
	case len(incomplete.Missing) == 0:
		return all, nil
	case s.partial && ctx.Err() == nil:
		all.missing = &incomplete
		return all, nil
	default:
		return rows[ModelRecord]{}, &incomplete
	}
}
