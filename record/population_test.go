package record

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestPopulationCountsAsAMapDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := make(map[string]uint32)
		var c Counter
		for range rapid.IntRange(0, 40).Draw(t, "adds") {
			text := fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "text"))
			n := rapid.Uint32Range(1, 9).Draw(t, "number")
			c.Add(text, n)
			want[text] = max(want[text], n)
		}
		p := NewPopulation(7, []Counts{c.Counts("words"), {What: "nothing"}})
		for i := range 32 {
			text := fmt.Sprint(i)
			if got := p.Count("words", text); got != want[text] {
				t.Fatalf("%s counts %d, want %d", text, got, want[text])
			}
		}
		if p.Count("nothing", "1") != 0 || p.Count("unheard of", "1") != 0 {
			t.Fatal("what was not counted has a count")
		}
		if all := p.All(); len(all) != 2 || all[0].What != "nothing" || len(all[1].Hashes) != len(want) {
			t.Fatalf("all: %v", all)
		}
	})
}

// TestHashTextIsTheSameEverywhere: run directories keep these hashes. FNV-1a of
// "" and "a" are known (draft-eastlake-fnv), stirred as SplitMix64 does.
func TestHashTextIsTheSameEverywhere(t *testing.T) {
	for text, fnv := range map[string]uint64{"": 0xcbf29ce484222325, "a": 0xaf63dc4c8601ec8c, "foobar": 0x85944171f73967e8} {
		if got := HashText(text); got != Stir(fnv) {
			t.Errorf("HashText(%q) = %#x, want %#x", text, got, Stir(fnv))
		}
	}
	// The first number of SplitMix64 from seed 0 is Stir of its increment.
	if got := Stir(0x9e3779b97f4a7c15); got != 0xe220a8397b1dcdaf {
		t.Errorf("Stir gives %#x", got)
	}
}
