// Both searches: which records are found, in which order, and the page that is returned.

package mirror

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

// The limits of a page of a search.
const (
	defaultSearchLimit = 50
	maxSearchLimit     = 500
)

// permissions are the values of the filters by licence.
var permissions = []string{"allowed", "allowed_with_conditions", "prohibited", "unknown"}

// searchQuery is a search request whose parameters are valid.
type searchQuery struct {
	nsfw, inpainting, quantized  *bool
	baseline, nameContains       *string
	tagsAny, tagsAll, tagsNone   []string
	sortBy                       string
	sorted, descending           bool
	limit, offset                int
	backend                      *string
	excludeVariations            bool
	licence, commercial, redistr string
	byLicence                    bool
}

// parseSearch reads the parameters of a search. Those of one category are read if the search has a category. The filters
// by licence exist if the deployment writes licences.
func parseSearch(values url.Values, oneCategory, licensed bool) (searchQuery, []validationError) {
	p := params{query: values}
	q := searchQuery{nsfw: p.flag("nsfw"), limit: defaultSearchLimit}
	if oneCategory {
		q.baseline = p.text("baseline")
		q.inpainting = p.flag("inpainting")
	}
	q.tagsAny, q.tagsAll, q.tagsNone = values["tags_any"], values["tags_all"], values["tags_none"]
	q.nameContains = p.text("name_contains")
	if licensed {
		q.licence, q.byLicence = p.last("license_id")
		q.commercial = p.choice("commercial_use", permissions)
		q.redistr = p.choice("redistribution", permissions)
	}
	q.sortBy, q.sorted = p.last("sort_by")
	if descending := p.flag("sort_desc"); descending != nil {
		q.descending = *descending
	}
	if limit := p.number("limit", 1, maxSearchLimit); limit != nil {
		q.limit = *limit
	}
	if offset := p.number("offset", 0, noMaximum); offset != nil {
		q.offset = *offset
	}
	if oneCategory {
		q.backend = p.text("backend")
		if exclude := p.flag("exclude_backend_variations"); exclude != nil {
			q.excludeVariations = *exclude
		}
		q.quantized = p.flag("quantized")
	}
	return q, p.errors
}

func (p *params) text(name string) *string {
	if text, ok := p.last(name); ok {
		return &text
	}
	return nil
}

// backendPrefixes has the prefix of the names of each text backend. The service lists them in this order.
var backendPrefixes = []struct{ name, prefix string }{{"aphrodite", "aphrodite/"}, {"koboldcpp", "koboldcpp/"}}

// searchCategory serves the search of one category.
func (m *Mirror) searchCategory(w http.ResponseWriter, r *http.Request, name string) {
	category := modelref.Category(name)
	if !category.Known() {
		m.detail(w, r, http.StatusUnprocessableEntity,
			"Unknown category '"+name+"'. Valid: "+pythonList(categoryNames()))
		return
	}
	st, err := m.sources[category].load(r.Context())
	if err != nil {
		m.unavailable(w, r, err)
		return
	}
	values := r.URL.Query()
	q, invalid := parseSearch(values, true, st.licensed)
	if source := values.Get("source"); source != "" && source != "horde" {
		m.forward(w, r) // only the PRIMARY knows the other providers
		return
	}
	if len(invalid) > 0 {
		m.invalid(w, r, invalid)
		return
	}
	fields := fieldsOf(recordTypes[category], st.licensed)
	if problem := q.check(recordTypes[category].class, fields); problem != "" {
		m.detail(w, r, http.StatusBadRequest, problem)
		return
	}
	if q.sorted && !sortable(fields, q.sortBy) {
		m.forward(w, r) // the service sorts by nested fields too
		return
	}
	m.respondDerived(w, r, st, func() []byte {
		return searchPage(st.order(q.sortBy, q.descending, q.sorted), q, category == modelref.CategoryTextGeneration)
	})
}

// check returns the service's message if a filter or the order does not exist in the category, otherwise "".
func (q *searchQuery) check(class string, fields []recordField) string {
	for _, filter := range []struct {
		field string
		set   bool
	}{
		{"nsfw", q.nsfw != nil}, {"baseline", q.baseline != nil}, {"inpainting", q.inpainting != nil},
		{"tags", q.tagsAny != nil || q.tagsAll != nil || q.tagsNone != nil},
	} {
		if filter.set && !hasField(fields, filter.field) {
			return "Filter not supported for this category: " + noField(filter.field, class, fields)
		}
	}
	if q.backend != nil && class == recordTypes[modelref.CategoryTextGeneration].class && q.backendPrefix() == "" {
		return "Unknown source: Unknown backend " + pythonString(*q.backend) +
			". Valid backends: [<TEXT_BACKENDS.aphrodite: 'aphrodite'>, <TEXT_BACKENDS.koboldcpp: 'koboldcpp'>]"
	}
	return q.checkOrder(class, fields)
}

func (q *searchQuery) checkOrder(class string, fields []recordField) string {
	top, _, _ := strings.Cut(q.sortBy, "__")
	if q.sorted && !hasField(fields, top) {
		return "Invalid sort_by field: " + noField(top, class, fields)
	}
	return ""
}

