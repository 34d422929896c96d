package modelreftest

// This file serves the guidance for text models.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/haidra-org/modelref"
)

// guidanceCatalog is the guidance as far as the Server looks into it.
type guidanceCatalog struct {
	Metadata    json.RawMessage            `json:"metadata"`
	Profiles    map[string]guidanceProfile `json:"profiles"`
	Assignments map[string]assignment      `json:"assignments"`
}

// guidanceProfile is a profile: its JSON, and the fields that a summary has.
type guidanceProfile struct {
	raw json.RawMessage

	ID          string   `json:"profile_id"`
	Kind        string   `json:"kind"`
	DisplayName string   `json:"display_name"`
	Summary     string   `json:"summary"`
	Aliases     []string `json:"aliases"`
	Deprecated  bool     `json:"deprecated"`
}

func (p *guidanceProfile) UnmarshalJSON(data []byte) error {
	type plain guidanceProfile
	in := plain{Aliases: []string{}}
	err := json.Unmarshal(data, &in)
	*p = guidanceProfile(in)
	p.raw = slices.Clone(data)
	return err
}

// assignment is an assignment: its JSON, and its profiles.
type assignment struct {
	raw json.RawMessage

	Primary      string   `json:"primary_profile_id"`
	Supplemental []string `json:"supplemental_profile_ids"`
}

func (a *assignment) UnmarshalJSON(data []byte) error {
	type plain assignment
	in := plain{Supplemental: []string{}}
	err := json.Unmarshal(data, &in)
	*a = assignment(in)
	a.raw = slices.Clone(data)
	return err
}

func (a *assignment) has(profile string) bool {
	return a.Primary == profile || slices.Contains(a.Supplemental, profile)
}

// parseGuidance decodes a catalog. It returns an error if an assignment names a profile that the catalog does not have.
func parseGuidance(document string) (*guidanceCatalog, error) {
	catalog := new(guidanceCatalog)
	if err := json.Unmarshal([]byte(document), catalog); err != nil {
		return nil, err
	}
	for model, a := range catalog.Assignments {
		for _, id := range append([]string{a.Primary}, a.Supplemental...) {
			if _, ok := catalog.Profiles[id]; !ok {
				return nil, fmt.Errorf("the assignment of %q names the profile %q, which the catalog must have", model, id)
			}
		}
	}
	return catalog, nil
}

// guidanceRoute responds to the routes below text_generation/guidance.
func (s *Server) guidanceRoute(r *http.Request, segments []string) *answer {
	catalog, err := parseGuidance(s.catalogs.guidance)
	if err != nil {
		panic(err) // it has been checked
	}
	var a *answer
	switch route := strings.Join(segments, "/"); {
	case route == "profiles":
		a = catalog.list(r)
	case route == "assignments":
		a = catalog.assignments(r)
	case route == "model":
		a = s.modelGuidance(r, catalog)
	case route == "export":
		a = newAnswer(http.StatusOK, contentJSON, s.catalogs.guidance)
	case len(segments) == 2 && segments[0] == "profiles":
		profile, ok := catalog.Profiles[segments[1]]
		if !ok {
			return statusAnswer(http.StatusNotFound, "Guidance profile '"+segments[1]+"' not found.")
		}
		a = newAnswer(http.StatusOK, contentJSON, string(profile.raw))
	default:
		return notFound()
	}
	return a.withETag("text-guidance", catalog.Metadata)
}

// list responds with the profiles, without their content.
func (c *guidanceCatalog) list(r *http.Request) *answer {
	deprecated, problem := boolean(r, "include_deprecated", false)
	if problem != nil {
		return problem
	}
	items := []any{}
	for _, p := range sortedValues(c.Profiles) {
		if p.Deprecated && !deprecated {
			continue
		}
		models := 0
		for _, a := range c.Assignments {
			if a.has(p.ID) {
				models++
			}
		}
		items = append(items, map[string]any{
			"profile_id": p.ID, "kind": p.Kind, "display_name": p.DisplayName, "summary": p.Summary, "aliases": p.Aliases,
			"deprecated": p.Deprecated, "assigned_model_count": models,
		})
	}
	return jsonAnswer(map[string]any{"items": items, "total": len(items), "metadata": c.Metadata})
}

