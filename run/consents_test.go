package run

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/graph"
	"sama/record"

	"pgregory.net/rapid"
)

// said is one night of a history: what the records say.
type said struct {
	values  map[record.Key]map[string]string // record → column → grant, deny or ""
	updated map[record.Key]int64
	columns []ConsentColumn
	erased  map[record.Key]bool
}

// table makes the night's table.
func (s *said) table(t testing.TB) *record.Table {
	table := &record.Table{}
	var ids record.StringsBuilder
	keys := slices.SortedFunc(maps.Keys(s.values), record.Key.Compare)
	names := make(map[string]bool)
	for _, k := range keys {
		if n := len(table.Sources); n == 0 || table.Sources[n-1] != k.Source {
			table.Sources = append(table.Sources, k.Source)
		}
		table.Source = append(table.Source, uint16(len(table.Sources)-1))
		table.Updated = append(table.Updated, s.updated[k])
		ids.Append(k.ID)
		for name := range s.values[k] {
			names[name] = true
		}
	}
	table.IDs = ids.Build()
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c := &record.Column{Field: record.Consent, Name: name}
		var in record.Interner
		for _, k := range keys {
			c.Code = append(c.Code, in.Code(s.values[k][name]))
		}
		c.Raw = c.Code
		c.Normal, _ = in.Strings()
		c.RawText = c.Normal
		c.Count = make([]uint32, in.Len())
		for _, code := range c.Code {
			c.Count[code]++
		}
		table.Columns = append(table.Columns, c)
	}
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	return table
}

// line is an act as the reference keeps it.
type line struct {
	key        record.Key
	column     ConsentColumn
	act        string
	at, until  int64
	run, ended uint32
}

// next is the reference: the ledger after one more night, by the sentences of the
// documentation, one record and column at a time.
func (s *said) next(ledger []line, number uint32) []line {
	latest := int64(0)
	for k := range s.values {
		latest = max(latest, s.updated[k])
	}
	type place struct {
		key    record.Key
		column ConsentColumn
	}
	var out []line
	places := make(map[place][]line)
	for _, l := range ledger {
		if _, there := s.values[l.key]; !there && s.erased[l.key] {
			continue
		}
		places[place{l.key, l.column}] = append(places[place{l.key, l.column}], l)
	}
	for k := range s.values {
		for _, c := range s.columns {
			if c.Source == k.Source {
				places[place{k, c}] = append(places[place{k, c}], []line(nil)...)
			}
		}
	}
	for p, lines := range places {
		now := ""
		if slices.Contains(s.columns, p.column) {
			now = s.values[p.key][p.column.Column]
		}
		standing, before := "", int64(0)
		for _, l := range lines {
			before = max(before, l.at, l.until)
			if l.ended == 0 {
				standing = l.act
			}
		}
		at := s.updated[p.key] // of a record that is not there it is 0
		if at <= before {
			at = latest
		}
		if at <= before && before > 0 {
			at = before + 1
		}
		for _, l := range lines {
			if l.ended == 0 && now != standing {
				l.ended, l.until = number, at
			}
			out = append(out, l)
		}
		if now != "" && now != standing {
			out = append(out, line{key: p.key, column: p.column, act: now, at: at, run: number})
		}
	}
	slices.SortFunc(out, func(a, b line) int {
		if c := a.key.Compare(b.key); c != 0 {
			return c
		}
		if c := a.column.compare(b.column); c != 0 {
			return c
		}
		return int(a.run) - int(b.run)
	})
	return out
}

// linesOf reads a run's ledger.
func linesOf(t testing.TB, r *Run) []line {
	t.Helper()
	p, err := r.consents()
	if err != nil {
		t.Fatal(err)
	}
	var out []line
	for i, a := range p.acts {
		out = append(out, line{p.key(i), p.columns[a.Of], actOf(a.Granted), a.At, a.Until, a.Run, a.Ended})
	}
	return out
}

