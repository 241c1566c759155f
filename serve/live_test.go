package serve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sama/serve/api"
)

// page is a run that notices being used after it was closed.
type page struct {
	id     string
	closed atomic.Bool
}

func (p *page) RunID() string { return p.id }
func (p *page) Close() error {
	if p.closed.Swap(true) {
		panic("closed twice")
	}
	return nil
}

// shelf is an output directory of such runs.
type shelf struct {
	mu      sync.Mutex
	current string
	broken  map[string]bool
	opened  []*page
}

func (s *shelf) publish(id string) { s.mu.Lock(); s.current = id; s.mu.Unlock() }

func (s *shelf) live(tick chan time.Time) *Live[*page] {
	l := &Live[*page]{Log: discard,
		Current: func() string { s.mu.Lock(); defer s.mu.Unlock(); return s.current },
		Open: func(_ context.Context, id string) (*page, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.broken[id] {
				return nil, errors.New("values.idx is damaged")
			}
			p := &page{id: id}
			s.opened = append(s.opened, p)
			return p, nil
		}}
	if tick != nil {
		l.Tick = func() (<-chan time.Time, func()) { return tick, func() {} }
	}
	return l
}

func TestRequestsKeepTheRunThatTheyBeganWith(t *testing.T) {
	s := &shelf{current: "a"}
	l := s.live(nil)
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, releaseA, err := l.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	s.publish("b")
	l.Look(t.Context())
	b, releaseB, err := l.Acquire()
	if err != nil || a.id != "a" || b.id != "b" || a.closed.Load() {
		t.Fatalf("%v: %s, %s, closed %v", err, a.id, b.id, a.closed.Load())
	}
	releaseA()
	if !a.closed.Load() || b.closed.Load() {
		t.Error("the old run is not given back with its last request")
	}
	l.Close()
	if b.closed.Load() {
		t.Error("a run is closed under a request")
	}
	releaseB()
	if !b.closed.Load() {
		t.Error("the last run is not given back")
	}
	if _, _, err := l.Acquire(); err == nil {
		t.Error("a closed Live gives a run")
	}
}

func TestBrokenRunsAreSaidAndTheOldOneStays(t *testing.T) {
	s := &shelf{current: "a", broken: map[string]bool{"b": true, "x": true}}
	l := s.live(nil)
	defer l.Close()
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	serves := func(id, broken string) {
		t.Helper()
		l.Look(t.Context())
		p, release, err := l.Acquire()
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if p.id != id || !strings.Contains(l.Broken(), broken) || broken == "" && l.Broken() != "" {
			t.Errorf("%s is served, broken: %q", p.id, l.Broken())
		}
	}
	s.publish("b")
	serves("a", "run b: values.idx is damaged")
	serves("a", "run b")
	s.publish("a")
	serves("a", "")
	s.publish("")
	serves("a", "")
	s.publish("x")
	serves("a", "run x")
	s.publish("c")
	serves("c", "")
}

func TestStartNeedsARun(t *testing.T) {
	s := &shelf{broken: map[string]bool{"x": true}}
	if err := s.live(nil).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "sama resolve") {
		t.Error(err)
	}
	s.publish("x")
	if err := s.live(nil).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "run x cannot be served: values.idx is damaged") {
		t.Error(err)
	}
}

func TestRunsThatCannotBeTakenAreTriedAgain(t *testing.T) {
	s := &shelf{current: "a"}
	l := s.live(nil)
	defer l.Close()
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	fail := true
	l.Take = func(_ context.Context, _ *page, swap func()) error {
		if fail {
			return errors.New("the state cannot be reached")
		}
		swap()
		return nil
	}
	s.publish("b")
	for _, want := range []string{"a", "b"} {
		l.Look(t.Context())
		p, release, err := l.Acquire()
		if err != nil || p.id != want {
			t.Fatalf("%s is served, %v", p.id, err)
		}
		release()
		fail = false
	}
	if !s.opened[1].closed.Load() {
		t.Error("the run that could not be taken is not given back")
	}
}

// TestSwitchingUnderLoad publishes a hundred runs while requests come: each sees
// one run from its beginning to its end, open, and none fails.
func TestSwitchingUnderLoad(t *testing.T) {
	s := &shelf{current: "run-0"}
	tick := make(chan time.Time)
	l := s.live(tick)
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var watching, asking sync.WaitGroup
	watching.Go(func() { l.Watch(ctx) })
	var answered atomic.Int64
	done := make(chan struct{})
	for range 8 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				p, release, err := l.Acquire()
				if err != nil {
					t.Error(err)
					return
				}
				if p.closed.Load() {
					t.Error("a request has a closed run")
				}
				answered.Add(1)
				if p.closed.Load() {
					t.Error("a run was closed under a request")
				}
				release()
			}
		})
	}
	for i := range 100 {
		s.publish(fmt.Sprintf("run-%d", i+1))
		before := answered.Load()
		tick <- time.Time{}
		tick <- time.Time{} // the look before has ended
		for answered.Load() == before {
			tick <- time.Time{}
		}
		p, release, err := l.Acquire()
		if err != nil || p.id != fmt.Sprintf("run-%d", i+1) {
			t.Fatalf("after %d: %s, %v", i+1, p.id, err)
		}
		release()
	}
	close(done)
	asking.Wait()
	cancel()
	watching.Wait()
	l.Close()
	for _, p := range s.opened {
		if !p.closed.Load() {
			t.Errorf("%s was not given back", p.id)
		}
	}
	t.Logf("%d requests over %d runs", answered.Load(), len(s.opened))
}

func TestReadinessSaysWhatKeepsARunFromBeingServed(t *testing.T) {
	r := newRig(t, nil)
	first := r.run
	r.server.Run.Open = func(context.Context, string) (Engine, error) { return nil, errors.New("values.idx is damaged") }
	r.run = newSmallRun("run-2", 2)
	r.server.Run.Look(t.Context())
	out := read[api.Readiness](t, r.want(call{method: "GET", path: "/readyz"}, 200, ""))
	if *out.RunId != first.id || out.BrokenRun == nil || *out.BrokenRun != "run run-2: values.idx is damaged" {
		t.Errorf("%+v", out)
	}
	if m := r.want(call{method: "GET", path: "/metrics"}, 200, ""); !strings.Contains(m.body, "sama_run_broken 1") {
		t.Error("the metrics do not say that a run is broken")
	}
	r.store.Close()
	out = read[api.Readiness](t, r.want(call{method: "GET", path: "/readyz"}, 503, ""))
	if out.State == nil || out.Status != "unavailable" {
		t.Errorf("%+v", out)
	}
}

// TestRecordsArePutWhileARunIsTaken puts one while the run catches up, and finds
// that the run catches up once more before it is served, while none is put.
func TestRecordsArePutWhileARunIsTaken(t *testing.T) {
	r := newRig(t, nil)
	next := newSmallRun("run-2", 2)
	times := 0
	next.catching = func() {
		if times++; times == 1 {
			(&rig{t: t, run: r.run, server: r.server, secret: r.secret}).put(1)
		} else if r.server.writing.TryRLock() {
			t.Error("records can be put while the run catches up the last time")
			r.server.writing.RUnlock()
		}
	}
	r.server.Run.Current = func() string { return "run-2" }
	r.server.Run.Open = func(context.Context, string) (Engine, error) { return next, nil }
	r.server.Run.Look(t.Context())
	if times != 2 {
		t.Errorf("it caught up %d times", times)
	}
}
