package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"sama/record"
)

// Op is what an online record does.
type Op string

// The operations.
const (
	Put    Op = "put"    // the record is new, or other than before
	Delete Op = "delete" // the record is gone
)

// OnlineRecord is a source record that came between the runs. The newest row of
// a key holds.
type OnlineRecord struct {
	Seq      int64 // from 1, without gaps, in the order of the commits; 0 = not put
	Key      record.Key
	Op       Op
	Fields   []byte // a JSON object; nil for Delete
	Client   string // who brought it
	Received time.Time
	Identity string // the id of the identity that it was given, "" for none
	Founded  bool   // the identity is new with it
}

// PutRecords records source records, all or none. Calls of several callers
// share a transaction.
func (s *Store) PutRecords(ctx context.Context, records []OnlineRecord, also Also) (Done, error) {
	subjects := make([]string, 0, 2*len(records))
	for i := range records {
		if err := records[i].check(); err != nil {
			return Done{}, &invalidError{fmt.Errorf("record %d: %w", i+1, err)}
		}
		if subjects = append(subjects, recordSubject(records[i].Key)); records[i].Identity != "" {
			subjects = append(subjects, identitySubject(records[i].Identity))
		}
	}
	if err := also.check(); err != nil {
		return Done{}, err
	}
	var done Done
	err := s.together(ctx, "recording in", func(t *txn) (err error) {
		done, err = t.also(&also, subjects, func() ([]int64, error) { return t.putRecords(records) })
		return err
	})
	if err != nil {
		return Done{}, err
	}
	return done, nil
}

// check does not quote what it finds: it is of persons.
func (r *OnlineRecord) check() error {
	var errs []error
	if checkKey(r.Key) != nil {
		errs = append(errs, errors.New("want a key source:record_id in UTF-8 without NUL"))
	}
	switch {
	case r.Op != Put && r.Op != Delete:
		errs = append(errs, errors.New("want the operation put or delete"))
	case r.Op == Put && !isObject(r.Fields):
		errs = append(errs, errors.New("want its fields as a JSON object"))
	case r.Op == Delete && len(r.Fields) > 0:
		errs = append(errs, errors.New("want no fields of a delete"))
	}
	if checkText("client", r.Client) != nil || checkText("identity", r.Identity) != nil {
		errs = append(errs, errors.New("want client and identity in UTF-8 without NUL"))
	}
	return errors.Join(errs...)
}

const onlineColumns = "seq, source, record_id, op, fields, client, received, identity, founded"

func (t *txn) putRecords(records []OnlineRecord) ([]int64, error) {
	first, err := t.take(headOnline, len(records))
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, len(records))
	err = t.insert("online_records", onlineColumns, "", len(records), func(i int, args []any) []any {
		r := &records[i]
		received := t.now
		if !r.Received.IsZero() {
			received = r.Received
		}
		numbers[i] = first + int64(i)
		return append(args, numbers[i], r.Key.Source, r.Key.ID, string(r.Op), notNil(r.Fields), r.Client, received.UnixMicro(), r.Identity, r.Founded)
	})
	return numbers, err
}

// OnlineSince goes through the online records after a sequence number, in their
// order. An error ends it.
func (s *Store) OnlineSince(ctx context.Context, seq int64) iter.Seq2[OnlineRecord, error] {
	return func(yield func(OnlineRecord, error) bool) {
		eachOf(ctx, s, "reading online records from", yield, scanOnline,
			"SELECT "+onlineColumns+" FROM online_records WHERE seq > $1 ORDER BY seq", seq)
	}
}

func scanOnline(rows *sql.Rows) (OnlineRecord, error) {
	var r OnlineRecord
	var op string
	var received sql.NullInt64
	err := rows.Scan(&r.Seq, &r.Key.Source, &r.Key.ID, &op, &r.Fields, &r.Client, &received, &r.Identity, &r.Founded)
	r.Op, r.Received = Op(op), ofMicros(received)
	if r.Op == Delete {
		r.Fields = nil
	}
	return r, err
}

// eachOf yields the rows of a query and then, if there was one, the error.
func eachOf[T any](ctx context.Context, s *Store, doing string, yield func(T, error) bool, scan func(*sql.Rows) (T, error), query string, args ...any) {
	errStop := errors.New("stop")
	err := eachRow(ctx, s.read, func(rows *sql.Rows) error {
		x, err := scan(rows)
		if err == nil && !yield(x, nil) {
			return errStop
		}
		return err
	}, query, args...)
	if err != nil && !errors.Is(err, errStop) {
		var none T
		yield(none, s.failed(doing, err))
	}
}

// ForgetOnline removes the online records up to a sequence number but for those
// of a sorted list of numbers, and returns how many.
func (s *Store) ForgetOnline(ctx context.Context, upTo int64, except []int64) (removed int64, err error) {
	err = s.transact(ctx, "forgetting online records of", func(t *txn) error {
		removed = 0
		from := int64(0) // what is up to it is removed or stays
		for _, stays := range append(slices.Clone(except), upTo+1) {
			if stays = min(stays, upTo+1); stays <= from+1 {
				from = max(from, stays)
				continue
			}
			n, err := t.exec("DELETE FROM online_records WHERE seq > $1 AND seq < $2", from, stays)
			if err != nil {
				return err
			}
			removed, from = removed+n, stays
		}
		return nil
	})
	return removed, err
}

// Reach gives out no more numbers of online records and erasures that a run
// knows already, so that what comes next is new to it. It does something only
// where the state was put back from a backup that is older than the run.
func (s *Store) Reach(ctx context.Context, online, erasures int64) error {
	r, err := s.Revision(ctx)
	if err != nil || r.Online >= online && r.Erasures >= erasures {
		return err
	}
	return s.transact(ctx, "raising the numbers of", func(t *txn) error {
		for name, least := range map[string]int64{headOnline: online, headErasures: erasures} {
			if _, err := t.exec("UPDATE heads SET last = $1 WHERE name = $2 AND last < $1", least, name); err != nil {
				return err
			}
		}
		return nil
	})
}
