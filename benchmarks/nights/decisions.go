package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
)

// decision is what a steward said of two records.
type decision struct {
	same    bool
	a, b    uint32
	number  int64 // in sama decide list
	revoked bool
	planted bool // one of three that contradict each other
}

// decisions are all that were made.
type decisions struct {
	*rand.Rand
	list  []decision
	pairs map[[2]uint32]bool
	named map[int64]bool // not-same decisions that sama decide list calls contradictory
}

// add adds a decision on a pair that has none.
func (d *decisions) add(same bool, a, b uint32, planted bool) {
	pair := [2]uint32{min(a, b), max(a, b)}
	if a == b || d.pairs[pair] {
		return
	}
	d.pairs[pair] = true
	d.list = append(d.list, decision{same: same, a: a, b: b, planted: planted})
}

// drawDecisions draws decisions after the first night: half that records of
// different identities are the same (some on a record that an earlier decision
// names), half that records of one identity are not. Of a hundred, three
// contradict each other and three are on a record that is yet to come.
func (w *world) drawDecisions(h *history) (*decisions, error) {
	d := &decisions{Rand: rand.New(rand.NewPCG(w.seed, 0x6465636964)), pairs: map[[2]uint32]bool{}}
	n := h.before
	var there, together []uint32
	for k := range n.owner {
		if id := n.owner[k]; id != 0 {
			there = append(there, uint32(k))
			if len(n.groups[id]) > 1 {
				together = append(together, uint32(k))
			}
		}
	}
	var waiting []uint32
	for _, x := range w.silos.list {
		for _, row := range x.waiting[max(0, len(x.waiting)-len(x.rows)/10):] {
			waiting = append(waiting, h.key(x.name, x.key(row)))
		}
	}
	if len(there) < 3*w.options.decisions || len(together) == 0 {
		return nil, fmt.Errorf("-decisions %d: too many for %d records", w.options.decisions, len(there))
	}
	pick := func(list []uint32) uint32 { return list[d.IntN(len(list))] }
	for want := w.options.decisions; len(d.list) < want; {
		a, b := pick(there), pick(there)
		switch p := d.IntN(100); {
		case p == 0 && len(d.list)+3 <= want:
			c := pick(there)
			d.add(true, a, b, true)
			d.add(true, b, c, true)
			d.add(false, c, a, true)
		case p <= 3 && len(waiting) > 0:
			d.add(d.IntN(2) == 0, a, pick(waiting), false)
		case p < 50:
			if len(d.list) > 0 && d.IntN(5) == 0 {
				a = d.list[d.IntN(len(d.list))].b
			}
			if n.ownerOf(a) != n.ownerOf(b) {
				d.add(true, a, b, false)
			}
		default:
			a = pick(together)
			d.add(false, a, pick(n.groups[n.ownerOf(a)]), false)
		}
	}
	return d, d.write(w.path("decisions.csv"), h)
}

// write writes the decisions as sama decide import wants them.
func (d *decisions) write(path string, h *history) error {
	var text strings.Builder
	text.WriteString("decision,source_a,record_id_a,source_b,record_id_b,reason\n")
	for _, x := range d.list {
		kind := map[bool]string{true: "same", false: "not-same"}[x.same]
		a, idA, _ := strings.Cut(h.keys.texts[x.a], ":")
		b, idB, _ := strings.Cut(h.keys.texts[x.b], ":")
		fmt.Fprintf(&text, "%s,%s,%s,%s,%s,drawn\n", kind, a, idA, b, idB)
	}
	return os.WriteFile(path, []byte(text.String()), 0o666)
}

// bring imports the decisions and learns their numbers.
func (d *decisions) bring(ctx context.Context, w *world) error {
	if _, err := w.sama(ctx, "decide", "import", w.path("decisions.csv"), "--by", "benchmark", "--out", w.path("out")); err != nil {
		return err
	}
	numbers, err := d.readList(ctx, w)
	if err != nil {
		return err
	}
	if len(numbers) != len(d.list) {
		w.faults.add("decisions", "%d were imported, sama decide list has %d", len(d.list), len(numbers))
		return nil
	}
	for i := range d.list {
		d.list[i].number = numbers[i]
	}
	return nil
}

