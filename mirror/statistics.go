// The statistics of a category, computed from its document as the service computes them.

package mirror

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
)

// topTags is how many tags and styles the statistics list.
const topTags = 20

// counted is how many models have one value.
type counted struct {
	value string
	count int
}

// counter counts values. It keeps the order in which they are first seen.
type counter struct {
	at   map[string]int
	list []counted
}

// add counts a value. The empty text is no value.
func (c *counter) add(value string) {
	if value == "" {
		return
	}
	if c.at == nil {
		c.at = map[string]int{}
	}
	at, ok := c.at[value]
	if !ok {
		at = len(c.list)
		c.at[value] = at
		c.list = append(c.list, counted{value: value})
	}
	c.list[at].count++
}

// ranked returns the values, the most frequent first.
func (c *counter) ranked() []counted {
	out := slices.Clone(c.list)
	slices.SortStableFunc(out, func(a, b counted) int { return b.count - a.count })
	return out
}

type baselineStatistics struct {
	Baseline   string      `json:"baseline"`
	Count      int         `json:"count"`
	Percentage json.Number `json:"percentage"`
}

type tagStatistics struct {
	Tag        string      `json:"tag"`
	Count      int         `json:"count"`
	Percentage json.Number `json:"percentage"`
}

type parameterBucket struct {
	Label      string      `json:"bucket_label"`
	MinParams  int64       `json:"min_params"`
	MaxParams  *int64      `json:"max_params"`
	Count      int         `json:"count"`
	Percentage json.Number `json:"percentage"`
}

type downloadStatistics struct {
	Models      int            `json:"total_models_with_downloads"`
	Entries     int            `json:"total_download_entries"`
	SizeBytes   int64          `json:"total_size_bytes"`
	Sized       int            `json:"models_with_size_info"`
	AverageSize json.Number    `json:"average_size_bytes"`
	Hosts       map[string]int `json:"hosts"`
}

// categoryStatistics is the body of the statistics of a category.
type categoryStatistics struct {
	Category         modelref.Category             `json:"category"`
	TotalModels      int                           `json:"total_models"`
	ReturnedModels   int                           `json:"returned_models"`
	Offset           int                           `json:"offset"`
	Limit            *int                          `json:"limit"`
	NSFWCount        int                           `json:"nsfw_count"`
	Baselines        map[string]baselineStatistics `json:"baseline_distribution"`
	Downloads        downloadStatistics            `json:"download_stats"`
	TopTags          []tagStatistics               `json:"top_tags"`
	TopStyles        []tagStatistics               `json:"top_styles"`
	Buckets          []parameterBucket             `json:"parameter_buckets"`
	WithoutParams    int                           `json:"models_without_param_info"`
	WithTriggers     int                           `json:"models_with_trigger_words"`
	WithInpainting   int                           `json:"models_with_inpainting"`
	WithRequirements int                           `json:"models_with_requirements"`
	WithShowcases    int                           `json:"models_with_showcases"`
	ComputedAt       int64                         `json:"computed_at"`
}

// serveStatistics serves the statistics of a category.
func (m *Mirror) serveStatistics(w http.ResponseWriter, r *http.Request, name string) {
	src, ok := m.sources[modelref.Category(name)]
	if !ok {
		m.invalid(w, r, []validationError{unknownCategory(name)})
		return
	}
	p := params{query: r.URL.Query()}
	group := p.flag("group_text_models")
	p.number("limit", 1, noMaximum)  // the service takes both and changes no count
	p.number("offset", 0, noMaximum) // for them
	if len(p.errors) > 0 {
		m.invalid(w, r, p.errors)
		return
	}
	st, err := src.load(r.Context())
	if err != nil {
		m.unavailable(w, r, err)
		return
	}
	if len(st.entries) == 0 {
		m.detail(w, r, http.StatusNotFound, "Category '"+name+"' not found or has no models")
		return
	}
	grouped := group != nil && *group && modelref.Category(name) == modelref.CategoryTextGeneration
	m.describe(w.Header(), st)
	m.conditional(w, r, encode(st.categoryStatistics(grouped)))
}

