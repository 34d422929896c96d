// Examples of requests that bypass the cache. The server responds like the service.

package modelref_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/haidra-org/modelref"
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

func ExampleClient_GetJSON() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/licenses?limit=1": `{"licenses": ["MIT"]}`,
	})
	defer done()
	var out struct {
		Licenses []string `json:"licenses"`
	}
	err := client.GetJSON(context.Background(), "model_references/v2/licenses", map[string][]string{"limit": {"1"}}, &out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Licenses)
	// Output: [MIT]
}

func ExampleClient_SearchAll() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/search?limit=1&name_contains=tiny": `{"results": [{"record_type": "clip", "name": "tiny"}],
			"total": 2, "offset": 0, "limit": 1, "has_more": true}`,
		"/model_references/v2/search?limit=1&name_contains=tiny&offset=1": `{"results": [{"record_type": "blip", "name": "Tiny 2"}],
			"total": 2, "offset": 1, "limit": 1, "has_more": false}`,
	})
	defer done()
	options := &modelref.SearchOptions{NameContains: "tiny", Page: modelref.Page{Limit: 1}}
	for model, err := range client.SearchAll(context.Background(), options) {
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
		Filter:   modelref.Filter{NSFW: modelref.Some(false)},
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

func ExampleService_FetchRecord() {
	client, done := exampleService(nil)
	defer done()
	_, err := client.CLIP.FetchRecord(context.Background(), "ViT-L/14")
	var api *modelref.APIError
	fmt.Println(errors.Is(err, modelref.ErrNotFound), errors.As(err, &api), api.StatusCode)
	// Output: true true 404
}

func ExampleClient_Do() {
	client, done := exampleService(map[string]string{"/model_references/v2/licenses": `{"licenses": ["MIT"]}`})
	defer done()
	resp, err := client.Do(context.Background(), modelref.Request{Path: "model_references/v2/licenses"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, resp.Header.Get("Content-Type"), string(resp.Body))
	// Output: 200 application/json {"licenses": ["MIT"]}
}

func ExampleService_LastUpdated() {
	client, done := exampleService(map[string]string{
		"/model_references/v2/metadata/clip/last_updated": `{"category": "clip", "last_updated": 1700000000}`,
	})
	defer done()
	at, err := client.CLIP.LastUpdated(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(at)
	// Output: 2023-11-14 22:13:20 +0000 UTC
}
