package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Access is one row of the access log: what left, to whom, for what.
//
// Rows are chained. The hash of a row is the SHA-256 of the hash of the row
// before, 32 zero bytes for the first, and the row's own bytes: ID, At in
// microseconds since 1970 and Persons, each in 8 bytes, most significant first;
// then Client, Staff, Purpose, Identity, Job, Fields joined by commas, What and
// Basis, each behind its length in 8 bytes. If there are Identities, the SHA-256
// of those follows, in the order of their bytes, each once and with a zero byte
// behind it; of a row without, nothing does. The hash of the last row therefore
// stands for all: kept somewhere else, see [Store.AccessHead], it shows later,
// by [Store.VerifyAccess], whether any was changed, removed or slipped in.
type Access struct {
	ID       int64 // from 1, without gaps, in the order of the commits; 0 = not appended
	At       time.Time
	Client   string   // the application
	Staff    string   // the pseudonym of the person at it, "" if none
	Purpose  string   // the purpose that was named
	Identity string   // whose data, "" for a job about many
	Job      string   // the job, "" for a single read
	Fields   []string // what left, by the names of the fields
	What     string   // what was done, a lower-case word
	Basis    string   // why it was allowed: a reason code, and the consent event that decided
	Persons  int64    // how many persons a job was about; 0 of a single read

	// Identities are the ids of the persons that a job was about, in any order;
	// Persons is set to their number. They are not returned: [Store.AccessOf] finds
	// the row by each of them.
	Identities []string

	Hash [32]byte // set by AppendAccess
}

const accessColumns = "id, at, client, staff, purpose, identity, job, fields, what, basis, persons, hash, persons_hash"

// sweptRow is What of the row by which the log says that older rows were
// removed. It is the state's own.
const sweptRow = "swept"

// AppendAccess appends rows, all or none. When it returns they are on disk, and
// what they tell of may leave. Calls of several callers share a transaction.
func (s *Store) AppendAccess(ctx context.Context, rows []Access) error {
	if len(rows) == 0 {
		return nil
	}
	list := make([]appending, len(rows))
	for i, a := range rows {
		err := a.check()
		if err == nil {
			// It takes time, in which others may write.
			list[i].persons, err = newPersons(a.Identities)
		}
		if err != nil {
			return &invalidError{fmt.Errorf("access %d: %w", i+1, err)}
		}
		if list[i].Access = a; list[i].persons != nil {
			list[i].Persons, list[i].Identities = list[i].persons.n, nil
		}
	}
	return s.join(ctx, &call{doing: "appending to the access log of", rows: list})
}

// appending is a row that was checked, with its persons as they will be kept.
type appending struct {
	Access
	persons *persons // nil if it names none
}

func (a *Access) check() error {
	var errs []error
	if a.Client == "" {
		errs = append(errs, errors.New("want a client"))
	}
	if !isWord(a.What) || a.What == sweptRow {
		errs = append(errs, fmt.Errorf("want what was done as a word of lower-case letters, digits, - and _, and not %s", sweptRow))
	}
	if a.Identity != "" && len(a.Identities) > 0 {
		errs = append(errs, errors.New("want an identity or those of a job"))
	}
	for _, field := range a.Fields {
		if field == "" || strings.Contains(field, ",") {
			errs = append(errs, fmt.Errorf("field %q: want a name without a comma", field))
		}
	}
	for _, x := range [...]struct{ name, text string }{{"client", a.Client}, {"staff", a.Staff}, {"purpose", a.Purpose}, {"identity", a.Identity},
		{"job", a.Job}, {"fields", strings.Join(a.Fields, ",")}, {"basis", a.Basis}} {
		if checkText(x.name, x.text) != nil {
			errs = append(errs, fmt.Errorf("want %s in UTF-8 without NUL", x.name))
		}
	}
	return errors.Join(errs...)
}

// chain computes the hashes of rows.
type chain struct {
	id   int64
	hash [32]byte
	buf  []byte
}

// add returns the hash of the row after, which is that of the chain from then
// on. persons is the hash of its persons, nil if it names none.
func (c *chain) add(a *Access, fields string, persons []byte) [32]byte {
	b := append(c.buf[:0], c.hash[:]...)
	for _, n := range [...]int64{a.ID, a.At.UnixMicro(), a.Persons} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, text := range [...]string{a.Client, a.Staff, a.Purpose, a.Identity, a.Job, fields, a.What, a.Basis} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(text)))
		b = append(b, text...)
	}
	b = append(b, persons...)
	c.buf, c.id, c.hash = b, a.ID, sha256.Sum256(b)
	return c.hash
}