// categoryStatistics returns the statistics of the document. They are computed once.
func (s *snapshot) categoryStatistics(grouped bool) *categoryStatistics {
	at := 0
	if grouped {
		at = 1
	}
	if made := s.statistics[at].Load(); made != nil {
		return made
	}
	models := make([]*statisticsRecord, 0, len(s.entries))
	groups := map[string]*statisticsRecord{}
	for _, e := range s.entries {
		record := newStatisticsRecord(e.raw)
		if grouped {
			group := modelref.TextModelGroup(e.key)
			if first, ok := groups[group]; ok {
				first.downloads = append(first.downloads, record.downloads...)
				continue
			}
			groups[group] = record
		}
		models = append(models, record)
	}
	made := computeStatistics(s.category, models)
	s.statistics[at].Store(made)
	return made
}

// statisticsRecord is what the statistics count of a record.
type statisticsRecord struct {
	nsfw, inpainting                   bool
	baseline, style                    string
	tags                               []string
	downloads                          []string // the host of each file, "" if it has none
	size, parameters                   int64
	triggers, showcases, hasRequirment bool
}

// newStatisticsRecord reads the fields from a record as it is stored: the service counts them without filling in
// defaults.
func newStatisticsRecord(raw string) *statisticsRecord {
	var stored struct {
		NSFW         any `json:"nsfw"`
		Inpainting   any `json:"inpainting"`
		Baseline     any `json:"baseline"`
		Style        any `json:"style"`
		Tags         any `json:"tags"`
		Config       any `json:"config"`
		Size         any `json:"size_on_disk_bytes"`
		Parameters   any `json:"parameters_count"`
		Trigger      any `json:"trigger"`
		Showcases    any `json:"showcases"`
		Requirements any `json:"requirements"`
	}
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&stored) != nil {
		return &statisticsRecord{}
	}
	out := &statisticsRecord{
		nsfw: truthy(stored.NSFW), inpainting: truthy(stored.Inpainting), baseline: words(stored.Baseline),
		style: words(stored.Style), size: positive(stored.Size), parameters: positive(stored.Parameters),
		triggers: filled(stored.Trigger), showcases: filled(stored.Showcases),
	}
	requirements, _ := stored.Requirements.(map[string]any)
	out.hasRequirment = len(requirements) > 0
	tags, _ := stored.Tags.([]any)
	for _, tag := range tags {
		if text := words(tag); text != "" {
			out.tags = append(out.tags, text)
		}
	}
	config, _ := stored.Config.(map[string]any)
	files, _ := config["download"].([]any)
	for _, file := range files {
		fields, _ := file.(map[string]any)
		address, _ := fields["file_url"].(string)
		out.downloads = append(out.downloads, hostOf(address))
	}
	return out
}

// truthy reports whether Python takes the value as true.
func truthy(value any) bool {
	switch value := value.(type) {
	case bool:
		return value
	case string:
		return value != ""
	case json.Number:
		n, err := value.Float64()
		return err == nil && n != 0
	}
	return filled(value)
}

// filled reports whether the value is a list or an object with something in it.
func filled(value any) bool {
	switch value := value.(type) {
	case []any:
		return len(value) > 0
	case map[string]any:
		return len(value) > 0
	}
	return false
}

// words returns the text of a value, or "" if there is none.
func words(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	}
	return ""
}

// positive returns a number above 0 without its fraction, or 0.
func positive(value any) int64 {
	number, ok := value.(json.Number)
	if !ok {
		return 0
	}
	if n, err := number.Int64(); err == nil {
		return max(n, 0)
	}
	f, err := number.Float64()
	if err != nil || f <= 0 || f >= math.MaxInt64 {
		return 0
	}
	return int64(f)
}

