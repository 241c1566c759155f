package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"sama/record"
)

// Outcome says what became of a decision.
type Outcome uint8

// The outcomes.
const (
	Recorded  Outcome = iota + 1 // it is new
	Unchanged                    // the pair had the same active decision before
)

// String returns "recorded" or "unchanged".
func (o Outcome) String() string {
	switch o {
	case Recorded:
		return "recorded"
	case Unchanged:
		return "unchanged"
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// Decide records a decision and returns it as recorded, or the one that says
// the same of the pair already. Where the pair has the opposite decision the
// error is an [*OppositeError]. The events come into the feed if the decision
// was recorded.
func (s *Store) Decide(ctx context.Context, d Decision, feed ...FeedEvent) (Decision, Outcome, error) {
	list, outcomes, err := s.DecideAll(ctx, []Decision{d}, feed...)
	if err != nil {
		return Decision{}, 0, err
	}
	return list[0], outcomes[0], nil
}

// DecideAll records several decisions, all of them or none, and returns what
// Decide does for each. The events come into the feed if any was recorded.
func (s *Store) DecideAll(ctx context.Context, list []Decision, feed ...FeedEvent) ([]Decision, []Outcome, error) {
	if err := checkFeed(feed); err != nil {
		return nil, nil, err
	}
	recorded, outcomes := make([]Decision, len(list)), make([]Outcome, len(list))
	err := s.transact(ctx, "recording a decision in", func(t *txn) error {
		for i, d := range list {
			d, err := d.inOrder(t.now)
			if err != nil {
				return err
			}
			if recorded[i], outcomes[i], err = decide(ctx, t.tx, d); err != nil {
				return err
			}
		}
		if !slices.Contains(outcomes, Recorded) {
			return nil
		}
		if _, err := t.take(headDecisions, 1); err != nil {
			return err
		}
		_, err := t.appendFeed(feed)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return recorded, outcomes, nil
}

// decide records an active decision whose keys are in order.
func decide(ctx context.Context, tx *sql.Tx, d Decision) (Decision, Outcome, error) {
	if !d.Active() {
		return d, 0, &invalidError{errors.New("a decision that is revoked cannot be made, only imported")}
	}
	before, err := activeOn(ctx, tx, d.A, d.B)
	switch {
	case err == nil && before.Kind == d.Kind:
		return before, Unchanged, nil
	case err == nil:
		return d, 0, &OppositeError{before}
	case !errors.Is(err, sql.ErrNoRows):
		return d, 0, err
	}
	if d.ID, err = nextID(ctx, tx); err != nil {
		return d, 0, err
	}
	_, err = tx.ExecContext(ctx, insertDecision, d.row()...)
	return d, Recorded, err
}

// Revoke ends an active decision by its id. The error is a [*NotFoundError]
// or, with who was faster, a [*RevokedError].
func (s *Store) Revoke(ctx context.Context, id int64, by, reason string) (Decision, error) {
	return s.revoke(ctx, by, reason, func(tx *sql.Tx) (Decision, error) {
		d, err := scanDecision(tx.QueryRowContext(ctx, selectDecisions+" WHERE id = $1", id))
		if errors.Is(err, sql.ErrNoRows) {
			return d, &NotFoundError{ID: id}
		}
		if err == nil && !d.Active() {
			return d, &RevokedError{d}
		}
		return d, err
	})
}

// RevokePair ends the active decision on two keys, in either order. The error
// is a [*NotFoundError] if there is none.
func (s *Store) RevokePair(ctx context.Context, a, b record.Key, by, reason string) (Decision, error) {
	a, b = ordered(a, b)
	return s.revoke(ctx, by, reason, func(tx *sql.Tx) (Decision, error) {
		d, err := activeOn(ctx, tx, a, b)
		if errors.Is(err, sql.ErrNoRows) {
			return d, &NotFoundError{A: a, B: b}
		}
		return d, err
	})
}

func (s *Store) revoke(ctx context.Context, by, reason string, find func(tx *sql.Tx) (Decision, error)) (Decision, error) {
	var d Decision
	err := s.transact(ctx, "revoking a decision in", func(t *txn) (err error) {
		if d, err = find(t.tx); err != nil {
			return err
		}
		d.Revoked, d.RevokedBy, d.RevokeReason = s.opt.Now(), by, reason
		if d, err = d.inOrder(d.Made); err != nil {
			return err
		}
		if _, err := t.take(headDecisions, 1); err != nil {
			return err
		}
		_, err = t.exec("UPDATE decisions SET revoked = $1, revoked_by = $2, revoke_reason = $3 WHERE id = $4",
			d.Revoked.UnixMicro(), d.RevokedBy, d.RevokeReason, d.ID)
		return err
	})
	if err != nil {
		return Decision{}, err
	}
	return d, nil
}

// Filter says which decisions are meant.
type Filter uint8

// The filters.
const (
	Active Filter = iota // those that hold
	All                  // the revoked ones too
)

// Decisions returns the decisions in order of their ids.
func (s *Store) Decisions(ctx context.Context, which Filter) ([]Decision, error) {
	query := selectDecisions
	if which == Active {
		query += " WHERE revoked IS NULL"
	}
	list, err := readDecisions(ctx, s.read, query+" ORDER BY id")
	return list, s.failed("reading decisions from", err)
}

func readDecisions(ctx context.Context, db queryer, query string, args ...any) ([]Decision, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Decision
	for rows.Next() {
		d, err := scanDecision(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

const (
	decisionColumns = "id, kind, source_a, record_a, source_b, record_b, reason, made_by, made, revoked, revoked_by, revoke_reason"
	selectDecisions = "SELECT " + decisionColumns + " FROM decisions"
	insertDecision  = "INSERT INTO decisions (" + decisionColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)

// activeOn returns the active decision on two keys in order, or
// sql.ErrNoRows.
func activeOn(ctx context.Context, tx *sql.Tx, a, b record.Key) (Decision, error) {
	return scanDecision(tx.QueryRowContext(ctx,
		selectDecisions+" WHERE source_a = $1 AND record_a = $2 AND source_b = $3 AND record_b = $4 AND revoked IS NULL",
		a.Source, a.ID, b.Source, b.ID))
}

// nextID returns the id after the last: nothing is deleted, so none comes
// twice.
func nextID(ctx context.Context, tx *sql.Tx) (id int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) + 1 FROM decisions").Scan(&id)
	return id, err
}

// row returns the values of decisionColumns.
func (d *Decision) row() []any {
	var revoked any
	if !d.Active() {
		revoked = d.Revoked.UnixMicro()
	}
	return []any{d.ID, d.Kind.String(), d.A.Source, d.A.ID, d.B.Source, d.B.ID, d.Reason, d.By, d.Made.UnixMicro(), revoked, d.RevokedBy, d.RevokeReason}
}

// scanDecision reads decisionColumns.
func scanDecision(row interface{ Scan(...any) error }) (Decision, error) {
	var d Decision
	var kind []byte
	var made int64
	var revoked sql.NullInt64
	if err := row.Scan(&d.ID, &kind, &d.A.Source, &d.A.ID, &d.B.Source, &d.B.ID, &d.Reason, &d.By, &made, &revoked, &d.RevokedBy, &d.RevokeReason); err != nil {
		return d, err
	}
	d.Made = time.UnixMicro(made).UTC()
	if revoked.Valid {
		d.Revoked = time.UnixMicro(revoked.Int64).UTC()
	}
	return d, d.Kind.UnmarshalText(kind)
}
