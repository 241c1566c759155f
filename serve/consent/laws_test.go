package consent

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Days of the laws: few, so that acts often fall together.
func dayN(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }

var lawAnchors = []Anchor{
	OfRecord("crm", "17"), OfRecord("web", "4"), OfAccount("a1"), OfContact(contactN(1)), OfContact(contactN(2)),
}

// drawEvent draws acts that are mostly about the newsletter of Shop Oy.
func drawEvent(acts ...Act) *rapid.Generator[Event] {
	return rapid.Custom(func(t *rapid.T) Event {
		e := Event{
			ID:            int64(rapid.IntRange(0, 5).Draw(t, "id")),
			Anchor:        rapid.SampledFrom(lawAnchors).Draw(t, "anchor"),
			Purpose:       rapid.SampledFrom([]string{"newsletter", "newsletter", "newsletter", "", "profiling"}).Draw(t, "purpose"),
			Channel:       rapid.SampledFrom([]Channel{"email", "email", "", "sms"}).Draw(t, "channel"),
			Controller:    rapid.SampledFrom([]string{"Shop Oy", "Shop Oy", "Shop Oy", "", "Other Oy"}).Draw(t, "controller"),
			Act:           rapid.SampledFrom(acts).Draw(t, "act"),
			Source:        rapid.SampledFrom([]string{"crm", "web"}).Draw(t, "source"),
			Authenticated: rapid.SampledFrom([]Authenticated{Import, Import, Staff, Account, Strong}).Draw(t, "authenticated"),
			At:            dayN(rapid.IntRange(1, 7).Draw(t, "at")),
		}
		if e.Anchor.Kind != ContactAnchor {
			e.Contact = contactN(rapid.SampledFrom([]int{0, 0, 1, 1, 2}).Draw(t, "contact"))
		}
		if rapid.IntRange(0, 3).Draw(t, "has recorded") == 0 {
			e.Recorded = dayN(rapid.IntRange(1, 7).Draw(t, "recorded"))
		}
		if e.Act == ActGrant {
			if e.Purpose == "" {
				e.Purpose = "newsletter"
			}
			if e.Controller == "" {
				e.Controller = "Shop Oy"
			}
			if rapid.IntRange(0, 3).Draw(t, "expires") == 0 {
				e.Expires = dayN(rapid.IntRange(1, 9).Draw(t, "expiry"))
			}
		}
		if e.Act == ActErase || e.Act == ActLiftErasure {
			e.Purpose, e.Channel, e.Controller = "", "", ""
		}
		return e
	})
}

// against are the acts that can only narrow.
var against = []Act{ActDeny, ActWithdraw, ActObject, ActRestrict, ActErase}

// usual leaves the rare acts rare.
var usual = append(slices.Repeat([]Act{ActGrant, ActGrant, ActDeny, ActWithdraw}, 3), Acts()...)

func drawEvents(t *rapid.T, label string, acts ...Act) []Event {
	return rapid.SliceOfN(drawEvent(acts...), 0, 7).Draw(t, label)
}

func drawPurpose(t *rapid.T) *Purpose {
	p := newsletter()
	p.Basis = rapid.SampledFrom(append(slices.Repeat([]Basis{BasisConsent, BasisLegitimateInterest}, 4), Bases()...)).Draw(t, "basis")
	p.DirectMarketing = (p.Basis == BasisConsent || p.Basis == BasisLegitimateInterest) && rapid.Bool().Draw(t, "direct marketing")
	return p
}

func drawQuestion(t *rapid.T) Question {
	return Question{
		Channel: rapid.SampledFrom([]Channel{"email", "email", "", "sms", "post"}).Draw(t, "asked channel"),
		Contact: contactN(rapid.IntRange(0, 2).Draw(t, "asked contact")),
	}
}

func drawNow(t *rapid.T) time.Time { return dayN(rapid.IntRange(3, 9).Draw(t, "now")) }

