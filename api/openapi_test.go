// This file compares the methods with the OpenAPI document of the service: every path and parameter has a method, and
// every result has all fields.

package api

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// reviewPaths are the paths for the review of pending changes, which this package does not support.
var reviewPaths = []string{
	"pending_queue/my_changes", "pending_queue/changes/{change_id}",
	"pending_queue/changes/{change_id}/diff", "pending_queue/diffs", "pending_queue/audit/current",
	"pending_queue/audit/batches", "pending_queue/audit/batches/{batch_id}",
	"pending_queue/audit/batches/{batch_id}/net_changes",
}

// does converts a call to one without a result.
func does[T any](ask func(context.Context, *modelref.Client) (T, error)) []func(context.Context, *modelref.Client) {
	return []func(context.Context, *modelref.Client){func(ctx context.Context, c *modelref.Client) { _, _ = ask(ctx, c) }}
}

// openAPICalls has the calls for each path of the OpenAPI document, with all options set.
func openAPICalls() map[string][]func(context.Context, *modelref.Client) {
	image := modelref.CategoryImageGeneration
	calls := map[string][]func(context.Context, *modelref.Client){
		"/":               does(func(ctx context.Context, c *modelref.Client) (string, error) { return New(c).Root(ctx) }),
		"/heartbeat":      does(func(ctx context.Context, c *modelref.Client) (*Heartbeat, error) { return New(c).Heartbeat(ctx) }),
		"/replicate_mode": does(func(ctx context.Context, c *modelref.Client) (*Capabilities, error) { return New(c).Capabilities(ctx) }),
		v2 + "info":       does(func(ctx context.Context, c *modelref.Client) (string, error) { return New(c).Info(ctx) }),
		v2 + "me/roles":   does(func(ctx context.Context, c *modelref.Client) (*UserRoles, error) { return New(c).Roles(ctx) }),
		v2 + "model_categories": does(func(ctx context.Context, c *modelref.Client) ([]modelref.Category, error) {
			return New(c).Categories(ctx)
		}),
		v1 + "info": does(func(ctx context.Context, c *modelref.Client) (string, error) { return New(c).Legacy.Info(ctx) }),
		v1 + "model_categories": does(func(ctx context.Context, c *modelref.Client) ([]modelref.Category, error) {
			return New(c).Legacy.Categories(ctx)
		}),
		v1 + "text_generation": does(func(ctx context.Context, c *modelref.Client) (json.RawMessage, error) {
			return New(c).Legacy.TextGeneration(ctx, filled[LegacyTextOptions]())
		}),
		v1 + "{model_category_name}": does(func(ctx context.Context, c *modelref.Client) (json.RawMessage, error) {
			return New(c).Legacy.Category(ctx, "stable_diffusion")
		}),
		v2 + "search": does(func(ctx context.Context, c *modelref.Client) (*modelref.SearchResult[modelref.ModelRecord], error) {
			return c.Search(ctx, filled[modelref.SearchOptions]())
		}),
		st + "{model_category_name}": does(func(ctx context.Context, c *modelref.Client) (*CategoryStatistics, error) {
			return New(c).Statistics.Category(ctx, image, filled[StatisticsOptions]())
		}),
		st + "{model_category_name}/with-stats": does(func(ctx context.Context, c *modelref.Client) ([]ModelUsage, error) {
			return New(c).Statistics.Usage(ctx, image, filled[UsageOptions]())
		}),
		st + "{model_category_name}/deletion-risk": does(func(ctx context.Context, c *modelref.Client) (*DeletionRisk, error) {
			return New(c).Statistics.DeletionRisk(ctx, image, filled[DeletionRiskOptions]())
		}),
		v2 + "{model_category_name}/popular": append(
			does(func(ctx context.Context, c *modelref.Client) (any, error) {
				return c.ImageGeneration.Popular(ctx, filled[modelref.PopularOptions]())
			}),
			does(func(ctx context.Context, c *modelref.Client) (any, error) {
				return c.TextGeneration.Popular(ctx, filled[modelref.PopularOptions]())
			})...),
	}
	addTextCalls(calls)
	addCatalogCalls(calls)
	addMetadataCalls(calls, v2, func(a *API) *MetadataService { return a.Metadata })
	addMetadataCalls(calls, v1, func(a *API) *MetadataService { return a.Legacy.Metadata })
	addCategoryCalls(calls)
	return calls
}

