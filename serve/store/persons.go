package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// persons are the persons of a job as the access log keeps them: the ids, in
// order, in parts.
//
// A part has a key, and all ids of the job that begin with it are in it and in no
// other. Whoever looks for an id therefore looks for the rows of few keys, those
// that the id begins with, in all jobs at once. A job with few persons has a part
// for each, whose key is the whole id: there are many such jobs, and those of
// others need not be read. One with many has parts as large as maxPart allows:
// its ids are parted by the first byte in which they differ, and again, until
// they are few enough.
type persons struct {
	hash  [32]byte // of the ids, see Access
	n     int64
	parts []part // in the order of their keys, which is that of the ids
}

// part is what a row of access_persons has. ids is empty if the key is the one
// id. Otherwise it says what follows the key in each. If that is n ≤ 12 digits of
// the alphabet of identity ids, it is n in a byte, the first as a number and then
// the differences, as varints: 4 bytes an id if a million persons are in a job.
// Otherwise it is a zero byte and then, of each, how much it begins as the one
// before does, the length of what follows and that.
type part struct{ key, ids []byte }

const (
	fewPersons = 1024 // a job up to that has a part for each
	maxPart    = 4096 // ids
	maxPrefix  = 32   // bytes of a key that is not a whole id: ids that begin alike so far are in one part
	maxDigits  = 12   // 60 bits
)

// digits are those of identity ids, in their order (Crockford's base 32).
const digits = "0123456789abcdefghjkmnpqrstvwxyz"

var digitOf = func() (of [256]uint8) {
	for i := range of {
		of[i] = uint8(max(strings.IndexByte(digits, byte(i)), -1)) // 255 = none
	}
	return of
}()