// assignments responds with the assignments that the query chooses.
func (c *guidanceCatalog) assignments(r *http.Request) *answer {
	query := r.URL.Query()
	chosen := map[string]json.RawMessage{}
	for model, a := range c.Assignments {
		if (!query.Has("model_name") || query.Get("model_name") == model) &&
			(!query.Has("profile_id") || a.has(query.Get("profile_id"))) {
			chosen[model] = a.raw
		}
	}
	return jsonAnswer(map[string]any{"items": sortedValues(chosen), "total": len(chosen), "metadata": c.Metadata})
}

// summary returns the guidance summary of a record.
func (c *guidanceCatalog) summary(model string, record json.RawMessage) map[string]any {
	if a, ok := c.Assignments[model]; ok {
		return map[string]any{
			"status": modelref.GuidancePublished, "primary_profile_id": a.Primary, "supplemental_profile_ids": a.Supplemental,
		}
	}
	status := modelref.GuidanceUndocumented
	if label := instructFormat(record); label != nil && strings.TrimSpace(*label) != "" {
		status = modelref.GuidanceLegacyLabel
	}
	return map[string]any{"status": status, "primary_profile_id": nil, "supplemental_profile_ids": []string{}}
}

// instructFormat returns the instruct format of a record, or nil.
func instructFormat(record json.RawMessage) *string {
	var fields struct {
		InstructFormat *string `json:"instruct_format"`
	}
	_ = json.Unmarshal(record, &fields) // a record in another form has none
	return fields.InstructFormat
}

// modelGuidance responds with the guidance for one model.
func (s *Server) modelGuidance(r *http.Request, catalog *guidanceCatalog) *answer {
	query := r.URL.Query()
	name := query.Get("name")
	switch {
	case !query.Has("name"):
		return invalidParameter("missing", "query", "name", "Field required", nil)
	case name == "":
		return invalidParameter("string_too_short", "query", "name", "String should have at least 1 character", "")
	}
	record := s.storedRecord(modelref.CategoryTextGeneration, name)
	if record == nil || strings.HasPrefix(name, "aphrodite/") || strings.HasPrefix(name, "koboldcpp/") {
		return statusAnswer(http.StatusNotFound, "Text model '"+name+"' not found.")
	}
	assigned := catalog.Assignments[name]
	var primary json.RawMessage
	if assigned.Primary != "" {
		primary = catalog.Profiles[assigned.Primary].raw
	}
	supplemental := []json.RawMessage{}
	for _, id := range assigned.Supplemental {
		supplemental = append(supplemental, catalog.Profiles[id].raw)
	}
	return jsonAnswer(map[string]any{
		"model_name": name, "summary": catalog.summary(name, record), "primary_profile": primary,
		"supplemental_profiles": supplemental, "legacy_instruct_format": instructFormat(record),
		"catalog_metadata": catalog.Metadata,
	})
}

// documentOf returns the document of a category as it is served: if a test has set the guidance, the records of text_generation
// have their guidance summary.
func (s *Server) documentOf(category modelref.Category) string {
	document := s.documents[category]
	if category != modelref.CategoryTextGeneration || !s.catalogs.ownGuidance || s.older {
		return document
	}
	catalog, err := parseGuidance(s.catalogs.guidance)
	entries, documentErr := decodeObject([]byte(document))
	if err != nil || documentErr != nil {
		return document // it need not be JSON
	}
	for i, entry := range entries {
		fields, err := decodeObject(entry.value)
		if err != nil {
			continue
		}
		fields = slices.DeleteFunc(fields, func(m member) bool { return m.name == "guidance" })
		fields = append(fields, member{"guidance", encode(catalog.summary(entry.name, entry.value))})
		entries[i].value = encodeObject(fields)
	}
	return string(encodeObject(entries))
}

// storedRecord returns the record of a category with that key, or nil. If a key comes twice, the last one counts.
func (s *Server) storedRecord(category modelref.Category, name string) json.RawMessage {
	entries, _ := decodeObject([]byte(s.documentOf(category))) // no record is found in a document that is not JSON
	for _, entry := range slices.Backward(entries) {
		if entry.name == name {
			return entry.value
		}
	}
	return nil
}
