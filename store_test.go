// This file tests stores of the caller, and several Clients with one store, in simulated time.

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

// shared is a Store in memory that can be made to fail.
type shared struct {
	mu        sync.Mutex
	documents map[modelref.Category]modelref.StoreEntry
	locked    map[modelref.Category]bool
	broken    error
}

func newShared() *shared {
	return &shared{documents: map[modelref.Category]modelref.StoreEntry{}, locked: map[modelref.Category]bool{}}
}

func (s *shared) String() string { return "shared memory" }

func (s *shared) breakWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

func (s *shared) Read(_ context.Context, category modelref.Category, maxBytes int64) (modelref.StoreEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got, ok := s.documents[category]
	switch {
	case s.broken != nil:
		return modelref.StoreEntry{}, s.broken
	case !ok:
		return modelref.StoreEntry{}, fs.ErrNotExist
	case int64(len(got.Document)) > maxBytes:
		return modelref.StoreEntry{}, errors.New("too large")
	}
	return got, nil
}

func (s *shared) ReadProvenance(ctx context.Context, category modelref.Category) (string, error) {
	got, err := s.Read(ctx, category, 1<<30)
	return got.Provenance, err
}

func (s *shared) Write(_ context.Context, category modelref.Category, document, note string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.documents[category] = modelref.StoreEntry{Document: document, Provenance: note}
	}
	return s.broken
}

func (s *shared) WriteProvenance(ctx context.Context, category modelref.Category, note string) error {
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

func TestStoresPassTheContractTest(t *testing.T) {
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

func TestADirectoryStoreAcceptsOnlyCategories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := modelref.DirectoryStore(dir)
	require.NoError(t, err)
	const outside = modelref.Category("../outside")
	_, err = s.Read(t.Context(), outside, 1)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	_, err = s.ReadProvenance(t.Context(), outside)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	require.ErrorIs(t, s.Write(t.Context(), outside, "{}", ""), modelref.ErrUnknownCategory)
	require.ErrorIs(t, s.WriteProvenance(t.Context(), outside, ""), modelref.ErrUnknownCategory)
	_, err = s.TryLock(t.Context(), outside, time.Second)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
	_, err = modelref.DirectoryStore("\x00")
	require.Error(t, err)
}

func TestAReadOnlyCacheDirectoryIsRead(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can write to every directory")
	}
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		require.NoError(t, os.Chmod(dir, 0o500))
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
		requested(server)
		for _, offline := range []bool{false, true} {
			var log bytes.Buffer
			options := []modelref.Option{modelref.WithCacheDir(dir), logTo(&log)}
			if offline {
				options = append(options, modelref.WithOffline())
			}
			client := server.Client(t, options...)
			assert.Equal(t, !offline, strings.Contains(log.String(), "cache directory cannot be written to"), log.String())
			assert.Equal(t, modelref.SourceDisk, load(t, client).Source())
			assert.Empty(t, requested(server))
			_, err := modelref.New(modelref.WithCacheDir(filepath.Join(dir, "new")))
			require.ErrorIs(t, err, os.ErrPermission, "a directory that cannot be created")
		}
	})
}

func TestARelativeCacheDirectoryDoesNotFollowTheWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	client, err := modelref.New(modelref.WithOffline(), modelref.WithCacheDir("cache"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, os.WriteFile(filepath.Join("cache", "stable_diffusion.json"), []byte(twoModels), 0o600))
	t.Chdir(t.TempDir())
	assert.Equal(t, modelref.SourceDisk, load(t, client).Source())
}

func TestAFleetWithOneStoreSendsOneRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		var fleet []*modelref.Client
		for range 20 {
			fleet = append(fleet, server.Client(t, modelref.WithStore(store)))
		}
		server.Break(modelreftest.Primary, modelreftest.Delay(300*time.Millisecond))
		readAll := func() (origins map[modelref.Source]int) {
			origins = map[modelref.Source]int{}
			var mu sync.Mutex
			var all sync.WaitGroup
			for _, client := range fleet {
				all.Go(func() {
					ref := load(t, client)
					mu.Lock()
					defer mu.Unlock()
					assert.False(t, ref.Stale())
					origins[ref.Source()]++
				})
			}
			all.Wait()
			return origins
		}
		assert.Equal(t, map[modelref.Source]int{modelref.SourcePrimary: 1, modelref.SourceStore: 19}, readAll())
		assert.Equal(t, "documents", requested(server), "one client downloads, the others read its copy")
		time.Sleep(minute)
		readAll()
		assert.Equal(t, "last_updated", requested(server), "a confirmation applies to all clients")

		status := fleet[0].Status()
		clip := status.Category(modelref.CategoryImageGeneration)
		assert.Less(t, clip.Age(), 10*time.Second, "the store has the age")
	})
}

