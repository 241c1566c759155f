package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// KeysError says that the keys are not those that the state was used with.
type KeysError struct {
	Version int64 // the key that is missing, or another than it was
	Why     string
}

// Error says what to do.
func (e *KeysError) Error() string {
	return fmt.Sprintf("the state needs key %d, and %s; restore the key file from a copy: without it those who were erased would come back, and what contact points have refused would be forgotten", e.Version, e.Why)
}

func (*KeysError) aboutState() {}

// ErrNoKeys is the error of what needs the keys of tombstones in a state that
// was opened without.
var ErrNoKeys error = &invalidError{errors.New("the key file is needed to erase, and to know again who was erased")}

// keyNeeded is whether the key of a row of state_keys is needed: there are
// tombstones of it, or consents of contact points, whose anchors are digests
// too and do not say of which key.
const keyNeeded = "(EXISTS (SELECT 1 FROM tombstones WHERE key_version = version) OR EXISTS (SELECT 1 FROM consents WHERE anchor >= 'contact:' AND anchor < 'contact;'))"

// KeysInUse returns the versions of the keys that the state needs.
func (s *Store) KeysInUse(ctx context.Context) ([]int64, error) {
	var versions []int64
	err := eachRow(ctx, s.read, func(rows *sql.Rows) error {
		var version int64
		err := rows.Scan(&version)
		versions = append(versions, version)
		return err
	}, "SELECT version FROM state_keys WHERE "+keyNeeded+" ORDER BY version")
	return versions, s.failed("reading tombstones from", err)
}

// useKeys looks whether keys are those of the state, and notes by what the
// newest is told from others.
func (s *Store) useKeys(ctx context.Context, k *Keys) error {
	noted, err := checkKeys(ctx, s.read, k)
	if noted || err != nil {
		return err
	}
	return s.transact(ctx, "opening", func(t *txn) error { return t.noteKey(k) })
}

// checkKeys returns a *KeysError where the state needs other keys, and else
// whether the newest is noted.
func checkKeys(ctx context.Context, db queryer, k *Keys) (noted bool, err error) {
	err = eachRow(ctx, db, func(rows *sql.Rows) error {
		var version int64
		var proof []byte
		var needed bool
		if err := rows.Scan(&version, &proof, &needed); err != nil {
			return err
		}
		why := k.lacks(version, proof)
		if why != "" && needed {
			return &KeysError{version, why}
		}
		noted = noted || why == "" && version == k.Newest()
		return nil
	}, "SELECT version, proof, "+keyNeeded+" FROM state_keys ORDER BY version")
	return noted, err
}

// lacks says why keys have not the one that a proof is of, "" if they have.
func (k *Keys) lacks(version int64, proof []byte) string {
	if k == nil {
		return "no key file was given"
	}
	for _, x := range k.list {
		if x.version != version {
			continue
		}
		if own := x.proof(); bytes.Equal(own[:], proof) {
			return ""
		}
		return fmt.Sprintf("the key file %s has another key of that number", k.path)
	}
	return fmt.Sprintf("the key file %s does not have it", k.path)
}

// noteKey notes by what the newest key is told from others.
func (t *txn) noteKey(k *Keys) error {
	noted, err := checkKeys(t.ctx, t.tx, k)
	if noted || err != nil {
		return err
	}
	newest := k.newest()
	proof := newest.proof()
	_, err = t.exec("INSERT INTO state_keys (version, proof, made) VALUES ($1, $2, $3) ON CONFLICT (version) DO UPDATE SET proof = excluded.proof, made = excluded.made",
		newest.version, proof[:], t.now.UnixMicro())
	return err
}

// TombstoneSet is the tombstones that hold, made to be asked millions of times:
// 32 bytes a tombstone. It does not change and may be used concurrently, each
// goroutine with a [Matcher] of its own.
type TombstoneSet struct {
	keys  *Keys
	kinds map[string][]versionSet
	n     int
}

// versionSet is the tombstones of one kind and key.
type versionSet struct {
	key     secretKey
	digests []KeyedDigest // in order
	// starts has for each value of the first two bytes where its digests begin.
	starts []uint32
}

// Tombstones reads the tombstones that hold. The error is a [*KeysError] where
// there are some and the state was not opened with their keys.
func (s *Store) Tombstones(ctx context.Context) (*TombstoneSet, error) {
	set := &TombstoneSet{keys: s.opt.Keys, kinds: make(map[string][]versionSet)}
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		if _, err := checkKeys(ctx, tx, s.opt.Keys); err != nil {
			return err
		}
		var last KeyedDigest
		return eachRow(ctx, tx, func(rows *sql.Rows) error {
			var kind string
			var version int64
			var digest sql.RawBytes
			if err := rows.Scan(&kind, &version, &digest); err != nil {
				return err
			}
			if len(digest) != len(last) {
				return fmt.Errorf("a tombstone has %d bytes, want %d", len(digest), len(last))
			}
			last = KeyedDigest(digest)
			set.add(kind, version, last)
			return nil
		}, "SELECT DISTINCT kind, key_version, digest FROM tombstones WHERE lifted IS NULL")
	})
	if err != nil {
		return nil, s.failed("reading tombstones from", err)
	}
	for _, versions := range set.kinds {
		for i := range versions {
			versions[i].sort()
			set.n += len(versions[i].digests)
		}
	}
	return set, nil
}

