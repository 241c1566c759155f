package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// acceptedHead opens accepted.txt.
const acceptedHead = `# Accepted figures of sama on data with known truth: no configuration, all true pairs counted.
# go run ./benchmarks/quality shows what differs from here; with -update it rewrites this file.
`

var acceptedColumns = []string{"set", "records", "P", "R", "F1", "B³", "exact"}

// acceptedCells are the figures of a row that are accepted: those that the same
// program always gives for the same data.
func acceptedCells(r *row) []string {
	if r.Failed != "" {
		return []string{r.Set, "failed", "–", "–", "–", "–", "–"}
	}
	return []string{r.Set, strconv.Itoa(r.Records), share(r.Precision), share(r.Recall), share(r.F1), share(r.BCubed), share(r.Exact)}
}

// checkAccepted shows how the rows differ from the accepted figures, and with
// update makes them the accepted ones; sets that were not measured stay.
func checkAccepted(path string, rows []row, update bool, w io.Writer) error {
	old, err := readAccepted(path)
	if err != nil {
		return err
	}
	merged := table{acceptedColumns}
	measured := make(map[string][]string)
	for i := range rows {
		measured[rows[i].Set] = acceptedCells(&rows[i])
	}
	var diff table
	known := make(map[string]bool)
	for _, cells := range old {
		known[cells[0]] = true
		now, ok := measured[cells[0]]
		if !ok {
			now = cells
		}
		if strings.Join(now, " ") != strings.Join(cells, " ") {
			diff = append(diff, marked("-", cells), marked("+", now))
		}
		merged = append(merged, now)
	}
	for i := range rows {
		if name := rows[i].Set; !known[name] {
			merged = append(merged, measured[name])
			diff = append(diff, marked("+", measured[name]))
		}
	}
	if len(diff) == 0 {
		_, err := fmt.Fprintln(w, "\nAll figures are the accepted ones.")
		return err
	}
	fmt.Fprintf(w, "\nDifferences from the accepted figures:\n%s", append(table{marked(" ", acceptedColumns)}, diff...).text())
	if !update {
		_, err := fmt.Fprintln(w, "Accept them with -update.")
		return err
	}
	_, err = fmt.Fprintln(w, "They are the accepted ones now.")
	return errors.Join(err, os.WriteFile(path, []byte(acceptedHead+merged.text()), 0o644))
}

// marked puts a mark before the first cell.
func marked(mark string, cells []string) []string {
	return append([]string{mark + " " + cells[0]}, cells[1:]...)
}

// readAccepted reads the cells of every set. A file that is not there holds none.
func readAccepted(path string) (table, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var t table
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Fields(line)
		if len(cells) == 0 || cells[0] == "#" || cells[0] == acceptedColumns[0] {
			continue
		}
		if len(cells) != len(acceptedColumns) {
			return nil, fmt.Errorf("%s:%d: %d columns, want %d; rewrite the file with -update after removing the line", path, i+1, len(cells), len(acceptedColumns))
		}
		t = append(t, cells)
	}
	return t, nil
}
