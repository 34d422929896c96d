// This file tests licences, guidance and baselines of a fake service with the documents of the test.

package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
	"github.com/haidra-org/modelref/modelreftest"
)

// bigLicensing returns a catalog with n licences and one asset.
func bigLicensing(n, revision int) string {
	licences := make([]string, n)
	for i := range licences {
		licences[i] = `{"license_id": "LicenseRef-` + strconv.Itoa(1000+i) + `", "name": "L", "canonical_url": "https://example.org",
			"commercial_use": "allowed", "redistribution": "unknown", "obligations": ["attribution", "other"], "restrictions": ["r"],
			"deprecated": ` + strconv.FormatBool(i%2 == 1) + `, "metadata": {"revision": 1, "created_at": 1735689600, "created_by": "7"}}`
	}
	return `{"metadata": {"schema_version": 1, "revision": ` + strconv.Itoa(revision) + `, "updated_at": 1735776000},
		"licenses": [` + strings.Join(licences, ",") + `],
		"assets": [{"asset_kind": "other", "asset_identifier": "a/b", "display_name": "B", "licensing": {
			"license_expression": "MIT", "license_ids": ["MIT"], "commercial_use": "allowed", "redistribution": "allowed",
			"obligations": [], "evidence": [{"source": "s", "checked_at": "2025-02-03"}], "reviewed_at": "2025-02-04"
		}, "metadata": {"revision": 3}}]}`
}

