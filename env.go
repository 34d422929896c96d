// FromEnv: options from environment variables.

package modelref

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	envPrefix       = "MODELREF_"
	pythonEnvPrefix = "HORDE_MODEL_REFERENCE_"
)

// FromEnv configures the Client by environment variables. The variables with the prefix MODELREF_ are those of this package:
//
//	MODELREF_PRIMARY_URL      WithPrimaryURL
//	MODELREF_PRIMARY          false is WithoutPrimary
//	MODELREF_API_KEY          WithAPIKey
//	MODELREF_API_KEY_FILE     WithAPIKey, with the content of a file
//	MODELREF_CACHE_DIR        WithCacheDir
//	MODELREF_BOOTSTRAP_DIR    WithBootstrap, with the files of a directory
//	MODELREF_TTL              WithTTL
//	MODELREF_MAX_STALE        WithMaxStale
//	MODELREF_REFRESH_WAIT     WithRefreshWait
//	MODELREF_TIMEOUT          WithTimeout
//	MODELREF_MAX_ATTEMPTS     RetryPolicy.MaxAttempts
//	MODELREF_MAX_DURATION     RetryPolicy.MaxDuration
//	MODELREF_MAX_BODY_BYTES   WithMaxBodyBytes
//	MODELREF_USER_AGENT       WithUserAgent
//	MODELREF_GITHUB           false is WithoutGitHub
//	MODELREF_OFFLINE          true is WithOffline
//
// A duration is a number of seconds or has a unit, such as 90, 1m30s or 250ms. A size may have a unit as well, see [ParseSize]. If
// such a variable is empty, it is treated as unset.
//
// The other variables are those of the Python library horde_model_reference, so that both use the same configuration:
//
//	HORDE_MODEL_REFERENCE_PRIMARY_API_URL          WithPrimaryURL; empty is WithoutPrimary
//	HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS        WithTTL
//	HORDE_MODEL_REFERENCE_PRIMARY_API_TIMEOUT      WithTimeout, in seconds
//	HORDE_MODEL_REFERENCE_ENABLE_GITHUB_FALLBACK   false is WithoutGitHub
//	HORDE_MODEL_REFERENCE_OFFLINE                  true is WithOffline
//	HORDE_MODEL_REFERENCE_IMAGE_GITHUB_REPO__OWNER, __NAME and __BRANCH
//	HORDE_MODEL_REFERENCE_TEXT_GITHUB_REPO__OWNER, __NAME and __BRANCH
//	GITHUB_PROXY_URL_BASE                          GitHubConfig.ProxyPrefix
//	AIWORKER_CACHE_HOME                            WithCacheDir, the folder horde_model_reference in it
//
// If both are set, the variable with the prefix MODELREF_ is used. A variable that is not set changes nothing. If a value is
// invalid, New returns an error with the name of the variable. Options after FromEnv override the environment. Options before it
// are overridden.
func FromEnv() Option { return func(c *config) { c.fromEnv(os.LookupEnv) } }

// An envVariable is an environment variable that FromEnv reads.
type envVariable struct {
	name string
	// use sets the value, which has no spaces around it. setting is the name of the variable, for error messages.
	use func(c *config, setting, value string) error
}

// envVariables returns the variables in the order in which they are applied.
func envVariables() []envVariable {
	variables := []envVariable{
		{pythonEnvPrefix + "PRIMARY_API_URL", func(c *config, setting, value string) error {
			if value == "" {
				c.primaryURL = nil
				return nil
			}
			c.setPrimaryURL(setting, value)
			return nil
		}},
		{pythonEnvPrefix + "CACHE_TTL_SECONDS", envSeconds((*config).setTTL)},
		{pythonEnvPrefix + "PRIMARY_API_TIMEOUT", envSeconds((*config).setTimeout)},
		{pythonEnvPrefix + "ENABLE_GITHUB_FALLBACK", envFlag(func(c *config, on bool) { c.github.enabled = on })},
		{pythonEnvPrefix + "OFFLINE", envFlag(func(c *config, on bool) { c.offline = on })},
	}
	variables = append(variables, repoVariables("IMAGE", func(c *config) *GitHubRepo { return &c.github.Image })...)
	variables = append(variables, repoVariables("TEXT", func(c *config) *GitHubRepo { return &c.github.Text })...)
	return append(variables, []envVariable{
		{"GITHUB_PROXY_URL_BASE", func(c *config, _, value string) error {
			if value == "" {
				return nil
			}
			u, err := parseBaseURL(value)
			if err == nil {
				c.github.ProxyPrefix = u.String()
			}
			return err
		}},
		{"AIWORKER_CACHE_HOME", func(c *config, setting, value string) error {
			if value != "" {
				c.setCacheDir(setting, filepath.Join(value, "horde_model_reference"))
			}
			return nil
		}},
		ownVariable("PRIMARY_URL", envText((*config).setPrimaryURL)),
		ownVariable("PRIMARY", envFlag(func(c *config, on bool) {
			if !on {
				c.primaryURL = nil
			}
		})),
		ownVariable("API_KEY", envText((*config).setAPIKey)),
		ownVariable("API_KEY_FILE", func(c *config, setting, value string) error {
			key, err := os.ReadFile(value) //nolint:gosec // the operator of the program names the file
			if err != nil {
				return fmt.Errorf("the value must be the path of a file that can be read: %w", err)
			}
			if len(strings.TrimSpace(string(key))) == 0 {
				return errors.New("the file must have the key, but it is empty")
			}
			c.setAPIKey(setting, strings.TrimSpace(string(key)))
			return nil
		}),
		ownVariable("CACHE_DIR", envText((*config).setCacheDir)),
		ownVariable("BOOTSTRAP_DIR", func(c *config, setting, value string) error {
			c.setBootstrap(setting, os.DirFS(value))
			return nil
		}),
		ownVariable("TTL", envDuration((*config).setTTL)),
		ownVariable("MAX_STALE", envDuration((*config).setMaxStale)),
		ownVariable("REFRESH_WAIT", envDuration((*config).setRefreshWait)),
		ownVariable("TIMEOUT", envDuration((*config).setTimeout)),
		ownVariable("MAX_ATTEMPTS", func(c *config, setting, value string) error {
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return fmt.Errorf("the value must be a whole number of at least 1, got %q", value)
			}
			policy := c.retry
			policy.MaxAttempts = n
			c.setRetry(setting, policy)
			return nil
		}),
		ownVariable("MAX_DURATION", envDuration(func(c *config, setting string, d time.Duration) {
			if err := checkDuration("the time budget", d, false); err != nil {
				c.fail(setting, "%w", err)
				return
			}
			c.retry.MaxDuration = d
		})),
		ownVariable("MAX_BODY_BYTES", func(c *config, setting, value string) error {
			n, err := ParseSize(value)
			if err != nil {
				return fmt.Errorf("the value must be a size such as 64MiB: %q is not", value)
			}
			c.setMaxBody(setting, n)
			return nil
		}),
		ownVariable("USER_AGENT", envText((*config).setUserAgent)),
		ownVariable("GITHUB", envFlag(func(c *config, on bool) { c.github.enabled = on })),
		ownVariable("OFFLINE", envFlag(func(c *config, on bool) { c.offline = on })),
	}...)
}

