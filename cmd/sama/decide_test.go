package main

import (
	"fmt"
	"strings"
	"testing"

	"sama/record"
	"sama/serve/store"

	"github.com/spf13/pflag"
	"pgregory.net/rapid"
)

func TestEveryKindOfDecidingSaysHowItIsUsed(t *testing.T) {
	decide := (&cli{}).decideCommand()
	usage := make(map[string]string)
	for _, cmd := range decide.Commands() {
		if cmd.Short == "" || !strings.Contains(cmd.Long, "Exit codes:") || !strings.Contains(cmd.Example, "sama decide "+cmd.Name()) {
			t.Errorf("%s: short %q, example %q, long %q", cmd.Name(), cmd.Short, cmd.Example, cmd.Long)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if before, ok := usage[f.Name]; ok && before != f.Usage {
				t.Errorf("%s --%s: %q, elsewhere %q", cmd.Name(), f.Name, f.Usage, before)
			}
			usage[f.Name] = f.Usage
		})
	}
	if len(decide.Commands()) != 6 {
		t.Errorf("%d commands", len(decide.Commands()))
	}
}

// TestContradictionsAreThoseOfPlainJoining finds them by joining until nothing
// changes, and walks every chain.
func TestContradictionsAreThoseOfPlainJoining(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var active []store.Decision
		group := make(map[string]int) // key → least number joined with it
		seen := make(map[[2]record.Key]bool)
		number := func() int { return rapid.IntRange(0, 7).Draw(t, "key") }
		for range rapid.IntRange(0, 14).Draw(t, "n") {
			i, j := number(), number()
			a, b := record.Key{Source: "crm", ID: fmt.Sprint(min(i, j))}, record.Key{Source: "crm", ID: fmt.Sprint(max(i, j))}
			if a == b || seen[[2]record.Key{a, b}] {
				continue
			}
			seen[[2]record.Key{a, b}] = true
			group[a.String()], group[b.String()] = min(i, j), max(i, j)
			active = append(active, store.Decision{ID: int64(len(active) + 1), Kind: rapid.SampledFrom([]store.Kind{store.Same, store.NotSame}).Draw(t, "kind"), A: a, B: b})
		}
		byID := make(map[int64]store.Decision)
		for range active {
			for _, d := range active {
				byID[d.ID] = d
				if a, b := d.A.String(), d.B.String(); d.Kind == store.Same {
					least := min(group[a], group[b])
					group[a], group[b] = least, least
				}
			}
		}
		want := make(map[int64]bool)
		for _, d := range active {
			if d.Kind == store.NotSame && group[d.A.String()] == group[d.B.String()] {
				want[d.ID] = true
			}
		}
		found := contradictionsOf(active)
		if len(found) != len(want) {
			t.Fatalf("%d contradictions, want %d", len(found), len(want))
		}
		for _, c := range found {
			if d := byID[c.NotSame]; !want[c.NotSame] || d.A.String() != c.A || d.B.String() != c.B {
				t.Fatalf("%+v is none", c)
			}
			at := c.A
			for _, s := range c.Chain {
				d := byID[s.Decision]
				forth, back := d.A.String() == s.A && d.B.String() == s.B, d.B.String() == s.A && d.A.String() == s.B
				if d.Kind != store.Same || s.A != at || !forth && !back {
					t.Fatalf("step %+v from %s is decision %+v", s, at, d)
				}
				at = s.B
			}
			if at != c.B {
				t.Fatalf("the chain of %+v ends at %s", c, at)
			}
		}
	})
}
