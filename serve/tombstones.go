package serve

import (
	"context"
	"sync"

	"sama/record"
	"sama/serve/store"
)

// tombstones are those that hold, read anew when there are others.
type tombstones struct {
	mu       sync.Mutex // guards what follows
	revision int64
	set      *store.TombstoneSet
}

// erasedFields are the fields by whose values an erased person is known again.
var erasedFields = []record.Field{record.Email, record.Phone, record.NationalID}

// tombs returns the tombstones that hold.
func (s *Server) tombs(ctx context.Context) (*store.TombstoneSet, error) {
	t := &s.tombstones
	t.mu.Lock()
	defer t.mu.Unlock()
	revision, err := s.Store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	if t.set == nil || t.revision != revision.Erasures {
		set, err := s.Store.Tombstones(ctx)
		if err != nil {
			return nil, err
		}
		t.set, t.revision = set, revision.Erasures
	}
	return t.set, nil
}

// erased reports whether a record is of somebody who was erased.
func (s *Server) erased(ctx context.Context, key record.Key, identifiers []Identifier) (bool, error) {
	set, err := s.tombs(ctx)
	if err != nil || set.Len() == 0 {
		return false, err
	}
	if set.Matcher(store.KindRecord).Erased(key.String()) {
		return true, nil
	}
	for _, i := range identifiers {
		if set.Matcher(i.Field.String()).Erased(i.Normal) {
			return true, nil
		}
	}
	return false, nil
}
