package main

import (
	"bytes"
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/benchmarks/measure"
	"sama/run"
)

// TestMain lets the test binary be the processes that it starts.
func TestMain(m *testing.M) {
	measure.Helper()
	os.Exit(m.Run())
}

// TestNightsKeepTheirPromises runs all three kinds of nights, small.
func TestNightsKeepTheirPromises(t *testing.T) {
	root, err := measure.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	program, err := measure.Build(t.Context(), root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-records", "900", "-nights", "2", "-delta", "-decisions", "60", "-first-every", "0"},
		{"-records", "300", "-same", "2"},
	} {
		var out, errs bytes.Buffer
		code := Run(context.Background(), append(args, "-sama", string(program)), &out, &errs)
		if code != 0 || !strings.HasSuffix(out.String(), "\n0 violations\n") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out.String(), errs.String())
		}
	}
}

// nightOf makes a night of identities, as lists of records.
func nightOf(groups map[uint32][]uint32, events ...event) *night {
	n := &night{groups: groups, events: events, aliases: map[uint32]alias{}, golden: map[uint32]times{}, owner: make([]uint32, 10)}
	for id, records := range groups {
		n.golden[id] = times{}
		for _, r := range records {
			n.owner[r] = id
		}
	}
	return n
}

// twoNights is a first night and one on which identity 2 merged into 1 and 3
// came to be; change spoils the second.
func twoNights(change func(n *night)) *faults {
	h := newHistory(new(faults))
	for _, text := range []string{"a", "b", "c", "d", "e"} {
		h.keys.number(text)
		h.ids.number("id-" + text)
	}
	early, late := int64(1000), int64(2000)
	first := nightOf(map[uint32][]uint32{1: {1, 2}, 2: {3}, 4: {5}}, event{"created", 1, 0, []uint32{1, 2}}, event{"created", 2, 0, []uint32{3}}, event{"created", 4, 0, []uint32{5}})
	first.golden[1] = times{&early, &early}
	h.look(first)
	second := nightOf(map[uint32][]uint32{1: {1, 2, 3}, 3: {4}, 4: {5}}, event{"grown", 1, 0, []uint32{3}}, event{"merged", 2, 1, []uint32{3}}, event{"created", 3, 0, []uint32{4}})
	second.aliases[2] = alias{1, []uint32{3}}
	second.golden[1] = times{&early, &late}
	if change != nil {
		change(second)
	}
	h.look(second)
	return h.faults
}

func TestEveryBrokenPromiseIsSeen(t *testing.T) {
	if f := twoNights(nil); f.total() != 0 {
		t.Fatalf("a faultless night has faults: %v", f.first)
	}
	late := int64(3000)
	early := int64(500)
	for _, c := range []struct {
		name, kind string
		change     func(n *night)
	}{
		{"an identity that is as it was has another id", "kept", func(n *night) {
			n.groups[5], n.owner[5] = n.groups[4], 5
			delete(n.groups, 4)
		}},
		{"an event is missing", "replay", func(n *night) { n.events = n.events[1:] }},
		{"an event names a wrong record", "replay", func(n *night) { n.events[0].records = []uint32{4} }},
		{"records are lost that were not there", "replay", func(n *night) { n.events = append(n.events, event{"shrunk", 4, 0, []uint32{1}}) }},
		{"a live id is merged and has members", "leads", func(n *night) { n.events = append(n.events, event{"merged", 4, 1, []uint32{5}}) }},
		{"an unknown id is merged", "leads", func(n *night) { n.events = append(n.events, event{"merged", 5, 1, []uint32{4}}) }},
		{"an id leads elsewhere than its event says", "leads", func(n *night) { n.events[1].other = 3 }},
		{"an id leads nowhere", "aliases", func(n *night) { delete(n.aliases, 2) }},
		{"an id leads to one that is not live", "aliases", func(n *night) { n.aliases[2] = alias{5, []uint32{3}} }},
		{"an id leads to one with fewer of its records", "aliases", func(n *night) { n.aliases[2] = alias{3, []uint32{3}} }},
		{"an id leads to none although its record is there", "aliases", func(n *night) { n.aliases[2] = alias{0, []uint32{3}} }},
		{"an alias has forgotten its records", "aliases", func(n *night) { n.aliases[2] = alias{1, nil} }},
		{"a live id is an alias too", "aliases", func(n *night) { n.aliases[4] = alias{1, []uint32{5}} }},
		{"a new id is said to be restored", "reuse", func(n *night) { n.events[2].kind = "restored" }},
		{"first_seen moves later", "golden", func(n *night) { n.golden[1] = times{&late, &late} }},
		{"first_seen is lost", "golden", func(n *night) { n.golden[1] = times{nil, &late} }},
		{"last_changed moves earlier", "golden", func(n *night) { n.golden[1] = times{&early, &early} }},
		{"a golden record is missing", "golden", func(n *night) { delete(n.golden, 3) }},
	} {
		if f := twoNights(c.change); f.count[c.kind] == 0 {
			t.Errorf("%s: no fault of kind %q, but %v", c.name, c.kind, f.count)
		}
	}
}