func TestIfTheStoreIsDownClientsWorkIndependently(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		var log bytes.Buffer
		mine, theirs := server.Client(t, modelref.WithStore(store), logTo(&log)), server.Client(t, modelref.WithStore(store))
		store.breakWith(errors.New("connection refused"))
		for range 3 {
			assert.Equal(t, modelref.SourcePrimary, load(t, mine).Source())
			assert.Equal(t, modelref.SourcePrimary, load(t, theirs).Source())
			time.Sleep(minute)
		}
		assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "logged once: %s", log.String())
		assert.Contains(t, log.String(), `store="shared memory" category=image_generation error="connection refused"`)
		store.breakWith(nil)
		load(t, mine)
		assert.Contains(t, log.String(), "store works again")
		requested(server)
		assert.Equal(t, modelref.SourceStore, load(t, server.Client(t, modelref.WithStore(store))).Source())
		assert.Empty(t, requested(server))
	})
}

func TestADocumentThatWasDeletedIsWrittenAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		client := server.Client(t, modelref.WithCacheDir(dir))
		load(t, client)
		require.NoError(t, os.Remove(filepath.Join(dir, "stable_diffusion.json")))
		time.Sleep(minute)
		load(t, client)
		assert.Equal(t, "documents last_updated", requested(server))
		assert.Equal(t, twoModels, readFile(t, dir, "stable_diffusion.json"), "although its provenance still existed")
	})
}

func TestALockOfACrashedHolderDelaysNoRead(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		mine := server.Client(t, modelref.WithStore(store))
		theirs := server.Client(t, modelref.WithStore(store), modelref.WithRefreshWait(minute))
		load(t, mine)
		load(t, theirs)
		time.Sleep(minute)
		release, err := store.TryLock(t.Context(), modelref.CategoryImageGeneration, time.Minute)
		require.NoError(t, err)
		go func() { // a process confirms the copy and crashes while it holds the lock
			time.Sleep(time.Second)
			kept, err := store.Read(t.Context(), modelref.CategoryImageGeneration, 1<<20)
			assert.NoError(t, err)
			var note map[string]any
			assert.NoError(t, json.Unmarshal([]byte(kept.Provenance), &note))
			note["confirmed_at"] = time.Now()
			changed, err := json.Marshal(note)
			assert.NoError(t, err)
			assert.NoError(t, store.WriteProvenance(t.Context(), modelref.CategoryImageGeneration, string(changed)))
		}()
		requested(server)
		start := time.Now()
		assert.False(t, load(t, theirs).Stale())
		assert.Less(t, time.Since(start), 2*time.Second)
		assert.Empty(t, requested(server))
		release()
	})
}

// withoutLocks is a store without locks, such as a directory on Windows.
type withoutLocks struct{ *shared }

func (withoutLocks) TryLock(context.Context, modelref.Category, time.Duration) (func(), error) {
	return nil, fmt.Errorf("lock: %w", errors.ErrUnsupported)
}

func TestAStoreWithoutLocksIsNotAFailure(t *testing.T) {
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

func TestClientsWithARecentCopyWaitForTheDownload(t *testing.T) {
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
		time.Sleep(49 * time.Second) // with the shortest TTL, the copy in memory has expired but its provenance has not
		requested(server)
		var all sync.WaitGroup
		for _, client := range clients {
			all.Go(func() { load(t, client) })
		}
		all.Wait()
		assert.Equal(t, "last_updated documents", requested(server))
	})
}

func TestAClientThatOnlyReadsLogsThatItsStoreWorksAgain(t *testing.T) {
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

func TestACorruptedCopyIsNotAStoreFailure(t *testing.T) {
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
		broken := func() int { return strings.Count(log.String(), "copy in the store is corrupted") }
		for range 2 {
			_, err = offline.ImageGeneration.Load(t.Context())
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			_, err = offline.CLIP.Load(t.Context(), modelref.WithRefresh())
			require.NoError(t, err)
		}
		assert.Equal(t, 1, broken(), "logged once: %s", log.String())
		assert.NotContains(t, log.String(), "cannot be used")
		assert.NotContains(t, log.String(), "works again")
		assert.Contains(t, log.String(), `msg="serving a stale copy" category=clip source=disk confirmed=`)

		require.NoError(t, os.WriteFile(image, []byte(twoModels), 0o600))
		load(t, offline)
		require.NoError(t, os.WriteFile(image, nil, 0o600))
		time.Sleep(minute)
		load(t, offline)
		assert.Equal(t, 2, broken(), "logged again after a valid copy")
	})
}

func TestClientsWithDifferentClocksShareAStore(t *testing.T) {
	for ahead, requests := range map[time.Duration]string{2 * time.Second: "", time.Minute: "last_updated"} {
		t.Run(ahead.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				store := newShared()
				load(t, server.Client(t, modelref.WithStore(store)))
				requested(server)
				kept := store.documents[modelref.CategoryImageGeneration]
				var note map[string]any
				require.NoError(t, json.Unmarshal([]byte(kept.Provenance), &note))
				note["confirmed_at"] = time.Now().Add(ahead)
				changed, err := json.Marshal(note)
				require.NoError(t, err)
				require.NoError(t, store.WriteProvenance(t.Context(), modelref.CategoryImageGeneration, string(changed)))
				load(t, server.Client(t, modelref.WithStore(store)))
				assert.Equal(t, requests, requested(server))
			})
		})
	}
}

func TestTheLastOfWithStoreAndWithCacheDirIsUsed(t *testing.T) {
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
