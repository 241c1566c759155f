package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// faults are promises that were not kept.
type faults struct {
	kinds []string // in the order in which they came
	count map[string]int
	first map[string][]string // kind → the first few, in words
}

// maxFaults is how many faults of a kind are told one by one.
const maxFaults = 5

func (f *faults) add(kind, format string, args ...any) {
	if f.count == nil {
		f.count, f.first = map[string]int{}, map[string][]string{}
	}
	if f.count[kind]++; f.count[kind] == 1 {
		f.kinds = append(f.kinds, kind)
	}
	if len(f.first[kind]) < maxFaults {
		f.first[kind] = append(f.first[kind], fmt.Sprintf(format, args...))
	}
}

// total is how many there are.
func (f *faults) total() (n int) {
	for _, k := range f.kinds {
		n += f.count[k]
	}
	return n
}

// print tells the faults and fails if there are any.
func (f *faults) print(w io.Writer) error {
	for _, kind := range f.kinds {
		fmt.Fprintf(w, "%s: %d violations\n", kind, f.count[kind])
		for _, text := range f.first[kind] {
			fmt.Fprintf(w, "  %s\n", text)
		}
	}
	if n := f.total(); n > 0 {
		return fmt.Errorf("%d violations", n)
	}
	fmt.Fprintln(w, "0 violations")
	return nil
}

// history is what somebody knows who looked at the run directory after every
// night.
type history struct {
	*reader
	*faults
	nights   int
	before   *night
	replayed map[uint32][]uint32 // identity → records, by the events alone
	leads    map[uint32]uint32   // id that ended → where it leads, by the events alone; 0: nowhere
	last     map[uint32][]uint32 // every id ever seen → its records when it was last live
}

func newHistory(f *faults) *history {
	return &history{reader: newReader(), faults: f, replayed: map[uint32][]uint32{}, leads: map[uint32]uint32{}, last: map[uint32][]uint32{}}
}

// keeping is how many identities have the records that they had the night
// before, and how many of those have their id.
type keeping struct {
	same, kept int
}

// look holds the next night against all before.
func (h *history) look(n *night) keeping {
	h.nights++
	h.follow(n)
	h.replay(n)
	k := h.kept(n)
	h.resolve(n)
	h.reuse(n)
	h.times(n)
	for id, records := range n.groups {
		h.last[id] = records
	}
	h.before = n
	return k
}

func (h *history) fault(kind, format string, args ...any) {
	h.add(kind, "night %d: "+format, append([]any{h.nights}, args...)...)
}

// keysOf names records.
func (h *history) keysOf(records []uint32) []string {
	texts := make([]string, len(records))
	for i, r := range records {
		texts[i] = h.keys.texts[r]
	}
	return texts
}

// kept compares identities with the same records as the night before.
func (h *history) kept(n *night) (k keeping) {
	if h.before == nil {
		return k
	}
	for _, id := range slices.Sorted(maps.Keys(h.before.groups)) {
		records := h.before.groups[id]
		now := n.ownerOf(records[0])
		if now == 0 || !slices.Equal(n.groups[now], records) {
			continue
		}
		k.same++
		if now == id {
			k.kept++
			continue
		}
		h.fault("kept", "%v had id %s and has %s", h.keysOf(records), h.ids.texts[id], h.ids.texts[now])
	}
	return k
}

