package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// FeedEvent is one row of the change feed. It has ids, kinds and names of
// fields, never values.
type FeedEvent struct {
	Seq      int64 // from 1, in the order of the commits, without gaps but those behind a copy: see Backup; 0 = not appended
	At       time.Time
	Kind     string // a lower-case word
	Identity string // its id, "" if the event is of no identity
	Detail   []byte // a JSON object; nil = {}

	// A marker says which run was adopted, see AdoptRun.
	RunID string
	Run   int64
}

// Marker reports whether the event says that a run was adopted.
func (e *FeedEvent) Marker() bool { return e.RunID != "" }

// The kinds that the state itself appends. The others are the caller's.
const (
	FeedErased   = "erased"   // an identity was erased
	FeedRun      = "run"      // a run was adopted
	FeedRollback = "rollback" // an earlier run was adopted, or one a second time
)

// GoneError says that a place in the feed cannot be gone on from, because
// events behind it were removed, or because it is one of a state in whose place
// a copy was put since.
type GoneError struct {
	After    int64 // what was asked for
	Floor    int64 // the earliest place behind it that can be gone on from
	Restored bool  // it is behind the copy that was put back
}

// Error says what to do.
func (e *GoneError) Error() string {
	if e.Restored {
		return fmt.Sprintf("the feed has no event %d: the state was put back from a copy made before it; read the profiles anew and go on after %d", e.After, e.Floor)
	}
	return fmt.Sprintf("the feed after %d is gone: events up to %d were removed; read the profiles anew and go on after %d", e.After, e.Floor, e.Floor)
}

func (*GoneError) aboutState() {}

const feedColumns = "seq, at, kind, identity, detail, run_id, run"

// AppendFeed appends events, all or none, and returns the sequence number of
// the last. What is caused by another change belongs into that one's
// transaction: see [Also].
func (s *Store) AppendFeed(ctx context.Context, events []FeedEvent) (last int64, err error) {
	if err := checkFeed(events); err != nil {
		return 0, err
	}
	err = s.together(ctx, "appending to the feed of", func(t *txn) error {
		last, err = t.appendFeed(events)
		return err
	})
	if err != nil {
		return 0, err
	}
	return last, nil
}

// checkFeed refuses what cannot be appended.
func checkFeed(events []FeedEvent) error {
	for i := range events {
		e := &events[i]
		switch {
		case !isWord(e.Kind):
			return &invalidError{fmt.Errorf("feed event %d: want a kind of lower-case letters, digits, - and _, at most %d", i+1, maxWord)}
		case e.Kind == FeedRun || e.Kind == FeedRollback || e.Marker() || e.Run != 0:
			return &invalidError{fmt.Errorf("feed event %d: that a run was adopted is said by AdoptRun alone", i+1)}
		case len(e.Detail) > 0 && !isObject(e.Detail):
			return &invalidError{fmt.Errorf("feed event %d: want a JSON object as detail", i+1)}
		}
		if err := checkText("identity", e.Identity); err != nil {
			return &invalidError{fmt.Errorf("feed event %d: %w", i+1, err)}
		}
	}
	return nil
}

// appendFeed appends events that were checked and returns the number of the
// last.
func (t *txn) appendFeed(events []FeedEvent) (last int64, err error) {
	if len(events) == 0 {
		return 0, nil
	}
	if err := t.leaveCopied(); err != nil {
		return 0, err
	}
	first, err := t.take(headFeed, len(events))
	if err != nil {
		return 0, err
	}
	return first + int64(len(events)) - 1, t.insert("feed", feedColumns, "", len(events), func(i int, args []any) []any {
		e := &events[i]
		at, detail := t.now, e.Detail
		if !e.At.IsZero() {
			at = e.At
		}
		if len(detail) == 0 {
			detail = []byte("{}")
		}
		return append(args, first+int64(i), at.UnixMicro(), e.Kind, e.Identity, detail, e.RunID, e.Run)
	})
}

// AdoptRun appends the marker that a run is what is served from now on, and
// reports whether it did: the run that the last marker names is not adopted
// again. A run with a lower number than the one before, or one that has a
// marker further back, is a rollback.
func (s *Store) AdoptRun(ctx context.Context, runID string, number int64) (marker FeedEvent, adopted bool, err error) {
	if err := errors.Join(checkText("run", runID), wantRun(runID, number)); err != nil {
		return FeedEvent{}, false, &invalidError{err}
	}
	err = s.transact(ctx, "adopting a run in", func(t *txn) error {
		last, err := lastMarker(t.ctx, t.tx)
		if err != nil {
			return err
		}
		if last.RunID == runID {
			marker = last
			return nil
		}
		var before int64
		if err := t.one("SELECT COUNT(*) FROM feed WHERE run_id = $1 AND run_id <> ''", []any{runID}, &before); err != nil {
			return err
		}
		marker = FeedEvent{At: t.now, Kind: FeedRun, Detail: []byte("{}"), RunID: runID, Run: number}
		if before > 0 || number < last.Run {
			marker.Kind = FeedRollback
		}
		marker.Seq, err = t.appendFeed([]FeedEvent{marker})
		adopted = err == nil
		return err
	})
	if err != nil {
		return FeedEvent{}, false, err
	}
	return marker, adopted, nil
}

