// The exports of licences, guidance and baselines.

package mirror_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

const guidanceTwo = `{"metadata": {"schema_version": 1, "revision": 2, "updated_at": null},
	"profiles": {"chatml": {"profile_id": "chatml", "kind": "prompt_contract", "display_name": "ChatML"}},
	"assignments": {"Org/A": {"model_name": "Org/A", "primary_profile_id": "chatml", "supplemental_profile_ids": []}}}`

func TestExportsAreServedLikeCategories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := modelreftest.NewServer(t, modelreftest.WithGuidance(guidanceTwo))
	h := mirror.Handler(s.Client(t, modelref.WithCacheDir(dir)))
	for path, etag := range map[string]string{
		"licensing/export": "", "text_generation/guidance/export": `W/"text-guidance-2"`,
		"image_generation/baselines/export": `W/"image-baselines-1"`,
	} {
		full := "/api/model_references/v2/" + path
		s.ResetRequests()
		w := get(t, h, full)
		require.Equal(t, http.StatusOK, w.Code)
		for range 3 {
			assert.Equal(t, w.Body.String(), get(t, h, full).Body.String())
		}
		assert.Len(t, s.Requests(), 1, path)
		assert.Equal(t, "primary", w.Header().Get("X-Modelref-Origin"))
		if etag != "" {
			assert.Equal(t, etag, w.Header().Get("Etag"))
		}
		assert.Equal(t, http.StatusNotModified, get(t, h, full, "If-None-Match", w.Header().Get("Etag")).Code, path)

		s.Break(modelreftest.Primary, modelreftest.Refused())
		restarted := mirror.Handler(s.Client(t, modelref.WithCacheDir(dir), modelref.WithTTL(time.Millisecond)))
		time.Sleep(2 * time.Millisecond)
		stale := get(t, restarted, full)
		assert.Equal(t, w.Body.String(), stale.Body.String(), "also in an outage, after a restart")
		assert.Equal(t, "true", stale.Header().Get("X-Modelref-Stale"))
		assert.Equal(t, "disk", stale.Header().Get("X-Modelref-Origin"))
		assert.Equal(t, http.StatusServiceUnavailable, get(t, mirror.Handler(s.Client(t)), full).Code)
		s.Heal(modelreftest.Primary)
	}
	older := mirror.Handler(modelreftest.NewServer(t, modelreftest.AsOlderDeployment()).Client(t))
	w := get(t, older, "/api/model_references/v2/licensing/export")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.JSONEq(t, `{"detail": "Not Found"}`, w.Body.String())
}

// A client behind a mirror notices an edit of the guidance, although the mirror has the revision before it has the document.
func TestAGuidanceEditThroughAMirror(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := modelreftest.NewServer(t, modelreftest.InMemory(),
			modelreftest.WithDocument(modelref.CategoryTextGeneration, `{"Org/A": {"name": "Org/A", "parameters": 1}}`),
			modelreftest.WithGuidance(strings.Replace(guidanceTwo, "Org/A", "Org/B", 2)))
		client := behind(t, mirror.Handler(s.Client(t)))
		status := func() modelref.GuidanceStatus {
			record, err := client.TextGeneration.Get(t.Context(), "Org/A")
			require.NoError(t, err)
			return record.Guidance.Status
		}
		for range 600 {
			require.Equal(t, modelref.GuidanceUndocumented, status())
			time.Sleep(time.Second)
		}
		s.SetGuidance(strings.Replace(guidanceTwo, `"revision": 2`, `"revision": 3`, 1))
		for range 240 {
			status()
			time.Sleep(time.Second)
		}
		assert.Equal(t, modelref.GuidancePublished, status())
	})
}
