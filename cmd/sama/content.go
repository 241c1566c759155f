package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sama/cmd/sama/internal/config"
	"sama/ingest"
	"sama/match"
	"sama/record"
	"sama/run"
	"sama/run/index"
	"sama/serve/online"
)

// secondLookRule names what found the edges that no blocking rule did.
const secondLookRule = "second look"

// publish writes the run directory and makes it the current run.
func (j *job) publish(ctx context.Context) (int64, error) {
	content, err := j.content()
	if err != nil {
		return 0, err
	}
	opt := run.Options{Now: j.now, Workers: j.workers, Arrow: j.arrow, Lock: j.lock, Kept: j.kept}
	if len(j.guards) > 0 && j.past.Previous != nil {
		opt.HoldBack = j.judge
	}
	path, err := run.Publish(ctx, j.out, content, opt)
	if err != nil {
		return 0, err
	}
	published, err := run.Open(path)
	if err != nil {
		return 0, err
	}
	j.path, j.info = path, published.Info
	return int64(len(j.info.Files)) + 1, cmp.Or(j.removeErased(), j.forgetOnline(ctx))
}

// content is all that the run found, as the run directory keeps it.
func (j *job) content() (*run.Content, error) {
	model, err := modelJSON(j.model)
	if err != nil {
		return nil, err
	}
	sections, err := j.sections()
	if err != nil {
		return nil, err
	}
	consents, err := j.consents()
	if err != nil {
		return nil, err
	}
	c := &run.Content{
		Table:         j.table,
		Identity:      j.clusters.Of,
		Assigned:      j.identities,
		Gone:          j.past.Gone,
		Times:         j.past.Times(j.clusters, j.identities),
		Fingerprint:   j.prints,
		Golden:        j.golden.columns,
		RuleNames:     j.golden.rules,
		Edges:         j.flat,
		BlockingRules: append(ruleNames(j), secondLookRule),
		Consents:      consents,
		Sections:      sections,
		Config:        j.usedConfig().YAML(j.configNotes()),
		Model:         model,
		Report:        j.report,
		Info:          j.runInfo(),
	}
	for _, r := range j.rejects {
		c.Rejects = append(c.Rejects, run.Reject{File: r.File, Row: r.Row, Column: r.Column, Reason: r.Reason, Value: r.Value})
	}
	for _, m := range j.model.Comparisons {
		rc := run.Comparison{Name: m.Name}
		for _, l := range m.Levels {
			rc.Levels = append(rc.Levels, l.Label)
		}
		c.Comparisons = append(c.Comparisons, rc)
	}
	c.Rule, c.Levels = j.edgeColumns(len(c.Comparisons))
	return c, nil
}

