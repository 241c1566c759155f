package run

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"sama/graph"
	"sama/graph/quality"
	"sama/record"
)

// nightTable returns a table of those records: every other letter is of source a,
// the rest of source b, and the two share record ids.
func nightTable(t testing.TB, r *rand.Rand, letters string) *record.Table {
	table := &record.Table{Sources: []string{"a", "b"}}
	var ids record.StringsBuilder
	city := &record.Column{Field: record.City, Name: "city"}
	var in record.Interner
	for s := range table.Sources {
		for _, l := range letters {
			if int(l)%2 != s {
				continue
			}
			ids.Append(string('a' + (l-'a')/2))
			table.Source = append(table.Source, uint16(s))
			city.Raw = append(city.Raw, in.Code([]string{"", "Turku", "Oulu"}[r.IntN(3)]))
		}
	}
	if len(table.Source) == 0 || table.Source[0] != 0 || table.Source[len(table.Source)-1] != 1 {
		return nil
	}
	table.IDs = ids.Build()
	city.Code = city.Raw
	city.RawText, _ = in.Strings()
	city.Normal = city.RawText
	city.Count = make([]uint32, in.Len())
	for _, c := range city.Code {
		city.Count[c]++
	}
	table.Columns = []*record.Column{city}
	return table
}

// night publishes a run on the table, with records joined at random.
func night(t testing.TB, dir string, r *rand.Rand, table *record.Table, held bool) *Run {
	t.Helper()
	prints := Fingerprints(table, 1)
	past, err := Follow(dir, table, prints, nil)
	if err != nil {
		t.Fatal(err)
	}
	labels := make([]uint32, table.Len())
	for i := range labels {
		labels[i] = uint32(i)
		if i > 0 && r.IntN(2) == 0 {
			labels[i] = labels[r.IntN(i)]
		}
	}
	clusters := graph.ClustersOf(labels)
	assigned, err := graph.Assign(clusters, &past.Graph, graph.Issuer{Run: past.Number, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := &Content{
		Table: table, Identity: clusters.Of, Assigned: assigned, Gone: past.Gone, Times: past.Times(clusters, assigned), Fingerprint: prints,
		Config: []byte("{}\n"), Model: []byte("{}\n"), Report: []byte("\n"),
		Info: Info{Number: past.Number, Since: past.Since},
	}
	if past.Previous != nil {
		c.Info.Previous = past.Previous.Info.ID
	}
	sampleGolden(c, r)
	opt := Options{Workers: 1, Now: func() time.Time { return sampleStart.AddDate(0, 0, int(past.Number)) }}
	if held && past.Previous != nil {
		opt.HoldBack = func(*Run) (bool, error) { return true, nil }
	}
	return publish(t, dir, c, opt)
}

// TestNightsAddUp plays random histories with rollbacks and runs held back. After
// every night all runs are whole, and their events give the members of the
// current one; and what diff finds between a run and the one that it goes on from
// are the run's own events.
func TestNightsAddUp(t *testing.T) {
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 2))
		dir := t.TempDir()
		for range 6 {
			letters := ""
			for _, l := range "abcdefghij" {
				if r.IntN(4) > 0 {
					letters += string(l)
				}
			}
			table := nightTable(t, r, letters)
			if table == nil {
				continue
			}
			is := night(t, dir, r, table, r.IntN(6) == 0)
			if before, err := Open(dir + "/runs/" + is.Info.Previous); is.Info.Previous != "" {
				if err != nil {
					t.Fatal(err)
				}
				compareWithEvents(t, before, is)
			}
			found, replayed, err := CheckAll(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.Err != nil {
					t.Fatalf("history %d: run %q: %v", seed, f.ID, f.Err)
				}
			}
			if replayed == 0 {
				t.Fatalf("history %d: nothing was replayed", seed)
			}
			if r.IntN(4) == 0 {
				switchToAny(t, dir, found[r.IntN(len(found))].ID)
			}
		}
	}
}

func switchToAny(t *testing.T, dir, id string) {
	t.Helper()
	lock, err := Acquire(dir, sampleClock)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Switch(id); err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if CurrentID(dir) != id {
		t.Fatalf("current is %s, want %s", CurrentID(dir), id)
	}
}

