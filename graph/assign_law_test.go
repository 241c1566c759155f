package graph

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const letters = "abcdefghijkl"

// histories is the number of random histories of a test.
func histories() int {
	if testing.Short() {
		return 1000
	}
	return 10_000
}

// history is a random history: nights that follow each other, some of which
// are rolled back.
type history struct {
	*runs
	t      *testing.T
	at     *nightState
	trail  []*nightState // the nights that led to at
	follow map[*nightState]*follower
	story  strings.Builder
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{runs: &runs{seed: seed, rand: rand.New(rand.NewPCG(seed, 1))}, t: t, at: start(), follow: make(map[*nightState]*follower)}
	h.follow[h.at] = newFollower()
	fmt.Fprintf(&h.story, "history %d\n", seed)
	return h
}

func (h *history) fatalf(format string, args ...any) {
	h.t.Helper()
	h.t.Fatalf("%s%s", h.story.String(), fmt.Sprintf(format, args...))
}

// TestRandomHistories holds every night of random histories against the
// reference, and checks the laws of assignment.
func TestRandomHistories(t *testing.T) {
	const parts = 4
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < histories(); seed += parts {
				newHistory(t, uint64(seed)).play()
			}
		})
	}
}

func (h *history) play() {
	for range 6 {
		if len(h.trail) > 1 && h.rand.IntN(5) == 0 {
			back := h.rand.IntN(len(h.trail))
			h.at, h.trail = h.trail[back], h.trail[:back+1]
			fmt.Fprintf(&h.story, "back to the night of run %d\n", h.at.run)
		}
		from := h.at
		h.at = h.check(from, h.change(from.clusters))
		h.trail = append(h.trail, h.at)
		h.checkLaws(from)
	}
	law := []func(){h.rerun, h.addAndDelete, h.mergeAndPart, h.goAndReturn, h.rerun, h.bridgeAndDelete}
	for _, i := range h.rand.Perm(len(law)) {
		law[i]()
	}
}

// change returns clusters of a night after one with the clusters given.
func (h *history) change(clusters []string) []string {
	changed := slices.Clone(clusters)
	r := h.rand
	if len(changed) == 0 || r.IntN(12) == 0 {
		changed = changed[:0]
		for range 1 + r.IntN(5) {
			changed = append(changed, "")
		}
		for _, key := range strings.Split(letters, "") {
			if r.IntN(4) > 0 {
				changed[r.IntN(len(changed))] += key
			}
		}
		return inOrder(changed)
	}
	for range r.IntN(4) {
		k, l := r.IntN(len(changed)), r.IntN(len(changed))
		key := letters[r.IntN(len(letters)):][:1]
		switch r.IntN(5) {
		case 0: // A record comes, returns or moves.
			for i := range changed {
				changed[i] = missing(changed[i], key)
			}
			if r.IntN(3) == 0 {
				changed = append(changed, key)
			} else {
				changed[k] += key
			}
		case 1: // A record goes.
			for i := range changed {
				changed[i] = missing(changed[i], key)
			}
		case 2: // Two clusters become one.
			if k != l {
				changed[k], changed[l] = changed[k]+changed[l], ""
			}
		case 3: // A cluster parts.
			part := common(changed[k], letters[:1+r.IntN(len(letters))])
			changed[k] = missing(changed[k], part)
			changed = append(changed, part)
		case 4: // A cluster goes.
			if r.IntN(3) == 0 {
				changed[k] = ""
			}
		}
	}
	return inOrder(changed)
}

// check runs a night and compares it with the reference, and with itself on
// the past in another order.
func (h *history) check(from *nightState, clusters []string) *nightState {
	h.t.Helper()
	h.last++
	live, dormant := h.past(from)
	if h.rand.IntN(10) == 0 {
		for id, s := range live {
			// What founding records are not known must not matter to the rest.
			s.founder = ""
			live[id] = s
		}
	}
	fmt.Fprintf(&h.story, "run %d: %q\n", h.last, clusters)
	want := referenceNight(live, dormant, clusters, Issuer{Run: h.last, Seed: h.seed})
	known := maps.Clone(h.known)
	for range 2 {
		h.known = maps.Clone(known)
		got, err := h.assign(live, dormant, clusters)
		if err != nil {
			h.fatalf("%v", err)
		}
		h.same(got, want)
	}
	for id := range known {
		if _, issued := want.live[id]; !issued && want.dormant[id].keys == "" {
			h.fatalf("id %v is lost", id)
		}
	}
	return want
}

func (h *history) same(got, want *nightState) {
	h.t.Helper()
	if !slices.Equal(got.ids, want.ids) || !slices.Equal(got.issued, want.issued) {
		h.fatalf("ids %v, want %v", got.ids, want.ids)
	}
	if !maps.Equal(got.live, want.live) {
		h.fatalf("live %v, want %v", got.live, want.live)
	}
	if !maps.Equal(got.dormant, want.dormant) {
		h.fatalf("dormant %v, want %v", got.dormant, want.dormant)
	}
	if !slices.Equal(got.events, want.events) {
		h.fatalf("events %v, want %v", got.events, want.events)
	}
}

// checkLaws checks the night that followed from.
func (h *history) checkLaws(from *nightState) {
	h.t.Helper()
	for id, was := range from.live {
		k := slices.Index(h.at.clusters, was.keys)
		if k >= 0 && h.at.ids[k] != id {
			h.fatalf("the cluster %s is unchanged, its id is %v, was %v", was.keys, h.at.ids[k], id)
		}
	}
	for id, d := range h.at.dormant {
		if _, ok := h.at.live[d.into]; !ok && d.into != 0 {
			h.fatalf("%v leads to %v, which is not live", id, d.into)
		}
		if _, ok := h.at.live[id]; ok {
			h.fatalf("%v is live and is not", id)
		}
	}
	f := h.follow[from].after(h.at.events, h.rand)
	h.follow[h.at] = f
	if problem := f.compare(h.at); problem != "" {
		h.fatalf("events do not lead here: %s", problem)
	}
}