// content is the night as a run in dir has it. Nobody is joined to anybody.
func (s *said) content(t testing.TB, dir string) *Content {
	t.Helper()
	table := s.table(t)
	prints := Fingerprints(table, 1)
	past, err := Follow(dir, table, prints, nil)
	if err != nil {
		t.Fatal(err)
	}
	labels := make([]uint32, table.Len())
	for i := range labels {
		labels[i] = uint32(i)
	}
	clusters := graph.ClustersOf(labels)
	assigned, err := graph.Assign(clusters, &past.Graph, graph.Issuer{Run: past.Number, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := &Content{
		Table: table, Identity: clusters.Of, Assigned: assigned, Gone: past.Gone, Times: past.Times(clusters, assigned), Fingerprint: prints,
		Config: []byte("{}\n"), Model: []byte("{}\n"), Report: []byte("\n"), Info: Info{Number: past.Number, Since: past.Since},
	}
	for range table.Columns {
		c.Golden = append(c.Golden, noValues(len(assigned.IDs)))
	}
	if past.Previous != nil {
		c.Info.Previous = past.Previous.Info.ID
	}
	if c.Consents, err = past.Consents(s.columns, func(k record.Key) bool { return s.erased[k] }); err != nil {
		t.Fatal(err)
	}
	return c
}

// noValues is a golden column without a value.
func noValues(identities int) GoldenColumn {
	g := GoldenColumn{Chosen: make([]uint32, identities), Rule: make([]uint8, identities)}
	for i := range g.Chosen {
		g.Chosen[i] = NoRecord
	}
	return g
}

// publishSaid publishes a night.
func publishSaid(t testing.TB, dir string, s *said, workers int) *Run {
	t.Helper()
	return publish(t, dir, s.content(t, dir), Options{Workers: workers, Now: sampleClock})
}

// drawSaid draws a night. Columns are read by some sources and not by others, for
// one purpose or another.
func drawSaid(t *rapid.T) *said {
	s := &said{values: make(map[record.Key]map[string]string), updated: make(map[record.Key]int64), erased: make(map[record.Key]bool)}
	times := rapid.SampledFrom([][]int64{{0}, {0, 1_600_000_000, 1_700_000_000, 1_700_000_001, 1_800_000_000}}).Draw(t, "times")
	filled := make(map[[2]string]bool)
	for _, source := range []string{"a", "b"} {
		for _, column := range []string{"email", "sms"} {
			if rapid.IntRange(0, 5).Draw(t, "read") > 0 {
				filled[[2]string{source, column}] = true
				s.columns = append(s.columns, ConsentColumn{source, column, rapid.SampledFrom([]string{"marketing", "marketing", "news"}).Draw(t, "purpose"), rapid.SampledFrom([]string{"", "", "sms"}).Draw(t, "channel")})
			}
		}
		for _, id := range []string{"1", "2", "10"} {
			k := record.Key{Source: source, ID: id}
			s.erased[k] = rapid.IntRange(0, 5).Draw(t, "erased") == 0
			if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
				continue
			}
			s.updated[k] = rapid.SampledFrom(times).Draw(t, "updated")
			s.values[k] = make(map[string]string)
			for _, column := range []string{"email", "sms"} {
				if filled[[2]string{source, column}] {
					s.values[k][column] = rapid.SampledFrom([]string{"", actGrant, actDeny}).Draw(t, "value")
				}
			}
		}
	}
	if len(s.values) == 0 {
		s.values[record.Key{Source: "a", ID: "1"}] = map[string]string{}
	}
	return s
}

// TestConsentsAreCarriedOn plays random histories, with columns that come and go,
// against the reference, and has every night checked.
func TestConsentsAreCarriedOn(t *testing.T) {
	acts, nights := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		var want []line
		had := false
		for night := range rapid.IntRange(1, 6).Draw(rt, "nights") {
			s := drawSaid(rt)
			r := publishSaid(t, dir, s, 1+night%3)
			want = s.next(want, r.Info.Number)
			if had = had || len(s.columns) > 0; !had {
				if r.hasFile(consentsFile) {
					rt.Fatal("a ledger, though no run read any consents")
				}
				continue
			}
			got := linesOf(t, r)
			if !slices.Equal(got, want) {
				rt.Fatalf("night %d:\n got %v\nwant %v", night+1, got, want)
			}
			if err := r.Check(); err != nil {
				rt.Fatal(err)
			}
			compareIndex(rt, r, want)
			acts, nights = acts+len(got), nights+1
		}
	})
	t.Logf("%d nights, %d acts", nights, acts)
}

