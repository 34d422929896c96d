// This file tests the promises of SECURITY.md: the hosts that get the API key, that the key is never shown, that data
// from the network is limited, and that it never determines a file name.

package modelref_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const theKey = "0000-key-that-nobody-may-see"

// listener collects all output of a Client.
type listener struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// say writes a value in every way in which a program may print it.
func (l *listener) say(value any) {
	fmt.Fprintf(l, "%v\n%+v\n%#v\n", value, value, value)
	encoded, err := json.Marshal(value)
	fmt.Fprintf(l, "%s %v\n", encoded, err)
	slog.New(slog.NewTextHandler(l, nil)).Info("said", "value", value)
	slog.New(slog.NewJSONHandler(l, nil)).Info("said", "value", value)
	for _, err := range chain(value) {
		fmt.Fprintf(l, "%v\n%+v\n%#v\n", err, err, err)
	}
}

// chain returns an error and all errors that it wraps.
func chain(value any) (out []error) {
	err, _ := value.(error)
	for left := []error{err}; len(left) > 0; left = left[1:] {
		if left[0] == nil {
			continue
		}
		out = append(out, left[0])
		switch wraps := left[0].(type) { //nolint:errorlint // this function walks the chain itself
		case interface{ Unwrap() error }:
			left = append(left, wraps.Unwrap())
		case interface{ Unwrap() []error }:
			left = append(left, wraps.Unwrap()...)
		}
	}
	return out
}

// options returns options for reporting everything to the listener.
func (l *listener) options() []modelref.Option {
	return []modelref.Option{
		modelref.WithLogger(slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		modelref.WithObserver(func(e modelref.Event) {
			fmt.Fprintf(l, "%v\n%+v\n%#v\n", e, e, e)
			for _, err := range chain(e.Err) {
				fmt.Fprintf(l, "%+v\n%#v\n", err, err)
			}
		}),
	}
}

func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestTheAPIKeyIsNeverShown(t *testing.T) {
	for name, fault := range allFaults() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				server.Break(modelreftest.Primary, fault)
				server.Break(modelreftest.GitHub, modelreftest.Status(503))
				heard := &listener{}
				client := server.Client(t, append(heard.options(), modelref.WithAPIKey(theKey),
					modelref.WithCacheDir(t.TempDir()))...)
				_, err := client.ImageGeneration.Load(t.Context())
				heard.say(err)
				heard.say(client.GetJSON(t.Context(), "model_references/v2/me/roles", nil, new(any)))
				heard.say(client)
				heard.say(client.ImageGeneration)
				heard.say(client.Status())
				require.Contains(t, heard.heard(), "source_failed")
				assert.NotContains(t, heard.heard(), theKey)
			})
		})
	}
}

func TestUserInfoAndQueryValuesAreNeverShown(t *testing.T) {
	t.Parallel()
	heard := &listener{}
	const secret = "s3cr3t"
	broken := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, errors.New("no such host")
	})}
	client, err := modelref.New(append(heard.options(), modelref.WithHTTPClient(broken),
		modelref.WithPrimaryURL("https://user:"+secret+"@models.example.org/api"),
		modelref.WithGitHub(modelref.GitHubConfig{ProxyPrefix: "https://user:" + secret + "@proxy.example.org"}),
		modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))...)
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	_, err = client.ImageGeneration.Load(t.Context())
	heard.say(err)
	heard.say(client.GetJSON(t.Context(), "x", map[string][]string{"apikey": {secret}}, new(any)))
	heard.say(client)
	heard.say(client.Status())
	for _, bad := range []string{"@", "", "@models.example.org/api?token=" + secret, "@models.example.org/api#" + secret} {
		_, err = modelref.New(modelref.WithPrimaryURL("https://user:" + secret + bad))
		require.Error(t, err, bad)
		heard.say(err)
	}
	_, err = modelref.New(modelref.WithPrimaryURL("https://user:" + secret + "@bad host/"))
	heard.say(err)
	assert.Contains(t, heard.heard(), "https://models.example.org/api")
	assert.NotContains(t, heard.heard(), secret)
}

// roundTripper is a function that implements a transport without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// say200 returns a response with a body.
func say200(r *http.Request, body io.Reader) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(body), ContentLength: -1, Request: r,
	}
}