// compareWithEvents compares what became of the identities by their ids with the
// events of the run after.
func compareWithEvents(t *testing.T, before, after *Run) {
	t.Helper()
	was, err := before.Members()
	if err != nil {
		t.Fatal(err)
	}
	is, err := after.Members()
	if err != nil {
		t.Fatal(err)
	}
	u := Unite(was, is)
	k := &quality.Kept{Was: is.Match(was), Dormant: make([]bool, is.Identities.Len()), Into: make([]uint32, was.Identities.Len())}
	for i := range u.Before {
		b, a := graph.None, graph.None
		if rec := u.Before[i]; rec != NoRecord {
			b = was.Identity[rec]
		}
		if rec := u.After[i]; rec != NoRecord {
			a = is.Identity[rec]
		}
		k.Before, k.After = append(k.Before, b), append(k.After, a)
	}
	ids, _, err := before.Aliases()
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint32(ids.Len()) {
		if a, ok := is.FindIdentity(ids.At(i)); ok {
			k.Dormant[a] = true
		}
	}
	for b := range k.Into {
		k.Into[b] = graph.None
	}
	ids, into, err := after.Aliases()
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint32(ids.Len()) {
		if b, ok := was.FindIdentity(ids.At(i)); ok {
			if a, ok := is.FindIdentity(into.At(i)); ok {
				k.Into[b] = a
			}
		}
	}
	d := quality.CompareKept(k)
	want := eventsOfLive(t, after, was)
	for _, kind := range graph.EventKinds() {
		if d.Count[kind] != want[kind] {
			t.Fatalf("run %s: %d %s, its events say %d", after.Path, d.Count[kind], kind, want[kind])
		}
	}
}

// eventsOfLive counts a run's events but for those that tell that an id which was
// not live before leads elsewhere.
func eventsOfLive(t *testing.T, r *Run, was *Members) map[graph.EventKind]int {
	t.Helper()
	kinds, err := r.text("events.parquet", "event")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := r.strings("events.parquet", "identity_id")
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[graph.EventKind]int)
	for i, code := range kinds.codes {
		kind, err := graph.ParseEventKind(kinds.texts[code])
		if err != nil {
			t.Fatal(err)
		}
		if _, live := was.FindIdentity(ids.At(uint32(i))); live || kind != graph.Merged {
			counts[kind]++
		}
	}
	return counts
}

// TestReplayFindsALie changes what one run of three says happened.
func TestReplayFindsALie(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 2))
	dir := t.TempDir()
	var chain []*Run
	for _, letters := range []string{"abcdefgh", "abcdefghij", "bcdefghij"} {
		chain = append(chain, night(t, dir, r, nightTable(t, r, letters), false))
	}
	if err := replay(chain); err != nil {
		t.Fatal(err)
	}
	if err := replay(chain[:2]); err != nil {
		t.Fatal(err)
	}
	if err := replay([]*Run{chain[0], chain[2]}); err == nil {
		t.Error("a run left out: no error")
	}
	if err := replay(append(slices.Clone(chain), chain[1])); err == nil {
		t.Error("a run replayed twice: no error")
	}
	if err := os.Remove(dir + "/current"); err != nil {
		t.Fatal(err)
	}
	found, replayed, err := CheckAll(dir)
	if err != nil || replayed != 0 || found[len(found)-1].Err == nil {
		t.Errorf("no current: %v, replayed %d, error %v", found, replayed, err)
	}
	if err := os.Symlink("runs/elsewhere", dir+"/current"); err != nil {
		t.Fatal(err)
	}
	if found, _, _ := CheckAll(dir); found[len(found)-1].Err == nil {
		t.Error("current leads nowhere: no error")
	}
}