func wantRun(runID string, number int64) error {
	if runID == "" || number < 1 {
		return fmt.Errorf("run %q number %d: want the id and the number of a run", runID, number)
	}
	return nil
}

// Adopted returns the marker of the run that was adopted last, false if none
// was.
func (s *Store) Adopted(ctx context.Context) (FeedEvent, bool, error) {
	e, err := lastMarker(ctx, s.read)
	return e, e.Marker(), s.failed("reading the feed of", err)
}

// newestMarker leads SQLite to the index of the markers: it would go back
// through all events since, of which there are millions in a day.
const newestMarker = "SELECT " + feedColumns + " FROM feed WHERE run_id <> '' AND run_id > '' ORDER BY +seq DESC LIMIT 1"

func lastMarker(ctx context.Context, db queryer) (FeedEvent, error) {
	list, err := readFeed(ctx, db, newestMarker)
	if err != nil || len(list) == 0 {
		return FeedEvent{}, err
	}
	return list[0], nil
}

// Feed returns the events after a sequence number, at most limit, in their
// order. The error is a [*GoneError] where events after it were removed, and where
// it lies in a gap behind a copy. limit is at least 1.
func (s *Store) Feed(ctx context.Context, after int64, limit int) ([]FeedEvent, error) {
	var list []FeedEvent
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		var floor int64
		err := tx.QueryRowContext(ctx, "SELECT last FROM heads WHERE name = $1", headFeedFloor).Scan(&floor)
		if err != nil {
			return err
		}
		if after < floor {
			return &GoneError{After: after, Floor: floor}
		}
		list, err = readFeed(ctx, tx, "SELECT "+feedColumns+" FROM feed WHERE seq > $1 ORDER BY seq LIMIT $2", after, int64(limit))
		if err != nil || after == floor || len(list) == 0 || list[0].Seq == after+1 {
			return err
		}
		return isEvent(ctx, tx, after, list[0].Seq)
	})
	return list, s.failed("reading the feed of", err)
}

// isEvent returns a [*GoneError] if there is no event of that number. next is that
// of the first after it.
func isEvent(ctx context.Context, tx *sql.Tx, seq, next int64) error {
	var there int64
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM feed WHERE seq = $1", seq).Scan(&there); err != nil {
		return err
	}
	if there == 0 {
		return &GoneError{After: seq, Floor: next - 1, Restored: true}
	}
	return nil
}

// FeedFloor returns the sequence number of the newest event that was removed, 0 if
// none was: the earliest place that can be gone on from.
func (s *Store) FeedFloor(ctx context.Context) (int64, error) {
	var floor int64
	err := s.read.QueryRowContext(ctx, "SELECT last FROM heads WHERE name = $1", headFeedFloor).Scan(&floor)
	return floor, s.failed("reading the feed of", err)
}

// FeedHead returns the sequence number of the last event, 0 if there was none.
func (s *Store) FeedHead(ctx context.Context) (int64, error) {
	var head int64
	err := s.read.QueryRowContext(ctx, "SELECT last FROM heads WHERE name = $1", headFeed).Scan(&head)
	return head, s.failed("reading the feed of", err)
}

// SweepFeed removes the events before a time, but for the markers of runs, up
// to the first that is younger, and returns how many. Who stands before them
// gets a [*GoneError].
func (s *Store) SweepFeed(ctx context.Context, before time.Time) (removed int64, err error) {
	err = s.transact(ctx, "sweeping the feed of", func(t *txn) error {
		var upTo int64
		err := t.one("SELECT COALESCE((SELECT MIN(seq) FROM feed WHERE at >= $1), (SELECT last FROM heads WHERE name = $2) + 1) - 1",
			[]any{before.UnixMicro(), headFeed}, &upTo)
		if err != nil {
			return err
		}
		if removed, err = t.exec("DELETE FROM feed WHERE seq <= $1 AND run_id = ''", upTo); err != nil || removed == 0 {
			return err
		}
		_, err = t.exec("UPDATE heads SET last = $1 WHERE name = $2 AND last < $3", upTo, headFeedFloor, upTo)
		return err
	})
	return removed, err
}

func readFeed(ctx context.Context, db queryer, query string, args ...any) ([]FeedEvent, error) {
	var list []FeedEvent
	err := eachRow(ctx, db, func(rows *sql.Rows) error {
		var e FeedEvent
		var at sql.NullInt64
		if err := rows.Scan(&e.Seq, &at, &e.Kind, &e.Identity, &e.Detail, &e.RunID, &e.Run); err != nil {
			return err
		}
		e.At = ofMicros(at)
		list = append(list, e)
		return nil
	}, query, args...)
	return list, err
}
