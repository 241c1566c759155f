package extract

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sama/record"
	"sama/run/index"
	"sama/serve/consent"
	"sama/serve/online"
	"sama/serve/store"

	"golang.org/x/sync/errgroup"
)

// ledger is what the state has of consents, as far as it is about the purpose,
// ready to be found from the records of a person. What stands at one anchor is a
// chain of events, known by the one that was read last; chain 0 is empty.
type ledger struct {
	said  []said // from 1
	words words

	ofRecord []uint32              // record of the index → its chain
	ofKey    map[record.Key]uint32 // record that came online → its chain

	contacts map[anchored]uint32 // contact point by its digest → its chain
	ofCode   []codes             // column of the index → chains by normal code; nil but for contact points
	more     map[place][]uint32  // further chains of a contact point, under other keys

	events int64 // read
	last   int64 // id of the last that was read
}

// said is an event without its anchor.
type said struct {
	id                          int64
	at, recorded, expires       int64 // microseconds, noTime for none
	channel, controller, source uint32
	before                      uint32 // the event of the same anchor that was read before; 0 for none
	act                         consent.Act
	authenticated               consent.Authenticated
	open                        bool // about every purpose
}

const noTime = math.MinInt64

// anchored is a contact point as an anchor names it.
type anchored struct {
	kind   record.Field
	digest store.KeyedDigest
}

// place is a normal form in a column.
type place struct {
	column int
	code   uint32
}

// codes maps normal codes to chains.
type codes []uint32

// words numbers the words of events.
type words struct {
	mu     sync.Mutex // guards what follows
	list   []string
	number map[string]uint32
}

func (w *words) of(text string) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.number[text]
	if !ok {
		n = uint32(len(w.list))
		w.list = append(w.list, text)
		w.number[text] = n
	}
	return n
}

// eventsAtOnce is how many events one statement reads.
const eventsAtOnce = 1 << 12

