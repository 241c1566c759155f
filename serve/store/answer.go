package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"sama/record"
)

// Also is what a change does besides, in the same transaction.
type Also struct {
	// Feed are events to append, in this order.
	Feed []FeedEvent
	// Erasures is the [Revision] of the tombstones that the change was held
	// against; nil if it was not. If they have changed since, it is refused with a
	// [*ErasedMeanwhileError].
	Erasures *int64
	// Request is the request that the change answers; nil if it has no
	// idempotency key.
	Request *Request
}

// Request is a request with an idempotency key, whose answer is remembered.
type Request struct {
	Client, Key string
	// Digest is a hash of all that makes the request: another request under the
	// same key is refused.
	Digest [32]byte
	// Keep is how long the answer is remembered; 0 is 24 hours.
	Keep time.Duration
	// Identities are the ids of whom the answer tells, by which an erasure finds
	// it. Records and anchors of the change itself are known without.
	Identities []string
	// Answer makes the answer from the numbers that the change was given. It
	// may be called more than once, and the last call counts.
	Answer func(numbers []int64) (status int, body []byte)
}

// Done says what a change did.
type Done struct {
	// Numbers are the numbers of the rows, in their order: sequence numbers of
	// online records, ids of consent events. Nil if Replayed.
	Numbers []int64
	// Feed is the sequence number of the last feed event, 0 without.
	Feed int64
	// Replayed says that the request was answered before and nothing was
	// changed.
	Replayed bool
	// Status and Body are the answer, of now or then. A Status of [StatusErased]
	// says that whom it was about has been erased since.
	Status int
	Body   []byte
}

// StatusErased takes the place of an answer about somebody who was erased. It
// is the status Gone of HTTP.
const StatusErased = 410

// KeyUsedError refuses a request whose idempotency key belongs to another one.
type KeyUsedError struct{ Client, Key string }

// Error says what to do.
func (e *KeyUsedError) Error() string {
	return fmt.Sprintf("client %s has used the idempotency key %q for another request; take a new key", e.Client, e.Key)
}

func (*KeyUsedError) aboutState() {}

// ErasedMeanwhileError refuses a change that was held against tombstones to which
// others have come since. It can be tried again.
type ErasedMeanwhileError struct{}

// Error says so.
func (*ErasedMeanwhileError) Error() string {
	return "somebody was erased while this was looked at; try again"
}

func (*ErasedMeanwhileError) aboutState() {}

const keepAnswers = 24 * time.Hour

// maxKey is the length of the longest idempotency key, in bytes.
const maxKey = 255

func (a *Also) check() error {
	if err := checkFeed(a.Feed); err != nil {
		return err
	}
	r := a.Request
	if r == nil {
		return nil
	}
	if r.Client == "" || r.Key == "" || len(r.Key) > maxKey || r.Answer == nil {
		return &invalidError{fmt.Errorf("want a client, an idempotency key of 1 to %d bytes, and an answer", maxKey)}
	}
	if err := errors.Join(checkText("client", r.Client), checkText("idempotency key", r.Key)); err != nil {
		return &invalidError{err}
	}
	return nil
}

// Answered returns what was answered to a request, false if it is new. Where
// its key belongs to another request the error is a [*KeyUsedError]. It saves
// work; it is the change itself that cannot be done twice.
func (s *Store) Answered(ctx context.Context, r *Request) (Done, bool, error) {
	done, found, err := answered(ctx, s.read, r, s.opt.Now())
	return done, found == answerHolds, s.failed("reading answers from", err)
}

// What there is under an idempotency key.
const (
	answerNone = iota
	answerExpired
	answerHolds
)

func answered(ctx context.Context, db queryer, r *Request, now time.Time) (_ Done, found int, err error) {
	var request []byte
	var expires int64
	d := Done{Replayed: true}
	err = db.QueryRowContext(ctx, "SELECT request, status, body, expires FROM answers WHERE client = $1 AND key = $2",
		r.Client, r.Key).Scan(&request, &d.Status, &d.Body, &expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Done{}, answerNone, nil
	case err != nil:
		return Done{}, answerNone, err
	case expires <= now.UnixMicro():
		return Done{}, answerExpired, nil
	case len(request) > 0 && !bytes.Equal(request, r.Digest[:]):
		return Done{}, answerNone, &KeyUsedError{r.Client, r.Key}
	}
	return d, answerHolds, nil
}

