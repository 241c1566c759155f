package quality

import (
	"fmt"
	"slices"
	"testing"

	"sama/graph"

	"pgregory.net/rapid"
)

// keptByMaps is the obvious way: identities by name, each a set of records.
func keptByMaps(before, after []string, dormant map[string]bool, into map[string]string) map[string]int {
	groups := func(of []string) map[string]map[int]bool {
		g := make(map[string]map[int]bool)
		for r, id := range of {
			if id == "" {
				continue
			}
			if g[id] == nil {
				g[id] = make(map[int]bool)
			}
			g[id][r] = true
		}
		return g
	}
	was, is := groups(before), groups(after)
	counts := make(map[string]int)
	for id, has := range is {
		had, kept := was[id]
		switch {
		case !kept && dormant[id]:
			counts["restored"]++
		case !kept:
			kind := "created"
			for r := range has {
				if before[r] != "" {
					kind = "split"
				}
			}
			counts[kind]++
		default:
			grown, shrunk := 0, 0
			for r := range has {
				if !had[r] {
					grown = 1
				}
			}
			for r := range had {
				if !has[r] {
					shrunk = 1
				}
			}
			counts["grown"] += grown
			counts["shrunk"] += shrunk
			counts["unchanged"] += (1 - grown) * (1 - shrunk)
		}
	}
	for id, had := range was {
		if is[id] != nil {
			continue
		}
		kind := "retired"
		if is[into[id]] != nil {
			kind = "merged"
		}
		for r := range had {
			if after[r] != "" {
				kind = "merged"
			}
		}
		counts[kind]++
	}
	return counts
}

// numbered numbers names in order of appearance, "" as graph.None.
func numbered(of []string) (numbers []uint32, names []string) {
	for _, id := range of {
		n := slices.Index(names, id)
		if n < 0 && id != "" {
			n = len(names)
			names = append(names, id)
		}
		if id == "" {
			numbers = append(numbers, graph.None)
		} else {
			numbers = append(numbers, uint32(n))
		}
	}
	return numbers, names
}

func place(names []string, id string) uint32 {
	if n := slices.Index(names, id); n >= 0 {
		return uint32(n)
	}
	return graph.None
}

func TestKeptIdentitiesAgainstMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "records")
		id := rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e"})
		before, after := rapid.SliceOfN(id, n, n).Draw(t, "before"), rapid.SliceOfN(id, n, n).Draw(t, "after")
		k := new(Kept)
		var was, is []string
		k.Before, was = numbered(before)
		k.After, is = numbered(after)
		dormant, into := make(map[string]bool), make(map[string]string)
		for _, id := range is {
			if !slices.Contains(was, id) {
				dormant[id] = rapid.Bool().Draw(t, "dormant")
			}
			k.Was = append(k.Was, place(was, id))
			k.Dormant = append(k.Dormant, dormant[id])
		}
		for _, id := range was {
			if !slices.Contains(is, id) {
				into[id] = rapid.SampledFrom(append(slices.Clone(is), "")).Draw(t, "into")
			}
			k.Into = append(k.Into, place(is, into[id]))
		}
		d := CompareKept(k)
		want := keptByMaps(before, after, dormant, into)
		for _, kind := range graph.EventKinds() {
			if d.Count[kind] != want[kind.String()] {
				t.Fatalf("%s: %d, want %d", kind, d.Count[kind], want[kind.String()])
			}
		}
		if d.Unchanged != want["unchanged"] {
			t.Fatalf("unchanged: %d, want %d", d.Unchanged, want["unchanged"])
		}
		checkMovements(t, d, before, after, was, is)
	})
}

// checkMovements compares the movements with those counted by name.
func checkMovements(t *rapid.T, d *KeptDifference, before, after, was, is []string) {
	moved := make(map[string]int)
	for r := range before {
		if before[r] != "" && after[r] != "" && before[r] != after[r] {
			moved[before[r]+after[r]]++
		}
	}
	for i, m := range d.Movements {
		if i > 0 && d.Movements[i-1].Records < m.Records {
			t.Fatal("movements out of order")
		}
		key := was[m.From] + is[m.To]
		if moved[key] != m.Records {
			t.Fatalf("%s: %d records moved, want %d", key, m.Records, moved[key])
		}
		delete(moved, key)
	}
	if len(moved) > 0 {
		t.Fatal(fmt.Sprint("movements are missing: ", moved))
	}
}
