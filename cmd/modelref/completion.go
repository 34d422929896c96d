// completion install: write the completion script to the directory that a shell searches.

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// addInstall adds the command install to the completion command of cobra.
func addInstall(a *app, root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.AddCommand(newInstall(a))
		}
	}
}

var installable = []string{"bash", "fish", "zsh"}

func newInstall(a *app) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "install [SHELL]",
		Short: "Write the completion script where the shell finds it",
		Long: `Write the completion script of bash, fish or zsh to the place where the shell finds it, and print the place. The
default is the shell of the environment variable SHELL. In a new shell, the Tab key completes commands,
categories, names of models and values.`,
		Example: `  modelref completion install
  modelref completion install fish --dry-run`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(installable, cobra.ShellCompDirectiveNoFileComp),
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the place, and write nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		shell := filepath.Base(os.Getenv("SHELL"))
		if len(args) == 1 {
			shell = args[0]
		}
		if !slices.Contains(installable, shell) {
			return usagef("completion install %q: the shell must be one of %s", shell, strings.Join(installable, ", "))
		}
		return a.installCompletion(cmd.Root(), shell, dryRun)
	}
	return cmd
}

func (a *app) installCompletion(root *cobra.Command, shell string, dryRun bool) error {
	path, err := completionPath(shell)
	if err != nil {
		return err
	}
	if !dryRun {
		var script bytes.Buffer
		switch shell {
		case "bash":
			err = root.GenBashCompletionV2(&script, true)
		case "fish":
			err = root.GenFishCompletion(&script, true)
		default:
			err = root.GenZshCompletion(&script)
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // as other programs do
			return err
		}
		if err := replaceFile(path, script.Bytes()); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(a.stdout, printable(path)); err != nil {
		return err
	}
	switch shell {
	case "bash":
		a.notef("bash needs the package bash-completion to find it")
	case "zsh":
		a.notef("zsh finds it if ~/.zshrc has this line before compinit: fpath=(%s $fpath)", filepath.Dir(path))
	}
	return nil
}

// completionPath returns the place of the completion script of a shell.
func completionPath(shell string) (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	directory := func(variable string, otherwise ...string) string {
		if dir := os.Getenv(variable); filepath.IsAbs(dir) {
			return dir
		}
		return filepath.Join(append([]string{home}, otherwise...)...)
	}
	switch shell {
	case "bash":
		if dir := os.Getenv("BASH_COMPLETION_USER_DIR"); filepath.IsAbs(dir) {
			return filepath.Join(dir, "completions", "modelref"), nil
		}
		return filepath.Join(directory("XDG_DATA_HOME", ".local", "share"), "bash-completion", "completions", "modelref"), nil
	case "fish":
		return filepath.Join(directory("XDG_CONFIG_HOME", ".config"), "fish", "completions", "modelref.fish"), nil
	default:
		return filepath.Join(directory("ZDOTDIR"), ".zfunc", "_modelref"), nil
	}
}
