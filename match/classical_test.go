package match

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sama/match/comparison"
	"sama/record"
)

// textTable makes a table with the given columns; row i has the key keys[i].
func textTable(keys []record.Key, names []string, rows [][]string) *record.Table {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return keys[a].Compare(keys[b]) })
	t := &record.Table{}
	var ids record.StringsBuilder
	for _, i := range order {
		if n := len(t.Sources); n == 0 || t.Sources[n-1] != keys[i].Source {
			t.Sources = append(t.Sources, keys[i].Source)
		}
		t.Source = append(t.Source, uint16(len(t.Sources)-1))
		if _, err := ids.Append(keys[i].ID); err != nil {
			panic(err)
		}
	}
	t.IDs = ids.Build()
	for c, name := range names {
		var in record.Interner
		column := &record.Column{Field: record.Text, Name: name}
		for _, i := range order {
			column.Code = append(column.Code, in.Code(rows[i][c]))
		}
		column.Count = make([]uint32, in.Len())
		for _, code := range column.Code {
			column.Count[code]++
		}
		text, err := in.Strings()
		if err != nil {
			panic(err)
		}
		column.Raw, column.RawText, column.Normal = column.Code, text, text
		t.Columns = append(t.Columns, column)
	}
	return t
}

// silos draws persons with four fields, each recorded in two sources; a value is
// recorded wrong, as another person's, with the given probability, and left out
// with a tenth.
func silos(seed uint64, persons, values int, wrong [4]float64) (keys []record.Key, rows [][]string) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range persons {
		truth := [4]string{}
		for c := range truth {
			truth[c] = fmt.Sprintf("%c%d", 'a'+c, r.IntN(values))
		}
		for _, source := range []string{"one", "two"} {
			row := make([]string, 4)
			for c := range row {
				row[c] = truth[c]
				if r.Float64() < wrong[c] {
					row[c] = fmt.Sprintf("%c%d", 'a'+c, r.IntN(values))
				}
				if r.Float64() < 0.1 {
					row[c] = ""
				}
			}
			keys = append(keys, record.Key{Source: source, ID: fmt.Sprintf("%05d", i)})
			rows = append(rows, row)
		}
	}
	return keys, rows
}

var siloColumns = []string{"a", "b", "c", "d"}

func siloSpec() ClassicalSpec {
	spec := ClassicalSpec{Sessions: [][]string{{"a"}, {"b"}, {"c"}}}
	for _, c := range siloColumns {
		spec.Comparisons = append(spec.Comparisons, levels(c, exactRule(true), damerau(1)))
	}
	return spec
}

// TestEMFindsTheParametersOfItsPatterns gives EM the expected counts of a known
// model: the model is then the fixed point.
func TestEMFindsTheParametersOfItsPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const comparisons, levels = 5, 3
		x := &trainer{spec: ClassicalSpec{MaxIterations: 3000, Convergence: 1e-12}}
		lambda := rapid.Float64Range(0.05, 0.6).Draw(t, "lambda")
		var m [][]float64
		for range comparisons {
			best := rapid.Float64Range(0.6, 0.9).Draw(t, "m")
			m = append(m, []float64{0, best, (1 - best) * 0.6, (1 - best) * 0.4})
			u := rapid.Float64Range(0.02, 0.2).Draw(t, "u")
			x.u = append(x.u, []float64{0, u, u * 2, 1 - 3*u})
			x.m = append(x.m, []float64{0, 0.95, 0.025, 0.025})
		}
		counts := expectedPatterns(m, x.u, lambda, levels)
		e := &em{t: x, held: make([]bool, comparisons), patterns: counts, lambda: 0.3}
		if !e.run() {
			t.Fatal("did not converge")
		}
		if math.Abs(e.lambda-lambda) > 1e-6 {
			t.Fatalf("λ %v, want %v", e.lambda, lambda)
		}
		for c := range m {
			for l := 1; l <= levels; l++ {
				if math.Abs(e.m[c][l]-m[c][l]) > 1e-6 {
					t.Fatalf("m[%d][%d] %v, want %v", c, l, e.m[c][l], m[c][l])
				}
			}
		}
	})
}

