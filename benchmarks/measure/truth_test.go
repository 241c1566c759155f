package measure

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func equal(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

// Five records: persons {a b c} {d e}; identities {a b} {c d}, and e was
// rejected. Pairs: 2 found, 4 true, 1 both.
func TestScoreOfAHandMadeRun(t *testing.T) {
	dir := t.TempDir()
	truth, err := ReadTruth(write(t, filepath.Join(dir, "truth.parquet"), []fixtureTruth{{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "2"}, {"e", "2"}}))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "run", "members.parquet"), []memberRow{{"x", "a", "i"}, {"x", "b", "i"}, {"y", "c", "j"}, {"y", "d", "j"}})
	s, err := truth.Score(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Pairwise.Found != 2 || s.Pairwise.True != 4 || s.Pairwise.Both != 1 || s.Missing != 1 || s.Records != 5 {
		t.Errorf("score %+v", s)
	}
	// B-cubed: precision (1 + 1 + ½ + ½ + 1)/5, recall (⅔ + ⅔ + ⅓ + ½ + ½)/5.
	if !equal(s.BCubed.Precision, 0.8) || !equal(s.BCubed.Recall, (5.0/3+1)/5) || s.Exact.Recall() != 0 {
		t.Errorf("B-cubed %+v, exact %v", s.BCubed, s.Exact)
	}
}

func TestSilosTellEqualRecordIdsApart(t *testing.T) {
	dir := t.TempDir()
	truth, err := ReadTruth(write(t, filepath.Join(dir, "truth.parquet"), []fixtureSiloTruth{{"crm", "1", "p"}, {"web", "1", "q"}, {"web", "2", "p"}}))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "members.parquet"), []memberRow{{"web", "2", "i"}, {"crm", "1", "i"}, {"web", "1", "j"}})
	if s, err := truth.Score(dir); err != nil || s.Pairwise.F1() != 1 || s.Exact.Recall() != 1 {
		t.Errorf("score %+v, %v: want all right", s, err)
	}
}

func TestRecordsThatDoNotFitTheTruthAreErrors(t *testing.T) {
	dir := t.TempDir()
	truth, err := ReadTruth(write(t, filepath.Join(dir, "truth.parquet"), []fixtureTruth{{"a", "1"}, {"b", "1"}}))
	if err != nil {
		t.Fatal(err)
	}
	for name, members := range map[string][]memberRow{
		"does not know record x:z": {{"x", "a", "i"}, {"x", "z", "i"}},
		"stands there twice":       {{"x", "a", "i"}, {"y", "a", "j"}},
	} {
		write(t, filepath.Join(dir, "members.parquet"), members)
		if _, err := truth.Score(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := truth.Score(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("no run directory gave no error")
	}
}

func TestTruthThatSaysNothingIsAnError(t *testing.T) {
	dir := t.TempDir()
	for name, rows := range map[string][]fixtureTruth{
		"row 2 has no record id or no person": {{"a", "1"}, {"b", ""}},
		"row 2: record :a stands there twice": {{"a", "1"}, {"a", "2"}},
	} {
		_, err := ReadTruth(write(t, filepath.Join(dir, "truth.parquet"), rows))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
	if _, err := ReadTruth(write(t, filepath.Join(dir, "truth.parquet"), []fixtureRecord{{RecordID: "a"}})); err == nil {
		t.Error("a truth without persons gave no error")
	}
}