// union is the merger of two parts of a ledger.
func union(a, b []Event) []Event { return append(slices.Clone(a), b...) }

// drawDense draws acts of which nearly all are about one question and few days,
// and some that are not valid: grants that leave open what they must name.
func drawDense(t *rapid.T) []Event {
	themes := [][]Act{
		{ActGrant, ActGrant, ActDeny}, {ActGrant}, {ActGrant, ActObject, ActLiftObjection, ActLift},
		{ActGrant, ActRestrict, ActLift, ActLiftRestriction}, {ActErase, ActLiftErasure, ActLift, ActGrant}, append(Acts(), 0, 11, 255),
	}
	events := rapid.SliceOfN(drawEvent(rapid.SampledFrom(themes).Draw(t, "theme")...), 0, 6).Draw(t, "dense events")
	ways := rapid.SampledFrom([][]Authenticated{{Import}, {Staff}, {Import, Account}, {Staff, Strong}, {Import, Staff, Account}}).Draw(t, "ways")
	for i := range events {
		e := &events[i]
		e.Purpose, e.Channel, e.Controller = "newsletter", "email", "Shop Oy"
		e.Anchor = rapid.SampledFrom(lawAnchors[:2]).Draw(t, "one of two")
		e.Contact = contactN(rapid.SampledFrom([]int{0, 1, 1}).Draw(t, "contact"))
		e.Authenticated = rapid.SampledFrom(ways).Draw(t, "way")
		e.Source = "crm"
		e.ID = int64(i)
		e.At = dayN(rapid.IntRange(1, 4).Draw(t, "day"))
		if e.Act == ActGrant && rapid.Bool().Draw(t, "ends") {
			e.Expires = dayN(rapid.IntRange(2, 6).Draw(t, "end"))
		}
		switch rapid.IntRange(0, 9).Draw(t, "leaves open") {
		case 0:
			e.Purpose = ""
		case 1:
			e.Controller = ""
		case 2:
			e.Channel = ""
		}
	}
	return events
}

func TestDecideTellsTheSameStoryAsReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, now, events := drawPurpose(t), drawQuestion(t), drawNow(t), drawEvents(t, "events", usual...)
		if rapid.IntRange(0, 2).Draw(t, "dense") > 0 {
			events, now = drawDense(t), dayN(rapid.IntRange(2, 6).Draw(t, "dense now"))
			q.Channel, q.Contact = "email", contactN(rapid.IntRange(0, 1).Draw(t, "dense contact"))
		}
		allowed, why, id := replay(p, q, events, now)
		for _, times := range []int{1, 1 + manyEvents} { // both ways of Decide
			d := Decide(p, q, slices.Repeat(events, times), now)
			if d.Allowed != allowed || d.Reason != why || d.Event != id {
				t.Fatalf("each event %d times: %v %v by event %d, want %v %v by event %d", times, d.Allowed, d.Reason, d.Event, allowed, why, id)
			}
			if d.Allowed != d.Reason.Allows() {
				t.Fatalf("allowed %v for the reason %v", d.Allowed, d.Reason)
			}
		}
	})
}

func TestTheLedgerIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, now := drawPurpose(t), drawQuestion(t), drawNow(t)
		a, b, c := drawEvents(t, "a", usual...), drawEvents(t, "b", usual...), drawEvents(t, "c", usual...)
		want := Decide(p, q, union(union(a, b), c), now)
		shuffled := rapid.Permutation(union(union(a, b), c)).Draw(t, "shuffled")
		for name, events := range map[string][]Event{
			"another order": shuffled, "another way of joining": union(c, union(b, a)), "one part twice": union(union(a, b), union(b, c)),
		} {
			if got := Decide(p, q, events, now); got != want {
				t.Fatalf("%s: %+v, want %+v", name, got, want)
			}
		}
	})
}

