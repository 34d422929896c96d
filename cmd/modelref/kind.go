// Categories, without the type of their records: what a command can do with any of them.

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	text func(field string) []string // the field must be one of the kind's
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

// change is what Watch has found.
type change struct {
	initial        bool
	records        int
	origin         modelref.Source
	stale          bool
	added, removed []string
	changed        []modelref.RecordChange
	rejected       []rejectedRecord
	differences    changeSet // what added, removed and changed are, for people
}

// rejectedRecord is a record that was there and no longer decodes.
type rejectedRecord struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// kind is a category, or all of them, with the type of its records taken away.
type kind interface {
	name() string
	fields() []field
	columns() []string
	// check finds what is wrong with a selection without reading anything.
	check(s selection) error
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

// hasField reports whether the records of a kind have a field.
func hasField(k kind, name string) bool {
	return slices.ContainsFunc(k.fields(), func(f field) bool { return f.name == name })
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

func (k typed[R]) check(s selection) error {
	_, _, err := plan(modelref.QueryRecords[R](nil), k.columns(), s)
	return err
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

func (k typed[R]) watch(ctx context.Context, client *modelref.Client, o modelref.WatchOptions) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) {
		var before *modelref.Reference[R]
		for c, err := range k.service(client).Watch(ctx, o) {
			out := change{initial: c.Initial, added: c.Added, removed: c.Removed, changed: c.Changed}
			if c.Reference != nil {
				out.records, out.origin, out.stale = c.Reference.Len(), c.Reference.Source(), c.Reference.Stale()
				out.rejected = rejectedOf(c.Rejected, c.Reference.Rejected())
				out.differences = differencesOf(before, c)
				before = c.Reference
			}
			if !yield(out, err) {
				return
			}
		}
	}
}

// differencesOf returns the records and values of a change.
func differencesOf[R modelref.Record](before *modelref.Reference[R], c modelref.Change[R]) changeSet {
	out := changeSet{removed: c.Removed}
	for _, name := range c.Added {
		out.added = append(out.added, namedRecord{name, rawRecord(c.Reference, name)})
	}
	for _, changed := range c.Changed {
		leaves := leafChanges("", rawRecord(before, changed.Name), rawRecord(c.Reference, changed.Name))
		out.changed = append(out.changed, recordDiff{changed.Name, leaves})
	}
	return out
}

// rawRecord returns the JSON of a record, or nil if there is no such record.
func rawRecord[R modelref.Record](ref *modelref.Reference[R], name string) json.RawMessage {
	record, ok := ref.Get(name)
	if !ok {
		return nil
	}
	return json.RawMessage(any(record).(interface{ RawJSON() string }).RawJSON()) // every record has it
}

// rejectedOf says what is wrong with the records of these names. The errors do not list all of very many, and shorten
// long names.
func rejectedOf(names []string, errs []modelref.RecordError) []rejectedRecord {
	reasons := make(map[string]string, len(errs))
	for _, err := range errs {
		reasons[err.Name] = err.Reason
	}
	out := make([]rejectedRecord, len(names))
	for i, name := range names {
		out[i] = rejectedRecord{name, cmp.Or(reasons[name], "it does not decode any more")}
	}
	return out
}

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

// check returns an error for a condition that no category has the field for. The other parts of a selection are about the
// fields that all categories have.
func (k everything) check(s selection) error {
	common := s
	common.filters, common.where = filters{}, nil
	_, _, err := plan(modelref.QueryRecords[modelref.ModelRecord](nil), k.columns(), common)
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
	return errors.Join(errs...)
}

// accepts reports whether a category has the field of a condition.
func accepts(category modelref.Category, condition string) bool {
	k, err := kindOf(string(category))
	return err == nil && k.check(selection{where: []string{condition}, limit: -1}) == nil
}

// within returns the selection of a category: the conditions on its own fields. It returns false if no record can be
// selected, because a condition asks for the value of a field that the category does not have.
func (s selection) within(category modelref.Category) (selection, bool) {
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
		if part, ok := s.within(category); ok {
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

func (everything) watch(context.Context, *modelref.Client, modelref.WatchOptions) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) { yield(change{}, errors.New("one category is watched at a time")) }
}

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
	where, whereErr := modelref.ParsePredicate[R](fullNames(s.where)...)
	orders, sortErr := modelref.ParseOrder[R](fullNames(s.sort)...)
	if len(s.fields) > 0 {
		columns = fullNames(s.fields)
	}
	flag := "--fields"
	if s.by != "" {
		columns, flag = []string{fullName(s.by)}, "--by"
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
		lines = append(lines, fmt.Errorf("%s: %s", flag, shortened(flag, line)))
	}
	return errors.Join(lines...)
}

// noField matches the error for a name of no field.
var noField = regexp.MustCompile(`^no field ("(?:[^"\\]|\\.)*"): must be one of (.*)$`)

// shortened returns an error without the list of all fields if a similar name is known. A filter names its field itself.
func shortened(flag, line string) string {
	parts := noField.FindStringSubmatch(line)
	if parts == nil {
		return line
	}
	if flag != "--where" && flag != "--sort" && flag != "--fields" && flag != "--by" {
		return "the records have no field " + parts[1]
	}
	name, err := strconv.Unquote(parts[1])
	if err != nil {
		return line
	}
	if near := modelref.NearestNames(name, strings.Split(parts[2], ", "), maxSuggestions); len(near) > 0 {
		return "no field " + parts[1] + ": did you mean " + strings.Join(near, " or ") + "?"
	}
	return line
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
		text := func(name string) []string { return fields[name].Text(r) }
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
