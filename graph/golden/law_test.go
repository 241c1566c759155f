package golden

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sama/graph"
	"sama/record"
)

var lawColumns = []string{"given_name", "family_name", "email", "phone", "phone_2", "street", "house_number", "city", "note"}

func drawLines(t *rapid.T) []line {
	value := rapid.SampledFrom([]string{"", "", "a", "A", "b", "bb", "B", "ccc", "!g", "!G", "?x"})
	var lines []line
	for i := range rapid.IntRange(1, 12).Draw(t, "records") {
		l := line{
			source:  rapid.SampledFrom([]string{"crm", "desk", "shop"}).Draw(t, "source"),
			id:      strconv.Itoa(i),
			cluster: uint32(rapid.IntRange(0, 2).Draw(t, "cluster")),
			created: int64(rapid.IntRange(0, 3).Draw(t, "created")), updated: int64(rapid.IntRange(0, 3).Draw(t, "updated")),
		}
		for range lawColumns {
			l.values = append(l.values, value.Draw(t, "value"))
		}
		lines = append(lines, l)
	}
	return lines
}

func drawRules(t *rapid.T, sources []string) []Rule {
	var rules []Rule
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		r := Rule{Kind: Kind(rapid.IntRange(int(SourcePriority), int(Trust)).Draw(t, "kind"))}
		switch r.Kind {
		case SourcePriority:
			r.Sources = sources[:rapid.IntRange(1, len(sources)).Draw(t, "listed")]
			r.Only = rapid.Bool().Draw(t, "only")
		case MostFrequent:
			r.By = rapid.SampledFrom([]string{"", "sources", "records"}).Draw(t, "by")
		case Trust:
			r.Trust = map[string]int{sources[0]: 60, sources[len(sources)-1]: 70}
			r.Decay = rapid.SampledFrom([]string{"", "linear", "half_life"}).Draw(t, "decay")
			if r.Decay != "" {
				r.Days = 1
			}
		}
		rules = append(rules, r)
	}
	return rules
}

// plain is survivorship written down from the package comment, with sets of
// strings, for one unit of one cluster. It returns the winning row.
type plain struct {
	t       *record.Table
	columns []int
	rules   []Rule
	records []uint32 // those that may win
}

func (p *plain) row(r uint32) []string {
	var row []string
	for _, c := range p.columns {
		row = append(row, p.t.Columns[c].Value(r))
	}
	return row
}

func within(a, b []string) bool {
	for i := range a {
		if a[i] != "" && a[i] != b[i] {
			return false
		}
	}
	return true
}

func (p *plain) winner() []string {
	key := func(row []string) string { return strings.Join(row, "\x00") }
	good, weak := map[string][]string{}, map[string][]string{}
	for _, r := range p.records {
		row := p.row(r)
		if strings.Contains(key(row), "g") {
			weak[key(row)] = row
		} else {
			good[key(row)] = row
		}
	}
	if len(good) == 0 {
		good = weak
	}
	var rows [][]string
	for _, k := range slices.Sorted(maps.Keys(good)) {
		nested := false
		for o, other := range good {
			nested = nested || o != k && within(good[k], other)
		}
		if !nested {
			rows = append(rows, good[k])
		}
	}
	for _, rule := range p.rules {
		if rule.Kind == Smallest {
			break
		}
		if rule.Kind == Aggregate {
			continue
		}
		most, best := math.Inf(-1), [][]string(nil)
		for _, row := range rows {
			var support []uint32
			for _, r := range p.records {
				if _, ok := good[key(p.row(r))]; ok && within(p.row(r), row) {
					support = append(support, r)
				}
			}
			v := p.measure(rule, row, support)
			if v > most {
				most, best = v, nil
			}
			if v == most {
				best = append(best, row)
			}
		}
		rows = best
	}
	if len(rows) == 0 {
		return nil
	}
	return slices.MinFunc(rows, func(a, b []string) int {
		for i := range a {
			if a[i] == "" && b[i] != "" {
				return 1
			}
			if b[i] == "" && a[i] != "" {
				return -1
			}
			if c := cmp.Compare(a[i], b[i]); c != 0 {
				return c
			}
		}
		return 0
	})
}