// also runs a change with what it does besides. subjects are whom the change is
// about, as anchors.
func (t *txn) also(a *Also, subjects []string, change func() ([]int64, error)) (Done, error) {
	r, found := a.Request, answerNone
	var d Done
	var err error
	if r != nil {
		d, found, err = answered(t.ctx, t.tx, r, t.now)
		if found == answerHolds || err != nil {
			return d, err
		}
	}
	if a.Erasures != nil {
		last, err := t.last(headErasures)
		if err == nil && last != *a.Erasures {
			err = &ErasedMeanwhileError{}
		}
		if err != nil {
			return Done{}, err
		}
	}
	if d.Numbers, err = change(); err != nil {
		return Done{}, err
	}
	if d.Feed, err = t.appendFeed(a.Feed); err != nil || r == nil {
		return d, err
	}
	if found == answerExpired {
		if err := t.forgetAnswer(r.Client, r.Key); err != nil {
			return Done{}, err
		}
	}
	d.Status, d.Body = r.Answer(d.Numbers)
	keep := r.Keep
	if keep <= 0 {
		keep = keepAnswers
	}
	_, err = t.exec("INSERT INTO answers (client, key, request, status, body, made, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		r.Client, r.Key, r.Digest[:], int64(d.Status), notNil(d.Body), t.now.UnixMicro(), t.now.Add(keep).UnixMicro())
	if err != nil {
		return Done{}, err
	}
	for _, id := range r.Identities {
		subjects = append(subjects, identitySubject(id))
	}
	slices.Sort(subjects)
	subjects = slices.Compact(subjects)
	return d, t.insert("answer_subjects", "subject, client, key", "", len(subjects), func(i int, args []any) []any {
		return append(args, subjects[i], r.Client, r.Key)
	})
}

func (t *txn) forgetAnswer(client, key string) error {
	if _, err := t.exec("DELETE FROM answer_subjects WHERE client = $1 AND key = $2", client, key); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM answers WHERE client = $1 AND key = $2", client, key)
	return err
}

// What changes answers by whom they are about, or by their end, finds them by an
// index: there are as many as requests in a day, and meanwhile others wait.
const (
	aboutSubject   = "(client, key) IN (SELECT client, key FROM answer_subjects WHERE subject = $1)"
	blankAnswers   = "UPDATE answers SET request = $2, status = $3, body = $4 WHERE " + aboutSubject
	dropSubjects   = "DELETE FROM answer_subjects WHERE " + aboutSubject
	hasExpired     = "(client, key) IN (SELECT client, key FROM answers WHERE expires <= $1 ORDER BY expires, client, key LIMIT $2)"
	sweptSubjects  = "DELETE FROM answer_subjects WHERE " + hasExpired
	expiredAnswers = "DELETE FROM answers WHERE " + hasExpired
)

// eraseAnswers leaves of the answers about a subject that there was one, and
// returns how many there were.
func (t *txn) eraseAnswers(subject string) (int64, error) {
	n, err := t.exec(blankAnswers, subject, []byte{}, int64(StatusErased), []byte{})
	if err != nil || n == 0 {
		return n, err
	}
	_, err = t.exec(dropSubjects, subject)
	return n, err
}

// sweptAtOnce is how many answers are swept while other writers wait, which is
// for 7 µs an answer.
const sweptAtOnce = 500

// SweepAnswers removes the answers that have expired and returns how many. It
// does so in several transactions, between which others write.
func (s *Store) SweepAnswers(ctx context.Context) (removed int64, err error) {
	for n := int64(sweptAtOnce); n == sweptAtOnce; removed += n {
		err := s.transact(ctx, "sweeping answers of", func(t *txn) error {
			if _, err := t.exec(sweptSubjects, t.now.UnixMicro(), int64(sweptAtOnce)); err != nil {
				return err
			}
			n, err = t.exec(expiredAnswers, t.now.UnixMicro(), int64(sweptAtOnce))
			return err
		})
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// recordSubject and identitySubject are whom something is about, in the form
// of anchors.
func recordSubject(k record.Key) string      { return recordAnchor + k.String() }
func identitySubject(identity string) string { return "identity:" + identity }

const recordAnchor = "record:"

// notNil is bytes for a column that is never NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
