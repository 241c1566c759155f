package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"sama/cmd/sama/internal/config"
	"sama/ingest"
	"sama/match"
	"sama/record"
	"sama/run"
)

// A night goes on with what the night before decided: how columns were
// understood, which blocking rules there are, the model and the threshold. To
// choose anew every night would move identities of which no record has changed.
// It is chosen anew where the configuration or a flag says so, where the
// previous choice no longer fits the sources, and where they have grown or
// shrunk so far that it may no longer suit them.

// mostGrowth is how many times the records may be, or be of, those that the
// model was learned from.
const mostGrowth = 1.25

// following is what the previous run decided.
type following struct {
	sources  []ingest.SourceMapping
	blocking config.Blocking
	model    *match.Model
	learned  run.Learned
	columns  []string // that there were to compare
}

// goOn takes over what the previous run decided, if that fits.
func (j *job) goOn() error {
	m := &j.conf.Model
	switch {
	case j.out == "" || j.proposing:
		return nil
	case j.relearn, j.saved != nil, m.Method != "", m.Joint != nil, m.Classical != nil, len(j.conf.Blocking.Rules) > 0,
		j.conf.Blocking.PairsPerRecord != 0, j.conf.Blocking.MinPairs != 0, j.conf.Blocking.Block != 0, len(j.conf.Blocking.SplitBy) > 0:
		return nil
	}
	previous, err := run.Open(j.out)
	if errors.Is(err, run.ErrNoRun) {
		return nil
	}
	if err != nil {
		return err
	}
	if why := j.outgrown(previous); why != "" {
		j.anew(why)
		return nil
	}
	f, err := readDecided(previous)
	if err != nil {
		// Whether the run is damaged is looked at where its identities are needed.
		j.anew(fmt.Sprintf("what run %s decided cannot be read (%v)", previous.Info.ID, err))
		return nil
	}
	j.follow = f
	return nil
}

// anew notes why the previous choice does not hold.
func (j *job) anew(why string) {
	j.follow = nil
	j.foldNotes = append(j.foldNotes, ingest.Note{Text: why + ": blocking rules and model were chosen anew"})
}

// outgrown says why the sources are no longer those that the model was learned
// from, "" if they are.
func (j *job) outgrown(previous *run.Run) string {
	var names, before []string
	var rows float64
	for _, r := range j.raws {
		names = append(names, r.Source)
		rows += float64(r.Rows)
	}
	for _, in := range previous.Info.Inputs {
		before = append(before, in.Source)
	}
	slices.Sort(before)
	before = slices.Compact(before)
	// A client that brings a source must not move the identities of everybody.
	online := append(onlyOnlineIn(j.files), onlyOnlineIn(previous.Info.Inputs)...)
	came := func(source string) bool { return slices.Contains(online, source) }
	names, before = slices.DeleteFunc(names, came), slices.DeleteFunc(before, came)
	learned := float64(previous.Info.Learned.Records)
	switch {
	case !slices.Equal(names, before):
		return fmt.Sprintf("the sources are %s, before they were %s", joinComma(names), joinComma(before))
	case learned == 0, rows > mostGrowth*learned, rows*mostGrowth < learned:
		return fmt.Sprintf("there are %s records, the model was learned from %s", count(int64(rows)), count(previous.Info.Learned.Records))
	}
	return ""
}

// onlyOnlineIn returns the sources of which records only came online.
func onlyOnlineIn(inputs []run.Input) (names []string) {
	files := contentOf(inputs)
	for _, in := range inputs {
		if files[in.Source] == nil && !slices.Contains(names, in.Source) {
			names = append(names, in.Source)
		}
	}
	return names
}

// readDecided reads what a run decided.
func readDecided(r *run.Run) (*following, error) {
	name := r.File("sama.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	conf, err := config.Parse(name, text)
	if err != nil {
		return nil, err
	}
	model, err := readModel(r.File("model.json"))
	if err != nil {
		return nil, err
	}
	if model.Method == "prior" || conf.Model.Method == config.MethodClassical {
		return nil, errors.New("it learned nothing")
	}
	f := &following{sources: conf.Sources, blocking: conf.Blocking, model: model, learned: r.Info.Learned}
	for _, c := range r.Info.Columns {
		if c.Field != record.Carried && c.Field != record.Consent {
			f.columns = append(f.columns, c.Column)
		}
	}
	return f, nil
}

// sourceBefore returns how the previous run understood the columns of a source
// that are still there; ok is false if it has none, or has lost its key.
func (f *following) sourceBefore(r *ingest.Raw) (s ingest.SourceMapping, ok bool) {
	if f == nil {
		return s, false
	}
	k := slices.IndexFunc(f.sources, func(c ingest.SourceMapping) bool { return c.Source == r.Source })
	names := columnsOf(r)
	if k < 0 || f.sources[k].Key != "" && !slices.Contains(names, f.sources[k].Key) {
		return s, false
	}
	s = ingest.SourceMapping{Source: r.Source, Key: f.sources[k].Key}
	for _, c := range f.sources[k].Columns {
		if slices.Contains(names, c.Column) {
			s.Columns = append(s.Columns, c)
		}
	}
	return s, true
}

// planFollowing makes rules and comparisons of what the previous run decided. If
// they do not fit the table all is chosen anew.
func (j *job) planFollowing() {
	if j.follow == nil {
		return
	}
	var columns []string
	for _, c := range j.table.Columns {
		if c.Field != record.Carried && c.Field != record.Consent {
			columns = append(columns, c.Name)
		}
	}
	if !slices.Equal(columns, j.follow.columns) {
		j.anew(fmt.Sprintf("the columns are %s, before they were %s", joinComma(columns), joinComma(j.follow.columns)))
		return
	}
	own := j.conf.Blocking
	j.conf.Blocking, j.saved = j.follow.blocking, j.follow.model
	p := new(problems)
	j.parseRules(p)
	j.planGiven(p)
	if err := p.err(); err != nil {
		j.conf.Blocking, j.saved, j.plan, j.model, j.given, j.givenSplit = own, nil, nil, nil, nil, nil
		j.anew("what the previous run decided does not fit the columns")
	}
}
