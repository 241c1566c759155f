package main

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/benchmarks/generate"
	"sama/run"

	"github.com/parquet-go/parquet-go"
)

// exports are three silos that change from night to night, as rows of CSV by
// their keys.
type exports struct {
	*rand.Rand
	header  map[string]string
	rows    map[string]map[string]string // source → key → row
	waiting map[string][]string          // source → rows that are not there yet
}

// newExports draws silos of which seven in ten records are there.
func newExports(t *testing.T, records int, seed uint64) *exports {
	t.Helper()
	dir := t.TempDir()
	if _, err := generate.Run(t.Context(), generate.Options{Records: records, Seed: seed, Format: generate.CSV}, dir, nil); err != nil {
		t.Fatal(err)
	}
	e := &exports{rand.New(rand.NewPCG(seed, 3)), map[string]string{}, map[string]map[string]string{}, map[string][]string{}}
	for _, source := range []string{"crm", "service", "webshop"} {
		header, rows := csvRows(t, filepath.Join(dir, source+".csv"))
		e.header[source], e.rows[source] = header, map[string]string{}
		e.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for i, row := range rows {
			if i < len(rows)*7/10 {
				e.rows[source][keyOfRow(row)] = row
			} else {
				e.waiting[source] = append(e.waiting[source], row)
			}
		}
	}
	return e
}

func keyOfRow(row string) string {
	return row[:strings.IndexAny(row, ",;\t")]
}

// change lets a night pass and returns what is new or changed in a source, and
// the keys of what is gone.
func (e *exports) change(source string) (changed, gone []string) {
	rows := e.rows[source]
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		switch p := e.Float64(); {
		case p < 0.005:
			delete(rows, key)
			gone = append(gone, key)
		case p < 0.015:
			// A digit changes, whatever field it is in.
			row := []byte(rows[key])
			for i := len(row) - 1; i > len(key); i-- {
				if row[i] >= '0' && row[i] <= '9' && e.IntN(3) == 0 {
					row[i] = '0' + byte(e.IntN(10))
					break
				}
			}
			rows[key] = string(row)
			changed = append(changed, rows[key])
		}
	}
	for range len(rows) / 50 {
		if n := len(e.waiting[source]); n > 0 {
			row := e.waiting[source][n-1]
			e.waiting[source] = e.waiting[source][:n-1]
			rows[keyOfRow(row)] = row
			changed = append(changed, row)
		}
	}
	return changed, gone
}

// write writes the whole of a source.
func (e *exports) write(t *testing.T, dir, source string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString(e.header[source])
	for _, key := range slices.Sorted(maps.Keys(e.rows[source])) {
		text.WriteString(e.rows[source][key])
	}
	file := filepath.Join(dir, source+".csv")
	writeFile(t, file, text.String())
	return file
}

// TestNightsBuildOnEachOther lets nights pass, with full exports in one
// directory and with the changes of two sources in another. After every night
// both hold the same; whoever keeps its records keeps its id; the events, read
// from the first night on, give the members; every id leads somewhere.
func TestNightsBuildOnEachOther(t *testing.T) {
	e := newExports(t, 900, 5)
	dir := t.TempDir()
	full, delta := filepath.Join(dir, "full"), filepath.Join(dir, "delta")
	nights := &replay{members: map[string]map[string]bool{}, leads: map[string]string{}}
	files := map[string]string{}
	for _, source := range []string{"crm", "service", "webshop"} {
		files[source] = e.write(t, dir, source)
	}
	deltas := maps.Clone(files)
	var deletes []string
	before := map[string]string{}
	for night := range 8 {
		mustRun(t, exitDone, "resolve", "--quiet", "--out", full, files["crm"], files["service"], files["webshop"])
		args := []string{"resolve", "--quiet", "--out", delta, "--delta", "crm", "--delta", "webshop", deltas["service"]}
		for _, source := range []string{"crm", "webshop"} {
			if deltas[source] != "" {
				args = append(args, deltas[source])
			}
		}
		mustRun(t, exitDone, append(args, deletes...)...)
		sameRun(t, full, delta)
		after := keysByIdentity(t, full)
		kept := 0
		for id, keys := range before {
			for other, has := range after {
				if has == keys && other != id {
					t.Errorf("night %d: %s had id %s and has %s", night, keys, id, other)
				}
			}
			if after[id] == keys {
				kept++
			}
		}
		if night > 0 && kept < len(before)*8/10 {
			t.Errorf("night %d: only %d of %d identities are as they were", night, kept, len(before))
		}
		nights.read(t, full)
		nights.compare(t, night, after)
		before = after
		deltas, deletes = e.pass(t, dir, files)
	}
	mustRun(t, exitDone, "check", "--all", full)
	mustRun(t, exitDone, "check", "--all", delta)
	mustRun(t, exitDone, "resolve", "--quiet", "--out", full, files["crm"], files["service"], files["webshop"])
	mustRun(t, exitDone, "resolve", "--quiet", "--out", full, files["webshop"], files["crm"], files["service"])
	r, err := run.Open(full)
	if err != nil || r.Info.Counts.Events != 0 {
		t.Errorf("the same files again: %d events (%v)", r.Info.Counts.Events, err)
	}
}

