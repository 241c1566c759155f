package online

import (
	"time"

	"sama/record"
	"sama/run/index"
	"sama/serve/consent"
)

// ImportedConsents returns what the sources said, of the records of an identity,
// of uses of the person's data: the acts of the exports that the run carried on,
// and those of records that came since. They name no controller, and no contact
// point: who knows the purposes and the keys fills them in.
func (s *Service) ImportedConsents(id string) []consent.Event {
	s.mu.RLock()
	defer s.mu.RUnlock()
	live, ok := s.live(id)
	if !ok {
		return nil
	}
	var events []consent.Event
	for _, r := range s.members(live) {
		events = s.importedOf(events, s.key(r))
	}
	return events
}

// ConsentsOf is ImportedConsents of some records; a key that names no record has
// none.
func (s *Service) ConsentsOf(keys []record.Key) []consent.Event {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var events []consent.Event
	for _, k := range keys {
		events = s.importedOf(events, k)
	}
	return events
}

// importedOf appends the acts of one record. A record that came since says what
// its values say: what it said before has ended where that differs, when it was
// received.
func (s *Service) importedOf(events []consent.Event, k record.Key) []consent.Event {
	a := s.overlay.byKey[k]
	if a != nil && a.Values == nil {
		return events
	}
	var acts []index.ConsentAct
	if r, ok := s.Index.FindRecord(k); ok {
		acts = s.Index.Consents(r)
	}
	if a != nil {
		acts = s.saidOnline(acts, a)
	}
	for i := range acts {
		if act := &acts[i]; act.Ended == 0 || act.Read || !s.readOtherwise(act.ConsentColumn) {
			events = append(events, eventOf(k, acts, i))
		}
	}
	return events
}

// readOtherwise reports whether the run reads a column for another purpose or
// channel: what was read of it before was a mistake of the mapping, and counts no
// more.
func (s *Service) readOtherwise(c index.ConsentColumn) bool {
	for _, o := range s.Index.ConsentColumns() {
		if o.Read && o.Source == c.Source && o.Column == c.Column {
			return true
		}
	}
	return false
}

// saidOnline returns the acts with those of a record that came since.
func (s *Service) saidOnline(acts []index.ConsentAct, a *Arrival) []index.ConsentAct {
	var out []index.ConsentAct
	next := 0
	for n, c := range s.Index.ConsentColumns() {
		for ; next < len(acts) && acts[next].Number <= n; next++ {
			out = append(out, acts[next])
		}
		if c.Source != a.Key.Source || !c.Read {
			continue
		}
		said, at := a.Values.consent(s.Index, c.Column), a.since[n]
		if k := len(out); k > 0 && out[k-1].Number == n {
			last := &out[k-1]
			if last.Ended == 0 && said != "" && last.Granted == (said == granted) {
				continue
			}
			if at = max(at, last.At+1, last.Until+1); last.Ended == 0 {
				last.Ended, last.Until = online, at
			}
		}
		if said != "" {
			out = append(out, index.ConsentAct{ConsentColumn: c, Number: n, Granted: said == granted, At: at, Run: online})
		}
	}
	return append(out, acts[next:]...)
}

// saidSince returns since when an arrival says what it says in each column of
// consents: of a record that came again with the same, since the first time.
func (s *Service) saidSince(a, before *Arrival) []int64 {
	columns := s.Index.ConsentColumns()
	if a.Values == nil || len(columns) == 0 {
		return nil
	}
	since := make([]int64, len(columns))
	for n, c := range columns {
		if !a.Received.IsZero() {
			since[n] = a.Received.Unix()
		}
		if before != nil && before.Values != nil && before.Values.consent(s.Index, c.Column) == a.Values.consent(s.Index, c.Column) {
			since[n] = before.since[n]
		}
	}
	return since
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// granted is the normal form of a value that agrees.
const granted = "grant"

// online stands for the number of a run where something came since the last.
const online = index.None

// consent returns what a record says in a column of consents.
func (v *Values) consent(x *index.Index, column string) string {
	for i, c := range x.Columns() {
		if c.Field == record.Consent && c.Column == column {
			return v.Normal[i]
		}
	}
	return ""
}

// eventOf makes an event of act i of a record. An act whose time is not known
// counts from the beginning of Unix time; of several in one column the later is
// later all the same. A grant that ended holds no longer; a denial that ended with
// nothing in its place is still the last word of its source.
func eventOf(k record.Key, acts []index.ConsentAct, i int) consent.Event {
	act := &acts[i]
	at := act.At
	for j := i - 1; j >= 0 && acts[j].Number == act.Number; j-- {
		if acts[j].At == 0 {
			at = max(at, int64(i-j))
		}
	}
	e := consent.Event{
		Anchor: consent.OfRecord(k.Source, k.ID), Purpose: act.Purpose, Channel: consent.Channel(act.Channel),
		Act: consent.ActDeny, At: time.Unix(at, 0).UTC(), Source: k.Source + "." + act.Column, Authenticated: consent.Import,
	}
	if act.Granted {
		e.Act = consent.ActGrant
		if act.Ended != 0 {
			e.Expires = time.Unix(max(act.Until, at+1), 0).UTC()
		}
	}
	return e
}