// TestCheckFindsFalseHistory publishes runs whose events or aliases contradict
// their members.
func TestCheckFindsFalseHistory(t *testing.T) {
	for name, spoil := range map[string]func(a *graph.Assignment){
		"an event is missing":     func(a *graph.Assignment) { a.Events = a.Events[1:] },
		"an event twice":          func(a *graph.Assignment) { a.Events = append(a.Events, a.Events[0]) },
		"another kind":            func(a *graph.Assignment) { a.Events[0].Kind = graph.Grown },
		"a live identity retired": func(a *graph.Assignment) { a.Events[0].Kind = graph.Retired },
		"a record is missing":     func(a *graph.Assignment) { a.Events[0].Records = nil },
		"records of another":      func(a *graph.Assignment) { a.Events[0].Records = a.Events[1].Records },
		"an identity nobody has":  func(a *graph.Assignment) { a.Events[0].Identity = graph.Issuer{Run: 1, Seed: 99}.ID(12345) },
		"created of another":      func(a *graph.Assignment) { a.Events[0].Other = a.IDs[1] },
		"an alias that is live": func(a *graph.Assignment) {
			a.Dormant = []graph.Dormant{{ID: a.IDs[0], Into: a.IDs[1], Founder: NoRecord}}
		},
		"an alias to nothing": func(a *graph.Assignment) {
			a.Dormant = []graph.Dormant{{ID: stranger(0), Into: stranger(1), Founder: NoRecord}}
		},
		"an alias twice": func(a *graph.Assignment) {
			a.Dormant = []graph.Dormant{{ID: stranger(0), Founder: NoRecord}, {ID: stranger(0), Founder: NoRecord}}
		},
		"an alias of a later run": func(a *graph.Assignment) {
			a.Dormant = []graph.Dormant{{ID: graph.Issuer{Run: 2}.ID(0), Founder: NoRecord}}
		},
		"an alias ended later": func(a *graph.Assignment) { a.Dormant = []graph.Dormant{{ID: stranger(0), Ended: 2, Founder: NoRecord}} },
		"an identity of a later run": func(a *graph.Assignment) {
			a.IDs[0] = graph.Issuer{Run: 2}.ID(0)
			a.Events[0].Identity = a.IDs[0]
		},
		"a retired id with no alias": func(a *graph.Assignment) {
			a.Events = append(a.Events, graph.Event{Kind: graph.Retired, Identity: stranger(0)})
		},
		"an id that ends twice": func(a *graph.Assignment) {
			a.Dormant = []graph.Dormant{{ID: stranger(0), Founder: NoRecord}}
			end := graph.Event{Kind: graph.Retired, Identity: stranger(0)}
			a.Events = append(a.Events, end, end)
		},
		"a retired id that leads on": func(a *graph.Assignment) {
			a.Dormant = []graph.Dormant{{ID: stranger(0), Into: a.IDs[2], Founder: NoRecord}}
			a.Events = append(a.Events, graph.Event{Kind: graph.Retired, Identity: stranger(0)})
		},
		"merged into another than it leads to": func(a *graph.Assignment) {
			a.Dormant = []graph.Dormant{{ID: stranger(0), Into: a.IDs[2], Founder: NoRecord}}
			a.Events = append(a.Events, graph.Event{Kind: graph.Merged, Identity: stranger(0), Other: a.IDs[1]})
		},
		"merged into nothing": func(a *graph.Assignment) {
			a.Dormant = []graph.Dormant{{ID: stranger(0), Founder: NoRecord}}
			a.Events = append(a.Events, graph.Event{Kind: graph.Merged, Identity: stranger(0)})
		},
		"not created in a first run": func(a *graph.Assignment) { a.Events[0].Kind = graph.Restored },
		"split of nothing":           func(a *graph.Assignment) { a.Events[0].Kind = graph.Split },
	} {
		c := sample(t, 60, 5)
		c.Assigned.Events = slices.Clone(c.Assigned.Events)
		spoil(c.Assigned)
		// With an index some of these would not be published at all.
		if err := publish(t, t.TempDir(), c, Options{noIndex: true}).Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	c := sample(t, 60, 5)
	c.Assigned.Dormant = []graph.Dormant{{ID: stranger(0), Into: c.Assigned.IDs[3], Ended: 1, Founder: 2, Records: []uint32{1, 2}}, {ID: stranger(1), Founder: NoRecord}}
	c.Assigned.Events = append(c.Assigned.Events, graph.Event{Kind: graph.Merged, Identity: stranger(0), Other: c.Assigned.IDs[3]},
		graph.Event{Kind: graph.Retired, Identity: stranger(1), Records: []uint32{5}})
	if err := publish(t, t.TempDir(), c, Options{}).Check(); err != nil {
		t.Errorf("sound aliases: %v", err)
	}
}

// stranger is an id of run 1 that the sample does not have.
func stranger(n uint64) graph.IdentityID { return graph.Issuer{Run: 1, Seed: 4242}.ID(n) }
