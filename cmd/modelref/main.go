// Start and end of the command: run, the root command with its help, and the exit codes.

// Command modelref reads the model reference of the AI-Horde at a shell. See its README, or modelref --help.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/haidra-org/modelref"
)

// The exit codes, as the help documents them.
const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitMismatch = 3
	exitSignal   = 130 // as shells report a program that an interrupt ended
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	cobra.EnablePrefixMatching = true // "modelref dow" is "modelref download"
	context.AfterFunc(ctx, stop)      // a second signal ends a program that ignores the first
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with its input and output as arguments. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, screen: screenOf(stdout), args: args}
	defer a.close()
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if a.stopPager != nil {
		a.stopPager()
	}
	return a.report(err)
}

const rootHelp = `modelref reads the model reference of the AI-Horde: the curated list of every model that the
cluster may serve, with names, baselines, sizes, download URLs and checksums.

Try it without a network:

  modelref --demo list image_generation

If a source is unavailable, the next one is used: the PRIMARY, GitHub, the cache directory. Flags take
precedence over environment variables, see modelref help environment. Output is a table by default. In
scripts use --json, --jsonl, -o csv, or --quiet (names only).

Exit codes:
  0  it worked
  1  it failed: no source could be read, or a file could not be written
  2  the command line or the environment is invalid; nothing was done
  3  it worked, and the answer is no: not found, a checksum that does not match, or differences
  130  it was interrupted`

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "modelref",
		Short:         "Read the model reference of the AI-Horde",
		Long:          rootHelp,
		Version:       modelref.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,

		SuggestionsMinimumDistance: 2,
	}
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if name := firstWord(a.args); cmd == root && name != "" {
			return unknownCommand(root, name) // its flags cannot be known
		}
		return usagef("%s; see %s --help", flagError(cmd, err), cmd.CommandPath())
	})
	a.addFlags(root)
	root.AddCommand(
		newCategories(a), newList(a), newGet(a), newSearch(a), newPopular(a), newStats(a), newWatch(a),
		newDiff(a), newExport(a), newStatus(a), newVerify(a), newFiles(a), newDownload(a), newPrune(a), newServe(a),
		newOpen(a), newLicenses(a), newGuidance(a), newBaselines(a), newVersion(a), newReference(a),
	)
	for _, cmd := range root.Commands() {
		checkArgs(a, cmd)
	}
	root.SetHelpCommand(newHelp())
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(newEnvironment())
	addInstall(a, root)
	return root
}

// checkArgs makes wrong arguments of a command usage errors, and checks the global flags before it runs.
func checkArgs(a *app, cmd *cobra.Command) {
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check != nil {
			if err := check(cmd, args); err != nil {
				return usagef("%w\nusage: %s", err, cmd.UseLine())
			}
		}
		if err := a.checkFlags(); err != nil {
			return err
		}
		if err := cmd.ValidateFlagGroups(); err != nil {
			return usagef("%s", groupError(err))
		}
		a.startPager(cmd)
		return nil
	}
}

// firstWord returns the first argument if it is not a flag. The value of a flag before it is not told from a command.
func firstWord(args []string) string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return ""
	}
	return args[0]
}

// otherFlags are names that other commands have for flags of this one.
var otherFlags = map[string]string{
	"format": "--output", "desc": "--sort=-FIELD", "reverse": "--sort=-FIELD", "jq": "--jsonl, with jq", "sha256": "files --checksums",
	"histogram": "stats --sizes", "count-by": "--by", "url": "--urls",
}

// unknownFlag matches the error for a flag that does not exist.
var unknownFlag = regexp.MustCompile(`^unknown flag: --([\w-]+)`)

// flagError returns an error of the flags with what was meant, and without the names of Go's functions.
func flagError(cmd *cobra.Command, err error) string {
	text := strings.NewReplacer(
		`strconv.ParseInt: parsing `, "must be a whole number, got ", ": invalid syntax", "", ": value out of range", "",
	).Replace(err.Error())
	parts := unknownFlag.FindStringSubmatch(text)
	if parts == nil {
		return text
	}
	if other, ok := otherFlags[parts[1]]; ok {
		return text + ": did you mean " + other + "?"
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := modelref.NearestNames(parts[1], names, maxSuggestions); len(near) > 0 {
		return text + ": did you mean --" + strings.Join(near, " or --") + "?"
	}
	return text
}

// excluding matches the error for flags that exclude each other.
var excluding = regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(.*)\] were all set$`)

// groupError returns an error of a group of flags for people.
func groupError(err error) string {
	if parts := excluding.FindStringSubmatch(err.Error()); parts != nil {
		return "--" + strings.ReplaceAll(parts[1], " ", " and --") + " exclude each other"
	}
	return err.Error()
}

// newHelp returns the help command. Unlike that of cobra, it fails for a topic that does not exist.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Print the help of a command or a topic",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if len(args) == 0 {
				for _, c := range cmd.Root().Commands() {
					names = append(names, c.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			target, _, err := cmd.Root().Find(args)
			if err != nil || len(args) > 0 && target == cmd.Root() {
				return unknownCommand(cmd.Root(), strings.Join(args, " "))
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		},
	}
}

func unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	if near := root.SuggestionsFor(name); len(near) > 0 {
		return usagef("unknown command %q: did you mean %s?", name, strings.Join(near, " or "))
	}
	return usagef("unknown command %q: must be one of %s", name, strings.Join(names, ", "))
}
