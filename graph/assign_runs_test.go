package graph

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// A key of these tests is a letter, a set of keys a string of them in order.

// identityState is what a test knows of an id: the keys that it has, or had
// when it was last live.
type identityState struct {
	keys    string
	founder string
	into    IdentityID
	ended   uint32
	foreign bool
}

// nightState is a finished run.
type nightState struct {
	run      uint32
	clusters []string
	ids      []IdentityID // cluster → identity
	live     map[IdentityID]identityState
	dormant  map[IdentityID]identityState
	events   []keyEvent
	issued   []IdentityID
}

type keyEvent struct {
	kind      EventKind
	id, other IdentityID
	keys      string
}

// runs is a directory of runs, some of which later ones do not follow.
type runs struct {
	last  uint32
	seed  uint64
	rand  *rand.Rand                   // shuffles what is in any order; nil for none
	known map[IdentityID]identityState // every id issued, as last seen
}

// start is the state before the first run.
func start() *nightState { return &nightState{} }

// past returns the ids that were live before a run that follows a state, and
// those that were not, the foreign ones among them.
func (w *runs) past(from *nightState) (live, dormant map[IdentityID]identityState) {
	live, dormant = maps.Clone(from.live), make(map[IdentityID]identityState)
	for id, s := range w.known {
		if _, ok := live[id]; ok {
			continue
		}
		if d, ok := from.dormant[id]; ok {
			dormant[id] = d
			continue
		}
		s.foreign = true
		if _, ok := live[s.into]; !ok {
			s.into = 0
		}
		if s.ended == 0 {
			s.ended = id.Run()
		}
		dormant[id] = s
	}
	return live, dormant
}

// night runs Assign on clusters, after a state.
func (w *runs) night(from *nightState, clusters []string) (*nightState, error) {
	w.last++
	live, dormant := w.past(from)
	return w.assign(live, dormant, clusters)
}

func (w *runs) assign(live, dormant map[IdentityID]identityState, clusters []string) (*nightState, error) {
	numbering := newNumbering(w.rand, live, dormant, clusters)
	c, past := numbering.clusters(clusters), numbering.past(w.rand, live, dormant)
	if err := c.Check(); err != nil {
		return nil, err
	}
	a, err := Assign(c, past, Issuer{Run: w.last, Seed: w.seed})
	if err != nil {
		return nil, err
	}
	if w.known == nil {
		w.known = make(map[IdentityID]identityState)
	}
	return w.finish(numbering, clusters, a)
}

// finish reads an assignment back into keys.
func (w *runs) finish(nb *numbering, clusters []string, a *Assignment) (*nightState, error) {
	s := &nightState{run: w.last, clusters: clusters, ids: a.IDs}
	s.live, s.dormant = make(map[IdentityID]identityState), make(map[IdentityID]identityState)
	for k, id := range a.IDs {
		if _, twice := s.live[id]; twice {
			return nil, fmt.Errorf("identity %v has two clusters", id)
		}
		s.live[id] = identityState{keys: clusters[k], founder: nb.key(a.Founder[k])}
		if !strings.Contains(clusters[k], nb.key(a.Founder[k])) {
			return nil, fmt.Errorf("identity %v of %s was founded on %s", id, clusters[k], nb.key(a.Founder[k]))
		}
		if _, old := w.known[id]; !old {
			s.issued = append(s.issued, id)
		}
	}
	if len(s.issued) != a.Issued {
		return nil, fmt.Errorf("%d ids are new, %d issued", len(s.issued), a.Issued)
	}
	var before IdentityID
	for _, d := range a.Dormant {
		if d.ID <= before {
			return nil, fmt.Errorf("dormant ids do not ascend at %v", d.ID)
		}
		before = d.ID
		if d.Foreign {
			return nil, fmt.Errorf("%v is still foreign", d.ID)
		}
		keys, err := nb.keys(d.Records)
		if err != nil {
			return nil, err
		}
		s.dormant[d.ID] = identityState{keys: keys, founder: nb.key(d.Founder), into: d.Into, ended: d.Ended}
	}
	for _, e := range a.Events {
		keys, err := nb.keys(e.Records)
		if err != nil {
			return nil, err
		}
		s.events = append(s.events, keyEvent{e.Kind, e.Identity, e.Other, keys})
	}
	maps.Copy(w.known, s.dormant)
	maps.Copy(w.known, s.live)
	return s, nil
}