// expectedPatterns returns every vector with its expected share of the pairs.
func expectedPatterns(m, u [][]float64, lambda float64, levels int) []countedPattern {
	var list []countedPattern
	total := 1
	for range m {
		total *= levels
	}
	for n := range total {
		var p countedPattern
		yes, no := lambda, 1-lambda
		rest := n
		for c := range m {
			l := rest%levels + 1
			rest /= levels
			p.vector[c] = uint8(l)
			yes *= m[c][l]
			no *= u[c][l]
			p.nonLog += math.Log(u[c][l])
		}
		p.pairs = 1e6 * (yes + no)
		list = append(list, p)
	}
	return list
}

// TestTrainingRecoversHowTheDataWereMade trains on drawn silos: a wrong value
// equals the true one once in values, so m is known.
func TestTrainingRecoversHowTheDataWereMade(t *testing.T) {
	wrong := [4]float64{0.05, 0.10, 0.20, 0.30}
	const persons, values = 3000, 400
	keys, rows := silos(7, persons, values, wrong)
	table := textTable(keys, siloColumns, rows)
	spec := siloSpec()
	spec.OnlyAcross = true
	for i := range spec.Comparisons {
		spec.Comparisons[i].Levels = spec.Comparisons[i].Levels[:1]
	}
	m, err := plan(t, table, spec).TrainClassical(context.Background(), spec, 2)
	if err != nil {
		t.Fatal(err)
	}
	for c, cm := range m.Comparisons {
		right := (1 - wrong[c]) * (1 - wrong[c])
		want := right + (1-right)/values
		if got := cm.Levels[1].M; math.Abs(got-want) > 0.03 {
			t.Errorf("%s: m of equality %v, want %v", cm.Name, got, want)
		}
		if got := cm.Levels[1].U[0]; math.Abs(got-1.0/values) > 0.0005 {
			t.Errorf("%s: u of equality %v, want %v", cm.Name, got, 1.0/values)
		}
	}
	if got, want := m.Shares[0], 1.0/persons; got < 0.85*want || got > 1.15*want {
		t.Errorf("prior %v, want %v", got, want)
	}
	if !m.Training.Converged {
		t.Errorf("not converged: %v", m.Training.Warnings)
	}
}

// TestTrainingIsTheSameForAnyOrderAndWorkers renames the records, which changes
// their order, and varies the workers: not a bit of the model may change.
func TestTrainingIsTheSameForAnyOrderAndWorkers(t *testing.T) {
	keys, rows := silos(3, 150, 40, [4]float64{0.1, 0.1, 0.1, 0.1})
	spec := siloSpec()
	spec.Strict = [][]comparison.Condition{{on("a", comparison.IsExact, 0), on("b", comparison.IsDamerauLevenshtein, 1)}, {on("c", comparison.IsExact, 0), on("d", comparison.IsExact, 0)}}
	var first *Model
	r := rand.New(rand.NewPCG(1, 2))
	for _, workers := range []int{1, 2, 7} {
		for i := range keys {
			keys[i] = record.Key{Source: "s", ID: fmt.Sprintf("%09d", r.IntN(1e9))}
		}
		m, err := plan(t, textTable(keys, siloColumns, rows), spec).TrainClassical(context.Background(), spec, workers)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		}
		if !reflect.DeepEqual(first, m) {
			t.Fatalf("%d workers, other order: another model\n%+v\n%+v", workers, first, m)
		}
	}
}

