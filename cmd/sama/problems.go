package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sama/cmd/sama/internal/config"
	"sama/graph/golden"
	"sama/ingest"
	"sama/match"
	"sama/match/blocking"
	"sama/record"
)

// problems gathers all that is wrong with flags and configuration, so that a
// person sees it at once and not one mistake a run. There are three moments at
// which something can be known: before anything is read (the configuration's
// own text, model files), when the columns of the sources are known, and when
// the table is built. A run with a wrong configuration goes on to the last of
// them, as far as the rest of it can be understood, and then says all of it.
type problems struct {
	flags []error         // without a place in a file
	file  []*config.Error // of the configuration
}

// add adds an error, those of a configuration one by one.
func (p *problems) add(err error) {
	var of *config.Errors
	if errors.As(err, &of) {
		p.file = append(p.file, of.List...)
		return
	}
	p.flag(err)
}

// flag adds an error that has no place in the configuration, if it is one.
func (p *problems) flag(err error) {
	if err != nil {
		p.flags = append(p.flags, err)
	}
}

// at adds an error about the value at a path of the configuration.
func (p *problems) at(f *config.File, text string, path ...any) {
	p.file = append(p.file, f.ErrorAt(text, path...))
}

// err returns all of it as one error, that of flags first and then the
// configuration from its beginning to its end; nil if there is nothing.
func (p *problems) err() error {
	all := p.flags
	if len(p.file) > 0 {
		all = append(slices.Clone(all), config.NewErrors(p.file))
	}
	if len(all) == 0 {
		return nil
	}
	return &usageError{errors.Join(all...)}
}

// with returns an error that ended the run together with the problems found
// before, which are not to be told one by one.
func (p *problems) with(err error) error {
	var usage *usageError
	if len(p.file)+len(p.flags) == 0 || errors.As(err, &usage) {
		return err
	}
	return &usageError{errors.Join(p.err(), err)}
}

// readModel reads the model to use instead of training, if one is named.
func (j *job) readModel(p *problems) {
	file := j.modelFile()
	if file == "" {
		return
	}
	m, err := readModel(file)
	j.saved = m
	j.modelProblem(p, err)
}

// modelProblem adds an error about the model to use: it belongs to the flag or
// to the place in the configuration that names it.
func (j *job) modelProblem(p *problems, err error) {
	switch {
	case err == nil:
	case j.options.model != "":
		p.flag(fmt.Errorf("--model: %w", err))
	default:
		p.at(j.conf, err.Error(), "model", "file")
	}
}

// mappingProblems finds what is wrong with --key and the configuration as far as
// the names of sources and columns tell: all of the mapping, and the sources
// that other parts name.
func (j *job) mappingProblems(p *problems) {
	listed := make(map[string]bool)
	for i, s := range j.conf.Sources {
		k := slices.IndexFunc(j.raws, func(r *ingest.Raw) bool { return r.Source == s.Source })
		switch {
		case k < 0:
			p.at(j.conf, fmt.Sprintf("no input is source %q; the sources are %s", s.Source, joinComma(sourcesOf(j.raws))), "sources", i, "source")
			continue
		case listed[s.Source]:
			p.at(j.conf, fmt.Sprintf("source %s is listed twice", s.Source), "sources", i, "source")
			continue
		}
		listed[s.Source] = true
		j.sourceProblems(p, i, j.raws[k])
	}
}

// problemsWithoutTable finds what else is wrong where the columns are so far off
// that there is no table.
func (j *job) problemsWithoutTable(p *problems) {
	sources := sourcesOf(j.raws)
	slices.Sort(sources)
	j.onceProblems(p, sources)
	j.goldenRules(p, &record.Table{Sources: sources})
}

// sourceProblems finds what is wrong with source i of the configuration, which
// is r.
func (j *job) sourceProblems(p *problems, i int, r *ingest.Raw) {
	s, names := &j.conf.Sources[i], columnsOf(r)
	missing := func(column string) string {
		return fmt.Sprintf("source %s has no column %q; its columns are %s", s.Source, column, joinComma(names))
	}
	if s.Key != "" && !slices.Contains(names, s.Key) {
		p.at(j.conf, missing(s.Key), "sources", i, "key")
	}
	listed := make(map[string]bool)
	for c, m := range s.Columns {
		switch {
		case !slices.Contains(names, m.Column):
			p.at(j.conf, missing(m.Column), "sources", i, "columns", c, "column")
			continue
		case listed[m.Column]:
			p.at(j.conf, fmt.Sprintf("column %q is listed twice", m.Column), "sources", i, "columns", c, "column")
			continue
		}
		listed[m.Column] = true
		// The column alone, as a mapping of its own.
		alone := ingest.Mapping{Sources: []ingest.SourceMapping{{Source: s.Source, Key: names[0], Columns: []ingest.ColumnMapping{m}}}}
		for _, err := range alone.Validate([]*ingest.Raw{r}) {
			p.at(j.conf, strings.TrimPrefix(err.Error(), fmt.Sprintf("source %s, column %q: ", s.Source, m.Column)), "sources", i, "columns", c)
		}
	}
}