func TestLicensing(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.WithLicensing(bigLicensing(3, 5)),
		modelreftest.WithDocument(modelref.CategoryCLIP, `{"x/y": {"name": "x/y", "licensing": {
			"license_expression": "MIT", "license_ids": ["MIT"], "commercial_use": "allowed", "redistribution": "prohibited",
			"obligations": [], "evidence": [], "files": {"f": {"license_expression": "GPL-3.0-only", "license_ids": ["GPL-3.0-only"],
				"commercial_use": "future value", "redistribution": "allowed"}}
		}}}`))
	a := api.New(server.Client(t))
	page, err := a.Licensing.Licenses(t.Context(), &api.LicenseOptions{Page: modelref.Page{Limit: 1, Offset: 1}})
	require.NoError(t, err)
	created := time.Unix(1735689600, 0).UTC()
	assert.Equal(t, &api.CatalogPage[api.LicenseDefinition]{
		Items: []*api.LicenseDefinition{{
			ID: "LicenseRef-1001", Name: "L", CanonicalURL: "https://example.org", CommercialUse: modelref.PermissionAllowed,
			Redistribution: modelref.PermissionUnknown, Restrictions: []string{"r"}, Deprecated: true,
			Obligations: []modelref.LicenseObligation{modelref.ObligationAttribution, modelref.ObligationOther},
			Metadata:    modelref.EntryMetadata{Revision: 1, CreatedAt: created, CreatedBy: "7"},
		}},
		Total: 3, Offset: 1, Limit: 1,
		Metadata: modelref.CatalogMetadata{SchemaVersion: 1, Revision: 5, UpdatedAt: created.Add(24 * time.Hour)},
	}, page)
	page, err = a.Licensing.Licenses(t.Context(), &api.LicenseOptions{IncludeDeprecated: modelref.Some(false)})
	require.NoError(t, err)
	assert.Equal(t, 2, page.Total)
	licence, err := a.Licensing.License(t.Context(), "LicenseRef-1002")
	require.NoError(t, err)
	assert.Equal(t, "LicenseRef-1002", licence.ID)
	_, err = a.Licensing.License(t.Context(), "licenseref-1002")
	require.ErrorIs(t, err, modelref.ErrNotFound)
	require.NotErrorIs(t, err, modelref.ErrUnsupported)

	asset, err := a.Licensing.Asset(t.Context(), api.AssetOther, "a/b")
	require.NoError(t, err)
	assert.Equal(t, modelref.Date{Year: 2025, Month: 2, Day: 4}, asset.Licensing.ReviewedAt)
	assert.Equal(t, modelref.Date{Year: 2025, Month: 2, Day: 3}, asset.Licensing.Evidence[0].CheckedAt)
	assert.Equal(t, 3, asset.Metadata.Revision)
	model, err := a.Licensing.Model(t.Context(), modelref.CategoryCLIP, "x/y")
	require.NoError(t, err)
	assert.Equal(t, api.AssetModel, model.Kind)
	assert.Equal(t, modelref.CategoryCLIP, model.Category)
	assert.Nil(t, model.Metadata)
	assert.Equal(t, modelref.Permission("future value"), model.Licensing.For("f").CommercialUse)
	assert.Len(t, model.DefinitionURLs, 2)
	assets, err := a.Licensing.Assets(t.Context(), &api.AssetOptions{Redistribution: modelref.PermissionProhibited})
	require.NoError(t, err)
	require.Len(t, assets.Items, 1)
	assert.Equal(t, "clip:x/y", assets.Items[0].Identifier)
	summary, err := a.Licensing.Summary(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"MIT": 2}, summary.Licenses)
	export, err := a.Licensing.Export(t.Context())
	require.NoError(t, err)
	assert.Len(t, export.Licenses, 3)
	assert.Len(t, export.Assets, 2)
	assert.Equal(t, *summary, export.Summary)

	for what, ask := range map[string]func() error{
		"kind":     func() error { _, err := a.Licensing.Asset(t.Context(), api.AssetModel, "clip:x/y"); return err },
		"category": func() error { _, err := a.Licensing.Model(t.Context(), "nope", "x"); return err },
		"filter": func() error {
			_, err := a.Licensing.Assets(t.Context(), &api.AssetOptions{CommercialUse: "nope"})
			return err
		},
		"limit": func() error {
			_, err := a.Licensing.Licenses(t.Context(), &api.LicenseOptions{Page: modelref.Page{Limit: 1001}})
			return err
		},
	} {
		var status *modelref.APIError
		require.True(t, errors.As(ask(), &status), what)
		assert.Equal(t, http.StatusUnprocessableEntity, status.StatusCode, what)
		assert.NotEmpty(t, status.Validation, what)
	}
	server.ResetRequests()
	for what, ask := range map[string]func() error{
		"licence":  func() error { _, err := a.Licensing.License(t.Context(), ".."); return err },
		"asset":    func() error { _, err := a.Licensing.Asset(t.Context(), api.AssetOther, "a/../b"); return err },
		"kind":     func() error { _, err := a.Licensing.Asset(t.Context(), "", "a"); return err },
		"model":    func() error { _, err := a.Licensing.Model(t.Context(), modelref.CategoryCLIP, ""); return err },
		"category": func() error { _, err := a.Licensing.Model(t.Context(), "", "a"); return err },
		"baseline": func() error { _, err := a.Baselines.Get(t.Context(), "export"); return err },
		"profile":  func() error { _, err := a.Guidance.Profile(t.Context(), ""); return err },
		"guidance": func() error { _, err := a.Guidance.ForModel(t.Context(), ""); return err },
	} {
		assert.ErrorIs(t, ask(), modelref.ErrInvalidQuery, what)
	}
	assert.Empty(t, server.Requests())
}

