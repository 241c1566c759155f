package match

import (
	"context"
	"strings"
	"testing"
	"time"

	"sama/match/comparison"
	"sama/record"
)

// The FEBRL examples read the files untrimmed: values keep their leading space
// and a blank, a single space, is a value like any other. Dates of birth are
// trimmed. Social security numbers and postal codes are whole numbers throughout,
// which pandas reads as such: leading zeros are lost.
//
// Dates of birth have two columns here. Rules block on date_of_birth, where a
// blank is a value. The comparison regards what is no calendar date YYYYMMDD as
// null; its levels of date differences, though, look for YYYY-MM-DD (their SQL
// is among the known answers) and so never hold: in the column date a letter
// before the date keeps it from being one.

func febrlPerson(row map[string]string) string {
	parts := strings.Split(row["rec_id"], "-")
	return parts[0] + "-" + parts[1]
}

func febrlValue(column, value string) string {
	switch column {
	case "rec_id":
		return strings.TrimSpace(value)
	case "date":
		if _, err := time.Parse("20060102", strings.TrimSpace(value)); err != nil {
			return ""
		}
		return "d" + strings.TrimSpace(value)
	case "date_of_birth":
		return "d" + strings.TrimSpace(value)
	case "soc_sec_id", "postcode":
		return strings.TrimLeft(value, " 0")
	}
	return value
}

func febrlBirthLevels() comparison.LevelSpec {
	spec := levels("date", exactRule(false), damerau(1), dateWithin(1, comparison.Month), dateWithin(1, comparison.Year), dateWithin(10, comparison.Year))
	spec.Name = "date_of_birth"
	return spec
}

const (
	exact    = comparison.IsExact
	swapping = comparison.IsSwapped
)

func febrl3(t *testing.T) (*Plan, ClassicalSpec, []string) {
	table, persons := splinkTable(t, []string{"febrl3.csv"}, febrlPerson, febrlValue)
	spec := ClassicalSpec{
		Comparisons: []comparison.LevelSpec{
			nameLevels("given_name"), nameLevels("surname"), febrlBirthLevels(),
			levels("soc_sec_id", exactRule(false), damerau(2)),
			levels("street_number", exactRule(true)), levels("postcode", exactRule(true)),
		},
		Strict: [][]comparison.Condition{
			{on("soc_sec_id", exact, 0)},
			{on("given_name", exact, 0), on("surname", exact, 0), on("date_of_birth", exact, 0)},
			{{Is: swapping, Column: "given_name", With: "surname"}, on("date_of_birth", exact, 0)},
		},
		Recall:   0.9,
		Sessions: [][]string{{"date_of_birth"}, {"postcode"}},
	}
	return plan(t, table, spec), spec, persons
}

func febrl4(t *testing.T) (*Plan, ClassicalSpec, []string) {
	table, persons := splinkTable(t, []string{"febrl4a.csv", "febrl4b.csv"}, febrlPerson, febrlValue)
	spec := ClassicalSpec{
		Comparisons: []comparison.LevelSpec{
			nameLevels("given_name"), nameLevels("surname"), febrlBirthLevels(),
			levels("soc_sec_id", exactRule(false), damerau(1), damerau(2)),
			levels("street_number", exactRule(true)), levels("postcode", exactRule(true), damerau(1), damerau(2)),
		},
		Strict: [][]comparison.Condition{
			{on("soc_sec_id", exact, 0)},
			{on("given_name", exact, 0), on("surname", exact, 0), on("date_of_birth", exact, 0)},
		},
		Recall:        0.8,
		Sessions:      [][]string{{"date_of_birth"}, {"postcode"}},
		PlainSessions: true,
		OnlyAcross:    true,
	}
	return plan(t, table, spec), spec, persons
}