// replay reads a night's events and compares what comes of them with the
// members.
func (h *history) replay(n *night) {
	for _, e := range n.events {
		had, live := h.replayed[e.id]
		// An id that had ended is merged as well, when it leads elsewhere.
		founds := e.kind == "created" || e.kind == "split" || e.kind == "restored"
		if founds == live && e.kind != "merged" {
			h.fault("replay", "%s %s, which is live: %t", e.kind, h.ids.texts[e.id], live)
		}
		switch e.kind {
		case "created", "split", "restored":
			h.replayed[e.id] = e.records
		case "grown":
			all := slices.Concat(had, e.records)
			slices.Sort(all)
			if len(slices.Compact(all)) != len(had)+len(e.records) {
				h.fault("replay", "%s grew by records that it had, of %v", h.ids.texts[e.id], h.keysOf(e.records))
			}
			h.replayed[e.id] = slices.Compact(all)
		case "shrunk":
			left := slices.DeleteFunc(slices.Clone(had), func(r uint32) bool {
				_, gone := slices.BinarySearch(e.records, r)
				return gone
			})
			if len(left)+len(e.records) != len(had) || len(left) == 0 {
				h.fault("replay", "%s had %v and lost %v", h.ids.texts[e.id], h.keysOf(had), h.keysOf(e.records))
			}
			h.replayed[e.id] = left
		case "merged", "retired":
			if (e.kind == "merged") != (e.other != 0) {
				h.fault("replay", "%s %s leads to %q", e.kind, h.ids.texts[e.id], h.ids.texts[e.other])
			}
			delete(h.replayed, e.id)
		default:
			h.fault("replay", "unknown event %q", e.kind)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(n.groups)) {
		if !slices.Equal(h.replayed[id], n.groups[id]) {
			h.fault("replay", "by the events %s has %v, by the members %v", h.ids.texts[id], h.keysOf(h.replayed[id]), h.keysOf(n.groups[id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(h.replayed)) {
		if n.groups[id] == nil {
			h.fault("replay", "by the events %s lives, but it has no members", h.ids.texts[id])
		}
	}
}

// follow reads in a night's events where ids that ended lead, and compares that
// with the aliases. It is called before replay, which tells who was live.
func (h *history) follow(n *night) {
	own := map[uint32]bool{}
	ended := map[uint32]uint32{} // live before → where it leads now
	for _, e := range n.events {
		own[e.id] = true
		switch e.kind {
		case "created", "split", "restored":
			delete(h.leads, e.id)
		case "merged", "retired":
			_, live := h.replayed[e.id]
			if live {
				ended[e.id] = e.other
			}
			if to, known := h.leads[e.id]; !live && (!known || to == e.other) {
				h.fault("leads", "%s %s, which was never live or led there before: %t", e.kind, h.ids.texts[e.id], known)
			}
			h.leads[e.id] = e.other
		}
	}
	for id, to := range h.leads {
		if further, ok := ended[to]; ok && !own[id] {
			h.leads[id] = further
		}
	}
	for _, id := range slices.Sorted(maps.Keys(n.aliases)) {
		if to, ok := h.leads[id]; !ok || to != n.aliases[id].to {
			h.fault("leads", "by the events %s leads to %q (known: %t), by the aliases to %q", h.ids.texts[id], h.ids.texts[to], ok, h.ids.texts[n.aliases[id].to])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(h.leads)) {
		if _, ok := n.aliases[id]; !ok {
			h.fault("leads", "by the events %s has ended, and it is no alias", h.ids.texts[id])
		}
	}
}

// resolve finds every id ever seen among the live ones or the aliases.
func (h *history) resolve(n *night) {
	for _, id := range slices.Sorted(maps.Keys(h.last)) {
		_, live := n.groups[id]
		a, dormant := n.aliases[id]
		switch {
		case live == dormant:
			h.fault("aliases", "%s is live: %t, and an alias: %t", h.ids.texts[id], live, dormant)
		case dormant && !slices.Equal(a.records, h.last[id]):
			h.fault("aliases", "%s had %v; the aliases say %v", h.ids.texts[id], h.keysOf(h.last[id]), h.keysOf(a.records))
		case dormant && a.to != 0 && n.groups[a.to] == nil:
			h.fault("aliases", "%s leads to %s, which is not live", h.ids.texts[id], h.ids.texts[a.to])
		case dormant:
			shares := map[uint32]int{}
			most := 0
			for _, r := range h.last[id] {
				if now := n.ownerOf(r); now != 0 {
					shares[now]++
					most = max(most, shares[now])
				}
			}
			if most > 0 && shares[a.to] != most {
				h.fault("aliases", "%s leads to %q, which has %d of its records; another has %d", h.ids.texts[id], h.ids.texts[a.to], shares[a.to], most)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(n.aliases)) {
		if h.last[id] == nil {
			h.fault("aliases", "%s is an alias and was never seen live", h.ids.texts[id])
		}
	}
}

// reuse looks at ids that were not live the night before.
func (h *history) reuse(n *night) {
	how := map[uint32]string{}
	for _, e := range n.events {
		if e.kind == "created" || e.kind == "split" || e.kind == "restored" {
			how[e.id] = e.kind
		}
	}
	for _, id := range slices.Sorted(maps.Keys(n.groups)) {
		if h.before != nil && h.before.groups[id] != nil {
			continue
		}
		had, back := h.last[id]
		if back != (how[id] == "restored") {
			h.fault("reuse", "%s was seen before: %t, and is %s", h.ids.texts[id], back, how[id])
		}
		if back && !slices.ContainsFunc(had, func(r uint32) bool { return n.ownerOf(r) == id }) {
			h.fault("reuse", "%s had %v and is given to %v", h.ids.texts[id], h.keysOf(had), h.keysOf(n.groups[id]))
		}
	}
}

// times compares first_seen and last_changed of identities that keep their id.
func (h *history) times(n *night) {
	if len(n.golden) != len(n.groups) {
		h.fault("golden", "%d golden records of %d identities", len(n.golden), len(n.groups))
	}
	if h.before == nil {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(n.golden)) {
		was, ok := h.before.golden[id]
		if !ok {
			continue
		}
		now := n.golden[id]
		if was.firstSeen != nil && (now.firstSeen == nil || *now.firstSeen > *was.firstSeen) {
			h.fault("golden", "%s: first_seen moved later, from %s to %s", h.ids.texts[id], moment(was.firstSeen), moment(now.firstSeen))
		}
		if was.lastChanged != nil && (now.lastChanged == nil || *now.lastChanged < *was.lastChanged) {
			h.fault("golden", "%s: last_changed moved earlier, from %s to %s", h.ids.texts[id], moment(was.lastChanged), moment(now.lastChanged))
		}
	}
}
