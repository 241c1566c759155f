package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// ConsentEvent is one row of the ledger of consents, which is only ever added
// to. The state keeps its words as they are; what they mean is for package
// consent.
type ConsentEvent struct {
	ID            int64  // from 1, without gaps, in the order of the commits; 0 = not recorded
	Anchor        string // what it is tied to: record:…, contact:…, account:…, never an identity
	Purpose       string
	Channel       string // "" = any
	Controller    string
	Act           string
	At            time.Time // when it was done; zero = now, see AddConsents
	Recorded      time.Time // when it came here; set by AddConsents
	Source        string    // which export, client or page
	Authenticated string    // how the one who did it was known
	TextVersion   string    // of the text that was shown
	Receipt       string
	Expires       time.Time // zero = it does not
}

// ErasedAnchor is what the anchor of somebody who was erased begins with. A
// keyed digest follows.
const ErasedAnchor = "erased:"

// clockSlack is how far the clocks of two hosts may differ.
const clockSlack = 5 * time.Minute

// AddConsents records events, all or none. Calls of several callers share a
// transaction. An event without a time is done now; if the last event of its
// anchor was recorded with a later time, by a host whose clock is ahead by no more
// than five minutes, it comes just behind that one: who withdraws after having
// granted has withdrawn, whichever hosts it went through.
func (s *Store) AddConsents(ctx context.Context, events []ConsentEvent, also Also) (Done, error) {
	subjects := make([]string, len(events))
	for i := range events {
		if err := events[i].check(); err != nil {
			return Done{}, &invalidError{fmt.Errorf("consent event %d: %w", i+1, err)}
		}
		subjects[i] = events[i].Anchor
	}
	if err := also.check(); err != nil {
		return Done{}, err
	}
	var done Done
	err := s.together(ctx, "recording consents in", func(t *txn) (err error) {
		done, err = t.also(&also, subjects, func() ([]int64, error) { return t.addConsents(events) })
		return err
	})
	if err != nil {
		return Done{}, err
	}
	return done, nil
}

// check does not quote what it finds: an anchor is of a person.
func (e *ConsentEvent) check() error {
	var errs []error
	if kind, of, _ := strings.Cut(e.Anchor, ":"); !isWord(kind) || of == "" || checkText("anchor", e.Anchor) != nil {
		errs = append(errs, errors.New("want an anchor such as record:crm:C0012"))
	} else if kind+":" == ErasedAnchor {
		errs = append(errs, errors.New("whom the anchor names was erased"))
	}
	if e.Act == "" {
		errs = append(errs, errors.New("want an act"))
	}
	for _, x := range [...]struct{ name, text string }{{"purpose", e.Purpose}, {"channel", e.Channel}, {"controller", e.Controller},
		{"act", e.Act}, {"source", e.Source}, {"authenticated", e.Authenticated}, {"text version", e.TextVersion}, {"receipt", e.Receipt}} {
		if checkText(x.name, x.text) != nil {
			errs = append(errs, fmt.Errorf("want %s in UTF-8 without NUL", x.name))
		}
	}
	return errors.Join(errs...)
}

const consentColumns = "id, anchor, purpose, channel, controller, act, at, recorded, source, authenticated, text_version, receipt, expires"

func (t *txn) addConsents(events []ConsentEvent) ([]int64, error) {
	first, err := t.take(headConsents, len(events))
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, len(events))
	times, err := t.timesOf(events)
	if err != nil {
		return nil, err
	}
	err = t.insert("consents", consentColumns, "", len(events), func(i int, args []any) []any {
		e := &events[i]
		numbers[i] = first + int64(i)
		return append(args, numbers[i], e.Anchor, e.Purpose, e.Channel, e.Controller, e.Act, times[i], t.now.UnixMicro(),
			e.Source, e.Authenticated, e.TextVersion, e.Receipt, micros(e.Expires))
	})
	return numbers, err
}

