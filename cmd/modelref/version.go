// version: which build of the command this is.

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// buildVersion is what is known of the build.
type buildVersion struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"` // of the commit, in RFC 3339
	Modified bool   `json:"modified"`       // the tree had changes that were not committed
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Print the version, the commit and the Go version",
		Example:           "  modelref version --json",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return a.printVersion(versionOf(debug.ReadBuildInfo())) },
	}
}

// versionOf returns the version that the build information has. Outside of a repository it has no commit.
func versionOf(info *debug.BuildInfo, ok bool) buildVersion {
	v := buildVersion{Version: modelref.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if !ok {
		return v
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Commit = setting.Value
		case "vcs.time":
			v.Time = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v
}

func (a *app) printVersion(v buildVersion) error {
	if a.flags.json || a.flags.jsonl {
		return a.printJSON(v)
	}
	if a.flags.quiet {
		_, err := fmt.Fprintln(a.stdout, v.Version)
		return err
	}
	commit := v.Commit
	if commit == "" {
		commit = "unknown"
	}
	if v.Modified {
		commit += " with changes"
	}
	if v.Time != "" {
		commit += ", " + v.Time
	}
	_, err := fmt.Fprintf(a.stdout, "modelref %s\ncommit %s\n%s %s\n", v.Version, commit, v.Go, v.Platform)
	return err
}