func (p *plain) measure(rule Rule, row []string, support []uint32) float64 {
	sources, v := map[uint16]bool{}, math.Inf(-1)
	for _, r := range support {
		name := p.t.Sources[p.t.Source[r]]
		sources[p.t.Source[r]] = true
		updated, created := float64(p.t.Updated[r]), float64(p.t.Created[r])
		switch rule.Kind {
		case SourcePriority:
			at := slices.Index(rule.Sources, name)
			if at < 0 {
				at = len(rule.Sources)
			}
			v = max(v, -float64(at))
		case MostRecent:
			if updated == 0 {
				updated = created
			}
			if updated > 0 {
				v = max(v, updated)
			}
		case FirstSeen:
			if created == 0 {
				created = updated
			}
			if created > 0 {
				v = max(v, -created)
			}
		case MostComplete:
			n := 0
			for i := range p.t.Columns {
				if (len(p.columns) == 1 || slices.Contains(p.columns, i)) && p.t.Columns[i].Value(r) != "" {
					n++
				}
			}
			v = max(v, float64(n))
		case Trust:
			at := func(r int) float64 { return float64(cmp.Or(p.t.Updated[r], p.t.Created[r])) }
			newest := 0.0
			for o := range p.t.Len() {
				newest = max(newest, at(o))
			}
			points := 1000 * float64(rule.Trust[name])
			days := (newest - at(int(r))) / 86400 / float64(max(rule.Days, 1))
			switch {
			case rule.Decay != "" && at(int(r)) == 0:
				points = 0
			case rule.Decay == "linear":
				points = math.Round(points * (1 - days))
			case rule.Decay == "half_life":
				points = math.Round(points / math.Pow(2, days))
			}
			v = max(v, points)
		}
	}
	switch {
	case rule.Kind == MostFrequent && rule.By == "records":
		return float64(len(support))
	case rule.Kind == MostFrequent:
		return float64(len(sources))
	case rule.Kind == Longest:
		return float64(len(strings.Join(row, ""))) // ASCII
	}
	return v
}

func TestEveryRuleIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tab, clusters := build(t, lawColumns, drawLines(rt))
		rules := drawRules(rt, tab.Sources)
		opt := Options{Default: rules}
		columns, err := Merge(tab, clusters, opt, nil, 1)
		if err != nil {
			rt.Fatal(err)
		}
		if len(rules) == 0 {
			rules = []Rule{{Kind: MostFrequent}, {Kind: MostFrequent, By: "records"}, {Kind: MostRecent}, {Kind: Longest}}
		}
		for _, unit := range [][]int{{0, 1}, {2}, {3}, {4}, {5, 6, 7}, {8}} {
			for k := range uint32(clusters.Len()) {
				p := plain{t: tab, columns: unit, rules: rules}
				if len(unit) > 1 && len(opt.Default) == 0 {
					p.rules = slices.Insert(slices.Clone(rules), 3, Rule{Kind: MostComplete})
				}
				for _, r := range clusters.At(k) {
					barred := slices.ContainsFunc(rules, func(x Rule) bool {
						return x.Only && !slices.Contains(x.Sources, tab.Sources[tab.Source[r]])
					})
					shown := unit[0] == 4 && columns[3].Chosen[k] != NoRecord && tab.Columns[3].Value(columns[3].Chosen[k]) == tab.Columns[4].Value(r)
					if !barred && !shown && strings.Join(p.row(r), "") != "" {
						p.records = append(p.records, r)
					}
				}
				want := p.winner()
				for i, c := range unit {
					got := ""
					if r := columns[c].Chosen[k]; r != NoRecord {
						got = tab.Columns[c].Value(r)
					}
					if want == nil && got != "" || want != nil && got != want[i] {
						rt.Fatalf("cluster %d, column %s: got %q, want row %q by %v", k, lawColumns[c], got, want, rules)
					}
				}
			}
		}
	})
}

func TestNoValueIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tab, clusters := build(t, lawColumns, drawLines(rt))
		columns, err := Merge(tab, clusters, Options{Default: drawRules(rt, tab.Sources)}, nil, 2)
		if err != nil {
			rt.Fatal(err)
		}
		for c, col := range columns {
			for k := range uint32(clusters.Len()) {
				count := map[string]int{}
				for _, r := range clusters.At(k) {
					if v := tab.Columns[c].Value(r); v != "" {
						count[v]++
					}
				}
				if r := col.Chosen[k]; r != NoRecord {
					if clusters.Of[r] != k {
						rt.Fatalf("column %s, cluster %d: the value is of another cluster's record", lawColumns[c], k)
					}
					delete(count, tab.Columns[c].Value(r))
				}
				for _, l := range col.Losing[col.LosingStart[k]:col.LosingStart[k+1]] {
					v := tab.Columns[c].Value(l.Record)
					if count[v] != int(l.Records) {
						rt.Fatalf("column %s, cluster %d: %q lost with %d records, held by %d", lawColumns[c], k, v, l.Records, count[v])
					}
					delete(count, v)
				}
				if len(count) > 0 {
					rt.Fatalf("column %s, cluster %d: %v are neither shown nor lost", lawColumns[c], k, count)
				}
			}
		}
	})
}