func TestTheAPIKeyStaysWithItsHostThroughEveryPathOfALoad(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sent := map[string]bool{}
	hc := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		where := r.URL.Scheme + "://" + r.URL.Host
		dump := fmt.Sprint(r.Header, r.URL)
		sent[where] = sent[where] || strings.Contains(dump, theKey)
		if r.URL.Host == "models.example.org" {
			resp := say200(r, http.NoBody)
			resp.StatusCode = http.StatusFound
			resp.Header.Set("Location", "https://mirror.example.org"+r.URL.Path)
			return resp, nil
		}
		return nil, errors.New("down")
	})}
	client, err := modelref.New(modelref.WithHTTPClient(hc), modelref.WithPrimaryURL("https://models.example.org/api"),
		modelref.WithAPIKey(theKey), modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	_, err = client.ImageGeneration.Load(t.Context())
	require.Error(t, err)
	assert.Equal(t, map[string]bool{
		"https://models.example.org": true, "https://mirror.example.org": false, "https://raw.githubusercontent.com": false,
	}, sent)
}

func TestAWrappedTransportGetsEveryAttemptButNoAPIKey(t *testing.T) {
	t.Parallel()
	var order []string
	wrap := func(name string) modelref.Option {
		return modelref.WithTransportWrapper(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				order = append(order, name+" "+r.URL.Host)
				assert.Empty(t, r.Header.Get("apikey"))
				return next.RoundTrip(r)
			})
		})
	}
	keys := 0
	hc := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("apikey") == theKey {
			keys++
		}
		return nil, errors.New("down")
	})}
	client, err := modelref.New(modelref.WithHTTPClient(hc), modelref.WithPrimaryURL("https://models.example.org/api"),
		modelref.WithoutGitHub(), modelref.WithAPIKey(theKey), wrap("inner"), wrap("outer"),
		modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 2, BaseDelay: time.Millisecond}))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	_, err = client.ImageGeneration.Load(t.Context())
	require.Error(t, err)
	assert.Equal(t, []string{
		"outer models.example.org", "inner models.example.org", "outer models.example.org", "inner models.example.org",
	}, order)
	assert.Equal(t, 2, keys)
}

// hostileNames returns names that would leave the directory if they were used as paths.
func hostileNames() []string {
	return []string{
		"../../../escaped", "/escaped", `..\..\escaped`, "escaped\x00.json", "stable_diffusion.json", ".", "..", "~/escaped",
		"file:///escaped", "CON", ".modelref-1.tmp", "stable_diffusion.json.modelref",
	}
}

func TestNamesFromTheNetworkAreNotFileNames(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.InMemory())
	records := map[string]any{}
	for _, name := range hostileNames() {
		records[name] = map[string]any{
			"name": name, "record_type": name, "baseline": name, "nsfw": false,
			"config": map[string]any{"download": []any{map[string]any{"file_name": name, "file_url": "file:///" + name}}},
		}
	}
	document, err := json.Marshal(records)
	require.NoError(t, err)
	server.SetDocument(modelref.CategoryImageGeneration, string(document))
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b", "c")
	client := server.Client(t, modelref.WithCacheDir(dir))
	assert.Equal(t, len(records), load(t, client).Len())
	for _, name := range hostileNames() {
		_, err := client.Category(name)
		require.ErrorIs(t, err, modelref.ErrUnknownCategory)
		require.ErrorIs(t, client.Warm(t.Context(), modelref.Category(name)), modelref.ErrUnknownCategory)
	}
	var files []string
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, dir+string(filepath.Separator)))
		}
		return err
	}))
	assert.Equal(t, []string{".stable_diffusion.json.lock", "stable_diffusion.json", "stable_diffusion.json.modelref"}, files)
}

// allocated returns the number of bytes that a call allocates, including garbage.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// endless is a body without an end.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}

func TestABodyWithoutEndIsCutOff(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"document": 200, "error": 500} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &endless{}
			hc := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				resp := say200(r, body)
				resp.StatusCode = status
				return resp, nil
			})}
			client, err := modelref.New(modelref.WithHTTPClient(hc), modelref.WithoutGitHub(), modelref.WithMaxBodyBytes(1<<20),
				modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
			require.NoError(t, err)
			defer func() { _ = client.Close() }()
			_, err = client.ImageGeneration.Load(t.Context())
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			assert.LessOrEqual(t, body.read, int64(2<<20))
		})
	}
}

