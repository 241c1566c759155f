package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestRowsOfJSONLinesAreWholeRecords: what a row does not name is null, whatever
// the other rows of its file name; a column that a CSV file does not have stays.
func TestRowsOfJSONLinesAreWholeRecords(t *testing.T) {
	const base = `{"id":"1","phone":"111","address":{"street":"Tie 1","city":"Turku"}}
{"id":"2","phone":"222","address":{"street":"Tie 2","city":"Espoo"}}
`
	for name, c := range map[string]struct {
		delta map[string]string
		mark  string
		want  string
	}{
		"the only row": {map[string]string{"a.jsonl": `{"id":"1"}`}, "",
			"[id][phone][address.street][address.city]\n[1][][][]\n[2][222][Tie 2][Espoo]"},
		"beside a row that names more": {map[string]string{"a.jsonl": `{"id":"1"}` + "\n" + `{"id":"3","phone":"333"}`}, "",
			"[id][phone][address.street][address.city]\n[1][][][]\n[2][222][Tie 2][Espoo]\n[3][333][][]"},
		"an object that is null": {map[string]string{"a.jsonl": `{"id":"1","phone":"112","address":null,"more":null}`}, "",
			"[id][phone][address.street][address.city]\n[1][112][][]\n[2][222][Tie 2][Espoo]"},
		"a value that a later row takes back": {map[string]string{"a.jsonl": `{"id":"1","note":"x"}` + "\n" + `{"id":"1","phone":"112"}`}, "",
			"[id][phone][address.street][address.city]\n[1][112][][]\n[2][222][Tie 2][Espoo]"},
		"CSV": {map[string]string{"a.csv": "id,phone,new\n1,,\n"}, "",
			"[id][phone][address.street][address.city][new]\n[1][][Tie 1][Turku][]\n[2][222][Tie 2][Espoo][]"},
		"both": {map[string]string{"a.jsonl": `{"id":"1"}`, "b.csv": "id,phone\n2,223\n"}, "",
			"[id][phone][address.street][address.city]\n[1][][][]\n[2][223][Tie 2][Espoo]"},
		"both of one record": {map[string]string{"a.jsonl": `{"id":"1"}`, "b.csv": "id,phone\n1,112\n"}, "",
			"[id][phone][address.street][address.city]\n[1][112][][]\n[2][222][Tie 2][Espoo]"},
		"one of each source": {map[string]string{"a.jsonl": `{"source":"s","id":"1"}`, "b.csv": "source,id,phone\nother,9,999\ns,2,223\n"}, "",
			"[id][phone][address.street][address.city]\n[1][][][]\n[2][223][Tie 2][Espoo]"},
		"a mark that no row names": {map[string]string{"a.jsonl": `{"id":"1","phone":"112"}`}, "gone",
			"[id][phone][address.street][address.city]\n[1][112][][]\n[2][222][Tie 2][Espoo]"},
		"a mark that one row names": {map[string]string{"a.jsonl": `{"id":"1","gone":true}` + "\n" + `{"id":"3"}`}, "gone",
			"[id][phone][address.street][address.city]\n[2][222][Tie 2][Espoo]\n[3][][][]"},
	} {
		dir := files(t, map[string]string{"base.jsonl": base})
		before, _ := read(t, Input{Paths: []string{dir + "/base.jsonl"}, Source: "s"})
		deltas, _ := read(t, Input{Paths: []string{files(t, c.delta)}})
		delta := deltas[len(deltas)-1] // s, where a column names sources
		r, _, _, err := Fold(kept(before[0]), delta, "id", Deletes{Column: c.mark}, ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, table(r)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// A CSV file beside it must have the mark.
	deltas, _ := read(t, Input{Paths: []string{files(t, map[string]string{"a.jsonl": `{"id":"1"}`, "b.csv": "id\n2\n"})}})
	if err := foldError(nil, deltas[0], "id", Deletes{Column: "gone"}); err == nil || !strings.Contains(err.Error(), `no delete column "gone"`) {
		t.Error(err)
	}
}

// TestNightsOfJSONLinesAddUpToTheFullExport: the same values as of a full
// export of the last state, read as a file, after any nights of changes whose
// writer leaves out what is null, or does not.
func TestNightsOfJSONLinesAddUpToTheFullExport(t *testing.T) {
	write := func(rows []map[string]any) *Raw {
		var text strings.Builder
		for _, row := range rows {
			line, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "%s\n", line)
		}
		raws, _ := read(t, Input{Paths: []string{files(t, map[string]string{"s.jsonl": text.String()}) + "/s.jsonl"}})
		return raws[0]
	}
	values := func(r *Raw) map[string]map[string]string {
		all := map[string]map[string]string{}
		for row := range r.Rows {
			record := map[string]string{}
			for _, c := range r.Columns {
				if text := c.text(uint32(row)); text != "" {
					record[c.Name] = text
				}
			}
			all[record["id"]] = record
		}
		return all
	}
	rapid.Check(t, func(t *rapid.T) {
		records := map[string]map[string]any{}
		var before *Raw
		for range rapid.IntRange(1, 4).Draw(t, "nights") {
			var rows []map[string]any
			for range rapid.IntRange(1, 4).Draw(t, "rows") {
				row := map[string]any{"id": fmt.Sprint(rapid.IntRange(1, 5).Draw(t, "id"))}
				for _, c := range [][]any{
					{"address", nil, map[string]any{"city": "Turku"}, map[string]any{"city": nil, "street": "Tie 1"}, "Tie 1, Turku"},
					{"phone", nil, "111", 222},
					{"tags", nil, []any{}, []any{"a", "b"}},
				} {
					name := c[0].(string)
					if v := rapid.SampledFrom(c[1:]).Draw(t, name); v != nil || rapid.Bool().Draw(t, "null "+name) {
						row[name] = v
					}
				}
				rows, records[row["id"].(string)] = append(rows, row), row
			}
			r, _, _, err := Fold(before, write(rows), "id", Deletes{}, ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			before = kept(r)
		}
		want := values(write(slices.Collect(maps.Values(records))))
		if diff := cmp.Diff(want, values(before)); diff != "" {
			t.Fatal(diff)
		}
	})
}
