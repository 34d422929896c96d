// A test of the requirements of a Store.

package modelreftest

import (
	"context"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// TestStore checks that a Store meets the requirements of [modelref.Store]. open is called once in each part of the test. It
// returns two Stores with the same data, as two processes have them. The data is empty when a part begins.
func TestStore(t *testing.T, open func(t *testing.T) (mine, theirs modelref.Store)) {
	t.Helper()
	parts := []struct {
		name string
		run  func(t *testing.T, mine, theirs modelref.Store)
	}{
		{"Empty", storeIsEmpty},
		{"Written", storeKeepsWhatIsWritten},
		{"Note", storeKeepsANoteAlone},
		{"TooLarge", storeRefusesWhatIsTooLarge},
		{"Whole", storeGivesWholeDocuments},
		{"Lock", storeLocksOneOut},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			mine, theirs := open(t)
			part.run(t, mine, theirs)
		})
	}
}

const (
	storeCategory = modelref.CategoryCLIP
	otherCategory = modelref.CategoryBLIP
	storeLimit    = 1 << 20
)

func storeIsEmpty(t *testing.T, mine, _ modelref.Store) {
	_, err := mine.Read(t.Context(), storeCategory, storeLimit)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = mine.ReadProvenance(t.Context(), storeCategory)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, mine.WriteProvenance(t.Context(), storeCategory, "note"), fs.ErrNotExist, "a note alone is worth nothing")
	_, err = mine.ReadProvenance(t.Context(), storeCategory)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func storeKeepsWhatIsWritten(t *testing.T, mine, theirs modelref.Store) {
	for _, document := range []string{"{}", "{\"a\\u0000\": \"é\x00\xff\"}\r\n", strings.Repeat("x", storeLimit)} {
		require.NoError(t, mine.Write(t.Context(), storeCategory, document, "note of "+document[:2]))
		got, err := theirs.Read(t.Context(), storeCategory, storeLimit)
		require.NoError(t, err)
		assert.True(t, document == got.Document, "byte for byte")
		assert.Equal(t, "note of "+document[:2], got.Provenance)
		if !got.ModTime.IsZero() {
			assert.WithinDuration(t, time.Now(), got.ModTime, time.Minute)
		}
	}
	_, err := theirs.Read(t.Context(), otherCategory, storeLimit)
	require.ErrorIs(t, err, fs.ErrNotExist, "each category has its own")
	for _, catalog := range []modelref.Catalog{
		modelref.CatalogLicensing, modelref.CatalogGuidance, modelref.CatalogBaselines,
	} {
		require.NoError(t, mine.Write(t.Context(), modelref.Category(catalog), string(catalog), "note"))
	}
	got, err := theirs.Read(t.Context(), modelref.Category(modelref.CatalogGuidance), storeLimit)
	require.NoError(t, err, "the catalogs are kept like categories")
	assert.Equal(t, string(modelref.CatalogGuidance), got.Document)
}

func storeKeepsANoteAlone(t *testing.T, mine, theirs modelref.Store) {
	require.NoError(t, mine.Write(t.Context(), storeCategory, "{}", "first"))
	require.NoError(t, theirs.WriteProvenance(t.Context(), storeCategory, "second"))
	note, err := mine.ReadProvenance(t.Context(), storeCategory)
	require.NoError(t, err)
	assert.Equal(t, "second", note)
	got, err := mine.Read(t.Context(), storeCategory, storeLimit)
	require.NoError(t, err)
	assert.Equal(t, "{}", got.Document, "the document stays")
	assert.Equal(t, "second", got.Provenance)
}

func storeRefusesWhatIsTooLarge(t *testing.T, mine, _ modelref.Store) {
	require.NoError(t, mine.Write(t.Context(), storeCategory, strings.Repeat("x", 101), "note"))
	_, err := mine.Read(t.Context(), storeCategory, 100)
	require.Error(t, err)
	require.NotErrorIs(t, err, fs.ErrNotExist)
}

func storeGivesWholeDocuments(t *testing.T, mine, theirs modelref.Store) {
	documents := []string{strings.Repeat("a", 100_000), strings.Repeat("b", 70_000)}
	require.NoError(t, mine.Write(t.Context(), storeCategory, documents[0], "a"))
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			d := documents[i%2]
			if !assert.NoError(t, mine.Write(t.Context(), storeCategory, d, d[:1])) {
				return
			}
		}
	})
	for range 50 {
		got, err := theirs.Read(t.Context(), storeCategory, storeLimit)
		if assert.NoError(t, err) {
			assert.True(t, got.Document == documents[0] || got.Document == documents[1], "one of them, whole")
		}
	}
	cancel()
	writer.Wait()
}

func storeLocksOneOut(t *testing.T, mine, theirs modelref.Store) {
	release, err := mine.TryLock(t.Context(), storeCategory, time.Minute)
	if err != nil {
		t.Skipf("the store has no locks: %v", err)
	}
	require.NotNil(t, release)
	refused, err := theirs.TryLock(t.Context(), storeCategory, time.Minute)
	require.NoError(t, err)
	assert.Nil(t, refused, "one at a time")
	other, err := theirs.TryLock(t.Context(), otherCategory, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, other, "for each category")
	other()
	release()
	release, err = theirs.TryLock(t.Context(), storeCategory, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, release, "one after the other")
	release()
}
