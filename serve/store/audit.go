package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Verified says what a verification of the access log looked at.
type Verified struct {
	First, Last int64 // ids; 0, 0 = the log is empty
	Rows        int64
	Checkpoint  Checkpoint // ID 0 = no rows were ever removed
	Head        AccessHead
}

// Checkpoint is where the rows of the access log up to ID were removed.
type Checkpoint struct {
	ID      int64    // of the last row that was removed
	Hash    [32]byte // of that row
	At      time.Time
	By      string // who removed them
	Removed int64  // how many with this sweep
}

// basis is what the log itself says of a checkpoint.
func (c *Checkpoint) basis() string {
	return fmt.Sprintf("rows up to %d, hash %s", c.ID, hex.EncodeToString(c.Hash[:]))
}

// BrokenError says where the chain of the access log does not hold.
type BrokenError struct {
	ID  int64 // the first row that is not as it was appended, or missing
	Why string
}

// Error says what to do.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("the access log does not hold at row %d: %s; the hashes of the rows before it hold; compare it with a backup", e.ID, e.Why)
}

func (*BrokenError) aboutState() {}

// VerifyAccess reads the whole access log and computes its hashes anew. The
// error is a [*BrokenError] with the first row that was changed, removed or
// slipped in, or whose persons were. It takes little memory, however long the log.
//
// Who can write to the state can also write the whole log anew, with hashes that
// hold. That shows only by heads that were kept elsewhere: the row of each has to
// be what it was then. One of a row that was swept since cannot be compared, and
// is refused.
func (s *Store) VerifyAccess(ctx context.Context, kept ...AccessHead) (Verified, error) {
	var v Verified
	err := s.snapshot(ctx, func(tx *sql.Tx) (err error) {
		if v.Head, err = accessHead(ctx, tx); err != nil {
			return err
		}
		v, err = verify(ctx, tx, v.Head, kept...)
		return err
	})
	return v, s.failed("verifying the access log of", err)
}

// verify goes through the rows up to a head.
func verify(ctx context.Context, db queryer, head AccessHead, kept ...AccessHead) (Verified, error) {
	v := Verified{Head: head}
	var err error
	if v.Checkpoint, err = lastCheckpoint(ctx, db); err != nil {
		return v, err
	}
	c := chain{id: v.Checkpoint.ID, hash: v.Checkpoint.Hash}
	if err := c.compare(kept); err != nil {
		return v, err
	}
	signed := v.Checkpoint.ID == 0
	for from := v.Checkpoint.ID; from < head.ID && err == nil; from += verifiedAtOnce {
		upTo := min(from+verifiedAtOnce, head.ID)
		persons, err2 := personsBetween(ctx, db, from, upTo)
		if err2 != nil {
			return v, err2
		}
		err = eachRow(ctx, db, func(rows *sql.Rows) error {
			a, err := scanAccess(rows)
			if err != nil {
				return err
			}
			if err := c.follow(&a, persons); err != nil {
				return err
			}
			if a.What == sweptRow && a.Basis == v.Checkpoint.basis() {
				signed = true
			}
			if v.Rows++; v.First == 0 {
				v.First = a.ID
			}
			v.Last = a.ID
			return c.compare(kept)
		}, "SELECT "+accessColumns+" FROM access_log WHERE id > $1 AND id <= $2 ORDER BY id", from, upTo)
		if c.id != upTo {
			break // there is no end that it would come to
		}
	}
	switch {
	case err != nil:
		return v, err
	case c.id != head.ID:
		return v, &BrokenError{c.id + 1, fmt.Sprintf("it is missing, the log went up to %d", head.ID)}
	case c.hash != head.Hash:
		return v, &BrokenError{c.id, "it is not the row that was appended last"}
	case !signed:
		return v, &BrokenError{v.Checkpoint.ID, "the rows up to it are gone, and no row of the log says that they were swept"}
	}
	return v, verifyEnds(ctx, db, &v, kept)
}

// verifiedAtOnce is how many rows are gone through at a time, behind the persons
// of all of them.
const verifiedAtOnce = 1024

// follow goes on to the next row, if it is that.
func (c *chain) follow(a *keptAccess, persons map[int64]keptPersons) error {
	if a.ID != c.id+1 {
		return &BrokenError{c.id + 1, fmt.Sprintf("it is missing, the next is %d", a.ID)}
	}
	if c.add(&a.Access, a.fields, a.persons) != a.Hash {
		return &BrokenError{a.ID, "its hash is not that of the row before and its content"}
	}
	found, ok := persons[a.ID]
	if ok != (a.persons != nil) || ok && (found.err != nil || !bytes.Equal(found.hash[:], a.persons)) {
		return &BrokenError{a.ID, "the persons of it are not those that were appended"}
	}
	return nil
}

// compare compares the last row of a chain with heads that were kept.
func (c *chain) compare(kept []AccessHead) error {
	for _, k := range kept {
		if k.ID == c.id && k.Hash != c.hash {
			return &BrokenError{c.id, "it is not the row whose hash was kept"}
		}
	}
	return nil
}

