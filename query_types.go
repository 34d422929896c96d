// The queries of the categories that have helpers of their own. Each is a Query, and each of its methods returns its own
// type, so that helpers chain anywhere.

package modelref

import (
	"context"

	"github.com/haidra-org/modelref/internal/textname"
)

// ImageQuery asks for models that make images. It is immutable and has the terminals of Query.
type ImageQuery struct{ Query[ImageGenerationRecord] }

// QueryImages returns a query over all records of the source: a *Reference, Records of a slice, or a service.
func QueryImages(source Source[ImageGenerationRecord]) ImageQuery {
	return ImageQuery{NewQuery(source)}
}

// Query returns a query over the category. Its terminals read the category as Load does.
func (s *ImageGenerationService) Query() ImageQuery { return QueryImages(&s.Service) }

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q ImageQuery) Where(predicates ...Predicate[ImageGenerationRecord]) ImageQuery {
	return ImageQuery{q.Query.Where(predicates...)}
}

// OrderBy orders the answer by the first order, then the second, and so on. It replaces an earlier OrderBy.
func (q ImageQuery) OrderBy(orders ...Order[ImageGenerationRecord]) ImageQuery {
	return ImageQuery{q.Query.OrderBy(orders...)}
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit.
func (q ImageQuery) Limit(n int) ImageQuery { return ImageQuery{q.Query.Limit(n)} }

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset.
func (q ImageQuery) Offset(n int) ImageQuery { return ImageQuery{q.Query.Offset(n)} }

// TagsAny keeps the records that have at least one of the tags.
func (q ImageQuery) TagsAny(tags ...string) ImageQuery {
	return q.Where(ImageFields.Tags.ContainsAny(tags...))
}

// TagsAll keeps the records that have all of the tags. With none given it keeps those that have any tag.
func (q ImageQuery) TagsAll(tags ...string) ImageQuery {
	return q.Where(ImageFields.Tags.ContainsAll(tags...))
}

// TagsNone keeps the records that have none of the tags, those without tags included.
func (q ImageQuery) TagsNone(tags ...string) ImageQuery {
	return q.Where(ImageFields.Tags.ContainsNone(tags...))
}

// ExcludeNSFW leaves out the records that are not safe for work.
func (q ImageQuery) ExcludeNSFW() ImageQuery { return q.Where(ImageFields.NSFW.IsFalse()) }

// OnlyNSFW keeps the records that are not safe for work.
func (q ImageQuery) OnlyNSFW() ImageQuery { return q.Where(ImageFields.NSFW.IsTrue()) }

// ForBaseline keeps the records of that baseline, which need not be a known one.
func (q ImageQuery) ForBaseline(baseline Baseline) ImageQuery {
	return q.Where(ImageFields.Baseline.Eq(baseline))
}

// OnlyInpainting keeps the models that are made for inpainting.
func (q ImageQuery) OnlyInpainting() ImageQuery { return q.Where(ImageFields.Inpainting.IsTrue()) }

// ExcludeInpainting leaves out the models that are made for inpainting.
func (q ImageQuery) ExcludeInpainting() ImageQuery { return q.Where(ImageFields.Inpainting.IsFalse()) }

// TextQuery asks for models that make text. It is immutable and has the terminals of Query.
type TextQuery struct{ Query[TextGenerationRecord] }

// QueryTexts returns a query over all records of the source: a *Reference, Records of a slice, or a service.
func QueryTexts(source Source[TextGenerationRecord]) TextQuery { return TextQuery{NewQuery(source)} }

// Query returns a query over the category. Its terminals read the category as Load does.
func (s *TextGenerationService) Query() TextQuery { return QueryTexts(&s.Service) }

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q TextQuery) Where(predicates ...Predicate[TextGenerationRecord]) TextQuery {
	return TextQuery{q.Query.Where(predicates...)}
}

