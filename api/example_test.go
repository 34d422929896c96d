// Examples of the endpoints. The server responds like the service.

package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
)

// exampleService returns a Client of a server that has a body for each path below the base URL.
func exampleService(answers map[string]string) (*modelref.Client, func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.RequestURI()]
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			body = `{"detail": "Not Found"}`
		}
		_, _ = io.WriteString(w, body)
	}))
	client, err := modelref.New(modelref.WithPrimaryURL(server.URL), modelref.WithoutGitHub())
	if err != nil {
		log.Fatal(err)
	}
	return client, func() { _ = client.Close(); server.Close() }
}

func ExampleAPI_Heartbeat() {
	client, done := exampleService(map[string]string{
		"/heartbeat": `{"status": "ok", "ai_horde": {"degraded": true, "consecutive_failures": 3, "seconds_until_retry": 12.5}}`,
	})
	defer done()
	beat, err := api.New(client).Heartbeat(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(beat.Status, beat.AIHorde.Degraded, beat.AIHorde.SecondsUntilRetry)
	// Output: ok true 12.5
}

func ExampleAPI_Capabilities() {
	client, done := exampleService(map[string]string{
		"/replicate_mode": `{"replicate_mode": "PRIMARY", "canonical_format": "v2", "writable": true}`,
	})
	defer done()
	able, err := api.New(client).Capabilities(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(able.ReplicateMode, able.CanonicalFormat, able.Writable)
	// Output: PRIMARY v2 true
}

func ExampleMetadataService_CategoryLastUpdated() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/metadata/clip/last_updated": `{"category": "clip", "last_updated": 1700000000}`,
	})
	defer done()
	at, err := api.New(client).Metadata.CategoryLastUpdated(context.Background(), modelref.CategoryCLIP)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(at)
	// Output: 2023-11-14 22:13:20 +0000 UTC
}

func ExampleLegacyService_Category() {
	client, done := exampleService(map[string]string{"/model_references/v1/clip": `{"ViT-L/14": {"type": "clip"}}`})
	defer done()
	raw, err := api.New(client).Legacy.Category(context.Background(), modelref.CategoryCLIP)
	if err != nil {
		log.Fatal(err)
	}
	var models map[string]json.RawMessage
	if err := json.Unmarshal(raw, &models); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(models))
	// Output: 1
}

func ExamplePending() {
	client, err := modelref.New(modelref.WithAPIKey("the key of a registered user"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	pending, err := api.Pending(context.Background(), api.New(client), client.ImageGeneration)
	if err != nil {
		log.Fatal(err)
	}
	for name, record := range pending.All() {
		fmt.Println(name, record.Baseline)
	}
}

func ExampleStatisticsService_Category() {
	client, done := exampleService(map[string]string{
		"/model_references/statistics/clip": `{"category": "clip", "total_models": 2, "limit": null}`,
	})
	defer done()
	stats, err := api.New(client).Statistics.Category(context.Background(), modelref.CategoryCLIP, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stats.TotalModels, stats.Limit)
	// Output: 2 unset
}

func ExampleStatisticsService_Usage() {
	client, done := exampleService(map[string]string{
		"/model_references/statistics/text_generation/with-stats?sort_by=usage_month": `{
			"Org/B": {"worker_count": 1, "usage_stats": {"day": 1, "month": 9, "total": 20}}, "Org/A": {"worker_count": 0}}`,
	})
	defer done()
	list, err := api.New(client).Statistics.Usage(context.Background(), modelref.CategoryTextGeneration,
		&api.UsageOptions{SortBy: api.UsageSortMonth})
	if err != nil {
		log.Fatal(err)
	}
	for _, model := range list {
		fmt.Println(model.Name, model.WorkerCount, model.Usage != nil)
	}
	// Output:
	// Org/B 1 true
	// Org/A 0 false
}

func ExampleUsageOptions_backendVariations() {
	client, done := exampleService(map[string]string{
		"/model_references/statistics/text_generation/with-stats?include_backend_variations=true": `{
			"Org/A-7B": {"worker_count": 3, "backend_variations": {
				"canonical": {"backend": "canonical", "variant_name": "Org/A-7B", "worker_count": 1},
				"koboldcpp": {"backend": "koboldcpp", "variant_name": "koboldcpp/A-7B", "worker_count": 2}}}}`,
	})
	defer done()
	list, err := api.New(client).Statistics.Usage(context.Background(), modelref.CategoryTextGeneration,
		&api.UsageOptions{IncludeBackendVariations: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, model := range list {
		if usage, ok := model.BackendVariations[string(modelref.TextBackendKoboldCPP)]; ok {
			fmt.Println(model.Name, usage.VariantName, usage.WorkerCount)
		}
	}
	// Output: Org/A-7B koboldcpp/A-7B 2
}

func ExampleStatisticsService_DeletionRisk() {
	client, done := exampleService(map[string]string{
		"/model_references/statistics/image_generation/deletion-risk?preset=no_workers": `{"total_count": 1, "models": [
			{"name": "Old", "risk_score": 1, "deletion_risk_flags": {"no_active_workers": true}}]}`,
	})
	defer done()
	risk, err := api.New(client).Statistics.DeletionRisk(context.Background(), modelref.CategoryImageGeneration,
		&api.DeletionRiskOptions{Preset: api.DeletionRiskNoWorkers})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(risk.Models[0].Name, risk.Models[0].Flags.NoActiveWorkers)
	// Output: Old true
}

func ExampleTextService_Group() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/text_generation/group?name=Org%2FTiny": `{"group_name": "Org/Tiny", "available_sizes": ["1B", "3B"]}`,
	})
	defer done()
	group, err := api.New(client).Text.Group(context.Background(), "Org/Tiny")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.Name, group.AvailableSizes)
	// Output: Org/Tiny [1B 3B]
}

