package run

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"sama/graph"

	"golang.org/x/sync/errgroup"
)

// Check verifies the run directory and returns everything that is wrong with
// it: first that the files are those of run.json, byte for byte; if so, that
// they agree with each other and with its counts, that every record is in
// exactly one identity, and that nothing names a record or an identity that is
// not there.
func (r *Run) Check() error {
	if err := errors.Join(r.checkFiles(true), r.checkStrangers()); err != nil {
		return err
	}
	if err := r.checkRows(); err != nil {
		return err
	}
	m, err := r.Members()
	if err != nil {
		return err
	}
	checks := []func(*Members) error{
		r.checkIndex, r.checkEdges, r.checkMembers, r.checkGolden, r.checkRecords, r.checkHistory,
	}
	bad := make([]error, len(checks))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, check := range checks {
		work.Go(func() error {
			bad[i] = check(m)
			return nil
		})
	}
	work.Wait()
	return errors.Join(bad...)
}

// QuickCheck verifies that every file of run.json is there with its size,
// without reading any.
func (r *Run) QuickCheck() error { return r.checkFiles(false) }

// checkFiles compares sizes, and if asked to hashes, with run.json.
func (r *Run) checkFiles(hashes bool) error {
	bad := make([]error, len(r.Info.Files))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, want := range r.Info.Files {
		work.Go(func() error {
			bad[i] = r.checkFile(want, hashes)
			return nil
		})
	}
	work.Wait()
	return errors.Join(bad...)
}

func (r *Run) checkFile(want File, hashes bool) error {
	if !filepath.IsLocal(filepath.FromSlash(want.Name)) {
		return fmt.Errorf("%s: names a file outside the run: %s", infoName, want.Name)
	}
	stat, err := os.Stat(r.File(want.Name))
	switch {
	case err != nil:
		return err
	case !stat.Mode().IsRegular():
		return fmt.Errorf("%s: not a file", want.Name)
	case stat.Size() != want.Bytes:
		return fmt.Errorf("%s: %d bytes, %d were written", want.Name, stat.Size(), want.Bytes)
	case !hashes:
		return nil
	}
	sum, err := hashFile(r.File(want.Name))
	if err == nil && sum != want.SHA256 {
		err = fmt.Errorf("%s: its bytes are not those that were written (SHA-256 differs)", want.Name)
	}
	return err
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 1<<18))
	return hex.EncodeToString(h.Sum(nil)), err
}

// checkStrangers reports files that run.json does not name, and files that
// every run has and this one has not.
func (r *Run) checkStrangers() error {
	known := map[string]bool{infoName: true}
	for _, f := range r.Info.Files {
		known[f.Name] = true
	}
	var bad []error
	for _, name := range []string{"aliases.parquet", "edges.parquet", "events.parquet", "golden.parquet", "members.parquet",
		"model.json", "provenance.parquet", "rejects.parquet", "report.html", "sama.yaml"} {
		if !known[name] {
			bad = append(bad, fmt.Errorf("%s: %s is missing from its files", infoName, name))
		}
	}
	err := filepath.WalkDir(r.Path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(r.Path, path)
		if err == nil && !known[filepath.ToSlash(name)] {
			bad = append(bad, fmt.Errorf("%s: not a file of this run", filepath.ToSlash(name)))
		}
		return err
	})
	return errors.Join(append(bad, err)...)
}

// checkRows compares the tables' row numbers with run.json.
func (r *Run) checkRows() error {
	var bad []error
	c := r.Info.Counts
	counted := map[string]int64{
		"members.parquet": c.Records, "golden.parquet": c.Identities, "edges.parquet": c.Edges,
		"events.parquet": c.Events, "aliases.parquet": c.Aliases, consentsFile: c.Consents,
	}
	for _, f := range r.Info.Files {
		if !strings.HasSuffix(f.Name, ".parquet") {
			continue
		}
		t, err := r.table(f.Name)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		rows := t.rows()
		bad = append(bad, t.close())
		if rows != f.Rows {
			bad = append(bad, fmt.Errorf("%s: %d rows, run.json says %d", f.Name, rows, f.Rows))
		}
		if want, ok := counted[f.Name]; ok && rows != want {
			bad = append(bad, fmt.Errorf("%s: %d rows, the counts of run.json say %d", f.Name, rows, want))
		}
	}
	if r.Info.Number < 1 {
		bad = append(bad, fmt.Errorf("%s: run number %d; the first is 1", infoName, r.Info.Number))
	}
	return errors.Join(bad...)
}

// checkMembers: one record founds each identity, and the record that a record
// was joined by is of the same identity.
func (r *Run) checkMembers(m *Members) error {
	founders := make([]uint32, m.Identities.Len())
	for i, founds := range m.Founding {
		if founds {
			founders[m.Identity[i]]++
		}
	}
	for id, n := range founders {
		if n != 1 {
			return fmt.Errorf("members.parquet: identity %s has %d founding records, want 1", m.Identities.At(uint32(id)), n)
		}
	}
	return r.groups("members.parquet", []string{"joined_by_source", "joined_by_record_id"}, func(g group) error {
		joined, err := m.recordsOf(g.columns[0], g.columns[1], func(i int) uint32 { return m.Identity[g.first+i] })
		if err != nil {
			return fmt.Errorf("members.parquet: %w", err)
		}
		for i, j := range joined {
			rec := uint32(g.first + i)
			switch {
			case j == NoRecord:
			case j == unknown:
				return fmt.Errorf("members.parquet: row %d: %s is joined by %s:%s, which is not there", rec+1, m.Key(rec), g.columns[0].text(i), g.columns[1].text(i))
			case m.Identity[rec] != m.Identity[j]:
				return fmt.Errorf("members.parquet: row %d: %s is joined by %s of another identity", rec+1, m.Key(rec), m.Key(j))
			}
		}
		return nil
	})
}

