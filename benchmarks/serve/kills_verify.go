package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sama/record"
)

// byEmail looks an address up and returns the identity, "" if there is none.
func (w *writer) byEmail(email string) (string, error) {
	var got profiles
	err := w.ask(w.line, call{method: "POST", path: "/v1/profiles:lookup", as: desk, purpose: service,
		body: map[string]any{"identifier": map[string]string{"field": "email", "value": email}}}, &got)
	return got.ids(), err
}

// verify looks whether a record is as the writer knows it to be.
func (w *writer) verify(r *written) error {
	id, err := w.whose(w.line, r.key)
	if err != nil {
		return err
	}
	if !r.there {
		if id != "" {
			w.gone("%v was deleted, and is read in identity %s", r.key, id)
		}
		return nil
	}
	found, err := w.byEmail(r.email)
	if err != nil {
		return err
	}
	if id != r.identity || found != r.identity {
		w.gone("%v was put with %s into identity %s; by its key it is in %q, by that address in %q", r.key, r.email, r.identity, id, found)
	}
	return nil
}

// timesSaid counts the consent events of a record with a receipt.
func (w *writer) timesSaid(k record.Key, receipt string) (int, error) {
	var got struct {
		Consents []struct{ Events []struct{ Receipt string } }
	}
	err := w.ask(w.line, call{method: "POST", path: "/v1/consents:lookup", as: owner, purpose: newsletter, body: map[string]any{"record": keyed(k)}}, &got)
	n := 0
	for _, c := range got.Consents {
		for _, e := range c.Events {
			if e.Receipt == receipt {
				n++
			}
		}
	}
	return n, err
}

// verifySaid looks whether consents are recorded, once. Those of records that
// are gone have no identity to ask.
func (w *writer) verifySaid(receipts []string) error {
	there := make(map[record.Key]bool)
	for _, r := range w.records {
		there[r.key] = r.there
	}
	for _, receipt := range receipts {
		k := w.said[receipt]
		if !there[k] {
			continue
		}
		n, err := w.timesSaid(k, receipt)
		if err != nil {
			return err
		}
		if n != 1 {
			w.gone("the consent %s of %v is recorded %d times", receipt, k, n)
		}
	}
	return nil
}

// verifyAll looks for everything that was ever acknowledged.
func (w *writer) verifyAll() error {
	w.line = &line{address: w.server.address}
	defer w.line.close()
	for _, r := range w.records {
		if r.identity == "" {
			continue // never acknowledged, nor done
		}
		if err := w.verify(r); err != nil {
			return err
		}
	}
	var receipts []string
	for receipt := range w.said {
		receipts = append(receipts, receipt)
	}
	slices.Sort(receipts)
	if err := w.verifySaid(receipts); err != nil {
		return err
	}
	return w.verifyDecided()
}

// verifyDecided looks whether the list of decisions has those of the writer.
func (w *writer) verifyDecided() error {
	type keys struct {
		Source   string
		RecordID string `json:"record_id"`
	}
	listed := make(map[int64][2]record.Key)
	for after, more := int64(0), true; more; {
		var page struct {
			Decisions []struct {
				DecisionID int64 `json:"decision_id"`
				A, B       keys
			}
			More bool
		}
		if err := w.ask(w.line, call{method: "GET", path: fmt.Sprintf("/v1/decisions?after=%d", after), as: owner, purpose: service}, &page); err != nil {
			return err
		}
		for _, d := range page.Decisions {
			after = d.DecisionID
			listed[after] = [2]record.Key{{Source: d.A.Source, ID: d.A.RecordID}, {Source: d.B.Source, ID: d.B.RecordID}}
		}
		more = page.More
	}
	for id, pair := range w.decided {
		got := listed[id]
		if got != pair && got != [2]record.Key{pair[1], pair[0]} {
			w.gone("decision %d on %v is listed on %v", id, pair, got)
		}
	}
	return nil
}

// feed is the change feed as a client reads it that goes on from where it was,
// kill after kill.
type feed struct {
	events []feedEvent
	start  string // cursor before the first write
	cursor string
	byID   map[string][]string // identity → kinds, in order
	wrong  int
}

