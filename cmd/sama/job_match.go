package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"sama/cmd/sama/internal/config"
	"sama/graph"
	"sama/match"
	"sama/match/blocking"
	"sama/record"
)

// edgeFloor is the match weight from which on candidate pairs are kept as
// edges: below the lowest threshold that is ever tried.
const edgeFloor = -3 * record.WeightUnit

// secondLook is the number of records up to which all pairs of a component are
// scored, whether blocking met them or not.
const secondLook = 200

// block chooses the blocking rules, or takes those of the configuration, and
// counts their pairs.
func (j *job) block(context.Context) (int64, error) {
	rules, opt := j.blockingRules()
	j.rules = blocking.NewPlan(j.table, rules, opt)
	for _, e := range opt.Splitters {
		j.splitters = append(j.splitters, e.Name)
	}
	return j.rules.Pairs(), nil
}

// blockingRules returns the rules of the configuration, or those that suit the
// data.
func (j *job) blockingRules() ([]blocking.Rule, blocking.Options) {
	if len(j.given) == 0 {
		j.proposal = match.NewPlan(j.table, match.Joint{Name: true, Address: true}).Propose(j.conf.Budget(), j.workers)
		return j.proposal.Rules, j.proposal.Options
	}
	j.equals = match.NewPlan(j.table, match.Joint{}).Copies()
	return j.given, blocking.Options{Limit: j.conf.Budget().Block, Splitters: j.givenSplit, Active: j.equals.Active}
}

// planCompare decides what is compared, unless a saved model or the
// configuration has done so.
func (j *job) planCompare(ctx context.Context) (int64, error) {
	m := &j.conf.Model
	var err error
	switch {
	case j.plan != nil:
	case m.Method == config.MethodClassical:
		spec := match.ProposeClassical(j.table)
		j.classical = &spec
		j.plan, err = match.NewClassicalPlan(j.table, spec)
	default:
		var joint match.Joint
		if m.Joint != nil {
			joint = *m.Joint
		} else {
			joint, err = match.ChooseJoint(ctx, j.table, j.rules, j.workers)
		}
		j.plan = match.NewPlan(j.table, joint)
	}
	if err != nil {
		return 0, err
	}
	return int64(len(j.plan.Comparisons)), nil
}

// modelFile returns the model to use instead of training, "" for none.
func (j *job) modelFile() string {
	if j.options.model != "" {
		return j.options.model
	}
	return j.conf.Model.File
}

// readModel reads a model.json.
func readModel(path string) (*match.Model, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, cause(err))
	}
	m := new(match.Model)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("model %s is no model.json: %w", path, err)
	}
	if m.Version != 1 {
		return nil, fmt.Errorf("model %s has version %d; this sama reads version 1", path, m.Version)
	}
	return m, nil
}

// compare compares every candidate pair once.
func (j *job) compare(ctx context.Context) (int64, error) {
	c, err := j.plan.Count(ctx, j.rules, j.workers, j.at.done)
	if err != nil {
		return 0, err
	}
	j.candidates = c
	return c.Pairs, nil
}

// train learns the model, unless one was given.
func (j *job) train(ctx context.Context) (int64, error) {
	var err error
	switch {
	case j.model != nil:
	case j.candidates.Pairs == 0:
		j.model = nothingToCompare(j.plan)
	case j.classical != nil:
		j.model, err = j.plan.TrainClassical(ctx, *j.classical, j.workers)
	default:
		j.model, err = j.plan.Train(j.candidates, j.workers)
	}
	if err != nil {
		return 0, err
	}
	j.weights = j.plan.Compile(j.model)
	return int64(len(j.candidates.Vectors)), nil
}

// nothingToCompare is the model of a table in which no two records have
// anything in common: no level is evidence.
func nothingToCompare(p *match.Plan) *match.Model {
	m := &match.Model{Version: 1, Method: "prior", Joint: p.Joint, Shares: []float64{0.001, 0.999}, Kinds: []string{"others"}}
	m.Training.Warnings = []string{"no two records agree on anything that blocking looks at: nothing was learned, every record is an identity of its own"}
	for _, c := range p.Comparisons {
		cm := match.ComparisonModel{Name: c.Name()}
		for l, level := range c.Levels() {
			lm := match.LevelModel{Label: level.Label}
			if l > 0 {
				lm = match.LevelModel{Label: level.Label, M: level.M, U: []float64{level.M}, Untrained: true}
			}
			cm.Levels = append(cm.Levels, lm)
		}
		m.Comparisons = append(m.Comparisons, cm)
	}
	return m
}

// score weighs the candidate pairs, and then the pairs inside components that
// blocking never met.
func (j *job) score(ctx context.Context) (int64, error) {
	edges, err := j.plan.Edges(ctx, j.rules, j.candidates, j.weights, edgeFloor, j.workers)
	if err != nil {
		return 0, err
	}
	j.copies = j.plan.Score(j.plan.Copies().Pairs, j.weights, j.workers)
	flat := flatten(edges)
	components := graph.Components(j.table.Len(), flat, graph.Candidates()[0])
	more := j.plan.Score(graph.MissingPairs(components, flat, secondLook), j.weights, j.workers)
	j.second = int64(len(more))
	j.edges = append(edges, more...)
	match.SortEdges(j.edges)
	j.flat = flatten(j.edges)
	return int64(len(j.edges)), nil
}

func flatten(edges []match.Edge) []record.Edge {
	flat := make([]record.Edge, len(edges))
	for i, e := range edges {
		flat[i] = e.Edge
	}
	return flat
}
