package modelreftest

// This file serves the licences, and the models and other assets that are published under them.

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/haidra-org/modelref"
)

// licensingCatalog has the licences and the assets, models included.
type licensingCatalog struct {
	Metadata json.RawMessage `json:"metadata"`
	Licenses []licence       `json:"licenses"`
	Assets   []*asset        `json:"assets"`
}

// licence is a licence: its JSON, and what it is chosen by.
type licence struct {
	raw json.RawMessage

	ID         string `json:"license_id"`
	Deprecated bool   `json:"deprecated"`
}

func (l *licence) UnmarshalJSON(data []byte) error {
	type plain licence
	var in plain
	err := json.Unmarshal(data, &in)
	*l = licence(in)
	l.raw = slices.Clone(data)
	if err == nil && l.ID == "" {
		err = errors.New("a licence must have a license_id")
	}
	return err
}

// asset is a model or another asset: its fields, and what it is chosen by.
type asset struct {
	fields map[string]any

	kind, identifier, name, category string
	licensing                        modelref.Licensing
}

func (a *asset) UnmarshalJSON(data []byte) error {
	var in struct {
		Kind       string             `json:"asset_kind"`
		Identifier string             `json:"asset_identifier"`
		Name       string             `json:"display_name"`
		Licensing  modelref.Licensing `json:"licensing"`
	}
	if err := errors.Join(json.Unmarshal(data, &in), json.Unmarshal(data, &a.fields)); err != nil {
		return err
	}
	if in.Kind == "" || in.Identifier == "" {
		return errors.New("an asset must have an asset_kind and an asset_identifier")
	}
	a.kind, a.identifier, a.name, a.licensing = in.Kind, in.Identifier, in.Name, in.Licensing
	return nil
}

// view returns the asset as it is in lists.
func (a *asset) view() map[string]any {
	view := map[string]any{"category": nil, "definition_urls": a.definitionURLs()}
	for key, value := range a.fields {
		view[key] = value
	}
	licensing := map[string]any{"files": map[string]any{}}
	if own, ok := a.fields["licensing"].(map[string]any); ok {
		for key, value := range own {
			licensing[key] = value
		}
	}
	view["licensing"] = licensing
	return view
}

// plain returns the asset as it is alone: without what only lists and models have.
func (a *asset) plain() map[string]any {
	out := maps.Clone(a.fields)
	delete(out, "category")
	delete(out, "definition_urls")
	if licensing, ok := out["licensing"].(map[string]any); ok {
		licensing = maps.Clone(licensing)
		delete(licensing, "files")
		out["licensing"] = licensing
	}
	return out
}

func (a *asset) definitionURLs() map[string]string {
	urls := map[string]string{}
	add := func(ids []string) {
		for _, id := range ids {
			urls[id] = "/model_references/v2/licensing/licenses/" + strings.ReplaceAll(url.PathEscape(id), "+", "%2B")
		}
	}
	add(a.licensing.LicenseIDs)
	for _, file := range a.licensing.Files {
		add(file.LicenseIDs)
	}
	return urls
}

func parseLicensing(document string) (*licensingCatalog, error) {
	catalog := new(licensingCatalog)
	err := json.Unmarshal([]byte(document), catalog)
	catalog.Assets = slices.DeleteFunc(catalog.Assets, func(a *asset) bool { return a == nil || a.kind == "model" })
	slices.SortFunc(catalog.Licenses, func(a, b licence) int {
		return strings.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID))
	})
	return catalog, err
}

// licensingRoute responds to the routes below licensing.
func (s *Server) licensingRoute(r *http.Request, segments []string) *answer {
	catalog := s.licensing()
	switch rest := strings.Join(segments[min(2, len(segments)):], "/"); {
	case len(segments) == 1 && segments[0] == "licenses":
		return catalog.licencePage(r)
	case len(segments) == 1 && segments[0] == "assets":
		return catalog.assetPage(r)
	case len(segments) == 1 && segments[0] == "summary":
		return jsonAnswer(catalog.summary())
	case len(segments) == 1 && segments[0] == "export":
		return jsonAnswer(map[string]any{
			"schema_version": 1, "metadata": catalog.Metadata, "licenses": catalog.rawLicences(true),
			"assets": views(catalog.Assets), "summary": catalog.summary(),
		})
	case len(segments) == 2 && segments[0] == "licenses":
		for _, l := range catalog.Licenses {
			if l.ID == segments[1] {
				return newAnswer(http.StatusOK, contentJSON, string(l.raw))
			}
		}
		return statusAnswer(http.StatusNotFound, "License definition not found: "+segments[1])
	case len(segments) >= 3 && segments[0] == "assets":
		return assetOf(catalog.Assets, segments[1], rest)
	case len(segments) >= 3 && segments[0] == "models":
		return modelLicence(catalog.Assets, segments[1], rest)
	}
	return notFound()
}

