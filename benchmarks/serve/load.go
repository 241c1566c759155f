package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is a stream of requests over a number of connections.
type load struct {
	address string
	lines   int
	limit   time.Duration                         // it lasts so long
	next    func(n int) []byte                    // request n, from 0, each asked for once
	look    func(n, status int, body []byte) bool // at each answer; false counts it as wrong; nil looks at none
}

// outcome is what became of a load.
type outcome struct {
	took    []uint32 // microseconds of each request that was answered with 2xx, ascending
	refused []uint32 // likewise of those answered with 429 or 503
	failed  int      // other answers, and connections that broke
	wrong   int      // answers that look did not like
	example string   // of what failed
	wall    time.Duration
}

// rate returns answers a second.
func (o *outcome) rate() float64 { return float64(len(o.took)) / o.wall.Seconds() }

// quantile returns a latency in milliseconds: the smallest one that a share of
// the answers does not exceed.
func quantile(took []uint32, share float64) float64 {
	if len(took) == 0 {
		return 0
	}
	at := int(share*float64(len(took))+0.9999999) - 1
	return float64(took[min(max(at, 0), len(took)-1)]) / 1000
}

// closed asks on every connection as fast as answers come.
func (l load) closed(ctx context.Context) *outcome {
	return l.run(ctx, func(int) (due time.Time) { return time.Now() })
}

// open asks at even intervals. There are more connections than a closed loop
// has, so that what is due does not have to wait for one.
func (l load) open(ctx context.Context, perSecond float64) *outcome {
	l.lines = max(2*l.lines, 64)
	interval := float64(time.Second) / max(perSecond, 0.1)
	begin := time.Now()
	return l.run(ctx, func(n int) time.Time {
		due := begin.Add(time.Duration(float64(n) * interval))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		return due
	})
}

// run asks on all lines until the time is up. wait returns when request n is
// due, at that time.
func (l load) run(ctx context.Context, wait func(n int) time.Time) *outcome {
	var all outcome
	var mu sync.Mutex // guards all
	var next atomic.Int64
	var work sync.WaitGroup
	begin := time.Now()
	end := begin.Add(l.limit)
	for range l.lines {
		work.Go(func() {
			var own outcome
			to := &line{address: l.address}
			defer to.close()
			for ctx.Err() == nil {
				n := int(next.Add(1) - 1)
				due := wait(n)
				if due.After(end) {
					break
				}
				status, body, err := to.do(l.next(n))
				own.add(status, body, err, time.Since(due))
				if l.look != nil && err == nil && !l.look(n, status, body) {
					own.wrong++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.join(&own)
		})
	}
	work.Wait()
	all.wall = time.Since(begin)
	slices.Sort(all.took)
	slices.Sort(all.refused)
	return &all
}

func (o *outcome) add(status int, body []byte, err error, took time.Duration) {
	us := uint32(min(took.Microseconds(), 1<<32-1))
	switch {
	case err != nil:
		o.failed++
		o.example = err.Error()
	case status == 429 || status == 503:
		o.refused = append(o.refused, us)
	case status < 200 || status > 299:
		o.failed++
		o.example = fmt.Sprintf("%d %s", status, body)
	default:
		o.took = append(o.took, us)
	}
}

func (o *outcome) join(other *outcome) {
	o.took, o.refused = append(o.took, other.took...), append(o.refused, other.refused...)
	o.failed, o.wrong = o.failed+other.failed, o.wrong+other.wrong
	if other.example != "" {
		o.example = other.example
	}
}

// bounds are what a stream of requests has to reach; 0 is no bound.
type bounds struct{ rate, bestRate, p99, bestP99 float64 }

// rateAndTail measures a rate in a closed loop and latencies in an open one,
// adds both to the table, and returns the closed loop. Where the rate to reach is
// lower than 70 % of the one there is, the latency that has to be reached is the
// one at that rate.
func (b *bench) rateAndTail(ctx context.Context, what string, l load, w bounds) *outcome {
	c := l.closed(ctx)
	b.fine(what, c)
	from := len(c.took) + len(c.refused) + c.failed
	open := func(perSecond float64) *outcome {
		first := from + l.lines
		o := load{l.address, l.lines, l.limit, func(n int) []byte { return l.next(first + n) }, func(n, status int, body []byte) bool {
			return l.look == nil || l.look(first+n, status, body)
		}}.open(ctx, perSecond)
		b.fine(what, o)
		from = first + len(o.took) + len(o.refused) + o.failed + max(2*l.lines, 64)
		return o
	}
	o := open(0.7 * c.rate())
	if w.rate > 0 && w.rate < 0.7*c.rate() {
		b.table.tell(what+": p99 at 70 % of that", "%s ms", number(quantile(o.took, 0.99)))
		o = open(w.rate)
	}
	b.table.atLeast(what+": rate", "/s", c.rate(), w.rate, w.bestRate)
	b.table.tell(what+": p50", "%s ms", number(quantile(o.took, 0.5)))
	b.table.atMost(what+": p99", " ms", quantile(o.took, 0.99), w.p99, w.bestP99)
	return c
}

// fine reports what of a load was not answered as it should be.
func (b *bench) fine(what string, o *outcome) {
	if n := o.failed + len(o.refused); n > 0 {
		b.violated(what, "%d of %d requests were not answered with 2xx, %d of them refused; one: %s", n, n+len(o.took), len(o.refused), o.example)
	}
	if o.wrong > 0 {
		b.violated(what, "%d answers are wrong", o.wrong)
	}
}

// inTurn returns one of the requests after the other.
func inTurn(requests [][]byte) func(n int) []byte {
	return func(n int) []byte { return requests[n%len(requests)] }
}
