// Wrong settings and arguments: each is an error that names the setting and what it must be, and none panics.

package modelref_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
	"github.com/haidra-org/modelref/download"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

// A misuse is one wrong setting or argument.
type misuse struct {
	call    func() error
	setting string // is named by the error
	remedy  string // is in the error as well
}

// made returns the error of New with the options.
func made(options ...modelref.Option) func() error {
	return func() error {
		client, err := modelref.New(options...)
		if err == nil {
			_ = client.Close()
		}
		return err
	}
}

// errorOf returns the error of a call with a result.
func errorOf[T any](_ T, err error) error { return err }

// lastError returns the last error of an iterator.
func lastError[T any](all iter.Seq2[T, error]) (err error) {
	for _, found := range all {
		err = errors.Join(err, found)
	}
	return err
}

func wrongOptions(t *testing.T) map[string]misuse {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	retry := func(p modelref.RetryPolicy) func() error { return made(modelref.WithRetry(p)) }
	repo := func(r modelref.GitHubRepo) func() error {
		return made(modelref.WithGitHub(modelref.GitHubConfig{Image: r}))
	}
	return map[string]misuse{
		"URL without a scheme":    {made(modelref.WithPrimaryURL("example.org/api")), "WithPrimaryURL", "must have http:// or https://"},
		"URL without a host":      {made(modelref.WithPrimaryURL("https://")), "WithPrimaryURL", "must have"},
		"URL with a port only":    {made(modelref.WithPrimaryURL("http://:8080/api")), "WithPrimaryURL", "must have a host"},
		"URL of another scheme":   {made(modelref.WithPrimaryURL("ftp://example.org")), "WithPrimaryURL", "must have http:// or https://"},
		"URL with a query":        {made(modelref.WithPrimaryURL("https://example.org/?a=b")), "WithPrimaryURL", "must not have a query"},
		"URL with a fragment":     {made(modelref.WithPrimaryURL("https://example.org/#a")), "WithPrimaryURL", "must not have a fragment"},
		"URL that is broken":      {made(modelref.WithPrimaryURL("https://exa mple.org/%zz")), "WithPrimaryURL", "must have the form"},
		"empty URL":               {made(modelref.WithPrimaryURL("")), "WithPrimaryURL", "must have http:// or https://"},
		"TTL of 0":                {made(modelref.WithTTL(0)), "WithTTL", "must be at least 1ms"},
		"TTL without a unit":      {made(modelref.WithTTL(60)), "WithTTL", "did you mean 60*time.Second?"},
		"negative TTL":            {made(modelref.WithTTL(-time.Second)), "WithTTL", "must be at least 1ms"},
		"negative age":            {made(modelref.WithMaxStale(-1)), "WithMaxStale", "must be 0 or at least 1ms"},
		"age without a unit":      {made(modelref.WithMaxStale(600)), "WithMaxStale", "did you mean 600*time.Second?"},
		"empty directory":         {made(modelref.WithCacheDir("")), "WithCacheDir", "must not be empty"},
		"directory is a file":     {made(modelref.WithCacheDir(file)), "WithCacheDir", "must name a directory"},
		"directory with NUL":      {made(modelref.WithCacheDir("a\x00b")), "WithCacheDir", "must name a directory"},
		"no store":                {made(modelref.WithStore(nil)), "WithStore", "must not be nil"},
		"no bootstrap":            {made(modelref.WithBootstrap(nil)), "WithBootstrap", "must not be nil"},
		"bootstrap of nothing":    {made(modelref.WithBootstrap(fstest.MapFS{})), "WithBootstrap", "must have the file of one category"},
		"GitHub server":           {made(modelref.WithGitHub(modelref.GitHubConfig{BaseURL: "nope"})), "WithGitHub: BaseURL", "must have http:// or https://"},
		"GitHub proxy":            {made(modelref.WithGitHub(modelref.GitHubConfig{ProxyPrefix: "nope"})), "WithGitHub: ProxyPrefix", "must have http:// or https://"},
		"owner and name in one":   {repo(modelref.GitHubRepo{Owner: "a/b"}), "WithGitHub: Image: Owner", "must be one name without slashes"},
		"branch that leads up":    {repo(modelref.GitHubRepo{Branch: "../x"}), "WithGitHub: Image: Branch", "must be a name on GitHub"},
		"no HTTP client":          {made(modelref.WithHTTPClient(nil)), "WithHTTPClient", "must not be nil"},
		"negative client timeout": {made(modelref.WithHTTPClient(&http.Client{Timeout: -1})), "WithHTTPClient: the Timeout", "must not be negative"},
		"no wrapper":              {made(modelref.WithTransportWrapper(nil)), "WithTransportWrapper", "must not be nil"},
		"wrapper returns nil":     {made(modelref.WithTransportWrapper(func(http.RoundTripper) http.RoundTripper { return nil })), "WithTransportWrapper", "must return a transport"},
		"empty user agent":        {made(modelref.WithUserAgent(" ")), "WithUserAgent", "must be one line of text"},
		"user agent of two lines": {made(modelref.WithUserAgent("a\r\nb")), "WithUserAgent", "must be one line of text"},
		"key with a line break":   {made(modelref.WithAPIKey("key\n")), "WithAPIKey", "must not have control characters"},
		"key that is not text":    {made(modelref.WithAPIKey("\xff")), "WithAPIKey", "must be valid UTF-8"},
		"key that is too long":    {made(modelref.WithAPIKey(strings.Repeat("k", 1025))), "WithAPIKey", "at most 1024 bytes, got 1025"},
		"key with a space":        {made(modelref.WithAPIKey("key ")), "WithAPIKey", "must not begin or end with a space"},
		"key over http":           {made(modelref.WithAPIKey("key"), modelref.WithPrimaryURL("http://example.org/api")), "WithAPIKey", "must have https"},
		"key without a PRIMARY":   {made(modelref.WithAPIKey("key"), modelref.WithoutPrimary()), "WithAPIKey", "remove the key, or set WithPrimaryURL"},
		"negative attempts":       {retry(modelref.RetryPolicy{MaxAttempts: -1}), "WithRetry: MaxAttempts", "must be 0 or more"},
		"negative delay":          {retry(modelref.RetryPolicy{BaseDelay: -1}), "WithRetry: BaseDelay", "must be 0 or more"},
		"negative budget":         {retry(modelref.RetryPolicy{MaxDuration: -1}), "WithRetry: MaxDuration", "must be 0 or at least 1ms"},
		"budget without a unit":   {retry(modelref.RetryPolicy{MaxDuration: 20}), "WithRetry: MaxDuration", "did you mean 20*time.Second?"},
		"timeout of 0":            {made(modelref.WithTimeout(0)), "WithTimeout", "must be at least 1ms"},
		"timeout without a unit":  {made(modelref.WithTimeout(10)), "WithTimeout", "did you mean 10*time.Second?"},
		"body of 0 bytes":         {made(modelref.WithMaxBodyBytes(0)), "WithMaxBodyBytes", "must be at least 1 byte"},
		"negative wait":           {made(modelref.WithRefreshWait(-1)), "WithRefreshWait", "must be 0 or at least 1ms"},
		"no logger":               {made(modelref.WithLogger(nil)), "WithLogger", "must not be nil"},
		"no observer":             {made(modelref.WithObserver(nil)), "WithObserver", "must not be nil"},
		"offline with nothing":    {made(modelref.WithOffline()), "WithOffline", "add WithCacheDir"},
		"no source":               {made(modelref.WithoutPrimary(), modelref.WithoutGitHub()), "WithoutPrimary and WithoutGitHub", "must have a source"},
		"store without a path":    {func() error { return errorOf(modelref.DirectoryStore("")) }, "DirectoryStore", "must not be empty"},
		"store is a file":         {func() error { return errorOf(modelref.DirectoryStore(file)) }, "DirectoryStore", "must name a directory"},
	}
}

