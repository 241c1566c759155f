package serve

import (
	"context"
	"sync"

	"sama/record"
	"sama/serve/api"
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

// tombs returns the tombstones that hold, and their revision.
func (s *Server) tombs(ctx context.Context) (*store.TombstoneSet, int64, error) {
	t := &s.tombstones
	t.mu.Lock()
	defer t.mu.Unlock()
	revision, err := s.Store.Revision(ctx)
	if err != nil {
		return nil, 0, stateProblem(err)
	}
	if t.set == nil || t.revision != revision.Erasures {
		set, err := s.Store.Tombstones(ctx)
		if err != nil {
			return nil, 0, stateProblem(err)
		}
		t.set, t.revision = set, revision.Erasures
	}
	return t.set, t.revision, nil
}

// refuseErased refuses to keep the key of a record whose person was erased.
func (s *Server) refuseErased(ctx context.Context, key record.Key, places []api.ProblemPlace) error {
	set, _, err := s.tombs(ctx)
	if err == nil && erased(set, key, nil) {
		err = &problem{code: "unknown_record", detail: "of a record of somebody who was erased nothing is kept", places: places}
	}
	return err
}

// erased reports whether a record is of somebody who was erased.
func erased(set *store.TombstoneSet, key record.Key, identifiers []Identifier) bool {
	if set.Len() == 0 {
		return false
	}
	if set.Matcher(store.KindRecord).Erased(key.String()) {
		return true
	}
	for _, i := range identifiers {
		if set.Matcher(i.Field.String()).Erased(i.Normal) {
			return true
		}
	}
	return false
}
