package measure

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"

	"sama/graph/quality"
	"sama/record"
)

// Truth is who is who: a person for every record key.
type Truth struct {
	keys   []record.Key // in the order of the file
	person map[record.Key]string
	silos  bool // keys have a source; otherwise record ids are unique without
}

// ReadTruth reads truth.parquet: record_id, the person as entity_id or person_id,
// and the source as silo or source where the file has one.
func ReadTruth(path string) (*Truth, error) {
	f, err := readFrame(path)
	if err != nil {
		return nil, err
	}
	id, person, source := f.column("record_id"), f.column("entity_id", "person_id"), f.column("silo", "source")
	if id < 0 || person < 0 {
		return nil, fmt.Errorf("%s: columns are %v; want record_id and entity_id or person_id", path, f.names)
	}
	t := &Truth{person: make(map[record.Key]string, len(f.rows)), silos: source >= 0}
	for i := range f.rows {
		k := record.Key{ID: f.text(i, id)}
		if t.silos {
			k.Source = f.text(i, source)
		}
		if k.ID == "" || f.text(i, person) == "" {
			return nil, fmt.Errorf("%s: row %d has no record id or no person", path, i+1)
		}
		if _, twice := t.person[k]; twice {
			return nil, fmt.Errorf("%s: row %d: record %s stands there twice", path, i+1, k)
		}
		t.person[k] = f.text(i, person)
		t.keys = append(t.keys, k)
	}
	return t, nil
}

// Len returns the number of records.
func (t *Truth) Len() int { return len(t.keys) }

// Score is how right a run was.
type Score struct {
	quality.Evaluation
	Missing int // records of the truth that the run does not know: each stands alone
}

// Score compares the members.parquet of a run directory with the truth. A record
// that the truth does not know is an error: it was named by another column than
// record_id, and nothing could be told.
func (t *Truth) Score(runDir string) (Score, error) {
	members, err := readMembers(filepath.Join(runDir, "members.parquet"))
	if err != nil {
		return Score{}, err
	}
	found := make([]uint32, 0, len(t.keys))
	truth := make([]uint32, 0, len(t.keys))
	identities, persons := make(labels), make(labels)
	seen := make(map[record.Key]bool, len(members))
	for _, m := range members {
		k := record.Key{ID: m.RecordID}
		if t.silos {
			k.Source = m.Source
		}
		person, ok := t.person[k]
		if !ok {
			return Score{}, fmt.Errorf("%s: the truth does not know record %s:%s", runDir, m.Source, m.RecordID)
		}
		if seen[k] {
			return Score{}, fmt.Errorf("%s: record %s:%s stands there twice", runDir, m.Source, m.RecordID)
		}
		seen[k] = true
		found, truth = append(found, identities.of(m.IdentityID)), append(truth, persons.of(person))
	}
	s := Score{Missing: len(t.keys) - len(seen)}
	alone := uint32(len(identities))
	for _, k := range t.keys {
		if !seen[k] {
			alone++
			found, truth = append(found, alone), append(truth, persons.of(t.person[k]))
		}
	}
	s.Evaluation = quality.Evaluate(found, truth)
	return s, nil
}

// labels numbers texts from 1.
type labels map[string]uint32

func (l labels) of(text string) uint32 {
	n, ok := l[text]
	if !ok {
		n = uint32(len(l) + 1)
		l[text] = n
	}
	return n
}

type memberRow struct {
	Source     string `parquet:"source"`
	RecordID   string `parquet:"record_id"`
	IdentityID string `parquet:"identity_id"`
}

func readMembers(path string) ([]memberRow, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	rows, err := parquet.ReadFile[memberRow](path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}
