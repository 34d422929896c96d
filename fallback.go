// The sources behind the PRIMARY and when they are used: the breaker that leaves a failed source alone, the files on
// GitHub, and the bootstrap documents.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/haidra-org/modelref/internal/legacy"
)

const (
	coolDownBase = 30 * time.Second
	coolDownMax  = 5 * time.Minute
	// githubCoolDownMax is longer: GitHub blocks an address for half an hour.
	githubCoolDownMax = time.Hour
)

// breaker leaves a source alone for a while after it failed, longer each time in a row, and then lets one probe
// through. gobreaker waits for one fixed time, so this is our own.
type breaker struct {
	longest time.Duration
	notify  func(open bool, err error)

	mu       sync.Mutex
	failures int // cool-downs in a row
	until    time.Time
	probing  bool
	err      error
	since    time.Time
}

// allow reports whether the source may be asked now, and whether that is the probe after a cool-down, which is not to be
// tried again: a whole fleet probes. After a true, succeeded, failed or spared must follow.
func (b *breaker) allow() (allowed, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == 0 {
		return true, false
	}
	if b.probing || time.Now().Before(b.until) {
		return false, false
	}
	b.probing = true
	return true, true
}

// succeeded closes the breaker.
func (b *breaker) succeeded() {
	b.mu.Lock()
	was := b.failures > 0
	b.failures, b.probing, b.err = 0, false, nil
	if was {
		b.since = time.Now()
	}
	b.mu.Unlock()
	if was {
		b.notify(false, nil)
	}
}

// spared says that nothing was learned about the source after all.
func (b *breaker) spared() {
	b.mu.Lock()
	b.probing = false
	b.mu.Unlock()
}

// failed opens the breaker. A failure that was under way when it opened does not make the cool-down longer.
func (b *breaker) failed(err error) {
	b.mu.Lock()
	if b.failures > 0 && !b.probing {
		b.mu.Unlock()
		return
	}
	b.probing = false
	wait := min(coolDownBase<<min(b.failures, 10), coolDownMax)
	wait = wait*3/4 + rand.N(wait/2) //nolint:gosec // spreads load; nothing secret hangs on it
	var api *APIError
	if errors.As(err, &api) {
		wait = max(wait, api.RetryAfter)
	}
	b.failures++
	b.err, b.since = err, time.Now()
	b.until = b.since.Add(min(wait, b.longest))
	b.mu.Unlock()
	b.notify(true, err)
}

// ready reports whether allow would let a request through.
func (b *breaker) ready() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures == 0 || !b.probing && !time.Now().Before(b.until)
}

// openFor returns how long the source is still left alone, and why; 0 where it may be asked.
func (b *breaker) openFor() (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == 0 {
		return 0, nil
	}
	return max(time.Until(b.until), 0), b.err
}

// coolingDown is the error of a source that is left alone.
func (b *breaker) coolingDown() error {
	wait, err := b.openFor()
	if err == nil {
		return ErrCoolingDown
	}
	return fmt.Errorf("%w, %s to go: %w", ErrCoolingDown, wait.Round(time.Second), err)
}

// githubConfig is a GitHubConfig with its defaults, and whether the fallback is on.
type githubConfig struct {
	GitHubConfig
	enabled bool
}

func (g GitHubConfig) withDefaults() GitHubConfig {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&g.BaseURL, "https://raw.githubusercontent.com")
	fill(&g.Image.Owner, "Haidra-Org")
	fill(&g.Image.Name, "AI-Horde-image-model-reference")
	fill(&g.Image.Branch, "main")
	fill(&g.Text.Owner, "Haidra-Org")
	fill(&g.Text.Name, "AI-Horde-text-model-reference")
	fill(&g.Text.Branch, "main")
	return g
}

// url returns the URL of the legacy file of a category.
func (g *githubConfig) url(category Category) (string, error) {
	facts, ok := traitsOf(category)
	if !ok || facts.repo == noRepo {
		return "", fmt.Errorf("%w: GitHub has no file for %s", ErrNotConfigured, category)
	}
	return g.fileURL(facts.repo, facts.legacyFile)
}