// must runs a night beside the history.
func (h *history) must(from *nightState, clusters []string) *nightState {
	h.t.Helper()
	fmt.Fprintf(&h.story, "beside, run %d after %d: %q\n", h.last+1, from.run, clusters)
	s, err := h.night(from, clusters)
	if err != nil {
		h.fatalf("%v", err)
	}
	return s
}

// mustRestore checks that a night has the ids of another.
func (h *history) mustRestore(got, want *nightState) {
	h.t.Helper()
	if !slices.Equal(got.ids, want.ids) {
		h.fatalf("ids %v, want those of run %d again: %v; live then %v", got.ids, want.run, want.ids, want.live)
	}
}

func (h *history) rerun() {
	h.at = h.check(h.at, h.at.clusters)
	again := h.must(h.at, h.at.clusters)
	h.mustRestore(again, h.at)
	if len(again.events) > 0 || !maps.Equal(again.live, h.at.live) || !maps.Equal(again.dormant, h.at.dormant) {
		h.fatalf("a rerun changed something: %v", again.events)
	}
}

// rest is a number of nights without a change.
func (h *history) rest(s *nightState) *nightState {
	for range h.rand.IntN(3) {
		s = h.must(s, s.clusters)
	}
	return s
}

// addAndDelete adds a record, with or without others of its identity, and
// deletes it.
func (h *history) addAndDelete() {
	added := missing(letters+"z", strings.Join(h.at.clusters, ""))
	added = added[h.rand.IntN(len(added)):][:1]
	with := slices.Clone(h.at.clusters)
	if k := h.rand.IntN(len(with) + 1); k < len(with) {
		with[k] += added
	} else {
		with = append(with, added)
	}
	h.mustRestore(h.must(h.rest(h.must(h.at, inOrder(with))), h.at.clusters), h.at)
}

// bridgeAndDelete adds a record that joins several identities, and deletes it.
func (h *history) bridgeAndDelete() {
	added := missing(letters+"z", strings.Join(h.at.clusters, ""))
	bridged := added[h.rand.IntN(len(added)):][:1]
	var with []string
	for _, keys := range h.at.clusters {
		if h.rand.IntN(2) == 0 {
			bridged += keys
		} else {
			with = append(with, keys)
		}
	}
	h.mustRestore(h.must(h.rest(h.must(h.at, inOrder(append(with, bridged)))), h.at.clusters), h.at)
}

// mergeAndPart makes two clusters one and parts them again.
func (h *history) mergeAndPart() {
	if len(h.at.clusters) < 2 {
		return
	}
	with := slices.Clone(h.at.clusters)
	p := h.rand.Perm(len(with))
	with[p[0]], with[p[1]] = with[p[0]]+with[p[1]], ""
	h.mustRestore(h.must(h.rest(h.must(h.at, inOrder(with))), h.at.clusters), h.at)
}

// goAndReturn takes records away, as when a source is missing, and brings them
// back.
func (h *history) goAndReturn() {
	gone := ""
	for _, key := range strings.Split(letters, "") {
		if h.rand.IntN(2) == 0 {
			gone += key
		}
	}
	var without []string
	for _, keys := range h.at.clusters {
		without = append(without, missing(keys, gone))
	}
	h.mustRestore(h.must(h.rest(h.must(h.at, inOrder(without))), h.at.clusters), h.at)
}

// follower knows the identities by their events alone.
type follower struct {
	members map[IdentityID]string
	leads   map[IdentityID]IdentityID
}

func newFollower() *follower {
	return &follower{make(map[IdentityID]string), make(map[IdentityID]IdentityID)}
}

// after returns what a follower knows after a run, having read its events in
// any order.
func (f *follower) after(events []keyEvent, r *rand.Rand) *follower {
	next := &follower{maps.Clone(f.members), maps.Clone(f.leads)}
	for _, i := range r.Perm(len(events)) {
		e := events[i]
		switch e.kind {
		case Created, Split, Restored:
			next.members[e.id] = e.keys
			delete(next.leads, e.id)
		case Grown:
			next.members[e.id] += e.keys
		case Shrunk:
			next.members[e.id] = missing(next.members[e.id], e.keys)
		case Merged, Retired:
			delete(next.members, e.id)
			next.leads[e.id] = e.other
		}
	}
	said := func(id IdentityID) bool {
		return slices.ContainsFunc(events, func(e keyEvent) bool { return e.id == id })
	}
	for id, into := range f.leads {
		if to, ended := next.leads[into]; ended && !said(id) {
			next.leads[id] = to
		}
	}
	return next
}

// compare returns how a state differs from what the events tell.
func (f *follower) compare(s *nightState) string {
	if len(f.members) != len(s.live) {
		return fmt.Sprintf("%d identities, not %d", len(f.members), len(s.live))
	}
	for id, was := range s.live {
		if keys := inOrder([]string{f.members[id]}); len(keys) == 0 || keys[0] != was.keys {
			return fmt.Sprintf("%v has %q, not %q", id, keys, was.keys)
		}
	}
	for id, into := range f.leads {
		if d, ok := s.dormant[id]; !ok || d.into != into {
			return fmt.Sprintf("%v leads to %v, not %v", id, into, d.into)
		}
	}
	return ""
}