// pass lets a night pass: the whole sources are written to files, what changed
// to the files that it returns, with the arguments that name what is gone.
func (e *exports) pass(t *testing.T, dir string, files map[string]string) (deltas map[string]string, deletes []string) {
	t.Helper()
	deltas = map[string]string{}
	folder := filepath.Join(dir, "changes")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"crm", "service", "webshop"} {
		changed, gone := e.change(source)
		files[source] = e.write(t, dir, source)
		deltas[source] = ""
		switch source {
		case "service":
			deltas[source] = files[source]
			continue
		case "crm":
			// Deletions stand in a column.
			header := strings.TrimSuffix(e.header[source], "\n") + ",deleted\n"
			for i, row := range changed {
				changed[i] = strings.TrimSuffix(row, "\n") + ",\n"
			}
			for _, key := range gone {
				changed = append(changed, key+strings.Repeat(",", strings.Count(header, ","))+"yes\n")
			}
			writeFile(t, filepath.Join(folder, "crm.csv"), header+strings.Join(changed, ""))
			deletes = append(deletes, "--deleted", "crm=deleted")
		case "webshop":
			writeFile(t, filepath.Join(folder, "webshop.csv"), e.header[source]+strings.Join(changed, ""))
			writeFile(t, filepath.Join(dir, "webshop_gone.csv"), "id\n"+strings.Join(gone, "\n")+"\n")
			if len(gone) > 0 {
				deletes = append(deletes, "--deletes", "webshop="+filepath.Join(dir, "webshop_gone.csv"))
			}
		}
		if len(changed) > 0 {
			deltas[source] = filepath.Join(folder, source+".csv")
		}
	}
	return deltas, deletes
}

// sameRun fails unless two runs have the same bytes in all files but run.json,
// sama.yaml and the report, which tell how they came about.
func sameRun(t *testing.T, a, b string) {
	t.Helper()
	x, y := fingerprints(t, a), fingerprints(t, b)
	for _, prints := range []map[string][32]byte{x, y} {
		for _, name := range []string{"sama.yaml", "report.html"} {
			delete(prints, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if x[name] != y[name] {
			t.Errorf("%s differs between %s and %s", name, a, b)
		}
	}
	if len(x) != len(y) {
		t.Errorf("%d files in %s, %d in %s", len(x), a, len(y), b)
	}
}

// replay is what somebody knows who has read the events of all runs.
type replay struct {
	members map[string]map[string]bool // id → keys
	leads   map[string]string          // id that ended → where it led when it did
}

// eventRow is a row of events.parquet.
type eventRow struct {
	Event    string `parquet:"event"`
	Identity string `parquet:"identity_id"`
	Other    string `parquet:"other_identity_id,optional"`
	Records  []struct {
		Source string `parquet:"source"`
		ID     string `parquet:"record_id"`
	} `parquet:"records,list"`
}

// read reads the events of the current run.
func (p *replay) read(t *testing.T, out string) {
	t.Helper()
	events, err := parquet.ReadFile[eventRow](filepath.Join(out, "current", "events.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		keys := p.members[e.Identity]
		switch e.Event {
		case "created", "split", "restored":
			keys = map[string]bool{}
			delete(p.leads, e.Identity)
		case "merged", "retired":
			delete(p.members, e.Identity)
			p.leads[e.Identity] = e.Other
			continue
		}
		for _, k := range e.Records {
			key := k.Source + ":" + k.ID
			if e.Event == "shrunk" {
				if !keys[key] {
					t.Errorf("%s lost %s, which it did not have", e.Identity, key)
				}
				delete(keys, key)
				continue
			}
			keys[key] = true
		}
		p.members[e.Identity] = keys
	}
}

// compare compares what was read with the members of the run.
func (p *replay) compare(t *testing.T, night int, actual map[string]string) {
	t.Helper()
	for id, keys := range actual {
		if got := strings.Join(slices.Sorted(maps.Keys(p.members[id])), " ") + " "; got != keys {
			t.Fatalf("night %d: by the events %s has %s, by the members %s", night, id, got, keys)
		}
	}
	for id := range p.members {
		if actual[id] == "" {
			t.Errorf("night %d: by the events %s lives, but it has no members", night, id)
		}
	}
}
