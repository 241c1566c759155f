package serve

import (
	"context"
	"sync/atomic"

	"sama/record"
	"sama/serve/store"
)

// Decided are the decisions of stewards that hold, by record, for the engine to
// ask. It is read anew when there are others.
type Decided struct {
	store   *store.Store
	current atomic.Pointer[decisionsRead]
}

type decisionsRead struct {
	revision int64
	of       map[record.Key][]decidedPair
}

type decidedPair struct {
	other record.Key
	same  bool
}

// NewDecided returns the decisions of a state.
func NewDecided(ctx context.Context, s *store.Store) (*Decided, error) {
	d := &Decided{store: s}
	revision, err := s.Revision(ctx)
	if err == nil {
		err = d.refresh(ctx, revision)
	}
	return d, err
}

// refresh reads the decisions if there are others than those known.
func (d *Decided) refresh(ctx context.Context, revision store.Revision) error {
	if now := d.current.Load(); now != nil && now.revision == revision.Decisions {
		return nil
	}
	list, err := d.store.Decisions(ctx, store.Active)
	if err != nil {
		return err
	}
	of := make(map[record.Key][]decidedPair, 2*len(list))
	for i := range list {
		x := &list[i]
		of[x.A] = append(of[x.A], decidedPair{x.B, x.Kind == store.Same})
		of[x.B] = append(of[x.B], decidedPair{x.A, x.Kind == store.Same})
	}
	d.current.Store(&decisionsRead{revision.Decisions, of})
	return nil
}

// Of calls visit with every decision that names the key.
func (d *Decided) Of(k record.Key, visit func(other record.Key, same bool)) {
	for _, p := range d.current.Load().of[k] {
		visit(p.other, p.same)
	}
}
