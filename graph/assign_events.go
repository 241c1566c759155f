package graph

import (
	"cmp"
	"slices"
)

// tellClusters tells what happened to the identities that are live, in order of
// cluster.
func (a *assigner) tellClusters() {
	kept := len(a.out.IDs) - a.out.Issued
	a.out.Events = make([]Event, 0, a.out.Issued+kept/16)
	for k := range uint32(a.c.Len()) {
		if i := a.live.by[k]; i != None {
			a.tellKept(i, k)
			continue
		}
		e := Event{Kind: Created, Identity: a.out.IDs[k], Other: a.before(k), Records: a.c.At(k)}
		if e.Other != 0 {
			e.Kind = Split
		}
		// Whoever follows the runs does not know a foreign id: to them it is new.
		if d := a.dormant.by[k]; d != None && !a.past.Dormant[d].Foreign {
			e.Kind = Restored
		}
		a.out.Events = append(a.out.Events, e)
	}
}

// tellKept tells what identity i gained and lost since the previous run, if
// anything.
func (a *assigner) tellKept(i, k uint32) {
	had, has := a.live.at(int(i)), a.c.At(k)
	if slices.Equal(had, has) {
		return
	}
	a.tellPart(Grown, i, has, func(r uint32) bool { return a.identityOf(r) != i })
	a.tellPart(Shrunk, i, had, func(r uint32) bool { return !a.holds(k, r) })
}

// tellPart tells of those records of an identity that concern an event, if any
// do.
func (a *assigner) tellPart(kind EventKind, i uint32, records []uint32, concerns func(uint32) bool) {
	from := len(a.lists)
	for _, r := range records {
		if concerns(r) {
			a.lists = append(a.lists, r)
		}
	}
	if list := a.lists[from:]; len(list) > 0 {
		a.out.Events = append(a.out.Events, Event{Kind: kind, Identity: a.live.ids[i], Records: list})
	}
}

// identityOf returns the number of a record's identity in the previous run.
func (a *assigner) identityOf(r uint32) uint32 {
	if len(a.past.Of) == 0 {
		return None
	}
	return a.past.Of[r]
}

// before returns the identity that most records of cluster k had in the
// previous run, the smallest of equal ones, 0 if none had any.
func (a *assigner) before(k uint32) IdentityID {
	for _, r := range a.c.At(k) {
		if i := a.identityOf(r); i != None {
			a.byIdentity.add(i)
		}
	}
	var best IdentityID
	var most uint32
	for _, i := range a.byIdentity.seen {
		id, count := a.live.ids[i], a.byIdentity.of[i]
		if count > most || count == most && id < best {
			best, most = id, count
		}
	}
	a.byIdentity.reset()
	return best
}

// tellEnded tells which identities are live no longer, and which ids that were
// not live lead elsewhere now, in order of id.
func (a *assigner) tellEnded() {
	from := len(a.out.Events)
	for i, id := range a.live.ids {
		if a.live.took[i] != None {
			continue
		}
		e := Event{Kind: Merged, Identity: id, Other: a.into[i], Records: a.live.at(i)}
		if e.Other == 0 {
			e.Kind = Retired
		}
		a.out.Events = append(a.out.Events, e)
	}
	for i, d := range a.past.Dormant {
		if a.dormant.took[i] == None && !d.Foreign && a.leads[i] != a.led(d) {
			a.out.Events = append(a.out.Events, Event{Kind: Merged, Identity: d.ID, Other: a.leads[i], Records: d.Records})
		}
	}
	slices.SortFunc(a.out.Events[from:], func(x, y Event) int { return cmp.Compare(x.Identity, y.Identity) })
}

// led returns where a dormant id leads by the events of the identity that it
// led to.
func (a *assigner) led(d Dormant) IdentityID {
	if d.Into == 0 {
		return 0
	}
	return a.into[a.numbers.find(a.past.IDs, d.Into)]
}

// remember lists the ids that are not live after this run, with what they had
// when they last were.
func (a *assigner) remember() {
	kept := len(a.out.IDs) - a.out.Issued
	a.out.Dormant = make([]Dormant, 0, len(a.live.ids)+len(a.dormant.ids)-kept)
	for i, d := range a.past.Dormant {
		if a.dormant.took[i] == None {
			d.Into, d.Foreign = a.leads[i], false
			a.out.Dormant = append(a.out.Dormant, d)
		}
	}
	for i, id := range a.live.ids {
		if a.live.took[i] == None {
			d := Dormant{ID: id, Into: a.into[i], Ended: a.issuer.Run, Founder: a.live.founder[i], Records: a.live.at(i)}
			a.out.Dormant = append(a.out.Dormant, d)
		}
	}
	slices.SortFunc(a.out.Dormant, func(x, y Dormant) int { return cmp.Compare(x.ID, y.ID) })
}
