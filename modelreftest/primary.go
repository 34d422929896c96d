package modelreftest

// This file responds as the PRIMARY does.

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/haidra-org/modelref"
)

const emptyDocument = "{}"

func notFound() *answer { return statusAnswer(http.StatusNotFound, "Not Found") }

// notServed is the response to an endpoint that the service has and the Server does not.
func notServed() *answer {
	return statusAnswer(http.StatusNotImplemented,
		"modelreftest does not serve this endpoint: set a response with Server.Handle, or with Break or Script and Body")
}

// fromPrimary returns the response of the PRIMARY. s.mu is held.
//
// Routes match the decoded path, as in the service: a name with a slash is more than one segment and is not found, whether the
// slash was escaped or not.
func (s *Server) fromPrimary(r *http.Request) *answer {
	path, ok := below(r.URL.Path, primaryPrefix)
	if !ok {
		return notFound()
	}
	if r.Method != http.MethodGet {
		return statusAnswer(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
	switch path {
	case "/heartbeat":
		return jsonAnswer(map[string]any{"status": "ok", "ai_horde": map[string]any{
			"degraded": false, "consecutive_failures": 0, "seconds_until_retry": nil,
		}})
	case "/replicate_mode":
		return jsonAnswer(map[string]any{"replicate_mode": "PRIMARY", "canonical_format": "v2", "writable": true})
	}
	if rest, ok := strings.CutPrefix(path, "/model_references/statistics/"); ok {
		return s.statistics(r, strings.Split(rest, "/"))
	}
	if strings.HasPrefix(path, "/model_references/v1/") {
		return notServed()
	}
	if rest, ok := strings.CutPrefix(path, "/model_references/v2/"); ok {
		return s.fromV2(r, strings.Split(rest, "/"))
	}
	return notFound()
}

// fromV2 responds to paths below model_references/v2.
func (s *Server) fromV2(r *http.Request, segments []string) *answer {
	switch route := strings.Join(segments, "/"); {
	case route == "info":
		return jsonAnswer(map[string]any{"message": "A fake of the v2 model reference API, for tests."})
	case route == "model_categories":
		return jsonAnswer(listedCategories())
	case route == "me/roles":
		return authenticated(r, map[string]any{
			"user_id": "1", "username": "tester#1", "roles": []string{}, "is_approver": false, "is_requestor": false,
			"is_license_editor": false,
		})
	case segments[0] == "metadata":
		return s.metadata(segments[1:])
	case route == "search":
		var records []*searchRecord
		for _, category := range modelref.Categories() {
			records = append(records, s.searchRecords(category)...)
		}
		return s.search(r, records)
	case len(segments) == 2 && segments[1] == "search":
		return s.categorySearch(r, segments[0])
	case segments[0] == "pending_queue":
		return notServed()
	}
	if a := s.fromCatalogs(r, segments); a != nil {
		return a
	}
	category, problem := parseCategory(segments[0])
	switch {
	case len(segments) == 1 && problem == nil:
		return newAnswer(http.StatusOK, contentJSON, s.documentOf(category))
	case len(segments) == 1:
		return problem
	case len(segments) == 2 && segments[1] == "pending" && problem == nil:
		return authenticated(r, map[string]any{})
	case len(segments) == 2 && segments[1] == "popular" && problem == nil:
		return s.popular(r, category)
	case len(segments) == 3 && segments[1] == "model" && segments[2] != "":
		if problem != nil {
			return problem
		}
		return s.model(category, segments[2])
	case problem == nil && hasEndpoint(segments[1:]):
		return notServed()
	}
	return notFound()
}

// hasEndpoint reports whether the service has an endpoint below a category, apart from those that the Server serves.
func hasEndpoint(segments []string) bool {
	return slices.Contains([]string{
		"parse_name", "group", "groups", "distinct_baselines", "families", "aliases",
	}, segments[0])
}

// keysOf returns the keys under which a model may be stored. Older deployments do not resolve aliases.
func (s *Server) keysOf(category modelref.Category, name string) []string {
	keys := []string{name}
	identifier := string(category) + ":" + name
	for former, current := range modelAliases {
		if !s.older && (former == identifier || current == identifier) {
			keys = append(keys, strings.TrimPrefix(current, string(category)+":"), strings.TrimPrefix(former, string(category)+":"))
		}
	}
	return keys
}

// model answers with the record of one model as it stands in the document.
func (s *Server) model(category modelref.Category, name string) *answer {
	for _, key := range s.keysOf(category, name) {
		if record := s.storedRecord(category, key); record != nil {
			return newAnswer(http.StatusOK, contentJSON, string(record))
		}
	}
	return statusAnswer(http.StatusNotFound, "Model '"+name+"' not found in category '"+string(category)+"'")
}

// metadata responds to paths below metadata.
func (s *Server) metadata(segments []string) *answer {
	if s.noMetadata != 0 {
		return statusAnswer(s.noMetadata, http.StatusText(s.noMetadata))
	}
	switch {
	case len(segments) == 1 && segments[0] == "last_updated":
		return jsonAnswer(map[string]int64{"last_updated": s.lastUpdated()})
	case len(segments) == 1 && segments[0] == "metadata":
		all := map[modelref.Category]any{}
		for _, category := range listedCategories() {
			all[category] = s.categoryMetadata(category)
		}
		return jsonAnswer(all)
	case len(segments) == 0 || len(segments) > 2 || len(segments) == 2 && segments[1] != "last_updated":
		return notFound()
	}
	category, problem := parseCategory(segments[0])
	switch {
	case problem != nil:
		return problem
	case len(segments) == 1:
		return jsonAnswer(s.categoryMetadata(category))
	}
	return jsonAnswer(struct {
		Category    modelref.Category `json:"category"`
		LastUpdated int64             `json:"last_updated"`
	}{category, s.updated[category]})
}

// lastUpdated returns the latest last-updated time of all categories.
func (s *Server) lastUpdated() (latest int64) {
	for _, lastUpdated := range s.updated {
		latest = max(latest, lastUpdated)
	}
	return latest
}

func (s *Server) categoryMetadata(category modelref.Category) any {
	entries, _ := decodeObject([]byte(s.documents[category])) // an invalid document has no models
	lastUpdated := s.updated[category]
	return map[string]any{
		"category": category, "last_updated": lastUpdated, "last_operation_type": nil, "last_operation_model": nil,
		"total_creates": 0, "total_updates": 0, "total_deletes": 0, "total_models": len(entries),
		"initialization_time": lastUpdated, "last_successful_operation": lastUpdated, "error_count": 0,
		"metadata_schema_version": "1.0.0", "backend_type": "FileSystemBackend",
	}
}

// listedCategories returns the categories that the service lists. Those that are managed elsewhere are not listed.
func listedCategories() []modelref.Category {
	var out []modelref.Category
	for _, category := range modelref.Categories() {
		if !category.ManagedElsewhere() {
			out = append(out, category)
		}
	}
	return out
}

// authenticated responds with data that only registered users may read.
func authenticated(r *http.Request, value any) *answer {
	if r.Header.Get("apikey") == "" {
		return statusAnswer(http.StatusForbidden, "Not authenticated")
	}
	return jsonAnswer(value)
}

// parseCategory returns the category of a path, or the response for an unknown category.
func parseCategory(name string) (modelref.Category, *answer) {
	if category := modelref.Category(name); category.Known() {
		return category, nil
	}
	quoted := make([]string, 0, 16)
	for _, category := range modelref.Categories() {
		quoted = append(quoted, "'"+string(category)+"'")
	}
	last := len(quoted) - 1
	expected := strings.Join(quoted[:last], ", ") + " or " + quoted[last]
	a := jsonAnswer(map[string]any{"detail": []any{map[string]any{
		"type": "enum", "loc": []string{"path", "model_category_name"}, "msg": "Input should be " + expected,
		"input": name, "ctx": map[string]string{"expected": expected},
	}}})
	a.status = http.StatusUnprocessableEntity
	return "", a
}

func jsonAnswer(value any) *answer {
	return newAnswer(http.StatusOK, contentJSON, string(encode(value)))
}

// encode returns the JSON of a value that can be encoded.
func encode(value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return encoded
}