// timesOf returns when events were done, in microseconds since 1970.
func (t *txn) timesOf(events []ConsentEvent) ([]int64, error) {
	times := make([]int64, len(events))
	now, ahead := t.now.UnixMicro(), t.now.Add(clockSlack).UnixMicro()
	last := make(map[string]int64) // anchor → time of its last event
	for i := range events {
		e := &events[i]
		before, looked := last[e.Anchor]
		if !looked {
			err := t.one("SELECT COALESCE(MAX(at), 0) FROM consents WHERE anchor = $1 AND at <= $2", []any{e.Anchor, ahead}, &before)
			if err != nil {
				return nil, err
			}
		}
		if times[i] = e.At.UnixMicro(); e.At.IsZero() {
			times[i] = max(now, before+1)
		}
		if times[i] <= ahead {
			before = max(before, times[i])
		}
		last[e.Anchor] = before
	}
	return times, nil
}

// anchorsAtOnce is how many anchors one statement looks for.
const anchorsAtOnce = 256

// consentsOf are the statements that look for 1, 2, 4 … anchors.
var consentsOf = func() (list []string) {
	for n := 1; n <= anchorsAtOnce; n *= 2 {
		var query strings.Builder
		query.WriteString("SELECT " + consentColumns + " FROM consents WHERE anchor IN (")
		writeParameters(&query, 1, n)
		query.WriteString(")")
		list = append(list, query.String())
	}
	return list
}()

// ConsentsOf returns the events of anchors, in order of their ids.
func (s *Store) ConsentsOf(ctx context.Context, anchors []string) ([]ConsentEvent, error) {
	anchors = slices.Compact(slices.Sorted(slices.Values(anchors)))
	var list []ConsentEvent
	for part := range slices.Chunk(anchors, anchorsAtOnce) {
		// The number of parameters is a power of two: there are few statements.
		size := bits.Len(uint(len(part) - 1))
		args := make([]any, 1<<size)
		for i := range args {
			args[i] = part[min(i, len(part)-1)]
		}
		err := s.queryPrepared(ctx, consentsOf[size], func(rows *sql.Rows) error {
			e, err := scanConsent(rows)
			list = append(list, e)
			return err
		}, args...)
		if err != nil {
			return nil, s.failed("reading consents from", err)
		}
	}
	slices.SortFunc(list, func(a, b ConsentEvent) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// ConsentsAfter returns the events with ids above after, at most limit, in
// order of their ids.
func (s *Store) ConsentsAfter(ctx context.Context, after int64, limit int) ([]ConsentEvent, error) {
	var list []ConsentEvent
	err := eachRow(ctx, s.read, func(rows *sql.Rows) error {
		e, err := scanConsent(rows)
		list = append(list, e)
		return err
	}, "SELECT "+consentColumns+" FROM consents WHERE id > $1 ORDER BY id LIMIT $2", after, int64(limit))
	return list, s.failed("reading consents from", err)
}

// ConsentsByAnchor goes through all events, those of one anchor together: in
// order of the bytes of the anchors, and of ids within. An error ends it.
func (s *Store) ConsentsByAnchor(ctx context.Context) iter.Seq2[ConsentEvent, error] {
	return func(yield func(ConsentEvent, error) bool) {
		eachOf(ctx, s, "reading consents from", yield, scanConsent, "SELECT "+consentColumns+" FROM consents ORDER BY anchor, id")
	}
}

func scanConsent(rows *sql.Rows) (ConsentEvent, error) {
	var e ConsentEvent
	var at, recorded, expires sql.NullInt64
	err := rows.Scan(&e.ID, &e.Anchor, &e.Purpose, &e.Channel, &e.Controller, &e.Act, &at, &recorded,
		&e.Source, &e.Authenticated, &e.TextVersion, &e.Receipt, &expires)
	e.At, e.Recorded, e.Expires = ofMicros(at), ofMicros(recorded), ofMicros(expires)
	return e, err
}
