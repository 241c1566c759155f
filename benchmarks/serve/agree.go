package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"sama/record"
	"sama/run"
)

// onlineShare is the share of the records that come online before the next
// night.
const onlineShare = 0.02

// reasons say why a record's identity online is not that of the next night.
const (
	joinedAtNight  = "founded an identity online, the night has it in another"
	joinedOther    = "joined an identity online, the night has it in another that was there"
	leftAlone      = "joined an identity online, the night has it in a new one"
	leadsNowhere   = "the identity it was given leads nowhere after the night"
	missingAtNight = "the night does not have it"
)

// resent sends records online as the run has them: they should stay where they
// are.
func (b *bench) resent(ctx context.Context) error {
	p, err := b.newPlace(ctx, "resent", b.server)
	if err != nil {
		return err
	}
	s, err := p.serve(ctx)
	if err != nil {
		return err
	}
	l := &line{address: s.address}
	defer l.close()
	m := b.base.members
	sent, moved := 0, 0
	for i := range b.silos.known[:min(len(b.silos.known), max(10, int(onlineShare*float64(b.records))))] {
		r := &b.silos.known[i]
		at, ok := m.Find(r.key)
		if !ok {
			continue // the run rejected it
		}
		var got taken
		if err := p.ask(l, putCall("", record1{r.key, r.fields()}), &got); err != nil {
			return err
		}
		sent++
		if own := m.Identities.At(m.Identity[at]); got.Records[0].IdentityID != own {
			if moved++; moved <= 5 {
				b.tell("agree", fmt.Sprintf("%v of identity %s was sent as it is, and %s %s", r.key, own, got.Records[0].Outcome, got.Records[0].IdentityID))
			}
		}
	}
	b.table.atLeast(fmt.Sprintf("agree: of %d records sent again as they are, those that stay in their identity", sent), " %", 100*float64(sent-moved)/float64(sent), 99.5, 99.9)
	return errors.Join(s.stop(), p.remove())
}

// agreement sends records online, one after the other, runs a night whose exports
// have them, and compares: a record agrees if the identity that it was given is,
// by itself or as an alias, the one that the night has it in.
func (b *bench) agreement(ctx context.Context) error {
	if err := b.resent(ctx); err != nil {
		return err
	}
	p, err := b.newPlace(ctx, "agree", b.server)
	if err != nil {
		return err
	}
	s, err := p.serve(ctx)
	if err != nil {
		return err
	}
	sent := b.silos.waiting[:min(len(b.silos.waiting), max(10, int(onlineShare*float64(b.records))))]
	given, founded := make(map[record.Key]string), make(map[record.Key]bool)
	l := &line{address: s.address}
	defer l.close()
	for i := range sent {
		var got taken
		if err := p.ask(l, putCall("", record1{sent[i].key, sent[i].fields()}), &got); err != nil {
			return err
		}
		given[sent[i].key], founded[sent[i].key] = got.Records[0].IdentityID, got.Records[0].Outcome == "founded"
	}
	if err := s.stop(); err != nil {
		return err
	}
	files, err := b.silos.with(sent, filepath.Join(b.dir, "agree-silos"))
	if err != nil {
		return err
	}
	night, err := p.night(ctx, files)
	if err != nil {
		return err
	}
	differ, examples, err := compare(b.base.members, night, sent, given, founded)
	if err != nil {
		return err
	}
	total, count := 0, 0
	for _, n := range differ {
		total += n
	}
	for _, f := range founded {
		if f {
			count++
		}
	}
	b.table.atLeast(fmt.Sprintf("agree: of %d records online (%d founded an identity), same identity after the night", len(sent), count), " %",
		100*float64(len(sent)-total)/float64(len(sent)), 99.5, 99.9)
	for _, why := range slices.Sorted(maps.Keys(differ)) {
		b.table.tell("agree: "+why, "%d", differ[why])
	}
	for _, text := range examples[:min(len(examples), 10)] {
		b.tell("agree", text)
	}
	return errors.Join(p.verifyLog(ctx), p.remove())
}

// compare counts by reason the records that the night has elsewhere.
func compare(before *run.Members, night *run.Run, sent []row, given map[record.Key]string, founded map[record.Key]bool) (map[string]int, []string, error) {
	m, err := night.Members()
	if err != nil {
		return nil, nil, err
	}
	ids, into, err := night.Aliases()
	if err != nil {
		return nil, nil, err
	}
	alias := make(map[string]string)
	for i := range ids.Len() {
		alias[ids.At(uint32(i))] = into.At(uint32(i))
	}
	differ := make(map[string]int)
	var examples []string
	for i := range sent {
		key := sent[i].key
		at, ok := m.Find(key)
		of, leads := "", given[key]
		if ok {
			of = m.Identities.At(m.Identity[at])
		}
		if to, ended := alias[leads]; ended {
			leads = to
		}
		if ok && of == leads {
			continue
		}
		why := joinedOther
		_, there := m.FindIdentity(leads)
		_, old := before.FindIdentity(of)
		switch {
		case !ok:
			why = missingAtNight
		case founded[key]:
			why = joinedAtNight
		case leads == "" || !there:
			why = leadsNowhere
		case !old:
			why = leftAlone
		}
		differ[why]++
		examples = append(examples, fmt.Sprintf("%s: %v was given %s, which leads to %q; the night has it in %s", why, key, given[key], leads, of))
	}
	return differ, examples, nil
}
