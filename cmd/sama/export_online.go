package main

import (
	"context"
	"fmt"

	"sama/graph"
	"sama/run"
	"sama/run/index"
	"sama/serve"
	"sama/serve/extract"
	"sama/serve/online"
	"sama/serve/store"
)

// openOnline opens what answers for a run: what its sources said, and what came
// since. The service is nil where there is neither, and what came is nil where
// nothing did.
func openOnline(ctx context.Context, p *progress, r *run.Run, x *index.Index, state *store.Store) (*online.Service, *extract.Online, error) {
	revision, err := state.Revision(ctx)
	came := revision.Online > r.Info.Online.UpTo
	if err != nil || !came && len(x.ConsentColumns()) == 0 {
		return nil, nil, err
	}
	e, err := openEngine(r, x)
	if err != nil {
		return nil, nil, err
	}
	decided, err := serve.NewDecided(ctx, state)
	if err != nil {
		return nil, nil, err
	}
	service := online.NewService(e, graph.Issuer{Run: r.Info.Number, Seed: idSeed}, decided)
	if !came {
		return service, nil, nil
	}
	out := &extract.Online{Service: service}
	stage := p.begin("online", "records")
	err = restoreOnline(ctx, r, service, state, func(a *online.Arrival) {
		out.Arrivals = append(out.Arrivals, a)
		stage.done(min(int64(len(out.Arrivals)), revision.Online-r.Info.Online.UpTo), revision.Online-r.Info.Online.UpTo)
	})
	stage.end(int64(len(out.Arrivals)), err)
	return service, out, err
}

// restoreOnline takes up the online records of a state that a run does not
// stand on.
func restoreOnline(ctx context.Context, r *run.Run, service *online.Service, state *store.Store, took func(*online.Arrival)) error {
	known, err := knownColumns(r)
	if err != nil {
		return err
	}
	for row, err := range state.OnlineSince(ctx, r.Info.Online.UpTo) {
		if err != nil {
			return err
		}
		a, err := restoreRecord(ctx, service, &row, known(row.Key.Source))
		if err != nil {
			return fmt.Errorf("state %s: online record %d: %w", state.Location(), row.Seq, err)
		}
		took(a)
	}
	return nil
}

// restoreRecord takes up one record, by the columns that the mapping of its
// source knows.
func restoreRecord(ctx context.Context, s *online.Service, row *store.OnlineRecord, known []string) (*online.Arrival, error) {
	a := &online.Arrival{Key: row.Key, Identity: row.Identity, Founded: row.Founded, Received: row.Received}
	if row.Op == store.Put {
		all, err := fieldsOf(row.Fields)
		if err != nil {
			return nil, err
		}
		fields := make(map[string]string)
		for _, name := range known {
			if v, ok := all[name]; ok {
				fields[name] = v
			}
		}
		if err := s.Prepare(ctx, a, fields); err != nil {
			return nil, err
		}
	}
	_, err := s.Restore(a)
	return a, err
}
