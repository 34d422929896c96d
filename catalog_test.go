// The cached catalogs: licences, guidance and image baselines.

package modelref_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// catalogCase is one catalog with its route, its file in a cache directory, and two states.
type catalogCase struct {
	catalog       modelref.Catalog
	path, file    string
	first, second string
	set           func(*modelreftest.Server, string)
}

func catalogCases() []catalogCase {
	licensing := func(revision int) string {
		return fmt.Sprintf(`{"metadata": {"schema_version": 1, "revision": %d, "updated_at": null}, "licenses": [{"license_id": "MIT"}],
			"assets": []}`, revision)
	}
	baselines := func(revision int) string {
		return fmt.Sprintf(`{"metadata": {"schema_version": 1, "revision": %d, "updated_at": 1785100000},
			"baselines": {"flux_9": {"name": "flux_9", "alternative_names": ["nine"], "native_resolution": %d}}}`, revision, 1024*revision)
	}
	return []catalogCase{
		{
			modelref.CatalogLicensing, "/model_references/v2/licensing/export", "licensing/export.json",
			licensing(1), licensing(2), (*modelreftest.Server).SetLicensing,
		},
		{
			modelref.CatalogGuidance, "/model_references/v2/text_generation/guidance/export", "text_guidance/catalog.json",
			guidanceOf(1), guidanceOf(2, "Org/A"), (*modelreftest.Server).SetGuidance,
		},
		{
			modelref.CatalogBaselines, "/model_references/v2/image_generation/baselines/export", "baselines/catalog.json",
			baselines(1), baselines(2), (*modelreftest.Server).SetBaselines,
		},
	}
}

// forEachCatalog runs a test in simulated time for each catalog, whose first state the server has.
func forEachCatalog(t *testing.T, test func(t *testing.T, server *modelreftest.Server, c catalogCase), options ...modelreftest.Option) {
	t.Helper()
	for _, c := range catalogCases() {
		t.Run(string(c.catalog), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := modelreftest.NewServer(t, append(options, modelreftest.InMemory(),
					modelreftest.WithDocument(modelref.CategoryImageGeneration, twoModels))...)
				c.set(server, c.first)
				test(t, server, c)
			})
		})
	}
}

// requested returns how many requests there were for the export since the last call, and fails if there were others.
func catalogRequests(t *testing.T, server *modelreftest.Server, c catalogCase) (n int) {
	t.Helper()
	for _, r := range server.Requests() {
		assert.Equal(t, c.path, r.Path)
		n++
	}
	server.ResetRequests()
	return n
}

func loadCatalog(t *testing.T, client *modelref.Client, c catalogCase, options ...modelref.LoadOption) *modelref.CatalogDocument {
	t.Helper()
	document, err := client.LoadCatalog(t.Context(), c.catalog, options...)
	require.NoError(t, err)
	assert.Equal(t, c.catalog, document.Catalog())
	return document
}

func TestACatalogIsServedFromMemoryForOneTTL(t *testing.T) {
	t.Parallel()
	forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
		client := server.Client(t)
		first := loadCatalog(t, client, c)
		assert.Equal(t, 1, first.Metadata().Revision)
		assert.Equal(t, modelref.SourcePrimary, first.Source())
		assert.False(t, first.Stale())
		require.NoError(t, first.FallbackReason())
		assert.Equal(t, time.Now(), first.FetchedAt())
		time.Sleep(50 * time.Second)
		assert.Same(t, first, loadCatalog(t, client, c))
		assert.Equal(t, 1, catalogRequests(t, server, c))

		time.Sleep(15 * time.Second)
		confirmed := loadCatalog(t, client, c)
		assert.Equal(t, 1, catalogRequests(t, server, c))
		assert.Equal(t, time.Now(), confirmed.ConfirmedAt())
		assert.Equal(t, first.FetchedAt(), confirmed.FetchedAt(), "the same document")

		c.set(server, c.second)
		time.Sleep(minute)
		assert.Equal(t, 2, loadCatalog(t, client, c).Metadata().Revision, "an edit is noticed within one TTL")
		c.set(server, c.first)
		assert.Equal(t, 1, loadCatalog(t, client, c, modelref.WithRefresh()).Metadata().Revision)
	})
}

