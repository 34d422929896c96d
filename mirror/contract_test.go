// This file compares the responses of the mirror with the recorded responses of the real service to the same requests.

package mirror_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
)

// exchange is one recorded request and its response.
type exchange struct {
	Path    string            `json:"path"`
	Status  int               `json:"status"`
	Type    string            `json:"content_type"`
	Body    json.RawMessage   `json:"body"`
	Headers map[string]string `json:"headers"`
	Request map[string]string `json:"request_headers"`
}

// corpus returns the path of a file of the recorded corpus. If MODELREF_CORPUS is not set, the test is skipped.
func corpus(t testing.TB, path ...string) string {
	t.Helper()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		t.Skip("MODELREF_CORPUS must be the directory of the recorded responses")
	}
	return filepath.Join(append([]string{dir}, path...)...)
}

func recordings(t testing.TB, path ...string) []exchange {
	t.Helper()
	data, err := os.ReadFile(corpus(t, path...))
	require.NoError(t, err)
	var out []exchange
	require.NoError(t, json.Unmarshal(data, &out))
	return out
}

// sameTarget returns a path and its query in a canonical form, as a key for the recorded exchanges.
func sameTarget(t testing.TB, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	return u.EscapedPath() + "?" + u.Query().Encode()
}

// recordedPrimary is a PRIMARY that serves recorded documents and exchanges. It records which exchanges were requested.
type recordedPrimary struct {
	*httptest.Server
	asked map[string]bool
}

func newRecordedPrimary(t testing.TB, documents string, exchanges []exchange) *recordedPrimary {
	t.Helper()
	byTarget := map[string]exchange{}
	for _, e := range exchanges {
		byTarget[sameTarget(t, e.Path)] = e
	}
	p := &recordedPrimary{asked: map[string]bool{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.EscapedPath(), "/api")
		if name, ok := strings.CutPrefix(path, "/model_references/v2/"); ok && modelref.Category(name).Known() {
			http.ServeFile(w, r, filepath.Join(documents, name+".json"))
			return
		}
		e, ok := byTarget[path+"?"+r.URL.Query().Encode()]
		if !ok {
			if category, isTime := strings.CutSuffix(path, "/last_updated"); isTime {
				name := category[strings.LastIndexByte(category, '/')+1:]
				w.Header().Set("Content-Type", "application/json")
				_, _ = fmt.Fprintf(w, `{"category":%q,"last_updated":%d}`, name, recordedTime(byTarget, name))
				return
			}
			http.Error(w, `{"detail":"not recorded"}`, http.StatusTeapot)
			return
		}
		p.asked[e.Path] = true
		for name, value := range e.Headers {
			w.Header().Set(name, value)
		}
		w.Header().Set("Content-Type", e.Type)
		w.WriteHeader(e.Status)
		_, _ = w.Write(e.Body)
	}))
	t.Cleanup(p.Close)
	return p
}

// recordedTime returns the recorded last-updated time of a category.
func recordedTime(byTarget map[string]exchange, category string) int64 {
	var all map[string]struct {
		LastUpdated int64 `json:"last_updated"`
	}
	_ = json.Unmarshal(byTarget["/model_references/v2/metadata/metadata?"].Body, &all) // the file may be missing
	return max(all[category].LastUpdated, 1_700_000_000)
}

// watchOnce makes the client read the last-updated times of all categories.
func watchOnce(t testing.TB, client *modelref.Client) {
	t.Helper()
	for _, category := range modelref.Categories() {
		reader, err := client.Category(string(category))
		require.NoError(t, err)
		for _, err := range reader.Watch(t.Context(), modelref.WatchOptions{}) {
			require.NoError(t, err)
			break
		}
	}
}

