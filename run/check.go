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
	"strings"
)

// Check verifies the run directory and returns everything that is wrong with
// it: first that the files are those of run.json, byte for byte; if so, that
// they agree with each other and with its counts, that every record is in
// exactly one identity, and that nothing names a record or an identity that is
// not there.
func (r *Run) Check() error {
	if err := errors.Join(r.checkFiles(), r.checkStrangers()); err != nil {
		return err
	}
	if err := r.checkRows(); err != nil {
		return err
	}
	m, err := r.Members()
	if err != nil {
		return err
	}
	return errors.Join(
		r.checkMembers(m),
		r.checkGolden(m),
		r.checkRecords(m),
		r.checkEdges(m),
		r.checkProvenance(m),
		r.checkEvents(m),
	)
}

// checkFiles compares sizes and hashes with run.json.
func (r *Run) checkFiles() error {
	var bad []error
	for _, want := range r.Info.Files {
		if !filepath.IsLocal(filepath.FromSlash(want.Name)) {
			bad = append(bad, fmt.Errorf("%s: names a file outside the run: %s", infoName, want.Name))
			continue
		}
		size, sum, err := hashFile(r.File(want.Name))
		switch {
		case err != nil:
			bad = append(bad, err)
		case size != want.Bytes:
			bad = append(bad, fmt.Errorf("%s: %d bytes, %d were written", want.Name, size, want.Bytes))
		case sum != want.SHA256:
			bad = append(bad, fmt.Errorf("%s: its bytes are not those that were written (SHA-256 differs)", want.Name))
		}
	}
	return errors.Join(bad...)
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

func hashFile(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return n, hex.EncodeToString(h.Sum(nil)), err
}

// checkRows compares the tables' row numbers with run.json.
func (r *Run) checkRows() error {
	var bad []error
	c := r.Info.Counts
	counted := map[string]int64{
		"members.parquet": c.Records, "golden.parquet": c.Identities, "edges.parquet": c.Edges,
		"events.parquet": c.Events, "aliases.parquet": c.Aliases,
	}
	for _, f := range r.Info.Files {
		if !strings.HasSuffix(f.Name, ".parquet") {
			continue
		}
		p, closeFile, err := r.open(f.Name)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		rows := p.NumRows()
		bad = append(bad, closeFile())
		if rows != f.Rows {
			bad = append(bad, fmt.Errorf("%s: %d rows, run.json says %d", f.Name, rows, f.Rows))
		}
		if want, ok := counted[f.Name]; ok && rows != want {
			bad = append(bad, fmt.Errorf("%s: %d rows, the counts of run.json say %d", f.Name, rows, want))
		}
	}
	return errors.Join(bad...)
}

// checkMembers: keys ascend, so that none comes twice, and the record that a
// record was joined by is of the same identity.
func (r *Run) checkMembers(m *Members) error {
	for i := 1; i < m.Len(); i++ {
		if a, b := m.Key(uint32(i-1)), m.Key(uint32(i)); a.Compare(b) >= 0 {
			return fmt.Errorf("members.parquet: row %d: %s does not come before %s", i, a, b)
		}
	}
	joined, err := r.records(m, "members.parquet", "joined_by_source", "joined_by_record_id")
	if err != nil {
		return err
	}
	for i, j := range joined {
		if j != NoRecord && m.Identity[i] != m.Identity[j] {
			return fmt.Errorf("members.parquet: row %d: %s is joined by %s of another identity", i+1, m.Key(uint32(i)), m.Key(j))
		}
	}
	return nil
}

// checkGolden: no identity comes twice, and each counts its records right.
func (r *Run) checkGolden(m *Members) error {
	counts := make([]float64, m.Identities.Len())
	for _, id := range m.Identity {
		counts[id]++
	}
	claimed, err := r.numbers("golden.parquet", "record_count")
	if err != nil {
		return err
	}
	if len(claimed) != len(counts) {
		return fmt.Errorf("golden.parquet: columns of different length")
	}
	seen := make(map[string]bool, len(claimed))
	for i, n := range claimed {
		id := m.Identities.At(uint32(i))
		if seen[id] {
			return fmt.Errorf("golden.parquet: row %d: identity %s is there twice", i+1, id)
		}
		seen[id] = true
		if n != counts[i] || n == 0 {
			return fmt.Errorf("golden.parquet: row %d: identity %s counts %v records, members.parquet has %v", i+1, id, n, counts[i])
		}
	}
	return nil
}

// checkRecords: the records files hold the same records as members.parquet.
func (r *Run) checkRecords(m *Members) error {
	for s, source := range m.Sources {
		ids, err := r.text(RecordsFile(source), "record_id")
		if err != nil {
			return err
		}
		from, to := m.first[s], m.first[s+1]
		if len(ids.codes) != int(to-from) {
			return fmt.Errorf("%s: %d records, members.parquet has %d", RecordsFile(source), len(ids.codes), to-from)
		}
		for i, code := range ids.codes {
			if want := m.IDs.At(from + uint32(i)); ids.texts[code] != want {
				return fmt.Errorf("%s: row %d: record %s, members.parquet has %s", RecordsFile(source), i+1, ids.texts[code], want)
			}
		}
	}
	return nil
}

// checkEdges: every edge is between two records, the first before the second,
// and comes once.
func (r *Run) checkEdges(m *Members) error {
	edges, _, err := r.Edges(m)
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

// checkProvenance: a golden value comes from a record of its identity.
func (r *Run) checkProvenance(m *Members) error {
	golden, err := r.text("golden.parquet", "identity_id")
	if err != nil {
		return err
	}
	id, err := r.text("provenance.parquet", "identity_id")
	if err != nil {
		return err
	}
	identity, err := id.in(golden, "identity_id of provenance.parquet", "golden.parquet")
	if err != nil {
		return err
	}
	from, err := r.records(m, "provenance.parquet", "source", "record_id")
	if err != nil {
		return err
	}
	if len(from) != len(identity) {
		return fmt.Errorf("provenance.parquet: columns of different length")
	}
	for i, rec := range from {
		if rec == NoRecord || m.Identity[rec] != identity[i] {
			return fmt.Errorf("provenance.parquet: row %d: the value's record is not of identity %s", i+1, m.Identities.At(identity[i]))
		}
	}
	_, err = r.records(m, "provenance.parquet", "losing.list.element.source", "losing.list.element.record_id")
	return err
}

// checkEvents: events and aliases name identities and records that are there.
func (r *Run) checkEvents(m *Members) error {
	golden, err := r.text("golden.parquet", "identity_id")
	if err != nil {
		return err
	}
	for _, c := range [][2]string{{"events.parquet", "identity_id"}, {"aliases.parquet", "surviving_identity_id"}} {
		ids, err := r.text(c[0], c[1])
		if err != nil {
			return err
		}
		if _, err := ids.in(golden, c[1]+" of "+c[0], "golden.parquet"); err != nil {
			return err
		}
	}
	_, err = r.records(m, "events.parquet", "records.list.element.source", "records.list.element.record_id")
	return err
}
