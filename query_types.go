// The helper methods that the query of only one category has. The query types themselves are generated.

package modelref

import (
	"context"

	"github.com/haidra-org/modelref/internal/textname"
)

//go:generate go run ./internal/gen/queries

// OnlyInpainting keeps the models that are made for inpainting.
func (q ImageQuery) OnlyInpainting() ImageQuery { return q.Where(ImageFields.Inpainting.IsTrue()) }

// ExcludeInpainting drops the models that are made for inpainting.
func (q ImageQuery) ExcludeInpainting() ImageQuery { return q.Where(ImageFields.Inpainting.IsFalse()) }

// ForBackend keeps the records whose name has the prefix of the given backend, such as "koboldcpp/". If the backend is
// unknown, the terminals return ErrInvalidQuery.
//
// The names of the model reference have no such prefix, so that ForBackend keeps none of its records. Workers add the prefix
// when they report a model. ForBackend is for documents with the names that workers report. To learn which backends serve a
// model, request the usage statistics of package api with IncludeBackendVariations. [TextGenerationService.Resolve] finds the
// record of a name that a worker reports.
func (q TextQuery) ForBackend(backend TextBackend) TextQuery {
	if !backend.Known() {
		return TextQuery{q.withError(invalidQuery("ForBackend(%q): must be one of %s", backend, joinNames(TextBackends())))}
	}
	return q.Where(TextFields.Name.HasPrefix(backend.Prefix()))
}

// ExcludeBackendVariations drops the records whose name has the prefix of a backend. It keeps all records of the model
// reference, whose names have no such prefix; see [TextQuery.ForBackend].
func (q TextQuery) ExcludeBackendVariations() TextQuery {
	return q.Where(MatchFunc(func(r *TextGenerationRecord) bool { return !textname.HasBackendPrefix(r.Name) }))
}

// OnlyQuantized keeps the records whose name says that the model is quantized; see IsQuantized.
func (q TextQuery) OnlyQuantized() TextQuery {
	return q.Where(MatchFunc(func(r *TextGenerationRecord) bool { return textname.IsQuantized(r.Name) }))
}

// ExcludeQuantized drops the records whose name says that the model is quantized; see IsQuantized.
func (q TextQuery) ExcludeQuantized() TextQuery {
	return q.Where(MatchFunc(func(r *TextGenerationRecord) bool { return !textname.IsQuantized(r.Name) }))
}

// GroupByBaseModel returns the result grouped by the group that the name of each record belongs to; see TextModelGroup.
// The sizes, versions and quantizations of one model are therefore in one group. The groups are in the order of their
// first records. It returns the same errors as the terminals of Query.
func (q TextQuery) GroupByBaseModel(ctx context.Context) ([]Group[TextGenerationRecord, string], error) {
	return groupBy(ctx, q.Query, func(r *TextGenerationRecord, into []string) []string {
		return append(into, textname.Group(r.Name))
	})
}

// ForStyle keeps the ControlNets of the given style. It may be one that this package does not define.
func (q ControlNetQuery) ForStyle(style ControlNetStyle) ControlNetQuery {
	return q.Where(ControlNetFields.ControlNetStyle.Eq(style))
}

// GroupByStyle returns the result grouped by style. The groups are in the order of their first records. The records
// without a style are in one group, whose Unset is true. It returns the same errors as the terminals of Query.
func (q ControlNetQuery) GroupByStyle(ctx context.Context) ([]Group[ControlNetRecord, ControlNetStyle], error) {
	return GroupBy(ctx, q, ControlNetFields.ControlNetStyle)
}
