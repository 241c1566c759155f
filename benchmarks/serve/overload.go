package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// overloadFactor is how many times the connections of the closed loops ask at
// once.
const overloadFactor = 10

// overloaded asks on ten times the connections, for six times as long as other
// loads last: eight in ten requests are profiles by id, one is a search, one a
// record. Before and after, profiles are asked for at seven tenths of the rate
// that they reach alone.
func (b *bench) overloaded(ctx context.Context) error {
	p, err := b.newPlace(ctx, "overload", b.server)
	if err != nil {
		return err
	}
	s, err := p.serve(ctx)
	if err != nil {
		return err
	}
	list, err := b.persons(maxKnown)
	if err != nil {
		return err
	}
	profiles, mixed := p.mixture(list)
	calm := load{s.address, b.connections, b.limit, profiles, nil}
	closed := calm.closed(ctx)
	before := b.calmTail(ctx, calm, 0.7*closed.rate())
	watch := newWatch(s)
	rush := load{s.address, overloadFactor * b.connections, 6 * b.limit, mixed, nil}.closed(ctx)
	peak, grown := watch.end()
	back, err := b.backToNormal(ctx, calm, 0.7*closed.rate(), before)
	if err != nil {
		return err
	}
	if rush.failed > 0 {
		b.violated("overload", "%d requests were neither answered nor refused; one: %s", rush.failed, rush.example)
	}
	all := len(rush.took) + len(rush.refused)
	what := fmt.Sprintf("overload, %d connections for %s", overloadFactor*b.connections, 6*b.limit)
	b.table.tell(what+": answers, refused", "%d (%s/s), %.1f %%", len(rush.took), number(rush.rate()), 100*float64(len(rush.refused))/float64(max(1, all)))
	b.table.tell("overload: p50, p99 of answers", "%s ms, %s ms", number(quantile(rush.took, 0.5)), number(quantile(rush.took, 0.99)))
	b.table.atMost("overload: longest answer", " s", quantile(rush.took, 1)/1000, 1, 0)
	b.table.atMost("overload: longest refusal", " s", quantile(rush.refused, 1)/1000, 1, 0)
	b.table.atMost("overload: resident memory, largest", " MiB", peak.resident, memoryBound(b.records), 0)
	b.table.tell("overload: of that no pages of files, growth in the second half", "%s MiB, %+.1f MiB", number(peak.anonymous), grown)
	b.table.atMost("overload: until latencies are as before", " s", back.Seconds(), 5, 0)
	m := s.memory()
	b.table.tell("overload: resident memory after it", "%s MiB, %s of no files", number(m.resident), number(m.anonymous))
	return errors.Join(s.stop(), p.verifyLog(ctx), p.remove())
}

// memoryBound is the bound on resident memory in MiB: what a server may hold at rest
// with that many records, and as much again as 1,280 requests at work and in the
// queue may take.
func memoryBound(records int) float64 { return 400*max(1, float64(records)/1e6) + 400 }

// mixture returns requests for profiles, and those of the overload.
func (p *place) mixture(list []person) (profiles, mixed func(n int) []byte) {
	random := rand.New(rand.NewPCG(p.seed, 41))
	var reads, searches [][]byte
	for i := range list {
		reads = append(reads, p.render(call{method: "GET", path: "/v1/profiles/" + list[i].id, as: desk, purpose: service}))
		if fields := list[i].partial(random); fields != nil {
			searches = append(searches, p.render(call{method: "POST", path: "/v1/profiles:search", as: desk, purpose: service, body: map[string]any{"fields": fields}}))
		}
	}
	return inTurn(reads), func(n int) []byte {
		switch {
		case n%10 == 3 && len(searches) > 0:
			return searches[n/10%len(searches)]
		case n%10 == 7:
			// New ones only: a record that changes may leave its identity, which then
			// is none to read any more.
			key, fields := p.silos.arriving(n/10*2, p.seed)
			return p.put("", record1{key, fields})
		}
		return reads[n%len(reads)]
	}
}

// The time by which it is judged whether latencies are as before.
const (
	window      = 500 * time.Millisecond
	windows     = 8 // that are looked at before
	longestWait = 30 * time.Second
)

// calmTail is the largest p99 of some windows, in milliseconds.
func (b *bench) calmTail(ctx context.Context, l load, rate float64) float64 {
	l.limit = min(window, b.limit)
	tail := 0.0
	for range windows {
		o := l.open(ctx, rate)
		b.fine("overload, before", o)
		tail = max(tail, quantile(o.took, 0.99))
	}
	return tail
}

// backToNormal asks at the rate of before until a window passes in which nothing
// is refused and p99 is at most twice that of before, and returns when that window
// began.
func (b *bench) backToNormal(ctx context.Context, l load, rate, tail float64) (time.Duration, error) {
	began := time.Now()
	l.limit = min(window, b.limit)
	for since := time.Duration(0); since < longestWait; since = time.Since(began) {
		o := l.open(ctx, rate)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if o.failed+len(o.refused) == 0 && quantile(o.took, 0.99) <= 2*tail {
			return since, nil
		}
	}
	return longestWait, nil
}

// watch reads the memory of a server five times a second.
type watch struct {
	stop chan struct{}
	done sync.WaitGroup
	seen []memory
}

func newWatch(s *server) *watch {
	w := &watch{stop: make(chan struct{})}
	w.done.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			w.seen = append(w.seen, s.memory())
			select {
			case <-tick.C:
			case <-w.stop:
				return
			}
		}
	})
	return w
}

// end returns the largest memory, and by how much the largest of the second half
// exceeds that of the first.
func (w *watch) end() (peak memory, grown float64) {
	close(w.stop)
	w.done.Wait()
	var halves [2]float64
	for i, m := range w.seen {
		peak.resident, peak.anonymous = max(peak.resident, m.resident), max(peak.anonymous, m.anonymous)
		half := &halves[2*i/(len(w.seen)+1)]
		*half = max(*half, m.anonymous)
	}
	return peak, halves[1] - halves[0]
}