func TestAnIdThatIsGivenToOthersIsSeen(t *testing.T) {
	h := newHistory(new(faults))
	h.keys.number("a")
	h.keys.number("b")
	h.ids.number("id-a")
	h.look(nightOf(map[uint32][]uint32{1: {1}}, event{"created", 1, 0, []uint32{1}}))
	gone := nightOf(map[uint32][]uint32{}, event{"retired", 1, 0, []uint32{1}})
	gone.aliases[1] = alias{0, []uint32{1}}
	h.look(gone)
	if h.total() != 0 {
		t.Fatal(h.first)
	}
	h.look(nightOf(map[uint32][]uint32{1: {2}}, event{"restored", 1, 0, []uint32{2}}))
	if h.count["reuse"] != 1 {
		t.Errorf("%v", h.first)
	}
}

// TestBrokenDecisionsAreSeen has a chain of same with a not-same in it, a
// decision that waits and one that holds.
func TestBrokenDecisionsAreSeen(t *testing.T) {
	look := func(change func(n *night, done *resolved)) map[string]int {
		h := newHistory(new(faults))
		for _, text := range []string{"a", "b", "c", "d", "e", "f"} {
			h.keys.number(text)
		}
		n := nightOf(map[uint32][]uint32{1: {1, 2, 3}, 2: {4}, 3: {5}})
		n.info.Decisions = run.Decisions{Same: 2, NotSame: 1, Waiting: 1, Contradictory: 1}
		done := &resolved{Decisions: n.info.Decisions, Warnings: []string{"decision #3, that a and c are not the same, is contradicted", "1 decision waits for records that are not there"}}
		change(n, done)
		d := &decisions{named: map[int64]bool{3: true}, list: []decision{
			{same: true, a: 1, b: 2, number: 1}, {same: true, a: 2, b: 3, number: 2}, {a: 1, b: 3, number: 3},
			{a: 4, b: 5, number: 4}, {a: 4, b: 6, number: 5}, {same: true, a: 4, b: 5, number: 6, revoked: true},
		}}
		d.look(h, n, done)
		return h.count
	}
	if f := look(func(*night, *resolved) {}); len(f) > 0 {
		t.Errorf("obeyed decisions have faults: %v", f)
	}
	for name, change := range map[string]func(*night, *resolved){
		"same is parted":                    func(n *night, _ *resolved) { n.owner[3] = 3 },
		"not same is joined":                func(n *night, _ *resolved) { n.owner[5] = 2 },
		"the contradiction is not named":    func(_ *night, done *resolved) { done.Warnings = done.Warnings[1:] },
		"what waits is not told":            func(_ *night, done *resolved) { done.Warnings = done.Warnings[:1] },
		"the run counts wrongly":            func(n *night, _ *resolved) { n.info.Decisions.Contradictory = 0 },
		"the summary differs from run.json": func(_ *night, done *resolved) { done.Decisions.Same = 9 },
	} {
		if f := look(change); f["decisions"] == 0 {
			t.Errorf("%s, and no fault", name)
		}
	}
}

