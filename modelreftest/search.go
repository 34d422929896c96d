package modelreftest

// This file serves searches, from the records of the documents.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

// searchRecord is a record as searches return it, and what it is chosen by.
type searchRecord struct {
	category  modelref.Category
	name      string
	fields    map[string]any
	licensing modelref.Licensing
}

// searchRecords returns the records of a category in the order of its document. Records in a form that the service cannot
// parse are left out.
func (s *Server) searchRecords(category modelref.Category) []*searchRecord {
	entries, _ := decodeObject([]byte(s.documents[category])) // a document that is not JSON has no records
	var out []*searchRecord
	for _, entry := range entries {
		record := &searchRecord{category: category, name: entry.name, fields: map[string]any{}}
		var typed struct {
			Licensing *modelref.Licensing `json:"licensing"`
		}
		d := json.NewDecoder(strings.NewReader(string(entry.value)))
		d.UseNumber()
		if d.Decode(&record.fields) != nil || record.fields == nil || json.Unmarshal(entry.value, &typed) != nil {
			continue
		}
		if typed.Licensing != nil {
			record.licensing = *typed.Licensing
		}
		if name, ok := record.fields["name"].(string); ok {
			record.name = name
		} else {
			record.fields["name"] = record.name
		}
		if _, ok := record.fields["record_type"]; !ok {
			record.fields["record_type"] = category // category documents may leave it out, but searches do not
		}
		if n, ok := record.fields["parameters"]; ok && category == modelref.CategoryTextGeneration {
			record.fields["parameters_count"] = n // searches use the other name
			delete(record.fields, "parameters")
		}
		out = append(out, record)
	}
	return out
}

// hasField reports whether the records of a category can have one of the fields that searches filter by.
func hasField(category modelref.Category, field string) bool {
	switch category {
	case modelref.CategoryImageGeneration:
		return true
	case modelref.CategoryTextGeneration, modelref.CategoryVideoGeneration, modelref.CategoryAudioGeneration,
		modelref.CategoryLoRA, modelref.CategoryTextualInversion:
		return field != "inpainting"
	default:
		return false
	}
}

// categorySearch responds to a search in one category.
func (s *Server) categorySearch(r *http.Request, name string) *answer {
	category := modelref.Category(name)
	if !category.Known() {
		return statusAnswer(http.StatusUnprocessableEntity, "Unknown category '"+name+"'.")
	}
	query := r.URL.Query()
	for parameter, field := range map[string]string{
		"nsfw": "nsfw", "baseline": "baseline", "inpainting": "inpainting", "tags_any": "tags", "tags_all": "tags", "tags_none": "tags",
	} {
		if query.Has(parameter) && !hasField(category, field) {
			return statusAnswer(http.StatusBadRequest,
				"Filter not supported for this category: Field '"+field+"' does not exist on the records of "+name+".")
		}
	}
	if backend := query.Get("backend"); backend != "" && !slices.Contains(modelref.TextBackends(), modelref.TextBackend(backend)) {
		return statusAnswer(http.StatusBadRequest, "Unknown source: Unknown backend '"+backend+"'.")
	}
	return s.search(r, s.searchRecords(category))
}