// readLedger reads the ledger and finds whose it is.
//
// It is read in the order of ids, range by range on several workers: that is the
// order in which it lies on the disk, and costs half as much as by anchor, which
// cannot be shared.
func (x *Extract) readLedger(ctx context.Context, came map[record.Key]*online.Arrival) (_ *ledger, err error) {
	l := &ledger{
		said: make([]said, 1), words: words{number: make(map[string]uint32)},
		ofRecord: make([]uint32, x.Index.Records()), ofKey: make(map[record.Key]uint32),
		contacts: make(map[anchored]uint32), more: make(map[place][]uint32),
		ofCode: make([]codes, len(x.Index.Columns())),
	}
	progress := x.Begin("consents", "events")
	defer func() { progress.End(l.events, err) }()
	revision, err := x.Store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	parts := make([]readEvents, revision.Consents/eventsAtOnce+1)
	var next, done atomic.Int64
	g, inner := errgroup.WithContext(ctx)
	for range x.Workers {
		g.Go(func() error {
			for i := next.Add(1) - 1; int(i) < len(parts); i = next.Add(1) - 1 {
				if err := x.readPart(inner, l, came, &parts[i], i*eventsAtOnce, int(i) == len(parts)-1); err != nil {
					return err
				}
				n := done.Add(parts[i].events)
				progress.Done(min(n, revision.Consents), revision.Consents)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i := range parts {
		l.take(&parts[i])
	}
	return l, x.findContacts(ctx, l)
}

// readEvents are events of a range of ids that are about the purpose and of
// somebody.
type readEvents struct {
	said   []said
	of     []owner
	events int64 // read
	last   int64
}

// owner is what the anchor of an event is: a record of the index, one that came
// online, or both, or a contact point.
type owner struct {
	record  uint32 // index.None if it is none
	key     record.Key
	came    bool
	contact anchored // kind Carried if it is none
}

// readPart reads the events with ids above after, as many as are read at once or,
// at the end, all.
func (x *Extract) readPart(ctx context.Context, l *ledger, came map[record.Key]*online.Arrival, p *readEvents, after int64, end bool) error {
	upTo := after + eventsAtOnce
	for {
		rows, err := x.Store.ConsentsAfter(ctx, after, eventsAtOnce)
		if err != nil {
			return err
		}
		for i := range rows {
			e := &rows[i]
			if e.ID > upTo && !end {
				return nil
			}
			p.events++
			p.last, after = e.ID, e.ID
			if e.Purpose != "" && e.Purpose != x.purpose.ID && e.Act != erase {
				continue
			}
			o, ok, err := ownerOf(x.Index, e.Anchor, came)
			if err == nil && ok {
				err = p.add(&l.words, e, o)
			}
			if err != nil {
				return fmt.Errorf("consent event %d: %w", e.ID, err)
			}
		}
		if !end || len(rows) < eventsAtOnce {
			return nil
		}
	}
}

// erase is the act that is about every purpose, whichever it names.
var erase = consent.ActErase.String()

// ownerOf says what an anchor is; ok is false if nobody has it.
func ownerOf(x *index.Index, text string, came map[record.Key]*online.Arrival) (o owner, ok bool, err error) {
	o.record = index.None
	if strings.HasPrefix(text, store.ErasedAnchor) {
		return o, false, nil
	}
	anchor, err := consent.ParseAnchor(text)
	if err != nil {
		return o, false, errors.New("its anchor cannot be read")
	}
	switch anchor.Kind {
	case consent.RecordAnchor:
		o.key = record.Key{Source: anchor.Name, ID: anchor.Value}
		r, found := x.FindRecord(o.key)
		if found {
			o.record = r
		}
		_, o.came = came[o.key]
		return o, found || o.came, nil
	case consent.ContactAnchor:
		o.contact, ok = anchoredAt(anchor)
		return o, ok, nil
	}
	return o, false, nil
}

// anchoredAt reads the anchor of a contact point; ok is false if no digest of
// ours can be the same.
func anchoredAt(anchor consent.Anchor) (a anchored, ok bool) {
	switch anchor.Name {
	case record.Email.String():
		a.kind = record.Email
	case record.Phone.String():
		a.kind = record.Phone
	default:
		return a, false
	}
	return a, decodeHex(a.digest[:], anchor.Value)
}

// decodeHex reads lower-case hexadecimal digits that fill to.
func decodeHex(to []byte, text string) bool {
	if len(text) != 2*len(to) {
		return false
	}
	for i := range to {
		high, low := strings.IndexByte(hexDigits, text[2*i]), strings.IndexByte(hexDigits, text[2*i+1])
		if high < 0 || low < 0 {
			return false
		}
		to[i] = byte(high<<4 | low)
	}
	return true
}

const hexDigits = "0123456789abcdef"

// add adds an event.
func (p *readEvents) add(w *words, e *store.ConsentEvent, o owner) (err error) {
	s := said{
		id: e.ID, at: microsOf(e.At), recorded: microsOf(e.Recorded), expires: microsOf(e.Expires),
		channel: w.of(e.Channel), controller: w.of(e.Controller), source: w.of(e.Source), open: e.Purpose == "",
	}
	if s.act, err = consent.ParseAct(e.Act); err != nil {
		return err
	}
	if s.authenticated, err = consent.ParseAuthenticated(e.Authenticated); err != nil {
		return err
	}
	p.said, p.of = append(p.said, s), append(p.of, o)
	return nil
}

// take adds a range of events to the chains, and lets it go.
func (l *ledger) take(p *readEvents) {
	l.events += p.events
	l.last = max(l.last, p.last)
	for i := range p.said {
		s, o := p.said[i], &p.of[i]
		if o.came {
			s.before = l.ofKey[o.key]
			l.said = append(l.said, s)
			l.ofKey[o.key] = uint32(len(l.said) - 1)
		}
		switch {
		case o.record != index.None:
			s.before = l.ofRecord[o.record]
			l.ofRecord[o.record] = uint32(len(l.said))
		case o.contact.kind != record.Carried:
			s.before = l.contacts[o.contact]
			l.contacts[o.contact] = uint32(len(l.said))
		default:
			continue
		}
		l.said = append(l.said, s)
	}
	*p = readEvents{}
}

func microsOf(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixMicro()
}

func timeOf(micros int64) time.Time {
	if micros == noTime {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// findContacts finds the values whose digests the ledger has. All values have to
// be hashed for that, so it is left where there is nothing to find.
func (x *Extract) findContacts(ctx context.Context, l *ledger) error {
	if len(l.contacts) == 0 {
		return nil
	}
	if x.Keys == nil {
		return fmt.Errorf("state %s has consents of contact points, but the key file by which they are known is missing; restore it from a copy", x.Store.Location())
	}
	wanted := make(map[record.Field]bool)
	for a := range l.contacts {
		wanted[a.kind] = true
	}
	type chunk struct {
		column   int
		from, to uint32
	}
	var chunks []chunk
	for c, info := range x.Index.Columns() {
		if !info.Identifying || !wanted[info.Field] {
			continue
		}
		n := uint32(x.Index.Normals(c))
		l.ofCode[c] = make(codes, n)
		const size = 1 << 13
		for from := uint32(1); from < n; from += size {
			chunks = append(chunks, chunk{c, from, min(from+size, n)})
		}
	}
	found := make([][]foundContact, len(chunks))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range x.Workers {
		g.Go(func() error {
			hashers := x.Keys.Hashers()
			for i := next.Add(1) - 1; int(i) < len(chunks); i = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				k := chunks[i]
				found[i] = x.hash(l, hashers, k.column, k.from, k.to)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, list := range found {
		for _, f := range list {
			if at := &l.ofCode[f.column][f.code]; *at == 0 {
				*at = f.chain
			} else {
				l.more[f.place] = append(l.more[f.place], f.chain)
			}
		}
	}
	return nil
}

type foundContact struct {
	place
	chain uint32
}

// hash looks for the digests of normal forms from one code to before another.
func (x *Extract) hash(l *ledger, hashers []*store.Hasher, column int, from, to uint32) (found []foundContact) {
	kind := x.Index.Columns()[column].Field
	name := kind.String()
	for code := from; code < to; code++ {
		if x.Index.Generic(column, code) {
			continue
		}
		normal := x.Index.Normal(column, code)
		for _, h := range hashers {
			if chain := l.contacts[anchored{kind, h.Digest(name, normal)}]; chain > 0 {
				found = append(found, foundContact{place{column, code}, chain})
			}
		}
	}
	return found
}

// ofContact returns the chains of a contact point that need not be in the index.
func (l *ledger) ofContact(hashers []*store.Hasher, kind record.Field, normal string) (chains []uint32) {
	if len(l.contacts) == 0 {
		return nil
	}
	for _, h := range hashers {
		if chain := l.contacts[anchored{kind, h.Digest(kind.String(), normal)}]; chain > 0 {
			chains = append(chains, chain)
		}
	}
	return chains
}

// appendEvents appends the events of a chain, which stand at an anchor.
func (l *ledger) appendEvents(events []consent.Event, chain uint32, anchor consent.Anchor, purpose string) []consent.Event {
	for ; chain > 0; chain = l.said[chain].before {
		s := &l.said[chain]
		e := consent.Event{
			ID: s.id, Anchor: anchor, Purpose: purpose, Channel: consent.Channel(l.words.list[s.channel]), Controller: l.words.list[s.controller],
			Act: s.act, At: timeOf(s.at), Recorded: timeOf(s.recorded), Expires: timeOf(s.expires),
			Source: l.words.list[s.source], Authenticated: s.authenticated,
		}
		if s.open {
			e.Purpose = ""
		}
		events = append(events, e)
	}
	return events
}
