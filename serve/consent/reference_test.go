package consent

import (
	"cmp"
	"slices"
	"time"
)

// replay is Decide written as a story: the acts are played in order of time, and
// each crosses out what it ends. It shares no rule with Decide but the order.
func replay(p *Purpose, q Question, events []Event, now time.Time) (allowed bool, why Reason, id int64) {
	channels := []Channel{q.Channel}
	if q.Channel == "" && len(p.Channels) > 0 {
		channels = p.Channels
	}
	for i, c := range channels {
		a, w, n := replayChannel(p, c, q.Contact, events, now)
		if !a {
			return a, w, n
		}
		if i == 0 {
			allowed, why, id = a, w, n
		}
	}
	return allowed, why, id
}

// story is what has not been crossed out yet.
type story struct {
	p       *Purpose
	contact Contact
	now     time.Time

	blocks, noes, yeses, overs, elsewhere []Event
}

func replayChannel(p *Purpose, channel Channel, contact Contact, events []Event, now time.Time) (bool, Reason, int64) {
	if len(p.Channels) == 0 && channel != "" || len(p.Channels) > 0 && !slices.Contains(p.Channels, channel) {
		return false, ReasonChannel, 0
	}
	open := func(value, want string) bool { return value == "" || value == want }
	s := story{p: p, contact: contact, now: now}
	for _, e := range inOrderOfTime(events) {
		mine := open(e.Purpose, p.ID) && open(string(e.Channel), string(channel)) && open(e.Controller, p.Controller)
		if e.Act == ActGrant && (e.Purpose == "" || e.Controller == "") {
			mine = false
		}
		if mine || e.Act == ActErase {
			s.play(e)
		}
	}
	return s.end()
}

// inOrderOfTime sorts a copy: the less permissive last.
func inOrderOfTime(events []Event) []Event {
	never := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	end := func(e Event) time.Time {
		if e.Expires.IsZero() {
			return never
		}
		return e.Expires
	}
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b Event) int {
		return cmp.Or(told(a).Compare(told(b)), int(a.Act)-int(b.Act), end(b).Compare(end(a)),
			cmp.Compare(a.ID, b.ID), int(b.Authenticated)-int(a.Authenticated))
	})
	return sorted
}

// told is the time that counts.
func told(e Event) time.Time {
	switch {
	case e.At.IsZero():
		return e.Recorded
	case e.Recorded.IsZero() || e.At.Before(e.Recorded):
		return e.At
	}
	return e.Recorded
}

func place(e Event) Contact {
	if e.Anchor.Kind == ContactAnchor {
		return e.Anchor.Contact()
	}
	return e.Contact
}

func (s *story) play(e Event) {
	own := e.Authenticated == Account || e.Authenticated == Strong
	future := told(e).After(s.now)
	over := !e.Expires.IsZero() && !s.now.Before(e.Expires)
	if future && e.Act <= ActLiftErasure {
		return
	}
	switch e.Act {
	case ActErase, ActRestrict:
		s.blocks = append(s.blocks, e)
	case ActObject:
		if s.near(e) {
			s.blocks = append(s.blocks, e)
		}
	case ActLift, ActLiftRestriction, ActLiftObjection, ActLiftErasure:
		s.blocks = slices.DeleteFunc(s.blocks, func(b Event) bool { return s.undoes(e, b, own) })
	case ActDeny, ActWithdraw:
		if !own {
			s.forget(e)
		}
		if s.near(e) {
			s.noes = append(s.noes, e)
		}
	case ActGrant:
		if !own {
			s.forget(e)
		}
		if own && !over {
			meets := func(no Event) bool {
				return told(no).Before(told(e)) && (place(e) == place(no) || s.contact != Contact{} && place(e) == s.contact)
			}
			s.noes = slices.DeleteFunc(s.noes, meets)
			if s.p.Basis == BasisConsent && !s.p.DirectMarketing {
				s.blocks = slices.DeleteFunc(s.blocks, func(b Event) bool { return b.Act == ActObject && meets(b) })
			}
		}
		switch {
		case place(e) != s.contact:
			if !over {
				s.elsewhere = append(s.elsewhere, e)
			}
		case over:
			s.overs = append(s.overs, e)
			if own {
				s.yeses = nil
			}
		default:
			s.yeses = append(s.yeses, e)
		}
	}
}

