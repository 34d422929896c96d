package modelreftest

// This file has the catalogs of the newest service: image baselines, text guidance and licences.

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

// catalogs are the catalogs that a Server has. They have been checked.
type catalogs struct {
	baselines, guidance, licensing string
	ownGuidance                    bool // a test has set the guidance
}

// newCatalogs returns the built-in catalogs: the baselines that package modelref defines, no guidance, and a few licences.
func newCatalogs() (catalogs, error) {
	guidance, guidanceErr := builtIn.ReadFile("documents/catalogs/guidance.json")
	licensing, licensingErr := builtIn.ReadFile("documents/catalogs/licensing.json")
	return catalogs{
		baselines: string(encode(modelref.PackagedBaselines())), guidance: string(guidance), licensing: string(licensing),
	}, errors.Join(guidanceErr, licensingErr)
}

// WithBaselines sets the catalog of image baselines, in the form in which the service exports it:
//
//	{"metadata": {"revision": 2}, "baselines": {"flux_1": {"name": "flux_1", …}}}
//
// Without this option the Server has [modelref.PackagedBaselines]. A catalog in another form is an error of Start.
func WithBaselines(document string) Option {
	return func(s *settings) { s.set(&s.catalogs.baselines, "WithBaselines", document, "baselines") }
}

// WithGuidance sets the catalog of the guidance for text models, in the form in which the service exports it:
//
//	{"metadata": {"revision": 2}, "profiles": {"chatml": {…}}, "assignments": {"Org/Model": {…}}}
//
// The records of text_generation then have the guidance summary that follows from the catalog, as those of the service do.
// Otherwise the document of text_generation is served unchanged. A catalog in another form is an error of Start.
func WithGuidance(document string) Option {
	return func(s *settings) {
		s.set(&s.catalogs.guidance, "WithGuidance", document, "profiles", "assignments")
		s.catalogs.ownGuidance = true
	}
}

// WithLicensing sets the licences and the assets that are not models, in the form in which the service exports them:
//
//	{"metadata": {"revision": 2}, "licenses": […], "assets": […]}
//
// The Server adds the models of its documents to the assets, instead of the models that are in the catalog, and counts the
// summary. A catalog in another form is an error of
// Start.
func WithLicensing(document string) Option {
	return func(s *settings) { s.set(&s.catalogs.licensing, "WithLicensing", document, "licenses", "assets") }
}

// AsOlderDeployment makes the Server respond as a deployment that is older than licences, guidance and baselines: their
// endpoints are 404, and a search ignores the licence filter.
func AsOlderDeployment() Option { return func(s *settings) { s.older = true } }

func (s *settings) set(catalog *string, option, document string, keys ...string) {
	if err := checkCatalog(document, keys...); err != nil {
		s.fail("%s: %w", option, err)
		return
	}
	*catalog = document
}

// checkCatalog returns an error if a document is not a catalog with these keys.
func checkCatalog(document string, keys ...string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(document), &members); err != nil {
		return fmt.Errorf("the catalog must be a JSON object: %w", err)
	}
	for _, key := range keys {
		if _, ok := members[key]; !ok {
			return fmt.Errorf("the catalog must have the key %q", key)
		}
	}
	var err error
	switch keys[0] {
	case "baselines":
		err = json.Unmarshal([]byte(document), new(modelref.BaselineCatalog))
	case "profiles":
		_, err = parseGuidance(document)
	default:
		_, err = parseLicensing(document)
	}
	return err
}

// SetBaselines replaces the catalog of image baselines; see WithBaselines. It panics if the catalog has another form.
func (s *Server) SetBaselines(document string) {
	s.setCatalog(&s.catalogs.baselines, document, "baselines")
}

// SetGuidance replaces the catalog of the guidance; see WithGuidance. As with the service, the last-updated time of
// text_generation does not change. It panics if the catalog has another form.
func (s *Server) SetGuidance(document string) {
	s.setCatalog(&s.catalogs.guidance, document, "profiles", "assignments")
}

// SetLicensing replaces the licences and assets; see WithLicensing. It panics if the catalog has another form.
func (s *Server) SetLicensing(document string) {
	s.setCatalog(&s.catalogs.licensing, document, "licenses", "assets")
}

