// Categories by name: the names as people type them, and the reader for programs that learn the category at run time.

package modelref

import (
	"context"
	"fmt"

	"github.com/haidra-org/modelref/internal/namesearch"
)

// ParseCategory returns the category with a name, which must be spelled as the service spells it. Otherwise the error is
// ErrUnknownCategory. It lists all categories, and suggests those that may be meant.
func ParseCategory(name string) (Category, error) {
	if c := Category(name); c.Known() {
		return c, nil
	}
	err := fmt.Errorf("%w %q: must be one of %s", ErrUnknownCategory, name, joinNames(Categories()))
	if similar := similarCategories(name); len(similar) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, orList(similar))
	}
	return "", err
}

// similarCategories returns the names of the categories that a name may mean.
func similarCategories(name string) []string {
	var names, categories []string
	for _, c := range Categories() {
		names, categories = append(names, string(c)), append(categories, string(c))
	}
	// These are the names of files, and of what is in them.
	names = append(names, "stable_diffusion", "textual_inversion")
	categories = append(categories, string(CategoryImageGeneration), string(CategoryTextualInversion))
	var out []string
	for _, i := range namesearch.New(names).Nearest(name, maxSuggestions) {
		out = append(out, categories[i])
	}
	return out
}

// A CategoryReader reads one category by its name, for programs that learn the category at run time. Load, Get and Watch return
// the fields that the records of all categories have in common. Query reaches all fields of the category, by name.
type CategoryReader struct {
	category Category
	cache    *categoryCache // nil for the reader of a zero Client
}

// Category returns a reader of the category with that name. If there is none, the error matches [ErrUnknownCategory] and lists
// the names. The reader of a zero Client has the fields of the category and checks queries; reading returns [ErrClosed].
func (c *Client) Category(name string) (*CategoryReader, error) {
	category, err := ParseCategory(name)
	if err != nil {
		return nil, fmt.Errorf("modelref: %w", err)
	}
	reader := &CategoryReader{category: category}
	if c != nil {
		reader.cache = c.caches[category]
	}
	return reader, nil
}

// Category returns the category that is read. It returns "" for the zero CategoryReader.
func (r *CategoryReader) Category() Category {
	if r == nil {
		return ""
	}
	return r.category
}

// Load returns the category as [Service.Load] does, with the common fields of its records. The Raw of a record and its JSON have
// all fields, and [Reference.QueryByName] can use all fields.
func (r *CategoryReader) Load(ctx context.Context, options ...LoadOption) (*Reference[ModelRecord], error) {
	if r == nil || r.cache == nil {
		return nil, errClosed
	}
	o := newReadOptions(options)
	ref, err := r.cache.readRecords(ctx, o)
	if err == nil && len(o.overlays) > 0 {
		ref, err = ref.overlaid(ctx, r.cache, o.overlays)
	}
	if err != nil {
		return nil, err
	}
	return ref.models(), nil
}

// Get returns the record with that name. If there is none, the error is a *[NotFoundError], which matches [ErrNotFound] and
// suggests similar names; other errors are those of [CategoryReader.Load].
func (r *CategoryReader) Get(ctx context.Context, name string, options ...LoadOption) (*ModelRecord, error) {
	ref, err := r.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	if m, ok := ref.Get(name); ok {
		return m, nil
	}
	return nil, ref.notFound(name)
}

// Fields returns the fields of the records of the category, in the order of the service's JSON.
func (r *CategoryReader) Fields() []FieldInfo { return r.Query().Fields() }

// LookupField returns the field with the given name; see [NamedQuery.LookupField].
func (r *CategoryReader) LookupField(name string) (FieldInfo, error) {
	return r.Query().LookupField(name)
}

// Query returns a query over the category by the names of all its fields. Its terminals read the category in the same way
// as Load.
//
//	reader, err := client.Category("controlnet")
//	…
//	records, err := reader.Query().Where("controlnet_style=control_canny", "size_on_disk_bytes<1GB").OrderBy("-name").All(ctx)
func (r *CategoryReader) Query() NamedQuery {
	if r == nil || r.category == "" {
		return NamedQuery{}
	}
	return recordTypes[r.category].query(r.cache)
}