func TestTheMostFrequentRawFormIsShown(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lines := drawLines(rt)
		tab, clusters := build(t, lawColumns, lines)
		columns, err := Merge(tab, clusters, Options{Ungrouped: true}, nil, 1)
		if err != nil {
			rt.Fatal(err)
		}
		for c, col := range columns {
			for k, r := range col.Chosen {
				if r == NoRecord {
					continue
				}
				count := map[string]int{}
				for _, o := range clusters.At(uint32(k)) {
					if tab.Columns[c].Value(o) == tab.Columns[c].Value(r) {
						count[tab.Columns[c].RawValue(o)]++
					}
				}
				want := slices.MinFunc(slices.Collect(maps.Keys(count)), func(a, b string) int {
					return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
				})
				if got := tab.Columns[c].RawValue(r); got != want {
					rt.Fatalf("column %s shows %q of %v", lawColumns[c], got, count)
				}
			}
		}
	})
}

func TestWorkersDoNotMatter(t *testing.T) {
	tab, clusters := many(t, 20_000)
	want, err := Merge(tab, clusters, Options{}, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{2, 7} {
		if got, _ := Merge(tab, clusters, Options{}, nil, workers); !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers: other golden records", workers)
		}
	}
}

func TestAFixedChoiceHoldsAboveAll(t *testing.T) {
	tab, clusters := build(t, []string{"email"}, []line{
		{"crm", "1", 1, 1, 1, []string{"a"}}, {"crm", "2", 1, 1, 9, []string{"b"}},
		{"shop", "3", 1, 1, 9, []string{"b"}}, {"shop", "4", 1, 1, 9, []string{""}},
	})
	columns, err := Merge(tab, clusters, Options{}, []Choice{{1, 0}, {0, 0}, {3, 0}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c := columns[0]; c.Chosen[0] != 0 || c.Rule[0] != Fixed || !slices.Equal(c.Losing, []Losing{{1, 2}}) {
		t.Errorf("%+v", c)
	}
}

// A cluster with more distinct rows than are compared with each other, and
// more than are found without hashing.
func TestAGiantClusterIsDecided(t *testing.T) {
	var lines []line
	for i := range 3000 {
		v := strconv.Itoa(i % 1500)
		lines = append(lines, line{"crm", strconv.Itoa(i), 1, 1, int64(i), []string{v, "x" + v, v}})
	}
	lines = append(lines, line{"shop", "1", 1, 1, 1, []string{"7", "x7", "9"}})
	tab, clusters := build(t, []string{"given_name", "family_name", "email"}, lines)
	columns, err := Merge(tab, clusters, Options{}, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if v, w := tab.Columns[1].RawValue(columns[1].Chosen[0]), tab.Columns[2].RawValue(columns[2].Chosen[0]); v != "x7" || w != "9" {
		t.Errorf("chose %s and %s", v, w)
	}
	if len(columns[0].Losing) != 1499 {
		t.Errorf("%d losing names", len(columns[0].Losing))
	}
}

// many is n records in clusters of 1 to 6, of the shape of real ones.
func many(t testing.TB, n int) (*record.Table, *graph.Clusters) {
	r := rand.New(rand.NewPCG(1, 1))
	names := []string{
		"given_name", "family_name", "birth_date", "gender", "national_id", "email", "phone", "phone_2",
		"street", "house_number", "postal_code", "city", "language", "plate",
	}
	var lines []line
	for k := uint32(0); len(lines) < n; k++ {
		own := make([]string, len(names))
		for c := range own {
			own[c] = strconv.Itoa(r.IntN(n))
		}
		for range 1 + r.IntN(6) {
			l := line{[]string{"crm", "desk", "shop"}[r.IntN(3)], strconv.Itoa(len(lines)), k, r.Int64N(1000), r.Int64N(1000), slices.Clone(own)}
			for c := range l.values {
				switch x := r.IntN(20); {
				case x < 5:
					l.values[c] = ""
				case x < 7:
					l.values[c] = strconv.Itoa(r.IntN(n))
				}
			}
			lines = append(lines, l)
		}
	}
	return build(t, names, lines)
}

func BenchmarkMerge(b *testing.B) {
	tab, clusters := many(b, 200_000)
	for b.Loop() {
		if _, err := Merge(tab, clusters, Options{}, nil, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tab.Len()*len(tab.Columns)), "ns/value")
}