func addTextCalls(calls map[string][]func(context.Context, *modelref.Client)) {
	add := func(path string, ask func(ctx context.Context, s *TextService)) {
		calls[tg+path] = append(calls[tg+path], func(ctx context.Context, c *modelref.Client) { ask(ctx, New(c).Text) })
	}
	add("parse_name", func(ctx context.Context, s *TextService) { _, _ = s.ParseName(ctx, "a/b") })
	add("group", func(ctx context.Context, s *TextService) { _, _ = s.Group(ctx, "a/b") })
	add("group/name_schema", func(ctx context.Context, s *TextService) { _, _ = s.NameSchema(ctx, "a/b") })
	add("groups", func(ctx context.Context, s *TextService) { _, _ = s.Groups(ctx) })
	add("groups/summary", func(ctx context.Context, s *TextService) { _, _ = s.GroupSummaries(ctx) })
	add("groups/health", func(ctx context.Context, s *TextService) { _, _ = s.GroupsHealth(ctx) })
	add("distinct_baselines", func(ctx context.Context, s *TextService) { _, _ = s.Baselines(ctx) })
	add("aliases", func(ctx context.Context, s *TextService) { _, _ = s.Aliases(ctx) })
	add("aliases/{canonical}", func(ctx context.Context, s *TextService) { _, _ = s.AliasesOf(ctx, "a b") })
	add("families", func(ctx context.Context, s *TextService) { _, _ = s.Families(ctx) })
	add("families/{family_name}", func(ctx context.Context, s *TextService) { _, _ = s.Family(ctx, "a b") })
	add("families/detect", func(ctx context.Context, s *TextService) {
		_, _ = s.DetectFamilies(ctx, filled[DetectFamiliesOptions]())
	})
}

// addCatalogCalls adds the calls for licences, guidance and baselines of the newest service.
func addCatalogCalls(calls map[string][]func(context.Context, *modelref.Client)) {
	add := func(path string, ask func(ctx context.Context, a *API)) {
		calls[v2+path] = append(calls[v2+path], func(ctx context.Context, c *modelref.Client) { ask(ctx, New(c)) })
	}
	add("image_generation/baselines/", func(ctx context.Context, a *API) { _, _ = a.Baselines.List(ctx) })
	add("image_generation/baselines/{baseline_name}", func(ctx context.Context, a *API) { _, _ = a.Baselines.Get(ctx, "flux_1") })
	add("image_generation/baselines/export", func(ctx context.Context, a *API) { _, _ = a.Baselines.Export(ctx) })
	add("licensing/licenses", func(ctx context.Context, a *API) { _, _ = a.Licensing.Licenses(ctx, filled[LicenseOptions]()) })
	add("licensing/licenses/{license_id}", func(ctx context.Context, a *API) { _, _ = a.Licensing.License(ctx, "OpenRAIL++-M") })
	add("licensing/assets", func(ctx context.Context, a *API) { _, _ = a.Licensing.Assets(ctx, filled[AssetOptions]()) })
	add("licensing/assets/{asset_kind}/{asset_identifier}", func(ctx context.Context, a *API) {
		_, _ = a.Licensing.Asset(ctx, AssetCustomNode, "a/b")
	})
	add("licensing/models/{category}/{model_name}", func(ctx context.Context, a *API) {
		_, _ = a.Licensing.Model(ctx, modelref.CategoryCLIP, "a/b")
	})
	add("licensing/summary", func(ctx context.Context, a *API) { _, _ = a.Licensing.Summary(ctx) })
	add("licensing/export", func(ctx context.Context, a *API) { _, _ = a.Licensing.Export(ctx) })
	add("text_generation/guidance/profiles", func(ctx context.Context, a *API) {
		_, _ = a.Guidance.Profiles(ctx, filled[ProfileOptions]())
	})
	add("text_generation/guidance/profiles/{profile_id}", func(ctx context.Context, a *API) { _, _ = a.Guidance.Profile(ctx, "x.y") })
	add("text_generation/guidance/assignments", func(ctx context.Context, a *API) {
		_, _ = a.Guidance.Assignments(ctx, filled[AssignmentOptions]())
	})
	add("text_generation/guidance/model", func(ctx context.Context, a *API) { _, _ = a.Guidance.ForModel(ctx, "a/b") })
	add("text_generation/guidance/export", func(ctx context.Context, a *API) { _, _ = a.Guidance.Export(ctx) })
	add("pending_queue/changes", func(ctx context.Context, a *API) {
		_, _ = a.PendingQueue.Changes(ctx, filled[PendingChangeOptions]())
	})
}

