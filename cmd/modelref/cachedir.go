// The cache directory that is used by default, so that a second call need not ask the service again.

package main

import (
	"context"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
)

// defaultCacheDir returns the cache directory of the deployment that is read, below the user's cache directory. Each
// deployment has its own, so that the copies of one never answer for another. It returns "" if the user has no cache
// directory, or if it cannot be created.
func defaultCacheDir(primaryURL string) string {
	home, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir := filepath.Join(home, "modelref", directoryName(primaryURL))
	if os.MkdirAll(dir, 0o750) != nil {
		return ""
	}
	return dir
}

// directoryName returns the name of the directory of a deployment.
func directoryName(primaryURL string) string {
	if primaryURL == "" {
		return "github"
	}
	name := primaryURL
	if u, err := url.Parse(primaryURL); err == nil && u.Host != "" {
		name = u.Host + strings.TrimSuffix(u.Path, "/")
	}
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}

// primaryURL returns the base URL of the PRIMARY that the flags and the environment name, or "" if there is no PRIMARY.
func (f *globalFlags) primaryURL() string {
	if f.primarySet {
		return f.primary
	}
	if name := os.Getenv("MODELREF_PRIMARY_URL"); name != "" {
		return name
	}
	if name, ok := os.LookupEnv("HORDE_MODEL_REFERENCE_PRIMARY_API_URL"); ok {
		return name
	}
	return modelref.DefaultPrimaryURL
}

// gitHubOff reports whether the flags or the environment switch GitHub off.
func (f *globalFlags) gitHubOff() bool {
	for _, name := range []string{"MODELREF_GITHUB", "HORDE_MODEL_REFERENCE_ENABLE_GITHUB_FALLBACK"} {
		if on, err := strconv.ParseBool(os.Getenv(name)); err == nil {
			return f.noGitHub || !on
		}
	}
	return f.noGitHub
}

// environmentHasCacheDir reports whether an environment variable names a cache directory.
func environmentHasCacheDir() bool {
	return os.Getenv("MODELREF_CACHE_DIR") != "" || os.Getenv("AIWORKER_CACHE_HOME") != ""
}

// cacheOptions returns the options before and after those of the environment that choose the cache directory.
func (f *globalFlags) cacheOptions() (before, after []modelref.Option) {
	switch {
	case f.demo:
		return nil, nil
	case f.cacheDir != "":
		return nil, []modelref.Option{modelref.WithCacheDir(f.cacheDir)}
	case f.noCache && environmentHasCacheDir():
		return nil, []modelref.Option{modelref.WithStore(noStore{})}
	case f.noCache || environmentHasCacheDir() || f.primaryURL() == "" && f.gitHubOff():
		return nil, nil
	}
	if dir := defaultCacheDir(f.primaryURL()); dir != "" {
		return []modelref.Option{modelref.WithCacheDir(dir)}, nil
	}
	return nil, nil
}

// noStore is a store without documents. It takes the place of a cache directory that the environment names.
type noStore struct{}

func (noStore) Read(context.Context, modelref.Category, int64) (modelref.StoreEntry, error) {
	return modelref.StoreEntry{}, fs.ErrNotExist
}

func (noStore) ReadProvenance(context.Context, modelref.Category) (string, error) {
	return "", fs.ErrNotExist
}

func (noStore) Write(context.Context, modelref.Category, string, string) error { return nil }

func (noStore) WriteProvenance(context.Context, modelref.Category, string) error {
	return fs.ErrNotExist
}

func (noStore) TryLock(context.Context, modelref.Category, time.Duration) (func(), error) {
	return func() {}, nil
}
