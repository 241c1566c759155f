package run

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/graph"
	"sama/record"
	"sama/run/index"
)

func TestRunWithoutIndexIsWhole(t *testing.T) {
	r := publish(t, t.TempDir(), sample(t, 60, 1), Options{noIndex: true})
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	if _, err := r.Index(); !errors.Is(err, ErrNoIndex) || !strings.Contains(err.Error(), r.Path+": this run has no index; run sama resolve again") {
		t.Errorf("opening its index: %v", err)
	}
}

func TestIndexIsServedWithItsSections(t *testing.T) {
	c := sample(t, 300, 1)
	c.Sections = []index.Section{index.Uint32Section("blocks", []uint32{3, 1, 2})}
	x, err := publish(t, t.TempDir(), c, Options{}).Index()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if got, err := x.Uint32("blocks"); err != nil || !slices.Equal(got, []uint32{3, 1, 2}) {
		t.Errorf("section of others: %v, %v", got, err)
	}
	if n := x.Changes(); n != len(c.Assigned.Events) {
		t.Errorf("%d changes for %d events", n, len(c.Assigned.Events))
	}
}

// TestIndexNumbersIdentitiesByRow publishes identities that are numbered
// otherwise than golden.parquet lists them.
func TestIndexNumbersIdentitiesByRow(t *testing.T) {
	c := sample(t, 300, 1)
	n := len(c.Assigned.IDs)
	for r := range c.Identity {
		c.Identity[r] = uint32(n-1) - c.Identity[r]
	}
	slices.Reverse(c.Assigned.IDs)
	slices.Reverse(c.Assigned.Founder)
	for i := range c.Golden {
		g := &c.Golden[i]
		var lists [][]Losing
		for id := range n {
			lists = append(lists, g.Losing[g.LosingStart[id]:g.LosingStart[id+1]])
		}
		slices.Reverse(g.Chosen)
		slices.Reverse(g.Rule)
		slices.Reverse(lists)
		g.Losing = slices.Concat(lists...)
		for id := range n {
			g.LosingStart[id+1] = g.LosingStart[id] + uint32(len(lists[id]))
		}
	}
	if err := publish(t, t.TempDir(), c, Options{}).Check(); err != nil {
		t.Error(err)
	}
}