func (q *searchQuery) backendPrefix() string {
	for _, backend := range backendPrefixes {
		if backend.name == *q.backend {
			return backend.prefix
		}
	}
	return ""
}

func hasField(fields []recordField, name string) bool {
	return slices.ContainsFunc(fields, func(f recordField) bool { return f.name == name })
}

// sortable reports whether records can be sorted by the field here. The service sorts by other fields as Python can.
func sortable(fields []recordField, name string) bool {
	return slices.ContainsFunc(fields, func(f recordField) bool { return f.name == name && f.kind != kindObject })
}

// noField returns the service's message about a field that a type does not have.
func noField(name, class string, fields []recordField) string {
	valid := make([]string, len(fields))
	for i, field := range fields {
		valid[i] = field.name
	}
	slices.Sort(valid)
	return "Field " + pythonString(name) + " does not exist on " + class + ". Valid fields: " + pythonList(valid)
}

// searchAll serves the search in all categories.
func (m *Mirror) searchAll(w http.ResponseWriter, r *http.Request) {
	all, err := m.loadAll(r.Context())
	if err != nil {
		m.unavailable(w, r, err)
		return
	}
	q, invalid := parseSearch(r.URL.Query(), false, all.licensed)
	if len(invalid) > 0 {
		m.invalid(w, r, invalid)
		return
	}
	fields := fieldsOf(genericRecord, all.licensed)
	if problem := q.checkOrder(genericRecord.class, fields); problem != "" {
		m.detail(w, r, http.StatusBadRequest, problem)
		return
	}
	if q.sorted && !sortable(fields, q.sortBy) {
		m.forward(w, r)
		return
	}
	m.respondDerived(w, r, all.state, func() []byte {
		return searchPage(all.order(q.sortBy, q.descending, q.sorted), q, false)
	})
}

// combined is a snapshot of all categories together.
type combined struct {
	*state
	parts []*snapshot // whose entries it has
}

// loadAll returns the records of all categories. A category that cannot be loaded is left out if another one can, as the
// service does.
func (m *Mirror) loadAll(ctx context.Context) (*combined, error) {
	var (
		states  []*state
		lastErr error
	)
	for _, category := range modelref.Categories() {
		st, err := m.sources[category].load(ctx)
		if err != nil {
			lastErr = err
			continue
		}
		states = append(states, st)
	}
	if len(states) == 0 {
		return nil, lastErr
	}
	parts := make([]*snapshot, len(states))
	merged := &state{origin: states[0].origin, confirmedAt: states[0].confirmedAt}
	for i, st := range states {
		parts[i] = st.snapshot
		merged.stale = merged.stale || st.stale
		merged.origin = max(merged.origin, st.origin)
		if st.confirmedAt.Before(merged.confirmedAt) {
			merged.confirmedAt = st.confirmedAt
		}
	}
	last := m.all.Load()
	if last == nil || !slices.Equal(last.parts, parts) {
		last = &combined{state: &state{snapshot: combine(parts)}, parts: parts}
		m.all.Store(last)
	}
	merged.snapshot = last.snapshot
	return &combined{state: merged, parts: parts}, nil
}

// combine returns a snapshot with the entries of all parts. It has no document of its own.
func combine(parts []*snapshot) *snapshot {
	out := &snapshot{}
	var tags strings.Builder
	for _, part := range parts {
		tags.WriteString(part.etag + "\n")
		out.licensed = out.licensed || part.licensed
		for _, e := range part.entries {
			if e.decoded {
				out.entries = append(out.entries, &entry{record: e.record, decoded: true})
			}
		}
	}
	markShared(out.entries)
	out.etag = strings.Trim(strongTag([]byte(tags.String())), `"`)
	out.label()
	return out
}

// sortOrder is a field and a direction to sort by.
type sortOrder struct {
	field      string
	descending bool
}

// order returns the entries in the order of a field, or in that of the document. Each order is made once.
func (s *snapshot) order(field string, descending, sorted bool) []*entry {
	if !sorted {
		return s.entries
	}
	key := sortOrder{field, descending}
	if made, ok := s.sorted.Load(key); ok {
		return made.([]*entry)
	}
	type keyed struct {
		entry *entry
		key   sortKey
	}
	list := make([]keyed, len(s.entries))
	for i, e := range s.entries {
		list[i] = keyed{e, e.sortKey(field)}
	}
	slices.SortStableFunc(list, func(a, b keyed) int {
		if descending {
			a, b = b, a
		}
		return a.key.compare(b.key)
	})
	out := make([]*entry, len(list))
	for i := range list {
		out[i] = list[i].entry
	}
	s.sorted.Store(key, out)
	return out
}

// sortKey is the value of a field to sort by. A record without a value comes after all others.
type sortKey struct {
	missing bool
	number  int64
	text    string
	list    []string
}

func (a sortKey) compare(b sortKey) int {
	switch {
	case a.missing != b.missing && a.missing:
		return 1
	case a.missing != b.missing:
		return -1
	case a.number != b.number && a.number < b.number:
		return -1
	case a.number != b.number:
		return 1
	case a.text != b.text:
		return strings.Compare(a.text, b.text)
	}
	return slices.Compare(a.list, b.list)
}

