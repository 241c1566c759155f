package store

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
)

// batcher lets many callers share a transaction, and so the one wait for the
// disk that it costs. A single goroutine takes the calls that wait, runs them,
// commits, and only then answers them: while the disk works the next calls
// gather. There is no delay by which a lone call would wait for company.
//
// Calls hardly ever fail, so a group is run without precautions first. If one of
// it fails, all is rolled back and each is run behind a savepoint; if even that
// cannot go on, because a disk that is full or the like has ended the whole
// transaction, each is run on its own. Whatever happens, a call leaves all or
// nothing, and nobody gets a neighbour's error.
//
// The goroutine starts with the store and ends with close, which answers the
// calls that wait first.
type batcher struct {
	s     *Store
	queue chan *call
	ended chan struct{} // closed when the goroutine has ended

	// closing guards queue against being closed under a sender.
	closing sync.RWMutex
	closed  bool
}

// maxBatch is how many calls share a transaction at most, and maxQueue how many
// more may wait before callers wait to get in.
const (
	maxBatch = 256
	maxQueue = 1024
)

// call is one change that waits. do may run more than once, each time in a
// transaction that has nothing of the time before. A call with rows for the
// access log has no do: those of a whole group are appended at once.
type call struct {
	doing string
	do    func(t *txn) error
	rows  []appending
	state atomic.Int32
	done  chan error // takes one answer without a receiver
}

// The states of a call: whoever moves it from waiting decides.
const (
	waiting int32 = iota
	taken         // by the goroutine, which answers
	left          // by a caller who waits no longer
)

// errClosed answers calls of a store that is closed.
var errClosed = errors.New("it is closed")

func newBatcher(s *Store) *batcher {
	b := &batcher{s: s, queue: make(chan *call, maxQueue), ended: make(chan struct{})}
	go b.run()
	return b
}

// close lets the calls that wait be done, and ends the goroutine.
func (b *batcher) close() {
	b.closing.Lock()
	if !b.closed {
		b.closed = true
		close(b.queue)
	}
	b.closing.Unlock()
	<-b.ended
}

// together runs a change in a transaction that it may share with others. It is
// all or nothing whatever becomes of the others, and returns when it is on
// disk. A context that ends before the change has begun ends the wait; after
// that the outcome is waited for, so that the caller always knows it.
func (s *Store) together(ctx context.Context, doing string, do func(t *txn) error) error {
	return s.join(ctx, &call{doing: doing, do: do})
}

// join lets a call be done with others.
func (s *Store) join(ctx context.Context, c *call) error {
	c.done = make(chan error, 1)
	if err := s.batch.put(ctx, c); err != nil {
		return s.failed(c.doing, err)
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		if c.state.CompareAndSwap(waiting, left) {
			return s.failed(c.doing, ctx.Err())
		}
		return <-c.done
	}
}

func (b *batcher) put(ctx context.Context, c *call) error {
	b.closing.RLock()
	defer b.closing.RUnlock()
	if b.closed {
		return errClosed
	}
	select {
	case b.queue <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run is the goroutine.
func (b *batcher) run() {
	defer close(b.ended)
	group := make([]*call, 0, maxBatch)
	for c := range b.queue {
		if group = b.gather(append(group[:0], c)); len(group) > 0 {
			b.serve(group)
		}
		clear(group)
	}
}

// gather takes what waits, without those whose callers have left.
func (b *batcher) gather(group []*call) []*call {
	first := group[0]
	group = group[:0]
	if first.state.CompareAndSwap(waiting, taken) {
		group = append(group, first)
	}
	for len(group) < maxBatch {
		select {
		case c, ok := <-b.queue:
			if !ok {
				return group
			}
			if c.state.CompareAndSwap(waiting, taken) {
				group = append(group, c)
			}
		default:
			return group
		}
	}
	return group
}

// serve runs a group and answers it.
func (b *batcher) serve(group []*call) {
	if b.attempt(group, len(group) == 1) || len(group) > 1 && b.attempt(group, true) {
		return
	}
	for _, c := range group {
		b.attempt([]*call{c}, true)
	}
}

// attempt runs a group in one transaction and answers it. Unless careful, it
// gives up at the first call that fails; careful, only where the transaction is
// lost. Then it reports false and has left no trace and no answer, except to a
// lone careful call, which is always answered.
func (b *batcher) attempt(group []*call, careful bool) (answered bool) {
	t, err := b.s.begin(context.Background()) // no caller may end it for the others
	if err != nil {
		b.answer(group, err)
		return true
	}
	outcomes := make([]error, len(group))
	err = t.runAll(group, outcomes, careful)
	if err == nil {
		b.s.fault("commit")
		err = t.commit()
	} else {
		_ = t.tx.Rollback()
		if careful && len(group) == 1 {
			b.answer(group, err)
			return true
		}
		return false
	}
	if err != nil {
		// It may have come to the disk or not: only the callers can find out.
		b.answer(group, err)
		return true
	}
	b.s.fault("done")
	for i, c := range group {
		c.done <- b.s.failed(c.doing, outcomes[i])
	}
	return true
}

// runAll runs the calls of a group, and appends what they have for the access
// log at its end. The error says that the transaction must not be committed.
func (t *txn) runAll(group []*call, outcomes []error, careful bool) (err error) {
	var rows []appending
	for i, c := range group {
		switch {
		case c.do == nil:
			rows = append(rows, c.rows...)
		case careful && len(group) > 1:
			outcomes[i], err = t.apart(c.do)
		default:
			err = c.do(t)
		}
		if err != nil {
			return err
		}
	}
	if len(rows) > 0 {
		_, err = t.appendAccess(rows)
	}
	return err
}

func (b *batcher) answer(group []*call, err error) {
	for _, c := range group {
		c.done <- b.s.failed(c.doing, err)
	}
}

// apart runs one change so that its failure leaves nothing of it. The second
// error says that the transaction is lost.
func (t *txn) apart(do func(t *txn) error) (outcome, lost error) {
	if _, err := t.exec("SAVEPOINT one"); err != nil {
		return nil, err
	}
	heads := maps.Clone(t.heads)
	if outcome = do(t); outcome != nil {
		t.heads = heads
		_, lost = t.exec("ROLLBACK TO SAVEPOINT one")
	}
	if lost == nil {
		_, lost = t.exec("RELEASE SAVEPOINT one")
	}
	return outcome, lost
}
