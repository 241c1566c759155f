package main

import (
	"context"

	"sama/graph/golden"
	"sama/run"
)

// goldenRecords are the golden records as the run directory takes them.
type goldenRecords struct {
	columns []run.GoldenColumn
	rules   []string
}

// merge chooses the golden values of every identity.
func (j *job) merge(context.Context) (int64, error) {
	columns, err := golden.Merge(j.table, j.clusters, j.conf.Golden, nil, j.workers)
	if err != nil {
		return 0, err
	}
	g := &goldenRecords{rules: golden.KindNames()}
	var values int64
	for _, c := range columns {
		rc := run.GoldenColumn{Chosen: c.Chosen, Rule: make([]uint8, len(c.Rule)), LosingStart: c.LosingStart, Losing: make([]run.Losing, len(c.Losing))}
		for i, kind := range c.Rule {
			rc.Rule[i] = uint8(kind)
			if c.Chosen[i] != golden.NoRecord {
				values++
			}
		}
		for i, l := range c.Losing {
			rc.Losing[i] = run.Losing(l)
		}
		g.columns = append(g.columns, rc)
	}
	j.golden = g
	return values, nil
}