// licensing returns the licences and all assets. They are kept until a document or the catalog changes.
func (s *Server) licensing() *licensingCatalog {
	if s.licensed == nil {
		catalog, err := parseLicensing(s.catalogs.licensing)
		if err != nil {
			panic(err) // it has been checked
		}
		catalog.Assets = s.allAssets(catalog.Assets)
		s.licensed = catalog
	}
	return s.licensed
}

// assetOf responds with an asset that is not a model.
func assetOf(assets []*asset, kind, identifier string) *answer {
	kinds := []string{"software_component", "custom_node", "other"}
	if !slices.Contains(kinds, kind) {
		return notOneOf("path", "asset_kind", kind, kinds...)
	}
	for _, a := range assets {
		if a.kind == kind && a.identifier == identifier {
			return jsonAnswer(a.plain())
		}
	}
	return statusAnswer(http.StatusNotFound, "Licensed asset not found: "+kind+":"+identifier)
}

// modelAliases has the current names of models by category and former name.
var modelAliases = map[string]string{"controlnet:control_qr_sdxl": "controlnet:control_qr_xl"}

// modelLicence responds with the licence of a model.
func modelLicence(assets []*asset, category, name string) *answer {
	if !modelref.Category(category).Known() {
		return notOneOf("path", "category", category, modelref.Categories()...)
	}
	identifier := category + ":" + name
	for _, wanted := range []string{cmp.Or(modelAliases[identifier], identifier), identifier} {
		for _, a := range assets {
			if a.kind == "model" && a.identifier == wanted {
				return jsonAnswer(a.view())
			}
		}
	}
	return statusAnswer(http.StatusNotFound, "Model not found: "+category+"/"+name)
}

// allAssets returns the assets and the models, sorted.
func (s *Server) allAssets(own []*asset) []*asset {
	out := slices.Clone(own)
	for _, category := range modelref.Categories() {
		entries, _ := decodeObject([]byte(s.documents[category])) // a document that is not JSON has no models
		for _, entry := range entries {
			if a := modelAsset(category, entry); a != nil {
				out = append(out, a)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *asset) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.kind), strings.ToLower(b.kind)),
			strings.Compare(strings.ToLower(a.identifier), strings.ToLower(b.identifier)))
	})
	return out
}

// unreviewed is the licence of a model whose record has none.
const unreviewed = `{"license_expression": "NOASSERTION", "license_ids": [], "commercial_use": "unknown",
	"redistribution": "unknown", "obligations": [], "evidence": [], "files": {},
	"notes": "No reviewed licensing conclusion is currently available."}`

// modelAsset returns the asset of a record, or nil if the record is not one that the service can parse.
func modelAsset(category modelref.Category, entry member) *asset {
	var record struct {
		Name      string          `json:"name"`
		Licensing json.RawMessage `json:"licensing"`
		Config    struct {
			Download []struct {
				URL string `json:"file_url"`
			} `json:"download"`
		} `json:"config"`
	}
	if json.Unmarshal(entry.value, &record) != nil {
		return nil
	}
	if len(record.Licensing) == 0 || string(record.Licensing) == "null" {
		record.Licensing = json.RawMessage(unreviewed)
	}
	a := &asset{kind: "model", category: string(category), name: cmp.Or(record.Name, entry.name)}
	a.identifier = string(category) + ":" + a.name
	var licensing map[string]any
	if json.Unmarshal(record.Licensing, &licensing) != nil || json.Unmarshal(record.Licensing, &a.licensing) != nil {
		return nil
	}
	writeDefaults(licensing)
	a.fields = map[string]any{
		"asset_kind": a.kind, "asset_identifier": a.identifier, "display_name": a.name, "category": category,
		"source_url": nil, "version": nil, "locations": []string{}, "related_assets": []string{}, "licensing": licensing,
		"notes": nil, "metadata": nil,
	}
	if len(record.Config.Download) > 0 {
		a.fields["source_url"] = record.Config.Download[0].URL
	}
	return a
}