// numbering gives keys record numbers: those of this run in order, then those
// that are gone.
type numbering struct {
	present  int
	ofNumber []string
	ofKey    map[string]uint32
}

func newNumbering(r *rand.Rand, live, dormant map[IdentityID]identityState, clusters []string) *numbering {
	nb := &numbering{ofKey: make(map[string]uint32)}
	number := func(all string) {
		keys := slices.Compact(slices.Sorted(slices.Values(strings.Split(all, ""))))
		if r != nil && nb.present > 0 {
			r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		}
		for _, key := range keys {
			if _, old := nb.ofKey[key]; !old {
				nb.ofKey[key] = uint32(len(nb.ofNumber))
				nb.ofNumber = append(nb.ofNumber, key)
			}
		}
	}
	number(strings.Join(clusters, ""))
	nb.present = len(nb.ofNumber)
	var gone strings.Builder
	for _, ids := range []map[IdentityID]identityState{live, dormant} {
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			gone.WriteString(ids[id].keys)
		}
	}
	number(gone.String())
	return nb
}

func (nb *numbering) key(r uint32) string {
	if r == None {
		return ""
	}
	return nb.ofNumber[r]
}

// keys returns the keys of record numbers, which ascend.
func (nb *numbering) keys(records []uint32) (string, error) {
	if !slices.IsSorted(records) || len(slices.Compact(slices.Clone(records))) != len(records) {
		return "", fmt.Errorf("records %v do not ascend", records)
	}
	var keys []string
	for _, r := range records {
		keys = append(keys, nb.key(r))
	}
	return strings.Join(slices.Sorted(slices.Values(keys)), ""), nil
}

func (nb *numbering) numbers(keys string) []uint32 {
	numbers := []uint32{}
	for _, key := range strings.Split(keys, "") {
		numbers = append(numbers, nb.ofKey[key])
	}
	slices.Sort(numbers)
	return numbers
}

func (nb *numbering) founder(s identityState) uint32 {
	if r, ok := nb.ofKey[s.founder]; ok {
		return r
	}
	return None
}

func (nb *numbering) clusters(clusters []string) *Clusters {
	labels := make([]uint32, nb.present)
	for k, keys := range clusters {
		for _, r := range nb.numbers(keys) {
			labels[r] = uint32(k)
		}
	}
	return ClustersOf(labels)
}

// past writes states as numbers, in an order of r's choice.
func (nb *numbering) past(r *rand.Rand, live, dormant map[IdentityID]identityState) *Past {
	order := func(ids map[IdentityID]identityState) []IdentityID {
		sorted := slices.Sorted(maps.Keys(ids))
		if r != nil {
			r.Shuffle(len(sorted), func(i, j int) { sorted[i], sorted[j] = sorted[j], sorted[i] })
		}
		return sorted
	}
	past := new(Past)
	if len(live)+len(dormant) > 0 || r != nil && r.IntN(2) == 0 {
		past.Of = filled(len(nb.ofNumber), None)
	}
	for i, id := range order(live) {
		past.IDs = append(past.IDs, id)
		past.Founder = append(past.Founder, nb.founder(live[id]))
		for _, n := range nb.numbers(live[id].keys) {
			past.Of[n] = uint32(i)
		}
	}
	for _, id := range order(dormant) {
		s := dormant[id]
		past.Dormant = append(past.Dormant, Dormant{ID: id, Into: s.into, Ended: s.ended, Founder: nb.founder(s), Records: nb.numbers(s.keys), Foreign: s.foreign})
	}
	return past
}

// inOrder returns clusters as Assign numbers them.
func inOrder(clusters []string) []string {
	sorted := make([]string, 0, len(clusters))
	for _, keys := range clusters {
		if keys != "" {
			sorted = append(sorted, strings.Join(slices.Sorted(slices.Values(strings.Split(keys, ""))), ""))
		}
	}
	slices.SortFunc(sorted, func(x, y string) int { return cmp.Compare(x[0], y[0]) })
	return sorted
}