// TestUIsTheShareOfAllPairs compares u with a count over every pair of records.
func TestUIsTheShareOfAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "records")
		var keys []record.Key
		var rows [][]string
		word := rapid.StringMatching(`[ab]{0,3}`)
		for i := range n {
			keys = append(keys, record.Key{Source: rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "source"), ID: fmt.Sprintf("%03d", i)})
			rows = append(rows, []string{word.Draw(t, "a"), word.Draw(t, "b")})
		}
		table := textTable(keys, []string{"a", "b"}, rows)
		if rapid.Bool().Draw(t, "generic") {
			column := table.Columns[0]
			column.Generic = make([]bool, column.Normal.Len())
			column.Generic[len(column.Generic)-1] = len(column.Generic) > 1
		}
		spec := ClassicalSpec{
			Comparisons: []comparison.LevelSpec{
				levels("a", exactRule(false), damerau(1)),
				{Columns: []string{"a", "b"}, Levels: []comparison.LevelRule{
					{All: []comparison.Condition{on("a", comparison.IsExact, 0), on("b", comparison.IsExact, 0)}},
					{Condition: comparison.Condition{Is: comparison.IsSwapped, Column: "a", With: "b"}}}},
			},
			Sessions: [][]string{{"b"}}, OnlyAcross: rapid.Bool().Draw(t, "across"),
		}
		p, err := NewClassicalPlan(table, spec)
		if err != nil {
			t.Fatal(err)
		}
		x, err := p.newTrainer(context.Background(), spec, 2)
		if err != nil {
			return // no pair of different sources
		}
		for c := range p.Comparisons {
			got, err := x.levelCounts(c)
			if err != nil {
				t.Fatal(err)
			}
			if want := countAllPairs(p, c, spec.OnlyAcross); !slices.Equal(got[1:], want[1:]) {
				t.Fatalf("comparison %d: %v, want %v", c, got, want)
			}
		}
	})
}

// countAllPairs is the slow, obvious way.
func countAllPairs(p *Plan, c int, onlyAcross bool) []float64 {
	counts := make([]float64, len(p.Comparisons[c].Levels()))
	scratch, out := comparison.NewScratch(), make([]comparison.Vector, 1)
	for b := range uint32(p.Table.Len()) {
		for a := range b {
			if onlyAcross && p.Table.Source[a] == p.Table.Source[b] {
				continue
			}
			p.Comparisons[c].Compare(scratch, p.rows, []record.Pair{{A: a, B: b}}, out, 0)
			counts[out[0][0]]++
		}
	}
	return counts
}

// TestSampledUIsCloseAndKeepsEqualityExact samples a fifth of the pairs.
func TestSampledUIsCloseAndKeepsEqualityExact(t *testing.T) {
	keys, rows := silos(5, 300, 150, [4]float64{0.1, 0.1, 0.1, 0.1})
	table := textTable(keys, siloColumns, rows)
	spec := siloSpec()
	p := plan(t, table, spec)
	counts := func(maxPairs int64) []float64 {
		spec.MaxPairs = maxPairs
		x, err := p.newTrainer(context.Background(), spec, 3)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.levelCounts(0)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	exact, sampled := counts(1<<40), counts(8000)
	if exact[1] != sampled[1] {
		t.Errorf("equality %v by sample, %v exactly", sampled[1], exact[1])
	}
	for l := 2; l < len(exact); l++ {
		if d := math.Abs(sampled[l]-exact[l]) / exact[l]; d > 0.15 {
			t.Errorf("level %d: %v by sample, %v exactly", l, sampled[l], exact[l])
		}
	}
}

// TestPairSpaceHoldsEveryPairOnce compares numbering with nested loops.
func TestPairSpaceHoldsEveryPairOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &pairSpace{self: rapid.IntRange(0, 1).Draw(t, "self")}
		next := uint32(0)
		want := make(map[record.Pair]bool)
		for range rapid.IntRange(0, 6).Draw(t, "blocks") {
			var members []uint32
			for range rapid.IntRange(0, 9).Draw(t, "members") {
				for _, m := range members {
					want[record.Pair{A: m, B: next}] = true
				}
				if s.self == 1 {
					want[record.Pair{A: next, B: next}] = true
				}
				members = append(members, next)
				next++
			}
			s.addBlock(members)
		}
		if s.pairs() != uint64(len(want)) {
			t.Fatalf("%d pairs, want %d", s.pairs(), len(want))
		}
		got := make(map[record.Pair]bool)
		for i, pair := range s.run(nil, 0, s.pairs()) {
			if pair != s.pair(s.at(uint64(i))) {
				t.Fatalf("pair %d by number is %v, in turn %v", i, s.pair(s.at(uint64(i))), pair)
			}
			got[pair] = true
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("pairs %v, want %v", got, want)
		}
	})
}

