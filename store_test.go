// A store of the caller's own, and several Clients on it, in simulated time.

package modelref_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// shared is a Store in memory that can be broken.
type shared struct {
	mu        sync.Mutex
	documents map[modelref.Category]modelref.StoredDocument
	locked    map[modelref.Category]bool
	broken    error
}

func newShared() *shared {
	return &shared{documents: map[modelref.Category]modelref.StoredDocument{}, locked: map[modelref.Category]bool{}}
}

func (s *shared) String() string { return "shared memory" }

func (s *shared) breakWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

func (s *shared) Read(_ context.Context, category modelref.Category, maxBytes int64) (modelref.StoredDocument, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got, ok := s.documents[category]
	switch {
	case s.broken != nil:
		return modelref.StoredDocument{}, s.broken
	case !ok:
		return modelref.StoredDocument{}, fs.ErrNotExist
	case int64(len(got.Document)) > maxBytes:
		return modelref.StoredDocument{}, errors.New("too large")
	}
	return got, nil
}

func (s *shared) ReadNote(ctx context.Context, category modelref.Category) (string, error) {
	got, err := s.Read(ctx, category, 1<<30)
	return got.Note, err
}

func (s *shared) Write(_ context.Context, category modelref.Category, document, note string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.documents[category] = modelref.StoredDocument{Document: document, Note: note}
	}
	return s.broken
}

func (s *shared) WriteNote(ctx context.Context, category modelref.Category, note string) error {
	got, err := s.Read(ctx, category, 1<<30)
	if err != nil {
		return err
	}
	return s.Write(ctx, category, got.Document, note)
}

func (s *shared) TryLock(_ context.Context, category modelref.Category, _ time.Duration) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil || s.locked[category] {
		return nil, s.broken
	}
	s.locked[category] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.locked[category] = false
	}, nil
}

func TestStoresDoWhatIsExpectedOfThem(t *testing.T) {
	t.Parallel()
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		modelreftest.TestStore(t, func(*testing.T) (modelref.Store, modelref.Store) {
			s := newShared()
			return s, s
		})
	})
	t.Run("in a directory", func(t *testing.T) {
		t.Parallel()
		modelreftest.TestStore(t, func(t *testing.T) (modelref.Store, modelref.Store) {
			dir := t.TempDir()
			mine, err := modelref.DirectoryStore(dir)
			require.NoError(t, err)
			theirs, err := modelref.DirectoryStore(dir)
			require.NoError(t, err)
			return mine, theirs
		})
	})
}

func TestADirectoryStoreTakesNoOtherCategory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := modelref.DirectoryStore(dir)
	require.NoError(t, err)
	const outside = modelref.Category("../outside")
	_, err = s.Read(t.Context(), outside, 1)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	_, err = s.ReadNote(t.Context(), outside)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	require.ErrorIs(t, s.Write(t.Context(), outside, "{}", ""), modelref.ErrUnknownCategory)
	require.ErrorIs(t, s.WriteNote(t.Context(), outside, ""), modelref.ErrUnknownCategory)
	_, err = s.TryLock(t.Context(), outside, time.Second)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
	_, err = modelref.DirectoryStore("\x00")
	require.Error(t, err)
}

func TestAFleetOnOneStoreAsksOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		var fleet []*modelref.Client
		for range 20 {
			fleet = append(fleet, server.Client(t, modelref.WithStore(store)))
		}
		server.Break(modelreftest.Primary, modelreftest.Delay(300*time.Millisecond))
		readAll := func() (origins map[modelref.Origin]int) {
			origins = map[modelref.Origin]int{}
			var mu sync.Mutex
			var all sync.WaitGroup
			for _, client := range fleet {
				all.Go(func() {
					ref := load(t, client)
					mu.Lock()
					defer mu.Unlock()
					assert.False(t, ref.Stale())
					origins[ref.Origin()]++
				})
			}
			all.Wait()
			return origins
		}
		assert.Equal(t, map[modelref.Origin]int{modelref.OriginPrimary: 1, modelref.OriginStore: 19}, readAll())
		assert.Equal(t, "document", tiers(server), "one downloads, the others read what it wrote")
		time.Sleep(minute)
		readAll()
		assert.Equal(t, "stamp", tiers(server), "and what one confirms is confirmed for all")

		status := fleet[0].Status()
		clip := status.Category(modelref.CategoryImageGeneration)
		assert.Less(t, clip.Age(), 10*time.Second, "the store tells the age")
	})
}

