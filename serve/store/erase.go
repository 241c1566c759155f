package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sama/record"
)

// Erasure is that a person is erased.
type Erasure struct {
	ID int64 // 0 = not done
	At time.Time
	// Identities are the ids of the person's identities, with all their aliases.
	Identities []string
	// Reason is a short code or text without personal data; By says who decided.
	Reason, By string
	// Uncaught says in plain words, without values, what cannot be known again
	// when it returns.
	Uncaught []string
	Counts   Erased
}

// Person is what of a person is erased, and by what it is known again. None of
// it is kept.
type Person struct {
	// Marks are the keys of all source records of the person, of [KindRecord],
	// and the other values of which a tombstone may be kept.
	Marks []Mark
	// Anchors are the anchors of consents besides those of the records.
	Anchors []string
	// Feed are the events to append; nil is one of kind [FeedErased] for every
	// identity.
	Feed []FeedEvent
}

// Erased counts what an erasure did in the state.
type Erased struct {
	Tombstones int64 `json:"tombstones"` // made
	Online     int64 `json:"online"`     // online records removed
	Consents   int64 `json:"consents"`   // consent events whose anchor became a digest
	Answers    int64 `json:"answers"`    // remembered answers blanked
	Decisions  int64 `json:"decisions"`  // decisions that were revoked, their record ids made digests
}

// Erase erases a person from the state, in one transaction: it makes
// tombstones, removes the online records, blanks remembered answers, ties
// consents, which stay as evidence, to digests, revokes the decisions on the
// records, whose ids become digests, and appends to the feed. The access log
// has identity ids, those in its jobs too, and names of fields, and stays as it
// is.
//
// Then, if the state is small enough for that to take a moment, it removes what
// was deleted from the files too. clean reports whether that was done: if not,
// the erasure holds nevertheless, no reader can see anything of it, and
// [Store.Scrub] is to be called, once for as many erasures as there were; it
// also says what is in its way.
func (s *Store) Erase(ctx context.Context, e Erasure, p Person) (done Erasure, clean bool, err error) {
	if err := s.checkErasure(&e, &p); err != nil {
		return Erasure{}, false, err
	}
	if p.Feed == nil {
		for _, id := range e.Identities {
			p.Feed = append(p.Feed, FeedEvent{Kind: FeedErased, Identity: id})
		}
	}
	err = s.transact(ctx, "erasing from", func(t *txn) (err error) {
		e.ID, err = t.take(headErasures, 1)
		if err != nil {
			return err
		}
		e.At, e.Counts = t.now, Erased{}
		return t.erase(&e, &p)
	})
	if err != nil {
		return Erasure{}, false, err
	}
	if few, err := s.isSmall(ctx); few && err == nil {
		clean, err = s.Scrub(ctx)
		clean = clean && err == nil
	}
	return e, clean, nil
}

// smallState is how many rows are scrubbed within a moment: 6 µs a row.
const smallState = 20_000

// isSmall guesses, never too low, how many rows a scrub would write.
func (s *Store) isSmall(ctx context.Context) (bool, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, "SELECT (SELECT COALESCE(MAX(seq) - MIN(seq) + 1, 0) FROM online_records) + (SELECT COALESCE(MAX(id), 0) FROM consents)"+
		" + (SELECT COALESCE(MAX(id), 0) FROM decisions) + (SELECT COUNT(*) FROM (SELECT 1 FROM answers LIMIT $1) AS few)"+
		" + (SELECT COUNT(*) FROM (SELECT 1 FROM answer_subjects LIMIT $1) AS few)", int64(smallState)).Scan(&n)
	return n < smallState, err
}

func (s *Store) checkErasure(e *Erasure, p *Person) error {
	if s.opt.Keys == nil {
		return ErrNoKeys
	}
	var errs []error
	if e.By == "" {
		errs = append(errs, errors.New("nobody is named as the one who erases"))
	}
	for _, x := range append([]string{e.By, e.Reason}, slices.Concat(e.Identities, e.Uncaught)...) {
		if checkText("", x) != nil {
			errs = append(errs, errors.New("want UTF-8 text without NUL"))
			break
		}
	}
	for _, anchor := range p.Anchors {
		if anchor == "" || strings.HasPrefix(anchor, ErasedAnchor) {
			errs = append(errs, errors.New("an anchor is empty, or of somebody who was erased"))
		}
	}
	if len(p.Marks) == 0 && len(p.Anchors) == 0 && len(e.Identities) == 0 {
		errs = append(errs, errors.New("want whom to erase"))
	}
	if err := errors.Join(errs...); err != nil {
		return &invalidError{err}
	}
	return cmp.Or(checkMarks(p.Marks), checkFeed(p.Feed))
}

