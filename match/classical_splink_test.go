package match

import (
	"context"
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

// splinkTable reads CSV files as they are, without normalising: one source a
// file, the key in the first column. prepare gets a column's name and a value
// as pandas reads it and returns what the example makes of it. The result also
// has the person that each record means.
func splinkTable(t *testing.T, files []string, person func(row map[string]string) string, prepare func(column, value string) string) (*record.Table, []string) {
	t.Helper()
	type row struct {
		key    record.Key
		values []string
		person string
	}
	var rows []row
	var header []string
	for _, name := range files {
		f, err := os.Open(splinkFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		all, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		header = all[0]
		birth := 0
		for i := range header {
			header[i] = strings.TrimSpace(header[i])
			if header[i] == "date_of_birth" {
				birth = i
			}
		}
		if birth > 0 {
			for i, values := range all {
				all[i] = append(values, values[birth])
			}
			header = append(header, "date")
			all[0] = header
		}
		source := strings.TrimSuffix(name, ".csv")
		for _, values := range all[1:] {
			fields := make(map[string]string)
			for i, v := range values {
				fields[header[i]] = v
			}
			for i := range values {
				values[i] = prepare(header[i], values[i])
			}
			rows = append(rows, row{record.Key{Source: source, ID: values[0]}, values, person(fields)})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return a.key.Compare(b.key) })
	table := &record.Table{}
	persons := make([]string, len(rows))
	var ids record.StringsBuilder
	for i, r := range rows {
		if n := len(table.Sources); n == 0 || table.Sources[n-1] != r.key.Source {
			table.Sources = append(table.Sources, r.key.Source)
		}
		table.Source = append(table.Source, uint16(len(table.Sources)-1))
		if _, err := ids.Append(r.key.ID); err != nil {
			t.Fatal(err)
		}
		persons[i] = r.person
	}
	table.IDs = ids.Build()
	for c := 1; c < len(header); c++ {
		var in record.Interner
		column := &record.Column{Field: record.Text, Name: header[c]}
		for _, r := range rows {
			column.Code = append(column.Code, in.Code(r.values[c]))
		}
		column.Count = make([]uint32, in.Len())
		for _, code := range column.Code {
			column.Count[code]++
		}
		text, err := in.Strings()
		if err != nil {
			t.Fatal(err)
		}
		column.Raw, column.RawText, column.Normal = column.Code, text, text
		table.Columns = append(table.Columns, column)
	}
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	return table, persons
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

// level returns the known parameters of a level of a comparison; Splink numbers
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
// greatest difference of a count. A weight belongs to the threshold, in tenths
// of a bit, nearest to it. A threshold that only one table has is compared all
// the same: counts are those at or above it.
func compareTruth(t *testing.T, pairs []judged, name string, positives int, log bool) int {
	t.Helper()
	type count struct{ tp, fp int }
	at := make(map[int]count)
	add := func(tenth int, same bool) {
		c := at[tenth]
		if same {
			c.tp++
		} else {
			c.fp++
		}
		at[tenth] = c
	}
	for _, p := range pairs {
		add(int(math.Round(p.weight/0.1)), p.same)
	}
	worst, missing := 0, 0
	rows := readJSON[[]truthRow](t, "golden/"+name)
	present := make(map[int]bool)
	for _, row := range rows {
		tenth := int(math.Round(row.Threshold * 10))
		present[tenth] = true
		var got count
		for k, c := range at {
			if k >= tenth {
				got.tp += c.tp
				got.fp += c.fp
			}
		}
		if _, ok := at[tenth]; !ok {
			missing++
		}
		if row.P != float64(positives) {
			t.Fatalf("%v true pairs, known %v", positives, row.P)
		}
		d := max(abs(got.tp-int(row.TP)), abs(got.fp-int(row.FP)))
		if d > worst && log {
			t.Logf("threshold %.1f: tp %d fp %d, known %v %v", row.Threshold, got.tp, got.fp, row.TP, row.FP)
		}
		worst = max(worst, d)
	}
	extra := 0
	for tenth := range at {
		if !present[tenth] {
			extra++
		}
	}
	t.Logf("%s: %d thresholds, greatest difference %d pairs; %d thresholds not ours, %d only ours", name, len(rows), worst, missing, extra)
	return worst
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

func abs(x int) int { return max(x, -x) }

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
	w, adjust := m.Compile(), p.Adjustments(m)
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

func fake1000(t *testing.T) (*record.Table, []string) {
	return splinkTable(t, []string{"fake_1000.csv"}, func(row map[string]string) string { return row["cluster"] }, asIs)
}

// TestFake1000TutorialParameters is the tutorial "Estimating model parameters".
func TestFake1000TutorialParameters(t *testing.T) {
	table, persons := fake1000(t)
	spec := ClassicalSpec{
		Comparisons: []comparison.LevelSpec{nameLevels("first_name"), nameLevels("surname"),
			levels("dob", exactRule(false), levenshtein(1)), levels("city", exactRule(true)), emailLevels("email")},
		Strict: [][]comparison.Condition{
			{on("first_name", comparison.IsExact, 0), on("dob", comparison.IsExact, 0)},
			{on("first_name", comparison.IsExact, 0), on("surname", comparison.IsLevenshtein, 2)},
			{on("email", comparison.IsExact, 0)},
		},
		Recall:   0.7,
		Sessions: [][]string{{"first_name", "surname"}, {"dob"}},
	}
	p := plan(t, table, spec)
	m, err := p.TrainClassical(context.Background(), spec, 2)
	if err != nil {
		t.Fatal(err)
	}
	compareParameters(t, m, knownParameters(t, "fake_1000_tutorial04_params.json"), 5e-7, 5e-7)
	// "Evaluation": the labelled pairs, those that no blocking rule finds out of
	// reach.
	found := make(map[record.Pair]bool)
	for _, pair := range candidates(t, table, false, "first_name", "city", "email", "dob") {
		found[pair] = true
	}
	pairs, positives := fake1000Labels(t, table, persons)
	pairs = slices.DeleteFunc(pairs, func(pair record.Pair) bool { return !found[pair] })
	formula, tables := judge(p, m, pairs, persons)
	if d := compareTruth(t, formula, "fake_1000_labels_table_accuracy.json", positives, true); d != 0 {
		t.Errorf("truth table differs by %d pairs", d)
	}
	t.Logf("with integer tables: %d pairs", compareTruth(t, tables, "fake_1000_labels_table_accuracy.json", positives, false))
}

// fake1000Labels returns the labelled pairs and how many of them match.
func fake1000Labels(t *testing.T, table *record.Table, persons []string) ([]record.Pair, int) {
	t.Helper()
	f, err := os.Open(splinkFile(t, "fake_1000_labels.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var pairs []record.Pair
	positives := 0
	for _, row := range rows[1:] {
		a, okA := table.Find(record.Key{Source: "fake_1000", ID: row[0]})
		b, okB := table.Find(record.Key{Source: "fake_1000", ID: row[2]})
		if !okA || !okB {
			t.Fatalf("label of unknown records %v", row)
		}
		if (row[4] == "1.0") != (persons[a] == persons[b]) {
			t.Fatalf("label %v does not agree with the cluster column", row)
		}
		if row[4] == "1.0" {
			positives++
		}
		pairs = append(pairs, record.Pair{A: min(a, b), B: max(a, b)})
	}
	return pairs, positives
}

// TestFake1000LabelsColumn is the example "Evaluation when you have fully
// labelled data": trained from nothing, the whole truth table.
func TestFake1000LabelsColumn(t *testing.T) {
	table, persons := fake1000(t)
	both := func(conditions ...comparison.Condition) comparison.LevelRule {
		return comparison.LevelRule{All: conditions}
	}
	one := func(column string) comparison.LevelRule {
		return comparison.LevelRule{Condition: on(column, comparison.IsExact, 0), TermFrequency: true}
	}
	const exact, jw = comparison.IsExact, comparison.IsJaroWinkler
	spec := ClassicalSpec{
		Comparisons: []comparison.LevelSpec{
			{Columns: []string{"first_name", "surname"}, Levels: []comparison.LevelRule{
				both(on("first_name", exact, 0), on("surname", exact, 0)),
				{Condition: comparison.Condition{Is: comparison.IsSwapped, Column: "first_name", With: "surname"}},
				both(on("first_name", jw, 0.92), on("surname", jw, 0.92)),
				both(on("first_name", jw, 0.88), on("surname", jw, 0.88)),
				one("surname"), one("first_name"),
			}},
			levels("dob", exactRule(false), damerau(1), dateWithin(1, comparison.Month), dateWithin(1, comparison.Year), dateWithin(10, comparison.Year)),
			levels("city", exactRule(true)), emailLevels("email"),
		},
		Strict: [][]comparison.Condition{
			{on("first_name", exact, 0), on("dob", comparison.IsLevenshtein, 1)},
			{on("surname", exact, 0), on("dob", comparison.IsLevenshtein, 1)},
			{on("first_name", exact, 0), on("surname", comparison.IsLevenshtein, 2)},
			{on("email", exact, 0)},
		},
		Recall:        0.7,
		Sessions:      [][]string{{"dob"}, {"email"}, {"first_name", "surname"}},
		PlainSessions: true,
	}
	p := plan(t, table, spec)
	m, err := p.TrainClassical(context.Background(), spec, 2)
	if err != nil {
		t.Fatal(err)
	}
	formula, tables := judge(p, m, candidates(t, table, false, "first_name", "surname", "dob", "email"), persons)
	positives := truePairs(table, persons, false)
	if d := compareTruth(t, formula, "fake_1000_labels_column_accuracy.json", positives, true); d != 0 {
		t.Errorf("truth table differs by %d pairs", d)
	}
	t.Logf("with integer tables: %d pairs", compareTruth(t, tables, "fake_1000_labels_column_accuracy.json", positives, false))
}