// OrderBy orders the answer by the first order, then the second, and so on. It replaces an earlier OrderBy.
func (q TextQuery) OrderBy(orders ...Order[TextGenerationRecord]) TextQuery {
	return TextQuery{q.Query.OrderBy(orders...)}
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit.
func (q TextQuery) Limit(n int) TextQuery { return TextQuery{q.Query.Limit(n)} }

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset.
func (q TextQuery) Offset(n int) TextQuery { return TextQuery{q.Query.Offset(n)} }

// TagsAny keeps the records that have at least one of the tags.
func (q TextQuery) TagsAny(tags ...string) TextQuery {
	return q.Where(TextFields.Tags.ContainsAny(tags...))
}

// TagsAll keeps the records that have all of the tags. With none given it keeps those that have any tag.
func (q TextQuery) TagsAll(tags ...string) TextQuery {
	return q.Where(TextFields.Tags.ContainsAll(tags...))
}

// TagsNone keeps the records that have none of the tags, those without tags included.
func (q TextQuery) TagsNone(tags ...string) TextQuery {
	return q.Where(TextFields.Tags.ContainsNone(tags...))
}

// ExcludeNSFW leaves out the records that are not safe for work.
func (q TextQuery) ExcludeNSFW() TextQuery { return q.Where(TextFields.NSFW.IsFalse()) }

// OnlyNSFW keeps the records that are not safe for work.
func (q TextQuery) OnlyNSFW() TextQuery { return q.Where(TextFields.NSFW.IsTrue()) }

// ForBackend keeps the records whose name has the prefix of that backend. An unknown backend is ErrInvalidQuery at the
// terminal.
func (q TextQuery) ForBackend(backend TextBackend) TextQuery {
	if !backend.Known() {
		return TextQuery{q.wrong(invalidQuery("ForBackend(%q): want one of %s", backend, joinNames(TextBackends())))}
	}
	return q.Where(TextFields.Name.HasPrefix(backend.Prefix()))
}

// ExcludeBackendVariations leaves out the records whose name has the prefix of a backend.
func (q TextQuery) ExcludeBackendVariations() TextQuery {
	return q.Where(Match(func(r *TextGenerationRecord) bool { return !textname.HasBackendPrefix(r.Name) }))
}

// OnlyQuantized keeps the records whose name says that the model is quantised; see IsQuantized.
func (q TextQuery) OnlyQuantized() TextQuery {
	return q.Where(Match(func(r *TextGenerationRecord) bool { return textname.IsQuantized(r.Name) }))
}

// ExcludeQuantized leaves out the records whose name says that the model is quantised; see IsQuantized.
func (q TextQuery) ExcludeQuantized() TextQuery {
	return q.Where(Match(func(r *TextGenerationRecord) bool { return !textname.IsQuantized(r.Name) }))
}

// GroupByBaseModel returns the records of the answer by the group that their name belongs to (see TextModelGroup), so
// that the sizes, versions and quantisations of one model are together. The groups are in the order in which they are
// first seen. The errors are those of the terminals of Query.
func (q TextQuery) GroupByBaseModel(ctx context.Context) ([]Group[TextGenerationRecord, string], error) {
	return groupBy(ctx, q.Query, func(r *TextGenerationRecord, into []string) []string {
		return append(into, textname.Group(r.Name))
	})
}

// ControlNetQuery asks for ControlNets. It is immutable and has the terminals of Query.
type ControlNetQuery struct{ Query[ControlNetRecord] }

// QueryControlNets returns a query over all records of the source: a *Reference, Records of a slice, or a service.
func QueryControlNets(source Source[ControlNetRecord]) ControlNetQuery {
	return ControlNetQuery{NewQuery(source)}
}

// Query returns a query over the category. Its terminals read the category as Load does.
func (s *ControlNetService) Query() ControlNetQuery { return QueryControlNets(&s.Service) }

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q ControlNetQuery) Where(predicates ...Predicate[ControlNetRecord]) ControlNetQuery {
	return ControlNetQuery{q.Query.Where(predicates...)}
}

// OrderBy orders the answer by the first order, then the second, and so on. It replaces an earlier OrderBy.
func (q ControlNetQuery) OrderBy(orders ...Order[ControlNetRecord]) ControlNetQuery {
	return ControlNetQuery{q.Query.OrderBy(orders...)}
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit.
func (q ControlNetQuery) Limit(n int) ControlNetQuery { return ControlNetQuery{q.Query.Limit(n)} }

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset.
func (q ControlNetQuery) Offset(n int) ControlNetQuery { return ControlNetQuery{q.Query.Offset(n)} }

// ForStyle keeps the ControlNets of that style, which need not be a known one.
func (q ControlNetQuery) ForStyle(style ControlNetStyle) ControlNetQuery {
	return q.Where(ControlNetFields.ControlNetStyle.Eq(style))
}

// GroupByStyle returns the records of the answer by their style, the groups in the order in which they are first seen.
// Records without a style are one group, which is Unset. The errors are those of the terminals of Query.
func (q ControlNetQuery) GroupByStyle(ctx context.Context) ([]Group[ControlNetRecord, ControlNetStyle], error) {
	return GroupBy(ctx, q, ControlNetFields.ControlNetStyle)
}

// VideoQuery asks for models that make video. It is immutable and has the terminals of Query.
type VideoQuery struct{ Query[VideoGenerationRecord] }

// QueryVideos returns a query over all records of the source: a *Reference, Records of a slice, or a service.
func QueryVideos(source Source[VideoGenerationRecord]) VideoQuery {
	return VideoQuery{NewQuery(source)}
}

// Query returns a query over the category. Its terminals read the category as Load does.
func (s *VideoGenerationService) Query() VideoQuery { return QueryVideos(&s.Service) }

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q VideoQuery) Where(predicates ...Predicate[VideoGenerationRecord]) VideoQuery {
	return VideoQuery{q.Query.Where(predicates...)}
}

