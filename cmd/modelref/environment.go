// The environment variables, as a topic of the help.

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// variable is an environment variable that the command, the SDK or package download reads.
type variable struct{ name, about string }

// variableGroup is a part of the topic.
type variableGroup struct {
	title     string
	variables []variable
}

func variableGroups() []variableGroup {
	return []variableGroup{
		{"What is read", []variable{
			{"MODELREF_PRIMARY_URL", "base URL of the PRIMARY (default https://models.aihorde.net/api)"},
			{"MODELREF_PRIMARY", "false: do not use the PRIMARY"},
			{"MODELREF_GITHUB", "false: do not fall back to the files on GitHub"},
			{"MODELREF_OFFLINE", "true: read only the cache directory"},
			{"MODELREF_API_KEY", "API key, sent to the PRIMARY only"},
			{"MODELREF_API_KEY_FILE", "file that contains the API key"},
			{"MODELREF_CACHE_DIR", "directory for copies (default: modelref in the user's cache directory)"},
			{"MODELREF_BOOTSTRAP_DIR", "directory with documents that are used if nothing else is available"},
		}},
		{"Limits; a duration is a number of seconds or has a unit, such as 90 or 1m30s", []variable{
			{"MODELREF_TTL", "time for which a copy is used without a request (default 1m)"},
			{"MODELREF_MAX_STALE", "maximum age of a copy that is preferred to GitHub"},
			{"MODELREF_REFRESH_WAIT", "maximum wait for a refresh if there is a copy"},
			{"MODELREF_TIMEOUT", "time limit of one attempt (default 10s)"},
			{"MODELREF_MAX_ATTEMPTS", "maximum number of attempts of one request"},
			{"MODELREF_MAX_DURATION", "time limit of one read with all its attempts (default 20s)"},
			{"MODELREF_MAX_BODY_BYTES", "maximum size of a document, in bytes or with a unit such as 64MB"},
			{"MODELREF_USER_AGENT", "text that is added to the User-Agent of requests"},
		}},
		{"Variables of the Python library, if the one of modelref is not set", []variable{
			{"HORDE_MODEL_REFERENCE_PRIMARY_API_URL", "base URL of the PRIMARY; empty: do not use the PRIMARY"},
			{"HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS", "like MODELREF_TTL, in seconds"},
			{"HORDE_MODEL_REFERENCE_PRIMARY_API_TIMEOUT", "like MODELREF_TIMEOUT, in seconds"},
			{"HORDE_MODEL_REFERENCE_ENABLE_GITHUB_FALLBACK", "false: do not fall back to the files on GitHub"},
			{"HORDE_MODEL_REFERENCE_OFFLINE", "true: read only the cache directory"},
			{"HORDE_MODEL_REFERENCE_IMAGE_GITHUB_REPO__OWNER", "owner of the repository of image models; also __NAME and __BRANCH"},
			{"HORDE_MODEL_REFERENCE_TEXT_GITHUB_REPO__OWNER", "owner of the repository of text models; also __NAME and __BRANCH"},
			{"GITHUB_PROXY_URL_BASE", "URL that is put before the URLs of files on GitHub"},
			{"AIWORKER_CACHE_HOME", "weights root; copies are kept in the folder horde_model_reference in it"},
		}},
		{"Downloads", []variable{
			{"CIVIT_API_TOKEN", "token for civitai, sent to civitai only"},
			{"HF_TOKEN", "token for Hugging Face, sent to Hugging Face only"},
		}},
		{"Network", []variable{
			{"HTTP_PROXY, HTTPS_PROXY", "proxy of requests"},
			{"NO_PROXY", "hosts that are reached without the proxy"},
		}},
		{"Terminal", []variable{
			{"MODELREF_PAGER, PAGER", "pager of long output (default less); empty or cat for none"},
			{"NO_COLOR", "if it is not empty, no colours are used"},
			{"COLUMNS", "width of the terminal"},
			{"FORCE_HYPERLINK", "1 or 0: print hyperlinks, or do not"},
			{"XDG_CACHE_HOME", "the user's cache directory, on Linux and other Unix systems"},
		}},
	}
}

// newEnvironment returns the topic. It is not a command: it has nothing to run.
func newEnvironment() *cobra.Command {
	var text strings.Builder
	text.WriteString("Environment variables. Flags take precedence over them. An empty variable is treated as unset unless it says otherwise.\n")
	for _, group := range variableGroups() {
		fmt.Fprintf(&text, "\n%s:\n", group.title)
		for _, v := range group.variables {
			fmt.Fprintf(&text, "  %-46s %s\n", v.name, v.about)
		}
	}
	return &cobra.Command{
		Use:   "environment",
		Short: "The environment variables that are read",
		Long:  strings.TrimSuffix(text.String(), "\n"),
	}
}