// TestClassicalWeightsAreTheFormula compares the integer tables and the
// adjustments by term frequency with the definition in float64: every one of
// their terms is rounded by at most half a unit.
func TestClassicalWeightsAreTheFormula(t *testing.T) {
	keys, rows := silos(11, 200, 30, [4]float64{0.1, 0.2, 0.1, 0.2})
	spec := siloSpec()
	spec.Comparisons[1].TermFrequencyFloor = 0.05
	table := textTable(keys, siloColumns, rows)
	p := plan(t, table, spec)
	m, err := p.TrainClassical(context.Background(), spec, 2)
	if err != nil {
		t.Fatal(err)
	}
	all := agreeing(p.Table.Columns[:1])
	pairs := all.run(nil, 0, all.pairs())
	out := make([]comparison.Vector, len(pairs))
	p.Compare(comparison.NewScratch(), pairs, out)
	w, adjust := m.compile(), p.Adjustments(m)
	for i, pair := range pairs {
		want, terms := math.Log2(m.Shares[0]/m.Shares[1]), 2
		for c, column := range table.Columns {
			l := out[i][c]
			if l == 0 {
				continue
			}
			level := m.Comparisons[c].Levels[l]
			want += math.Log2(level.M / level.U[0])
			terms += 2
			if l == 1 {
				tf := float64(column.Count[column.Code[pair.A]]) / (float64(table.Len()) - float64(column.Count[0]))
				if c == 1 {
					tf = max(tf, 0.05)
				}
				want += math.Log2(level.U[0] / tf)
				terms++
			}
		}
		got := w.Of(&out[i]) + adjust.Of(pair, &out[i])
		if d := math.Abs(float64(got) - want*float64(record.WeightUnit)); d > float64(terms)/2 {
			t.Fatalf("pair %v, vector %v: weight %v, the formula says %v", pair, out[i], got.Bits(), want)
		}
		var parts record.Weight
		for c := range m.Comparisons {
			parts += adjust.OfComparison(c, pair, &out[i])
		}
		if parts != adjust.Of(pair, &out[i]) || parts > adjust.Most(&out[i]) {
			t.Fatalf("pair %v: parts %v, sum %v, at most %v", pair, parts, adjust.Of(pair, &out[i]), adjust.Most(&out[i]))
		}
	}
}

// TestTrainingSaysWhatItDidNotLearn looks for the marks and warnings.
func TestTrainingSaysWhatItDidNotLearn(t *testing.T) {
	keys, rows := silos(2, 100, 20, [4]float64{0.1, 0.1, 0.1, 0.1})
	for i := range rows {
		rows[i][3] = "d" + rows[i][3] // "d" and three more letters: never a date
	}
	spec := siloSpec()
	spec.MaxIterations = 1
	spec.Sessions = [][]string{{"a"}, {"a", "b"}}
	spec.Comparisons[3].Levels = append(spec.Comparisons[3].Levels, dateWithin(1, comparison.Year))
	m, err := plan(t, textTable(keys, siloColumns, rows), spec).TrainClassical(context.Background(), spec, 2)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(m.Training.Warnings, "\n")
	for _, want := range []string{
		"training session a did not converge in 1 iterations",
		"training session a + b did not converge",
		"a: never seen in training, default weights: equal; Damerau-Levenshtein ≤ 1; differ",
		"d: never seen in training, default weights: within 1 year",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no warning %q in\n%s", want, text)
		}
	}
	if m.Training.Converged {
		t.Error("says that training converged")
	}
	if !m.Comparisons[0].Levels[1].Untrained || m.Comparisons[1].Levels[1].Untrained || !m.Comparisons[3].Levels[3].Untrained {
		t.Error("wrong levels are marked untrained")
	}
	if got := m.Comparisons[0].Levels[1].M; got != 0.95 {
		t.Errorf("untrained m %v, want the default", got)
	}
}