func wrongEnvironment() map[string]misuse {
	rows := map[string]misuse{}
	for name, row := range map[string][2]string{
		"MODELREF_PRIMARY_URL": {"example.org", "must have http:// or https://"}, "MODELREF_PRIMARY": {"maybe", "must be true or false"},
		"MODELREF_API_KEY": {"a\tb", "must not have control characters"}, "MODELREF_API_KEY_FILE": {"/does/not/exist", "must be the path of a file"},
		"MODELREF_CACHE_DIR": {"/dev/null/x", "must name a directory"}, "MODELREF_BOOTSTRAP_DIR": {"/does/not/exist", "must have the file of one category"},
		"MODELREF_TTL": {"soon", "must be a duration"}, "MODELREF_MAX_STALE": {"-1", "must be 0 or at least 1ms"},
		"MODELREF_REFRESH_WAIT": {"1 h", "must be a duration"}, "MODELREF_TIMEOUT": {"0", "must be at least 1ms"},
		"MODELREF_MAX_ATTEMPTS": {"0", "must be a whole number of at least 1"}, "MODELREF_MAX_DURATION": {"NaN", "must be a duration"},
		"MODELREF_MAX_BODY_BYTES": {"much", "must be a size"}, "MODELREF_USER_AGENT": {"a\nb", "must be one line of text"},
		"MODELREF_GITHUB": {"2", "must be true or false"}, "MODELREF_OFFLINE": {"ja", "must be true or false"},
		"HORDE_MODEL_REFERENCE_PRIMARY_API_URL":         {"localhost:19800", "must have http:// or https://"},
		"HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS":       {"-5", "must be a number of seconds"},
		"HORDE_MODEL_REFERENCE_OFFLINE":                 {"", "must be true or false"},
		"HORDE_MODEL_REFERENCE_TEXT_GITHUB_REPO__OWNER": {"a/b", "must be one name without slashes"},
		"GITHUB_PROXY_URL_BASE":                         {"mirror", "must have http:// or https://"},
	} {
		rows["variable "+name] = misuse{func() error {
			if err := os.Setenv(name, row[0]); err != nil {
				return err
			}
			defer func() { _ = os.Unsetenv(name) }()
			return made(modelref.FromEnv())()
		}, "environment variable " + name, row[1]}
	}
	return rows
}