// feedEvent is an event of the feed.
type feedEvent struct {
	Cursor     string
	Kind       string
	IdentityID string `json:"identity_id"`
}

// begin reads what was there before the first write.
func (f *feed) begin(k *killing) error {
	f.start, f.byID = "0", make(map[string][]string)
	var err error
	_, f.start, err = f.read(k, f.start, 1000)
	f.cursor = f.start
	return err
}

// read reads the feed from a cursor to its end.
func (f *feed) read(k *killing, cursor string, limit int) (list []feedEvent, next string, err error) {
	l := &line{address: k.server.address}
	defer l.close()
	for more := true; more; {
		var page struct {
			Changes    []feedEvent
			NextCursor string `json:"next_cursor"`
			More       bool
		}
		if err := k.ask(l, call{method: "GET", path: fmt.Sprintf("/v1/changes?cursor=%s&limit=%d", cursor, limit), as: owner, purpose: newsletter}, &page); err != nil {
			return nil, "", err
		}
		list, cursor, more = append(list, page.Changes...), page.NextCursor, page.More
	}
	return list, cursor, nil
}

// follow reads on from where the feed was left, by pages of a random size.
func (f *feed) follow(k *killing) error {
	list, next, err := f.read(k, f.cursor, 1+k.random.IntN(300))
	if err != nil {
		return err
	}
	f.events, f.cursor = append(f.events, list...), next
	for _, c := range list {
		f.byID[c.IdentityID] = append(f.byID[c.IdentityID], c.Kind)
	}
	return nil
}

// verify holds the feed that was read piece by piece against one that is read
// anew from the start, and against what was written.
func (f *feed) verify(k *killing) error {
	if err := f.follow(k); err != nil {
		return err
	}
	anew, _, err := f.read(k, f.start, 777)
	if err != nil {
		return err
	}
	f.compare(k, anew)
	return nil
}

// compare is verify with what the feed has from the start, read in one go.
func (f *feed) compare(k *killing, anew []feedEvent) {
	fault := func(format string, args ...any) {
		f.wrong++
		k.violated("feed on "+k.name, format, args...)
	}
	if !slices.Equal(anew, f.events) {
		fault("read from the start in one go it has %d events, read on from cursor to cursor %d, or others", len(anew), len(f.events))
	}
	last := int64(0)
	for _, c := range f.events {
		seq, err := strconv.ParseInt(c.Cursor, 10, 64)
		if err != nil || seq <= last {
			fault("cursor %s comes after %d", c.Cursor, last)
		}
		last = seq
	}
	wants, writers := make(map[string][]string), make(map[string]map[int]bool)
	for _, w := range k.writers {
		for _, x := range w.wants {
			wants[x.identity] = append(wants[x.identity], x.kind)
			if writers[x.identity] == nil {
				writers[x.identity] = make(map[int]bool)
			}
			writers[x.identity][w.number] = true
		}
	}
	for id := range f.byID {
		if _, ok := wants[id]; !ok {
			fault("identity %s has %s, and nothing was written of it", id, strings.Join(f.byID[id], " "))
		}
	}
	for id, want := range wants {
		// Whether a golden record changed, the answers do not say.
		got := slices.DeleteFunc(slices.Clone(f.byID[id]), func(kind string) bool { return kind == "changed" })
		for i := range got {
			if got[i] == "retired" {
				got[i] = "shrunk" // the answer does not say that a record was the last
			}
		}
		if slices.Contains(want, anyPut) {
			// Nobody was told whether that record founded the identity.
			want, got = alike(want), alike(got)
		}
		if len(writers[id]) > 1 {
			// Writers of one identity may have come in any order.
			want = slices.Sorted(slices.Values(want))
			slices.Sort(got)
		}
		if !slices.Equal(got, want) {
			fault("identity %s has %s, written was %s", id, strings.Join(got, " "), strings.Join(want, " "))
		}
	}
}

// anyPut is the kind of an event about a record that was put and not answered.
const anyPut = "created or grown"

// alike makes all events about records that were put the same.
func alike(kinds []string) []string {
	out := slices.Clone(kinds)
	for i, kind := range out {
		if kind == "created" || kind == "grown" {
			out[i] = anyPut
		}
	}
	return out
}