// trainFebrl trains as TrainClassical does, but for the column that a session
// blocks on being another than the one that it fixes. With the known u, what is
// left is not random.
func trainFebrl(t *testing.T, p *Plan, spec ClassicalSpec, all []known, knownU bool) *Model {
	t.Helper()
	x, err := p.newTrainer(context.Background(), spec, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !knownU {
		if err := x.countU(); err != nil {
			t.Fatal(err)
		}
	}
	for c, cmp := range p.Comparisons {
		n := len(cmp.Levels()) - 1
		for l := 1; l <= n && knownU; l++ {
			x.u[c][l] = *knownLevel(t, all, cmp.Name(), l, n).U
		}
	}
	if err := x.strictPrior(); err != nil {
		t.Fatal(err)
	}
	for _, columns := range spec.Sessions {
		blocks, err := named(p.Table, columns)
		if err != nil {
			t.Fatal(err)
		}
		fixed := blocks
		if columns[0] == "date_of_birth" {
			fixed = []*record.Column{p.Table.Named("date")}
		}
		if err := x.train(columns[0], fixed, agreeing(blocks)); err != nil {
			t.Fatal(err)
		}
	}
	return x.model()
}

// checkFebrl checks the three steps apart, because one of them is random in
// Splink: its u come from the pairs of some 1,400 records drawn without a seed.
// For febrl3, Splink run again with three seeds gives tables that differ from
// the published one by 1,921 pairs (one pattern of that many pairs moves by a
// tenth of a bit), at thresholds from 0 by 32, 60 and 80, and from each other as
// much. With u from all pairs, as here, it is 20; so what is asserted of it is
// how far thresholds have to be moved.
func checkFebrl(t *testing.T, p *Plan, spec ClassicalSpec, persons []string, parameters, accuracy string, rules []string) {
	all := knownParameters(t, parameters)
	positives := truePairs(p.Table, persons, spec.OnlyAcross)
	pairs := candidates(t, p.Table, spec.OnlyAcross, rules...)

	// With the known m and u: the known truth table.
	formula, tables := judge(p, knownModel(t, p, all), pairs, persons)
	if d, _ := compareTruth(t, formula, accuracy, positives); d != 0 {
		t.Errorf("truth table differs by %d pairs", d)
	}
	if d := shiftNeeded(t, tables, accuracy, positives); d > 0.005 {
		t.Errorf("truth table by integer tables is %v bits off", d)
	} else {
		t.Logf("by integer tables: thresholds %.4f bits off", d)
	}

	// With the known u: the known m and prior.
	compareParameters(t, trainFebrl(t, p, spec, all, true), all, 5e-7, 5e-7)

	// From nothing: m nearly so, u where Splink's sample was about right, and the
	// truth table with thresholds moved by what that changes.
	m := trainFebrl(t, p, spec, all, false)
	compareParameters(t, m, all, 5e-5, 0.011)
	formula, _ = judge(p, m, pairs, persons)
	if _, d := compareTruth(t, formula, accuracy, positives); d > 25 {
		t.Errorf("from nothing: truth table differs by %d pairs at a threshold of 0 or more", d)
	}
	if d := shiftNeeded(t, formula, accuracy, positives); d > 0.15 {
		t.Errorf("from nothing: truth table is %v bits off", d)
	} else {
		t.Logf("from nothing: thresholds %.3f bits off", d)
	}
}

func TestFebrl3(t *testing.T) {
	p, spec, persons := febrl3(t)
	checkFebrl(t, p, spec, persons, "febrl3_params.json", "febrl3_accuracy.json",
		[]string{"soc_sec_id", "given_name", "surname", "date_of_birth", "postcode"})
}

func TestFebrl4(t *testing.T) {
	p, spec, persons := febrl4(t)
	checkFebrl(t, p, spec, persons, "febrl4_detailed_params.json", "febrl4_detailed_accuracy.json",
		[]string{"given_name+surname", "names swapped", "date_of_birth", "soc_sec_id", "state+address_1", "street_number+address_1", "postcode"})
}

// TestFebrl4Simple is the simple model of the same example: three columns, equal
// or not.
func TestFebrl4Simple(t *testing.T) {
	p, spec, _ := febrl4(t)
	spec.Comparisons = []comparison.LevelSpec{levels("given_name", exactRule(true)), levels("surname", exactRule(true)), levels("street_number", exactRule(true))}
	spec.Sessions = [][]string{{"given_name"}, {"street_number"}}
	p = plan(t, p.Table, spec)
	all := knownParameters(t, "febrl4_simple_params.json")
	compareParameters(t, trainFebrl(t, p, spec, all, true), all, 5e-7, 5e-7)
}