// tableProblems finds, as soon as the table is there, all that is wrong with
// what the configuration says of it: rules, model, constraints, survivorship.
func (j *job) tableProblems() error {
	p := &j.found
	j.planFollowing()
	if j.follow == nil {
		j.parseRules(p)
		j.planGiven(p)
	}
	for i, name := range j.conf.Clusters.Unique {
		if j.table.Named(name) == nil {
			p.at(j.conf, fmt.Sprintf("no column %q; the columns are %s", name, joinComma(tableColumns(j.table))), "clusters", "unique", i)
		}
	}
	j.onceProblems(p, j.table.Sources)
	j.goldenProblems(p)
	return p.err()
}

// parseRules reads the blocking rules of the configuration.
func (j *job) parseRules(p *problems) {
	b := &j.conf.Blocking
	if len(b.Rules)+len(b.SplitBy) == 0 {
		return
	}
	all := blocking.Expressions(j.table, nil)
	for i, text := range b.Rules {
		if strings.TrimSpace(text) == blocking.AllPairs.Name {
			j.given = append(j.given, blocking.AllPairs)
			continue
		}
		r, err := blocking.ParseRule(text, all)
		if err != nil {
			p.at(j.conf, err.Error(), "blocking", "rules", i)
			continue
		}
		j.given = append(j.given, r)
	}
	for i, name := range b.SplitBy {
		k := slices.IndexFunc(all, func(e *blocking.Expression) bool { return e.Name == name })
		if k < 0 {
			p.at(j.conf, fmt.Sprintf("no key expression %q; this data offers %s", name, joinComma(expressionNames(all))), "blocking", "split_by", i)
			continue
		}
		j.givenSplit = append(j.givenSplit, all[k])
	}
}

func expressionNames(all []*blocking.Expression) []string {
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = e.Name
	}
	return names
}

// planGiven makes the comparisons that a saved model, or the classical levels of
// the configuration, ask for.
func (j *job) planGiven(p *problems) {
	var err error
	switch spec := j.conf.Model.Classical; {
	case j.saved != nil:
		if j.plan, j.model, err = match.NewPlanFor(j.table, j.saved); err != nil {
			j.modelProblem(p, fmt.Errorf("model %s does not fit these sources: %w; train one with sama train", j.modelFile(), err))
		}
		j.classical = j.saved.Classical
	case spec != nil:
		j.classical = spec
		if j.plan, err = match.NewClassicalPlan(j.table, *spec); err != nil {
			for text := range strings.SplitSeq(err.Error(), "\n") {
				p.at(j.conf, text, "model", "classical")
			}
		}
	}
}

// onceProblems checks clusters.once_per_source.
func (j *job) onceProblems(p *problems, sources []string) {
	for i, name := range j.conf.Clusters.OncePerSource {
		if !slices.Contains(sources, name) {
			p.at(j.conf, fmt.Sprintf("no source %q; the sources are %s", name, joinComma(sources)), "clusters", "once_per_source", i)
		}
	}
}

// goldenProblems checks the survivorship rules of the configuration.
func (j *job) goldenProblems(p *problems) {
	err := j.conf.Golden.Validate(j.table)
	if err == nil {
		return
	}
	before := len(p.file)
	j.goldenRules(p, j.table)
	g := &j.conf.Golden
	for name := range g.Fields {
		for _, text := range goldenTexts(golden.Options{Fields: map[string][]golden.Rule{name: nil}}, j.table) {
			p.at(j.conf, strings.TrimPrefix(text, "fields: "), "golden", "fields", name)
		}
	}
	if g.Ungrouped && len(g.Groups) > 0 {
		p.at(j.conf, "goes with no groups", "golden", "ungrouped")
	}
	// A group's own mistakes are those that it adds to the groups before it.
	var groups []golden.Group
	said := 0
	for i, group := range g.Groups {
		groups = append(groups, golden.Group{Columns: group.Columns})
		texts := goldenTexts(golden.Options{Groups: groups}, j.table)
		for _, text := range texts[said:] {
			p.at(j.conf, strings.TrimPrefix(text, fmt.Sprintf("group %d: ", i+1)), "golden", "groups", i)
		}
		said = len(texts)
	}
	if len(p.file) == before {
		p.at(j.conf, err.Error(), "golden")
	}
}

// goldenRules checks every survivorship rule by itself. Of a table that has
// sources but no columns yet, what a rule says of time is not asked.
func (j *job) goldenRules(p *problems, t *record.Table) {
	check := func(rules []golden.Rule, path ...any) {
		for i, r := range rules {
			if len(t.Columns) == 0 {
				r.Time = ""
			}
			for _, text := range goldenTexts(golden.Options{Default: []golden.Rule{r}}, t) {
				p.at(j.conf, strings.TrimPrefix(text, "default: rule 1, "), append(path, i)...)
			}
		}
	}
	g := &j.conf.Golden
	check(g.Default, "golden", "default")
	for name, rules := range g.Fields {
		check(rules, "golden", "fields", name)
	}
	for i, group := range g.Groups {
		check(group.Rules, "golden", "groups", i, "rules")
	}
}

// goldenTexts returns what is wrong with some options, one text a mistake.
func goldenTexts(o golden.Options, t *record.Table) []string {
	err := o.Validate(t)
	if err == nil {
		return nil
	}
	texts := strings.Split(err.Error(), "\n")
	for i, text := range texts {
		texts[i] = strings.TrimPrefix(text, "golden: ")
	}
	return texts
}