func (s *Server) setCatalog(catalog *string, document string, keys ...string) {
	if err := checkCatalog(document, keys...); err != nil {
		panic("modelreftest: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	*catalog = document
	s.licensed = nil
	s.catalogs.ownGuidance = s.catalogs.ownGuidance || keys[0] == "profiles"
}

// fromCatalogs returns the response of the routes of the catalogs, or nil if the path is not one of them.
func (s *Server) fromCatalogs(r *http.Request, segments []string) *answer {
	if s.older {
		return nil
	}
	switch {
	case segments[0] == "licensing":
		return s.licensingRoute(r, segments[1:])
	case len(segments) >= 2 && segments[0] == "image_generation" && segments[1] == "baselines":
		return s.baselineRoute(r, segments[2:])
	case len(segments) >= 3 && segments[0] == "text_generation" && segments[1] == "guidance":
		return s.guidanceRoute(r, segments[2:])
	}
	return nil
}

// revisionOf returns the revision of a catalog.
func revisionOf(metadata json.RawMessage) int {
	var m modelref.CatalogMetadata
	_ = json.Unmarshal(metadata, &m) // a catalog without metadata has no revision
	return m.Revision
}

// withETag adds the ETag that the service derives from the revision of a catalog.
func (a *answer) withETag(name string, metadata json.RawMessage) *answer {
	if a.status == http.StatusOK {
		a.header.Set("ETag", `W/"`+name+"-"+strconv.Itoa(revisionOf(metadata))+`"`)
	}
	return a
}

// baselineRoute responds to the routes below image_generation/baselines.
func (s *Server) baselineRoute(r *http.Request, segments []string) *answer {
	if len(segments) == 0 {
		a := newAnswer(http.StatusTemporaryRedirect, "", "")
		a.header.Set("Location", r.URL.EscapedPath()+"/")
		return a
	}
	var catalog struct {
		Metadata  json.RawMessage            `json:"metadata"`
		Baselines map[string]json.RawMessage `json:"baselines"`
	}
	_ = json.Unmarshal([]byte(s.catalogs.baselines), &catalog) // it has been checked
	const etag = "image-baselines"
	switch name := segments[0]; {
	case len(segments) > 1:
		return notFound()
	case name == "export":
		return newAnswer(http.StatusOK, contentJSON, s.catalogs.baselines).withETag(etag, catalog.Metadata)
	case name == "":
		items := sortedValues(catalog.Baselines)
		return jsonAnswer(map[string]any{
			"items": items, "total": len(items), "metadata": catalog.Metadata,
		}).withETag(etag, catalog.Metadata)
	case catalog.Baselines[name] != nil:
		return newAnswer(http.StatusOK, contentJSON, string(catalog.Baselines[name])).withETag(etag, catalog.Metadata)
	default:
		return statusAnswer(http.StatusNotFound, "Baseline '"+name+"' not found.")
	}
}

// sortedValues returns the values in the order of their keys.
func sortedValues[T any](m map[string]T) []T {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	out := make([]T, len(keys))
	for i, key := range keys {
		out[i] = m[key]
	}
	return out
}

// invalidParameter returns the response to a request with a parameter that the service does not accept.
func invalidParameter(kind, in, name, message string, input any) *answer {
	a := jsonAnswer(map[string]any{"detail": []any{map[string]any{
		"type": kind, "loc": []string{in, name}, "msg": message, "input": input,
	}}})
	a.status = http.StatusUnprocessableEntity
	return a
}

// oneOf returns the response to a parameter of the query that is set and has none of the values, or nil.
func oneOf[T ~string](r *http.Request, name string, values ...T) *answer {
	value := r.URL.Query().Get(name)
	if value == "" || slices.Contains(values, T(value)) {
		return nil
	}
	return notOneOf("query", name, value, values...)
}

func notOneOf[T ~string](in, name, value string, values ...T) *answer {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + string(v) + "'"
	}
	last := len(quoted) - 1
	return invalidParameter("enum", in, name,
		"Input should be "+strings.Join(quoted[:last], ", ")+" or "+quoted[last], value)
}

// integer returns a parameter of the query, or the response to a parameter that is not an integer in the range.
func integer(r *http.Request, name string, standard, least, most int) (int, *answer) {
	text := r.URL.Query().Get(name)
	if !r.URL.Query().Has(name) {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, invalidParameter("int_parsing", "query", name, "Input should be a valid integer", text)
	case n < least:
		return 0, invalidParameter("greater_than_equal", "query", name,
			"Input should be greater than or equal to "+strconv.Itoa(least), text)
	case n > most:
		return 0, invalidParameter("less_than_equal", "query", name,
			"Input should be less than or equal to "+strconv.Itoa(most), text)
	}
	return n, nil
}

// boolean returns a parameter of the query, or the response to a parameter that is not a boolean.
func boolean(r *http.Request, name string, standard bool) (bool, *answer) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return standard, nil
	}
	switch strings.ToLower(text) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return false, invalidParameter("bool_parsing", "query", name,
		"Input should be a valid boolean, unable to interpret input", text)
}
