package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"sama/cmd/sama/internal/config"
	"sama/run"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit codes, as the help text and the README document them.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2 // wrong usage or configuration
	exitRejected = 3 // the input was rejected
	exitLocked   = 4 // another run holds the lock
)

// exitCodesHelp is shown by every command.
const exitCodesHelp = `Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 input rejected,
4 another run holds the lock.`

// usageError is a mistake in flags, arguments or configuration.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// rejectedError is input that a run refuses to stand on.
type rejectedError struct{ err error }

func (e *rejectedError) Error() string { return e.err.Error() }
func (e *rejectedError) Unwrap() error { return e.err }

func rejectedf(format string, args ...any) error { return &rejectedError{fmt.Errorf(format, args...)} }

// failedCheck says that a command did its work and the answer is no: what it
// found has been printed already.
type failedCheck struct{ what string }

func (e *failedCheck) Error() string { return e.what }

// exitCode maps an error to the exit code of the process.
func exitCode(err error) int {
	var locked *run.ErrLocked
	var usage *usageError
	var rejected *rejectedError
	var conf *config.Errors
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &locked):
		return exitLocked
	case errors.As(err, &rejected):
		return exitRejected
	case errors.As(err, &usage), errors.As(err, &conf):
		return exitUsage
	}
	return exitFailed
}

// cli is the outside world as commands see it.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
}

// Run runs one command line (without the program's name) and returns the exit
// code. It is all of main but for signals, so that tests call it.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &answer{to: stdout}
	c := &cli{stdin: stdin, stdout: out, stderr: stderr, now: time.Now}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil {
		err = errors.New("interrupted; nothing was changed")
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("the answer could not be written: %w", cause(out.err))
	}
	if err != nil {
		c.printError(err)
	}
	return exitCode(err)
}

// answer remembers that something could not be written: an answer that is lost
// is a failure, whoever wrote it.
type answer struct {
	to  io.Writer
	err error
}

func (a *answer) Write(p []byte) (int, error) {
	n, err := a.to.Write(p)
	if err != nil && a.err == nil {
		a.err = err
	}
	return n, err
}

// printError writes an error to stderr, one line a problem.
func (c *cli) printError(err error) {
	for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
		fmt.Fprintln(c.stderr, "sama:", line)
	}
}

// root builds the whole command tree anew: commands hold no state between runs.
func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sama",
		Short: "Finds the records that mean the same person, and keeps one identity per person",
		Long: `sama reads exports of several systems, finds the records that mean the same person,
and writes one identity per person: its golden record, its sources, its reasons.

` + exitCodesHelp,
		Example: `  sama resolve crm.parquet webshop.csv.gz service.jsonl --out customers
  sama explain crm:C0012 webshop:W0093 --out customers`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; run sama help to see the commands", args[0])
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// A flag is unknown where the command before it is mistyped.
		if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
			return cmd.RunE(cmd, args)
		}
		return usagef("%v; see %s --help", err, cmd.CommandPath())
	})
	for _, sub := range []*cobra.Command{
		c.initCommand(), c.resolveCommand(), c.trainCommand(), c.explainCommand(), c.evaluateCommand(),
		c.diffCommand(), c.runsCommand(), c.rollbackCommand(), c.pruneCommand(), c.checkCommand(), c.decideCommand(),
		c.serveCommand(), c.exportCommand(), c.clientCommand(), c.purposeCommand(), c.auditCommand(), c.backupCommand(),
		c.generateCommand(), c.versionCommand(),
	} {
		sub.Long = strings.TrimSpace(sub.Long) + "\n\n" + exitCodesHelp
		root.AddCommand(sub)
	}
	root.Version = version()
	root.SetVersionTemplate("sama {{.Version}}\n")
	strict(root)
	return root
}

// strict makes a mistake in the arguments of help and completion, which cobra
// provides, a usage error: by themselves they answer it with a help text.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Short, cmd.Example = "Help on a command", "  sama help resolve"
			cmd.Long = "Says what a command does, with its flags and examples.\n\n" + exitCodesHelp
			cmd.Run = nil
			cmd.RunE = func(_ *cobra.Command, args []string) error {
				about := root
				for _, name := range args {
					i := slices.IndexFunc(about.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
					if i < 0 {
						return usagef("unknown command %q; run sama help to see the commands", name)
					}
					about = about.Commands()[i]
				}
				return about.Help()
			}
		case "completion":
			cmd.Short, cmd.Example = "Print a script with which a shell completes sama's commands and flags", "  source <(sama completion bash)"
			cmd.Long = "Prints the script for one shell; the help of each says how to install it.\n\n" + exitCodesHelp
			var shells []string
			for _, shell := range cmd.Commands() {
				shells = append(shells, shell.Name())
				shell.Args = arguments(0, 0, "no arguments")
			}
			cmd.Args = cobra.ArbitraryArgs
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				if len(args) > 0 {
					return usagef("sama completion: no shell %q; want one of %s", args[0], joinComma(shells))
				}
				return cmd.Help()
			}
		}
	}
}

// arguments returns a cobra argument check whose error is a usage error.
func arguments(least, most int, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usagef("%s: want %s, got %d; see %s --help", cmd.CommandPath(), want, len(args), cmd.CommandPath())
		}
		return nil
	}
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// version returns the version that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Prints the version that the binary was built from.",
		Example: "  sama version",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(c.stdout, "sama", version())
			return err
		},
	}
}