func wrongArguments(t *testing.T, client *modelref.Client) map[string]misuse {
	ctx := t.Context()
	var none context.Context
	do := func(r modelref.Request) func() error { return func() error { return errorOf(client.Do(ctx, r)) } }
	watch := func(d time.Duration) func() error {
		return func() error { return lastError(client.CLIP.Watch(ctx, modelref.WatchOptions{Interval: d})) }
	}
	images := client.ImageGeneration
	return map[string]misuse{
		"Load without a context":   {func() error { return errorOf(images.Load(none)) }, "image_generation", "context must not be nil"},
		"Get without a context":    {func() error { return errorOf(images.Get(none, "a")) }, "image_generation", "context must not be nil"},
		"Warm without a context":   {func() error { return client.Warm(none) }, "Warm", "context must not be nil"},
		"Ping without a context":   {func() error { return client.Ping(none) }, "Ping", "context must not be nil"},
		"Do without a context":     {func() error { return errorOf(client.Do(none, modelref.Request{Path: "x"})) }, "GET x", "context must not be nil"},
		"Watch without a context":  {func() error { return lastError(images.Watch(none, modelref.WatchOptions{})) }, "Watch", "context must not be nil"},
		"Search without a context": {func() error { return errorOf(images.Search(none, nil)) }, "search image_generation", "context must not be nil"},
		"Query without a context":  {func() error { return errorOf(images.Query().All(none)) }, "query", "context must not be nil"},
		"Find without a context":   {func() error { return errorOf(images.Find(none, "a")) }, "image_generation", "context must not be nil"},
		"plan without a context": {func() error {
			return errorOf(download.NewPlan[modelref.ModelRecord](none, nil, download.Options{Dir: t.TempDir()}))
		}, "NewPlan", "context must not be nil"},
		"api without a context":      {func() error { return errorOf(api.New(client).Heartbeat(none)) }, "GET heartbeat", "context must not be nil"},
		"watch too often":            {watch(time.Millisecond), "WatchOptions.Interval", "must be at least 1s"},
		"watch without a unit":       {watch(30), "WatchOptions.Interval", "did you mean 30*time.Second?"},
		"negative watch":             {watch(-time.Second), "WatchOptions.Interval", "must be at least 1s"},
		"unknown category":           {func() error { return errorOf(client.Category("clipp")) }, `"clipp"`, "did you mean clip?"},
		"warm an unknown category":   {func() error { return client.Warm(ctx, "clipp") }, `clipp: unknown category: "clipp"`, "must be a category of Categories"},
		"decode an unknown category": {func() error { return errorOf(modelref.DecodeDocument[modelref.CLIPRecord]("clipp", "{}")) }, "DecodeDocument", "must be a category of Categories"},
		"decode another type": {func() error {
			return errorOf(modelref.DecodeDocument[modelref.CLIPRecord](modelref.CategoryBLIP, "{}"))
		}, "DecodeDocument", "must have the type of the category or ModelRecord"},
		"decode a list": {func() error {
			return errorOf(modelref.DecodeDocument[modelref.CLIPRecord](modelref.CategoryCLIP, "[]"))
		}, "DecodeDocument", "not a valid clip reference"},
		"path with a query":        {do(modelref.Request{Path: "a?b=c"}), "path", "must not have the characters"},
		"path that leads up":       {do(modelref.Request{Path: "../v1"}), "path", "must not have the segment"},
		"path with a line break":   {do(modelref.Request{Path: "a\nb"}), "path", "must not have control characters"},
		"path that is not escaped": {do(modelref.Request{Path: "a%zz"}), "path", "must be escaped"},
		"header without a name":    {do(modelref.Request{Header: http.Header{"": {"a"}}}), `header field`, "must"},
		"header with the key":      {do(modelref.Request{Header: http.Header{"Apikey": {"a"}}}), "header", "set it with WithAPIKey"},
		"header with a line break": {do(modelref.Request{Header: http.Header{"X-A": {"a\nb"}}}), "X-A", "must not have control characters"},
		"request without a key":    {do(modelref.Request{RequireAPIKey: true}), "API key", "must be set with WithAPIKey"},
		"decode into nothing":      {func() error { return client.GetJSON(ctx, "heartbeat", nil, nil) }, "out", "must be a non-nil pointer"},
		"decode into a value":      {func() error { return client.GetJSON(ctx, "heartbeat", url.Values{}, 3) }, "out", "must be a non-nil pointer"},
		"name of no model":         {func() error { return errorOf(images.FetchRecord(ctx, "")) }, `""`, "must"},
		"name that leads up":       {func() error { return errorOf(images.FetchRecord(ctx, "../x")) }, `"../x"`, "must"},
		"page of negative length": {func() error {
			return errorOf(client.Search(ctx, &modelref.SearchOptions{Page: modelref.Page{Limit: -1}}))
		}, "Limit", "must be 0 or more"},
		"page before the first": {func() error {
			return lastError(client.SearchAll(ctx, &modelref.SearchOptions{Page: modelref.Page{Offset: -1}}))
		}, "Offset", "must be 0 or more"},
		"negative ranking":            {func() error { return errorOf(images.Popular(ctx, &modelref.PopularOptions{Limit: -1})) }, "Limit", "must be 0 or more"},
		"negative limit of a query":   {func() error { return errorOf(images.Query().Limit(-1).All(ctx)) }, "Limit(-1)", "must not be negative"},
		"negative offset of a query":  {func() error { return errorOf(images.Query().Offset(-1).All(ctx)) }, "Offset(-1)", "must not be negative"},
		"unknown baseline of a query": {func() error { return errorOf(client.TextGeneration.Query().ForBackend("other").All(ctx)) }, `ForBackend("other")`, "one of aphrodite, koboldcpp"},
		"condition on no field":       {func() error { return errorOf(modelref.ParsePredicate[modelref.CLIPRecord]("nope=1")) }, `"nope"`, "one of "},
		"order by no field":           {func() error { return errorOf(modelref.ParseOrder[modelref.CLIPRecord]("nope")) }, `"nope"`, "one of "},
		"size without a number":       {func() error { return errorOf(modelref.ParseSize("big")) }, `"big"`, "must be a number"},
		"date of no month":            {func() error { return errorOf(modelref.ParseDate("2024-13-01")) }, `"2024-13-01"`, "must"},
		"source by another name":      {func() error { return new(modelref.Source).UnmarshalText([]byte("Primary")) }, `"Primary"`, "must be one of"},
		"statistics of no category":   {func() error { return errorOf(api.New(client).Statistics.Category(ctx, "", nil)) }, `""`, "must"},
		"group that leads up":         {func() error { return errorOf(api.New(client).Text.AliasesOf(ctx, "..")) }, `".."`, "must"},
		"profile without a name":      {func() error { return errorOf(api.New(client).Guidance.Profile(ctx, "")) }, `""`, "must"},
		"negative page of statistics": {func() error {
			return errorOf(api.New(client).Statistics.Category(ctx, "clip", &api.StatisticsOptions{Page: modelref.Page{Limit: -1}}))
		}, "Limit", "must be 0 or more"},
		"mirror without a listener": {func() error { return mirror.Serve(ctx, nil, http.NotFoundHandler()) }, "Serve: the listener", "must not be nil"},
		"mirror without a handler":  {func() error { return mirror.Serve(ctx, new(net.TCPListener), nil) }, "Serve: the handler", "must not be nil"},
		"mirror without a context":  {func() error { return mirror.Serve(none, new(net.TCPListener), http.NotFoundHandler()) }, "Serve: the context", "must not be nil"},
	}
}