// hostOf returns the part of a URL between "//" and the path, or "".
func hostOf(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// computeStatistics counts the models.
func computeStatistics(category modelref.Category, models []*statisticsRecord) *categoryStatistics {
	out := &categoryStatistics{
		Category: category, TotalModels: len(models), ReturnedModels: len(models),
		Baselines: map[string]baselineStatistics{}, TopTags: []tagStatistics{}, TopStyles: []tagStatistics{},
		Buckets: []parameterBucket{}, ComputedAt: time.Now().Unix(),
	}
	var baselines, tags, styles, hosts counter
	var parameters []int64
	for _, m := range models {
		out.count(category, m)
		baselines.add(m.baseline)
		styles.add(m.style)
		for _, tag := range m.tags {
			tags.add(tag)
		}
		for _, host := range m.downloads {
			hosts.add(host)
		}
		if m.parameters > 0 {
			parameters = append(parameters, m.parameters)
		}
	}
	total := len(models)
	for _, b := range baselines.ranked() {
		out.Baselines[b.value] = baselineStatistics{b.value, b.count, percentage(b.count, total)}
	}
	out.TopTags, out.TopStyles = topOf(tags, total), topOf(styles, total)
	out.Downloads.Hosts = map[string]int{}
	for _, h := range hosts.list {
		out.Downloads.Hosts[h.value] = h.count
	}
	out.Downloads.AverageSize = "0.0"
	if out.Downloads.Sized > 0 {
		out.Downloads.AverageSize = rounded(float64(out.Downloads.SizeBytes) / float64(out.Downloads.Sized))
	}
	if category == modelref.CategoryTextGeneration {
		out.WithoutParams = total - len(parameters)
		out.Buckets = bucketsOf(parameters, total)
	}
	return out
}

// count adds one model to the numbers that need no ranking.
func (s *categoryStatistics) count(category modelref.Category, m *statisticsRecord) {
	add := func(to *int, condition bool) {
		if condition {
			*to++
		}
	}
	add(&s.NSFWCount, m.nsfw)
	add(&s.WithShowcases, m.showcases)
	add(&s.Downloads.Models, len(m.downloads) > 0)
	s.Downloads.Entries += len(m.downloads)
	add(&s.Downloads.Sized, m.size > 0)
	s.Downloads.SizeBytes += m.size
	if category == modelref.CategoryImageGeneration {
		add(&s.WithTriggers, m.triggers)
		add(&s.WithInpainting, m.inpainting)
		add(&s.WithRequirements, m.hasRequirment)
	}
}

func topOf(c counter, total int) []tagStatistics {
	ranked := c.ranked()
	out := make([]tagStatistics, 0, topTags)
	for _, tag := range ranked[:min(topTags, len(ranked))] {
		out = append(out, tagStatistics{tag.value, tag.count, percentage(tag.count, total)})
	}
	return out
}

// parameterBounds are the limits between the ranges of numbers of parameters, with the service's labels.
var parameterBounds = []struct {
	from  int64
	label string
}{
	{0, "< 3B"}, {3e9, "3B-6B"}, {6e9, "6B-9B"}, {9e9, "9B-13B"}, {13e9, "13B-20B"}, {20e9, "20B-35B"}, {35e9, "35B-70B"},
	{70e9, "> 70B"},
}

func bucketsOf(parameters []int64, total int) []parameterBucket {
	out := []parameterBucket{}
	for i, bound := range parameterBounds {
		b := parameterBucket{Label: bound.label, MinParams: bound.from}
		if i+1 < len(parameterBounds) {
			b.MaxParams = &parameterBounds[i+1].from
		}
		for _, n := range parameters {
			if n >= b.MinParams && (b.MaxParams == nil || n < *b.MaxParams) {
				b.Count++
			}
		}
		if b.Count > 0 {
			b.Percentage = percentage(b.Count, total)
			out = append(out, b)
		}
	}
	return out
}

func percentage(count, total int) json.Number { return rounded(float64(count) / float64(total) * 100) }

// rounded returns the number with two digits after the point.
func rounded(f float64) json.Number {
	f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'f', 2, 64), 64)
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return json.Number(text)
}
