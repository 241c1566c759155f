package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"sama/record"
)

// killServers kills the server at random instants under mixed writes, on SQLite
// and, where -postgres says so, on PostgreSQL. After each kill another server is
// started on what is left, and everything that was acknowledged since the kill
// before must be there; at the end, everything that ever was.
//
// What was not acknowledged may have been done or not. It is looked up which, and
// the feed must agree: it has exactly one event for each record put or deleted and
// for each consent that is there, and none for one that is not. A request with an
// idempotency key is sent again instead, and counts as acknowledged then.
func (b *bench) killServers(ctx context.Context) error {
	backends := []*database{nil}
	if b.server != nil {
		backends = append(backends, b.server)
	}
	for _, server := range backends {
		name := "SQLite"
		if server != nil {
			name = "PostgreSQL"
		}
		if err := b.killsOn(ctx, name, server); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// killing is what is known of the writes to one state.
type killing struct {
	*place
	name    string
	server  *server
	random  *rand.Rand
	writers []*writer
	feed    feed
	lost    int // acknowledged writes that were not there
	kills   int
	starts  []float64 // seconds that starts took
}

// The writers of a state.
const (
	writersOfKills = 4
	longestRound   = 300 * time.Millisecond // of writing before a kill
)

func (b *bench) killsOn(ctx context.Context, name string, server *database) error {
	p, err := b.newPlace(ctx, "kills-"+strings.ToLower(name), server)
	if err != nil {
		return err
	}
	k := &killing{place: p, name: name, random: rand.New(rand.NewPCG(b.seed, 51))}
	if k.server, err = p.serve(ctx); err != nil {
		return err
	}
	for i := range writersOfKills {
		k.writers = append(k.writers, newWriter(k, i))
	}
	if err := k.feed.begin(k); err != nil {
		return err
	}
	for n := range b.kills {
		if err := k.round(ctx, n); err != nil {
			return fmt.Errorf("kill %d: %w", n+1, err)
		}
		if (n+1)%20 == 0 {
			b.note("kills on %s: %d of %d, %d acknowledged writes, %d lost", name, n+1, b.kills, k.acknowledged(), k.lost)
		}
	}
	for _, w := range k.writers {
		if err := w.verifyAll(); err != nil {
			return err
		}
	}
	if err := k.feed.verify(k); err != nil {
		return err
	}
	slices.Sort(k.starts)
	what := fmt.Sprintf("kills on %s, %d: ", name, k.kills)
	b.table.none(fmt.Sprintf("%sacknowledged writes lost, of %d", what, k.acknowledged()), k.lost)
	b.table.none(fmt.Sprintf("%sfeed events lost, doubled or out of order, of %d", what, len(k.feed.events)), k.feed.wrong)
	b.table.tell(what+"unacknowledged writes that were done, that were not", "%d, %d", k.count(func(w *writer) int { return w.done }), k.count(func(w *writer) int { return w.undone }))
	b.table.tell(what+"start after a kill, median, longest", "%s s, %s s", number(median(k.starts)), number(k.starts[len(k.starts)-1]))
	return errors.Join(k.server.stop(), p.verifyLog(ctx), p.remove())
}

func (k *killing) count(of func(*writer) int) (sum int) {
	for _, w := range k.writers {
		sum += of(w)
	}
	return sum
}

func (k *killing) acknowledged() int {
	return k.count(func(w *writer) int { return w.acknowledged })
}

// gone counts an acknowledged write that is not there.
func (k *killing) gone(format string, args ...any) {
	k.lost++
	k.violated("kills on "+k.name, format, args...)
}

// round lets the writers write, kills the server, starts another one and
// verifies. One in ten rounds kills that one as well, while it starts.
func (k *killing) round(ctx context.Context, n int) error {
	var work sync.WaitGroup
	errs := make([]error, len(k.writers))
	for i, w := range k.writers {
		work.Go(func() { errs[i] = w.write(k.server.address) })
	}
	time.Sleep(time.Duration(k.random.Int64N(int64(longestRound))))
	if err := k.server.endedBadly(); err != nil {
		return err
	}
	k.server.kill()
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	k.kills++
	if n%10 == 9 {
		s, out, err := k.launch(ctx)
		if err != nil {
			return err
		}
		time.Sleep(time.Duration(k.random.Int64N(int64(100 * time.Millisecond))))
		s.kill()
		out.Close()
	}
	var err error
	if k.server, err = k.serve(ctx); err != nil {
		return err
	}
	k.starts = append(k.starts, seconds(k.server))
	for _, w := range k.writers {
		if err := w.settle(k.server.address); err != nil {
			return err
		}
	}
	return k.feed.follow(k)
}

// want is an event that the feed must have.
type want struct{ identity, kind string }

// writer writes records of its own, one request after the other.
type writer struct {
	*killing
	number  int
	random  *rand.Rand
	line    *line
	records []*written // that it ever put
	said    map[string]record.Key
	decided map[int64][2]record.Key
	wants   []want // in the order of its writes

	pending      []*operation // not acknowledged: none or one
	fresh        []*written   // put, changed or deleted since the last kill
	freshSaid    []string
	acknowledged int
	done, undone int // of those not acknowledged
	next         int
}

// written is a record as the writer knows it to be.
type written struct {
	key      record.Key
	there    bool
	identity string
	email    string // in its newest form, of which there is no other in the world
}

func newWriter(k *killing, number int) *writer {
	return &writer{killing: k, number: number, random: rand.New(rand.NewPCG(k.bench.seed, 60+uint64(number))),
		said: make(map[string]record.Key), decided: make(map[int64][2]record.Key)}
}

// write writes until the server is gone.
func (w *writer) write(address string) error {
	w.fresh, w.freshSaid = w.fresh[:0], w.freshSaid[:0]
	w.line = &line{address: address}
	defer w.line.close()
	for {
		op := w.choose()
		gone, err := op.send(w)
		if err != nil {
			return err
		}
		if gone {
			w.pending = append(w.pending, op)
			return nil
		}
	}
}