func TestClassicalSpecProblemsAreAllReported(t *testing.T) {
	spec := ClassicalSpec{Recall: 2, MaxPairs: -1, Convergence: 3, Sessions: [][]string{{}}}
	err := spec.Validate()
	for _, want := range []string{"comparisons: none given", "session 1 names no column", "recall is 2", "max_pairs is -1", "max_iterations is 0", "convergence is 3"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	keys, rows := silos(1, 5, 5, [4]float64{})
	table := textTable(keys, siloColumns, rows)
	spec = siloSpec()
	spec.Comparisons = append(spec.Comparisons, levels("nothing", exactRule(false)), levels("a", exactRule(false)))
	if _, err = NewClassicalPlan(table, spec); err == nil || !strings.Contains(err.Error(), `no column "nothing"`) || !strings.Contains(err.Error(), `two comparisons are named "a"`) {
		t.Errorf("got %v", err)
	}
	spec = siloSpec()
	spec.Strict = [][]comparison.Condition{{on("a", comparison.IsDamerauLevenshtein, 1)}}
	if _, err = plan(t, table, spec).TrainClassical(context.Background(), spec, 1); err == nil || !strings.Contains(err.Error(), "needs a condition is: exact") {
		t.Errorf("got %v", err)
	}
	spec = siloSpec()
	spec.Sessions = [][]string{{"q"}}
	if _, err = plan(t, table, spec).TrainClassical(context.Background(), spec, 1); err == nil || !strings.Contains(err.Error(), `no column "q"`) {
		t.Errorf("got %v", err)
	}
}

// TestProposedClassicalModelIsUsable trains the proposal on fake_1000 with its
// columns mapped to fields. An edge at a probability of a half is right or wrong
// by the cluster column. Splink's documentation, with levels and rules made for
// this set by hand and the same blocking, has F1 0.806 there.
func TestProposedClassicalModelIsUsable(t *testing.T) {
	table, persons := fake1000(t)
	for name, field := range map[string]record.Field{"first_name": record.GivenName, "surname": record.FamilyName,
		"dob": record.BirthDate, "city": record.City, "email": record.Email, "cluster": record.Carried} {
		table.Named(name).Field = field
	}
	spec := ProposeClassical(table)
	if err := spec.Validate(); err != nil {
		t.Fatal(err)
	}
	m, err := plan(t, table, spec).TrainClassical(context.Background(), spec, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Comparisons {
		if c.Levels[1].Untrained {
			t.Errorf("%s: equality was not trained", c.Name)
		}
	}
	pairs := candidates(t, table, false, "first_name", "surname", "dob", "email")
	_, tables := judge(plan(t, table, spec), m, pairs, persons)
	right, wrong := 0, 0
	for _, p := range tables {
		switch {
		case p.weight >= 0 && p.same:
			right++
		case p.weight >= 0:
			wrong++
		}
	}
	f1 := 2 * float64(right) / float64(right+wrong+truePairs(table, persons, false))
	t.Logf("F1 %.3f: %d right, %d wrong; sessions %v", f1, right, wrong, spec.Sessions)
	if f1 < 0.806 {
		t.Errorf("F1 %.3f", f1)
	}
}