// readList reads sama decide list: the numbers of the decisions in the order in
// which they were made, and which of them it calls contradictory.
func (d *decisions) readList(ctx context.Context, w *world) ([]int64, error) {
	text, err := w.sama(ctx, "decide", "list", "--json", "--out", w.path("out"))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Decisions []struct {
			ID int64 `json:"id"`
		} `json:"decisions"`
		Contradictions []struct {
			NotSame int64 `json:"not_same"`
		} `json:"contradictions"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("sama decide list: %w", err)
	}
	d.named = map[int64]bool{}
	for _, c := range answer.Contradictions {
		d.named[c.NotSame] = true
	}
	var numbers []int64
	for _, x := range answer.Decisions {
		numbers = append(numbers, x.ID)
	}
	return numbers, nil
}

// revoke revokes a same decision of every other contradiction.
func (d *decisions) revoke(ctx context.Context, w *world) error {
	i := 0
	for k := range d.list {
		x := &d.list[k]
		if !x.planted || !x.same {
			continue
		}
		if i++; i%4 != 1 {
			continue
		}
		if _, err := w.sama(ctx, "decide", "revoke", fmt.Sprint(x.number), "--by", "benchmark", "--reason", "contradiction", "--out", w.path("out")); err != nil {
			return err
		}
		x.revoked = true
	}
	_, err := d.readList(ctx, w)
	return err
}

// look holds a night against the decisions.
func (d *decisions) look(h *history, n *night, done *resolved) {
	joined := newSets(len(h.keys.texts))
	var same, notSame, waiting, contradictory int64
	for _, x := range d.list {
		if x.revoked || !x.same {
			continue
		}
		if n.ownerOf(x.a) == 0 || n.ownerOf(x.b) == 0 {
			waiting++
			continue
		}
		same++
		joined.join(x.a, x.b)
		if n.ownerOf(x.a) != n.ownerOf(x.b) {
			h.fault("decisions", "#%d: %v are the same, and are parted", x.number, h.keysOf([]uint32{x.a, x.b}))
		}
	}
	told := strings.Join(done.Warnings, "\n") + " "
	for _, x := range d.list {
		if x.revoked || x.same {
			continue
		}
		switch {
		case n.ownerOf(x.a) == 0 || n.ownerOf(x.b) == 0:
			waiting++
		case joined.find(x.a) == joined.find(x.b):
			contradictory++
			if !d.named[x.number] {
				h.fault("decisions", "#%d is contradictory, and sama decide list does not say so", x.number)
			}
			if !strings.Contains(told, fmt.Sprintf("decision #%d,", x.number)) && !strings.Contains(told, "among decisions: sama decide list shows all") {
				h.fault("decisions", "#%d is contradictory, and no warning of the run names it", x.number)
			}
		default:
			notSame++
			if n.ownerOf(x.a) == n.ownerOf(x.b) {
				h.fault("decisions", "#%d: %v are not the same, and are one identity", x.number, h.keysOf([]uint32{x.a, x.b}))
			}
		}
	}
	got := n.info.Decisions
	if got.Same != same || got.NotSame != notSame || got.Waiting != waiting || got.Contradictory != contradictory || got != done.Decisions {
		h.fault("decisions", "%d same, %d not same, %d waiting, %d contradictory; run.json has %+v, the summary %+v", same, notSame, waiting, contradictory, got, done.Decisions)
	}
	waits := slices.ContainsFunc(done.Warnings, func(t string) bool {
		return strings.HasPrefix(t, fmt.Sprintf("%d decision", waiting)) && strings.Contains(t, "wait")
	})
	if waiting > 0 && !waits {
		h.fault("decisions", "%d wait, and no warning of the run says so", waiting)
	}
}

// sets is a union-find.
type sets []uint32

func newSets(n int) sets {
	s := make(sets, n)
	for i := range s {
		s[i] = uint32(i)
	}
	return s
}

func (s sets) find(x uint32) uint32 {
	for s[x] != x {
		s[x] = s[s[x]]
		x = s[x]
	}
	return x
}

func (s sets) join(a, b uint32) { s[s.find(a)] = s.find(b) }
