package consent

import "time"

// Question is what is asked of the ledger for one purpose.
type Question struct {
	// Channel is how the person would be reached. Open, it asks for all
	// channels of the purpose at once.
	Channel Channel

	// Contact is the contact point at which the person would be reached. With
	// none, grants that name a contact point do not count, and refusals count
	// whichever contact point they name.
	Contact Contact

	// Column is the column of the golden record that holds Contact. Of the
	// columns with contact points, [Release] gives away this one only.
	Column string
}

// manyEvents is from where on those that matter are sorted out first, rather
// than all compared with all.
const manyEvents = 48

// Decide answers a question for a purpose at a time. The events are the part of
// the ledger that belongs to the person, in any order; those about other
// purposes and channels are passed over. The rules are those of the package
// comment, with what it costs.
func Decide(p *Purpose, q Question, events []Event, now time.Time) Decision {
	a := asked{purpose: p, channel: q.Channel, contact: q.Contact, now: now}
	if len(events) > manyEvents {
		events, a.distinct = distinct(events, now), true
	}
	if q.Channel != AnyChannel || len(p.Channels) == 0 {
		return a.decide(q, events)
	}
	var first Decision
	for i, c := range p.Channels {
		a.channel = c
		d := a.decide(q, events)
		if !d.Allowed {
			return d
		}
		if i == 0 {
			first = d
		}
	}
	first.Channel = AnyChannel
	return first
}

// asked is a question about one channel.
type asked struct {
	purpose *Purpose
	channel Channel
	contact Contact
	now     time.Time

	// distinct says that no slot has two words.
	distinct bool
}

func (a *asked) decide(q Question, events []Event) Decision {
	d := Decision{Purpose: a.purpose.ID, Question: q, Channel: a.channel}
	basis := a.purpose.Basis
	switch {
	case !a.purpose.uses(a.channel):
		d.Reason = ReasonChannel
		return d
	case basis < BasisConsent || basis > BasisLegitimateInterest:
		d.Reason = ReasonNoBasis
		return d
	}
	if e := a.blocked(events); e != nil {
		switch e.Act {
		case ActErase:
			d.by(e, ReasonErased)
		case ActRestrict:
			d.by(e, ReasonRestricted)
		default:
			d.by(e, ReasonObjected)
		}
		return d
	}
	if basis == BasisConsent || basis == BasisLegitimateInterest {
		a.word(&d, events)
	}
	if basis != BasisConsent && !d.Allowed && !d.Reason.Refuses() {
		d = Decision{Purpose: d.Purpose, Question: q, Channel: d.Channel, Allowed: true, Reason: reasonOfBasis[basis]}
	}
	return d
}

// uses reports whether the purpose can be asked about a channel.
func (p *Purpose) uses(c Channel) bool {
	if len(p.Channels) == 0 {
		return c == AnyChannel
	}
	for _, own := range p.Channels {
		if own == c {
			return true
		}
	}
	return false
}

// about reports whether an act is about the purpose, its controller and the
// channel. An erasure is about everything.
func (a *asked) about(e *Event) bool {
	if e.Act == ActErase {
		return true
	}
	return (e.Purpose == a.purpose.ID || e.Purpose == "" && e.Act != ActGrant) &&
		(e.Channel == a.channel || e.Channel == AnyChannel) &&
		(e.Controller == a.purpose.Controller || e.Controller == "" && e.Act != ActGrant)
}

// reaches reports whether an act against the purpose reaches the contact point
// asked for. Restriction and erasure are about the person, not an address.
func (a *asked) reaches(e *Event) bool {
	if e.Act == ActRestrict || e.Act == ActErase || a.contact.IsZero() {
		return true
	}
	c := e.contact()
	return c.IsZero() || c == a.contact
}

// answers reports whether a later act for the purpose has the contact point of
// an earlier one against it: the same, or the one asked for.
func (a *asked) answers(yes, no *Event) bool {
	c := yes.contact()
	return c == no.contact() || !a.contact.IsZero() && c == a.contact
}

// blocked returns the erasure, restriction or objection that stands, the
// strongest and of those the latest, or nil.
func (a *asked) blocked(events []Event) *Event {
	var found *Event
	for i := range events {
		e := &events[i]
		if e.Act < ActObject || e.Act > ActErase || !a.about(e) || !a.reaches(e) || !a.concerns(e) {
			continue
		}
		if found != nil && (e.Act < found.Act || e.Act == found.Act && later(e, found) <= 0) {
			continue
		}
		if !a.lifted(e, events) {
			found = e
		}
	}
	return found
}

// concerns reports whether an erasure, restriction or objection has any effect
// on the purpose's basis.
func (a *asked) concerns(e *Event) bool {
	p := a.purpose
	switch e.Act {
	case ActRestrict:
		return p.Basis != BasisLegalObligation && p.Basis != BasisVitalInterest
	case ActObject:
		return p.DirectMarketing || p.Basis == BasisLegitimateInterest || p.Basis == BasisPublicTask || p.Basis == BasisConsent && e.Purpose != ""
	}
	return true
}

