package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"sama/cmd/sama/internal/config"
	"sama/graph"
	"sama/ingest"
	"sama/match"
	"sama/match/blocking"
	"sama/record"
	"sama/run"
	"sama/serve/store"
)

// job is one run on its way: what the steps hand to each other.
type job struct {
	*cli
	*options
	*progress
	conf   *config.File // as given; an empty one where none was
	inputs []ingest.Input
	saved  *match.Model // as given; nil where it is to be trained
	// proposing says that a configuration is all that is wanted: it is printed
	// though a run would refuse its columns, to be edited.
	proposing bool
	lock      *run.Lock
	started   time.Time
	at        *stage // on its way

	// Ingest.
	raws       []*ingest.Raw // nil once the table is built
	files      []run.Input
	encodings  map[string]string // of text files, by path
	rejects    []ingest.Reject
	refused    int64 // rejects in all, listed or not
	mapping    ingest.Mapping
	notes      []ingest.Note
	foldNotes  []ingest.Note
	deltas     map[string]ingest.SourceMapping // sources that only send changes
	kept       []run.File                      // sources, already written
	online     run.Online
	founded    []run.Founded       // identities that were founded online
	tombstones *store.TombstoneSet // nil where there is no state
	removed    int                 // earlier runs that held erased persons
	table      *record.Table
	built      *ingest.BuildReport

	// Match.
	given      []blocking.Rule        // rules of the configuration
	givenSplit []*blocking.Expression // and what splits its blocks
	equals     *match.Copies          // who stands for whom in blocking by given rules
	proposal   *match.Proposal        // nil where the configuration gave the rules
	rules      *blocking.Plan
	splitters  []string
	classical  *match.ClassicalSpec // nil unless the model is classical
	plan       *match.Plan
	candidates *match.Candidates
	model      *match.Model
	weights    *match.Weights
	edges      []match.Edge
	second     int64         // edges of the second look
	flat       []record.Edge // edges, without how they came about
	copies     []match.Edge  // records equal to others, each with the first of them

	// Graph.
	constraints    graph.Constraints
	cut            record.Weight
	chosen         string // how the threshold was chosen
	curve          []graph.Expected
	clusters       *graph.Clusters
	contradictions []graph.Contradiction
	doubts         []graph.Doubt
	decided        []store.Decision // in force
	obeyed         run.Decisions
	conflicts      []string // decisions that contradict something, in words
	prints         []uint64 // record → fingerprint
	past           *run.Past
	found          problems   // with flags and configuration, so far
	follow         *following // nil where rules and model are chosen anew
	guards         []guard
	heldBack       []string // what the guards say is too much
	identities     *graph.Assignment
	golden         *goldenRecords

	report []byte
	path   string   // of the published run
	info   run.Info // as published
}

// step is one stage of a run: it returns the number of items that it went
// through.
type step struct {
	name, unit string
	do         func(*job, context.Context) (int64, error)
}

// newJob reads the configuration and checks flags and arguments before any
// work is done.
func (c *cli) newJob(o *options, files []string) (*job, error) {
	p := new(problems)
	p.flag(o.validate())
	conf, err := readConfig(o.config)
	p.add(err)
	if conf == nil {
		return nil, p.err()
	}
	j := &job{cli: c, options: o, conf: conf, started: c.now(), inputs: inputsOf(&conf.Config, files)}
	switch {
	case slices.Contains(files, ""):
		p.flag(errors.New("an empty file name; is a variable of the shell not set?"))
	case len(j.inputs) > 0 || j.hasDeltas():
	case o.config != "":
		p.flag(fmt.Errorf("no input: %s names no inputs; name the files on the command line, as in sama resolve FILES… --config %s, or list them in it under inputs", o.config, o.config))
	default:
		p.flag(errors.New("no input: name the files to read, such as crm.parquet webshop.csv, or a configuration that lists them with --config"))
	}
	j.readModel(p)
	if len(p.flags) > 0 {
		return nil, p.err()
	}
	j.found = *p
	if !o.changed("max-rejects") {
		o.maxRejects = conf.MaxRejects()
	}
	o.apply()
	j.progress = c.newProgress(o.quiet || o.json && !isTerminal(c.stderr))
	return j, nil
}

// readConfig reads a configuration file; no name is an empty one.
func readConfig(name string) (*config.File, error) {
	if name == "" {
		return &config.File{}, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", name, cause(err))
	}
	return config.Parse(name, text)
}

// inputsOf returns what is to be read: the files of the command line, with the
// configuration's options for those that it names too, or else all that the
// configuration names.
func inputsOf(conf *config.Config, files []string) []ingest.Input {
	var inputs []ingest.Input
	if len(files) == 0 {
		for _, in := range conf.Inputs {
			inputs = append(inputs, in.Ingest())
		}
		return inputs
	}
	var plain []string
	grouped := make([][]string, len(conf.Inputs))
	for _, f := range files {
		if i := slices.IndexFunc(conf.Inputs, func(in config.Input) bool { return slices.Contains(in.Files, f) }); i >= 0 {
			grouped[i] = append(grouped[i], f)
		} else {
			plain = append(plain, f)
		}
	}
	for i, paths := range grouped {
		if len(paths) > 0 {
			in := conf.Inputs[i].Ingest()
			in.Paths = paths
			inputs = append(inputs, in)
		}
	}
	if len(plain) > 0 {
		inputs = append(inputs, ingest.Input{Paths: plain})
	}
	return inputs
}

// run takes the steps one after the other.
func (j *job) run(ctx context.Context, line []step) error {
	defer j.progress.close()
	for _, s := range line {
		if err := ctx.Err(); err != nil {
			return err
		}
		j.at = j.begin(s.name, s.unit)
		items, err := s.do(j, ctx)
		j.at.end(items, err)
		if err != nil {
			return j.found.with(err)
		}
	}
	return nil
}

// takeOut makes sure, before the long work begins, that the output directory
// can be written and that nobody else writes there. One that does not exist is
// made when there is something to put into it.
func (j *job) takeOut() error {
	if err := outProblem(j.out); err != nil {
		return err
	}
	if _, err := os.Stat(j.out); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := run.Unfollowed(j.out); err != nil {
		return err
	}
	return j.lockOut()
}

// lockOut takes the writer's lock, unless the job has it.
func (j *job) lockOut() error {
	if j.lock != nil {
		return nil
	}
	lock, err := run.Acquire(j.out, j.now)
	j.lock = lock
	return err
}

// close gives back what the job holds.
func (j *job) close() {
	if j.lock != nil {
		j.lock.Release()
	}
}

// now is the clock: both cli and progress have it.
func (j *job) now() time.Time { return j.cli.now() }

// sourceNames returns the sources of the table in words: "crm, service and
// webshop".
func (j *job) sourceNames() string {
	names := j.table.Sources
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return fmt.Sprintf("%s and %s", joinComma(names[:n-1]), names[n-1])
	}
}