func TestAStoreThatIsGoneLeavesEachOnItsOwn(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		var log bytes.Buffer
		mine, theirs := server.Client(t, modelref.WithStore(store), logTo(&log)), server.Client(t, modelref.WithStore(store))
		store.breakWith(errors.New("connection refused"))
		for range 3 {
			assert.Equal(t, modelref.OriginPrimary, load(t, mine).Origin())
			assert.Equal(t, modelref.OriginPrimary, load(t, theirs).Origin())
			time.Sleep(minute)
		}
		assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "said once: %s", log.String())
		assert.Contains(t, log.String(), `store="shared memory" category=image_generation error="connection refused"`)
		store.breakWith(nil)
		load(t, mine)
		assert.Contains(t, log.String(), "store works again")
		tiers(server)
		assert.Equal(t, modelref.OriginStore, load(t, server.Client(t, modelref.WithStore(store))).Origin())
		assert.Empty(t, tiers(server))
	})
}

func TestADocumentThatGoesAwayIsWrittenAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		client := server.Client(t, modelref.WithCacheDir(dir))
		load(t, client)
		require.NoError(t, os.Remove(filepath.Join(dir, "stable_diffusion.json")))
		time.Sleep(minute)
		load(t, client)
		assert.Equal(t, "document stamp", tiers(server))
		assert.Equal(t, twoModels, readFile(t, dir, "stable_diffusion.json"), "though its note was still there")
	})
}

func TestALockThatOutlivesItsHolderHoldsNobodyUp(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		mine, theirs := server.Client(t, modelref.WithStore(store)), server.Client(t, modelref.WithStore(store))
		load(t, mine)
		load(t, theirs)
		time.Sleep(minute)
		release, err := store.TryLock(t.Context(), modelref.CategoryImageGeneration, time.Minute)
		require.NoError(t, err)
		go func() { // somebody who confirms the copy and then dies with the lock
			time.Sleep(time.Second)
			kept, err := store.Read(t.Context(), modelref.CategoryImageGeneration, 1<<20)
			assert.NoError(t, err)
			var note map[string]any
			assert.NoError(t, json.Unmarshal([]byte(kept.Note), &note))
			note["confirmed_at"] = time.Now()
			changed, err := json.Marshal(note)
			assert.NoError(t, err)
			assert.NoError(t, store.WriteNote(t.Context(), modelref.CategoryImageGeneration, string(changed)))
		}()
		tiers(server)
		start := time.Now()
		assert.False(t, load(t, theirs).Stale())
		assert.Less(t, time.Since(start), 2*time.Second)
		assert.Empty(t, tiers(server))
		release()
	})
}

// withoutLocks is a store as a directory is on Windows.
type withoutLocks struct{ *shared }

func (withoutLocks) TryLock(context.Context, modelref.Category, time.Duration) (func(), error) {
	return nil, fmt.Errorf("lock: %w", errors.ErrUnsupported)
}

func TestAStoreWithoutLocksIsNotBroken(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := withoutLocks{newShared()}
		var log bytes.Buffer
		failed := 0
		client := server.Client(t, modelref.WithStore(store), logTo(&log), modelref.WithObserver(func(e modelref.Event) {
			if e.Kind == modelref.EventStoreFailed {
				failed++
			}
		}))
		for range 3 {
			load(t, client)
			time.Sleep(minute)
		}
		assert.Empty(t, log.String())
		assert.Zero(t, failed)
		store.breakWith(errors.New("no space left on device"))
		load(t, client)
		assert.Contains(t, log.String(), `error="no space left on device"`)
	})
}