// compareIndex compares what the profile index says of the records.
func compareIndex(t *rapid.T, r *Run, want []line) {
	x, err := r.Index()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	var got []line
	for rec := range uint32(x.Records()) {
		for _, a := range x.Consents(rec) {
			got = append(got, line{x.Key(rec), ConsentColumn{a.Source, a.Column, a.Purpose, a.Channel}, actOf(a.Granted), a.At, a.Until, a.Run, a.Ended})
		}
	}
	want = slices.DeleteFunc(slices.Clone(want), func(l line) bool {
		_, ok := x.FindRecord(l.key)
		return !ok
	})
	if !slices.Equal(got, want) {
		t.Fatalf("index:\n got %v\nwant %v", got, want)
	}
}

// TestConsentBytesDependOnTheNightsOnly publishes the same nights with other
// numbers of workers.
func TestConsentBytesDependOnTheNightsOnly(t *testing.T) {
	var sums []string
	for _, workers := range []int{1, 2, 7} {
		dir := t.TempDir()
		r := rand.New(rand.NewPCG(3, 4))
		var last *Run
		for range 3 {
			last = publishSaid(t, dir, manySaid(r, 3000), workers)
		}
		sum := ""
		for _, f := range last.Info.Files {
			sum += f.Name + " " + f.SHA256 + "\n"
		}
		sums = append(sums, sum)
	}
	if sums[0] != sums[1] || sums[0] != sums[2] {
		t.Errorf("files differ:\n%s\n%s\n%s", sums[0], sums[1], sums[2])
	}
	if !strings.Contains(sums[0], consentsFile) {
		t.Error("no consents")
	}
}

// manySaid is a night of n records.
func manySaid(r *rand.Rand, n int) *said {
	s := &said{values: make(map[record.Key]map[string]string), updated: make(map[record.Key]int64)}
	s.columns = []ConsentColumn{{"crm", "email", "marketing", "email"}, {"web", "email", "marketing", "email"}, {"web", "sms", "marketing", "sms"}}
	for i := range n {
		k := record.Key{Source: []string{"crm", "web"}[i%2], ID: fmt.Sprintf("%06d", i)}
		if r.IntN(20) == 0 {
			continue
		}
		s.values[k] = map[string]string{"email": []string{"", actGrant, actDeny}[r.IntN(3)]}
		if k.Source == "web" {
			s.values[k]["sms"] = []string{"", actGrant, actDeny}[r.IntN(3)]
		}
		s.updated[k] = 1_700_000_000 + int64(r.IntN(1_000_000))
	}
	return s
}

// TestDuckDBReadsConsents lets DuckDB count what the reference has.
func TestDuckDBReadsConsents(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(5, 6))
	var want []line
	var last *Run
	for range 3 {
		s := manySaid(r, 1000)
		last = publishSaid(t, dir, s, 2)
		want = s.next(want, last.Info.Number)
	}
	out := python(t, last.Path, `
import duckdb, json
q = "select source, record_id, \"column\", purpose, coalesce(channel, ''), act, coalesce(epoch(\"at\")::bigint, 0), coalesce(epoch(\"until\")::bigint, 0), run, coalesce(until_run, 0) from 'consents.parquet'"
print(json.dumps(duckdb.execute(q).fetchall()))
`, nil, "duckdb")
	var rows [][]any
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, l := range want {
		line := fmt.Sprint([]any{l.key.Source, l.key.ID, l.column.Column, l.column.Purpose, l.column.Channel, l.act, float64(l.at), float64(l.until), float64(l.run), float64(l.ended)})
		if got := fmt.Sprint(rows[i]); got != line {
			t.Fatalf("row %d: %s, want %s", i+1, got, line)
		}
	}
}

