package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// txn is the transaction of a writer. Nobody else changes the state meanwhile.
type txn struct {
	ctx      context.Context
	s        *Store
	tx       *sql.Tx
	now      time.Time // as it is kept
	prepared map[string]*sql.Stmt
	// heads are the numbers given out last, and those that were taken here; nil
	// before the first was. They are written with the commit.
	heads map[string]head
}

type head struct{ last, before int64 }

// begin waits until this is the only writer. A connection that has ended since
// the last transaction, because the server was started anew, is no reason to
// fail: there is another.
func (s *Store) begin(ctx context.Context) (*txn, error) {
	t, err := s.tryBegin(ctx)
	if err != nil && s.dialect.lost != nil && s.dialect.lost(err) {
		t, err = s.tryBegin(ctx)
	}
	return t, err
}

func (s *Store) tryBegin(ctx context.Context) (*txn, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := s.dialect.lock(ctx, tx); err != nil {
		// The rollback's own error says nothing that err does not.
		_ = tx.Rollback()
		return nil, err
	}
	return &txn{ctx: ctx, s: s, tx: tx, now: kept(s.opt.Now())}, nil
}

// transact runs one transaction of its own.
func (s *Store) transact(ctx context.Context, doing string, do func(t *txn) error) error {
	t, err := s.begin(ctx)
	if err != nil {
		return s.failed(doing, err)
	}
	if err := do(t); err != nil {
		_ = t.tx.Rollback()
		return s.failed(doing, err)
	}
	s.fault("commit")
	if err := t.commit(); err != nil {
		return s.failed(doing, err)
	}
	s.fault("done")
	return nil
}

// commit writes the numbers that were taken and commits.
func (t *txn) commit() error {
	for _, name := range slices.Sorted(maps.Keys(t.heads)) {
		if h := t.heads[name]; h.last != h.before {
			if _, err := t.exec("UPDATE heads SET last = $1 WHERE name = $2", h.last, name); err != nil {
				_ = t.tx.Rollback()
				return err
			}
		}
	}
	return t.tx.Commit()
}

// change is transact for those who need no more than the transaction itself.
func (s *Store) change(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	return s.transact(ctx, doing, func(t *txn) error { return do(t.tx) })
}

// statement returns a statement that is prepared for the transaction.
func (t *txn) statement(query string) (*sql.Stmt, error) {
	if stmt := t.prepared[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := t.tx.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	if t.prepared == nil {
		t.prepared = make(map[string]*sql.Stmt)
	}
	t.prepared[query] = stmt // it ends with the transaction
	return stmt, nil
}

// exec runs a statement and returns how many rows it changed.
func (t *txn) exec(query string, args ...any) (int64, error) {
	var done sql.Result
	var err error
	if t.s.dialect.prepares {
		var stmt *sql.Stmt
		if stmt, err = t.statement(query); err != nil {
			return 0, err
		}
		done, err = stmt.ExecContext(t.ctx, args...)
	} else {
		done, err = t.tx.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// one reads one row.
func (t *txn) one(query string, args []any, into ...any) error {
	if t.s.dialect.prepares {
		stmt, err := t.statement(query)
		if err != nil {
			return err
		}
		return stmt.QueryRowContext(t.ctx, args...).Scan(into...)
	}
	return t.tx.QueryRowContext(t.ctx, query, args...).Scan(into...)
}

// bulk are the numbers of rows that one INSERT takes: few different ones, so
// that there are few different statements.
var bulk = [...]int{64, 8, 1}

// insert adds rows to a table. columns are their names as SQL has them, then
// is what follows the values, "" or an ON CONFLICT clause.
func (t *txn) insert(table, columns, then string, n int, row func(i int, args []any) []any) error {
	width := strings.Count(columns, ",") + 1
	var args []any
	for done := 0; done < n; {
		size := 1
		for _, b := range bulk {
			if b <= n-done {
				size = b
				break
			}
		}
		args = args[:0]
		for i := range size {
			args = row(done+i, args)
		}
		if _, err := t.exec(insertSQL(table, columns, then, size, width), args...); err != nil {
			return err
		}
		done += size
	}
	return nil
}

func insertSQL(table, columns, then string, rows, width int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, columns)
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		writeParameters(&b, i*width+1, width)
		b.WriteByte(')')
	}
	if then != "" {
		b.WriteString(" " + then)
	}
	return b.String()
}

// writeParameters writes $from, $from+1, …
func writeParameters(b *strings.Builder, from, n int) {
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "$%d", from+i)
	}
}

