// The demo: modelreftest's server with made-up models, and what that has not, searches and counts, made from them.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
	"github.com/haidra-org/modelref/modelreftest"
)

func startDemo() (*modelreftest.Server, error) {
	return modelreftest.Start(modelreftest.InMemory(), modelreftest.WithGuidance(demoGuidance))
}

// demoGuidance is the guidance for two of the made-up text models.
const demoGuidance = `{"metadata": {"revision": 1}, "profiles": {"turns": {
  "profile_id": "turns", "kind": "prompt_contract", "display_name": "Turns", "aliases": [], "deprecated": false,
  "summary": "A conversation in turns, each with a marker.",
  "user": {"overview": "Write as you would to a person.", "use_cases": ["chat"], "tips": ["Keep the first message short."], "caveats": []},
  "developer": {"overview": "Put a marker before each message.", "use_cases": [], "tips": [], "caveats": []},
  "examples": [], "recommended_settings": {"temperature": 0.8}, "ai_horde_examples": [], "sources": [],
  "interaction_modes": ["chat"], "accepted_roles": ["system", "user", "assistant"],
  "role_markers": {"user": "<user>", "assistant": "<model>"}, "stop_sequences": ["<user>"], "templates": [], "metadata": {"revision": 1}
}}, "assignments": {
  "Example/Heron-8B-Instruct": {"model_name": "Example/Heron-8B-Instruct", "primary_profile_id": "turns", "supplemental_profile_ids": [], "metadata": {"revision": 1}},
  "Example/Heron-70B-Instruct": {"model_name": "Example/Heron-70B-Instruct", "primary_profile_id": "turns", "supplemental_profile_ids": [], "metadata": {"revision": 1}}
}}`

const referencesPath = "/model_references/"

// demoTransport answers the searches and counts itself, from documents that it asks the server for.
type demoTransport struct{ next http.RoundTripper }

