// This file tests catalogs of baselines: names, capabilities, and the JSON of the service.

package modelref

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// servedBaselines is a catalog with a baseline that this package does not define.
const servedBaselines = `{
	"metadata": {"schema_version": 1, "revision": 7, "updated_at": 1785100000},
	"baselines": {
		"nova_2": {
			"name": "nova_2", "display_name": null, "native_resolution": 1536, "alternative_names": ["nova two", "n2"],
			"capabilities": {"controlnet": true, "controlnet_types_unavailable": ["depth"], "flow_matching": true},
			"horde_policy": {"kudos": 1.5, "kudos_hires": 2.25, "batching": 2.0},
			"metadata": {"revision": 2, "created_at": 1785000000, "created_by": "17", "updated_at": null, "updated_by": null},
			"new_field": 1
		},
		"nova_3": {"name": "nova_3", "alternative_names": ["NOVA TWO", "nova-3-turbo"], "native_resolution": null},
		"sdxl": {"name": "sdxl"},
		"flux_1": {"name": "flux_1"}
	}
}`

func TestBaselineCatalogFromTheService(t *testing.T) {
	t.Parallel()
	var catalog BaselineCatalog
	require.NoError(t, json.Unmarshal([]byte(servedBaselines), &catalog))
	assert.Equal(t, CatalogMetadata{SchemaVersion: 1, Revision: 7, UpdatedAt: time.Unix(1785100000, 0).UTC()}, catalog.Metadata)
	assert.Equal(t, []Baseline{"flux_1", "nova_2", "nova_3", "sdxl"}, catalog.Names())
	nova := catalog.Get("nova_2")
	assert.Equal(t, &BaselineInfo{
		Name: "nova_2", NativeResolution: Some(1536), AlternativeNames: []string{"nova two", "n2"},
		Capabilities: BaselineCapabilities{
			ControlNet: true, ControlNetTypesUnavailable: []string{"depth"}, FlowMatching: true,
		},
		HordePolicy: HordePolicy{Kudos: 1.5, KudosHires: Some(2.25), Batching: 2, TTL: 1},
		Metadata:    EntryMetadata{Revision: 2, CreatedAt: time.Unix(1785000000, 0).UTC(), CreatedBy: "17"},
	}, nova)
	assert.True(t, nova.Capabilities.SupportsControlNet("control_canny"))
	assert.False(t, nova.Capabilities.SupportsControlNet("depth"))
	assert.False(t, nova.Capabilities.SupportsControlNet("control_depth"))
	assert.False(t, catalog.Get("nova_3").Capabilities.SupportsControlNet("canny"))
	assert.False(t, catalog.Get("nova_3").NativeResolution.IsSet())

	for name, want := range map[string]Baseline{
		"nova_2": "nova_2", "Nova 2": "nova_2", "N2": "nova_2", "Nova-3 Turbo": "nova_3",
		"SDXL": "sdxl", // a name in the catalog takes precedence over the packaged spellings
		"flux": "flux_1", "FLUX.1": "flux_1",
		"nova two": "", // is an alternative name of two baselines
		"sd15":     "", // is a baseline, but not in this catalog
		"":         "", "-": "", "nova": "",
	} {
		info := catalog.Resolve(name)
		if want == "" {
			assert.Nil(t, info, name)
			continue
		}
		require.NotNil(t, info, name)
		assert.Equal(t, want, info.Name, name)
	}

	encoded, err := json.Marshal(&catalog)
	require.NoError(t, err)
	assert.Contains(t, string(encoded), `"updated_at":1785100000`)
	assert.Contains(t, string(encoded), `"created_by":"17","updated_at":null`)
	var again BaselineCatalog
	require.NoError(t, json.Unmarshal(encoded, &again))
	assert.Equal(t, catalog, again)
}

func TestPackagedBaselines(t *testing.T) {
	t.Parallel()
	catalog := PackagedBaselines()
	require.Len(t, catalog.Baselines, len(Baselines()))
	require.Len(t, Baselines(), 13)
	for name, want := range map[string]Baseline{
		"sdxl": BaselineStableDiffusionXL, "krea2": BaselineKrea2Turbo, "anima turbo": BaselineAnima, "sd15": BaselineStableDiffusion1,
	} {
		info := catalog.Resolve(name)
		require.NotNil(t, info, name)
		assert.Equal(t, want, info.Name)
		assert.Equal(t, want.NativeResolution(), info.NativeResolution.Or(0))
	}
	assert.False(t, catalog.Get(BaselineInfer).NativeResolution.IsSet())
	assert.False(t, catalog.Get(BaselineStableDiffusion2768).Capabilities.SupportsControlNet("hough"))
	assert.True(t, catalog.Get(BaselineStableDiffusionXL).Capabilities.QRCode)
	assert.Equal(t, Some(4.0), catalog.Get(BaselineStableDiffusionXL).HordePolicy.KudosQRCode)

	catalog.Get(BaselineStableDiffusionXL).AlternativeNames[0] = "changed"
	catalog.Get(BaselineStableDiffusion2768).Capabilities.ControlNetTypesUnavailable[0] = "changed"
	catalog.Get(BaselineFlux1).NativeResolution = Some(1)
	assert.NotContains(t, PackagedBaselines().Get(BaselineStableDiffusionXL).AlternativeNames, "changed")
	assert.NotContains(t, PackagedBaselines().Get(BaselineStableDiffusion2768).Capabilities.ControlNetTypesUnavailable, "changed")
	assert.Equal(t, 1024, BaselineFlux1.NativeResolution())
}

func TestBaselineCatalogZeroAndInvalid(t *testing.T) {
	t.Parallel()
	var none *BaselineCatalog
	for _, catalog := range []*BaselineCatalog{none, {}} {
		assert.Empty(t, catalog.Names())
		assert.Nil(t, catalog.Get(BaselineFlux1))
		assert.Nil(t, catalog.Resolve("flux"))
	}
	for _, document := range []string{`{}`, `[]`, `{"baselines": {"a": null}}`, `{"baselines": {"a": {"native_resolution": "wide"}}}`} {
		var catalog BaselineCatalog
		assert.Error(t, json.Unmarshal([]byte(document), &catalog), document)
	}
	var keyed BaselineCatalog
	require.NoError(t, json.Unmarshal([]byte(`{"baselines": {"a": {}}}`), &keyed))
	assert.Equal(t, Baseline("a"), keyed.Get("a").Name)
}