// TestCheckFindsFalseConsents changes one thing at a time in the ledger that is
// written.
func TestCheckFindsFalseConsents(t *testing.T) {
	for name, spoil := range map[string]func(c *Consents){
		"another act":       func(c *Consents) { a := stands(c); a.Granted = !a.Granted },
		"an act is missing": func(c *Consents) { i := slices.IndexFunc(c.Acts, standing); c.Acts = slices.Delete(c.Acts, i, i+1) },
		"an act stands no more": func(c *Consents) {
			a := stands(c)
			a.Ended, a.Until = a.Run+1, a.At+1
			if a.Run == 2 {
				a.Run, a.Ended = 1, 2
			}
		},
		"an act that ended stands": func(c *Consents) {
			i := slices.IndexFunc(c.Acts, func(a ConsentAct) bool { return a.Ended != 0 })
			c.Acts[i].Ended, c.Acts[i].Until = 0, 0
		},
		"out of order": func(c *Consents) {
			i := slices.IndexFunc(c.Acts, func(a ConsentAct) bool { return a.Record != c.Acts[0].Record })
			slices.Reverse(c.Acts[:i+1])
		},
		"of another record": func(c *Consents) {
			a := stands(c)
			a.Record++
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := rand.New(rand.NewPCG(7, 8))
			publishSaid(t, dir, manySaid(r, 60), 1)
			c := manySaid(r, 60).content(t, dir)
			spoil(c.Consents)
			path, err := Publish(t.Context(), dir, c, Options{Workers: 1, Now: sampleClock})
			if err != nil {
				return // refused at once
			}
			run, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := run.Check(); err == nil || !strings.Contains(err.Error(), "consent") {
				t.Errorf("not found: %v", err)
			}
		})
	}
}

func standing(a ConsentAct) bool { return a.Ended == 0 }

func stands(c *Consents) *ConsentAct { return &c.Acts[slices.IndexFunc(c.Acts, standing)] }

// withConsents adds a column of consents to a sample, and an earlier act.
func withConsents(t testing.TB, c *Content) *Content {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 9))
	table := *c.Table
	column := sampleColumn(record.Carried, "newsletter", &table, 2, .4, r)
	var normal record.StringsBuilder
	for i := range column.Normal.Len() {
		normal.Append([]string{"", actDeny, actGrant}[i])
	}
	column.Field, column.Normal = record.Consent, normal.Build()
	place := slices.IndexFunc(table.Columns, func(c *record.Column) bool { return c.Field == record.Carried })
	table.Columns = slices.Insert(slices.Clone(table.Columns), place, column)
	c.Table, c.Golden = &table, slices.Insert(slices.Clone(c.Golden), place, noValues(len(c.Assigned.IDs)))
	past := &Past{Number: c.Info.Number, table: &table}
	var err error
	if c.Consents, err = past.Consents([]ConsentColumn{{"crm", "newsletter", "marketing", "email"}, {"service", "newsletter", "marketing", ""}, {"webshop", "newsletter", "marketing", "email"}}, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSampleWithConsentsIsWhole(t *testing.T) {
	r := publish(t, filepath.Join(t.TempDir(), "customers"), withConsents(t, sample(t, 900, 1)), Options{})
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	x, err := r.Index()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if n := len(x.ConsentColumns()); n != 3 {
		t.Errorf("%d columns", n)
	}
}