// A proxy on the way can answer If-None-Match, which the service ignores.
func TestACatalogIsConfirmedByItsETag(t *testing.T) {
	t.Parallel()
	forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
		var notModified, whole int
		server.Handle(c.path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `W/"catalog-7"`)
			if r.Header.Get("If-None-Match") == `W/"catalog-7"` {
				notModified++
				w.WriteHeader(http.StatusNotModified)
				return
			}
			whole++
			_, _ = w.Write([]byte(c.first))
		}))
		client := server.Client(t)
		for range 5 {
			assert.Equal(t, 1, loadCatalog(t, client, c).Metadata().Revision)
			time.Sleep(minute)
		}
		assert.Equal(t, 1, whole)
		assert.Equal(t, 4, notModified)
	})
}

func TestACatalogSurvivesAnOutage(t *testing.T) {
	t.Parallel()
	forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
		client := server.Client(t)
		loadCatalog(t, client, c)
		for _, fault := range []modelreftest.Fault{
			modelreftest.Refused(), modelreftest.Status(http.StatusServiceUnavailable), modelreftest.Stall(), modelreftest.Truncated(),
		} {
			server.Break(modelreftest.Primary, fault)
			time.Sleep(10 * minute)
			document := loadCatalog(t, client, c)
			assert.True(t, document.Stale(), "%v", fault)
			require.Error(t, document.FallbackReason())
			assert.Equal(t, 1, document.Metadata().Revision)
			server.Heal(modelreftest.Primary)
			time.Sleep(10 * minute)
			assert.False(t, loadCatalog(t, client, c).Stale(), "%v", fault)
		}
	})
}

// A response that is not the catalog never replaces the copy at hand.
func TestACatalogThatIsNotOne(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", "null", "[]", "<html>", "{}", `{"metadata": {}}`, `{"licenses": {}, "assets": [], "profiles": [], "baselines": []}`,
		`{"licenses": [{}], "assets": [], "profiles": {"a": null}, "assignments": {}, "baselines": {"a": null}}`,
		`{"licenses": [], "assets": [{}], "profiles": {}, "assignments": {"a": null}, "baselines": {"a": 1}}`,
		`{"licenses": [], "profiles": {}, "baselines": {}} x`,
	} {
		forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
			server.Handle(c.path, bodyHandler(body))
			client := server.Client(t)
			_, err := client.LoadCatalog(t.Context(), c.catalog)
			var invalid *modelref.DecodeError
			require.ErrorAs(t, err, &invalid, body)
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			assert.Contains(t, err.Error(), string(c.catalog))
			server.Handle(c.path, nil)
			time.Sleep(minute)
			loadCatalog(t, client, c)
			server.Handle(c.path, bodyHandler(body))
			time.Sleep(minute)
			document := loadCatalog(t, client, c)
			assert.Equal(t, 1, document.Metadata().Revision, body)
			assert.True(t, document.Stale())
			assert.False(t, client.Status().Primary.BreakerOpen, "the service is there")
		})
	}
}

func TestACatalogIsKeptInACacheDirectory(t *testing.T) {
	t.Parallel()
	forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
		dir := t.TempDir()
		first := server.Client(t, modelref.WithCacheDir(dir))
		loadCatalog(t, first, c)
		require.NoError(t, first.Close())
		written, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(c.file)))
		require.NoError(t, err)
		document := loadCatalog(t, server.Client(t), c)
		assert.Equal(t, document.RawJSON(), string(written), "byte for byte")
		server.ResetRequests()

		second := server.Client(t, modelref.WithCacheDir(dir))
		document = loadCatalog(t, second, c)
		assert.Equal(t, modelref.SourceDisk, document.Source())
		assert.False(t, document.Stale())
		assert.Zero(t, catalogRequests(t, server, c), "the copy was confirmed within the TTL")
		require.NoError(t, second.Close())

		time.Sleep(24 * time.Hour)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		third := server.Client(t, modelref.WithCacheDir(dir))
		document = loadCatalog(t, third, c)
		assert.True(t, document.Stale())
		assert.Equal(t, 1, document.Metadata().Revision)

		offline := server.Client(t, modelref.WithCacheDir(dir), modelref.WithOffline())
		assert.Equal(t, 1, loadCatalog(t, offline, c).Metadata().Revision)
	})
}

