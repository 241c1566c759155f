package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/record"

	"github.com/google/go-cmp/cmp"
)

// publish writes the content to dir and fails the test if that fails.
func publish(t testing.TB, dir string, c *Content, opt Options) *Run {
	t.Helper()
	if opt.Now == nil {
		opt.Now = sampleClock
	}
	path, err := Publish(context.Background(), dir, c, opt)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPublishOpenRoundTrip(t *testing.T) {
	for _, n := range []int{0, 3, 1000} {
		dir := filepath.Join(t.TempDir(), "customers")
		c := sample(t, n, 1)
		published := publish(t, dir, c, Options{Arrow: true})
		r, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(r.Path) != filepath.Base(published.Path) || !strings.HasPrefix(r.Info.ID, "2026-11-23T02-00-00Z-") {
			t.Errorf("current names %s, published was %s", r.Path, published.Path)
		}
		if err := r.Check(); err != nil {
			t.Errorf("%d records: %v", n, err)
		}
		m, err := r.Members()
		if err != nil {
			t.Fatal(err)
		}
		if m.Len() != c.Table.Len() {
			t.Fatalf("%d records, want %d", m.Len(), c.Table.Len())
		}
		for i := range uint32(m.Len()) {
			if m.Key(i) != c.Table.Key(i) || m.Identities.At(m.Identity[i]) != c.Assigned.IDs[c.Identity[i]].String() {
				t.Fatalf("record %d: %s in %s", i, m.Key(i), m.Identities.At(m.Identity[i]))
			}
			if j, ok := m.Find(c.Table.Key(i)); !ok || j != i {
				t.Fatalf("record %s not found", c.Table.Key(i))
			}
		}
		if _, ok := m.Find(record.Key{Source: "crm", ID: "nobody"}); ok {
			t.Error("found a record that is not there")
		}
		checkEdgesRead(t, r, m, c)
	}
}

func checkEdgesRead(t *testing.T, r *Run, m *Members, c *Content) {
	edges, rules, err := r.Edges(m)
	if err != nil {
		t.Fatal(err)
	}
	want := map[record.Edge]string{}
	for i, e := range c.Edges {
		want[e] = c.BlockingRules[c.Rule[i]]
	}
	got := map[record.Edge]string{}
	for i, e := range edges {
		got[e] = rules[i]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("edges: %s", diff)
	}
}

// TestBytesDependOnContentOnly publishes the same content with other workers,
// another clock and edges and rejects in another order.
func TestBytesDependOnContentOnly(t *testing.T) {
	c := sample(t, 3000, 2)
	want := publish(t, t.TempDir(), c, Options{Workers: 1, Arrow: true})
	for _, workers := range []int{1, 2, 7} {
		c := shuffled(sample(t, 3000, 2), uint64(workers))
		late := func() time.Time { return sampleStart.Add(time.Duration(workers) * time.Hour) }
		c.Info.Started = late()
		got := publish(t, t.TempDir(), c, Options{Workers: workers, Arrow: true, Now: late})
		if diff := cmp.Diff(want.Info.Files, got.Info.Files); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
		if w, g := want.Info.ID[20:], got.Info.ID[20:]; w != g {
			t.Errorf("%d workers: run id ends in %s, want %s", workers, g, w)
		}
		for _, f := range want.Info.Files {
			a, err := os.ReadFile(want.File(f.Name))
			b, err2 := os.ReadFile(got.File(f.Name))
			if err != nil || err2 != nil || !bytes.Equal(a, b) {
				t.Errorf("%d workers: other bytes in %s (%v, %v)", workers, f.Name, err, err2)
			}
		}
	}
}

// shuffled returns the content with its edges and rejects in another order.
func shuffled(c *Content, seed uint64) *Content {
	r := rand.New(rand.NewPCG(seed, 9))
	k := len(c.Comparisons)
	r.Shuffle(len(c.Edges), func(i, j int) {
		c.Edges[i], c.Edges[j] = c.Edges[j], c.Edges[i]
		c.Rule[i], c.Rule[j] = c.Rule[j], c.Rule[i]
		for l := range k {
			c.Levels[i*k+l], c.Levels[j*k+l] = c.Levels[j*k+l], c.Levels[i*k+l]
		}
	})
	r.Shuffle(len(c.Rejects), func(i, j int) { c.Rejects[i], c.Rejects[j] = c.Rejects[j], c.Rejects[i] })
	return c
}

func TestEqualRunsOfOneSecondGetTwoIDs(t *testing.T) {
	dir := t.TempDir()
	a := publish(t, dir, sample(t, 30, 3), Options{})
	b := publish(t, dir, sample(t, 30, 3), Options{})
	if a.Info.ID == b.Info.ID || len(b.Info.ID) != len(a.Info.ID)+1 {
		t.Errorf("ids %s and %s", a.Info.ID, b.Info.ID)
	}
	if current, err := Open(dir); err != nil || current.Info.ID != b.Info.ID {
		t.Errorf("current is %v (%v)", current, err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrNoRun) {
		t.Errorf("empty directory: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "nowhere")); !errors.Is(err, ErrNoRun) {
		t.Errorf("no directory: %v", err)
	}
	for text, want := range map[string]string{"{": "not what sama writes", `{"format": 99, "version": "9"}`: "format 99"} {
		if err := os.WriteFile(filepath.Join(dir, infoName), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestCheckFindsDamage damages each file of a run in several ways.
func TestCheckFindsDamage(t *testing.T) {
	r := publish(t, t.TempDir(), sample(t, 90, 4), Options{})
	for _, f := range r.Info.Files {
		path := r.File(f.Name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		flipped := slices.Clone(whole)
		flipped[len(flipped)/2] ^= 4
		for what, text := range map[string][]byte{"flipped bit": flipped, "cut short": whole[:len(whole)-1], "empty": {}} {
			if err := os.WriteFile(path, text, 0o666); err != nil {
				t.Fatal(err)
			}
			if err := r.Check(); err == nil || !strings.Contains(err.Error(), f.Name) {
				t.Errorf("%s with a %s: %v", f.Name, what, err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := r.Check(); err == nil {
			t.Errorf("%s missing: no error", f.Name)
		}
		if err := os.WriteFile(path, whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.File("records/other.parquet"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err == nil || !strings.Contains(err.Error(), "records/other.parquet") {
		t.Errorf("strange file: %v", err)
	}
}

// TestCheckFindsContradictions replaces a file by that of another run, with
// its hash made right, so that only the content can tell.
func TestCheckFindsContradictions(t *testing.T) {
	other := publish(t, t.TempDir(), sample(t, 93, 6), Options{})
	for _, name := range []string{"members.parquet", "golden.parquet", "edges.parquet", "events.parquet", "provenance.parquet", "records/crm.parquet"} {
		r := publish(t, t.TempDir(), sample(t, 90, 5), Options{})
		text, err := os.ReadFile(other.File(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(r.File(name), text, 0o666); err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(r.Info.Files, func(f File) bool { return f.Name == name })
		r.Info.Files[at] = other.Info.Files[at]
		c, o := &r.Info.Counts, other.Info.Counts
		switch name {
		case "members.parquet":
			c.Records = o.Records
		case "golden.parquet":
			c.Identities = o.Identities
		case "edges.parquet":
			c.Edges = o.Edges
		case "events.parquet":
			c.Events = o.Events
		}
		if err := r.Check(); err == nil {
			t.Errorf("%s of another run: no error", name)
		}
	}
}

func TestContentIsValidated(t *testing.T) {
	for name, spoil := range map[string]func(*Content){
		"identity number":   func(c *Content) { c.Identity[0] = 99999 },
		"too few":           func(c *Content) { c.Identity = c.Identity[1:] },
		"identity unused":   func(c *Content) { c.Assigned.IDs = append(c.Assigned.IDs, 1<<40) },
		"founding record":   func(c *Content) { c.Assigned.Founder[0] = c.Assigned.Founder[1] },
		"run number":        func(c *Content) { c.Info.Number = 0 },
		"event's record":    func(c *Content) { c.Assigned.Events[0].Records = []uint32{99999} },
		"edge to itself":    func(c *Content) { c.Edges[0].B = c.Edges[0].A },
		"blocking rule":     func(c *Content) { c.Rule[0] = 3 },
		"level":             func(c *Content) { c.Levels[0] = 3 },
		"levels missing":    func(c *Content) { c.Levels = nil },
		"golden record":     func(c *Content) { c.Golden[0].Chosen[0] = 99999 },
		"losing record":     func(c *Content) { c.Golden[0].Losing[0].Record = 99999 },
		"golden rule":       func(c *Content) { c.RuleNames = nil },
		"golden columns":    func(c *Content) { c.Golden = c.Golden[1:] },
		"no configuration":  func(c *Content) { c.Config = nil },
		"source of a slash": func(c *Content) { c.Table.Sources[0] = "a/../b" },
	} {
		c := sample(t, 60, 7)
		spoil(c)
		dir := t.TempDir()
		if _, err := Publish(context.Background(), dir, c, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(filepath.Join(dir, runsFolder)); err == nil {
			t.Errorf("%s: something was written", name)
		}
	}
}

// TestInfoIsReadable keeps run.json a document that people and programs read.
func TestInfoIsReadable(t *testing.T) {
	r := publish(t, t.TempDir(), sample(t, 30, 8), Options{Workers: 2})
	text, err := os.ReadFile(r.File(infoName))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"id", "started", "finished", "config_sha256", "model_sha256", "inputs", "counts", "memory", "stages", "files", "columns"} {
		if v, ok := all[key]; !ok || v == "" || v == nil {
			t.Errorf("run.json has no %s", key)
		}
	}
	if r.Info.Counts.CandidatePairs != 12345 || r.Info.Counts.Rejects != 3 || r.Info.Counts.Sources != 3 {
		t.Errorf("counts %+v", r.Info.Counts)
	}
	if last := r.Info.Columns[6]; last.Column != "Sources" || last.Name != "Sources_2" {
		t.Errorf("column %+v, want it renamed", last)
	}
}
