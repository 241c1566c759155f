// Command sama resolves records of several sources into identities.
//
// This package is wiring only: a file a subcommand, flags, signals, exit codes.
// What is computed is computed in the packages of the module; resolve.go calls
// them one after the other.
//
//	main.go         signals and the process
//	cli.go          the root command, Run, exit codes
//	resolve.go      the nightly run: the line from exports to a run directory
//	job.go          what the steps of that line hand to each other
//	job_*.go        the steps, by the packages that they call
//	content.go      a job as the run directory's content
//	page.go         a job as the report's data, examples.go its examples
//	summary.go      a job on one screen
//	init.go …       the other commands, each in files of its name
//	reopen.go       an earlier run's records and model, for explain and evaluate
//	internal/config sama.yaml: strict reading, writing with comments, schema
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