// clientOf returns a client that reads from the PRIMARY at the URL only.
func clientOf(t testing.TB, base string, options ...modelref.Option) *modelref.Client {
	t.Helper()
	client, err := modelref.New(append([]modelref.Option{modelref.WithPrimaryURL(base), modelref.WithoutGitHub()}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// get sends a request to a handler.
func get(t testing.TB, h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// parse decodes JSON with numbers in one form.
func parse(t testing.TB, data []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	var v any
	require.NoError(t, decoder.Decode(&v), "%.300s", data)
	return v
}

// fromMemory reports whether the mirror responds without a request to the PRIMARY.
func fromMemory(path string) bool {
	path, query, _ := strings.Cut(path, "?")
	rest, v2 := strings.CutPrefix(path, "/model_references/v2/")
	segments := strings.Split(rest, "/")
	switch {
	case path == "/heartbeat", path == "/replicate_mode":
		return true
	case strings.HasPrefix(path, "/model_references/statistics/"):
		return strings.Count(path, "/") == 3
	case !v2 || segments[0] == "licensing":
		return false
	case segments[0] == "metadata":
		return segments[len(segments)-1] == "last_updated"
	case len(segments) == 1:
		return segments[0] != "info"
	}
	return (segments[1] == "search" || segments[1] == "model") && !strings.Contains(query, "sort_by=licensing")
}

// deliberate has the requests to which the mirror responds differently from the service, with the reason.
var deliberate = map[string]string{
	"/replicate_mode": "a mirror is a replica",
	"/model_references/v2/clip/model/ViT-L%2F14":                                 "the service cannot serve names with a slash",
	"/model_references/v2/text_generation/model/acrastt%2FMarx-3B-V3":            "the service cannot serve names with a slash",
	"/model_references/v2/image_generation/model/weird%2Fna%20me%3F%23%25%26%2B": "the service cannot serve names with a slash",
	"/model_references/v2/lora/search":                                           "the service has a bug and responds with 500",
}

func TestEveryRecordedExchange(t *testing.T) {
	t.Parallel()
	for _, set := range []struct{ exchanges, documents []string }{
		{[]string{"http", "real.json"}, []string{"primary", "real"}},
		{[]string{"http", "rich.json"}, []string{"primary", "rich"}},
		{[]string{"newest", "http", "new_real.json"}, []string{"newest", "primary", "real"}},
		{[]string{"newest", "http", "new_rich.json"}, []string{"newest", "primary", "rich"}},
		{[]string{"newest", "http", "rerun_of_243ba25_real.json"}, []string{"newest", "primary", "real"}},
	} {
		t.Run(strings.Join(set.exchanges, "/"), func(t *testing.T) {
			t.Parallel()
			exchanges := recordings(t, set.exchanges...)
			primary := newRecordedPrimary(t, corpus(t, set.documents...), exchanges)
			client := clientOf(t, primary.URL+"/api")
			watchOnce(t, client)
			clear(primary.asked)
			m := mirror.Handler(client)
			for _, e := range exchanges {
				t.Run(e.Path, func(t *testing.T) { compareExchange(t, m, primary, e) })
			}
		})
	}
}

func compareExchange(t *testing.T, m http.Handler, primary *recordedPrimary, e exchange) {
	w := get(t, m, "/api"+e.Path)
	if why, ok := deliberate[e.Path]; ok {
		assert.Equal(t, http.StatusOK, w.Code, why)
		assert.NotEqual(t, parse(t, e.Body), parse(t, w.Body.Bytes()), "the responses are equal: %s", why)
		return
	}
	if fromMemory(e.Path) {
		assert.False(t, primary.asked[e.Path], "the request was forwarded")
	} else if e.Status != http.StatusTemporaryRedirect && e.Status != http.StatusForbidden {
		assert.True(t, primary.asked[e.Path], "the request was not forwarded")
	}
	require.Equal(t, e.Status, w.Code, "%.500s", w.Body)
	if e.Status == http.StatusTemporaryRedirect {
		assert.Equal(t, "/api"+e.Path+"/", w.Header().Get("Location"))
		return
	}
	assert.Equal(t, e.Type, w.Header().Get("Content-Type"))
	if e.Status == http.StatusOK && strings.Contains(e.Path, "/search") && strings.Contains(t.Name(), "new_rich") {
		compareSearch(t, m, e)
		return
	}
	want, got := parse(t, e.Body), parse(t, w.Body.Bytes())
	if statistics, ok := want.(map[string]any); ok && statistics["computed_at"] != nil && fromMemory(e.Path) {
		delete(statistics, "computed_at") // the time of the count
		delete(got.(map[string]any), "computed_at")
	}
	assert.Equal(t, want, got)
}

// compareSearch compares the results of a search. The service leaves out records that its own types reject, but the
// mirror does not. The mirror must find all records that the service found. All other results must be rejected records.
func compareSearch(t *testing.T, m http.Handler, e exchange) {
	t.Helper()
	var skipped map[string]map[string]any
	data, err := os.ReadFile(corpus(t, "newest", "primary", "rich.decoded", "_skipped.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &skipped))
	type result struct {
		Results []map[string]any
		Total   int
	}
	page := func(target string) (out result) {
		require.NoError(t, json.Unmarshal(get(t, m, target).Body.Bytes(), &out))
		return out
	}
	u, err := url.Parse("/api" + e.Path)
	require.NoError(t, err)
	query := u.Query()
	query.Set("limit", "500")
	u.RawQuery = query.Encode()
	var want result
	require.NoError(t, json.Unmarshal(e.Body, &want))
	got := page(u.String())
	extra := 0
	for _, record := range got.Results {
		for _, category := range skipped {
			if _, ok := category[record["name"].(string)]; ok {
				extra++
			}
		}
	}
	if got.Total <= 500 {
		assert.Equal(t, want.Total+extra, got.Total)
	}
	for _, record := range want.Results {
		assert.Contains(t, got.Results, record)
	}
}

func TestEveryDocumentIsThatOfTheService(t *testing.T) {
	t.Parallel()
	for _, set := range [][]string{{"primary", "real"}, {"primary", "rich"}, {"newest", "primary", "real"}, {"newest", "primary", "rich"}} {
		dir := corpus(t, set...)
		m := mirror.Handler(clientOf(t, newRecordedPrimary(t, dir, nil).URL+"/api"))
		for _, category := range modelref.Categories() {
			want, err := os.ReadFile(filepath.Join(dir, string(category)+".json"))
			require.NoError(t, err)
			w := get(t, m, "/api/model_references/v2/"+string(category))
			assert.Equal(t, http.StatusOK, w.Code)
			assert.True(t, bytes.Equal(want, w.Body.Bytes()), "%s/%s is not served byte for byte", dir, category)

			var records map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(want, &records))
			for name, raw := range records {
				w := get(t, m, "/api/model_references/v2/"+string(category)+"/model/"+url.PathEscape(name))
				require.Equal(t, http.StatusOK, w.Code, name)
				require.Equal(t, string(raw), w.Body.String())
			}
		}
	}
}