// The Python library writes the files without provenance.
func TestACatalogOfThePythonLibrary(t *testing.T) {
	t.Parallel()
	for _, c := range catalogCases()[1:] {
		dir := t.TempDir()
		path := filepath.Join(dir, filepath.FromSlash(c.file))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(c.second), 0o600))
		client, err := modelref.New(modelref.WithCacheDir(dir), modelref.WithOffline())
		require.NoError(t, err)
		t.Cleanup(func() { _ = client.Close() })
		assert.Equal(t, 2, loadCatalog(t, client, c).Metadata().Revision)
	}
}

func TestACatalogFromTheBootstrap(t *testing.T) {
	t.Parallel()
	forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
		server.Break(modelreftest.Primary, modelreftest.Refused())
		client := server.Client(t, modelref.WithBootstrap(fstest.MapFS{
			c.file: {Data: []byte(c.second)}, "image_generation.json": {Data: []byte(twoModels)},
		}))
		document := loadCatalog(t, client, c)
		assert.Equal(t, modelref.SourceBootstrap, document.Source())
		assert.Equal(t, 2, document.Metadata().Revision)
	})
}

func TestManyCallersShareOneLoadOfACatalog(t *testing.T) {
	t.Parallel()
	forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
		client := server.Client(t)
		server.Script(modelreftest.Primary, modelreftest.Delay(time.Second))
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				document, err := client.LoadCatalog(t.Context(), c.catalog)
				if assert.NoError(t, err) {
					assert.Equal(t, 1, document.Metadata().Revision)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 1, catalogRequests(t, server, c))
	})
}

func TestAnOlderDeploymentHasNoCatalogs(t *testing.T) {
	t.Parallel()
	forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
		client := server.Client(t)
		for range 20 {
			_, err := client.LoadCatalog(t.Context(), c.catalog)
			require.ErrorIs(t, err, modelref.ErrUnsupported)
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			require.NotErrorIs(t, err, modelref.ErrNotFound, "the endpoint is missing, not an entry")
			var failed *modelref.FetchError
			require.ErrorAs(t, err, &failed)
			assert.Contains(t, err.Error(), "404")
			time.Sleep(time.Second)
		}
		assert.Equal(t, 1, catalogRequests(t, server, c), "the response is remembered")
		status := client.Status().Primary
		assert.False(t, status.BreakerOpen)
		require.NoError(t, status.LastError, "an older deployment is not a wrong one")
		time.Sleep(minute)
		_, err := client.LoadCatalog(t.Context(), c.catalog)
		require.ErrorIs(t, err, modelref.ErrUnsupported)
		assert.Equal(t, 1, catalogRequests(t, server, c), "the deployment may have been replaced")
		assert.Equal(t, 2, load(t, client).Len())
	}, modelreftest.AsOlderDeployment())
}

func TestLoadBaselines(t *testing.T) {
	t.Parallel()
	forEachCatalog(t, func(t *testing.T, server *modelreftest.Server, c catalogCase) {
		if c.catalog != modelref.CatalogBaselines {
			return
		}
		client := server.Client(t)
		catalog, err := client.LoadBaselines(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []modelref.Baseline{"flux_9"}, catalog.Names())
		assert.Equal(t, 1024, catalog.Resolve("Nine").NativeResolution.Or(0))
		again, err := client.LoadBaselines(t.Context())
		require.NoError(t, err)
		assert.Same(t, catalog, again)
		c.set(server, c.second)
		catalog, err = client.LoadBaselines(t.Context(), modelref.WithRefresh())
		require.NoError(t, err)
		assert.Equal(t, 2048, catalog.Get("flux_9").NativeResolution.Or(0))

		server.Break(modelreftest.Primary, modelreftest.Refused())
		catalog, err = server.Client(t).LoadBaselines(t.Context())
		require.NoError(t, err)
		assert.Equal(t, modelref.PackagedBaselines(), catalog)
		require.NoError(t, client.Close())
		_, err = client.LoadBaselines(t.Context())
		require.ErrorIs(t, err, modelref.ErrClosed)
	})
}