// checkMarks does not quote what it finds: it is of persons.
func checkMarks(marks []Mark) error {
	for i, m := range marks {
		_, err := record.ParseKey(m.Value)
		switch {
		case !isWord(m.Kind):
			return &invalidError{fmt.Errorf("mark %d: want a kind of lower-case letters, digits, - and _, at most %d", i+1, maxWord)}
		case m.Value == "" || checkText("", m.Value) != nil:
			return &invalidError{fmt.Errorf("mark %d: want a value in UTF-8 without NUL", i+1)}
		case m.Kind == KindRecord && err != nil:
			return &invalidError{fmt.Errorf("mark %d: want the key of a record, source:record_id", i+1)}
		}
	}
	return nil
}

// erase does it.
func (t *txn) erase(e *Erasure, p *Person) error {
	k := t.s.opt.Keys
	if err := t.noteKey(k); err != nil {
		return err
	}
	h := k.Hasher()
	if err := t.makeTombstones(e, p, h); err != nil {
		return err
	}
	t.s.fault("erase")
	anchors := slices.Clone(p.Anchors)
	for _, m := range p.Marks {
		if m.Kind == KindRecord {
			key, _ := record.ParseKey(m.Value) // checkMarks has read it
			if err := t.eraseRecord(e, key, h); err != nil {
				return err
			}
			anchors = append(anchors, recordSubject(key))
		}
	}
	for _, anchor := range anchors {
		if err := t.eraseAnchor(e, anchor, h); err != nil {
			return err
		}
	}
	for _, id := range e.Identities {
		n, err := t.eraseAnswers(identitySubject(id))
		if err != nil {
			return err
		}
		e.Counts.Answers += n
	}
	if _, err := t.appendFeed(p.Feed); err != nil {
		return err
	}
	counts, err := json.Marshal(e.Counts)
	if err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO erasures ("+erasureColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7)",
		e.ID, e.At.UnixMicro(), e.Reason, e.By, listText(e.Identities), string(counts), listText(e.Uncaught))
	return err
}

func (t *txn) makeTombstones(e *Erasure, p *Person, h *Hasher) (err error) {
	const columns = "kind, key_version, digest, erasure, made, lifted_by"
	for _, m := range p.Marks {
		d := h.Digest(m.Kind, m.Value)
		n, err := t.exec("INSERT INTO tombstones ("+columns+") VALUES ($1, $2, $3, $4, $5, '') ON CONFLICT DO NOTHING",
			m.Kind, h.version, d[:], e.ID, t.now.UnixMicro())
		if err != nil {
			return err
		}
		e.Counts.Tombstones += n
	}
	return nil
}