// consents carries what persons agreed and refused to on from the previous run.
func (j *job) consents() (*run.Consents, error) {
	columns := make([]run.ConsentColumn, len(j.built.Consents))
	for i, c := range j.built.Consents {
		columns[i] = run.ConsentColumn(c)
	}
	leftOut := make(map[record.Key]bool)
	for _, s := range j.built.Sources {
		for _, id := range s.ErasedIDs {
			leftOut[record.Key{Source: s.Source, ID: id}] = true
		}
	}
	tombstones := j.erasures()
	consents, err := j.past.Consents(columns, func(k record.Key) bool {
		return leftOut[k] || tombstones != nil && tombstones.Record != nil && tombstones.Record(k.Source, k.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("the previous run %s: %w", j.past.Previous.Info.ID, err)
	}
	return consents, nil
}

// sections is what serving needs to match records that come before the next run.
func (j *job) sections() ([]index.Section, error) {
	reading, err := json.Marshal(readingOf(j.built))
	if err != nil {
		return nil, err
	}
	return online.Sections(j.plan, j.rules, online.Settings{Constraints: j.once(), Golden: j.conf.Golden, Reading: reading})
}

// edgeColumns returns the rule and the levels of every edge.
func (j *job) edgeColumns(comparisons int) (rules []uint16, levels []uint8) {
	rules = make([]uint16, len(j.edges))
	levels = make([]uint8, 0, len(j.edges)*comparisons)
	for i := range j.edges {
		e := &j.edges[i]
		rules[i] = e.Rule
		if e.Rule == match.SecondLook {
			rules[i] = uint16(len(j.rules.Rules))
		}
		for _, l := range e.Vector[:comparisons] {
			if l == 0 {
				l = run.NoLevel
			}
			levels = append(levels, l)
		}
	}
	return rules, levels
}

func ruleNames(j *job) []string {
	names := make([]string, len(j.rules.Rules))
	for i, r := range j.rules.Rules {
		names[i] = r.Name
	}
	return names
}

// modelJSON writes a model for people and for diff: indented, a trailing
// newline.
func modelJSON(m *match.Model) ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	return append(text, '\n'), err
}

// runInfo is what run.json says beside what Publish finds out itself.
func (j *job) runInfo() run.Info {
	info := run.Info{
		Version:   version(),
		Number:    j.past.Number,
		Started:   j.started.UTC(),
		Since:     j.past.Since,
		Decisions: j.obeyed,
		Online:    j.online,
		Inputs:    j.files,
		Counts: run.Counts{
			Rejects:        j.refused,
			CandidatePairs: j.candidates.Pairs,
			GivenUpPairs:   j.givenUp(),
			Doubtful:       int64(len(j.doubts)),
		},
		Threshold: run.Threshold{Bits: j.cut.Bits(), Probability: j.cut.Probability(), Chosen: j.chosen},
		Workers:   j.workers,
		Stages:    slices.Clone(j.stages),
	}
	info.Learned = run.Learned{Number: j.past.Number, Records: int64(j.table.Len())}
	if j.follow != nil {
		info.Learned = j.follow.learned
	}
	if j.past.Previous != nil {
		info.Previous = j.past.Previous.Info.ID
	}
	for _, e := range j.curve {
		if e.Threshold == j.cut {
			info.Quality = &run.Quality{Precision: e.Precision(), Recall: e.Recall(), F1: e.F1()}
		}
	}
	return info
}

// givenUp counts the pairs of blocks that were too large.
func (j *job) givenUp() int64 {
	var n int64
	for _, s := range j.rules.Stats {
		n += s.GivenUpPairs
	}
	return n
}

// usedConfig is the configuration that the run stands on: all that was decided
// is written out, so that with the same data it gives the same result. Files of
// the command line are left out: they are in run.json, and the decisions do
// not depend on how the data was cut into files.
func (j *job) usedConfig() *config.Config {
	c := j.conf.Config
	c.Sources = j.mapping.Sources
	slices.SortFunc(c.Sources, bySource)
	c.Blocking.Rules = ruleNames(j)
	c.Blocking.SplitBy = j.splitters
	c.Blocking.Block = j.blockLimit()
	c.Model = config.Model{}
	if j.classical != nil {
		c.Model.Method, c.Model.Classical = config.MethodClassical, j.classical
	} else {
		joint := j.plan.Joint
		c.Model.Joint = &joint
	}
	if j.chosen == chosenGiven || j.chosen == chosenBefore {
		c.Clusters.Threshold = j.cut.Probability()
	}
	share := j.maxRejects
	c.Rejects.MaxShare = &share
	return &c
}

// blockLimit returns the greatest number of records in a block.
func (j *job) blockLimit() int {
	if j.proposal != nil {
		return cmp.Or(j.proposal.Options.Limit, j.conf.Budget().Block)
	}
	return j.conf.Budget().Block
}

// describeInputs are the inputs as given, with what was found out about how
// they are written where all their files are alike.
func (j *job) describeInputs(files []string) []config.Input {
	if len(files) == 0 {
		return j.conf.Inputs
	}
	var list []config.Input
	for _, in := range j.inputs {
		for _, path := range in.Paths {
			c := config.Input{Files: []string{path}, Source: in.Source, Format: in.Format, Encoding: in.Encoding}
			if in.CSV.Separator != 0 {
				c.Separator = string(in.CSV.Separator)
			}
			for _, f := range j.files {
				if f.Path == path {
					c.Format = cmp.Or(c.Format, f.Format)
					c.Encoding = cmp.Or(c.Encoding, j.encodings[path])
				}
			}
			list = append(list, c)
		}
	}
	return list
}

func roleNames() []string {
	roles := ingest.Roles()
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return names
}

// configNotes are the comments of the configuration as used.
func (j *job) configNotes() config.Notes {
	n := config.Notes{
		Head: []string{
			"What sama decided for " + j.sourceNames() + ". Edit it and give it back with --config sama.yaml;",
			"with the same data it gives the same result.",
		},
		Sources: make(map[string][]string),
	}
	if len(j.conf.Inputs) == 0 {
		n.Head = append(n.Head, "", "It names no inputs, since what is decided does not depend on how the data is cut into files:",
			"name them on the command line, as in sama resolve FILES… --config sama.yaml, or list them under inputs:.")
	}
	for _, note := range j.notes {
		text := note.Text
		if note.Column != "" {
			text = note.Column + ": " + text
		}
		n.Sources[note.Source] = append(n.Sources[note.Source], text)
	}
	for _, s := range j.rules.Stats {
		n.Rules = append(n.Rules, plural(s.Pairs, "pair", "pairs"))
	}
	if j.conf.Model.Joint == nil && j.modelFile() == "" {
		n.Joint = "as this data suggests"
	}
	return n
}

func bySource(a, b ingest.SourceMapping) int { return strings.Compare(a.Source, b.Source) }