func wrongDownloads(t *testing.T) map[string]misuse {
	rows := map[string]misuse{}
	for name, row := range map[string]struct {
		options download.Options
		remedy  string
	}{
		"Jobs":          {download.Options{Jobs: -1}, "must not be negative"},
		"Connections":   {download.Options{Connections: 9}, "must be from 1 to 8"},
		"RateLimit":     {download.Options{RateLimit: -1}, "must not be negative"},
		"MinFree":       {download.Options{MinFree: -1}, "must not be negative"},
		"Retries":       {download.Options{Retries: -1}, "must not be negative"},
		"IdleTimeout":   {download.Options{IdleTimeout: -1}, "must not be negative"},
		"MinRate":       {download.Options{MinRate: -1}, "must not be negative"},
		"MaxRetryAfter": {download.Options{MaxRetryAfter: -1}, "must not be negative"},
		"Check":         {download.Options{Check: 7}, "must be CheckChanged or CheckContent"},
		"Gateway.URL":   {download.Options{Gateway: download.Gateway{URL: "http://example.org"}}, "must be an https URL"},
		"Tokens":        {download.Options{Tokens: map[string]string{"https://example.org": "x"}}, "must be a host name"},
		"UserAgent":     {download.Options{UserAgent: "a\nb"}, "must be one line of text"},
	} {
		row.options.Dir = t.TempDir()
		rows["download "+name] = misuse{func() error {
			return errorOf(download.NewPlan[modelref.ModelRecord](t.Context(), nil, row.options))
		}, "Options." + name, row.remedy}
	}
	return rows
}

