package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func claimed(t *testing.T, s *Store, limit int) []Webhook {
	t.Helper()
	list, err := s.ClaimWebhooks(ctx, limit, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func idsOf(list []Webhook) []int64 {
	var ids []int64
	for _, w := range list {
		ids = append(ids, w.ID)
	}
	return ids
}

func TestWebhooksAreServedInTurn(t *testing.T) { eachDatabase(t, webhooksAreServedInTurn) }

func webhooksAreServedInTurn(t *testing.T, b backend) {
	var c clock
	location := b.fresh(t)
	s, other := openClocked(t, location, &c), openClocked(t, location, &c)
	for _, client := range []string{"garage", "mailer", "garage"} {
		w := Webhook{Client: client, URL: "https://example.org/hook", Secret: []byte{0, 1, 255}, Kinds: []string{"erased"}}
		added, err := s.AddWebhook(ctx, w)
		if err != nil {
			t.Fatal(err)
		}
		list, err := other.Webhooks(ctx, client)
		if err != nil || !cmp.Equal(list[len(list)-1], added) {
			t.Errorf("%v\n%s", err, cmp.Diff(added, list[len(list)-1]))
		}
		c.advance(time.Second)
	}
	if list := claimed(t, s, 9); list != nil {
		t.Errorf("nothing has happened and %v are due", idsOf(list))
	}
	if _, err := s.AppendFeed(ctx, []FeedEvent{{Kind: "erased", Identity: "i"}, {Kind: "x"}}); err != nil {
		t.Fatal(err)
	}
	first := claimed(t, s, 2)
	if got := idsOf(first); !cmp.Equal(got, []int64{1, 2}) {
		t.Errorf("claimed %v", got)
	}
	if got := idsOf(claimed(t, other, 9)); !cmp.Equal(got, []int64{3}) {
		t.Errorf("claimed %v", got)
	}
	// 1 is delivered in part, 2 fails, 3 is given to somebody who dies.
	if err := s.RecordOutcome(ctx, first[0], WebhookOutcome{Place: Place{1, 0}}); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordOutcome(ctx, first[1], WebhookOutcome{Failure: "status 500", Next: c.now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordOutcome(ctx, Webhook{ID: 1}, WebhookOutcome{}); !isLost(err) {
		t.Errorf("without a claim: %v", err)
	}
	again := claimed(t, other, 9)
	if got := idsOf(again); !cmp.Equal(got, []int64{1}) || again[0].Place.Seq != 1 {
		t.Errorf("claimed %v", got)
	}
	c.advance(time.Minute)
	late := claimed(t, s, 9) // the leases have run out, in order of who waited longest
	if got := idsOf(late); !cmp.Equal(got, []int64{3, 1}) {
		t.Errorf("claimed %v", got)
	}
	if err := other.RecordOutcome(ctx, again[0], WebhookOutcome{Place: Place{2, 0}}); !isLost(err) {
		t.Errorf("too late: %v", err)
	}
	for _, w := range late {
		if err := s.RecordOutcome(ctx, w, WebhookOutcome{Place: Place{2, 0}}); err != nil {
			t.Error(err)
		}
	}
	c.advance(time.Hour)
	retry := claimed(t, s, 9)
	if got := idsOf(retry); !cmp.Equal(got, []int64{2}) || retry[0].Failures != 1 || retry[0].Failure != "status 500" || retry[0].Failing.IsZero() {
		t.Errorf("claimed %v", retry)
	}
	if err := s.RecordOutcome(ctx, retry[0], WebhookOutcome{Failure: "status 500", Disable: true}); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	if list := claimed(t, s, 9); list != nil {
		t.Errorf("claimed %v", idsOf(list))
	}
	set(t, s)
}

// set changes the subscription that webhooksAreServedInTurn has left disabled.
func set(t *testing.T, s *Store) {
	t.Helper()
	disabled, err := s.Webhooks(ctx, "mailer")
	if err != nil || disabled[0].State != WebhookDisabled || disabled[0].Failures != 2 {
		t.Errorf("%v %v", disabled, err)
	}
	if _, err := s.SetWebhook(ctx, "garage", 2, WebhookActive); err == nil {
		t.Error("another client's was changed")
	}
	if w, err := s.SetWebhook(ctx, "mailer", 2, WebhookActive); err != nil || w.Failures != 0 {
		t.Errorf("%v %v", w, err)
	}
	due := claimed(t, s, 9)
	if got := idsOf(due); !cmp.Equal(got, []int64{2}) {
		t.Fatalf("claimed %v", got)
	}
	if _, err := s.SetWebhook(ctx, "mailer", 2, WebhookPaused); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordOutcome(ctx, due[0], WebhookOutcome{Place: Place{2, 0}}); !isLost(err) {
		t.Errorf("paused meanwhile: %v", err)
	}
	// A marker that is read as many rows is due until it was read to its end.
	if w, err := s.SetWebhook(ctx, "garage", 1, WebhookActive); err != nil || w.Place.Seq != 2 {
		t.Errorf("%v %v", w, err)
	}
	if err := s.RemoveWebhook(ctx, "mailer", 1); err == nil {
		t.Error("another client's was removed")
	}
	if err := s.RemoveWebhook(ctx, "garage", 1); err != nil {
		t.Error(err)
	}
	if list, err := s.Webhooks(ctx, ""); err != nil || !cmp.Equal(idsOf(list), []int64{2, 3}) {
		t.Errorf("%v %v", idsOf(list), err)
	}
	for _, wrong := range []Webhook{{URL: "https://x", Secret: []byte("x")}, {Client: "c", URL: "ftp://x", Secret: []byte("x")}, {Client: "c", URL: "https://x"}, {Client: "c", URL: "https://x", Secret: []byte("x"), Kinds: []string{""}}} {
		if _, err := s.AddWebhook(ctx, wrong); err == nil {
			t.Errorf("added %v", wrong)
		}
	}
}

func isLost(err error) bool {
	_, ok := errors.AsType[*ClaimLostError](err)
	return ok
}