// newPersons makes the persons of a job out of ids in any order; nil of none.
func newPersons(ids []string) (*persons, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	for i, id := range ids {
		if id == "" || checkText("identity", id) != nil {
			return nil, errors.New("want ids of identities in UTF-8 without NUL")
		}
		if i > 0 && ids[i-1] >= id {
			// From here on they are in order.
			ids = slices.Compact(slices.Sorted(slices.Values(ids)))
			return newPersons(ids)
		}
	}
	p := &persons{n: int64(len(ids))}
	h := sha256.New()
	var buf []byte
	for _, id := range ids {
		if buf = append(append(buf, id...), 0); len(buf) > 1<<15 {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	h.Write(buf)
	h.Sum(p.hash[:0])
	if len(ids) > fewPersons {
		p.split(ids)
		return p, nil
	}
	for _, id := range ids {
		p.parts = append(p.parts, part{[]byte(id), []byte{}})
	}
	return p, nil
}

// split makes parts out of ids.
func (p *persons) split(ids []string) {
	first, last := ids[0], ids[len(ids)-1]
	if len(ids) == 1 {
		p.parts = append(p.parts, part{[]byte(first), []byte{}})
		return
	}
	same := 0 // in sorted ids, what the first and the last have in common all have
	for same < min(len(first), len(last), maxPrefix) && first[same] == last[same] {
		same++
	}
	if len(ids) <= maxPart || same == maxPrefix {
		p.parts = append(p.parts, part{[]byte(first[:same]), codeIDs(same, ids)})
		return
	}
	for len(ids) > 0 {
		n := 1 // an id that ends here is a part of its own
		if len(ids[0]) > same {
			n = sort.Search(len(ids), func(i int) bool { return ids[i][same] > ids[0][same] })
		}
		p.split(ids[:n])
		ids = ids[n:]
	}
}

// codeIDs codes what follows the first same bytes of ids.
func codeIDs(same int, ids []string) []byte {
	if n := len(ids[0]) - same; n > 0 && n <= maxDigits {
		if b, ok := codeNumbers(same, n, ids); ok {
			return b
		}
	}
	b := []byte{0}
	before := ""
	for _, id := range ids {
		id = id[same:]
		k := 0
		for k < min(len(id), len(before)) && id[k] == before[k] {
			k++
		}
		b = binary.AppendUvarint(b, uint64(k))
		b = binary.AppendUvarint(b, uint64(len(id)-k))
		b, before = append(b, id[k:]...), id
	}
	return b
}

// codeNumbers is codeIDs for those that end in n digits, false if not all do.
func codeNumbers(same, n int, ids []string) ([]byte, bool) {
	b := append(make([]byte, 0, 8+5*len(ids)), byte(n))
	before := uint64(0)
	for _, id := range ids {
		if len(id) != same+n {
			return nil, false
		}
		v := uint64(0)
		for i := range n {
			d := digitOf[id[same+i]]
			if d > 31 {
				return nil, false
			}
			v = v<<5 | uint64(d)
		}
		b, before = binary.AppendUvarint(b, v-before), v
	}
	return b, true
}

// errPart says that a part is none that anybody appended.
var errPart = errors.New("a part of them cannot be read")

// each calls do with the ids of a part in their order, until it returns false.
// The bytes are those of the next id afterwards.
func (p *part) each(do func(id []byte) bool) error {
	id := slices.Clone(p.key)
	if len(p.ids) == 0 {
		do(id)
		return nil
	}
	if len(p.key) > maxPrefix {
		return errPart // nobody would look for it
	}
	same, n, rest := len(p.key), int(p.ids[0]), p.ids[1:]
	if n == 0 {
		return eachText(id, rest, do)
	}
	if n > maxDigits {
		return errPart
	}
	id = append(id, make([]byte, n)...)
	v := uint64(0)
	for len(rest) > 0 {
		more, size := binary.Uvarint(rest)
		if v += more; size <= 0 || v>>(5*n) > 0 {
			return errPart
		}
		rest = rest[size:]
		for i, left := same+n-1, v; i >= same; i, left = i-1, left>>5 {
			id[i] = digits[left&31]
		}
		if !do(id) {
			return nil
		}
	}
	return nil
}

// eachText is each for what is not numbers. key has room for no more.
func eachText(key, rest []byte, do func(id []byte) bool) error {
	id, same := key, len(key)
	for len(rest) > 0 {
		k, size := binary.Uvarint(rest)
		if size <= 0 || k > uint64(len(id)-same) {
			return errPart
		}
		n, size2 := binary.Uvarint(rest[size:])
		if rest = rest[size+max(size2, 0):]; size2 <= 0 || n > uint64(len(rest)) {
			return errPart
		}
		id, rest = append(id[:same+int(k)], rest[:n]...), rest[n:]
		if !do(id) {
			return nil
		}
	}
	return nil
}

// hasAny reports whether one of ids is in a part.
func (p *part) hasAny(ids []string) (found bool, err error) {
	if len(p.ids) == 0 {
		return slices.Contains(ids, string(p.key)), nil
	}
	var near []string
	for _, id := range ids {
		if strings.HasPrefix(id, string(p.key)) {
			near = append(near, id)
		}
	}
	err = p.each(func(id []byte) bool {
		for _, want := range near {
			found = found || want == string(id)
		}
		return !found
	})
	return found, err
}

// keysOfIDs are the keys of all parts in which ids can be.
func keysOfIDs(ids []string) [][]byte {
	var keys [][]byte
	for _, id := range ids {
		for n := range min(len(id), maxPrefix) + 1 {
			keys = append(keys, []byte(id[:n]))
		}
		keys = append(keys, []byte(id))
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal)
}

// appendPersons appends the persons of a row.
func (t *txn) appendPersons(access int64, p *persons) error {
	return t.insert("access_persons", "access, key, ids", "", len(p.parts), func(i int, args []any) []any {
		return append(args, access, p.parts[i].key, p.parts[i].ids)
	})
}

// jobsAtOnce is how many parts are read at a time, of which some may turn out
// not to have whom they were read for.
const jobsAtOnce = 256

// jobsSQL finds the parts of n keys, before a row, with their rows: $1 is the
// row, $2 how many. It leads PostgreSQL to the index of the keys: it would go back
// through the parts of all jobs.
func jobsSQL(n int) string {
	var b strings.Builder
	b.WriteString("SELECT " + accessColumns + ", p.key, p.ids FROM (SELECT access, key FROM access_persons WHERE key IN (")
	writeParameters(&b, 3, n)
	b.WriteString(") AND access < $1 ORDER BY +access DESC LIMIT $2) AS c JOIN access_persons AS p ON p.access = c.access AND p.key = c.key" +
		" JOIN access_log ON id = c.access ORDER BY c.access DESC")
	return b.String()
}

// jobsOf returns the rows of jobs in which one of some identities is, the newest
// first: those before a row, and at most limit.
func jobsOf(ctx context.Context, db queryer, ids []string, before int64, limit int) ([]Access, error) {
	keys := keysOfIDs(ids)
	query, size := jobsSQL(len(keys)), jobsAtOnce+len(keys)
	args := []any{before, int64(size)}
	for _, key := range keys {
		args = append(args, key)
	}
	var list []Access
	for {
		read, last := 0, int64(0)
		err := eachRow(ctx, db, func(rows *sql.Rows) error {
			var p part
			a, err := scanAccess(rows, &p.key, &p.ids)
			if err != nil {
				return err
			}
			read, last = read+1, a.ID
			if n := len(list); n == limit || n > 0 && list[n-1].ID == a.ID {
				return nil
			}
			found, err := p.hasAny(ids)
			if err != nil {
				return fmt.Errorf("the persons of row %d: %w; let sama audit verify look at it", a.ID, err)
			}
			if found {
				list = append(list, a.Access)
			}
			return nil
		}, query, args...)
		if err != nil || read < size || len(list) == limit {
			return list, err
		}
		// A row may have more parts than were read: those of it are read again, which
		// are not more than there are keys.
		args[0] = last + 1
	}
}

// keptPersons are the persons of a row as they are found.
type keptPersons struct {
	hash [32]byte
	err  error
}

// personsBetween computes the hashes of the persons of the rows after one and up
// to another.
func personsBetween(ctx context.Context, db queryer, after, upTo int64) (map[int64]keptPersons, error) {
	all := make(map[int64]keptPersons)
	h := sha256.New()
	var row int64
	var bad error
	var buf []byte
	end := func() {
		if row != 0 {
			k := keptPersons{err: bad}
			h.Sum(k.hash[:0])
			all[row] = k
		}
		h.Reset()
		bad = nil
	}
	err := eachRow(ctx, db, func(rows *sql.Rows) error {
		var access int64
		var key, ids sql.RawBytes
		if err := rows.Scan(&access, &key, &ids); err != nil {
			return err
		}
		if access != row {
			end()
			row = access
		}
		p := part{key, ids}
		buf = buf[:0]
		if err := p.each(func(id []byte) bool { buf = append(append(buf, id...), 0); return true }); err != nil {
			bad = err
		}
		h.Write(buf)
		return nil
	}, "SELECT access, key, ids FROM access_persons WHERE access > $1 AND access <= $2 ORDER BY access, key", after, upTo)
	end()
	return all, err
}

// sweptParts is how many parts are removed while other writers wait.
const sweptParts = 256

const sweepParts = "DELETE FROM access_persons WHERE (access, key) IN (SELECT access, key FROM access_persons WHERE access <= $1 ORDER BY access, key LIMIT $2)"

// sweepPersons removes the persons of rows up to one, in several transactions,
// between which others write.
func (s *Store) sweepPersons(ctx context.Context, upTo int64) error {
	for n := int64(sweptParts); n == sweptParts; {
		err := s.transact(ctx, "sweeping the access log of", func(t *txn) (err error) {
			n, err = t.exec(sweepParts, upTo, int64(sweptParts))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
