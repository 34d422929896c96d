// Categories, without the type of their records: what a command can do with any of them.

package main

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/haidra-org/modelref"
)

// selection is what the flags of list and search select.
type selection struct {
	filters
	where  []string
	sort   []string
	fields []string // the columns; if there are none, the kind has its own
	limit  int      // if it is negative, there is no limit

	by string // the field whose values are counted, in place of the columns
}

// field is one that records can be asked for.
type field struct {
	name string
	kind modelref.FieldKind
}

// row is one record of any type.
type row struct {
	name string                      // in the document, which a record may contradict
	text func(field string) []string // nil for a field that the kind does not have
	json func() ([]byte, error)      // the record's own JSON
	full func() ([]byte, error)      // with the defaults filled in
}

// answer is what a selection has found.
type answer struct {
	rows    []row
	columns []field
	origin  *about // nil for several categories
}

// about is what a reference tells of itself.
type about struct {
	category modelref.Category
	ref      interface {
		Source() modelref.Source
		Stale() bool
		ConfirmedAt() time.Time
		Rejected() []modelref.RecordError
	}
}

// kind is a category, or all of them, with the type of its records taken away.
type kind interface {
	name() string
	fields() []field
	columns() []string
	// check returns the fields that a selection prints, or an error that says what is wrong with the selection. It reads
	// nothing.
	check(s selection) ([]field, error)
	// answer reads the category.
	answer(ctx context.Context, client *modelref.Client, s selection) (*answer, error)
	// search asks the service. For one category, only the name, the order and the page are used.
	search(ctx context.Context, client *modelref.Client, o modelref.SearchOptions) (*found, error)
	// watch is Watch of the category's service.
	watch(ctx context.Context, client *modelref.Client, options modelref.WatchOptions) iter.Seq2[change, error]
}

// kindOf returns the kind of the category of that name.
func kindOf(name string) (kind, error) {
	category, err := parseCategory(name)
	if err != nil {
		return nil, err
	}
	all := kinds()
	return all[slices.IndexFunc(all, func(k kind) bool { return k.name() == string(category) })], nil
}

// kinds returns the kind of every category, in the order of modelref.Categories.
func kinds() []kind {
	type client = modelref.Client
	common := []string{"version", "size_on_disk_bytes", "description"}
	content := []string{"baseline", "nsfw", "size_on_disk_bytes"}
	return []kind{
		of(modelref.CategoryBLIP, common, func(c *client) *modelref.Service[modelref.BLIPRecord] { return &c.BLIP.Service }),
		of(modelref.CategoryCLIP, []string{"pretrained_name", "size_on_disk_bytes", "description"},
			func(c *client) *modelref.Service[modelref.CLIPRecord] { return &c.CLIP.Service }),
		of(modelref.CategoryCodeFormer, common,
			func(c *client) *modelref.Service[modelref.CodeFormerRecord] { return &c.CodeFormer.Service }),
		of(modelref.CategoryControlNet, []string{"controlnet_style", "size_on_disk_bytes", "description"},
			func(c *client) *modelref.Service[modelref.ControlNetRecord] { return &c.ControlNet.Service }),
		of(modelref.CategoryControlNetAnnotator, []string{"control_types", "size_on_disk_bytes"},
			func(c *client) *modelref.Service[modelref.ControlNetAnnotatorRecord] {
				return &c.ControlNetAnnotator.Service
			}),
		of(modelref.CategoryESRGAN, common,
			func(c *client) *modelref.Service[modelref.ESRGANRecord] { return &c.ESRGAN.Service }),
		of(modelref.CategoryGFPGAN, common,
			func(c *client) *modelref.Service[modelref.GFPGANRecord] { return &c.GFPGAN.Service }),
		of(modelref.CategorySafetyChecker, common,
			func(c *client) *modelref.Service[modelref.SafetyCheckerRecord] { return &c.SafetyChecker.Service }),
		of(modelref.CategoryImageGeneration, []string{"baseline", "style", "nsfw", "size_on_disk_bytes"},
			func(c *client) *modelref.Service[modelref.ImageGenerationRecord] { return &c.ImageGeneration.Service }),
		of(modelref.CategoryTextGeneration, []string{"baseline", "parameters", "nsfw"},
			func(c *client) *modelref.Service[modelref.TextGenerationRecord] { return &c.TextGeneration.Service }),
		of(modelref.CategoryVideoGeneration, content,
			func(c *client) *modelref.Service[modelref.VideoGenerationRecord] { return &c.VideoGeneration.Service }),
		of(modelref.CategoryAudioGeneration, content,
			func(c *client) *modelref.Service[modelref.AudioGenerationRecord] { return &c.AudioGeneration.Service }),
		of(modelref.CategoryMiscellaneous, common,
			func(c *client) *modelref.Service[modelref.MiscellaneousRecord] { return &c.Miscellaneous.Service }),
		of(modelref.CategoryLoRA, content, func(c *client) *modelref.Service[modelref.LoRARecord] { return &c.LoRA.Service }),
		of(modelref.CategoryTextualInversion, content,
			func(c *client) *modelref.Service[modelref.TextualInversionRecord] { return &c.TextualInversion.Service }),
	}
}

// typed is the kind of a category of records R.
type typed[R modelref.Record] struct {
	category modelref.Category
	shown    []string // the columns that a table has after the name
	service  func(*modelref.Client) *modelref.Service[R]
}

func of[R modelref.Record](c modelref.Category, shown []string, service func(*modelref.Client) *modelref.Service[R]) kind {
	return typed[R]{c, shown, service}
}

func (k typed[R]) name() string      { return string(k.category) }
func (k typed[R]) fields() []field   { return fieldsOf[R]() }
func (k typed[R]) columns() []string { return append([]string{"name"}, k.shown...) }

func (k typed[R]) check(s selection) ([]field, error) {
	_, columns, err := plan(modelref.QueryRecords[R](nil), k.columns(), s)
	return columns, err
}

func (k typed[R]) answer(ctx context.Context, client *modelref.Client, s selection) (*answer, error) {
	ref, err := k.service(client).Load(ctx)
	if err != nil {
		return nil, within(ctx, err)
	}
	query, columns, err := plan(ref.Query(), k.columns(), s)
	if err != nil {
		return nil, err
	}
	records, err := query.All(ctx)
	if err != nil {
		return nil, err
	}
	rows, names := rowsOf(records), make(map[*R]string, ref.Len())
	for name, record := range ref.All() {
		names[record] = name
	}
	for i, record := range records {
		rows[i].name = names[record]
	}
	return &answer{rows: rows, columns: columns, origin: &about{k.category, ref}}, nil
}