// RoundTrip answers what ends below the endpoints for searches and counts; the server has the rest.
func (d demoTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	base, path, _ := strings.Cut(r.URL.Path, referencesPath)
	segments := strings.Split(path, "/")
	var value any
	var err error
	switch {
	case path == "v2/search":
		value, err = d.search(r, base, categoryNames()...)
	case len(segments) == 3 && segments[2] == "search":
		value, err = d.search(r, base, segments[1])
	case len(segments) == 3 && segments[2] == "popular":
		value, err = d.popular(r, base, segments[1])
	case len(segments) == 3 && segments[0] == "statistics" && segments[2] == "with-stats":
		value, err = d.usage(r, base, segments[1])
	case len(segments) == 2 && segments[0] == "statistics":
		value, err = d.statistics(r, base, segments[1])
	default:
		return d.next.RoundTrip(r)
	}
	if err != nil {
		return nil, err
	}
	body, err := marshal(value)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// document asks the server for the document of a category.
func (d demoTransport) document(r *http.Request, base, category string) (*document, error) {
	ask := r.Clone(r.Context())
	ask.URL.Path, ask.URL.RawPath, ask.URL.RawQuery = base+referencesPath+"v2/"+url.PathEscape(category), "", ""
	response, err := d.next.RoundTrip(ask)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read only
	doc := &document{}
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return doc, doc.addObject(data)
}

// demoRecord is what the demo looks at.
type demoRecord struct {
	Name     string   `json:"name"`
	NSFW     *bool    `json:"nsfw"`
	Tags     []string `json:"tags"`
	Baseline string   `json:"baseline"`

	raw json.RawMessage
}

func (d demoTransport) records(r *http.Request, base string, categories ...string) ([]demoRecord, error) {
	var out []demoRecord
	for _, category := range categories {
		doc, err := d.document(r, base, category)
		if err != nil {
			return nil, err
		}
		for _, name := range doc.names {
			one := demoRecord{raw: withType(doc.records[name], category)}
			if err := json.Unmarshal(one.raw, &one); err != nil {
				return nil, err
			}
			one.Name = name
			out = append(out, one)
		}
	}
	return out, nil
}

// withType adds the category to a record, as the service does in its lists.
func withType(record json.RawMessage, category string) json.RawMessage {
	if dig(record, []string{"record_type"})[0] == '"' {
		return record
	}
	return slices.Concat([]byte(`{"record_type":`+strconv.Quote(category)+`,`), bytes.TrimLeft(record, "{ \n"))
}

func (d demoTransport) search(r *http.Request, base string, categories ...string) (any, error) {
	all, err := d.records(r, base, categories...)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	kept := slices.DeleteFunc(all, func(one demoRecord) bool { return !one.matches(q) })
	if q.Get("sort_by") != "" {
		slices.SortStableFunc(kept, func(a, b demoRecord) int { return strings.Compare(a.Name, b.Name) })
	}
	if q.Get("sort_desc") == "true" {
		slices.Reverse(kept)
	}
	limit, offset := number(q, "limit", 50), number(q, "offset", 0)
	first := min(offset, len(kept))
	last := min(first+limit, len(kept))
	results := []json.RawMessage{}
	for _, one := range kept[first:last] {
		results = append(results, one.raw)
	}
	return map[string]any{
		"results": results, "total": len(kept), "offset": offset, "limit": limit, "has_more": last < len(kept),
	}, nil
}

func (one demoRecord) matches(q url.Values) bool {
	if nsfw := q.Get("nsfw"); nsfw != "" && (one.NSFW == nil || strconv.FormatBool(*one.NSFW) != nsfw) {
		return false
	}
	for _, tag := range q["tags_all"] {
		if !slices.Contains(one.Tags, tag) {
			return false
		}
	}
	return strings.Contains(strings.ToLower(one.Name), strings.ToLower(q.Get("name_contains")))
}

func number(q url.Values, name string, otherwise int) int {
	if n, err := strconv.Atoi(q.Get(name)); err == nil {
		return n
	}
	return otherwise
}

// madeUpUsage is the use of the record at that place of its document.
func madeUpUsage(at int) map[string]any {
	day := 4000 / (at + 1)
	return map[string]any{
		"worker_count": 60 / (at + 2),
		"usage_stats":  map[string]int{"day": day, "month": 28 * day, "total": 400 * day},
	}
}

func (d demoTransport) popular(r *http.Request, base, category string) (any, error) {
	all, err := d.records(r, base, category)
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for i, one := range all[:min(len(all), number(r.URL.Query(), "limit", 10))] {
		out = append(out, map[string]any{"name": one.Name, "record": one.raw, "stats": madeUpUsage(i)})
	}
	return out, nil
}

func (d demoTransport) usage(r *http.Request, base, category string) (any, error) {
	doc, err := d.document(r, base, category)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer // an object whose order tells the ranking
	for i, name := range doc.names {
		usage, err := marshal(madeUpUsage(i))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "%c%q:%s", "{,"[min(i, 1)], name, usage)
	}
	if out.Len() == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return json.RawMessage(out.Bytes()), nil
}

func (d demoTransport) statistics(r *http.Request, base, category string) (any, error) {
	all, err := d.records(r, base, category)
	if err != nil {
		return nil, err
	}
	s := api.CategoryStatistics{
		Category: modelref.Category(category), TotalModels: len(all), ReturnedModels: len(all),
		BaselineDistribution: map[string]api.BaselineStatistics{}, ComputedAt: time.Now().UTC(),
	}
	for _, one := range all {
		if one.NSFW != nil && *one.NSFW {
			s.NSFWCount++
		}
		if one.Baseline != "" {
			count := s.BaselineDistribution[one.Baseline].Count + 1
			s.BaselineDistribution[one.Baseline] = api.BaselineStatistics{
				Baseline: one.Baseline, Count: count, Percentage: 100 * float64(count) / float64(len(all)),
			}
		}
	}
	return s, nil
}