func TestAnActAgainstNeverWidens(t *testing.T) {
	policy := DefaultPolicy()
	rapid.Check(t, func(t *rapid.T) {
		p, q, now, events := drawPurpose(t), drawQuestion(t), drawNow(t), drawEvents(t, "events", usual...)
		no := drawEvent(against...).Draw(t, "act against")
		before, after := Decide(p, q, events, now), Decide(p, q, union(events, []Event{no}), now)
		if after.Allowed && !before.Allowed {
			t.Fatalf("%v became %v", before.Reason, after.Reason)
		}
		f := Compile(&Grant{Purposes: []string{p.ID}, Fields: []string{"*"}}, p, &policy, p.Fields)
		for i := range p.Fields {
			if f.Apply(&after).Has(i) && !f.Apply(&before).Has(i) {
				t.Fatalf("field %s came", p.Fields[i])
			}
		}
	})
}

// split draws which anchors are A's; the others are B's.
func split(t *rapid.T, events []Event) (a, b []Event, anchorsA, anchorsB []Anchor) {
	for _, anchor := range lawAnchors {
		if rapid.Bool().Draw(t, "is A's "+anchor.String()) {
			anchorsA = append(anchorsA, anchor)
		} else {
			anchorsB = append(anchorsB, anchor)
		}
	}
	for _, e := range events {
		if slices.Contains(anchorsA, e.Anchor) {
			a = append(a, e)
		} else {
			b = append(b, e)
		}
	}
	return a, b, anchorsA, anchorsB
}

func TestAMergerIsNeverWiderThanEitherUnlessThePersonDecides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, now, events := drawPurpose(t), drawQuestion(t), drawNow(t), drawEvents(t, "events", usual...)
		for i := range events {
			events[i].Authenticated = min(events[i].Authenticated, Staff)
		}
		a, b, _, _ := split(t, events)
		for _, part := range [][]Event{a, b} {
			if d := Decide(p, q, part, now); d.Reason.Refuses() && Decide(p, q, events, now).Allowed {
				t.Fatalf("one of them is %v, both together are allowed", d.Reason)
			}
		}
		// For all channels at once, one may have agreed to each.
		if q.Channel != AnyChannel && Decide(p, q, events, now).Allowed && !Decide(p, q, a, now).Allowed && !Decide(p, q, b, now).Allowed {
			t.Fatal("both together are allowed, neither alone is")
		}
	})
}

func TestPartingRestoresAndNothingLeaks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, now, events := drawPurpose(t), drawQuestion(t), drawNow(t), drawEvents(t, "events", usual...)
		a, b, anchorsA, anchorsB := split(t, events)
		merged := union(a, b)
		if got, want := Decide(p, q, Select(merged, anchorsA), now), Decide(p, q, a, now); got != want {
			t.Fatalf("A after parting: %+v, want %+v", got, want)
		}
		// Whatever was said of A while they were one, B does not have it.
		more := drawEvents(t, "said of A", ActGrant)
		for i := range more {
			more[i].Anchor = OfRecord("crm", "of A")
		}
		if got, want := Decide(p, q, Select(union(merged, more), anchorsB), now), Decide(p, q, b, now); got != want {
			t.Fatalf("B after parting: %+v, want %+v", got, want)
		}
	})
}

func TestAGrantReachesItsContactPointOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, now, events := newsletter(), drawQuestion(t), drawNow(t), drawEvents(t, "events", usual...)
		d := Decide(p, q, events, now)
		elsewhere := func(e Event) bool { return e.Act == ActGrant && e.contact() != q.Contact }
		if d.Allowed && !slices.ContainsFunc(events, func(e Event) bool { return e.Act == ActGrant && !elsewhere(e) }) {
			t.Fatalf("allowed with no grant there: %+v", d)
		}
		// Grants at another address change nothing here but the reason.
		other := func(e Event) bool { return elsewhere(e) && !e.contact().IsZero() }
		if q.Contact.IsZero() {
			return // there, they can answer what was refused at their own address
		}
		if without := Decide(p, q, slices.DeleteFunc(slices.Clone(events), other), now); without.Allowed != d.Allowed {
			t.Fatalf("%v, but %v without the grants for other contact points", d.Reason, without.Reason)
		}
	})
}

