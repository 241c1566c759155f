package ingest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKeysFileWithoutAHeader: its first key must not be lost as the name of the
// column.
func TestKeysFileWithoutAHeader(t *testing.T) {
	before := rawOf(t, "s", "id|city\nk1|Turku\nk2|Espoo\nk3|Oulu")
	delta := rawOf(t, "s", "id|city\nk4|Salo")
	const refused = "which is the key of a record, so it seems to have no header line; give it a first line with the name of the key column, id"
	const unclear = "give the column of the keys that name in the first line of each file"
	for _, c := range []struct {
		files []string
		want  string // in the error, or the keys that are left
	}{
		{[]string{"whatever\nk2\n"}, "k1 k3 k4"},
		{[]string{"id,why\nk2,k1\nk4,x\n"}, "k1 k3"},
		{[]string{"why,id\nx,k3\n"}, "k1 k2 k4"},
		{[]string{"id,k1\nk2,x\n"}, "k1 k3 k4"}, // one file with the key's column: no other name is a key
		{[]string{"id\nk2\n", "id\nk3\n"}, "k1 k4"},
		{[]string{"whatever\n"}, "k1 k2 k3 k4"},
		{[]string{"k9\nk2\n"}, "k1 k3 k4"}, // a key that no record has: nothing stays
		{[]string{"k2\nk3\n"}, refused},
		{[]string{" k2 \n"}, refused},
		{[]string{"k4\nk1\n"}, refused}, // of the delta
		{[]string{"id\nk2\n", "k3\n"}, refused},
		{[]string{"k2,x\nk3,y\n"}, unclear},
		{[]string{"k2\n", "k3\n"}, unclear},
	} {
		contents := map[string]string{}
		for i, text := range c.files {
			contents[fmt.Sprintf("gone/%d.csv", i)] = text
		}
		dir := files(t, contents)
		keys, _ := read(t, Input{Paths: []string{dir + "/gone"}, Source: "s"})
		r, _, _, err := Fold(before, delta, "id", Deletes{Keys: keys[0]}, ReadOptions{})
		if c.want == refused || c.want == unclear {
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "/gone/0.csv") {
				t.Errorf("%q: error %v, want %q in it", c.files, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.files, err)
			continue
		}
		var left []string
		for row := range r.Rows {
			left = append(left, valueOf(r, row, "id"))
		}
		if got := strings.Join(left, " "); got != c.want {
			t.Errorf("%q: left %s, want %s", c.files, got, c.want)
		}
	}
}

func TestFoldCountsMarksThatDoNotMeanDeleted(t *testing.T) {
	marks := strings.Fields("X poisto X d I X x D no FALSE 0 a b c e g h j k")
	rows := make([][]string, len(marks), len(marks)+2)
	for i, mark := range marks {
		rows[i] = []string{fmt.Sprint(i), mark}
	}
	rows = append(rows, []string{"98", " poisto "}, []string{"99", ""})
	delta := rawOfRows(t, "s", []string{"id", "op"}, rows)
	for _, c := range []struct {
		values []string
		want   string
	}{
		{nil, "X 3, poisto 2, I 1, a 1, b 1, c 1, e 1, g 1, h 1, j 1"},
		{[]string{"x", "Poisto "}, "0 1, D 1, FALSE 1, I 1, a 1, b 1, c 1, d 1, e 1, g 1"},
	} {
		_, _, report, err := Fold(nil, delta, "id", Deletes{Column: "op", Values: c.values}, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range report.OtherMarks {
			got = append(got, fmt.Sprint(m.Value, " ", m.Rows))
		}
		if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("values %q: %s", c.values, diff)
		}
	}
}