// search responds with the records that the query chooses.
func (s *Server) search(r *http.Request, records []*searchRecord) *answer {
	offset, offsetProblem := integer(r, "offset", 0, 0, 1<<31-1)
	limit, limitProblem := integer(r, "limit", 50, 1, 500)
	problems := []*answer{offsetProblem, limitProblem}
	for _, name := range []string{"nsfw", "inpainting", "quantized", "sort_desc", "exclude_backend_variations"} {
		_, problem := boolean(r, name, false)
		problems = append(problems, problem)
	}
	if !s.older {
		problems = append(problems, oneOf(r, "commercial_use", modelref.Permissions()...),
			oneOf(r, "redistribution", modelref.Permissions()...))
	}
	for _, problem := range problems {
		if problem != nil {
			return problem
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(records), func(record *searchRecord) bool {
		return !record.matches(r) || !s.older && !record.licensed(r.URL.Query())
	})
	if field := r.URL.Query().Get("sort_by"); field != "" {
		known := func(record *searchRecord) bool { _, ok := record.fields[field]; return ok }
		if len(records) > 0 && !slices.ContainsFunc(records, known) {
			return statusAnswer(http.StatusBadRequest, "Invalid sort_by field: Field '"+field+"' does not exist.")
		}
		descending, _ := boolean(r, "sort_desc", false)
		sortRecords(chosen, field, descending)
	}
	from := min(offset, len(chosen))
	to := min(from+limit, len(chosen))
	results := []any{}
	for _, record := range chosen[from:to] {
		results = append(results, record.fields)
	}
	return jsonAnswer(map[string]any{
		"results": results, "total": len(chosen), "offset": offset, "limit": limit, "has_more": to < len(chosen),
	})
}

// matches reports whether the record is chosen by the filters that do not depend on the licence.
func (record *searchRecord) matches(r *http.Request) bool {
	query := r.URL.Query()
	for _, name := range []string{"nsfw", "inpainting"} {
		want, _ := boolean(r, name, false)
		if value, ok := record.fields[name].(bool); query.Has(name) && (!ok || value != want) {
			return false
		}
	}
	if !strings.Contains(strings.ToLower(record.name), strings.ToLower(query.Get("name_contains"))) ||
		query.Has("baseline") && record.fields["baseline"] != query.Get("baseline") {
		return false
	}
	return record.tagged(query) && record.matchesBackend(r)
}

// tagged reports whether the record has the tags that a query chooses.
func (record *searchRecord) tagged(query url.Values) bool {
	tags, _ := record.fields["tags"].([]any)
	has := func(tag string) bool { return slices.Contains(tags, any(tag)) }
	return (!query.Has("tags_any") || slices.ContainsFunc(query["tags_any"], has)) &&
		!slices.ContainsFunc(query["tags_all"], func(tag string) bool { return !has(tag) }) &&
		!slices.ContainsFunc(query["tags_none"], has)
}

// matchesBackend reports whether the name of the record is chosen by the filters for text models.
func (record *searchRecord) matchesBackend(r *http.Request) bool {
	backend := ""
	for _, b := range modelref.TextBackends() {
		if strings.HasPrefix(record.name, b.Prefix()) {
			backend = string(b)
		}
	}
	query := r.URL.Query()
	if without, _ := boolean(r, "exclude_backend_variations", false); without && backend != "" {
		return false
	}
	quantized, _ := boolean(r, "quantized", false)
	if query.Has("quantized") && quantized != (modelref.ParseTextModelName(record.name).Quant != "") {
		return false
	}
	return !query.Has("backend") || query.Get("backend") == backend
}

// licensed reports whether the record is chosen by the licence filter.
func (record *searchRecord) licensed(query url.Values) bool {
	l := record.licensing
	is := func(parameter string, value modelref.Permission) bool {
		return !query.Has(parameter) || query.Get(parameter) == string(cmp.Or(value, modelref.PermissionUnknown))
	}
	return is("commercial_use", l.CommercialUse) && is("redistribution", l.Redistribution) &&
		(!query.Has("license_id") || slices.Contains(l.LicenseIDs, query.Get("license_id")))
}

// sortRecords sorts by a field: numbers by size, other values as text. Records without the field come last.
func sortRecords(records []*searchRecord, field string, descending bool) {
	slices.SortStableFunc(records, func(a, b *searchRecord) int {
		x, y := a.fields[field], b.fields[field]
		if x == nil || y == nil {
			return cmp.Compare(strconv.FormatBool(x == nil), strconv.FormatBool(y == nil))
		}
		order := strings.Compare(fmt.Sprint(x), fmt.Sprint(y))
		if m, ok := x.(json.Number); ok {
			if n, ok := y.(json.Number); ok {
				f, _ := m.Float64()
				g, _ := n.Float64()
				order = cmp.Compare(f, g)
			}
		}
		if descending {
			return -order
		}
		return order
	})
}

// popular responds with the records of a category by their usage. The service has usage of images and text only.
func (s *Server) popular(r *http.Request, category modelref.Category) *answer {
	limit, problem := integer(r, "limit", 10, 1, 100)
	if problem == nil {
		problem = oneOf(r, "sort_by", "worker_count", "usage_day", "usage_month", "usage_total")
	}
	if problem != nil {
		return problem
	}
	list := []any{}
	if hasUsage(category) {
		records := s.searchRecords(category)
		for i, record := range records[:min(limit, len(records))] {
			list = append(list, map[string]any{"name": record.name, "record": record.fields, "stats": usageOf(i, len(records))})
		}
	}
	return jsonAnswer(list)
}

func hasUsage(category modelref.Category) bool {
	return category == modelref.CategoryImageGeneration || category == modelref.CategoryTextGeneration
}

// usageOf returns the usage of the record at an index: the first record of a document is used most.
func usageOf(index, records int) map[string]any {
	rank := records - index
	return map[string]any{
		"worker_count": rank, "queued_jobs": 0, "performance": 1.0, "eta": 0, "queued": 0,
		"usage_stats": map[string]int{"day": rank, "month": 30 * rank, "total": 365 * rank},
	}
}

// variationsOf returns the usage of a text model by backend. The backends share the usage of the model equally.
func variationsOf(name string, rank int) map[string]any {
	variants := modelref.BackendVariants(name)
	backends := append([]string{"canonical"}, names(modelref.TextBackends())...)
	out := map[string]any{}
	for i, backend := range backends {
		out[backend] = map[string]any{
			"backend": backend, "variant_name": variants[i], "worker_count": rank / len(backends), "performance": 1.0,
			"usage_day": rank / len(backends), "usage_month": 30 * rank / len(backends), "usage_total": 365 * rank / len(backends),
		}
	}
	return out
}

func names[S ~string](values []S) []string {
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = string(value)
	}
	return out
}