func TestActsOfOtherPurposesAndControllersDoNotCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, now, events := drawPurpose(t), drawQuestion(t), drawNow(t), drawEvents(t, "events", usual...)
		foreign := drawEvents(t, "foreign", slices.DeleteFunc(Acts(), func(a Act) bool { return a == ActErase || a == ActLiftErasure })...)
		for i := range foreign {
			if rapid.Bool().Draw(t, "of another purpose") {
				foreign[i].Purpose = "profiling"
			} else {
				foreign[i].Controller = "Other Oy"
			}
		}
		if got, want := Decide(p, q, union(events, foreign), now), Decide(p, q, events, now); got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

func TestThePersonCanAlwaysWithdrawAndGrantAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now, events := newsletter(), dayN(20), drawEvents(t, "events", ActGrant, ActDeny, ActWithdraw)
		q := Question{Channel: rapid.SampledFrom(p.Channels).Draw(t, "channel"), Contact: contactN(rapid.IntRange(0, 2).Draw(t, "contact"))}
		own := Event{
			Anchor: OfAccount("a1"), Contact: q.Contact, Purpose: p.ID, Controller: p.Controller, Authenticated: Account,
			Channel: rapid.SampledFrom([]Channel{q.Channel, AnyChannel}).Draw(t, "said of"),
		}
		say := func(act Act, day int) {
			own.Act, own.At = act, dayN(day)
			events = append(events, own)
		}
		if q.Contact.IsZero() {
			// A refusal at an address is answered there.
			events = slices.DeleteFunc(events, func(e Event) bool { return !e.contact().IsZero() })
		}
		for day := 10; day < 18; day += 2 {
			if say(ActGrant, day); !Decide(p, q, events, now).Allowed {
				t.Fatalf("granted, but %v", Decide(p, q, events, now).Reason)
			}
			if say(ActWithdraw, day+1); Decide(p, q, events, now).Reason != ReasonWithdrawn {
				t.Fatalf("withdrawn, but %v", Decide(p, q, events, now).Reason)
			}
		}
	})
}

func TestWithdrawingAndGrantingAgainInTheSameWordsRestores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := newsletter(), dayN(20)
		q := Question{Channel: "email", Contact: contactN(rapid.IntRange(0, 2).Draw(t, "contact"))}
		events := drawEvents(t, "events", usual...)
		own := Event{
			Anchor: OfAccount("a1"), Contact: contactN(rapid.IntRange(0, 2).Draw(t, "own contact")),
			Purpose: p.ID, Controller: p.Controller, Channel: "email", Authenticated: Account, Act: ActWithdraw, At: dayN(10),
		}
		again := own
		again.Act, again.At = ActGrant, dayN(11)
		if Decide(p, q, events, now).Allowed && !Decide(p, q, append(events, own, again), now).Allowed {
			t.Fatal("what was allowed is not so after a withdrawal and the same grant")
		}
	})
}

func TestAGrantEndsWhenItExpires(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, now, events := newsletter(), drawQuestion(t), drawNow(t), drawEvents(t, "events", usual...)
		d := Decide(p, q, events, now)
		if !d.Allowed || d.Expires.IsZero() {
			return
		}
		if !d.Expires.After(now) {
			t.Fatalf("a grant until %v allows at %v", d.Expires, now)
		}
		for _, at := range []time.Time{d.Expires, d.Expires.Add(time.Hour)} {
			if later := Decide(p, q, events, at); later.Allowed && later.Event == d.Event && later.Expires.Equal(d.Expires) {
				t.Fatalf("at %v: %+v", at, later)
			}
		}
	})
}
