package online

import (
	"context"
	"fmt"

	"sama/match"
	"sama/record"
)

// Hit is an identity that a partial record fits.
type Hit struct {
	Identity    string
	Weight      record.Weight // of the pair with the record of the identity that fits best
	Probability float64
	Explanation *match.Explanation // of that pair; A is the partial record
}

// searchKey names a partial record among others.
var searchKey = record.Key{ID: "search"}

// Search returns the identities that a partial record, by field, fits with at
// least a weight, the best first, at most limit of them. It is an error if the
// record has no value in any field.
func (s *Service) Search(ctx context.Context, fields map[string]string, floor record.Weight, limit int) ([]Hit, error) {
	v, err := s.Read(ctx, searchKey, fields)
	if err != nil {
		return nil, err
	}
	v.Key = searchKey
	k, err := s.keysOf(v)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	candidates := s.searched(&k)
	s.mu.RUnlock()
	if len(candidates) == 0 {
		return nil, nil
	}
	list, p, err := s.weigh(v, candidates, floor)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	best := s.rank(list)
	s.mu.RUnlock()
	best = best[:min(len(best), limit)]
	hits := make([]Hit, len(best))
	own := p.find(searchKey)
	for i, r := range best {
		other := p.find(s.key(r.best.row))
		e := p.match.Explain(record.Pair{A: min(own, other), B: max(own, other)}, p.model, nil)
		if e.B == searchKey {
			e.Swap()
		}
		hits[i] = Hit{r.id, r.best.weight, r.best.weight.Probability(), e}
	}
	return hits, nil
}

// Explain says why two records have their match weight.
func (s *Service) Explain(a, b record.Key) (*match.Explanation, error) {
	s.mu.RLock()
	var rows []row
	for _, k := range []record.Key{a, b} {
		if arrival := s.overlay.byKey[k]; arrival != nil && arrival.Values != nil {
			rows = append(rows, row{values: arrival.Values})
		} else if r, ok := s.Index.FindRecord(k); ok && arrival == nil {
			rows = append(rows, row{record: r})
		}
	}
	s.mu.RUnlock()
	if len(rows) < 2 || a == b {
		return nil, fmt.Errorf("explain wants two different records that are there")
	}
	p, err := s.plan(rows)
	if err != nil {
		return nil, err
	}
	return p.match.Explain(record.Pair{A: 0, B: 1}, p.model, nil), nil
}