// TestMisuse is not parallel: some rows set a variable of the environment.
func TestMisuse(t *testing.T) {
	server := modelreftest.NewServer(t)
	client := server.Client(t)
	count := 0
	for _, rows := range []map[string]misuse{wrongOptions(t), wrongEnvironment(), wrongArguments(t, client), wrongDownloads(t)} {
		for name, row := range rows {
			count++
			t.Run(name, func(t *testing.T) {
				var err error
				require.NotPanics(t, func() { err = row.call() })
				require.Error(t, err)
				assert.Contains(t, err.Error(), row.setting, "the setting")
				assert.Contains(t, err.Error(), row.remedy, "the remedy")
				assert.NotContains(t, err.Error(), "\n", "one setting is wrong")
				assert.Equal(t, 1, strings.Count(err.Error(), "modelref: ")+strings.Count(err.Error(), "download: ")+
					strings.Count(err.Error(), "mirror: "), "the prefix of the package in %q", err)
				assert.Regexp(t, `^(modelref|download|mirror): `, err.Error())
			})
		}
	}
	assert.GreaterOrEqual(t, count, 60)
	t.Logf("%d wrong settings and arguments", count)
	assert.Empty(t, server.Requests(), "no request is sent for a wrong argument")
}

// Every exported method can be called on zero values, with zero arguments and without a context. So can those of nil pointers,
// except for services that embed another one: Go looks for the embedded service before it calls the method.
func TestZeroValuesDoNotPanic(t *testing.T) {
	t.Parallel()
	calls := 0
	for _, value := range []any{
		new(modelref.Client), (*modelref.Client)(nil), new(modelref.ImageGenerationService),
		new(modelref.TextGenerationService), new(modelref.CLIPService), new(modelref.Service[modelref.CLIPRecord]),
		(*modelref.Service[modelref.CLIPRecord])(nil),
		new(modelref.CategoryReader), (*modelref.CategoryReader)(nil), new(modelref.ImageQuery), new(modelref.ModelQuery),
		new(modelref.Reference[modelref.CLIPRecord]), new(modelref.Status), new(modelref.CategoryStatus), new(modelref.SourceStatus),
		new(modelref.Event), new(modelref.FetchError), new(modelref.APIError), new(modelref.DecodeError), new(modelref.RecordError),
		new(modelref.NotFoundError), new(modelref.PartialError), new(modelref.Response), new(modelref.BaselineCatalog),
		new(modelref.NamedField[modelref.CLIPRecord]),
		new(api.API), (*api.API)(nil), api.New(nil), api.New(new(modelref.Client)), new(api.StatisticsService), new(api.MetadataService),
		new(api.TextService), new(api.LicensingService), new(api.GuidanceService), new(api.BaselineService), new(api.PendingQueueService),
		new(api.LegacyService), (*api.TextService)(nil), (*api.LegacyService)(nil), (*api.MetadataService)(nil),
		new(download.Plan), new(download.Report), new(download.Orphan),
	} {
		v := reflect.ValueOf(value)
		for i := range v.NumMethod() {
			name := fmt.Sprintf("%T.%s", value, v.Type().Method(i).Name)
			calls++
			if problem := panicOf(func() { callWithZeros(v.Method(i)) }); problem != nil {
				t.Errorf("%s panics: %v", name, problem)
			}
		}
	}
	t.Logf("%d methods", calls)
}

// panicOf returns what a function panics with, or nil.
func panicOf(call func()) (problem any) {
	defer func() { problem = recover() }()
	call()
	return nil
}

// callWithZeros calls a function with zero arguments, and runs the iterator that it returns.
func callWithZeros(function reflect.Value) {
	var arguments []reflect.Value
	for i := range function.Type().NumIn() {
		if function.Type().IsVariadic() && i == function.Type().NumIn()-1 {
			break
		}
		arguments = append(arguments, reflect.Zero(function.Type().In(i)))
	}
	for _, result := range function.Call(arguments) {
		if result.Kind() == reflect.Func && !result.IsNil() && result.Type().CanSeq2() {
			for range result.Seq2() {
				break
			}
		}
	}
}