func TestLoadCatalogErrors(t *testing.T) {
	t.Parallel()
	client, err := modelref.New(modelref.WithoutPrimary())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	_, err = client.LoadCatalog(t.Context(), "nope")
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	_, err = client.LoadCatalog(t.Context(), modelref.CatalogGuidance)
	require.ErrorIs(t, err, modelref.ErrNotConfigured)
	_, err = client.LoadCatalog(t.Context(), modelref.CatalogGuidance, modelref.WithOverlay(nil))
	require.ErrorIs(t, err, modelref.ErrInvalidQuery)
	_, err = client.LoadCatalog(nil, modelref.CatalogGuidance) //nolint:staticcheck // the error is tested
	require.Error(t, err)
	_, err = new(modelref.Client).LoadCatalog(t.Context(), modelref.CatalogGuidance)
	require.ErrorIs(t, err, modelref.ErrClosed)
	_, err = (*modelref.Client)(nil).LoadBaselines(t.Context())
	require.ErrorIs(t, err, modelref.ErrClosed)
	for _, c := range catalogCases() {
		assert.False(t, modelref.Category(c.catalog).Known(), "a catalog is not a category")
		_, err = client.Category(string(c.catalog))
		require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	}
}

// The exports of the newest service, and the files that the Python library keeps of them.
func TestCatalogContract(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("MODELREF_CORPUS")
	if corpus == "" {
		t.Skip("MODELREF_CORPUS is not set: the recorded responses of the service are not part of the repository")
	}
	newest := filepath.Join(corpus, "newest")
	read := func(elements ...string) string {
		data, err := os.ReadFile(filepath.Join(append([]string{newest}, elements...)...))
		require.NoError(t, err)
		return string(data)
	}
	for name, licences := range map[string]int{"real": 16, "rich": 17} {
		var exchanges []struct {
			Path   string          `json:"path"`
			Status int             `json:"status"`
			Body   json.RawMessage `json:"body"`
		}
		require.NoError(t, json.Unmarshal([]byte(read("http", "new_"+name+".json")), &exchanges))
		exports := map[string]string{"/model_references/v2/licensing/export": read("http", "licensing_export_"+name+".json")}
		for _, e := range exchanges {
			if e.Status == http.StatusOK && exports[e.Path] == "" {
				exports[e.Path] = string(e.Body)
			}
		}
		for _, c := range catalogCases() {
			server := modelreftest.NewServer(t)
			require.NotEmpty(t, exports[c.path])
			server.Handle(c.path, bodyHandler(exports[c.path]))
			dir := t.TempDir()
			document := loadCatalog(t, server.Client(t, modelref.WithCacheDir(dir)), c)
			assert.Equal(t, exports[c.path], document.RawJSON())
			var in struct {
				Metadata  modelref.CatalogMetadata   `json:"metadata"`
				Licenses  []json.RawMessage          `json:"licenses"`
				Profiles  map[string]json.RawMessage `json:"profiles"`
				Baselines map[string]json.RawMessage `json:"baselines"`
			}
			require.NoError(t, json.Unmarshal([]byte(exports[c.path]), &in))
			assert.Equal(t, in.Metadata, document.Metadata())
			assert.Equal(t, len(in.Licenses)+len(in.Profiles)+len(in.Baselines), document.Len())
			if c.catalog == modelref.CatalogLicensing {
				assert.Equal(t, licences, document.Len())
			}
			stored, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(c.file)))
			require.NoError(t, err)
			assert.Equal(t, exports[c.path], string(stored))
		}
	}
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(newest, "data", "rich"))))
	client, err := modelref.New(modelref.WithCacheDir(dir), modelref.WithOffline())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	for _, c := range catalogCases()[1:] {
		assert.Greater(t, loadCatalog(t, client, c).Metadata().Revision, 1)
	}
}

func TestCatalogKnown(t *testing.T) {
	t.Parallel()
	for _, catalog := range []modelref.Catalog{modelref.CatalogLicensing, modelref.CatalogGuidance, modelref.CatalogBaselines} {
		assert.True(t, catalog.Known(), catalog)
	}
	for _, catalog := range []modelref.Catalog{"", "clip", "Licensing"} {
		assert.False(t, catalog.Known(), catalog)
	}
}