// near says that a no is at the contact point asked for, or at large, or that
// none was asked for.
func (s *story) near(e Event) bool {
	return s.contact == Contact{} || place(e) == Contact{} || place(e) == s.contact
}

// forget crosses out what the same source said before of the same scope.
func (s *story) forget(e Event) {
	same := func(o Event) bool {
		return o.Anchor == e.Anchor && place(o) == place(e) && o.Purpose == e.Purpose && o.Channel == e.Channel &&
			o.Controller == e.Controller && o.Source == e.Source && o.Authenticated == e.Authenticated
	}
	for _, list := range []*[]Event{&s.noes, &s.yeses, &s.overs, &s.elsewhere} {
		*list = slices.DeleteFunc(*list, same)
	}
}

func (s *story) undoes(l, b Event, own bool) bool {
	kinds := map[Act][]Act{
		ActLift: {ActRestrict, ActObject}, ActLiftRestriction: {ActRestrict}, ActLiftObjection: {ActObject}, ActLiftErasure: {ActErase},
	}
	if !slices.Contains(kinds[l.Act], b.Act) || !told(b).Before(told(l)) {
		return false
	}
	if !own && (l.Authenticated != Staff || b.Authenticated != Staff || b.Act == ActErase || l.Anchor != b.Anchor) {
		return false
	}
	return b.Act != ActObject || place(l) == place(b) || s.contact != Contact{} && place(l) == s.contact
}

// end reads the verdict off what is left.
func (s *story) end() (bool, Reason, int64) {
	stops := map[Act][]Basis{
		ActErase:    {BasisConsent, BasisContract, BasisLegalObligation, BasisVitalInterest, BasisPublicTask, BasisLegitimateInterest},
		ActRestrict: {BasisConsent, BasisContract, BasisPublicTask, BasisLegitimateInterest},
		ActObject:   {BasisPublicTask, BasisLegitimateInterest},
	}
	basis := s.p.Basis
	for _, r := range []struct {
		act Act
		why Reason
	}{{ActErase, ReasonErased}, {ActRestrict, ReasonRestricted}, {ActObject, ReasonObjected}} {
		var last *Event
		for i, b := range s.blocks {
			stopped := slices.Contains(stops[r.act], basis) ||
				r.act == ActObject && (s.p.DirectMarketing || basis == BasisConsent && b.Purpose == s.p.ID)
			if b.Act == r.act && stopped {
				last = &s.blocks[i]
			}
		}
		if last != nil {
			return false, r.why, last.ID
		}
	}
	needless := map[Basis]Reason{
		BasisContract: ReasonContract, BasisLegalObligation: ReasonLegalObligation,
		BasisVitalInterest: ReasonVitalInterest, BasisPublicTask: ReasonPublicTask,
	}
	if why, ok := needless[basis]; ok {
		return true, why, 0
	}
	lastOf := func(list []Event) int64 { return list[len(list)-1].ID }
	switch {
	case basis != BasisConsent && basis != BasisLegitimateInterest:
		return false, ReasonNoBasis, 0
	case len(s.noes) > 0 && s.noes[len(s.noes)-1].Act == ActDeny:
		return false, ReasonDenied, lastOf(s.noes)
	case len(s.noes) > 0:
		return false, ReasonWithdrawn, lastOf(s.noes)
	case len(s.yeses) > 0:
		return true, ReasonGranted, lastOf(s.yeses)
	case basis == BasisLegitimateInterest:
		return true, ReasonLegitimateInterest, 0
	case len(s.overs) > 0:
		return false, ReasonExpired, lastOf(s.overs)
	case len(s.elsewhere) > 0:
		return false, ReasonOtherContact, 0
	}
	return false, ReasonUnknown, 0
}