// The names of heads, the numbers given out last.
const (
	headAccess    = "access"
	headClaims    = "claims"
	headClients   = "clients"
	headConsents  = "consents"
	headDecisions = "decisions"
	headErasures  = "erasures"
	headFeed      = "feed"
	headFeedFloor = "feed_floor" // the newest feed event that was removed
	headOnline    = "online"
	headPurposes  = "purposes"
	headScrubbed  = "scrubbed" // the newest erasure that the files have nothing of
	headSecrets   = "secrets"
	headWebhooks  = "webhooks"
)

// take gives out the next n numbers of a head and returns the first.
func (t *txn) take(name string, n int) (first int64, err error) {
	last, err := t.last(name)
	if err != nil {
		return 0, err
	}
	h := t.heads[name]
	h.last += int64(n)
	t.heads[name] = h
	return last + 1, nil
}

// last returns the number of a head that was given out last.
func (t *txn) last(name string) (int64, error) {
	if t.heads == nil {
		known, err := readHeads(t.ctx, t.tx)
		if err != nil {
			return 0, err
		}
		t.heads = make(map[string]head, len(known))
		for name, last := range known {
			t.heads[name] = head{last, last}
		}
	}
	h, ok := t.heads[name]
	if !ok {
		return 0, fmt.Errorf("there is no head %s", name)
	}
	return h.last, nil
}

// Revision says how far a state has got. Every number only grows, so that two
// revisions that are equal mean that nothing of the kind was changed between.
type Revision struct {
	Clients   int64 // changes of clients and their secrets
	Purposes  int64 // versions of purposes
	Consents  int64 // id of the last consent event
	Decisions int64 // changes of decisions
	Erasures  int64 // erasures, and changes of tombstones
	Online    int64 // sequence number of the last online record
	Feed      int64 // sequence number of the last feed event
	Webhooks  int64 // changes of subscriptions
}

// Revision reads how far the state has got, whichever process took it there. It
// is one short statement, meant to be asked several times a second.
func (s *Store) Revision(ctx context.Context) (Revision, error) {
	var r Revision
	heads, err := readHeads(ctx, s.read)
	if err != nil {
		return r, s.failed("reading", err)
	}
	return Revision{
		Clients: heads[headClients], Purposes: heads[headPurposes], Consents: heads[headConsents], Decisions: heads[headDecisions],
		Erasures: heads[headErasures], Online: heads[headOnline], Feed: heads[headFeed], Webhooks: heads[headWebhooks],
	}, nil
}

func readHeads(ctx context.Context, db queryer) (map[string]int64, error) {
	rows, err := db.QueryContext(ctx, "SELECT name, last FROM heads")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	heads := make(map[string]int64, 16)
	for rows.Next() {
		var name string
		var last int64
		if err := rows.Scan(&name, &last); err != nil {
			return nil, err
		}
		heads[name] = last
	}
	return heads, rows.Err()
}

// snapshot runs several reads of one and the same state.
func (s *Store) snapshot(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, s.dialect.snapshot)
	if err != nil {
		return err
	}
	return errors.Join(do(tx), tx.Rollback())
}

// micros returns a time as a column keeps it, NULL for none.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// ofMicros is the way back.
func ofMicros(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

// keptOrZero is kept, and leaves no time no time.
func keptOrZero(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return kept(t)
}
