// This file tests the Client of a Server: its configuration, and that a test fails if it modifies shared records.

package modelreftest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// quick returns a retry policy with one attempt.
func quick() modelref.Option {
	return modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1, BaseDelay: time.Nanosecond})
}

// recorder is a testing.TB that records errors.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) end() []string {
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		f := r.cleanups[last]
		r.cleanups = r.cleanups[:last]
		f()
	}
	return r.errors
}

func TestClientReadsEveryCategory(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, options...)
		client := s.Client(t)
		for _, category := range modelref.Categories() {
			reader, err := client.Category(string(category))
			require.NoError(t, err)
			ref, err := reader.Load(t.Context())
			require.NoError(t, err)
			assert.Empty(t, ref.Rejected(), category)
			assert.Equal(t, modelref.SourcePrimary, ref.Source(), category)
			assert.Equal(t, category.HasGitHubSource(), ref.Len() > 0, category)
		}
	})
}

func TestBuiltInDocuments(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	client := s.Client(t)
	images, err := client.ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	var safeXL, nsfw, inpainting, upper, unknown int
	for _, r := range images.All() {
		if r.Baseline == modelref.BaselineStableDiffusionXL && !r.NSFW {
			safeXL++
		}
		if r.NSFW {
			nsfw++
		}
		if r.Inpainting {
			inpainting++
		}
		for _, d := range r.Config.Download {
			if !d.HasChecksum() {
				unknown++
			} else if d.SHA256Sum != strings.ToLower(d.SHA256Sum) {
				upper++
			}
		}
	}
	assert.GreaterOrEqual(t, safeXL, 10)
	assert.Positive(t, nsfw)
	assert.Positive(t, inpainting)
	assert.Positive(t, upper)
	assert.Positive(t, unknown)
	texts, err := client.TextGeneration.Load(t.Context())
	require.NoError(t, err)
	_, ok := texts.Get("Example/Marx-3B")
	assert.True(t, ok)
	for name, record := range texts.All() {
		assert.Equal(t, name, modelref.StripBackendPrefix(name), "the model reference has no names of backends")
		assert.Equal(t, modelref.TextModelGroup(name), record.TextModelGroup, name)
	}
	_, err = client.CLIP.Get(t.Context(), "ViT-L/14")
	require.NoError(t, err)
}

func TestModifyingASharedRecordFailsTheTest(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*modelref.ImageGenerationRecord){
		"a field":           func(r *modelref.ImageGenerationRecord) { r.NSFW = !r.NSFW },
		"inside a slice":    func(r *modelref.ImageGenerationRecord) { r.Tags[0] = "changed" },
		"inside a map":      func(r *modelref.ImageGenerationRecord) { r.Requirements["clip_skip"] = int64(9) },
		"a nested download": func(r *modelref.ImageGenerationRecord) { r.Config.Download[0].FileURL = "x" },
	}
	for name, write := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := modelreftest.NewServer(t, modelreftest.InMemory())
			fake := &recorder{TB: t}
			client := s.Client(fake)
			record, err := client.ImageGeneration.Get(t.Context(), "Paper Crane XL")
			require.NoError(t, err)
			write(record)
			found := fake.end()
			require.Len(t, found, 1)
			require.Contains(t, found[0], "Paper Crane XL")
			_, err = client.ImageGeneration.Load(t.Context())
			require.Error(t, err, "the Client is closed by the cleanup")
		})
	}
}

func TestModifyingAReplacedRecordFailsTheTest(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	fake := &recorder{TB: t}
	client := s.Client(fake)
	record, err := client.CLIP.Get(t.Context(), "ViT-L/14")
	require.NoError(t, err)
	record.Description = "changed"
	s.SetDocument(modelref.CategoryCLIP, `{"new":{"name":"new"}}`)
	for range 2 {
		ref, err := client.CLIP.Load(t.Context(), modelref.WithRefresh())
		require.NoError(t, err)
		require.Equal(t, []string{"new"}, ref.Names())
	}
	found := fake.end()
	require.Len(t, found, 1, "the error is reported once")
	require.Contains(t, found[0], "ViT-L/14")
}

func TestModifyingACloneIsAllowed(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	fake := &recorder{TB: t}
	client := s.Client(fake)
	record, err := client.ImageGeneration.Get(t.Context(), "Paper Crane XL")
	require.NoError(t, err)
	clone := record.Clone()
	clone.NSFW, clone.Tags[0], clone.Requirements["clip_skip"] = true, "changed", int64(9)
	require.Empty(t, fake.end())
}
