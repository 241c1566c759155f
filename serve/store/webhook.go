package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// WebhookState is whether a subscription is served.
type WebhookState string

// The states.
const (
	WebhookActive   WebhookState = "active"
	WebhookPaused   WebhookState = "paused"   // by its client
	WebhookDisabled WebhookState = "disabled" // because it failed for too long
)

// Place is a place in the feed: after the event Seq, or, of a marker that is
// read as many rows, after the first Row of them.
type Place struct{ Seq, Row int64 }

// Webhook is a client's wish to be told of what the feed has. It has no copy of
// what is sent: it is a place in the feed.
type Webhook struct {
	ID     int64 // from 1; 0 = not added
	Client string
	URL    string
	Secret []byte   // for signing, so it is kept as it is
	Kinds  []string // of the events; empty = all
	Place  Place    // what was delivered
	State  WebhookState
	Made   time.Time

	Failures    int64     // since the last success
	Failing     time.Time // since when; zero = it does not fail
	Failure     string    // the last one
	NextAttempt time.Time
	Claim       int64     // whoever has this number may say what came of it
	Claimed     time.Time // until when nobody else may; zero = nobody has it
}

// NoWebhookError says that there is no such subscription.
type NoWebhookError struct{ ID int64 }

// Error says which.
func (e *NoWebhookError) Error() string { return fmt.Sprintf("there is no webhook %d", e.ID) }

// ClaimLostError refuses the outcome of an attempt that took so long that
// somebody else has begun another, or whose subscription was changed since.
type ClaimLostError struct{ ID int64 }

// Error says so.
func (e *ClaimLostError) Error() string {
	return fmt.Sprintf("the attempt at webhook %d was given to somebody else meanwhile", e.ID)
}

func (*NoWebhookError) aboutState() {}
func (*ClaimLostError) aboutState() {}

const webhookColumns = "id, client, url, secret, kinds, cursor_seq, cursor_row, state, failures, failing, failure, next_attempt, claim, claimed, made"

// AddWebhook adds a subscription, which begins after Place, and returns it.
func (s *Store) AddWebhook(ctx context.Context, w Webhook) (Webhook, error) {
	if err := w.check(); err != nil {
		return Webhook{}, &invalidError{err}
	}
	err := s.transact(ctx, "adding a webhook to", func(t *txn) (err error) {
		if w.ID, err = t.take(headWebhooks, 1); err != nil {
			return err
		}
		w = Webhook{ID: w.ID, Client: w.Client, URL: w.URL, Secret: w.Secret, Kinds: w.Kinds, Place: w.Place, State: WebhookActive, Made: t.now, NextAttempt: t.now}
		_, err = t.exec("INSERT INTO webhooks ("+webhookColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, NULL, '', $9, 0, 0, $10)",
			w.ID, w.Client, w.URL, w.Secret, listText(w.Kinds), w.Place.Seq, w.Place.Row, string(w.State), w.NextAttempt.UnixMicro(), w.Made.UnixMicro())
		return err
	})
	if err != nil {
		return Webhook{}, err
	}
	return w, nil
}