// writeDefaults adds the keys that records may leave out and views do not.
func writeDefaults(licensing map[string]any) {
	add := func(to map[string]any, standard any, keys ...string) {
		for _, key := range keys {
			if _, ok := to[key]; !ok {
				to[key] = standard
			}
		}
	}
	add(licensing, nil, "attribution", "reviewed_by", "reviewed_at", "notes")
	add(licensing, []any{}, "license_ids", "obligations", "evidence")
	evidence, _ := licensing["evidence"].([]any)
	for _, entry := range evidence {
		if entry, ok := entry.(map[string]any); ok {
			add(entry, nil, "description", "checked_at")
		}
	}
	files, _ := licensing["files"].(map[string]any)
	for _, file := range files {
		if file, ok := file.(map[string]any); ok {
			writeDefaults(file)
		}
	}
}

func (c *licensingCatalog) rawLicences(deprecated bool) []json.RawMessage {
	out := []json.RawMessage{}
	for _, l := range c.Licenses {
		if !l.Deprecated || deprecated {
			out = append(out, l.raw)
		}
	}
	return out
}

func views(assets []*asset) []any {
	out := make([]any, len(assets))
	for i, a := range assets {
		out[i] = a.view()
	}
	return out
}

func (c *licensingCatalog) licencePage(r *http.Request) *answer {
	deprecated, problem := boolean(r, "include_deprecated", true)
	if problem != nil {
		return problem
	}
	return catalogPage(r, c.rawLicences(deprecated), c.Metadata)
}

func (c *licensingCatalog) assetPage(r *http.Request) *answer {
	query := r.URL.Query()
	for _, problem := range []*answer{
		oneOf(r, "category", modelref.Categories()...),
		oneOf(r, "commercial_use", modelref.Permissions()...),
		oneOf(r, "redistribution", modelref.Permissions()...),
	} {
		if problem != nil {
			return problem
		}
	}
	is := func(parameter, value string) bool { return !query.Has(parameter) || query.Get(parameter) == value }
	part := strings.ToLower(query.Get("name_contains"))
	var chosen []*asset
	for _, a := range c.Assets {
		if is("asset_kind", a.kind) && is("category", a.category) && is("commercial_use", string(a.licensing.CommercialUse)) &&
			is("redistribution", string(a.licensing.Redistribution)) && strings.Contains(strings.ToLower(a.name), part) &&
			(!query.Has("license_id") || slices.Contains(a.licensing.LicenseIDs, query.Get("license_id"))) {
			chosen = append(chosen, a)
		}
	}
	return catalogPage(r, views(chosen), c.Metadata)
}

// catalogPage responds with the part of a list that the query chooses.
func catalogPage[T any](r *http.Request, all []T, metadata json.RawMessage) *answer {
	offset, problem := integer(r, "offset", 0, 0, 1<<31-1)
	if problem != nil {
		return problem
	}
	limit, problem := integer(r, "limit", 100, 1, 1000)
	if problem != nil {
		return problem
	}
	from := min(offset, len(all))
	items := append([]T{}, all[from:min(from+limit, len(all))]...)
	return jsonAnswer(map[string]any{
		"items": items, "total": len(all), "offset": offset, "limit": limit, "metadata": metadata,
	})
}

func (c *licensingCatalog) summary() any {
	counts := func() map[modelref.Permission]int {
		out := map[modelref.Permission]int{}
		for _, permission := range modelref.Permissions() {
			out[permission] = 0
		}
		return out
	}
	commercial, redistribution, licences := counts(), counts(), map[string]int{}
	for _, a := range c.Assets {
		commercial[a.licensing.CommercialUse]++
		redistribution[a.licensing.Redistribution]++
		for _, id := range a.licensing.LicenseIDs {
			licences[id]++
		}
	}
	return map[string]any{
		"total_assets": len(c.Assets), "commercial_use": commercial, "redistribution": redistribution, "licenses": licences,
	}
}