func TestAllLicensesAndAssets(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.WithLicensing(bigLicensing(1003, 5)))
	a := api.New(server.Client(t))
	count := func(options *api.LicenseOptions) (n int, err error) {
		for licence, failed := range a.Licensing.AllLicenses(t.Context(), options) {
			if failed != nil {
				assert.Nil(t, licence)
				return n, failed
			}
			n++
		}
		return n, nil
	}
	n, err := count(nil)
	require.NoError(t, err)
	assert.Equal(t, 1003, n)
	assert.Len(t, server.Requests(), 2)
	n, err = count(&api.LicenseOptions{Page: modelref.Page{Offset: 1000, Limit: 2}})
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	n, err = count(&api.LicenseOptions{Page: modelref.Page{Limit: 5000}})
	var status *modelref.APIError
	require.True(t, errors.As(err, &status))
	assert.Zero(t, n)

	server.ResetRequests()
	for range a.Licensing.AllAssets(t.Context(), &api.AssetOptions{Page: modelref.Page{Limit: 1}}) {
		break
	}
	assert.Len(t, server.Requests(), 1)
	names := map[string]bool{}
	options := &api.AssetOptions{Page: modelref.Page{Limit: 3}}
	for asset, err := range a.Licensing.AllAssets(t.Context(), options) {
		require.NoError(t, err)
		names[asset.Identifier] = true
	}
	page, err := a.Licensing.Assets(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, names, page.Total)
	assert.Zero(t, options.Offset, "the options of the caller were changed")

	n = 0
	for _, err = range a.Licensing.AllLicenses(t.Context(), nil) { // the catalog is changed between two pages
		if n++; n == 10 {
			server.SetLicensing(bigLicensing(1003, 6))
		}
	}
	require.ErrorContains(t, err, "changed from revision 5 to 6")
	assert.Equal(t, 1001, n)
	server.Handle("model_references/v2/licensing/licenses", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"items": [{"license_id": "a"}], "total": 9, "offset": 0, "limit": 1}`)) // ignores the offset
	}))
	n, err = count(nil)
	require.ErrorContains(t, err, "the service returned offset 0")
	assert.Equal(t, 1, n)
}

const guidanceCatalog = `{
	"metadata": {"schema_version": 1, "revision": 4, "updated_at": 1735776000},
	"profiles": {
		"talk": {
			"profile_id": "talk", "kind": "prompt_contract", "display_name": "Talk", "summary": "*S*", "aliases": ["t"],
			"user": {"overview": "o", "use_cases": ["u"], "tips": [], "caveats": []},
			"examples": [{"title": "E", "description": null, "messages": [{"role": "user", "content": "hi"}], "rendered_prompt": "<u>hi"}],
			"recommended_settings": {"temperature": 0.5, "order": [1, 2], "on": true, "name": "x"},
			"sources": [{"url": "https://example.org", "title": null}], "metadata": {"revision": 2},
			"interaction_modes": ["chat"], "accepted_roles": ["user"], "role_markers": {"user": "<u>"}, "stop_sequences": ["</u>"],
			"templates": [{"template_id": "a", "name": "A", "syntax": "jinja2", "template": "{{ m }}", "variables": [
				{"name": "m", "description": "d"}, {"name": "o", "description": "d", "required": false}
			]}]
		},
		"tools": {"profile_id": "tools", "kind": "usage_recipe", "capability": "tool_calling", "scenario": "Agents"},
		"future": {"profile_id": "future", "kind": "new_kind", "display_name": "F", "new_field": [1]}
	},
	"assignments": {"Org/B-7B": {"model_name": "Org/B-7B", "primary_profile_id": "talk", "supplemental_profile_ids": ["tools"]}}
}`

func TestGuidance(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.WithGuidance(guidanceCatalog), modelreftest.WithDocument(
		modelref.CategoryTextGeneration, `{"Org/B-7B": {"name": "Org/B-7B"}, "Old": {"name": "Old", "instruct_format": "Alpaca"}}`))
	g := api.New(server.Client(t)).Guidance
	profiles, err := g.Profiles(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"future", "talk", "tools"}, []string{profiles.Items[0].ID, profiles.Items[1].ID, profiles.Items[2].ID})
	assert.Equal(t, 1, profiles.Items[1].AssignedModelCount)
	assert.False(t, profiles.Items[0].Kind.Known())

	profile, err := g.Profile(t.Context(), "talk")
	require.NoError(t, err)
	contract, ok := profile.(*api.PromptContract)
	require.True(t, ok)
	assert.Equal(t, api.ProfilePromptContract, profile.Common().Kind)
	assert.Equal(t, map[api.MessageRole]string{api.RoleUser: "<u>"}, contract.RoleMarkers)
	assert.Equal(t, []modelref.InteractionMode{modelref.InteractionChat}, contract.InteractionModes)
	assert.Equal(t, map[string]any{"temperature": 0.5, "order": []any{1.0, 2.0}, "on": true, "name": "x"}, contract.RecommendedSettings)
	assert.Equal(t, []modelref.GuidanceSource{{URL: "https://example.org"}}, contract.Sources)
	assert.True(t, contract.Templates[0].Variables[0].Required)
	assert.False(t, contract.Templates[0].Variables[1].Required)
	assert.Equal(t, "<u>hi", contract.Examples[0].RenderedPrompt)

	profile, err = g.Profile(t.Context(), "tools")
	require.NoError(t, err)
	recipe, ok := profile.(*api.UsageRecipe)
	require.True(t, ok)
	assert.Equal(t, modelref.CapabilityToolCalling, recipe.Capability)
	assert.Equal(t, "Agents", recipe.Scenario)
	profile, err = g.Profile(t.Context(), "future")
	require.NoError(t, err)
	unknown, ok := profile.(*api.UnknownProfile)
	require.True(t, ok)
	assert.Equal(t, "F", unknown.DisplayName)
	assert.Contains(t, string(unknown.JSON), "new_field")
	_, err = g.Profile(t.Context(), "t")
	require.ErrorIs(t, err, modelref.ErrNotFound)
	require.NotErrorIs(t, err, modelref.ErrUnsupported)

	assignments, err := g.Assignments(t.Context(), &api.AssignmentOptions{ProfileID: "tools"})
	require.NoError(t, err)
	assert.Equal(t, "Org/B-7B", assignments.Items[0].ModelName)
	assignments, err = g.Assignments(t.Context(), &api.AssignmentOptions{ModelName: "-"})
	require.NoError(t, err)
	assert.Empty(t, assignments.Items)
	assert.Equal(t, 4, assignments.Metadata.Revision)

	model, err := g.ForModel(t.Context(), "Org/B-7B")
	require.NoError(t, err)
	assert.Equal(t, contract, model.PrimaryProfile)
	assert.Equal(t, []*api.UsageRecipe{recipe}, model.SupplementalProfiles)
	assert.Equal(t, modelref.GuidancePublished, model.Summary.Status)
	model, err = g.ForModel(t.Context(), "Old")
	require.NoError(t, err)
	assert.Nil(t, model.PrimaryProfile)
	assert.Equal(t, "Alpaca", model.LegacyInstructFormat)
	_, err = g.ForModel(t.Context(), "nope")
	require.ErrorIs(t, err, modelref.ErrNotFound)

	export, err := g.Export(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]api.Profile{"talk": contract, "tools": recipe, "future": unknown}, export.Profiles)
	encoded, err := json.Marshal(export)
	require.NoError(t, err)
	var again api.GuidanceExport
	require.NoError(t, json.Unmarshal(encoded, &again))
	assert.IsType(t, contract, again.Profiles["talk"])
	assert.Contains(t, string(encoded), "new_field")
}

func TestBaselines(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.WithBaselines(
		`{"metadata": {"revision": 9}, "baselines": {"nova_2": {"name": "nova_2", "alternative_names": ["n2"], "native_resolution": 2048}}}`))
	b := api.New(server.Client(t)).Baselines
	list, err := b.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 9, list.Metadata.Revision)
	info, err := b.Get(t.Context(), "nova_2")
	require.NoError(t, err)
	assert.Equal(t, list.Items[0], info)
	assert.Equal(t, modelref.Some(2048), info.NativeResolution)
	catalog, err := b.Export(t.Context())
	require.NoError(t, err)
	assert.Equal(t, info, catalog.Resolve("N2"))
	for _, name := range []modelref.Baseline{"n2", "a/b"} {
		_, err = b.Get(t.Context(), name)
		require.ErrorIs(t, err, modelref.ErrNotFound, name)
		require.NotErrorIs(t, err, modelref.ErrUnsupported, name)
	}
	assert.Len(t, server.Requests(), 5, "a redirect was followed")
}

func TestCatalogsOfAnOlderDeployment(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.AsOlderDeployment())
	a := api.New(server.Client(t))
	_, err := a.Licensing.Summary(t.Context())
	require.ErrorIs(t, err, modelref.ErrUnsupported)
	require.ErrorContains(t, err, "may be too old")
	for _, err := range a.Licensing.AllAssets(t.Context(), nil) {
		require.ErrorIs(t, err, modelref.ErrUnsupported)
	}
	_, err = a.Guidance.Export(t.Context())
	require.ErrorIs(t, err, modelref.ErrUnsupported)
	_, err = a.Baselines.Get(t.Context(), modelref.BaselineAnima)
	require.ErrorIs(t, err, modelref.ErrUnsupported)
}

func TestInvalidCatalogs(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	a := api.New(server.Client(t))
	for path, bodies := range map[string][]string{
		"licensing/licenses":                   {`{}`, `[]`, `null`, `{"items": [{"license_id": 5}]}`},
		"licensing/licenses/MIT":               {`{}`, `{"detail": "x"}`},
		"licensing/models/clip/x":              {`{}`, `{"asset_identifier": "x", "licensing": {"reviewed_at": "soon"}}`},
		"licensing/export":                     {`{}`, `<html>`},
		"text_generation/guidance/profiles/x":  {`{}`, `null`, `{"profile_id": "x", "kind": "usage_recipe", "aliases": 5}`},
		"text_generation/guidance/export":      {`{}`, `{"profiles": {"x": {}}}`},
		"image_generation/baselines/":          {`{}`},
		"image_generation/baselines/export":    {`{}`},
		"image_generation/baselines/flux_1":    {`{}`},
		"pending_queue/changes":                {`{}`},
		"text_generation/guidance/assignments": {`{}`},
	} {
		for _, body := range bodies {
			server.Handle("model_references/v2/"+path, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(body))
			}))
			var err error
			switch path {
			case "licensing/licenses":
				_, err = a.Licensing.Licenses(t.Context(), nil)
			case "licensing/licenses/MIT":
				_, err = a.Licensing.License(t.Context(), "MIT")
			case "licensing/models/clip/x":
				_, err = a.Licensing.Model(t.Context(), modelref.CategoryCLIP, "x")
			case "licensing/export":
				_, err = a.Licensing.Export(t.Context())
			case "text_generation/guidance/profiles/x":
				_, err = a.Guidance.Profile(t.Context(), "x")
			case "text_generation/guidance/export":
				_, err = a.Guidance.Export(t.Context())
			case "image_generation/baselines/":
				_, err = a.Baselines.List(t.Context())
			case "image_generation/baselines/export":
				_, err = a.Baselines.Export(t.Context())
			case "image_generation/baselines/flux_1":
				_, err = a.Baselines.Get(t.Context(), modelref.BaselineFlux1)
			case "pending_queue/changes":
				_, err = a.PendingQueue.Changes(t.Context(), nil)
			case "text_generation/guidance/assignments":
				_, err = a.Guidance.Assignments(t.Context(), nil)
			}
			var invalid *modelref.ResponseDecodeError
			assert.True(t, errors.As(err, &invalid), "%s %s: %v", path, body, err)
		}
	}
}

func TestPendingQueue(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	var query string
	server.Handle("model_references/v2/pending_queue/changes", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.RawQuery
		_, _ = w.Write([]byte(`{"items": [
			{"change_id": 1, "category": "clip", "model_name": "x", "operation": "create", "payload": {"name": "x"}, "requested_at": 1735689600},
			{"change_id": 2, "resource_kind": "text_guidance", "resource_id": "u", "model_name": "guidance:u", "payload": null, "batch_id": 4}
		], "total": 2, "offset": 0, "limit": null}`))
	}))
	page, err := api.New(server.Client(t)).PendingQueue.Changes(t.Context(), &api.PendingChangeOptions{
		Statuses: []api.ChangeStatus{api.ChangePending, api.ChangeApplied}, BatchID: 4,
	})
	require.NoError(t, err)
	assert.Equal(t, "batch_id=4&statuses=pending&statuses=applied", query)
	first, second := page.Items[0], page.Items[1]
	assert.Equal(t, api.PendingModel, first.ResourceKind, "an older deployment does not have the field")
	assert.JSONEq(t, `{"name": "x"}`, string(first.Payload))
	assert.Equal(t, time.Unix(1735689600, 0).UTC(), first.RequestedAt)
	assert.Equal(t, api.PendingTextGuidance, second.ResourceKind)
	assert.Nil(t, second.Payload)
	assert.Equal(t, modelref.Some(4), second.BatchID)
}