func (w *Webhook) check() error {
	var errs []error
	if w.Client == "" || checkText("client", w.Client) != nil {
		errs = append(errs, errors.New("want the client of the webhook"))
	}
	if u, err := url.Parse(w.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || checkText("url", w.URL) != nil {
		errs = append(errs, errors.New("want the webhook's URL, https://…"))
	}
	if len(w.Secret) == 0 {
		errs = append(errs, errors.New("want a secret to sign with"))
	}
	for _, kind := range w.Kinds {
		if !isWord(kind) {
			errs = append(errs, fmt.Errorf("kind %q: want a kind of feed event", kind))
		}
	}
	if w.Place.Seq < 0 || w.Place.Row < 0 {
		errs = append(errs, errors.New("want a place in the feed"))
	}
	return errors.Join(errs...)
}

// Webhooks returns the subscriptions of a client, of all if it is "", in order
// of their ids.
func (s *Store) Webhooks(ctx context.Context, client string) ([]Webhook, error) {
	query, args := "SELECT "+webhookColumns+" FROM webhooks", []any(nil)
	if client != "" {
		query, args = query+" WHERE client = $1", []any{client}
	}
	list, err := readWebhooks(ctx, s.read, query+" ORDER BY id", args...)
	return list, s.failed("reading webhooks from", err)
}

// SetWebhook puts a subscription into another state and returns it. An attempt
// that is under way loses its claim; one that is made active again is due at
// once, without a failure behind it. The error is a [*NoWebhookError] if there
// is none of that id and client.
func (s *Store) SetWebhook(ctx context.Context, client string, id int64, state WebhookState) (Webhook, error) {
	if state != WebhookActive && state != WebhookPaused && state != WebhookDisabled {
		return Webhook{}, &invalidError{fmt.Errorf("state %q: want active, paused or disabled", state)}
	}
	var w Webhook
	err := s.transact(ctx, "changing a webhook in", func(t *txn) error {
		claim, err := t.take(headClaims, 1)
		if err != nil {
			return err
		}
		if _, err := t.take(headWebhooks, 1); err != nil {
			return err
		}
		n, err := t.exec("UPDATE webhooks SET state = $1, claim = $2, claimed = 0, next_attempt = $3, failures = 0, failing = NULL, failure = '' WHERE id = $4 AND client = $5",
			string(state), claim, t.now.UnixMicro(), id, client)
		if err != nil {
			return err
		}
		if n == 0 {
			return &NoWebhookError{id}
		}
		w, err = webhookOf(t, id)
		return err
	})
	if err != nil {
		return Webhook{}, err
	}
	return w, nil
}

// RemoveWebhook removes a subscription. The error is a [*NoWebhookError] if
// there is none of that id and client.
func (s *Store) RemoveWebhook(ctx context.Context, client string, id int64) error {
	return s.transact(ctx, "removing a webhook from", func(t *txn) error {
		if _, err := t.take(headWebhooks, 1); err != nil {
			return err
		}
		n, err := t.exec("DELETE FROM webhooks WHERE id = $1 AND client = $2", id, client)
		if err == nil && n == 0 {
			err = &NoWebhookError{id}
		}
		return err
	})
}

// ClaimWebhooks returns subscriptions that are due, at most limit, those first
// that have waited longest, and keeps them for the caller for as long as lease:
// who dies meanwhile delays them, and nothing is lost. Due is what is active,
// has events after its place, and whose next attempt has come.
func (s *Store) ClaimWebhooks(ctx context.Context, limit int, lease time.Duration) ([]Webhook, error) {
	var list []Webhook
	err := s.transact(ctx, "claiming webhooks of", func(t *txn) (err error) {
		now := t.now.UnixMicro()
		list, err = readWebhooks(t.ctx, t.tx, "SELECT "+webhookColumns+" FROM webhooks WHERE state = 'active' AND next_attempt <= $1 AND claimed <= $2"+
			" AND (cursor_row > 0 OR cursor_seq < (SELECT last FROM heads WHERE name = $3)) ORDER BY next_attempt, id LIMIT $4", now, now, headFeed, int64(limit))
		if err != nil || len(list) == 0 {
			return err
		}
		claim, err := t.take(headClaims, len(list))
		if err != nil {
			return err
		}
		for i := range list {
			w := &list[i]
			w.Claim, w.Claimed = claim+int64(i), kept(t.now.Add(lease))
			if _, err := t.exec("UPDATE webhooks SET claim = $1, claimed = $2 WHERE id = $3", w.Claim, w.Claimed.UnixMicro(), w.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// WebhookOutcome is what came of an attempt.
type WebhookOutcome struct {
	Place   Place     // what has been delivered now
	Failure string    // without personal data; "" = all went well
	Next    time.Time // the next attempt; zero = at once
	Disable bool      // it has failed for too long
}

// RecordOutcome notes what came of an attempt and lets the subscription go. The
// error is a [*ClaimLostError] if the claim is no longer the caller's; nothing
// is noted then, and what was delivered is delivered again.
func (s *Store) RecordOutcome(ctx context.Context, w Webhook, o WebhookOutcome) error {
	if err := checkText("failure", o.Failure); err != nil {
		return &invalidError{err}
	}
	return s.transact(ctx, "recording an attempt in", func(t *txn) error {
		next, failing, failures, state := t.now, w.Failing, w.Failures, WebhookActive
		if !o.Next.IsZero() {
			next = o.Next
		}
		switch {
		case o.Failure == "":
			failing, failures = time.Time{}, 0
		case failing.IsZero():
			failing, failures = t.now, 1
		default:
			failures++
		}
		if o.Disable {
			state = WebhookDisabled
		}
		n, err := t.exec("UPDATE webhooks SET cursor_seq = $1, cursor_row = $2, failures = $3, failing = $4, failure = $5, next_attempt = $6, state = $7, claimed = 0 WHERE id = $8 AND claim = $9",
			o.Place.Seq, o.Place.Row, failures, micros(failing), o.Failure, next.UnixMicro(), string(state), w.ID, w.Claim)
		if err == nil && n == 0 {
			err = &ClaimLostError{w.ID}
		}
		return err
	})
}

func webhookOf(t *txn, id int64) (Webhook, error) {
	list, err := readWebhooks(t.ctx, t.tx, "SELECT "+webhookColumns+" FROM webhooks WHERE id = $1", id)
	if err == nil && len(list) == 0 {
		err = &NoWebhookError{id}
	}
	if err != nil {
		return Webhook{}, err
	}
	return list[0], nil
}

func readWebhooks(ctx context.Context, db queryer, query string, args ...any) ([]Webhook, error) {
	var list []Webhook
	err := eachRow(ctx, db, func(rows *sql.Rows) error {
		var w Webhook
		var kinds, state string
		var failing, next, made sql.NullInt64
		var claimed int64
		err := rows.Scan(&w.ID, &w.Client, &w.URL, &w.Secret, &kinds, &w.Place.Seq, &w.Place.Row, &state, &w.Failures, &failing, &w.Failure, &next, &w.Claim, &claimed, &made)
		if err != nil {
			return err
		}
		w.State, w.Failing, w.NextAttempt, w.Made = WebhookState(state), ofMicros(failing), ofMicros(next), ofMicros(made)
		if claimed > 0 {
			w.Claimed = time.UnixMicro(claimed).UTC()
		}
		err = ofListText(kinds, &w.Kinds)
		list = append(list, w)
		return err
	}, query, args...)
	return list, err
}