// statistics responds to the routes below statistics.
func (s *Server) statistics(r *http.Request, segments []string) *answer {
	category, problem := parseCategory(segments[0])
	if problem != nil {
		return problem
	}
	records := s.searchRecords(category)
	switch {
	case len(segments) == 2 && segments[1] == "with-stats" && hasUsage(category):
		variations, problem := boolean(r, "include_backend_variations", false)
		if problem != nil {
			return problem
		}
		usage := []member{}
		for i, record := range records {
			of := usageOf(i, len(records))
			if variations && category == modelref.CategoryTextGeneration {
				of["backend_variations"] = variationsOf(record.name, len(records)-i)
			}
			usage = append(usage, member{record.name, encode(of)})
		}
		return newAnswer(http.StatusOK, contentJSON, string(encodeObject(usage)))
	case len(segments) == 2 && segments[1] == "with-stats":
		return newAnswer(http.StatusInternalServerError, contentJSON, string(encode(map[string]string{
			"detail": "Failed to fetch Horde API data: 400: Category '" + string(category) + "' does not support Horde statistics.",
		})))
	case len(segments) > 1:
		return notServed()
	case len(records) == 0:
		return statusAnswer(http.StatusNotFound, "No models found in category '"+string(category)+"'")
	}
	return jsonAnswer(count(category, records, s.updated[category]))
}

// count returns the statistics of a category.
func count(category modelref.Category, records []*searchRecord, computed int64) map[string]any {
	nsfw, files, bytes, sized, withFiles := 0, 0, 0.0, 0, 0
	counts := map[string]map[string]int{"baseline": {}, "tags": {}, "style": {}, "hosts": {}}
	with := map[string]int{"trigger": 0, "inpainting": 0, "requirements": 0, "showcases": 0}
	for _, record := range records {
		for field := range with {
			if value := record.fields[field]; value != nil && value != false && fmt.Sprint(value) != "[]" && fmt.Sprint(value) != "map[]" {
				with[field]++
			}
		}
		for _, field := range []string{"baseline", "style"} {
			if value, ok := record.fields[field].(string); ok && value != "" {
				counts[field][value]++
			}
		}
		tags, _ := record.fields["tags"].([]any)
		for _, tag := range tags {
			counts["tags"][fmt.Sprint(tag)]++
		}
		if record.fields["nsfw"] == true {
			nsfw++
		}
		if size, ok := record.fields["size_on_disk_bytes"].(json.Number); ok {
			n, _ := size.Float64()
			bytes += n
			sized++
		}
		hosts := record.hosts()
		for _, host := range hosts {
			counts["hosts"][host]++
		}
		files += len(hosts)
		withFiles += min(len(hosts), 1)
	}
	share := func(n int) float64 { return float64(n*10000/len(records)) / 100 }
	baselines := map[string]any{}
	for name, n := range counts["baseline"] {
		baselines[name] = map[string]any{"baseline": name, "count": n, "percentage": share(n)}
	}
	top := func(counted map[string]int) []any {
		out := []any{}
		for _, name := range slices.SortedFunc(maps.Keys(counted), func(a, b string) int {
			return cmp.Or(cmp.Compare(counted[b], counted[a]), strings.Compare(a, b))
		}) {
			out = append(out, map[string]any{"tag": name, "count": counted[name], "percentage": share(counted[name])})
		}
		return out
	}
	return map[string]any{
		"category": category, "total_models": len(records), "returned_models": len(records), "offset": 0, "limit": nil,
		"nsfw_count": nsfw, "baseline_distribution": baselines, "top_tags": top(counts["tags"]), "top_styles": top(counts["style"]),
		"download_stats": map[string]any{
			"total_models_with_downloads": withFiles, "total_download_entries": files, "total_size_bytes": bytes,
			"models_with_size_info": sized, "average_size_bytes": bytes / float64(max(sized, 1)), "hosts": counts["hosts"],
		},
		"parameter_buckets": []any{}, "models_without_param_info": 0, "models_with_trigger_words": with["trigger"],
		"models_with_inpainting": with["inpainting"], "models_with_requirements": with["requirements"],
		"models_with_showcases": with["showcases"], "computed_at": computed,
	}
}

// hosts returns the host of each file of the record.
func (record *searchRecord) hosts() []string {
	config, _ := record.fields["config"].(map[string]any)
	files, _ := config["download"].([]any)
	var out []string
	for _, file := range files {
		fields, _ := file.(map[string]any)
		if u, err := url.Parse(fmt.Sprint(fields["file_url"])); err == nil {
			out = append(out, u.Host)
		}
	}
	return out
}