func TestAHeaderWithoutEndIsCutOff(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 16 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 64<<10))
		}
		_, _ = io.WriteString(w, twoModels)
	}))
	t.Cleanup(server.Close)
	client, err := modelref.New(modelref.WithPrimaryURL(server.URL), modelref.WithoutGitHub(),
		modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	_, err = client.ImageGeneration.Load(t.Context())
	require.ErrorContains(t, err, "65536", "the error of the transport")
	require.ErrorIs(t, err, modelref.ErrUnavailable)
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	inside := func(field string) string {
		deep := strings.Repeat(`{"a":[`, 500_000) + strings.Repeat(`]}`, 500_000)
		return `{"a":{"baseline":"b","nsfw":false,"` + field + `":` + deep + `},"b":{"baseline":"b","nsfw":false}}`
	}
	for _, field := range []string{"requirements", "unknown", "config", "tags"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			hc := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				return say200(r, strings.NewReader(inside(field))), nil
			})}
			client, err := modelref.New(modelref.WithHTTPClient(hc))
			require.NoError(t, err)
			defer func() { _ = client.Close() }()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err = client.ImageGeneration.Load(ctx)
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			assert.Contains(t, err.Error(), "nested too deeply")
		})
	}
}

func TestARecordsNameAndReasonDoNotFloodALog(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	server := modelreftest.NewServer(t, modelreftest.InMemory())
	for name, document := range map[string]string{
		"name":  `{"` + long + `":1,"a":{"baseline":"b","nsfw":false}}`,
		"field": `{"n":{"baseline":"b","nsfw":false,"config":{"embedded_component_hashes":{"` + long + `":1}}},"a":{"baseline":"b","nsfw":false}}`,
		"alone": `{"` + long + `":1}`,
	} {
		server.SetDocument(modelref.CategoryImageGeneration, document)
		server.Break(modelreftest.GitHub, modelreftest.Status(404))
		heard := &listener{}
		client := server.Client(t, heard.options()...)
		_, err := client.ImageGeneration.Load(t.Context())
		heard.say(err)
		assert.Less(t, len(heard.heard()), 64<<10, name)
	}
}

// This test is not parallel, because it counts the allocations of the whole process.
func TestALargeDocumentOfSmallRecordsIsBounded(t *testing.T) {
	// A body can have at most this number of records. A body with small records at the start has the same limit.
	many := func(n int) string {
		out := []byte{'{'}
		for i := range n {
			out = append(strconv.AppendInt(append(out, '"'), int64(i), 36), `":{},`...)
		}
		return string(out)
	}
	for name, test := range map[string]struct {
		document string
		err      string
	}{
		"many":               {many(1_000_000) + `"z":{}}`, "more than 262144 records"},
		"small ones, padded": {many(8) + `"z":{"description":"` + strings.Repeat("x", 20<<20) + `"}}`, ""},
	} {
		hc := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return say200(r, strings.NewReader(test.document)), nil
		})}
		client, err := modelref.New(modelref.WithHTTPClient(hc), modelref.WithoutGitHub())
		require.NoError(t, err)
		used := allocated(func() { _, err = client.CLIP.Load(t.Context()) })
		_ = client.Close()
		t.Logf("%s: a body of %d MiB needs %d MiB of allocations", name, len(test.document)>>20, used>>20)
		if assert.Less(t, used>>20, uint64(400), name); test.err != "" {
			assert.ErrorContains(t, err, test.err)
		} else {
			assert.NoError(t, err)
		}
	}
}