// OrderBy orders the answer by the first order, then the second, and so on. It replaces an earlier OrderBy.
func (q VideoQuery) OrderBy(orders ...Order[VideoGenerationRecord]) VideoQuery {
	return VideoQuery{q.Query.OrderBy(orders...)}
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit.
func (q VideoQuery) Limit(n int) VideoQuery { return VideoQuery{q.Query.Limit(n)} }

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset.
func (q VideoQuery) Offset(n int) VideoQuery { return VideoQuery{q.Query.Offset(n)} }

// TagsAny keeps the records that have at least one of the tags.
func (q VideoQuery) TagsAny(tags ...string) VideoQuery {
	return q.Where(VideoFields.Tags.ContainsAny(tags...))
}

// TagsAll keeps the records that have all of the tags. With none given it keeps those that have any tag.
func (q VideoQuery) TagsAll(tags ...string) VideoQuery {
	return q.Where(VideoFields.Tags.ContainsAll(tags...))
}

// TagsNone keeps the records that have none of the tags, those without tags included.
func (q VideoQuery) TagsNone(tags ...string) VideoQuery {
	return q.Where(VideoFields.Tags.ContainsNone(tags...))
}

// ExcludeNSFW leaves out the records that are not safe for work.
func (q VideoQuery) ExcludeNSFW() VideoQuery { return q.Where(VideoFields.NSFW.IsFalse()) }

// OnlyNSFW keeps the records that are not safe for work.
func (q VideoQuery) OnlyNSFW() VideoQuery { return q.Where(VideoFields.NSFW.IsTrue()) }

// AudioQuery asks for models that make sound. It is immutable and has the terminals of Query.
type AudioQuery struct{ Query[AudioGenerationRecord] }

// QueryAudios returns a query over all records of the source: a *Reference, Records of a slice, or a service.
func QueryAudios(source Source[AudioGenerationRecord]) AudioQuery {
	return AudioQuery{NewQuery(source)}
}

// Query returns a query over the category. Its terminals read the category as Load does.
func (s *AudioGenerationService) Query() AudioQuery { return QueryAudios(&s.Service) }

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q AudioQuery) Where(predicates ...Predicate[AudioGenerationRecord]) AudioQuery {
	return AudioQuery{q.Query.Where(predicates...)}
}

// OrderBy orders the answer by the first order, then the second, and so on. It replaces an earlier OrderBy.
func (q AudioQuery) OrderBy(orders ...Order[AudioGenerationRecord]) AudioQuery {
	return AudioQuery{q.Query.OrderBy(orders...)}
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit.
func (q AudioQuery) Limit(n int) AudioQuery { return AudioQuery{q.Query.Limit(n)} }

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset.
func (q AudioQuery) Offset(n int) AudioQuery { return AudioQuery{q.Query.Offset(n)} }

// TagsAny keeps the records that have at least one of the tags.
func (q AudioQuery) TagsAny(tags ...string) AudioQuery {
	return q.Where(AudioFields.Tags.ContainsAny(tags...))
}

// TagsAll keeps the records that have all of the tags. With none given it keeps those that have any tag.
func (q AudioQuery) TagsAll(tags ...string) AudioQuery {
	return q.Where(AudioFields.Tags.ContainsAll(tags...))
}

// TagsNone keeps the records that have none of the tags, those without tags included.
func (q AudioQuery) TagsNone(tags ...string) AudioQuery {
	return q.Where(AudioFields.Tags.ContainsNone(tags...))
}

// ExcludeNSFW leaves out the records that are not safe for work.
func (q AudioQuery) ExcludeNSFW() AudioQuery { return q.Where(AudioFields.NSFW.IsFalse()) }

// OnlyNSFW keeps the records that are not safe for work.
func (q AudioQuery) OnlyNSFW() AudioQuery { return q.Where(AudioFields.NSFW.IsTrue()) }

// LoRAQuery asks for LoRAs. It is immutable and has the terminals of Query.
type LoRAQuery struct{ Query[LoRARecord] }

// QueryLoRAs returns a query over all records of the source: a *Reference, Records of a slice, or a service.
func QueryLoRAs(source Source[LoRARecord]) LoRAQuery { return LoRAQuery{NewQuery(source)} }

// Query returns a query over the category. Its terminals read the category as Load does.
func (s *LoRAService) Query() LoRAQuery { return QueryLoRAs(&s.Service) }

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q LoRAQuery) Where(predicates ...Predicate[LoRARecord]) LoRAQuery {
	return LoRAQuery{q.Query.Where(predicates...)}
}