// checkGolden: every id is well formed and issued by now, and each identity
// counts its records right.
func (r *Run) checkGolden(m *Members) error {
	counts := make([]int64, m.Identities.Len())
	for _, id := range m.Identity {
		counts[id]++
	}
	return r.groups("golden.parquet", []string{"record_count"}, func(g group) error {
		for i := range g.rows {
			row := uint32(g.first + i)
			if _, err := r.parseID(m.Identities.At(row)); err != nil {
				return fmt.Errorf("golden.parquet: row %d: %w", row+1, err)
			}
			n := int64(0)
			if code := g.columns[0].code(i); code != noValue {
				n = int64(g.columns[0].words[code])
			}
			if n != counts[row] || n == 0 {
				return fmt.Errorf("golden.parquet: row %d: identity %s counts %d records, members.parquet has %d", row+1, m.Identities.At(row), n, counts[row])
			}
		}
		return nil
	})
}

// parseID reads an identity id as runs write it: in lower case, and issued by
// this run or one before.
func (r *Run) parseID(text string) (graph.IdentityID, error) {
	id, err := graph.ParseIdentityID(text)
	switch {
	case err != nil:
		return 0, err
	case !written(text):
		return 0, fmt.Errorf("identity id %q is not in the form that is written, %s", text, id)
	case id.Run() > r.Info.Number:
		return 0, fmt.Errorf("identity id %s was issued by run %d, and this is run %d", text, id.Run(), r.Info.Number)
	}
	return id, nil
}

// written reports whether an id is as runs write it, not only as people may: they
// may use capitals, and letters that look like digits.
func written(id string) bool {
	for _, c := range []byte(id) {
		if 'A' <= c && c <= 'Z' || c == 'o' || c == 'i' || c == 'l' {
			return false
		}
	}
	return true
}

// checkRecords: the records files hold the same records as members.parquet.
func (r *Run) checkRecords(m *Members) error {
	var bad []error
	for s, source := range m.Sources {
		bad = append(bad, r.groups(RecordsFile(source), []string{"record_id"}, func(g group) error {
			from, to := m.first[s]+uint32(g.first), m.first[s+1]
			for i := range g.rows {
				if rec := from + uint32(i); rec >= to || m.IDs.At(rec) != string(g.columns[0].text(i)) {
					return fmt.Errorf("%s: row %d: record %s is not the one of members.parquet", RecordsFile(source), g.first+i+1, g.columns[0].text(i))
				}
			}
			return nil
		}))
		if t, err := r.table(RecordsFile(source)); err == nil {
			if n := t.rows(); n != int64(m.first[s+1]-m.first[s]) {
				bad = append(bad, fmt.Errorf("%s: %d records, members.parquet has %d", RecordsFile(source), n, m.first[s+1]-m.first[s]))
			}
			bad = append(bad, t.close())
		}
	}
	return errors.Join(bad...)
}

// checkEdges: every edge is between two records, the first before the second,
// and comes once.
func (r *Run) checkEdges(m *Members) error {
	edges, err := r.scoredPairs(m)
	if err != nil {
		return err
	}
	for i, e := range edges {
		if e.A >= e.B {
			return fmt.Errorf("edges.parquet: row %d: %s does not come before %s", i+1, m.Key(e.A), m.Key(e.B))
		}
		if i > 0 && (e.A < edges[i-1].A || e.A == edges[i-1].A && e.B <= edges[i-1].B) {
			return fmt.Errorf("edges.parquet: row %d: out of order or there twice", i+1)
		}
	}
	return nil
}

// checkProvenance: a golden value comes from a record of its identity, and so do
// those that it won against; and the index says so too, unless x is nil.
func (r *Run) checkProvenance(m *Members, x *indexCheck) error {
	names := []string{"identity_id", "source", "record_id", "losing.list.element.source", "losing.list.element.record_id", "field", "rule"}
	return r.groups("provenance.parquet", names, func(g group) error {
		identity := m.identitiesOf(g.columns[0])
		winners, err := m.recordsOf(g.columns[1], g.columns[2], func(i int) uint32 { return identity[i] })
		if err != nil {
			return fmt.Errorf("provenance.parquet: %w", err)
		}
		starts := g.columns[4].starts
		losers, err := m.recordsOf(g.columns[3], g.columns[4], byRow(starts, identity))
		if err != nil {
			return fmt.Errorf("provenance.parquet: %w", err)
		}
		for i, id := range identity {
			row := g.first + i + 1
			if id >= unknown {
				return fmt.Errorf("provenance.parquet: row %d: identity_id %q is not in golden.parquet", row, g.columns[0].text(i))
			}
			if rec := winners[i]; rec >= unknown || m.Identity[rec] != id {
				return fmt.Errorf("provenance.parquet: row %d: the value's record is not of identity %s", row, m.Identities.At(id))
			}
			for _, rec := range losers[starts[i]:starts[i+1]] {
				if rec >= unknown || m.Identity[rec] != id {
					return fmt.Errorf("provenance.parquet: row %d: the record of a value that lost is not of identity %s", row, m.Identities.At(id))
				}
			}
		}
		if x == nil {
			return nil
		}
		return x.origins(identity, winners, g.columns[5], g.columns[6], g.first)
	})
}

// byRow returns a function that tells for each entry of a list, in order, what
// belongs to its row.
func byRow(starts, ofRow []uint32) func(entry int) uint32 {
	row := 0
	return func(entry int) uint32 {
		for starts[row+1] <= uint32(entry) {
			row++
		}
		return ofRow[row]
	}
}