func addMetadataCalls(
	calls map[string][]func(context.Context, *modelref.Client), base string, of func(*API) *MetadataService,
) {
	add := func(path string, ask func(ctx context.Context, m *MetadataService)) {
		calls[base+path] = append(calls[base+path], func(ctx context.Context, c *modelref.Client) { ask(ctx, of(New(c))) })
	}
	add("metadata/last_updated", func(ctx context.Context, m *MetadataService) { _, _ = m.LastUpdated(ctx) })
	add("metadata/metadata", func(ctx context.Context, m *MetadataService) { _, _ = m.All(ctx) })
	add("metadata/{model_category_name}", func(ctx context.Context, m *MetadataService) { _, _ = m.Category(ctx, modelref.CategoryCLIP) })
	add("metadata/{model_category_name}/last_updated", func(ctx context.Context, m *MetadataService) {
		_, _ = m.CategoryLastUpdated(ctx, modelref.CategoryCLIP)
	})
}

// addCategoryCalls adds the calls for each category. The service lists some paths twice: once for any category, and
// once for each category.
func addCategoryCalls(calls map[string][]func(context.Context, *modelref.Client)) {
	add := func(category, path string, ask func(context.Context, *modelref.Client)) {
		calls[v2+category+path] = append(calls[v2+category+path], ask)
	}
	for _, category := range modelref.Categories() {
		load := func(ctx context.Context, c *modelref.Client) {
			askService(c, category, "Load", ctx, modelref.WithRefresh())
		}
		model := func(ctx context.Context, c *modelref.Client) { askService(c, category, "FetchRecord", ctx, "a b") }
		for _, name := range []string{string(category), "{model_category_name}"} {
			add(name, "", load)
			add(name, "/model/{model_name}", model)
		}
		add("{model_category_name}", "/pending", func(ctx context.Context, c *modelref.Client) {
			askPending(ctx, c, category)
		})
		add("{model_category_name}", "/search", func(ctx context.Context, c *modelref.Client) {
			askService(c, category, "Search", ctx, nil)
		})
	}
}

// askPending calls Pending for the service of a category.
func askPending(ctx context.Context, c *modelref.Client, category modelref.Category) {
	reader, err := c.Category(string(category))
	if err == nil {
		_, _ = Pending(ctx, New(c), reader)
	}
}

// askService calls a method of the service of a category. An argument that is nil is replaced by options with all
// fields set.
func askService(c *modelref.Client, category modelref.Category, method string, arguments ...any) {
	services := reflect.ValueOf(c).Elem()
	for i := range services.NumField() {
		if !services.Type().Field(i).IsExported() {
			continue
		}
		service := services.Field(i)
		if service.Interface().(interface{ Category() modelref.Category }).Category() != category {
			continue
		}
		m := service.MethodByName(method)
		in := make([]reflect.Value, len(arguments))
		for i, argument := range arguments {
			in[i] = reflect.ValueOf(argument)
			if argument == nil {
				in[i] = reflect.New(m.Type().In(i).Elem())
				fill(in[i].Elem())
			}
		}
		m.Call(in)
	}
}

// filled returns options with every field set.
func filled[O any]() *O {
	var options O
	fill(reflect.ValueOf(&options).Elem())
	return &options
}

func fill(options reflect.Value) {
	for i := range options.NumField() {
		field := options.Field(i)
		if options.Type().Field(i).Anonymous {
			fill(field)
			continue
		}
		switch field.Kind() {
		case reflect.String:
			field.SetString("x")
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int:
			field.SetInt(7)
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 2, 2))
			field.Index(0).SetString("a")
			field.Index(1).SetString("b")
		case reflect.Struct:
			optional := field.Addr().Interface().(json.Unmarshaler)
			if optional.UnmarshalJSON([]byte("true")) != nil {
				_ = optional.UnmarshalJSON([]byte("7"))
			}
		default:
			panic("cannot set a field of kind " + field.Kind().String())
		}
	}
}