// OrderBy orders the answer by the first order, then the second, and so on. It replaces an earlier OrderBy.
func (q LoRAQuery) OrderBy(orders ...Order[LoRARecord]) LoRAQuery {
	return LoRAQuery{q.Query.OrderBy(orders...)}
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit.
func (q LoRAQuery) Limit(n int) LoRAQuery { return LoRAQuery{q.Query.Limit(n)} }

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset.
func (q LoRAQuery) Offset(n int) LoRAQuery { return LoRAQuery{q.Query.Offset(n)} }

// TagsAny keeps the records that have at least one of the tags.
func (q LoRAQuery) TagsAny(tags ...string) LoRAQuery {
	return q.Where(LoRAFields.Tags.ContainsAny(tags...))
}

// TagsAll keeps the records that have all of the tags. With none given it keeps those that have any tag.
func (q LoRAQuery) TagsAll(tags ...string) LoRAQuery {
	return q.Where(LoRAFields.Tags.ContainsAll(tags...))
}

// TagsNone keeps the records that have none of the tags, those without tags included.
func (q LoRAQuery) TagsNone(tags ...string) LoRAQuery {
	return q.Where(LoRAFields.Tags.ContainsNone(tags...))
}

// ExcludeNSFW leaves out the records that are not safe for work.
func (q LoRAQuery) ExcludeNSFW() LoRAQuery { return q.Where(LoRAFields.NSFW.IsFalse()) }

// OnlyNSFW keeps the records that are not safe for work.
func (q LoRAQuery) OnlyNSFW() LoRAQuery { return q.Where(LoRAFields.NSFW.IsTrue()) }

// ForBaseline keeps the records of that baseline, which need not be a known one.
func (q LoRAQuery) ForBaseline(baseline Baseline) LoRAQuery {
	return q.Where(LoRAFields.Baseline.Eq(baseline))
}

// TextualInversionQuery asks for textual inversions. It is immutable and has the terminals of Query.
type TextualInversionQuery struct{ Query[TextualInversionRecord] }

// QueryTextualInversions returns a query over all records of the source: a *Reference, Records of a slice, or a service.
func QueryTextualInversions(source Source[TextualInversionRecord]) TextualInversionQuery {
	return TextualInversionQuery{NewQuery(source)}
}

// Query returns a query over the category. Its terminals read the category as Load does.
func (s *TextualInversionService) Query() TextualInversionQuery {
	return QueryTextualInversions(&s.Service)
}

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q TextualInversionQuery) Where(predicates ...Predicate[TextualInversionRecord]) TextualInversionQuery {
	return TextualInversionQuery{q.Query.Where(predicates...)}
}

// OrderBy orders the answer by the first order, then the second, and so on. It replaces an earlier OrderBy.
func (q TextualInversionQuery) OrderBy(orders ...Order[TextualInversionRecord]) TextualInversionQuery {
	return TextualInversionQuery{q.Query.OrderBy(orders...)}
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit.
func (q TextualInversionQuery) Limit(n int) TextualInversionQuery {
	return TextualInversionQuery{q.Query.Limit(n)}
}

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset.
func (q TextualInversionQuery) Offset(n int) TextualInversionQuery {
	return TextualInversionQuery{q.Query.Offset(n)}
}

// TagsAny keeps the records that have at least one of the tags.
func (q TextualInversionQuery) TagsAny(tags ...string) TextualInversionQuery {
	return q.Where(TextualInversionFields.Tags.ContainsAny(tags...))
}

// TagsAll keeps the records that have all of the tags. With none given it keeps those that have any tag.
func (q TextualInversionQuery) TagsAll(tags ...string) TextualInversionQuery {
	return q.Where(TextualInversionFields.Tags.ContainsAll(tags...))
}

// TagsNone keeps the records that have none of the tags, those without tags included.
func (q TextualInversionQuery) TagsNone(tags ...string) TextualInversionQuery {
	return q.Where(TextualInversionFields.Tags.ContainsNone(tags...))
}

// ExcludeNSFW leaves out the records that are not safe for work.
func (q TextualInversionQuery) ExcludeNSFW() TextualInversionQuery {
	return q.Where(TextualInversionFields.NSFW.IsFalse())
}

// OnlyNSFW keeps the records that are not safe for work.
func (q TextualInversionQuery) OnlyNSFW() TextualInversionQuery {
	return q.Where(TextualInversionFields.NSFW.IsTrue())
}

// ForBaseline keeps the records of that baseline, which need not be a known one.
func (q TextualInversionQuery) ForBaseline(baseline Baseline) TextualInversionQuery {
	return q.Where(TextualInversionFields.Baseline.Eq(baseline))
}
