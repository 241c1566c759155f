package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Opened is a run made ready to be served. Close is called when the last
// request that began with it has ended.
type Opened interface {
	RunID() string
	Close() error
}

// Live holds the run that is served, and goes over to the next one when current
// names it. A request keeps the run that it began with.
//
//	current ──Watch, every Poll──→ another id ──Open, beside the old──→ ok ──→ the pointer is swapped
//	                                                                └─→ broken: said, the old one stays
//
// A broken run is tried again only when current names another, or when it is
// named anew after something else: what is broken once stays so.
type Live[T Opened] struct {
	// Current returns the id of the run that is to be served, "" if there is
	// none.
	Current func() string
	// Open opens and verifies a run.
	Open func(ctx context.Context, id string) (T, error)
	// Take brings an opened run up to date and calls swap, from which on it is
	// served; nil only calls swap. If it returns an error without having called
	// it, the run before stays and the next look tries again.
	Take func(ctx context.Context, next T, swap func()) error
	// Tick gives the times to look, and a function that ends them; nil is a
	// ticker of Poll.
	Tick func() (<-chan time.Time, func())
	Poll time.Duration // 0 is 250 ms
	Log  *slog.Logger

	held   atomic.Pointer[held[T]]
	broken atomic.Pointer[brokenRun]
	watch  *metrics // nil counts nothing
}

// brokenRun is a run that could not be opened.
type brokenRun struct {
	id  string
	err error
}

// held is a run with the number of its holders: the Live itself is one.
type held[T Opened] struct {
	run     T
	holders atomic.Int64
	once    sync.Once
	log     *slog.Logger
}

// acquire takes hold, unless the last holder has gone.
func (h *held[T]) acquire() bool {
	for {
		n := h.holders.Load()
		if n == 0 {
			return false
		}
		if h.holders.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release lets go; the last one closes.
func (h *held[T]) release() {
	if h.holders.Add(-1) > 0 {
		return
	}
	h.once.Do(func() {
		if err := h.run.Close(); err != nil {
			h.log.Error("run could not be closed", "run_id", h.run.RunID(), "error", err.Error())
		}
	})
}

// errNotServing says that there is no run, before Start or after Close.
var errNotServing = errors.New("no run is served")

// Acquire returns the run that is served now, to be released when the request
// ends.
func (l *Live[T]) Acquire() (run T, release func(), err error) {
	for {
		h := l.held.Load()
		if h == nil {
			var none T
			return none, nil, errNotServing
		}
		// A run that was let go between the two lines has a successor.
		if h.acquire() {
			return h.run, h.release, nil
		}
	}
}

// Start opens the current run; without one there is nothing to serve.
func (l *Live[T]) Start(ctx context.Context) error {
	id := l.Current()
	if id == "" {
		return errors.New("there is no current run; write one with sama resolve")
	}
	run, err := l.Open(ctx, id)
	if err != nil {
		return fmt.Errorf("run %s cannot be served: %w; sama check tells what is wrong with it, sama rollback goes back to the run before", id, err)
	}
	return l.adopt(ctx, run)
}

// Watch looks for another current run until ctx ends.
func (l *Live[T]) Watch(ctx context.Context) {
	tick := l.Tick
	if tick == nil {
		poll := l.Poll
		if poll <= 0 {
			poll = 250 * time.Millisecond
		}
		tick = func() (<-chan time.Time, func()) {
			t := time.NewTicker(poll)
			return t.C, t.Stop
		}
	}
	times, stop := tick()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-times:
			l.Look(ctx)
		}
	}
}

// Look goes over to the run that current names if it is another one.
func (l *Live[T]) Look(ctx context.Context) {
	id := l.Current()
	if h := l.held.Load(); h != nil && h.run.RunID() == id {
		l.mend(id)
		return
	}
	if b := l.broken.Load(); id == "" || b != nil && b.id == id {
		return
	}
	run, err := l.Open(ctx, id)
	if ctx.Err() != nil {
		if err == nil {
			_ = run.Close()
		}
		return
	}
	if err != nil {
		l.broken.Store(&brokenRun{id, err})
		l.count("broken", 1)
		l.Log.Error("run cannot be served; the one before stays", "run_id", id, "error", err.Error())
		return
	}
	if err := l.adopt(ctx, run); err != nil && ctx.Err() == nil {
		l.Log.Error("run could not be taken; it is tried again", "run_id", id, "error", err.Error())
	}
}

// mend forgets a broken run once current names the one that is served.
func (l *Live[T]) mend(id string) {
	if b := l.broken.Load(); b != nil && b.id != id && l.broken.CompareAndSwap(b, nil) {
		l.count("", 0)
	}
}

// adopt serves a run from now on.
func (l *Live[T]) adopt(ctx context.Context, run T) error {
	h := &held[T]{run: run, log: l.Log}
	h.holders.Store(1)
	swapped := false
	swap := func() {
		swapped = true
		before := l.held.Swap(h)
		l.broken.Store(nil)
		l.count("served", 0)
		l.Log.Info("run is served", "run_id", run.RunID())
		if before != nil {
			before.release()
		}
	}
	if l.Take == nil {
		swap()
		return nil
	}
	err := l.Take(ctx, run, swap)
	if !swapped {
		h.release()
		return fmt.Errorf("run %s: %w", run.RunID(), err)
	}
	return err
}

// count tells the metrics.
func (l *Live[T]) count(outcome string, broken float64) {
	if l.watch == nil {
		return
	}
	if outcome != "" {
		l.watch.switches.WithLabelValues(outcome).Inc()
	}
	l.watch.broken.Set(broken)
}

// Broken returns why the run that current names is not served, "" if it is.
func (l *Live[T]) Broken() string {
	b := l.broken.Load()
	if b == nil {
		return ""
	}
	return fmt.Sprintf("run %s: %v", b.id, b.err)
}

// Close lets the run go; requests under way keep it until they end.
func (l *Live[T]) Close() {
	if h := l.held.Swap(nil); h != nil {
		h.release()
	}
}
