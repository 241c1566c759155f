package run

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"testing"
	"time"

	"sama/graph"
	"sama/record"
)

// sampleStart is the clock of the tests.
var sampleStart = time.Date(2026, 11, 23, 2, 0, 0, 123, time.UTC)

func sampleClock() time.Time { return sampleStart }

// sample returns a run of about n records of three sources; equal arguments
// give equal content.
func sample(t testing.TB, n int, seed uint64) *Content {
	r := rand.New(rand.NewPCG(seed, 1))
	c := &Content{Table: sampleTable(t, n, r)}
	n = c.Table.Len()
	labels := make([]uint32, n)
	for i := range labels { // about a third of the records joins an earlier identity
		labels[i] = uint32(i)
		if i > 0 && r.IntN(3) == 0 {
			labels[i] = labels[r.IntN(i)]
		}
	}
	clusters := graph.ClustersOf(labels)
	c.Identity = clusters.Of
	var err error
	if c.Assigned, err = graph.Assign(clusters, nil, graph.Issuer{Run: 1, Seed: seed}); err != nil {
		t.Fatal(err)
	}
	sampleEdges(c, r)
	sampleGolden(c, r)
	c.Rejects = []Reject{
		{"webshop.csv", 17, "birth_date", "not a date", "31.2.1990"},
		{"webshop.csv", 3, "", "4 cells, the header has 5", "a;b\xff;\"c\""},
		{"service.jsonl", 0, "", "ends in the middle of a record", ""},
	}
	c.Config, c.Model, c.Report = []byte("sources: []\n"), []byte("{}\n"), []byte("<!doctype html>\n")
	c.Info = Info{
		Number: 1, Version: "test", Started: sampleStart,
		Inputs: []Input{{Source: "crm", Path: "crm.parquet", Format: "parquet", Bytes: 10, SHA256: "00", Rows: int64(n)}},
		Stages: []Stage{{Name: "read", Seconds: 1.5, Items: int64(n), Unit: "rows"}},
		Counts: Counts{CandidatePairs: 12345},
	}
	return c
}

func sampleTable(t testing.TB, n int, r *rand.Rand) *record.Table {
	table := &record.Table{Sources: []string{"crm", "service", "webshop"}}
	if n == 0 {
		table.Sources = nil
	}
	var ids record.StringsBuilder
	for s := range table.Sources {
		list := make([]string, n/3+s)
		for i := range list {
			list[i] = fmt.Sprintf("%c%06d", table.Sources[s][0], i*3+s)
		}
		sort.Strings(list)
		for _, id := range list {
			ids.Append(id)
			table.Source = append(table.Source, uint16(s))
			table.Created = append(table.Created, int64(r.IntN(3))*1_600_000_000)
			table.Updated = append(table.Updated, int64(r.IntN(2))*(1_700_000_000+int64(len(table.Source))))
		}
	}
	table.IDs = ids.Build()
	for _, c := range []struct {
		field    record.Field
		name     string
		distinct int
		nulls    float64
	}{
		{record.GivenName, "given_name", max(2, n/60), .02},
		{record.FamilyName, "family_name", max(2, n/10), .01},
		{record.BirthDate, "birth_date", max(2, n/5), .2},
		{record.Email, "email", max(2, n), .3},
		{record.Phone, "phone", max(2, n), .3},
		{record.City, "city", 300, .1},
		{record.Carried, "Sources", 5, .5}, // the name of a fixed column, but for case
		{record.Carried, "never", 1, 1},
	} {
		table.Columns = append(table.Columns, sampleColumn(c.field, c.name, table, c.distinct, c.nulls, r))
	}
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	return table
}

func sampleColumn(field record.Field, name string, table *record.Table, distinct int, nulls float64, r *rand.Rand) *record.Column {
	c := &record.Column{Field: field, Name: name}
	var raw, normal record.Interner
	for i := range table.Source {
		v := r.Uint64N(uint64(distinct))
		text := fmt.Sprintf("%s ÄÖ %s", name, strconv.FormatUint(v, 36))
		if r.Float64() < nulls || name == "email" && table.Source[i] == 0 {
			text = ""
		}
		c.Code = append(c.Code, normal.Code(text))
		if text != "" && r.IntN(4) == 0 {
			text = "\"" + text + "\"\t"
		}
		c.Raw = append(c.Raw, raw.Code(text))
	}
	c.Count = make([]uint32, normal.Len())
	for _, code := range c.Code {
		c.Count[code]++
	}
	c.RawText, _ = raw.Strings()
	c.Normal, _ = normal.Strings()
	return c
}

func sampleEdges(c *Content, r *rand.Rand) {
	c.BlockingRules = []string{"email", "family_name & birth_date", "phone"}
	c.Comparisons = []Comparison{
		{"name", []string{"different", "similar", "equal"}},
		{"birth_date", []string{"different", "one digit differs", "equal"}},
	}
	last := map[uint32]uint32{}
	add := func(a, b uint32, bits float64) {
		c.Edges = append(c.Edges, record.Edge{A: min(a, b), B: max(a, b), Weight: record.WeightOfBits(bits)})
	}
	n := uint32(len(c.Identity))
	for i := range n {
		if before, ok := last[c.Identity[i]]; ok {
			add(before, i, 5+float64(r.IntN(100))/8)
		}
		last[c.Identity[i]] = i
	}
	for i := uint32(0); i+7 < n; i += 11 {
		if c.Identity[i] != c.Identity[i+7] {
			add(i, i+7, -3+float64(r.IntN(20))/16)
		}
	}
	slices.SortFunc(c.Edges, func(x, y record.Edge) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	c.Edges = slices.CompactFunc(c.Edges, func(x, y record.Edge) bool { return x.A == y.A && x.B == y.B })
	r.Shuffle(len(c.Edges), func(i, j int) { c.Edges[i], c.Edges[j] = c.Edges[j], c.Edges[i] })
	for range c.Edges {
		c.Rule = append(c.Rule, uint16(r.IntN(3)))
		c.Levels = append(c.Levels, uint8(r.IntN(3)), []uint8{0, 1, 2, NoLevel}[r.IntN(4)])
	}
}

// sampleGolden takes the first value of an identity and lets the others lose.
func sampleGolden(c *Content, r *rand.Rand) {
	c.RuleNames = []string{"only_value", "most_frequent", "most_recent"}
	l := &layout{Content: c}
	l.group()
	for _, col := range c.Table.Columns {
		g := GoldenColumn{LosingStart: []uint32{0}}
		for id := range c.Assigned.IDs {
			chosen, rule := NoRecord, uint8(0)
			for _, rec := range l.of(uint32(id)) {
				switch {
				case col.Code[rec] == 0:
				case chosen == NoRecord:
					chosen = rec
				case col.Code[rec] != col.Code[chosen]:
					rule = 1 + uint8(r.IntN(2))
					g.Losing = append(g.Losing, Losing{rec, 1})
				}
			}
			g.Chosen = append(g.Chosen, chosen)
			g.Rule = append(g.Rule, rule)
			g.LosingStart = append(g.LosingStart, uint32(len(g.Losing)))
		}
		c.Golden = append(c.Golden, g)
	}
}
