// This file tests the simulated GitHub: its files convert back to the records that they were made from.

package modelreftest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const imageFiles = "/Haidra-Org/AI-Horde-image-model-reference/refs/heads/main/"

func TestGitHubSupportsConditionalRequests(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, options...)
		url := s.GitHubURL() + imageFiles + "clip.json"
		resp, body := get(t, s, url)
		require.Equal(t, 200, resp.StatusCode)
		require.Contains(t, body, `"ViT-L/14"`)
		tag := resp.Header.Get("ETag")
		require.Regexp(t, `^"[0-9a-f]{64}"$`, tag)

		for _, held := range []string{tag, "W/" + tag, `"x", ` + tag} {
			resp, body = get(t, s, url, "If-None-Match", held)
			assert.Equal(t, 304, resp.StatusCode, held)
			assert.Empty(t, body)
			assert.Equal(t, tag, resp.Header.Get("ETag"))
		}
		s.SetDocument(modelref.CategoryCLIP, `{"new":{"name":"new"}}`)
		resp, body = get(t, s, url, "If-None-Match", tag)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Contains(t, body, `"new"`)
		assert.NotEqual(t, tag, resp.Header.Get("ETag"))
	})
}

func TestGitHubPaths(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	for path, status := range map[string]int{
		imageFiles + "stable_diffusion.json":                200,
		"/me/fork/refs/heads/topic/branch/models.csv":       200,
		imageFiles + "image_generation.json":                404,
		imageFiles + "lora.json":                            404,
		"/Haidra-Org/repository/main/stable_diffusion.json": 404,
		"/": 404,
	} {
		resp, body := get(t, s, s.GitHubURL()+path)
		assert.Equal(t, status, resp.StatusCode, path)
		assert.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"), path)
		if status == 404 {
			assert.Equal(t, "404: Not Found", body, path)
		}
	}
}

// checkGitHubReturnsTheSameNames compares the names that a Client reads from the PRIMARY and from GitHub.
func checkGitHubReturnsTheSameNames(t *testing.T, s *modelreftest.Server) {
	t.Helper()
	primary := s.Client(t)
	github := s.Client(t, modelref.WithoutPrimary())
	for _, category := range modelref.Categories() {
		if !category.HasGitHubSource() {
			continue
		}
		reader, err := primary.Category(string(category))
		require.NoError(t, err)
		want, err := reader.Load(t.Context())
		require.NoError(t, err)
		require.Empty(t, want.Rejected(), category)
		reader, err = github.Category(string(category))
		require.NoError(t, err)
		got, err := reader.Load(t.Context())
		require.NoError(t, err)
		require.Empty(t, got.Rejected(), category)

		names := []string{}
		for name, record := range want.All() {
			names = append(names, name)
			other, ok := got.Get(name)
			if assert.True(t, ok, name) {
				assert.Equal(t, record.Description, other.Description, name)
				assert.Equal(t, record.Version, other.Version, name)
				assert.Equal(t, record.SizeOnDiskBytes, other.SizeOnDiskBytes, name)
				assert.Equal(t, record.DownloadURLs(), other.DownloadURLs(), name)
				for i, d := range record.Config.Download {
					assert.Equal(t, d.SHA256Sum, other.Config.Download[i].SHA256Sum, name)
				}
			}
		}
		assert.Equal(t, names, got.Names(), category)
	}
}

func TestGitHubReturnsTheSameRecords(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, options...)
		checkGitHubReturnsTheSameNames(t, s)

		s.Break(modelreftest.Primary, modelreftest.Refused())
		client := s.Client(t, quick())
		images, err := client.ImageGeneration.Load(t.Context())
		require.NoError(t, err)
		require.Equal(t, modelref.SourceGitHub, images.Source())
		for name, baseline := range map[string]modelref.Baseline{
			"Inkwell":           modelref.BaselineStableDiffusion1,
			"Second Light":      modelref.BaselineStableDiffusion2768,
			"Lantern XL":        modelref.BaselineStableDiffusionXL,
			"Comet Schnell fp8": modelref.BaselineFlux1,
		} {
			record, ok := images.Get(name)
			require.True(t, ok, name)
			assert.Equal(t, baseline, record.Baseline, name)
		}
		kite, _ := images.Get("Kite 2.5/4 XL")
		assert.Equal(t, int64(4), kite.Requirements["min_steps"])

		texts, err := client.TextGeneration.Load(t.Context())
		require.NoError(t, err)
		marx, ok := texts.Get("Example/Marx-3B")
		require.True(t, ok)
		assert.Equal(t, int64(3_000_000_000), marx.Parameters)
		assert.Equal(t, 1.18, marx.Settings["rep_pen"])
		heron, _ := texts.Get("Example/Heron-8B-Instruct")
		assert.Equal(t, int64(8_029_999_999), heron.Parameters)
		assert.Equal(t, []string{"popular", "agentic"}, heron.Tags)
		assert.Contains(t, heron.Description, "\"quotes\" what it is told,\n")

		controls, err := client.ControlNet.Load(t.Context())
		require.NoError(t, err)
		depth, _ := controls.Get("control_depth")
		assert.Equal(t, modelref.ControlNetDepth, depth.ControlNetStyle)
	})
}

func TestSetLegacyFiles(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory(), modelreftest.WithLegacyFile("clip.json", "raw"))
	url := s.GitHubURL() + imageFiles
	_, body := get(t, s, url+"clip.json")
	assert.Equal(t, "raw", body)
	s.SetDocument(modelref.CategoryCLIP, `{"new":{"name":"new"}}`)
	_, body = get(t, s, url+"clip.json")
	assert.Equal(t, "raw", body, "SetDocument does not change the legacy file")

	s.SetLegacyFile("blip.json", "{}")
	_, body = get(t, s, url+"blip.json")
	assert.Equal(t, "{}", body)

	_, before := get(t, s, url+"esrgan.json")
	s.SetDocument(modelref.CategoryESRGAN, "<html>")
	_, body = get(t, s, url+"esrgan.json")
	assert.Equal(t, before, body, "the legacy file cannot be derived from this document")
}

func TestGitHubHasNoNamesOfBackends(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory(), modelreftest.WithDocument(modelref.CategoryTextGeneration,
		`{"Org/A-7B": {"name": "Org/A-7B", "parameters": 7000000000}, "koboldcpp/A-7B": {"name": "koboldcpp/A-7B", "parameters": 7000000000}}`))
	texts, err := s.Client(t, modelref.WithoutPrimary()).TextGeneration.Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"Org/A-7B"}, texts.Names())
}
