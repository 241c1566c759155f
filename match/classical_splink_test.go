package match

import (
	"context"
	"slices"
	"testing"

	"sama/match/comparison"
	"sama/record"
)

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
	if d, _ := compareTruth(t, formula, "fake_1000_labels_table_accuracy.json", positives); d != 0 {
		t.Errorf("truth table differs by %d pairs", d)
	}
	if d := shiftNeeded(t, tables, "fake_1000_labels_table_accuracy.json", positives); d > 0.005 {
		t.Errorf("truth table by integer tables is %v bits off", d)
	}
}

// fake1000Labels returns the labelled pairs and how many of them match.
func fake1000Labels(t *testing.T, table *record.Table, persons []string) ([]record.Pair, int) {
	t.Helper()
	var pairs []record.Pair
	positives := 0
	for _, row := range readCSV(t, "fake_1000_labels.csv")[1:] {
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
	if d, _ := compareTruth(t, formula, "fake_1000_labels_column_accuracy.json", positives); d != 0 {
		t.Errorf("truth table differs by %d pairs", d)
	}
	if d := shiftNeeded(t, tables, "fake_1000_labels_column_accuracy.json", positives); d > 0.005 {
		t.Errorf("truth table by integer tables is %v bits off", d)
	}
}