// TestCheckFindsAnotherIndex puts an index beside the Parquet files that says
// something else, and says in run.json that it belongs there.
func TestCheckFindsAnotherIndex(t *testing.T) {
	for name, spoil := range map[string]func(in *index.Input){
		"nothing": func(*index.Input) {},
		"another id": func(in *index.Input) {
			in.IDs = swapped{in.IDs}
		},
		"a record of another identity": func(in *index.Input) {
			in.Golden = nil
			in.Identity = slices.Clone(in.Identity)
			for r, i := range in.Identity { // one that is not its identity's first
				if i > 0 && slices.Index(in.Identity, i) < r {
					in.Identity[r] = 0
					return
				}
			}
		},
		"no golden records": func(in *index.Input) { in.Golden = nil },
		"a golden value less": func(in *index.Input) {
			chosen := slices.Clone(in.Golden[0].Chosen)
			chosen[slices.IndexFunc(chosen, func(r uint32) bool { return r != NoRecord })] = NoRecord
			in.Golden[0].Chosen = chosen
		},
		"another rule": func(in *index.Input) {
			in.Golden[1].Rule = slices.Clone(in.Golden[1].Rule)
			for i := range in.Golden[1].Rule {
				in.Golden[1].Rule[i] = 2
			}
		},
		"another first time":  func(in *index.Input) { in.FirstSeen = slices.Clone(in.FirstSeen); in.FirstSeen[7]++ },
		"another last time":   func(in *index.Input) { in.LastChanged = slices.Clone(in.LastChanged); in.LastChanged[7]++ },
		"an event less":       func(in *index.Input) { in.Events = in.Events[1:] },
		"an event more":       func(in *index.Input) { in.Events = append(slices.Clone(in.Events), in.Events[0]) },
		"another event":       func(in *index.Input) { in.Events = slices.Clone(in.Events); in.Events[3].Kind++ },
		"an alias less":       func(in *index.Input) { in.Aliases, in.Events = in.Aliases[1:], in.Events[:len(in.Events)-2] },
		"an alias elsewhere":  func(in *index.Input) { in.Aliases = slices.Clone(in.Aliases); in.Aliases[0].Into = 1 },
		"another column name": func(in *index.Input) { in.Columns = slices.Clone(in.Columns); in.Columns[2] = "x" },
		"another normal form": func(in *index.Input) { in.Table.Columns[3] = otherColumn(in.Table.Columns[3]) },
		"a wrong count": func(in *index.Input) {
			c := *in.Table.Columns[0]
			c.Count = slices.Clone(c.Count)
			c.Count[1]++
			in.Table.Columns[0] = &c
		},
	} {
		c := sample(t, 200, 5)
		c.Assigned.Dormant = []graph.Dormant{{ID: stranger(0), Into: c.Assigned.IDs[3], Ended: 1, Founder: 2, Records: []uint32{1, 2}}, {ID: stranger(1), Founder: NoRecord}}
		c.Assigned.Events = append(slices.Clone(c.Assigned.Events), graph.Event{Kind: graph.Merged, Identity: stranger(0), Other: c.Assigned.IDs[3]},
			graph.Event{Kind: graph.Retired, Identity: stranger(1), Records: []uint32{5}})
		r := publish(t, t.TempDir(), c, Options{})
		in, err := (&publisher{layout: newLayout(c, 1)}).indexInput()
		if err != nil {
			t.Fatal(err)
		}
		spoil(in)
		replaceIndex(t, r, in)
		if err := r.Check(); (err == nil) != (name == "nothing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// swapped is a list whose first two texts have changed places.
type swapped struct{ index.Texts }

func (s swapped) At(i uint32) string {
	if i < 2 {
		i = 1 - i
	}
	return s.Texts.At(i)
}

// otherColumn has another text for the first normal form.
func otherColumn(c *record.Column) *record.Column {
	other := *c
	var b record.StringsBuilder
	for i := range uint32(c.Normal.Len()) {
		text := c.Normal.At(i)
		if i == 1 {
			text += "x"
		}
		b.Append(text)
	}
	other.Normal = b.Build()
	return &other
}

// replaceIndex builds an index in the place of a run's own.
func replaceIndex(t *testing.T, r *Run, in *index.Input) {
	t.Helper()
	dir := r.File(indexFolder)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	written, err := index.Build(dir, in, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range r.Info.Files {
		for _, w := range written {
			if f.Name == indexFolder+"/"+w.Name {
				r.Info.Files[i].Bytes, r.Info.Files[i].SHA256 = w.Bytes, w.SHA256
			}
		}
	}
	text, err := json.Marshal(r.Info)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.Path, infoName), text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestChangedGoldenRecordsAreThoseOfTheFiles lets a second night show other
// values and compares what the index tells with the Parquet files of both.
func TestChangedGoldenRecordsAreThoseOfTheFiles(t *testing.T) {
	dir := t.TempDir()
	c := sample(t, 400, 3)
	before := publish(t, dir, c, Options{})
	c.Info.Previous, c.Info.Number = before.Info.ID, 2
	email := slices.IndexFunc(c.Table.Columns, func(c *record.Column) bool { return c.Field == record.Email })
	for i := 0; i < len(c.Golden[email].Chosen); i += 7 {
		c.Golden[email].Chosen[i] = NoRecord
	}
	c.Table.Columns[0] = renamed(c.Table.Columns[0], "first_name") // a column that is new, and one that is gone
	after := publish(t, dir, c, Options{})
	x, err := after.Index()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	was, err := before.Members()
	if err != nil {
		t.Fatal(err)
	}
	is, err := after.Members()
	if err != nil {
		t.Fatal(err)
	}
	fields, changed, err := CompareGolden(before, after, is.Match(was), 0)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for i, differs := range changed {
		if differs {
			want = append(want, is.Identities.At(uint32(i)))
		}
	}
	count := make(map[string]int)
	for n := len(c.Assigned.Events); n < x.Changes(); n++ {
		e := x.Change(n)
		got = append(got, e.Identity)
		for _, column := range e.Columns {
			count[x.Columns()[column].Name]++
		}
	}
	if !slices.Equal(got, want) || len(got) < 100 {
		t.Errorf("changed: %v, want %v", got, want)
	}
	for _, f := range fields {
		if n := f.Changed + f.Appeared + f.Vanished; f.Field != "given_name" && count[f.Field] != n {
			t.Errorf("field %s: %d changes told, the files have %d", f.Field, count[f.Field], n)
		}
	}
	if count["first_name"] == 0 || count["email"] == 0 || count["given_name"] != 0 {
		t.Errorf("changes by field: %v", count)
	}
}

func renamed(c *record.Column, name string) *record.Column {
	other := *c
	other.Name = name
	return &other
}
