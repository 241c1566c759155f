package main

import (
	"context"
	"errors"
	"slices"
)

// starts is how often the server is started; the figures are medians.
const starts = 5

// start measures from the start of the process to the first answer of /readyz,
// and what it holds in memory then. Each start but the first finds the state
// that the one before left.
func (b *bench) start(ctx context.Context) error {
	p, err := b.newPlace(ctx, "start", b.server)
	if err != nil {
		return err
	}
	var took, resident, anonymous []float64
	for range starts {
		s, err := p.serve(ctx)
		if err != nil {
			return err
		}
		l := &line{address: s.address}
		status, body, err := l.do(p.render(call{method: "GET", path: "/readyz"}))
		took = append(took, seconds(s))
		m := s.memory()
		l.close()
		if err := errors.Join(err, s.stop()); err != nil {
			return err
		}
		if status != 200 {
			b.violated("start", "GET /readyz answered %d %s, want 200 once it listens", status, body)
		}
		resident, anonymous = append(resident, m.resident), append(anonymous, m.anonymous)
	}
	b.table.atMost("start to the first answer of /readyz", " s", median(took), 1, 0.2)
	b.table.atMost("start: resident memory", " MiB", median(resident), 400, 150)
	b.table.tell("start: of that no pages of files", "%s MiB", number(median(anonymous)))
	return p.remove()
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
