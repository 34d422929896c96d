// Examples of the endpoints, against a server that answers as the service does.

package modelref_test

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
)

// exampleService answers each path, below the base URL, with a body.
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

func ExampleClient_Heartbeat() {
	client, done := exampleService(map[string]string{
		"/heartbeat": `{"status": "ok", "ai_horde": {"degraded": true, "consecutive_failures": 3, "seconds_until_retry": 12.5}}`,
	})
	defer done()
	beat, err := client.Heartbeat(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(beat.Status, beat.AIHorde.Degraded, beat.AIHorde.SecondsUntilRetry)
	// Output: ok true 12.5
}

func ExampleClient_Capabilities() {
	client, done := exampleService(map[string]string{
		"/replicate_mode": `{"replicate_mode": "PRIMARY", "canonical_format": "v2", "writable": true}`,
	})
	defer done()
	able, err := client.Capabilities(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(able.ReplicateMode, able.CanonicalFormat, able.Writable)
	// Output: PRIMARY v2 true
}

func ExampleClient_Get() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/licenses?limit=1": `{"licenses": ["MIT"]}`,
	})
	defer done()
	var out struct {
		Licenses []string `json:"licenses"`
	}
	err := client.Get(context.Background(), "model_references/v2/licenses", map[string][]string{"limit": {"1"}}, &out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Licenses)
	// Output: [MIT]
}

func ExampleClient_Metadata() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/metadata/clip/last_updated": `{"category": "clip", "last_updated": 1700000000}`,
	})
	defer done()
	at, err := client.Metadata().CategoryLastUpdated(context.Background(), modelref.CategoryCLIP)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(at)
	// Output: 2023-11-14 22:13:20 +0000 UTC
}

func ExampleClient_Legacy() {
	client, done := exampleService(map[string]string{"/model_references/v1/clip": `{"ViT-L/14": {"type": "clip"}}`})
	defer done()
	raw, err := client.Legacy().Category(context.Background(), modelref.CategoryCLIP)
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

func ExampleClient_SearchAll() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/search?limit=1&name_contains=tiny": `{"results": [{"record_type": "clip", "name": "tiny"}],
			"total": 2, "offset": 0, "limit": 1, "has_more": true}`,
		"/model_references/v2/search?limit=1&name_contains=tiny&offset=1": `{"results": [{"record_type": "blip", "name": "Tiny 2"}],
			"total": 2, "offset": 1, "limit": 1, "has_more": false}`,
	})
	defer done()
	for model, err := range client.SearchAll(context.Background(), &modelref.SearchOptions{NameContains: "tiny", Limit: 1}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(model.RecordType, model.Name)
	}
	// Output:
	// clip tiny
	// blip Tiny 2
}

func ExampleImageGenerationService_Search() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/image_generation/search?baseline=flux_1&nsfw=false": `{
			"results": [{"name": "Flux", "baseline": "flux_1", "nsfw": false}],
			"total": 1, "offset": 0, "limit": 50, "has_more": false}`,
	})
	defer done()
	page, err := client.ImageGeneration.Search(context.Background(), &modelref.ImageSearchOptions{
		Baseline: "flux_1",
		NSFW:     modelref.Some(false),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Total, page.Results[0].Name, page.HasMore)
	// Output: 1 Flux false
}

func ExampleImageGenerationService_Popular() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/image_generation/popular?limit=1": `[{"name": "Flux",
			"record": {"name": "Flux", "baseline": "flux_1", "nsfw": false}, "stats": {"worker_count": 7, "eta": 30}}]`,
	})
	defer done()
	models, err := client.ImageGeneration.Popular(context.Background(), &modelref.PopularOptions{Limit: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, model := range models {
		fmt.Println(model.Name, model.Stats.WorkerCount, model.Stats.ETA)
	}
	// Output: Flux 7 30
}

func ExampleService_Model() {
	client, done := exampleService(nil)
	defer done()
	_, err := client.CLIP.Model(context.Background(), "ViT-L/14")
	var api *modelref.APIError
	fmt.Println(errors.Is(err, modelref.ErrNotFound), errors.As(err, &api), api.StatusCode)
	// Output: true true 404
}

func ExampleService_Pending() {
	client, err := modelref.New(modelref.WithAPIKey("the key of a registered user"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	pending, err := client.ImageGeneration.Pending(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for name, record := range pending.All() {
		fmt.Println(name, record.Baseline)
	}
}

func ExampleClient_Statistics() {
	client, done := exampleService(map[string]string{
		"/model_references/statistics/clip": `{"category": "clip", "total_models": 2, "limit": null}`,
	})
	defer done()
	stats, err := client.Statistics(context.Background(), modelref.CategoryCLIP, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stats.TotalModels, stats.Limit)
	// Output: 2 unset
}

func ExampleClient_UsageStatistics() {
	client, done := exampleService(map[string]string{
		"/model_references/statistics/text_generation/with-stats?sort_by=usage_month": `{
			"Org/B": {"worker_count": 1, "usage_stats": {"day": 1, "month": 9, "total": 20}}, "Org/A": {"worker_count": 0}}`,
	})
	defer done()
	list, err := client.UsageStatistics(context.Background(), modelref.CategoryTextGeneration,
		&modelref.UsageOptions{SortBy: modelref.UsageSortMonth})
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

func ExampleClient_DeletionRisk() {
	client, done := exampleService(map[string]string{
		"/model_references/statistics/image_generation/deletion-risk?preset=no_workers": `{"total_count": 1, "models": [
			{"name": "Old", "risk_score": 1, "deletion_risk_flags": {"no_active_workers": true}}]}`,
	})
	defer done()
	risk, err := client.DeletionRisk(context.Background(), modelref.CategoryImageGeneration,
		&modelref.DeletionRiskOptions{Preset: modelref.DeletionRiskNoWorkers})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(risk.Models[0].Name, risk.Models[0].Flags.NoActiveWorkers)
	// Output: Old true
}

func ExampleTextGenerationService_Group() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/text_generation/group?name=Org%2FTiny": `{"group_name": "Org/Tiny", "available_sizes": ["1B", "3B"]}`,
	})
	defer done()
	group, err := client.TextGeneration.Group(context.Background(), "Org/Tiny")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.Name, group.AvailableSizes)
	// Output: Org/Tiny [1B 3B]
}

func ExampleTextGenerationService_ParseName() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/text_generation/parse_name?name=Org%2FTiny-3B-Q4_K_M": `{"original_name": "Org/Tiny-3B-Q4_K_M",
			"base_name": "Org/Tiny", "size": "3B", "quant": "Q4_K_M", "variant": null, "suggested_group": "Tiny"}`,
	})
	defer done()
	name, err := client.TextGeneration.ParseName(context.Background(), "Org/Tiny-3B-Q4_K_M")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(name.BaseName, name.Size, name.Quant, name.SuggestedGroup)
	// Output: Org/Tiny 3B Q4_K_M Tiny
}