func (g *githubConfig) fileURL(repo githubRepo, file string) (string, error) {
	in := g.Image
	if repo == textRepo {
		in = g.Text
	}
	base, err := parseBaseURL(g.BaseURL)
	if err != nil {
		return "", err
	}
	branch := strings.Split(in.Branch, "/") // a branch may have slashes
	for i := range branch {
		branch[i] = url.PathEscape(branch[i])
	}
	full := base.String() + "/" + url.PathEscape(in.Owner) + "/" + url.PathEscape(in.Name) + "/refs/heads/" +
		strings.Join(branch, "/") + "/" + file
	if g.ProxyPrefix == "" {
		return full, nil
	}
	if _, err := parseBaseURL(g.ProxyPrefix); err != nil {
		return "", fmt.Errorf("proxy prefix: %w", err)
	}
	return strings.TrimRight(g.ProxyPrefix, "/") + "/" + full, nil
}

// fromGitHub reads and converts the legacy file of the category. It returns nil and no error where the file is that of
// held, the tag of the copy that the store has. It asks at most that many times, 0 for the policy's.
func (s *categoryCache) fromGitHub(ctx context.Context, held string, attempts int) (*loaded, int, error) {
	target, err := s.client.config.github.url(s.facts.category)
	if err != nil {
		return nil, 0, err
	}
	resp, err := s.client.http.do(ctx, request{
		url: target, etag: held, accept: "application/json, text/csv, text/plain", attempts: attempts,
	})
	if err != nil {
		return nil, requestsOf(err), err
	}
	if resp.notModified() {
		return nil, resp.requests, nil
	}
	document, dropped, err := legacy.Convert(string(s.facts.category), []byte(resp.body))
	if err != nil {
		return nil, resp.requests, &DecodeError{Category: s.facts.category, Offset: -1, Reason: err.Error()}
	}
	got, err := s.decoded(string(document), about{origin: OriginGitHub})
	if err != nil {
		return nil, resp.requests, err
	}
	got.size = len(resp.body)
	got.state = sourceState{Source: OriginGitHub, From: fingerprint(target), ETag: resp.header.Get("ETag")}
	meta := got.ref.meta()
	rejected := make([]RecordError, 0, len(dropped)+len(meta.rejected))
	for _, r := range dropped[:min(len(dropped), maxRejected)] {
		rejected = append(rejected, RecordError{
			Category: s.facts.category, Name: shorten(r.Name), Reason: shorten(r.Reason.Error()),
		})
	}
	meta.rejected = append(rejected, meta.rejected...)
	if got.ref.Len() == 0 && len(meta.rejected) > 0 {
		return nil, resp.requests, &DecodeError{
			Category: s.facts.category, Offset: -1, Reason: "none of its records converts: " + meta.rejected[0].Error(),
		}
	}
	return got, resp.requests, nil
}

// fromBootstrap reads the document that the program brought along.
func (s *categoryCache) fromBootstrap() (*loaded, error) {
	config := s.client.config
	body, at, err := readBootstrap(config.bootstrap, bootstrapFile(s.facts.category), config.maxBody)
	if err != nil {
		return nil, err
	}
	got, err := s.decoded(body, about{origin: OriginBootstrap, fetchedAt: at, confirmedAt: at})
	if err != nil {
		return nil, err
	}
	got.state.Source = OriginBootstrap
	return got, nil
}

func bootstrapFile(c Category) string { return string(c) + ".json" }

// checkBootstrap tells a bootstrap that no category can ever be read from.
func checkBootstrap(documents fs.FS) error {
	if documents == nil {
		return errors.New("want a file system")
	}
	for _, c := range Categories() {
		if _, err := fs.Stat(documents, bootstrapFile(c)); !errors.Is(err, fs.ErrNotExist) {
			return nil // one that cannot be read is told of by the read
		}
	}
	return fmt.Errorf("no document at the root, as %s", bootstrapFile(CategoryImageGeneration))
}

// readBootstrap returns a file and when it was written, which is the zero time for embedded files.
func readBootstrap(documents fs.FS, name string, limit int64) (string, time.Time, error) {
	file, err := documents.Open(name)
	if err != nil {
		return "", time.Time{}, err
	}
	defer func() { _ = file.Close() }() // it was only read
	var (
		body strings.Builder
		at   time.Time
	)
	if info, err := file.Stat(); err == nil {
		at = info.ModTime()
		body.Grow(int(min(max(info.Size(), 0), limit)))
	}
	n, err := io.Copy(&body, io.LimitReader(file, limit+1))
	if err == nil && n > limit {
		err = &bodyTooLarge{limit}
	}
	if err != nil {
		return "", time.Time{}, err
	}
	return body.String(), at, nil
}
