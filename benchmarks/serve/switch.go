package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"sama/run"
)

// switchRuns publishes two runs in turn while profiles are read. Before, the
// answer of each profile in each run is read once and held against that run's
// golden.parquet; under load each answer must be one of the two, to the byte.
func (b *bench) switchRuns(ctx context.Context) error {
	p, err := b.newPlace(ctx, "switch", b.server)
	if err != nil {
		return err
	}
	files, err := b.silos.with(b.silos.waiting, filepath.Join(b.dir, "switch-silos"))
	if err != nil {
		return err
	}
	after, err := p.night(ctx, files)
	if err != nil {
		return err
	}
	runs := [2]*run.Run{b.base.run, after}
	s, err := p.serve(ctx)
	if err != nil {
		return err
	}
	w := &switching{place: p, seed: maphash.MakeSeed()}
	if err := w.expect(ctx, s, runs); err != nil {
		return err
	}
	l := load{s.address, b.connections, 24 * time.Hour, inTurn(w.requests), w.look}
	loaded, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan *outcome, 1)
	go func() { done <- l.closed(loaded) }()
	took, err := w.publish(ctx, s, runs)
	stop()
	o := <-done
	if err != nil {
		return err
	}
	b.fine("switch", o)
	m := s.memory()
	slices.Sort(took)
	b.table.none(fmt.Sprintf("switch: failed requests, of %d over %d switches", len(o.took), b.switches), o.failed+len(o.refused))
	b.table.none("switch: mixed answers", int(w.mixed.Load()))
	b.table.tell("switch: answers by the one run and the other", "%d, %d", w.by[0].Load(), w.by[1].Load())
	b.table.atMost("switch: from publication until it is served, longest", " s", took[len(took)-1], 1, 0)
	b.table.tell("switch: p99 and longest answer, rate", "%s ms, %s ms, %s/s", number(quantile(o.took, 0.99)), number(quantile(o.took, 1)), number(o.rate()))
	b.table.tell("switch: resident memory after them", "%s MiB, %s of no files", number(m.resident), number(m.anonymous))
	return errors.Join(s.stop(), p.verifyLog(ctx), p.remove())
}

// switching is what answers must be.
type switching struct {
	*place
	requests [][]byte
	want     [][2]uint64 // request → hash of the answer by each run
	seed     maphash.Seed
	mixed    atomic.Int64
	by       [2]atomic.Int64
}

// maxSwitched is how many profiles are asked for.
const maxSwitched = 2000

// expect reads every profile by each run.
func (w *switching) expect(ctx context.Context, s *server, runs [2]*run.Run) error {
	list, err := w.persons(maxSwitched)
	if err != nil {
		return err
	}
	differ := 0
	l := &line{address: s.address}
	defer l.close()
	answers := make([][2]*profile, len(list))
	for _, one := range list {
		w.requests = append(w.requests, w.render(call{method: "GET", path: "/v1/profiles/" + one.id, as: desk, purpose: service}))
	}
	w.want = make([][2]uint64, len(list))
	for k, r := range runs {
		if _, err := w.publishOne(ctx, s, r); err != nil {
			return err
		}
		golden, err := newGolden(r)
		if err != nil {
			return err
		}
		for i := range list {
			status, body, err := l.do(w.requests[i])
			if err != nil {
				return err
			}
			got := new(profile)
			if err := json.Unmarshal(body, got); status == 200 && err != nil {
				return err
			}
			// Who is no identity in the other run is answered with 410 there.
			if status == 200 {
				golden.compare(w.bench, r.Info.ID, got)
				answers[i][k] = got
			}
			w.want[i][k] = w.hash(status, body)
		}
	}
	// Only profiles that both runs have are asked for under load.
	var requests [][]byte
	var want [][2]uint64
	for i, a := range answers {
		if a[0] == nil || a[1] == nil {
			continue
		}
		requests, want = append(requests, w.requests[i]), append(want, w.want[i])
		if fmt.Sprint(a[0].Golden) != fmt.Sprint(a[1].Golden) {
			differ++
		}
	}
	w.requests, w.want = requests, want
	w.table.tell("switch: profiles, of them with other values in the other run", "%d, %d", len(requests), differ)
	return nil
}

func (w *switching) hash(status int, body []byte) uint64 {
	return maphash.Bytes(w.seed, body) + uint64(status)
}

// look says by which run an answer is.
func (w *switching) look(n, status int, body []byte) bool {
	h := w.hash(status, body)
	for k, want := range w.want[n%len(w.want)] {
		if h == want {
			w.by[k].Add(1)
			return true
		}
	}
	if w.mixed.Add(1) <= 5 {
		w.tell("switch", fmt.Sprintf("an answer that neither run gives: %d %s", status, body))
	}
	return false
}

// publish publishes the runs in turn, and returns for each how long it took until
// an answer was by it, in seconds.
func (w *switching) publish(ctx context.Context, s *server, runs [2]*run.Run) ([]float64, error) {
	random := rand.New(rand.NewPCG(w.bench.seed, 31))
	var took []float64
	for n := range w.switches {
		t, err := w.publishOne(ctx, s, runs[n%2])
		if err != nil {
			return nil, fmt.Errorf("switch %d: %w", n+1, err)
		}
		took = append(took, t.Seconds())
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(random.IntN(100)) * time.Millisecond):
		}
	}
	return took, nil
}

// publishOne makes a run the current one and waits until it is served.
func (w *switching) publishOne(ctx context.Context, s *server, r *run.Run) (time.Duration, error) {
	if _, err := w.sama(ctx, "rollback", r.Info.ID, "--out", w.out); err != nil {
		return 0, err
	}
	began := time.Now()
	l := &line{address: s.address}
	defer l.close()
	ready := w.render(call{method: "GET", path: "/readyz"})
	id, err := json.Marshal(r.Info.ID)
	if err != nil {
		return 0, err
	}
	for time.Since(began) < answerTimeout && ctx.Err() == nil {
		status, body, err := l.do(ready)
		if err != nil {
			return 0, err
		}
		if status == 200 && bytes.Contains(body, id) {
			return time.Since(began), nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return 0, fmt.Errorf("run %s is not served within %s of its publication", r.Info.ID, answerTimeout)
}

// golden is golden.parquet of a run, by identity.
type golden struct {
	members *run.Members
	texts   map[string]*run.GoldenTexts
}

func newGolden(r *run.Run) (*golden, error) {
	m, err := r.Members()
	if err != nil {
		return nil, err
	}
	g := &golden{members: m, texts: make(map[string]*run.GoldenTexts)}
	for _, name := range goldenColumns {
		if g.texts[name], err = r.GoldenTexts(name); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// compare holds an answer of all fields against the file.
func (g *golden) compare(b *bench, id string, got *profile) {
	if got.RunID != id {
		b.violated("switch", "an answer by run %s while %s is served", got.RunID, id)
	}
	at, ok := g.members.FindIdentity(got.IdentityID)
	if !ok {
		b.violated("switch", "identity %s is not in run %s", got.IdentityID, id)
		return
	}
	for name, texts := range g.texts {
		if want := string(texts.At(at)); got.Golden[name] != want {
			b.violated("switch", "run %s, identity %s: %s is %q, in golden.parquet %q", id, got.IdentityID, name, got.Golden[name], want)
		}
	}
}