// fromEnv applies the variables that are set.
func (c *config) fromEnv(lookup func(string) (string, bool)) {
	for _, variable := range envVariables() {
		value, ok := lookup(variable.name)
		if !ok {
			continue
		}
		setting := "environment variable " + variable.name
		if err := variable.use(c, setting, strings.TrimSpace(value)); err != nil {
			c.fail(setting, "%w", err)
		}
	}
}

// ownVariable returns a variable of this package. If its value is empty, it is treated as unset.
func ownVariable(name string, use func(c *config, setting, value string) error) envVariable {
	return envVariable{envPrefix + name, func(c *config, setting, value string) error {
		if value == "" {
			return nil
		}
		return use(c, setting, value)
	}}
}

// repoVariables returns the variables of a GitHub repository.
func repoVariables(kind string, repo func(*config) *GitHubRepo) []envVariable {
	variable := func(name string, field func(*GitHubRepo) *string) envVariable {
		return envVariable{pythonEnvPrefix + kind + "_GITHUB_REPO__" + name, func(c *config, _, value string) error {
			if value == "" {
				return errors.New("the value must not be empty: unset the variable to use the default")
			}
			changed := *repo(c)
			*field(&changed) = value
			if err := changed.check(); err != nil {
				return err
			}
			*repo(c) = changed
			return nil
		}}
	}
	return []envVariable{
		variable("OWNER", func(r *GitHubRepo) *string { return &r.Owner }),
		variable("NAME", func(r *GitHubRepo) *string { return &r.Name }),
		variable("BRANCH", func(r *GitHubRepo) *string { return &r.Branch }),
	}
}

// envText returns the use of a variable whose value is a text.
func envText(set func(c *config, setting, value string)) func(*config, string, string) error {
	return func(c *config, setting, value string) error {
		set(c, setting, value)
		return nil
	}
}

// envFlag returns the use of a variable whose value is a boolean, in the forms that the Python library accepts.
func envFlag(set func(c *config, on bool)) func(*config, string, string) error {
	return func(c *config, _, value string) error {
		switch strings.ToLower(value) {
		case "1", "true", "t", "yes", "y", "on":
			set(c, true)
		case "0", "false", "f", "no", "n", "off":
			set(c, false)
		default:
			return fmt.Errorf("the value must be true or false, got %q", value)
		}
		return nil
	}
}

// envSeconds returns the use of a variable whose value is a positive number of seconds, which may have a fraction.
func envSeconds(set func(c *config, setting string, d time.Duration)) func(*config, string, string) error {
	return func(c *config, setting, value string) error {
		d, ok := parseSeconds(value)
		if !ok || d <= 0 {
			return fmt.Errorf("the value must be a number of seconds, more than 0, got %q", value)
		}
		set(c, setting, d)
		return nil
	}
}

// envDuration returns the use of a variable whose value is a number of seconds or a duration with units.
func envDuration(set func(c *config, setting string, d time.Duration)) func(*config, string, string) error {
	return func(c *config, setting, value string) error {
		d, ok := parseSeconds(value)
		if !ok {
			var err error
			if d, err = time.ParseDuration(value); err != nil {
				return fmt.Errorf("the value must be a duration such as 90s or 1m30s, or a number of seconds, got %q", value)
			}
		}
		set(c, setting, d)
		return nil
	}
}

// parseSeconds parses a number of seconds. It returns false if the text is not a number, or one that a duration cannot have.
func parseSeconds(value string) (time.Duration, bool) {
	n, err := strconv.ParseFloat(value, 64)
	const limit = float64(1 << 62 / time.Second)
	if err != nil || !(n >= -limit && n <= limit) {
		return 0, false
	}
	d := time.Duration(n * float64(time.Second))
	return d, d != 0 || n == 0
}