func TestTheAPIKeyInAResponseIsNotShown(t *testing.T) {
	t.Parallel()
	const key = `s3cr3t"key&more`
	inJSON, inHTML, inURL := `s\u0033cr3t\"key\u0026more`, "s3cr3t&#34;key&amp;more", "s3cr3t%22key%26more"
	for name, test := range map[string]struct {
		status int
		header []string
		body   string
		shows  string // text that is shown nevertheless
	}{
		"plain text":         {403, nil, "no such key: " + key, "no such key"},
		"HTML":               {403, nil, "<title>no such key: " + inHTML + "</title>", "no such key"},
		"entities":           {403, nil, "no such key: " + inHTML, "no such key"},
		"detail":             {403, nil, `{"detail":"no such key: ` + inJSON + `"}`, "no such key"},
		"escaped twice":      {403, nil, `{"detail":"no such key: ` + strings.ReplaceAll(inJSON, `\`, `\\`) + `"}`, "no such key"},
		"validation message": {422, nil, `{"detail":[{"loc":["a"],"msg":"no such key: ` + inJSON + `"}]}`, "no such key"},
		"validation type":    {422, nil, `{"detail":[{"loc":["a"],"msg":"no such key","type":"` + inJSON + `"}]}`, "no such key"},
		"validation place":   {422, nil, `{"detail":[{"loc":["` + inJSON + `"],"msg":"no such key"}]}`, "no such key"},
		"raw detail":         {422, nil, `{"detail":{"no such key":"` + inJSON + `"}}`, "no such key"},
		"raw entry":          {422, nil, `{"detail":[{"no such key":"` + inJSON + `"}]}`, "no such key"},
		"media type":         {403, []string{"Content-Type", "text/s3cr3t-key"}, "no such key", "no such key"},
		"redirect":           {302, []string{"Location", "/login/" + inURL}, "", "302"},
		"malformed redirect": {302, []string{"Location", "https://bad host/" + inURL}, "", "malformed Location"},
		"refused redirect":   {302, []string{"Location", inURL + "://x"}, "", ""},
		"invalid body":       {200, nil, inJSON, ""},
		"record name":        {200, nil, `{"` + inJSON + `":{"baseline":1},"a":{"baseline":"b","nsfw":false}}`, "baseline"},
		"field name":         {200, nil, `{"a":{"config":{"embedded_component_hashes":{"` + inJSON + `":1}}},"b":{"baseline":"b","nsfw":false}}`, ""},
		"every record":       {200, nil, `{"` + inJSON + `":{"nsfw":"` + inJSON + `"}}`, "none of its records"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			heard := &listener{}
			hc := &http.Client{
				Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					resp := say200(r, strings.NewReader(test.body))
					resp.StatusCode = test.status
					for i := 0; i < len(test.header); i += 2 {
						resp.Header.Set(test.header[i], test.header[i+1])
					}
					return resp, nil
				}),
				CheckRedirect: func(_ *http.Request, via []*http.Request) error {
					if len(via) > 1 {
						return http.ErrUseLastResponse // the error has the URL of the redirect
					}
					return nil
				},
			}
			client, err := modelref.New(append(heard.options(), modelref.WithHTTPClient(hc), modelref.WithAPIKey(key),
				modelref.WithoutGitHub(), modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))...)
			require.NoError(t, err)
			defer func() { _ = client.Close() }()
			ref, err := client.ImageGeneration.Load(t.Context())
			heard.say(err)
			if err == nil {
				heard.say(ref.Rejected())
			}
			var out struct{ Nsfw int }
			heard.say(client.GetJSON(t.Context(), "me", nil, &out))
			_, err = client.Search(t.Context(), nil)
			heard.say(err)
			heard.say(client.Status())
			assert.Contains(t, heard.heard(), test.shows)
			for _, form := range []string{key, inJSON, inHTML, inURL, "s3cr3t"} {
				assert.NotContains(t, strings.ReplaceAll(heard.heard(), "s3cr3t-key", ""), form)
			}
		})
	}
}

// fakeT stores the message of a failed assertion.
type fakeT struct{ said string }

func (f *fakeT) Errorf(format string, args ...any) { f.said += fmt.Sprintf(format, args...) }

func TestAnAssertionThatShowsAClientDoesNotShowItsKey(t *testing.T) {
	t.Parallel()
	said := &fakeT{}
	var clients []*modelref.Client
	for _, key := range []string{theKey, "another"} {
		client, err := modelref.New(modelref.WithAPIKey(key))
		require.NoError(t, err)
		defer func() { _ = client.Close() }()
		clients = append(clients, client)
	}
	assert.Equal(said, clients[0], clients[1])
	assert.NotEmpty(t, said.said)
	assert.NotContains(t, said.said, theKey)
}

func TestAnInvalidLastUpdatedTimeIsIgnored(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		for _, seconds := range []string{"1700000000000", "9223372036854775807", "-9223372036854775808", "1e400"} {
			server.Break(modelreftest.LastUpdated, modelreftest.Body(200, "application/json", `{"last_updated":`+seconds+`}`))
			for range 2 {
				_ = load(t, client)
				time.Sleep(minute)
			}
			_, err := json.Marshal(client.Status())
			require.NoError(t, err, seconds)
		}
	})
}