// TestChangesAddUp lays what a night says of itself over the rows before.
func TestChangesAddUp(t *testing.T) {
	x := &silo{name: "crm", header: "id,name,phone", separator: ","}
	for i := range 400 {
		row := strings.Join([]string{string(rune('A'+i/26)) + string(rune('a'+i%26)), "Kim", "040 123"}, ",")
		if i < 150 {
			x.rows = append(x.rows, row)
		} else {
			x.waiting = append(x.waiting, row)
		}
	}
	s := &silos{Rand: rand.New(rand.NewPCG(1, 2)), rates: rates{0.1, 0.2, 0.1}, list: []*silo{x}}
	rows := func() map[string]string {
		m := map[string]string{}
		for _, row := range x.rows {
			m[x.key(row)] = row
		}
		if len(m) != len(x.rows) {
			t.Fatal("a key stands twice")
		}
		return m
	}
	for range 30 {
		want := rows()
		c := s.pass()[0]
		for _, key := range c.gone {
			delete(want, key)
		}
		for _, row := range c.rows {
			want[x.key(row)] = row
		}
		if !maps.Equal(want, rows()) {
			t.Fatal("the changes of a night do not give its rows")
		}
		if len(x.rows)+len(x.waiting)+len(x.gone) != 400 {
			t.Fatalf("%d rows, %d waiting, %d gone", len(x.rows), len(x.waiting), len(x.gone))
		}
	}
	if len(x.waiting) > 50 || len(x.gone) == 0 {
		t.Errorf("%d waiting, %d gone after thirty nights", len(x.waiting), len(x.gone))
	}
}

func TestExtraTimeIsThatOfNightsOverFirstRuns(t *testing.T) {
	var x extraTime
	for _, seconds := range []time.Duration{2, 4} {
		l := line{now: &night{}, usage: measure.Usage{Wall: seconds * time.Second, CPU: 3 * time.Second}}
		l.now.info.Stages = []run.Stage{{Name: "identify", Seconds: 0.5}, {Name: "read", Seconds: 1}}
		l.first = &measured{measure.Usage{Wall: 2 * time.Second, CPU: 2 * time.Second}, map[string]float64{"identify": 0.25, "read": 1}}
		x.add(&l)
	}
	var out bytes.Buffer
	x.print(&out)
	for _, want := range []string{"wall 3.00 s and 2.00 s, ratio 1.500 (1.000 to 2.000); CPU 3.00 s and 2.00 s, ratio 1.500", "identify    +0.250  (0.500, 0.250)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestWrongFlagsAreSaid(t *testing.T) {
	var out, errs bytes.Buffer
	code := Run(context.Background(), []string{"-records", "7", "-nights", "0", "-new", "0.9", "-same", "3", "-layouts"}, &out, &errs)
	for _, want := range []string{"-records 7", "-nights 0", "-new 0.9", "-same and -layouts"} {
		if code != 2 || !strings.Contains(errs.String(), want) {
			t.Errorf("exit code %d, no %q in %s", code, want, errs.String())
		}
	}
}

// TestFoldersInUseAreLeftAlone gives -keep a folder with something in it.
func TestFoldersInUseAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "precious")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := Run(context.Background(), []string{"-sama", "none", "-keep", dir}, &out, &errs); code != 1 || !strings.Contains(errs.String(), "-keep") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	names, err := os.ReadDir(dir)
	if err != nil || !slices.ContainsFunc(names, func(e os.DirEntry) bool { return e.Name() == "precious" }) {
		t.Errorf("%v, %v", names, err)
	}
}
