package match

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/match/comparison"
	"sama/record"
)

// The known answers are what Splink 4.0.12 prints in its public documentation
// for its example data: parameters per level and truth tables.

// splinkFile returns the path of a file of the known answers, or skips the test.
func splinkFile(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "..", "shared", "data", "splink", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the known answers of Splink are absent: ../shared/data/splink")
	}
	return path
}

// splinkRow is a record as an example has it.
type splinkRow struct {
	key    record.Key
	values []string
	person string
}

// splinkTable reads CSV files as they are, without normalising: one source a
// file, the key in the first column. prepare gets a column's name and a value
// as pandas reads it and returns what the example makes of it. The result also
// has the person that each record means.
func splinkTable(t *testing.T, files []string, person func(row map[string]string) string, prepare func(column, value string) string) (*record.Table, []string) {
	t.Helper()
	var rows []splinkRow
	var header []string
	for _, name := range files {
		all := readCSV(t, name)
		header = all[0]
		for i := range header {
			header[i] = strings.TrimSpace(header[i])
		}
		if birth := slices.Index(header, "date_of_birth"); birth >= 0 {
			header = append(header, "date")
			for i, values := range all {
				all[i] = append(values, values[birth])
			}
		}
		for _, values := range all[1:] {
			fields := make(map[string]string)
			for i, v := range values {
				fields[header[i]] = v
				values[i] = prepare(header[i], v)
			}
			rows = append(rows, splinkRow{record.Key{Source: strings.TrimSuffix(name, ".csv"), ID: values[0]}, values, person(fields)})
		}
	}
	var keys []record.Key
	var values [][]string
	slices.SortFunc(rows, func(a, b splinkRow) int { return a.key.Compare(b.key) })
	persons := make([]string, len(rows))
	for i, r := range rows {
		keys = append(keys, r.key)
		values = append(values, r.values[1:])
		persons[i] = r.person
	}
	table := textTable(keys, header[1:], values)
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	return table, persons
}

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(splinkFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// known is one line of a file of parameters.
type known struct {
	Comparison string   `json:"comparison_name"`
	Label      string   `json:"label_for_charts"`
	Value      int      `json:"comparison_vector_value"`
	M          *float64 `json:"m_probability"`
	U          *float64 `json:"u_probability"`
	Lambda     float64  `json:"probability_two_random_records_match"`
}

func knownParameters(t *testing.T, name string) []known {
	t.Helper()
	return readJSON[[]known](t, "golden/"+name)
}

func readJSON[T any](t *testing.T, name string) T {
	t.Helper()
	data, err := os.ReadFile(splinkFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// knownLevel returns the known parameters of a level of a comparison; Splink numbers
// levels from the last, 0, upwards.
func knownLevel(t *testing.T, all []known, name string, level, levels int) known {
	t.Helper()
	for _, k := range all {
		if k.Comparison == name && k.M != nil && k.Value == levels-level {
			return k
		}
	}
	t.Fatalf("no known answer for %s level %d", name, level)
	return known{}
}

// knownModel returns the model with the known parameters.
func knownModel(t *testing.T, p *Plan, all []known) *Model {
	t.Helper()
	m := &Model{Shares: []float64{all[0].Lambda, 1 - all[0].Lambda}}
	for _, c := range p.Comparisons {
		cm := ComparisonModel{Name: c.Name(), Levels: []LevelModel{{}}}
		n := len(c.Levels()) - 1
		for l := 1; l <= n; l++ {
			k := knownLevel(t, all, c.Name(), l, n)
			cm.Levels = append(cm.Levels, LevelModel{M: *k.M, U: []float64{*k.U}})
		}
		m.Comparisons = append(m.Comparisons, cm)
	}
	return m
}

// compareParameters fails where a parameter differs by more than a tolerance
// and logs the greatest differences.
func compareParameters(t *testing.T, got *Model, all []known, mTolerance, uTolerance float64) {
	t.Helper()
	if d := math.Abs(got.Shares[0] - all[0].Lambda); d > 1e-12 {
		t.Errorf("prior %v, known %v", got.Shares[0], all[0].Lambda)
	}
	worstM, worstU := 0.0, 0.0
	for _, c := range got.Comparisons {
		n := len(c.Levels) - 1
		for l := 1; l <= n; l++ {
			k, level := knownLevel(t, all, c.Name, l, n), c.Levels[l]
			dm, du := math.Abs(level.M-*k.M), math.Abs(level.U[0]-*k.U)
			worstM, worstU = max(worstM, dm), max(worstU, du)
			if dm > mTolerance || du > uTolerance {
				t.Errorf("%s, %s: m %v u %v, known m %v u %v (%s)", c.Name, level.Label, level.M, level.U[0], *k.M, *k.U, k.Label)
			}
		}
	}
	t.Logf("greatest difference: m %.3g, u %.3g", worstM, worstU)
}

// truthRow is one line of a truth table: the pairs at or above a threshold.
type truthRow struct {
	Threshold float64 `json:"truth_threshold"`
	P         float64 `json:"p"`
	N         float64 `json:"n"`
	TP        float64 `json:"tp"`
	FP        float64 `json:"fp"`
}

// judged is a pair with its true answer and its weight in bits.
type judged struct {
	same   bool
	weight float64
}

// compareTruth compares a truth table with the known one and returns the
// greatest difference of a count, at all thresholds and at those that are not
// negative. A weight belongs to the threshold, in tenths of a bit, nearest to
// it. A threshold that only one table has is compared all the same: counts are
// those at or above it.
func compareTruth(t *testing.T, pairs []judged, name string, positives int) (worst, worstPositive int) {
	t.Helper()
	type count struct{ tp, fp int }
	at := make(map[int]count)
	for _, p := range pairs {
		tenth := int(math.Round(p.weight / 0.1))
		c := at[tenth]
		if p.same {
			c.tp++
		} else {
			c.fp++
		}
		at[tenth] = c
	}
	rows := readJSON[[]truthRow](t, "golden/"+name)
	for _, row := range rows {
		if row.P != float64(positives) {
			t.Fatalf("%v true pairs, known %v", positives, row.P)
		}
		var got count
		for tenth, c := range at {
			if tenth >= int(math.Round(row.Threshold*10)) {
				got.tp += c.tp
				got.fp += c.fp
			}
		}
		d := max(got.tp-int(row.TP), int(row.TP)-got.tp, got.fp-int(row.FP), int(row.FP)-got.fp)
		worst = max(worst, d)
		if row.Threshold >= 0 {
			worstPositive = max(worstPositive, d)
		}
	}
	t.Logf("%s: greatest difference at %d thresholds %d pairs, from 0 bits on %d", name, len(rows), worst, worstPositive)
	return worst, worstPositive
}

// shiftNeeded returns by how many bits thresholds must be moved for every count
// of the known truth table to be met within five pairs: the least d with which
// the count at or above T+d is at most five more, and that at or above T−d at
// least five less, than the known one.
func shiftNeeded(t *testing.T, pairs []judged, name string, positives int) float64 {
	t.Helper()
	var same, other []float64
	for _, p := range pairs {
		if p.same {
			same = append(same, p.weight)
		} else {
			other = append(other, p.weight)
		}
	}
	slices.Sort(same)
	slices.Sort(other)
	worst := 0.0
	for _, row := range readJSON[[]truthRow](t, "golden/"+name) {
		// A weight counts from the threshold to which it is rounded.
		threshold := math.Round(row.Threshold*10)/10 - 0.05
		worst = max(worst, countShift(same, threshold, int(row.TP)), countShift(other, threshold, int(row.FP)))
	}
	return worst
}

func countShift(sorted []float64, threshold float64, known int) float64 {
	d := 0.0
	// The value with known+5 above it must be below T+d, that with known−5 above it
	// at or above T−d.
	if i := len(sorted) - known - 6; i >= 0 {
		d = max(d, sorted[i]-threshold)
	}
	if i := len(sorted) - known + 5; i < len(sorted) {
		d = max(d, threshold-sorted[max(0, i)])
	}
	return d
}

// textbook returns a pair's weight in bits as the formula has it.
func textbook(p *Plan, m *Model, terms []frequencyTerm, pair record.Pair, v *comparison.Vector) float64 {
	weight := math.Log2(m.Shares[0] / m.Shares[1])
	for c := range m.Comparisons {
		if l := v[c]; l > 0 {
			weight += math.Log2(m.Comparisons[c].Levels[l].M / m.Comparisons[c].Levels[l].U[0])
		}
	}
	for i := range terms {
		weight += terms[i].bits(p.rows, pair, v)
	}
	return weight
}

// judge weighs pairs by the formula and by the integer tables.
func judge(p *Plan, m *Model, pairs []record.Pair, persons []string) (formula, tables []judged) {
	out := make([]comparison.Vector, len(pairs))
	p.Compare(comparison.NewScratch(), pairs, out)
	terms := p.frequencyTerms(func(c, l int) float64 { return m.Comparisons[c].Levels[l].U[0] })
	w, adjust := m.compile(), p.Adjustments(m)
	for i, pair := range pairs {
		same := persons[pair.A] == persons[pair.B]
		formula = append(formula, judged{same, textbook(p, m, terms, pair, &out[i])})
		tables = append(tables, judged{same, (w.Of(&out[i]) + adjust.Of(pair, &out[i])).Bits()})
	}
	return formula, tables
}

// candidates returns the pairs that agree on at least one of the rules' columns.
func candidates(t *testing.T, table *record.Table, onlyAcross bool, rules ...string) []record.Pair {
	t.Helper()
	found := make(map[record.Pair]bool)
	for _, rule := range rules {
		var space *pairSpace
		if rule == "names swapped" {
			swapPairs(table, found)
			continue
		}
		columns, err := named(table, strings.Split(rule, "+"))
		if err != nil {
			t.Fatal(err)
		}
		space = agreeing(columns)
		for _, pair := range space.run(nil, 0, space.pairs()) {
			found[pair] = true
		}
	}
	var pairs []record.Pair
	for pair := range found {
		if !onlyAcross || table.Source[pair.A] != table.Source[pair.B] {
			pairs = append(pairs, pair)
		}
	}
	slices.SortFunc(pairs, func(a, b record.Pair) int {
		if a.A != b.A {
			return int(a.A) - int(b.A)
		}
		return int(a.B) - int(b.B)
	})
	return pairs
}

// swapPairs adds the pairs that hold each other's given name and surname.
func swapPairs(table *record.Table, found map[record.Pair]bool) {
	given, family := table.Named("given_name"), table.Named("surname")
	holders := make(map[[2]string][]uint32)
	for i := range uint32(table.Len()) {
		name := [2]string{given.Value(i), family.Value(i)}
		holders[name] = append(holders[name], i)
	}
	for name, list := range holders {
		for _, a := range list {
			for _, b := range holders[[2]string{name[1], name[0]}] {
				if a < b {
					found[record.Pair{A: a, B: b}] = true
				}
			}
		}
	}
}

// truePairs counts the pairs of records of one person.
func truePairs(table *record.Table, persons []string, onlyAcross bool) int {
	n := 0
	seen := make(map[string][]uint16)
	for i, person := range persons {
		for _, source := range seen[person] {
			if !onlyAcross || source != table.Source[i] {
				n++
			}
		}
		seen[person] = append(seen[person], table.Source[i])
	}
	return n
}

// Level rules that several examples share.
func exactRule(tf bool) comparison.LevelRule {
	return comparison.LevelRule{Condition: comparison.Condition{Is: comparison.IsExact}, TermFrequency: tf}
}

func jaroWinkler(t float64) comparison.LevelRule {
	return comparison.LevelRule{Condition: comparison.Condition{Is: comparison.IsJaroWinkler, AtLeast: t}}
}

func damerau(k float64) comparison.LevelRule {
	return comparison.LevelRule{Condition: comparison.Condition{Is: comparison.IsDamerauLevenshtein, AtMost: k}}
}

func levenshtein(k float64) comparison.LevelRule {
	return comparison.LevelRule{Condition: comparison.Condition{Is: comparison.IsLevenshtein, AtMost: k}}
}

func emailUser(t float64) comparison.LevelRule {
	return comparison.LevelRule{Condition: comparison.Condition{Is: comparison.IsEmailUser, AtLeast: t}}
}

func dateWithin(n float64, unit comparison.DateUnit) comparison.LevelRule {
	return comparison.LevelRule{Condition: comparison.Condition{Is: comparison.IsDateWithin, AtMost: n, Unit: unit}}
}

func on(column string, is comparison.Predicate, value float64) comparison.Condition {
	d := comparison.Condition{Is: is, Column: column}
	if is == comparison.IsJaroWinkler {
		d.AtLeast = value
	} else {
		d.AtMost = value
	}
	return d
}

func levels(column string, rules ...comparison.LevelRule) comparison.LevelSpec {
	return comparison.LevelSpec{Columns: []string{column}, Levels: rules}
}

func nameLevels(column string) comparison.LevelSpec {
	return levels(column, exactRule(true), jaroWinkler(0.92), jaroWinkler(0.88), jaroWinkler(0.7))
}

func emailLevels(column string) comparison.LevelSpec {
	return levels(column, exactRule(true), emailUser(0), jaroWinkler(0.88), emailUser(0.88))
}

func plan(t *testing.T, table *record.Table, spec ClassicalSpec) *Plan {
	t.Helper()
	p, err := NewClassicalPlan(table, spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func asIs(_, value string) string { return value }