func (set *TombstoneSet) add(kind string, version int64, d KeyedDigest) {
	versions := set.kinds[kind]
	i := slices.IndexFunc(versions, func(v versionSet) bool { return v.key.version == version })
	if i < 0 {
		k := slices.IndexFunc(set.keys.list, func(x secretKey) bool { return x.version == version })
		i, versions = len(versions), append(versions, versionSet{key: set.keys.list[k]})
	}
	versions[i].digests = append(versions[i].digests, d)
	set.kinds[kind] = versions
}

func (v *versionSet) sort() {
	slices.SortFunc(v.digests, func(a, b KeyedDigest) int { return bytes.Compare(a[:], b[:]) })
	v.starts = make([]uint32, 1<<16+1)
	for _, d := range v.digests {
		v.starts[int(binary.BigEndian.Uint16(d[:]))+1]++
	}
	for i := range 1 << 16 {
		v.starts[i+1] += v.starts[i]
	}
}

func (v *versionSet) has(d KeyedDigest) bool {
	at := binary.BigEndian.Uint16(d[:])
	_, found := slices.BinarySearchFunc(v.digests[v.starts[at]:v.starts[int(at)+1]], d, func(a, b KeyedDigest) int { return bytes.Compare(a[:], b[:]) })
	return found
}

// Len returns how many tombstones there are.
func (set *TombstoneSet) Len() int { return set.n }

// Kinds returns the kinds of which there are tombstones, in order.
func (set *TombstoneSet) Kinds() []string {
	var kinds []string
	for kind := range set.kinds {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Matcher tells of the values of one kind whether they were erased. It
// allocates nothing, and is for one goroutine.
type Matcher struct {
	kind    string
	sets    []versionSet
	hashers []*Hasher
}

// Matcher returns a matcher for a kind. Where there are no tombstones of the
// kind, asking it costs nothing.
func (set *TombstoneSet) Matcher(kind string) *Matcher {
	m := &Matcher{kind: kind, sets: set.kinds[kind]}
	for i := range m.sets {
		m.hashers = append(m.hashers, m.sets[i].key.hasher())
	}
	return m
}

// Erased reports whether a value, in its normal form, has a tombstone that
// holds. It costs one digest for each key version of which the kind has any.
func (m *Matcher) Erased(value string) bool {
	for i := range m.sets {
		if m.sets[i].has(m.hashers[i].Digest(m.kind, value)) {
			return true
		}
	}
	return false
}

// Mark is a value, in its normal form, by which somebody is known again.
type Mark struct{ Kind, Value string }

// KindRecord is the kind of marks that are keys of source records,
// source:record_id. The other kinds are the caller's, such as email, phone and
// national_id.
const KindRecord = "record"

// Lift ends the tombstones of marks, because the person has come back by an
// act of their own, and returns how many. by says how the person was known.
func (s *Store) Lift(ctx context.Context, marks []Mark, by string, feed ...FeedEvent) (lifted int64, err error) {
	k := s.opt.Keys
	if k == nil {
		return 0, ErrNoKeys
	}
	if by == "" || checkText("name", by) != nil {
		return 0, &invalidError{errors.New("want by whose act the tombstones are lifted")}
	}
	if err := cmp.Or(checkMarks(marks), checkFeed(feed)); err != nil {
		return 0, err
	}
	err = s.transact(ctx, "lifting tombstones in", func(t *txn) error {
		if _, err := checkKeys(t.ctx, t.tx, k); err != nil {
			return err
		}
		lifted = 0
		for _, h := range k.Hashers() {
			for _, m := range marks {
				d := h.Digest(m.Kind, m.Value)
				n, err := t.exec("UPDATE tombstones SET lifted = $1, lifted_by = $2 WHERE kind = $3 AND digest = $4 AND key_version = $5 AND lifted IS NULL",
					t.now.UnixMicro(), by, m.Kind, d[:], h.version)
				if err != nil {
					return err
				}
				lifted += n
			}
		}
		if lifted == 0 {
			return nil
		}
		if _, err := t.take(headErasures, 1); err != nil {
			return err
		}
		_, err := t.appendFeed(feed)
		return err
	})
	return lifted, err
}

// SweepTombstones removes the tombstones that were made before a time and
// returns how many.
func (s *Store) SweepTombstones(ctx context.Context, before time.Time) (removed int64, err error) {
	err = s.transact(ctx, "sweeping tombstones of", func(t *txn) error {
		if removed, err = t.exec("DELETE FROM tombstones WHERE made < $1", before.UnixMicro()); err != nil || removed == 0 {
			return err
		}
		_, err := t.take(headErasures, 1)
		return err
	})
	return removed, err
}