// eraseRecord removes the online records of a key and blanks the decisions on
// it.
func (t *txn) eraseRecord(e *Erasure, k record.Key, h *Hasher) error {
	n, err := t.exec("DELETE FROM online_records WHERE source = $1 AND record_id = $2", k.Source, k.ID)
	if err != nil {
		return err
	}
	e.Counts.Online += n
	list, err := readDecisions(t.ctx, t.tx, selectDecisions+" WHERE source_a = $1 AND record_a = $2 OR source_b = $3 AND record_b = $4", k.Source, k.ID, k.Source, k.ID)
	if err != nil || len(list) == 0 {
		return err
	}
	if _, err := t.take(headDecisions, 1); err != nil {
		return err
	}
	gone := record.Key{Source: k.Source, ID: ErasedAnchor + h.Digest(KindRecord, k.String()).String()}
	for _, d := range list {
		if d.A == k {
			d.A = gone
		}
		if d.B == k {
			d.B = gone
		}
		d.A, d.B = ordered(d.A, d.B)
		if d.Active() {
			d.Revoked, d.RevokedBy = t.now, fmt.Sprintf("erasure %d", e.ID)
			e.Counts.Decisions++
		}
		_, err := t.exec("UPDATE decisions SET source_a = $1, record_a = $2, source_b = $3, record_b = $4, reason = '', revoked = $5, revoked_by = $6, revoke_reason = '' WHERE id = $7",
			d.A.Source, d.A.ID, d.B.Source, d.B.ID, d.Revoked.UnixMicro(), d.RevokedBy, d.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// eraseAnchor ties consents to a digest, under the kind and value of the anchor
// itself, so that a record's is the digest of its tombstone.
func (t *txn) eraseAnchor(e *Erasure, anchor string, h *Hasher) error {
	kind, value, _ := strings.Cut(anchor, ":")
	gone := fmt.Sprintf("%s%s:%d:%s", ErasedAnchor, kind, h.version, h.Digest(kind, value))
	n, err := t.exec("UPDATE consents SET anchor = $1 WHERE anchor = $2", gone, anchor)
	if err != nil {
		return err
	}
	e.Counts.Consents += n
	n, err = t.eraseAnswers(anchor)
	e.Counts.Answers += n
	return err
}

const erasureColumns = "id, at, reason, made_by, identities, counts, uncaught"

// Erasures returns the erasures with ids above after, in order of their ids.
func (s *Store) Erasures(ctx context.Context, after int64) ([]Erasure, error) {
	var list []Erasure
	err := eachRow(ctx, s.read, func(rows *sql.Rows) error {
		var e Erasure
		var at sql.NullInt64
		var identities, counts, uncaught string
		if err := rows.Scan(&e.ID, &at, &e.Reason, &e.By, &identities, &counts, &uncaught); err != nil {
			return err
		}
		e.At = ofMicros(at)
		err := errors.Join(ofListText(identities, &e.Identities), json.Unmarshal([]byte(counts), &e.Counts), ofListText(uncaught, &e.Uncaught))
		list = append(list, e)
		return err
	}, "SELECT "+erasureColumns+" FROM erasures WHERE id > $1 ORDER BY id", after)
	return list, s.failed("reading erasures from", err)
}

// erasedFrom are the tables that an erasure takes something from.
var erasedFrom = []string{"online_records", "consents", "answers", "answer_subjects", "decisions"}

// Scrub removes what was erased from the files of the state, as far as the
// database can. It reports false where others were reading for so long that it
// could not; to be called again then. It writes the tables that hold something
// of persons anew, 6 µs a row, while other writers wait; [Store.ScrubDue] says
// whether there is a reason to.
//
// SQLite overwrites rows that are deleted (secure_delete), but not every copy
// that it once made of them; writing anew frees those pages, which overwrites
// them, and then the write-ahead log is moved into the file and emptied.
// PostgreSQL leaves deleted rows in place until VACUUM; Scrub does VACUUM FULL,
// for which readers of those tables wait too. Its own log, and its archive of
// it, keep the old bytes until they are recycled. Backups of either database,
// and blocks of the disk that are free again, are beyond it: how long those are
// kept is part of an erasure.
func (s *Store) Scrub(ctx context.Context) (clean bool, err error) {
	last, _, err := s.scrubbed(ctx)
	if err != nil {
		return false, err
	}
	if clean, err = s.dialect.scrub(ctx, s.write, s.opt, erasedFrom); err != nil || !clean {
		return false, s.failed("scrubbing", err)
	}
	err = s.transact(ctx, "scrubbing", func(t *txn) error {
		_, err := t.exec("UPDATE heads SET last = $1 WHERE name = $2 AND last < $3", last, headScrubbed, last)
		return err
	})
	return err == nil, err
}

// ScrubDue reports whether the files may still have something of somebody who
// was erased.
func (s *Store) ScrubDue(ctx context.Context) (bool, error) {
	last, upTo, err := s.scrubbed(ctx)
	return upTo < last, err
}

// scrubbed returns the last erasure, and the one up to which the files were
// scrubbed.
func (s *Store) scrubbed(ctx context.Context) (last, upTo int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT COALESCE((SELECT MAX(id) FROM erasures), 0), last FROM heads WHERE name = $1", headScrubbed).Scan(&last, &upTo)
	return last, upTo, s.failed("reading erasures from", err)
}