// sortKey returns the value that an entry is sorted by: the one in its JSON of search results.
func (e *entry) sortKey(field string) sortKey {
	var record map[string]json.RawMessage
	if !e.decoded || json.Unmarshal([]byte(e.normalizedJSON()), &record) != nil || record[field] == nil {
		return sortKey{missing: true}
	}
	value := record[field]
	var key sortKey
	switch value[0] {
	case '"':
		_ = json.Unmarshal(value, &key.text)
	case '[':
		_ = json.Unmarshal(value, &key.list)
	case 't':
		key.number = 1
	case 'f':
	default:
		key.number, _ = strconv.ParseInt(string(value), 10, 64)
	}
	return key
}

// searchPage returns the body of the requested page.
func searchPage(entries []*entry, q searchQuery, text bool) []byte {
	match := q.matcher(text)
	page := make([]*entry, 0, min(q.limit, len(entries)))
	total := 0
	var seen map[string]bool
	for _, e := range entries {
		if !e.decoded || !match(e) {
			continue
		}
		if e.shared {
			if seen[e.facts.name] {
				continue
			}
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[e.facts.name] = true
		}
		if total >= q.offset && len(page) < q.limit {
			page = append(page, e)
		}
		total++
	}
	return encodePage(page, q, total)
}

func encodePage(page []*entry, q searchQuery, total int) []byte {
	size := 128
	for _, e := range page {
		size += len(e.normalizedJSON()) + 1
	}
	out := make([]byte, 0, size)
	out = append(out, `{"results":[`...)
	for i, e := range page {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e.normalizedJSON()...)
	}
	out = append(out, `],"total":`...)
	out = strconv.AppendInt(out, int64(total), 10)
	out = append(out, `,"offset":`...)
	out = strconv.AppendInt(out, int64(q.offset), 10)
	out = append(out, `,"limit":`...)
	out = strconv.AppendInt(out, int64(q.limit), 10)
	out = append(out, `,"has_more":`...)
	out = strconv.AppendBool(out, q.offset < total-q.limit)
	return append(out, '}')
}

// matcher returns a function that reports whether an entry is found.
func (q *searchQuery) matcher(text bool) func(*entry) bool {
	lower, prefix := "", ""
	if q.nameContains != nil {
		lower = strings.ToLower(*q.nameContains)
	}
	if text && q.backend != nil {
		prefix = q.backendPrefix()
	}
	return func(e *entry) bool {
		f := &e.facts
		switch {
		case q.nsfw != nil && (!f.hasNSFW || f.nsfw != *q.nsfw),
			q.baseline != nil && f.baseline != *q.baseline,
			q.inpainting != nil && f.inpainting != *q.inpainting,
			lower != "" && !strings.Contains(e.lowerName, lower),
			q.tagsAny != nil && !slices.ContainsFunc(q.tagsAny, f.hasTag),
			q.tagsAll != nil && slices.ContainsFunc(q.tagsAll, f.lacksTag),
			q.tagsNone != nil && slices.ContainsFunc(q.tagsNone, f.hasTag),
			prefix != "" && !strings.HasPrefix(f.name, prefix),
			text && q.excludeVariations && hasBackendPrefix(f.name),
			text && q.quantized != nil && modelref.IsQuantized(f.name) != *q.quantized:
			return false
		}
		return q.matchesLicence(e)
	}
}

func (f *facts) hasTag(tag string) bool   { return slices.Contains(f.tags, tag) }
func (f *facts) lacksTag(tag string) bool { return !slices.Contains(f.tags, tag) }

func hasBackendPrefix(name string) bool {
	for _, backend := range backendPrefixes {
		if strings.HasPrefix(name, backend.prefix) {
			return true
		}
	}
	return false
}

// licensing is what the filters by licence look at.
type licensing struct {
	IDs            []string `json:"license_ids"`
	CommercialUse  string   `json:"commercial_use"`
	Redistribution string   `json:"redistribution"`
}

func (q *searchQuery) matchesLicence(e *entry) bool {
	if !q.byLicence && q.commercial == "" && q.redistr == "" {
		return true
	}
	l := e.licensing()
	return (!q.byLicence || slices.Contains(l.IDs, q.licence)) &&
		(q.commercial == "" || q.commercial == l.CommercialUse) &&
		(q.redistr == "" || q.redistr == l.Redistribution)
}

// licensing returns the licence of an entry. A record without a licence counts as unknown.
func (e *record) licensing() *licensing {
	if made := e.licence.Load(); made != nil {
		return made
	}
	var record struct {
		Licensing *licensing `json:"licensing"`
	}
	if json.Unmarshal([]byte(e.raw), &record) != nil || record.Licensing == nil {
		record.Licensing = &licensing{}
	}
	made := record.Licensing
	if made.CommercialUse == "" {
		made.CommercialUse = "unknown"
	}
	if made.Redistribution == "" {
		made.Redistribution = "unknown"
	}
	e.licence.Store(made)
	return made
}