func ExampleTextService_ParseName() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/text_generation/parse_name?name=Org%2FTiny-3B-Q4_K_M": `{"original_name": "Org/Tiny-3B-Q4_K_M",
			"base_name": "Org/Tiny", "size": "3B", "quant": "Q4_K_M", "variant": null, "suggested_group": "Tiny"}`,
	})
	defer done()
	name, err := api.New(client).Text.ParseName(context.Background(), "Org/Tiny-3B-Q4_K_M")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(name.BaseName, name.Size, name.Quant, name.SuggestedGroup)
	// Output: Org/Tiny 3B Q4_K_M Tiny
}

func ExamplePendingOverlay() {
	client, err := modelref.New(modelref.WithAPIKey("the key of a registered user"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	pending := modelref.WithOverlay(api.PendingOverlay(api.New(client)))
	ref, err := client.ImageGeneration.Load(context.Background(), pending)
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range ref.Names() {
		fmt.Println(name, ref.SourceOf(name)) // "pending" for records that are waiting for approval
	}
}

func ExampleLicensingService_AllAssets() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/licensing/assets?commercial_use=allowed&limit=1000": `{
			"items": [{
				"asset_kind": "model", "asset_identifier": "clip:ViT-L/14", "display_name": "ViT-L/14", "category": "clip",
				"licensing": {"license_expression": "MIT", "license_ids": ["MIT"], "commercial_use": "allowed"}
			}],
			"total": 1, "offset": 0, "limit": 1000, "metadata": {"revision": 1}
		}`,
	})
	defer done()

	options := &api.AssetOptions{CommercialUse: modelref.PermissionAllowed}
	for asset, err := range api.New(client).Licensing.AllAssets(context.Background(), options) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(asset.Category, asset.DisplayName, asset.Licensing.Expression)
	}
	// Output: clip ViT-L/14 MIT
}

func ExampleGuidanceService_Profile() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/text_generation/guidance/profiles/chatml": `{
			"profile_id": "chatml", "kind": "prompt_contract", "display_name": "ChatML", "stop_sequences": ["<|im_end|>"]
		}`,
	})
	defer done()

	profile, err := api.New(client).Guidance.Profile(context.Background(), "chatml")
	if err != nil {
		log.Fatal(err)
	}
	switch profile := profile.(type) {
	case *api.PromptContract:
		fmt.Println("stop at", profile.StopSequences)
	case *api.UsageRecipe:
		fmt.Println("for", profile.Scenario)
	}
	// Output: stop at [<|im_end|>]
}

func ExampleBaselineService_Export() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/image_generation/baselines/export": `{
			"metadata": {"revision": 2},
			"baselines": {"nova_2": {"name": "nova_2", "alternative_names": ["nova"], "native_resolution": 2048}}
		}`,
	})
	defer done()

	catalog, err := api.New(client).Baselines.Export(context.Background())
	if errors.Is(err, modelref.ErrUnsupported) { // an older deployment
		catalog = modelref.PackagedBaselines()
	} else if err != nil {
		log.Fatal(err)
	}
	if info := catalog.Resolve("Nova"); info != nil {
		fmt.Println(info.Name, info.NativeResolution)
	}
	// Output: nova_2 2048
}