// appendAccess appends rows that were checked and returns the head.
func (t *txn) appendAccess(rows []appending) (AccessHead, error) {
	before, err := accessHead(t.ctx, t.tx)
	if err != nil {
		return AccessHead{}, err
	}
	first, err := t.take(headAccess, len(rows))
	if err != nil {
		return AccessHead{}, err
	}
	if first != before.ID+1 {
		return AccessHead{}, fmt.Errorf("the access log ends at row %d and the next would be %d; let sama audit verify look at it", before.ID, first)
	}
	c := chain{id: before.ID, hash: before.Hash}
	err = t.insert("access_log", accessColumns, "", len(rows), func(i int, args []any) []any {
		a := rows[i]
		a.ID, a.At = first+int64(i), keptOrZero(a.At)
		if a.At.IsZero() {
			a.At = t.now
		}
		fields := strings.Join(a.Fields, ",")
		var persons []byte
		var column any
		if a.persons != nil {
			persons = a.persons.hash[:]
			column = persons
		}
		hash := c.add(&a.Access, fields, persons)
		return append(args, a.ID, a.At.UnixMicro(), a.Client, a.Staff, a.Purpose, a.Identity, a.Job, fields, a.What, a.Basis, a.Persons, hash[:], column)
	})
	if err != nil {
		return AccessHead{}, err
	}
	for i := range rows {
		if p := rows[i].persons; p != nil {
			if err := t.appendPersons(first+int64(i), p); err != nil {
				return AccessHead{}, err
			}
		}
	}
	_, err = t.exec("INSERT INTO access_head (one, id, hash) VALUES (1, $1, $2) ON CONFLICT (one) DO UPDATE SET id = excluded.id, hash = excluded.hash", c.id, c.hash[:])
	return AccessHead{c.id, c.hash}, err
}

// AccessHead is the last row of the access log. Kept where who can change the
// state cannot change it, it shows later whether the log up to it is whole.
type AccessHead struct {
	ID   int64 // 0 = the log is empty
	Hash [32]byte
}

// AccessHead returns the last row of the access log.
func (s *Store) AccessHead(ctx context.Context) (AccessHead, error) {
	h, err := accessHead(ctx, s.read)
	return h, s.failed("reading the access log of", err)
}

func accessHead(ctx context.Context, db queryer) (AccessHead, error) {
	var h AccessHead
	var hash []byte
	err := db.QueryRowContext(ctx, "SELECT id, hash FROM access_head").Scan(&h.ID, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	return h, copyHash(&h.Hash, hash)
}

func copyHash(to *[32]byte, hash []byte) error {
	if len(hash) != len(to) {
		return fmt.Errorf("a hash has %d bytes, want %d", len(hash), len(to))
	}
	copy(to[:], hash)
	return nil
}

// AccessOf returns the rows about identities, of single reads and of jobs, the
// newest first: those with ids below before, all if it is 0, and at most limit.
func (s *Store) AccessOf(ctx context.Context, identities []string, before int64, limit int) ([]Access, error) {
	identities = slices.DeleteFunc(slices.Clone(identities), func(id string) bool { return id == "" })
	if len(identities) == 0 || limit < 1 {
		return nil, nil
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	var list []Access
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		single, err := readsOf(ctx, tx, identities, before, limit)
		if err != nil {
			return err
		}
		jobs, err := jobsOf(ctx, tx, identities, before, limit)
		list = append(single, jobs...)
		return err
	})
	if err != nil {
		return nil, s.failed("reading the access log of", err)
	}
	slices.SortFunc(list, func(a, b Access) int { return cmp.Compare(b.ID, a.ID) })
	return list[:min(limit, len(list))], nil
}

// readsSQL finds the rows of single reads of n identities: $1 is before which
// row, $2 how many.
func readsSQL(n int) string {
	var b strings.Builder
	b.WriteString("SELECT " + accessColumns + " FROM access_log WHERE identity <> '' AND identity IN (")
	writeParameters(&b, 3, n)
	b.WriteString(") AND id < $1 ORDER BY id DESC LIMIT $2")
	return b.String()
}

func readsOf(ctx context.Context, db queryer, identities []string, before int64, limit int) ([]Access, error) {
	args := []any{before, int64(limit)}
	for _, id := range identities {
		args = append(args, id)
	}
	var list []Access
	err := eachRow(ctx, db, func(rows *sql.Rows) error {
		a, err := scanAccess(rows)
		list = append(list, a.Access)
		return err
	}, readsSQL(len(identities)), args...)
	return list, err
}

// keptAccess is a row as it is kept.
type keptAccess struct {
	Access
	fields  string
	persons []byte // the hash of its persons, nil if it names none
}

// scanAccess returns a row, and the columns that follow its own.
func scanAccess(rows *sql.Rows, more ...any) (keptAccess, error) {
	var a keptAccess
	var at sql.NullInt64
	var hash sql.RawBytes
	into := append([]any{&a.ID, &at, &a.Client, &a.Staff, &a.Purpose, &a.Identity, &a.Job, &a.fields, &a.What, &a.Basis, &a.Persons, &hash, &a.persons}, more...)
	if err := rows.Scan(into...); err != nil {
		return a, err
	}
	a.At = ofMicros(at)
	if a.fields != "" {
		a.Fields = strings.Split(a.fields, ",")
	}
	return a, copyHash(&a.Hash, hash)
}
