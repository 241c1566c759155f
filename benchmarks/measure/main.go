package measure

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main is the main function of a program that measures: it runs until it is
// done, or until it is interrupted, and ends the process with run's exit code.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	Helper()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Flags are the flags of a program that measures; -sama, which all of them have,
// sets program.
func Flags(name string, stderr io.Writer, program *string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(program, "sama", "", "sama `binary` to run (default: build it)")
	return f
}

// NoArguments returns an error if there are arguments behind the flags.
func NoArguments(f *flag.FlagSet) error {
	if f.NArg() == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %q; see -help", f.Arg(0))
}

// AtLeast returns an error if the value of a flag is below the least that it may
// be.
func AtLeast(name string, value, least int) error {
	if value >= least {
		return nil
	}
	return fmt.Errorf("-%s %d: want at least %d", name, value, least)
}

// ExitCode does the work of a program whose flags were read with the error
// parsed, says on stderr what went wrong, and returns the exit code: 0 done, or
// asked for help, 1 failed, 2 wrong flags.
func ExitCode(name string, stderr io.Writer, parsed error, work func() error) int {
	if errors.Is(parsed, flag.ErrHelp) {
		return 0
	}
	if parsed != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, parsed)
		return 2
	}
	if err := work(); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}