// verifyEnds looks for rows outside a chain that holds: of those that are there,
// and of those that ought to be.
func verifyEnds(ctx context.Context, db queryer, v *Verified, kept []AccessHead) error {
	var stray, persons, given int64
	// A sweep that was cut short leaves persons of rows that are gone.
	err := db.QueryRowContext(ctx, "SELECT COALESCE((SELECT MIN(id) FROM access_log WHERE id <= $1 OR id > $2), 0), COALESCE((SELECT MIN(access) FROM access_persons WHERE access > $2), 0),"+
		" last FROM heads WHERE name = $3", v.Checkpoint.ID, v.Head.ID, headAccess).Scan(&stray, &persons, &given)
	switch {
	case err != nil:
		return err
	case stray != 0:
		return &BrokenError{stray, "it is not part of the chain"}
	case persons != 0:
		return &BrokenError{persons, "there are persons of it, and it is not part of the chain"}
	case given > v.Head.ID:
		return &BrokenError{v.Head.ID + 1, fmt.Sprintf("it is missing, rows up to %d were appended", given)}
	case given < v.Head.ID:
		return &BrokenError{given + 1, "it was not appended by sama"}
	}
	for _, k := range kept {
		if k.ID > v.Head.ID {
			return &BrokenError{v.Head.ID + 1, fmt.Sprintf("it is missing, the log went up to %d when its hash was kept", k.ID)}
		}
		if k.ID < v.Checkpoint.ID {
			return &invalidError{fmt.Errorf("row %d of the access log, whose hash was kept, cannot be compared: rows up to %d were swept since; the rest holds", k.ID, v.Checkpoint.ID)}
		}
	}
	return nil
}

func lastCheckpoint(ctx context.Context, db queryer) (Checkpoint, error) {
	var c Checkpoint
	var hash []byte
	var at sql.NullInt64
	err := db.QueryRowContext(ctx, "SELECT id, hash, at, made_by, removed FROM access_checkpoints ORDER BY id DESC LIMIT 1").Scan(&c.ID, &hash, &at, &c.By, &c.Removed)
	if errors.Is(err, sql.ErrNoRows) {
		return Checkpoint{}, nil
	}
	if err != nil {
		return c, err
	}
	c.At = ofMicros(at)
	return c, copyHash(&c.Hash, hash)
}

// SweepAccess removes the rows before a time, up to the first that is younger,
// and returns the checkpoint that stands in their place; its ID is 0 if there
// were none. Before, it verifies the whole log and refuses one that does not
// hold, with a [*BrokenError]. The log itself gets a row that says what was
// removed, so that nobody can make a checkpoint afterwards.
//
// The persons of jobs go after their rows, step by step, while others write. A
// sweep that is cut short leaves some, which no reader finds; the next one
// removes them.
func (s *Store) SweepAccess(ctx context.Context, before time.Time, by string) (Checkpoint, error) {
	if by == "" {
		return Checkpoint{}, &invalidError{errors.New("nobody is named as the one who sweeps the access log")}
	}
	if err := checkText("name", by); err != nil {
		return Checkpoint{}, &invalidError{err}
	}
	const doing = "sweeping the access log of"
	c := Checkpoint{By: by}
	// To verify takes its time: others may write meanwhile.
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		head, err := accessHead(ctx, tx)
		if err == nil {
			_, err = verify(ctx, tx, head)
		}
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT COALESCE((SELECT MIN(id) FROM access_log WHERE at >= $1) - 1, $2)", before.UnixMicro(), head.ID).Scan(&c.ID)
		if err != nil {
			return err
		}
		return c.readHash(ctx, tx)
	})
	if errors.Is(err, sql.ErrNoRows) {
		// There is nothing that old, but for what was left.
		return Checkpoint{}, s.sweepPersons(ctx, c.ID)
	}
	if err != nil {
		return Checkpoint{}, s.failed(doing, err)
	}
	err = s.transact(ctx, doing, func(t *txn) error {
		now := Checkpoint{ID: c.ID}
		if err := now.readHash(t.ctx, t.tx); err != nil || now.Hash != c.Hash {
			return errors.Join(err, fmt.Errorf("row %d of the access log was changed meanwhile", c.ID))
		}
		c.At = t.now
		return t.sweepAccess(&c)
	})
	if err != nil {
		return Checkpoint{}, err
	}
	return c, s.sweepPersons(ctx, c.ID)
}

// readHash reads the hash of the row; sql.ErrNoRows if there is none.
func (c *Checkpoint) readHash(ctx context.Context, db queryer) error {
	var hash []byte
	if err := db.QueryRowContext(ctx, "SELECT hash FROM access_log WHERE id = $1", c.ID).Scan(&hash); err != nil {
		return err
	}
	return copyHash(&c.Hash, hash)
}

func (t *txn) sweepAccess(c *Checkpoint) (err error) {
	if c.Removed, err = t.exec("DELETE FROM access_log WHERE id <= $1", c.ID); err != nil {
		return err
	}
	if _, err := t.appendAccess([]appending{{Access: Access{At: c.At, Client: "sama", Staff: c.By, What: sweptRow, Basis: c.basis()}}}); err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO access_checkpoints (id, hash, at, made_by, removed) VALUES ($1, $2, $3, $4, $5)",
		c.ID, c.Hash[:], c.At.UnixMicro(), c.By, c.Removed)
	return err
}
