// Command serve measures sama serve against its bars, over HTTP and nothing else.
// It generates silos, resolves them, makes purposes and clients, starts
// `sama serve` with a state of its own for each part, and
//
//	-reads        reads profiles by id, by e-mail address, by record key and by a
//	              partial record, for a purpose that stands on consent
//	-writes       sends records and consents, and reads them back
//	-switch N     publishes another run N times while profiles are read
//	-kills N      kills the server N times while records, deletes, consents and
//	              decisions are written, and looks for every acknowledged one
//	-overload     asks on ten times as many connections
//	-agree        sends 2 % of the records online, and asks the next night where
//	              it would have put them
//	-erase N      erases N persons, and looks for them in every file
//	-start        starts the server
//
// The table says for each figure the floor, the aim, and which of them it reaches.
// The exit code is 1 where something was wrong that has nothing to do with time: a
// request that failed, an acknowledged write that is gone, a mixed answer, a value
// of an erased person; with -strict also where a figure is below its floor.
//
//	go run ./benchmarks/serve -all -records 1000000
//	go run ./benchmarks/serve -kills 200 -postgres start
//
// # How rates and latencies are measured
//
// The client shares the machine with the server, so it is a few lines over a
// TCP connection that is kept alive: requests are rendered beforehand, answers are
// read and, but for samples, not decoded. A rate is that of a closed loop: so many
// connections, each of which asks again when it has its answer. A latency is that
// of an open loop at 70 % of that rate, or at the floor's rate where that is
// lower: requests are due at even intervals, and the clock of one starts when it
// is due, not when it could be sent; what waits behind a slow one is slow as well.
// Latencies hold the client's own time.
//
// What is asked follows from -seed, when it is asked does not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"sama/benchmarks/measure"
)

func main() {
	measure.Main(Run)
}

// options are the flags.
type options struct {
	program     string
	records     int
	seed        uint64
	connections int
	limit       time.Duration
	postgres    string
	strict      bool
	keep        string

	all, reads, writes, overload, agree, start bool
	switches, kills, erase                     int
}

// errWrong says that something was wrong; what it was has been printed.
var errWrong = errors.New("something is not as it must be: see above")

// part is a part of what is measured.
type part struct {
	name   string
	wanted bool
	do     func(*bench, context.Context) error
}

// parts are the parts in the order in which they run.
func (o *options) parts() []part {
	return []part{
		{"start", o.start, (*bench).start},
		{"reads", o.reads, (*bench).reads},
		{"writes", o.writes, (*bench).writes},
		{"switch", o.switches > 0, (*bench).switchRuns},
		{"overload", o.overload, (*bench).overloaded},
		{"agree", o.agree, (*bench).agreement},
		{"erase", o.erase > 0, (*bench).erasures},
		{"kills", o.kills > 0, (*bench).killServers},
	}
}

// Run measures as the arguments say and returns the exit code: 0 done, 1 failed
// or something was wrong, 2 wrong flags.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	return measure.ExitCode("serve", stderr, err, func() error { return o.run(ctx, stdout, stderr) })
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := measure.Flags("serve", stderr, &o.program)
	f.IntVar(&o.records, "records", 20000, "about how many `records` the run has")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of the silos and of what is asked")
	f.IntVar(&o.connections, "connections", 32, "`number` of connections of closed loops")
	f.DurationVar(&o.limit, "for", 10*time.Second, "`time` that each load lasts; that of -overload is six times as long")
	f.StringVar(&o.postgres, "postgres", "", "`url` of a PostgreSQL database for the state, or start to start Debian's; -kills uses both it and SQLite")
	f.BoolVar(&o.strict, "strict", false, "fail where a figure is below its floor")
	f.StringVar(&o.keep, "keep", "", "`folder` to leave silos, runs and states in")
	f.BoolVar(&o.all, "all", false, "all parts, with -switch 100 -kills 200 -erase 20 where not said otherwise")
	f.BoolVar(&o.reads, "reads", false, "profiles by id, identifier, record key and partial record")
	f.BoolVar(&o.writes, "writes", false, "records and consents")
	f.IntVar(&o.switches, "switch", 0, "`number` of times that another run is published under load")
	f.IntVar(&o.kills, "kills", 0, "`number` of kills under mixed writes")
	f.BoolVar(&o.overload, "overload", false, "ten times the connections")
	f.BoolVar(&o.agree, "agree", false, "online resolve against the next night")
	f.IntVar(&o.erase, "erase", 0, "`number` of persons to erase")
	f.BoolVar(&o.start, "start", false, "time and memory of the start")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if o.all {
		o.reads, o.writes, o.overload, o.agree, o.start = true, true, true, true, true
		for _, x := range []struct {
			n     *int
			value int
		}{{&o.switches, 100}, {&o.kills, 200}, {&o.erase, 20}} {
			if *x.n == 0 {
				*x.n = x.value
			}
		}
	}
	return o, o.check(f)
}

func (o *options) check(f *flag.FlagSet) error {
	errs := []error{
		measure.NoArguments(f), measure.AtLeast("records", o.records, 100), measure.AtLeast("connections", o.connections, 1),
		measure.AtLeast("switch", o.switches, 0), measure.AtLeast("kills", o.kills, 0), measure.AtLeast("erase", o.erase, 0),
	}
	if o.limit <= 0 {
		errs = append(errs, fmt.Errorf("-for %s: want a time", o.limit))
	}
	wanted := false
	for _, p := range o.parts() {
		wanted = wanted || p.wanted
	}
	if !wanted {
		errs = append(errs, errors.New("nothing to do: name parts, or -all"))
	}
	return errors.Join(errs...)
}

// bench is one call of the program.
type bench struct {
	*options
	program string
	dir     string
	silos   *silos
	base    *base
	server  *database // PostgreSQL for the state; nil is SQLite
	servers []*server // of the part under way
	table   table
	wrong   int
	stderr  io.Writer
}

// run makes what all parts need, and does them one after the other.
func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	tmp, err := os.MkdirTemp("", "sama-serve-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	program, err := measure.Use(ctx, o.program, tmp)
	if err != nil {
		return err
	}
	b := &bench{options: o, dir: tmp, stderr: stderr}
	if b.program, err = filepath.Abs(string(program)); err != nil {
		return err
	}
	if o.keep != "" {
		if b.dir, err = filepath.Abs(o.keep); err != nil {
			return err
		}
	}
	if o.postgres != "" {
		if b.server, err = openDatabase(ctx, o.postgres); err != nil {
			return err
		}
		defer b.server.close()
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, p := range o.parts() {
		if !p.wanted {
			continue
		}
		b.note("%s", p.name)
		err := p.do(b, ctx)
		for _, s := range b.servers {
			err = errors.Join(err, s.endedBadly())
			s.kill()
		}
		b.servers = nil
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.violated(p.name, "it broke off: %v", err)
			b.table.rows = append(b.table.rows, bar{p.name + " broke off", "–", "–", "–", "BELOW"})
		}
	}
	b.table.print(stdout)
	if b.wrong > 0 || o.strict && b.table.below > 0 {
		return errWrong
	}
	return nil
}

// violated reports what must not be, whatever the machine.
func (b *bench) violated(what, format string, args ...any) {
	if b.wrong++; b.wrong <= maxTold {
		fmt.Fprintf(b.stderr, "WRONG, %s: %s\n", what, fmt.Sprintf(format, args...))
	}
}

// maxTold is how much of what is wrong is told.
const maxTold = 200

func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(b.stderr, format+" …\n", args...)
}