// asked is a server without data that records the requests.
type asked struct {
	mu       sync.Mutex
	requests []*url.URL
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests = append(a.requests, r.URL)
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"detail": "nothing here"}`)
}

func (a *asked) take() []*url.URL {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.requests
	a.requests = nil
	return out
}

// openAPIDocument has the compared parts of an OpenAPI document.
type openAPIDocument struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name, In, Description string
			Schema                schema
		}
		Responses map[string]struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

// openAPI returns the document of the newest service. The document of the older service must be a part of it.
func openAPI(t testing.TB) openAPIDocument {
	t.Helper()
	var older, newest openAPIDocument
	require.NoError(t, json.Unmarshal(corpusFile(t, "openapi.json"), &older))
	require.NoError(t, json.Unmarshal(corpusFile(t, "newest", "openapi.json"), &newest))
	for path, methods := range older.Paths {
		operation, ok := methods["get"]
		if !ok {
			continue
		}
		require.Contains(t, newest.Paths, path)
		for _, parameter := range operation.Parameters {
			assert.True(t, slices.ContainsFunc(newest.Paths[path]["get"].Parameters, func(p struct {
				Name, In, Description string
				Schema                schema
			}) bool {
				return p.Name == parameter.Name && p.In == parameter.In
			}), "%s: the parameter %s", path, parameter.Name)
		}
	}
	for name, of := range older.Components.Schemas {
		for property := range of.Properties {
			assert.Contains(t, newest.Components.Schemas[name].Properties, property, name)
		}
	}
	return newest
}

func TestEndpointsCoverTheOpenAPIDocument(t *testing.T) {
	t.Parallel()
	document := openAPI(t)
	calls, log := openAPICalls(), &asked{}
	server := httptest.NewServer(log)
	t.Cleanup(server.Close)
	c := clientOf(t, server)
	covered := 0
	for path, methods := range document.Paths {
		operation, ok := methods["get"]
		below := strings.TrimPrefix(strings.TrimPrefix(path, v1), v2)
		if !ok || slices.Contains(reviewPaths, below) || path == v1+"pending_queue/changes" {
			continue
		}
		if !assert.Contains(t, calls, path, "a GET path without a method") {
			continue
		}
		covered++
		want, got := []string{}, map[string]bool{}
		for _, parameter := range operation.Parameters {
			if parameter.In == "query" {
				want = append(want, parameter.Name)
			}
		}
		for _, ask := range calls[path] {
			ask(t.Context(), c)
			requests := log.take()
			require.NotEmpty(t, requests, "no request was sent to %s", path)
			for _, u := range requests {
				assert.Regexp(t, pathPattern(path), u.EscapedPath())
				for name := range u.Query() {
					got[name] = true
				}
			}
		}
		for name := range got {
			assert.Contains(t, want, name, "%s has no such parameter", path)
		}
		for _, name := range want {
			assert.True(t, got[name], "%s: no option for the parameter %s", path, name)
		}
		delete(calls, path)
	}
	assert.Empty(t, slices.Collect(maps.Keys(calls)), "calls for paths that the document does not have")
	t.Logf("%d GET paths have a method", covered)
}

// pathPattern converts a path with parameters in braces to a regular expression.
func pathPattern(path string) *regexp.Regexp {
	pattern := regexp.QuoteMeta("/api" + path)
	return regexp.MustCompile("^" + regexp.MustCompile(`\\\{[a-z_]+\\\}`).ReplaceAllString(pattern, "[^/]+") + "$")
}

// resultTypes has the Go type for each schema of a response.
var resultTypes = map[string]any{
	"AIHordeStatus": AIHordeStatus{}, "BackendInfo": Capabilities{}, "BackendVariationStats": modelref.BackendUsage{},
	"BaselineStats": BaselineStatistics{}, "CategoryDeletionRiskResponse": DeletionRisk{},
	"CategoryDeletionRiskSummary": DeletionRiskSummary{}, "CategoryMetadata": CategoryMetadata{},
	"CategoryStatistics": CategoryStatistics{}, "ContainsMessage": message{}, "DeletionRiskFlags": DeletionRiskFlags{},
	"DetectFamiliesResponse": DetectedFamilies{}, "DownloadStats": DownloadStatistics{}, "ExtraPartInfo": TextNameExtra{},
	"GroupAliasResponse": TextGroupAliases{}, "GroupFamilyResponse": TextFamily{}, "GroupHealthIssue": TextGroupIssue{},
	"GroupHealthResponse": TextGroupsHealth{}, "GroupMemberInfo": TextGroupMember{}, "GroupMembersResponse": TextGroup{},
	"GroupNameSchemaResponse": TextGroupNameSchema{}, "GroupSummaryEntry": TextGroupSummary{},
	"GroupsSummaryResponse": TextGroupSummaries{}, "HeartbeatResponse": Heartbeat{}, "LastUpdatedResponse": lastUpdated{},
	"ModelDeletionRiskInfo": ModelDeletionRisk{}, "NameExceptionInfo": TextNameException{}, "NameFormatInfo": TextNameFormat{},
	"ParameterBucketStats": ParameterBucket{}, "ParsedNameInfo": TextNameParts{}, "ParsedNameResponse": TextNameInfo{},
	"SearchResponse": modelref.SearchResult[modelref.ModelRecord]{}, "TagStats": TagStatistics{}, "TextModelGroupNameSchema": TextNameFormat{},
	"UsageTrend": UsageTrend{}, "UserRolesResponse": UserRoles{},

	"AIHordeRequestExample": HordeExample{}, "BaselineCapabilities": modelref.BaselineCapabilities{},
	"BaselineRecordMetadata": modelref.EntryMetadata{}, "GuidanceAudienceContent": AudienceGuidance{},
	"GuidanceRecordMetadata": modelref.EntryMetadata{}, "GuidanceSource": modelref.GuidanceSource{},
	"HordeBaselinePolicy": modelref.HordePolicy{}, "ImageBaselineCatalog": modelref.BaselineCatalog{},
	"ImageBaselineCatalogMetadata": modelref.CatalogMetadata{}, "ImageBaselinePage": BaselineList{},
	"ImageBaselineRecord": modelref.BaselineInfo{}, "LicenseAssignment": modelref.LicenseAssignment{},
	"LicenseDefinition": LicenseDefinition{}, "LicenseDefinitionPage": CatalogPage[LicenseDefinition]{},
	"LicenseEvidence": modelref.LicenseEvidence{}, "LicensedAsset": LicensedAsset{}, "LicensedAssetPage": CatalogPage[LicensedAsset]{},
	"LicensedAssetView": LicensedAsset{}, "LicensingDatasetMetadata": modelref.CatalogMetadata{},
	"LicensingExport": LicensingExport{}, "LicensingRecordMetadata": modelref.EntryMetadata{}, "LicensingSummary": LicensingSummary{},
	"ModelLicensing-Output": modelref.Licensing{}, "PromptExample": PromptExample{}, "PromptMessage": PromptMessage{},
	"RawPromptTemplate": PromptTemplate{}, "ResolvedTextGuidance": ModelGuidance{}, "TemplateVariable": TemplateVariable{},
	"TextGuidanceAssignment": GuidanceAssignment{}, "TextGuidanceAssignmentPage": AssignmentList{},
	"TextGuidanceCatalog": GuidanceExport{}, "TextGuidanceCatalogMetadata": modelref.CatalogMetadata{},
	"TextGuidanceSummary": modelref.GuidanceSummary{}, "TextPromptContract": PromptContract{},
	"TextUsageProfilePage": ProfileList{}, "TextUsageProfileSummary": ProfileSummary{}, "TextUsageRecipe": UsageRecipe{},
	"PendingQueuePage": PendingChangePage{}, "PendingChangeRecord": PendingChange{},
}

// knownValues has a function for each enumeration. It reports whether this package defines a value.
var knownValues = map[string]func(string) bool{
	"ReplicateMode":       func(v string) bool { return ReplicateMode(v).Known() },
	"CanonicalFormat":     func(v string) bool { return CanonicalFormat(v).Known() },
	"GuidanceProfileKind": func(v string) bool { return ProfileKind(v).Known() },
	"LicensedAssetKind":   func(v string) bool { return AssetKind(v).Known() },
	"PermissionStatus":    func(v string) bool { return modelref.Permission(v).Known() },
	"LicenseObligation":   func(v string) bool { return modelref.LicenseObligation(v).Known() },
	"TextGuidanceStatus":  func(v string) bool { return modelref.GuidanceStatus(v).Known() },
	"TextCapability":      func(v string) bool { return modelref.ModelCapability(v).Known() },
	"TextInteractionMode": func(v string) bool { return modelref.InteractionMode(v).Known() },
	"TemplateSyntax":      func(v string) bool { return TemplateSyntax(v).Known() },
	"PendingResourceKind": func(v string) bool { return PendingResource(v).Known() },
	"PendingChangeStatus": func(v string) bool { return ChangeStatus(v).Known() },

	"KNOWN_IMAGE_GENERATION_BASELINE": func(v string) bool { return modelref.Baseline(v).Known() },
}

// unwrapped are the schemas of responses from which a method returns only a part.
var unwrapped = []string{
	"CategoryLastUpdatedResponse", "DistinctBaselinesResponse", "GroupAliasListResponse", "GroupFamilyListResponse",
	"GroupListResponse",
}

// schema has the compared parts of a schema.
type schema struct {
	Ref                  string `json:"$ref"`
	Properties           map[string]schema
	Enum                 []string
	AnyOf, AllOf, OneOf  []schema
	Items                *schema
	AdditionalProperties json.RawMessage
}

// refs returns the names of the schemas that this schema refers to.
func (s *schema) refs() []string {
	if s == nil {
		return nil
	}
	var out []string
	if s.Ref != "" {
		out = append(out, s.Ref[strings.LastIndex(s.Ref, "/")+1:])
	}
	for _, inner := range slices.Concat(s.AnyOf, s.AllOf, s.OneOf, slices.Collect(maps.Values(s.Properties))) {
		out = append(out, inner.refs()...)
	}
	var values schema
	if json.Unmarshal(s.AdditionalProperties, &values) == nil { // it may be true, and is often absent
		out = append(out, values.refs()...)
	}
	return append(out, s.Items.refs()...)
}

func TestEndpointResultsHaveTheFieldsOfTheOpenAPIDocument(t *testing.T) {
	t.Parallel()
	document := openAPI(t)
	seen := map[string]bool{}
	var visit func(names []string)
	visit = func(names []string) {
		for _, name := range names {
			of := document.Components.Schemas[name]
			if seen[name] || strings.Contains(name, "ModelRecord") { // other tests compare the records
				continue
			}
			seen[name] = true
			visit(of.refs())
			if len(of.Properties) == 0 || slices.Contains(unwrapped, name) {
				continue
			}
			if result, ok := resultTypes[name]; assert.True(t, ok, "no type for the schema %s", name) {
				requireFields(t, name, slices.Sorted(maps.Keys(of.Properties)), reflect.TypeOf(result))
			}
		}
	}
	for path, methods := range document.Paths {
		if !strings.Contains(path, "pending_queue") || strings.HasSuffix(path, "/changes") {
			content := methods["get"].Responses["200"].Content["application/json"]
			visit(content.Schema.refs())
		}
		for _, parameter := range methods["get"].Parameters {
			for _, metric := range parameter.Schema.Enum {
				assert.True(t, modelref.PopularSort(metric).Known(), metric) // no other parameter has a fixed set of values
			}
			if _, names, ok := strings.Cut(parameter.Description, "Valid presets: "); ok {
				for preset := range strings.SplitSeq(names, ", ") {
					assert.True(t, DeletionRiskPreset(preset).Known(), preset)
				}
				assert.Len(t, strings.Split(names, ", "), len(DeletionRiskPresets()))
			}
		}
	}
	for name := range resultTypes {
		assert.True(t, seen[name], "no endpoint returns the schema %s", name)
	}
	for name, known := range knownValues {
		values := document.Components.Schemas[name].Enum
		assert.NotEmpty(t, values, name)
		for _, value := range values {
			assert.True(t, known(value), "%s: %s", name, value)
		}
		assert.False(t, known("nope"), name)
	}
}

// requireFields checks that a type has a JSON field for each property.
func requireFields(t testing.TB, name string, want []string, result reflect.Type) {
	t.Helper()
	got := []string{}
	for _, field := range reflect.VisibleFields(result) {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag != "" && tag != "-" {
			got = append(got, tag)
		}
	}
	slices.Sort(got)
	if name == "BackendVariationStats" || name == "LicensedAsset" {
		assert.Subset(t, got, want) // with-stats, which has no schema, and LicensedAssetView have more fields
		return
	}
	assert.Equal(t, want, got, "%s as %s", name, result)
}
