// GitHub as a source: the legacy file of a category, converted to a v2 document.

package modelref

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/haidra-org/modelref/internal/clock"
	"github.com/haidra-org/modelref/internal/httpx"
	"github.com/haidra-org/modelref/internal/redact"
)

// githubConfig is a GitHubConfig with its defaults, and whether the fallback is enabled.
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
	info, ok := infoOf(category)
	if !ok || info.repo == noRepo {
		return "", fmt.Errorf("%w: GitHub has no file for %s", ErrNotConfigured, category)
	}
	return g.fileURL(info.repo, info.fileOnGitHub())
}

func (g *githubConfig) fileURL(repo githubRepo, file string) (string, error) {
	in, field := g.Image, "Image"
	if repo == textRepo {
		in, field = g.Text, "Text"
	}
	if err := in.check(); err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	base, err := parseBaseURL(g.BaseURL)
	if err != nil {
		return "", fmt.Errorf("BaseURL: %w", err)
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
		return "", fmt.Errorf("ProxyPrefix: %w", err)
	}
	return strings.TrimRight(g.ProxyPrefix, "/") + "/" + full, nil
}

// check returns an error if a name could not be that of an owner, a repository or a branch.
func (r GitHubRepo) check() error {
	for _, part := range []struct{ field, value string }{{"Owner", r.Owner}, {"Name", r.Name}} {
		if strings.ContainsAny(part.value, `/\`) {
			return fmt.Errorf("%s must be one name without slashes, got %q", part.field, part.value)
		}
	}
	for _, part := range []struct{ field, value string }{{"Owner", r.Owner}, {"Name", r.Name}, {"Branch", r.Branch}} {
		if hasDots(part.value) || strings.ContainsFunc(part.value, func(c rune) bool { return c == ' ' || redact.IsControl(c) }) {
			return fmt.Errorf("%s must be a name on GitHub, got %q", part.field, part.value)
		}
	}
	return nil
}

// githubSource is the two GitHub repositories.
type githubSource struct {
	http   *httpx.Client
	config *githubConfig
	clock  *clock.Clock
}

// from returns the fingerprint of the legacy file of a category, or "" if there is none.
func (g *githubConfig) from(category Category) string {
	raw, err := g.url(category)
	if err != nil || !g.enabled {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return fingerprint(u)
}

// fetch requests the legacy file and converts it. The document is unchanged if the file has the ETag of the previous one.
func (g *githubSource) fetch(ctx context.Context, r fetchRequest) (fetchResult, error) {
	target, err := g.config.url(r.info.category)
	if err != nil {
		return fetchResult{}, err
	}
	request := httpx.Request{URL: target, Accept: "application/json, text/csv, text/plain"}
	if r.probe {
		request.MaxAttempts, request.NewConnection = 1, true
	}
	if r.previous != nil {
		request.ETag = r.previous.validators.ETag
	}
	resp, err := g.http.Do(ctx, request)
	if err != nil {
		return fetchResult{requests: requestsOf(err)}, err
	}
	result := fetchResult{
		requests: resp.Requests, strict: true, confirmedAt: datedAt(g.clock, resp),
	}
	if resp.NotModified() {
		result.unchanged, result.validators = true, r.previous.validators
		return result, nil
	}
	ref, err := convertLegacy(r, resp.Body)
	if err != nil {
		result.status = resp.StatusCode
		return result, err
	}
	result.doc = &document{ref: ref, size: len(resp.Body), validators: validators{
		Source: SourceGitHub, From: g.config.from(r.info.category), ETag: resp.Header.Get("ETag"),
		DownloadedAt: result.confirmedAt,
	}}
	return result, nil
}

// convertLegacy converts a legacy file and decodes the result. Records that cannot be converted are listed as rejected.
func convertLegacy(r fetchRequest, body string) (anyDocument, error) {
	category := r.info.category
	converted, dropped, err := convertLegacyFile(body, category)
	if err != nil {
		return nil, err
	}
	ref, err := r.decode(converted, metadata{category: category, origin: SourceGitHub})
	if err != nil {
		return nil, err
	}
	meta := ref.meta()
	meta.rejected = append(dropped, meta.rejected...)
	if ref.Len() == 0 && len(meta.rejected) > 0 {
		return nil, &DecodeError{
			Category: category, Offset: -1, Reason: "no record can be converted: " + meta.rejected[0].Error(),
		}
	}
	return ref, nil
}