func TestClientsWithAYoungCopyWaitForTheOneThatDownloads(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		clients := make([]*modelref.Client, 8)
		for i := range clients {
			clients[i] = server.Client(t, modelref.WithCacheDir(dir))
			load(t, clients[i])
		}
		time.Sleep(10 * time.Second)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.Break(modelreftest.Documents, modelreftest.Delay(3*time.Second))
		time.Sleep(49 * time.Second) // memory has expired by now where the TTL came out short, the note has not
		tiers(server)
		var all sync.WaitGroup
		for _, client := range clients {
			all.Go(func() { load(t, client) })
		}
		all.Wait()
		assert.Equal(t, "stamp document", tiers(server))
	})
}

func TestAClientThatOnlyReadsSaysThatItsStoreWorksAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		load(t, server.Client(t, modelref.WithStore(store)))
		var log bytes.Buffer
		store.breakWith(errors.New("connection refused"))
		client := server.Client(t, modelref.WithStore(store), modelref.WithoutPrimary(), modelref.WithoutGitHub(), logTo(&log))
		_, err := client.ImageGeneration.Load(t.Context())
		require.ErrorContains(t, err, "connection refused")
		store.breakWith(nil)
		load(t, client)
		assert.Contains(t, log.String(), "store works again")
	})
}

func TestABrokenCopyIsNoBrokenStore(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		writer := server.Client(t, modelref.WithCacheDir(dir))
		load(t, writer)
		_, err := writer.CLIP.Load(t.Context())
		require.NoError(t, err)
		image := filepath.Join(dir, "stable_diffusion.json")
		require.NoError(t, os.WriteFile(image, []byte(twoModels[:len(twoModels)/2]), 0o600))

		var log bytes.Buffer
		offline := server.Client(t, modelref.WithCacheDir(dir), modelref.WithOffline(), logTo(&log))
		broken := func() int { return strings.Count(log.String(), "copy in the store is broken") }
		for range 2 {
			_, err = offline.ImageGeneration.Load(t.Context())
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			_, err = offline.CLIP.Load(t.Context(), modelref.Refresh())
			require.NoError(t, err)
		}
		assert.Equal(t, 1, broken(), "said once: %s", log.String())
		assert.NotContains(t, log.String(), "cannot be used")
		assert.NotContains(t, log.String(), "works again")
		assert.Contains(t, log.String(), `msg="stale copy served" category=clip source=disk confirmed=`)

		require.NoError(t, os.WriteFile(image, []byte(twoModels), 0o600))
		load(t, offline)
		require.NoError(t, os.WriteFile(image, nil, 0o600))
		time.Sleep(minute)
		load(t, offline)
		assert.Equal(t, 2, broken(), "once more when it has been whole in between")
	})
}

func TestClocksThatAreALittleApartShareAStore(t *testing.T) {
	for ahead, requests := range map[time.Duration]string{2 * time.Second: "", time.Minute: "document"} {
		t.Run(ahead.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				store := newShared()
				load(t, server.Client(t, modelref.WithStore(store)))
				tiers(server)
				kept := store.documents[modelref.CategoryImageGeneration]
				var note map[string]any
				require.NoError(t, json.Unmarshal([]byte(kept.Note), &note))
				note["confirmed_at"] = time.Now().Add(ahead)
				changed, err := json.Marshal(note)
				require.NoError(t, err)
				require.NoError(t, store.WriteNote(t.Context(), modelref.CategoryImageGeneration, string(changed)))
				load(t, server.Client(t, modelref.WithStore(store)))
				assert.Equal(t, requests, tiers(server))
			})
		})
	}
}

func TestTheLastOfStoreAndCacheDirectoryCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir, store := t.TempDir(), newShared()
		load(t, server.Client(t, modelref.WithCacheDir(dir), modelref.WithStore(store)))
		synctest.Wait()
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left)
		assert.Len(t, store.documents, 1)
	})
}
