// This file tests the endpoints of the Server, over sockets and in memory.

package modelreftest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// eachMode runs a test over sockets and in memory.
func eachMode(t *testing.T, test func(t *testing.T, options ...modelreftest.Option)) {
	t.Helper()
	t.Run("loopback", func(t *testing.T) {
		t.Parallel()
		test(t)
	})
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		test(t, modelreftest.InMemory())
	})
}

// get sends a request to the Server and returns the response with its body.
func get(t testing.TB, s *modelreftest.Server, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.HTTPClient().Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp, string(body)
}

const v2 = "/model_references/v2/"

func TestPrimaryServesItsRoutes(t *testing.T) {
	t.Parallel()
	enum := `"loc":["path","model_category_name"]`
	tests := []struct {
		path   string
		status int
		body   string // a part of the body
	}{
		{"/heartbeat", 200, `"status":"ok"`},
		{"/replicate_mode", 200, `"replicate_mode":"PRIMARY"`},
		{v2 + "info", 200, `{"message":`},
		{v2 + "model_categories", 200, `["blip","clip",`},
		{v2 + "image_generation", 200, `"Lantern XL"`},
		{v2 + "lora", 200, `{}`},
		{v2 + "nope", 422, enum},
		{v2 + "image_generation/model/Lantern%20XL", 200, `"name": "Lantern XL"`},
		{v2 + "image_generation/model/Brush%20&%20Bristle%20XL", 200, `"name": "Brush & Bristle XL"`},
		{v2 + "image_generation/model/nope", 404, `{"detail":"Model 'nope' not found in category 'image_generation'"}`},
		{v2 + "clip/model/ViT-L%2F14", 404, `{"detail":"Not Found"}`},
		{v2 + "clip/model/ViT-L/14", 404, `{"detail":"Not Found"}`},
		{v2 + "nope/model/x", 422, enum},
		{v2 + "metadata/last_updated", 200, `{"last_updated":1`},
		{v2 + "metadata/clip/last_updated", 200, `{"category":"clip","last_updated":1`},
		{v2 + "metadata/nope/last_updated", 422, enum},
		{v2 + "metadata/clip", 200, `"total_models":2`},
		{v2 + "metadata/metadata", 200, `"image_generation":{`},
		{v2 + "clip/pending", 403, `{"detail":"Not authenticated"}`},
		{v2 + "me/roles", 403, `{"detail":"Not authenticated"}`},
		{v2 + "text_generation/groups/health", 501, `does not serve this endpoint: set a response with Server.Handle`},
		{"/model_references/statistics/clip/deletion-risk", 501, `does not serve this endpoint`},
		{"/model_references/v1/clip", 501, `does not serve this endpoint`},
		{v2 + "clip/nope", 404, `{"detail":"Not Found"}`},
		{v2, 422, enum},
		{"/", 404, `{"detail":"Not Found"}`},
		{"", 404, `{"detail":"Not Found"}`},
	}
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, options...)
		require.True(t, strings.HasSuffix(s.URL(), "/api"), s.URL())
		for _, tt := range tests {
			resp, body := get(t, s, s.URL()+tt.path)
			assert.Equal(t, tt.status, resp.StatusCode, tt.path)
			assert.Contains(t, body, tt.body, tt.path)
			assert.Equal(t, "application/json", resp.Header.Get("Content-Type"), tt.path)
			assert.Empty(t, resp.Header.Get("ETag"), tt.path)
			assert.Equal(t, int64(len(body)), resp.ContentLength, tt.path)
			at, err := http.ParseTime(resp.Header.Get("Date"))
			assert.NoError(t, err, tt.path)
			assert.WithinDuration(t, time.Now(), at, time.Minute, tt.path)
			assert.True(t, json.Valid([]byte(body)), tt.path)
		}
		resp, body := get(t, s, strings.TrimSuffix(s.URL(), "/fake/api")+v2+"clip")
		assert.Equal(t, 404, resp.StatusCode, "a path without the prefix of the base URL: %s", body)
		resp, _ = get(t, s, s.URL()+v2+"me/roles", "apikey", "0123456789")
		assert.Equal(t, 200, resp.StatusCode)
	})
}

