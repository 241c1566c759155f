package consent

import (
	"testing"
	"time"
)

// TestWhatARecordSaysIsAboutItsContactPoints asks for the two addresses of one
// record, and for one that it does not have.
func TestWhatARecordSaysIsAboutItsContactPoints(t *testing.T) {
	own := []Contact{{"email", "aa"}, {"email", "bb"}, {"phone", "cc"}}
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	p := &Purpose{ID: "news", Title: "News", Controller: "us", Basis: BasisConsent, Channels: []Channel{"email", "post"}, Fields: []string{"email"}, TextVersion: "1"}
	said := func(id int64, channel Channel, act Act, by Authenticated, at int) Event {
		return Event{ID: id, Anchor: OfRecord("crm", "1"), Purpose: "news", Channel: channel, Controller: "us", Act: act, At: day(at), Recorded: day(at), Authenticated: by}
	}
	for _, c := range []struct {
		what               string
		events             []Event
		aa, bb, other, now bool // now: by post, which has no contact point
	}{
		{"a grant by e-mail", []Event{said(1, "email", ActGrant, Import, 1)}, true, true, false, false},
		{"a grant on any channel", []Event{said(1, AnyChannel, ActGrant, Import, 1)}, true, true, false, true},
		{"a refusal after it", []Event{said(1, AnyChannel, ActGrant, Import, 1), said(2, "email", ActDeny, Import, 2)}, false, false, false, true},
		{"withdrawn and given again by the person", []Event{
			said(1, AnyChannel, ActGrant, Account, 1), said(2, AnyChannel, ActWithdraw, Account, 2), said(3, AnyChannel, ActGrant, Account, 3)}, true, true, false, true},
		{"withdrawn on any channel", []Event{said(1, "email", ActGrant, Account, 1), said(2, AnyChannel, ActWithdraw, Account, 2)}, false, false, false, false},
		{"given again by e-mail alone", []Event{said(1, AnyChannel, ActWithdraw, Account, 2), said(2, "email", ActGrant, Account, 3)}, true, true, false, false},
	} {
		var ledger []Event
		for _, e := range c.events {
			ledger = Spread(ledger, e, own)
		}
		for _, q := range []struct {
			Question
			want bool
		}{
			{Question{Channel: "email", Contact: own[0]}, c.aa},
			{Question{Channel: "email", Contact: own[1]}, c.bb},
			{Question{Channel: "email", Contact: Contact{"email", "dd"}}, c.other},
			{Question{Channel: "post"}, c.now},
		} {
			if d := Decide(p, q.Question, ledger, day(20)); d.Allowed != q.want {
				t.Errorf("%s: %v is %v (%v), want %v", c.what, q.Question, d.Allowed, d.Reason, q.want)
			}
		}
	}
}