// lifted reports whether somebody who may has ended an erasure, restriction or
// objection.
func (a *asked) lifted(e *Event, events []Event) bool {
	// Where Art. 21 does not apply, an objection says no more than a withdrawal.
	if e.Act == ActObject && a.purpose.Basis == BasisConsent && !a.purpose.DirectMarketing && a.answered(e, events) {
		return true
	}
	for i := range events {
		l := &events[i]
		switch l.Act {
		case ActLift:
			if e.Act == ActErase {
				continue
			}
		case ActLiftRestriction:
			if e.Act != ActRestrict {
				continue
			}
		case ActLiftObjection:
			if e.Act != ActObject {
				continue
			}
		case ActLiftErasure:
			if e.Act != ActErase {
				continue
			}
		default:
			continue
		}
		may := l.Authenticated.Person() ||
			l.Authenticated == Staff && e.Authenticated == Staff && e.Act != ActErase && l.Anchor == e.Anchor
		when := l.When()
		if may && a.about(l) && when.After(e.When()) && !when.After(a.now) && (e.Act != ActObject || a.answers(l, e)) {
			return true
		}
	}
	return false
}

// word finds what was last said by grant, denial and withdrawal.
func (a *asked) word(d *Decision, events []Event) {
	var no, yes, over *Event // the latest refusal, grant and expired grant that count
	elsewhere := false
	for i := range events {
		e := &events[i]
		if !a.about(e) {
			continue
		}
		switch e.Act {
		case ActDeny, ActWithdraw:
			if a.reaches(e) && (no == nil || later(e, no) > 0) && !a.replaced(e, events) && !a.answered(e, events) {
				no = e
			}
		case ActGrant:
			switch {
			case e.When().After(a.now):
			case e.contact() != a.contact:
				elsewhere = elsewhere || !expired(e, a.now) && !a.replaced(e, events)
			case expired(e, a.now):
				if over == nil || later(e, over) > 0 {
					over = e
				}
			case (yes == nil || later(e, yes) > 0) && !a.replaced(e, events) && !a.outlived(e, events):
				yes = e
			}
		}
	}
	switch {
	case no != nil && no.Act == ActDeny:
		d.by(no, ReasonDenied)
	case no != nil:
		d.by(no, ReasonWithdrawn)
	case yes != nil:
		d.by(yes, ReasonGranted)
	case over != nil:
		d.by(over, ReasonExpired)
	case elsewhere:
		d.Reason = ReasonOtherContact
	}
}

// expired reports whether a grant holds no longer.
func expired(e *Event, now time.Time) bool { return !e.Expires.IsZero() && !e.Expires.After(now) }

// answered reports whether the person has agreed after a refusal.
func (a *asked) answered(no *Event, events []Event) bool {
	when := no.When()
	for i := range events {
		e := &events[i]
		if e.Act == ActGrant && e.Authenticated.Person() && a.about(e) && e.When().After(when) && a.answers(e, no) &&
			!e.When().After(a.now) && !expired(e, a.now) {
			return true
		}
	}
	return false
}

// outlived reports whether the person agreed for a limited time after a grant,
// and that time is over: then the older grant does not come back.
func (a *asked) outlived(grant *Event, events []Event) bool {
	when := grant.When()
	for i := range events {
		e := &events[i]
		if e.Act == ActGrant && e.Authenticated.Person() && a.about(e) && expired(e, a.now) && e.contact() == a.contact &&
			!e.When().Before(when) && !e.When().After(a.now) {
			return true
		}
	}
	return false
}

// slot is where one source says what it knows of one scope from one anchor.
type slot struct {
	anchor              Anchor
	contact             Contact
	purpose, controller string
	source              string
	channel             Channel
	authenticated       Authenticated
}

func (e *Event) slot() slot {
	return slot{e.Anchor, e.contact(), e.Purpose, e.Controller, e.Source, e.Channel, e.Authenticated}
}

// inSlot reports whether an event is a source's word, of which only the latest
// counts, and has been said by now.
func inSlot(e *Event, now time.Time) bool {
	switch e.Act {
	case ActDeny, ActWithdraw:
		return !e.Authenticated.Person()
	case ActGrant:
		return !e.Authenticated.Person() && e.Purpose != "" && e.Controller != "" && !e.When().After(now)
	}
	return false
}

// replaced reports whether the source itself said something else later.
func (a *asked) replaced(e *Event, events []Event) bool {
	if a.distinct || e.Authenticated.Person() {
		return false
	}
	for i := range events {
		o := &events[i]
		if o.Authenticated == e.Authenticated && o.Channel == e.Channel && inSlot(o, a.now) &&
			later(o, e) > 0 && o.slot() == e.slot() {
			return true
		}
	}
	return false
}

// distinct returns those of the events that can matter at a time: the latest
// word of every slot, and of all other acts the latest of every scope. A later
// act of the same scope is the harder one to undo, and the better one to undo
// with.
func distinct(events []Event, now time.Time) []Event {
	type key struct {
		slot
		act     Act
		expired bool
	}
	place := make(map[key]int, len(events))
	var out []Event
	for i := range events {
		e := &events[i]
		k := key{slot: e.slot()}
		if !inSlot(e, now) {
			if e.Act <= ActLiftErasure && e.When().After(now) {
				continue
			}
			k.act, k.expired = e.Act, e.Act == ActGrant && expired(e, now)
			k.source = ""
			if e.Authenticated != Staff { // whose lifts are of one anchor only
				k.anchor = Anchor{}
			}
		}
		if at, ok := place[k]; !ok {
			place[k] = len(out)
			out = append(out, *e)
		} else if later(e, &out[at]) > 0 {
			out[at] = *e
		}
	}
	return out
}