func TestDocumentsAreServedUnchanged(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		odd := " {\"a\" : {\"name\":\"a\"}}\n\n"
		s := modelreftest.NewServer(t, append(options, modelreftest.WithDocument(modelref.CategoryCLIP, odd))...)
		_, body := get(t, s, s.URL()+v2+"clip")
		assert.Equal(t, odd, body)
		_, body = get(t, s, s.URL()+v2+"image_generation")
		assert.Equal(t, "{}", body)

		s.SetDocument(modelref.CategoryCLIP, "[not json")
		_, body = get(t, s, s.URL()+v2+"clip")
		assert.Equal(t, "[not json", body)
	})
}

func TestWithDocumentsReadsAFileSystem(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory(),
		modelreftest.WithDocument(modelref.CategoryBLIP, `{"b":{"name":"b"}}`),
		modelreftest.WithDocuments(fstest.MapFS{"clip.json": {Data: []byte(`{"c":{"name":"c"}}`)}}))
	for category, want := range map[string]string{
		"blip": `{"b":{"name":"b"}}`, "clip": `{"c":{"name":"c"}}`, "esrgan": `{}`,
	} {
		_, body := get(t, s, s.URL()+v2+category)
		assert.Equal(t, want, body)
	}
}

func TestWithRecords(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory(), modelreftest.WithRecords(modelref.CategoryImageGeneration,
		&modelref.ImageGenerationRecord{
			ModelRecord: modelref.ModelRecord{Name: "B", SizeOnDiskBytes: modelref.Some[int64](5)},
			Baseline:    modelref.BaselineStableDiffusionXL, NSFW: true,
		},
		&modelref.ImageGenerationRecord{
			ModelRecord: modelref.ModelRecord{Name: "A"}, Baseline: modelref.BaselineFlux1, Tags: []string{"x"},
		}))
	client := s.Client(t)
	ref, err := client.ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	require.Empty(t, ref.Rejected())
	require.Equal(t, []string{"B", "A"}, ref.Names())
	b, _ := ref.Get("B")
	assert.True(t, b.NSFW)
	assert.Equal(t, modelref.Some[int64](5), b.SizeOnDiskBytes)
	assert.Equal(t, modelref.CategoryImageGeneration, b.RecordType)
}

func TestInvalidOptionsAreErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]modelreftest.Option{
		"unknown category":      modelreftest.WithDocument("nope", "{}"),
		"other record type":     modelreftest.WithRecords(modelref.CategoryTextGeneration, &modelref.CLIPRecord{ModelRecord: modelref.ModelRecord{Name: "a"}}),
		"record without a name": modelreftest.WithRecords(modelref.CategoryCLIP, &modelref.CLIPRecord{}),
		"nil record":            modelreftest.WithRecords[modelref.CLIPRecord](modelref.CategoryCLIP, nil),
		"no documents":          modelreftest.WithDocuments(fstest.MapFS{"documents/clip.json": {Data: []byte("{}")}}),
		"file that is a folder": modelreftest.WithDocuments(fstest.MapFS{"clip.json/x": {}}),
	}
	for name, option := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := modelreftest.Start(option)
			require.ErrorContains(t, err, "modelreftest: ")
			require.Nil(t, s)
		})
	}
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	assert.Panics(t, func() { s.SetDocument("nope", "{}") })
	assert.Panics(t, func() { s.SetLastUpdated("nope", 1) })
}

func TestLastUpdatedTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := modelreftest.NewServer(t, modelreftest.InMemory())
		lastUpdated := func(path string) int64 {
			resp, body := get(t, s, s.URL()+v2+path)
			require.Equal(t, 200, resp.StatusCode, body)
			require.Less(t, len(body), 200)
			var out struct {
				LastUpdated int64 `json:"last_updated"`
			}
			require.NoError(t, json.Unmarshal([]byte(body), &out))
			return out.LastUpdated
		}
		start := time.Now().Unix()
		assert.Equal(t, start-3600, lastUpdated("metadata/clip/last_updated"))
		assert.Equal(t, start-3600, lastUpdated("metadata/last_updated"))

		time.Sleep(10 * time.Second)
		s.SetDocument(modelref.CategoryCLIP, "{}")
		assert.Equal(t, start+10, lastUpdated("metadata/clip/last_updated"))
		assert.Equal(t, start+10, lastUpdated("metadata/last_updated"))
		assert.Equal(t, start-3600, lastUpdated("metadata/blip/last_updated"))

		s.SetLastUpdated(modelref.CategoryCLIP, 42)
		assert.Equal(t, int64(42), lastUpdated("metadata/clip/last_updated"))

		for _, status := range []int{503, 404} {
			s.WithoutMetadata(status)
			resp, _ := get(t, s, s.URL()+v2+"metadata/clip/last_updated")
			assert.Equal(t, status, resp.StatusCode)
			resp, _ = get(t, s, s.URL()+v2+"clip")
			assert.Equal(t, 200, resp.StatusCode)
		}
		s.WithoutMetadata(0)
		assert.Equal(t, int64(42), lastUpdated("metadata/clip/last_updated"))
	})
}

func TestDateHasTheSimulatedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := modelreftest.NewServer(t, modelreftest.InMemory())
		for range 2 {
			resp, _ := get(t, s, s.URL()+v2+"clip")
			assert.Equal(t, time.Now().UTC().Format(http.TimeFormat), resp.Header.Get("Date"))
			time.Sleep(36 * time.Hour)
		}
	})
}

func TestCloseEndsDelayedResponses(t *testing.T) {
	t.Parallel()
	for _, fault := range []modelreftest.Fault{
		modelreftest.Stall(), modelreftest.Delay(24 * time.Hour), modelreftest.Trickle(24 * time.Hour),
	} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, err := modelreftest.Start(modelreftest.InMemory())
				require.NoError(t, err)
				s.Break(modelreftest.Primary, fault)
				start := time.Now()
				result := make(chan error, 1)
				go func() {
					got := ask(t, s.HTTPClient(), s.URL()+"/heartbeat")
					result <- errors.Join(got.err, got.bodyErr)
				}()
				synctest.Wait()
				s.Close()
				require.Error(t, <-result)
				assert.Equal(t, start, time.Now(), "Close returns immediately")
				s.Close()
				requestError(is(errConnRefused))(t, ask(t, s.HTTPClient(), s.URL()+"/heartbeat"))
			})
		})
	}
}

func TestHTTPClientSendsNoRequestToOtherHosts(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, options...)
		require.Error(t, ask(t, s.HTTPClient(), "http://192.0.2.1/").err)
		require.Empty(t, s.Requests(), "requests to other hosts are not recorded")
	})
}

func TestRecordedDocumentsAreServed(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		t.Skip("MODELREF_CORPUS must be the directory of the recorded documents")
	}
	s := modelreftest.NewServer(t, modelreftest.InMemory(), modelreftest.WithDocuments(os.DirFS(dir+"/primary/real")))
	client := s.Client(t)
	ref, err := client.TextGeneration.Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 719, ref.Len())
	checkGitHubReturnsTheSameNames(t, s)
}

func TestACanceledRequestIsRecordedOnce(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	const sent = 2000
	for i := range sent {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%400)*time.Microsecond)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/model_references/v2/clip", nil)
		require.NoError(t, err)
		if resp, err := s.HTTPClient().Do(r); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body) // the body may be truncated
			_ = resp.Body.Close()
		}
		cancel()
	}
	s.Close() // waits for the handlers
	assert.LessOrEqual(t, len(s.Requests()), sent)
}
