package extract

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/record"
	"sama/serve/consent"
	"sama/serve/store"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// asking is a client's right as the slow reference needs it.
type asking struct {
	grant   consent.Grant
	purpose consent.Purpose
	policy  consent.FieldPolicy
	request Request
}

// slow is what should be in the file: asked of the state person by person, by
// the rules of package consent as they are documented, with real digests.
func (w *world) slow(t fatal, a *asking, dead map[record.Key]bool) (header []string, rows [][]string) {
	names := make([]string, len(worldColumns))
	for i, c := range worldColumns {
		names[i] = c.name
	}
	var order, last []string
	channels := a.purpose.Channels
	if c := a.request.Channel; c != "" {
		channels = []consent.Channel{c}
	}
	for _, name := range names {
		own := a.request.Channel != "" && slices.ContainsFunc(a.policy.Channels, func(r consent.ChannelRule) bool {
			return consent.Covers(r.Field, name) && slices.Contains(r.Channels, a.request.Channel)
		})
		asked := a.request.Fields == nil || own || slices.ContainsFunc(a.request.Fields, func(f string) bool { return consent.Covers(f, name) })
		if !asked || !w.ever(a, channels, name) {
			continue
		}
		if own {
			last = append(last, name)
		} else {
			order = append(order, name)
		}
	}
	order = append(order, last...)
	header = append([]string{"identity_id"}, order...)
	for _, id := range w.all() {
		keys := w.records(id)
		if slices.ContainsFunc(keys, func(k record.Key) bool { return dead[k] }) {
			continue
		}
		released := w.slowPerson(t, a, channels, id, keys, names)
		row := []string{id}
		for _, name := range order {
			v := ""
			if slices.Contains(released, name) {
				v = strings.ToValidUTF8(w.golden(keys, name), "\uFFFD")
			}
			row = append(row, v)
		}
		some := strings.Join(row[1:], "") != ""
		if len(last) > 0 {
			some = some && strings.Join(row[len(row)-len(last):], "") != ""
		}
		if some {
			rows = append(rows, row)
		}
	}
	return header, rows
}

// ever reports whether a column could be released to somebody.
func (w *world) ever(a *asking, channels []consent.Channel, name string) bool {
	if len(channels) == 0 {
		channels = []consent.Channel{""}
	}
	for _, c := range channels {
		d := consent.Decision{Allowed: true, Purpose: a.purpose.ID, Question: consent.Question{Channel: c}}
		if r := consent.Release(&a.grant, &a.purpose, d, &a.policy, []string{name}); len(r.Fields) > 0 {
			return true
		}
	}
	return false
}

// golden is a value of the golden record.
func (w *world) golden(keys []record.Key, name string) string {
	c := columnNamed(name)
	for _, k := range keys {
		if raw, _ := w.value(k, c); raw != "" {
			return raw
		}
	}
	return ""
}

func columnNamed(name string) int {
	for c := range worldColumns {
		if worldColumns[c].name == name {
			return c
		}
	}
	return -1
}

// digest is a contact point under the newest key.
func (w *world) digest(kind, normal string) consent.Contact {
	return consent.Contact{Kind: kind, Digest: w.keys.Hasher().Digest(kind, normal).String()}
}

// slowLedger is everything that was said of a person.
func (w *world) slowLedger(t fatal, controller string, keys []record.Key) []consent.Event {
	var anchors []string
	newest := make(map[string]consent.Contact) // anchor → contact point
	of := make(map[record.Key][]consent.Contact)
	for _, k := range keys {
		anchors = append(anchors, consent.OfRecord(k.Source, k.ID).String())
		for c, info := range worldColumns {
			kind := info.field.String()
			_, normal := w.value(k, c)
			if kind != "email" && kind != "phone" || normal == "" || normal == generic && w.knows(c, normal) {
				continue
			}
			of[k] = append(of[k], w.digest(kind, normal))
			for _, h := range w.keys.Hashers() {
				text := consent.OfContact(consent.Contact{Kind: kind, Digest: h.Digest(kind, normal).String()}).String()
				anchors = append(anchors, text)
				newest[text] = w.digest(kind, normal)
			}
		}
	}
	rows, err := w.store.ConsentsOf(context.Background(), anchors)
	if err != nil {
		t.Fatal(err)
	}
	events := []consent.Event{}
	for _, k := range keys {
		for _, e := range w.imported[k] {
			e.Controller = controller
			events = append(events, about(e, of[k])...)
		}
	}
	for _, row := range rows {
		e := consent.Event{ID: row.ID, Purpose: row.Purpose, Channel: consent.Channel(row.Channel), Controller: row.Controller,
			At: row.At, Recorded: row.Recorded, Expires: row.Expires, Source: row.Source}
		if e.Anchor, err = consent.ParseAnchor(row.Anchor); err != nil {
			t.Fatal(err)
		}
		if e.Act, err = consent.ParseAct(row.Act); err != nil {
			t.Fatal(err)
		}
		if e.Authenticated, err = consent.ParseAuthenticated(row.Authenticated); err != nil {
			t.Fatal(err)
		}
		if c, ok := newest[row.Anchor]; ok {
			e.Anchor = consent.OfContact(c)
			events = append(events, e)
		} else {
			events = append(events, about(e, of[record.Key{Source: e.Anchor.Name, ID: e.Anchor.Value}])...)
		}
	}
	return events
}

// knows reports whether the run has a value: of another nobody knows that it names
// nobody.
func (w *world) knows(c int, normal string) bool {
	_, ok := w.index.FindNormal(c, normal)
	return ok
}

// kinds are the contact points that channels reach.
var kinds = map[consent.Channel]string{"email": "email", "sms": "phone", "phone": "phone"}

// about says of which contact points of its record an event is: of those that
// its channel reaches; on any channel, of all and of none.
func about(e consent.Event, of []consent.Contact) (events []consent.Event) {
	for _, c := range of {
		if e.Channel == "" || c.Kind == kinds[e.Channel] {
			one := e
			one.Contact = c
			events = append(events, one)
		}
	}
	if e.Channel == "" || len(events) == 0 {
		events = append(events, e)
	}
	return events
}

// slowPerson names the columns that are released of a person.
func (w *world) slowPerson(t fatal, a *asking, channels []consent.Channel, id string, keys []record.Key, names []string) (released []string) {
	events := w.slowLedger(t, a.purpose.Controller, keys)
	var questions []consent.Question
	for _, c := range channels {
		kind := kinds[c]
		before := len(questions)
		for col, info := range worldColumns {
			if info.field.String() != kind {
				continue
			}
			for _, k := range keys {
				if raw, normal := w.value(k, col); raw != "" {
					if normal != "" {
						questions = append(questions, consent.Question{Channel: c, Contact: w.digest(kind, normal), Column: info.name})
					}
					break
				}
			}
		}
		if len(questions) == before {
			questions = append(questions, consent.Question{Channel: c})
		}
	}
	if len(channels) == 0 {
		questions = []consent.Question{{}}
	}
	strict := a.purpose
	strict.Basis = consent.BasisConsent
	for _, q := range questions {
		if consent.Decide(&strict, q, events, start).Reason == consent.ReasonRestricted && (a.purpose.Basis == consent.BasisLegalObligation || a.purpose.Basis == consent.BasisVitalInterest) {
			return nil
		}
		d := consent.Decide(&a.purpose, q, events, start)
		released = append(released, consent.Release(&a.grant, &a.purpose, d, &a.policy, names).Fields...)
	}
	return released
}

// drawAsking draws a purpose, a client and what it asks for.
func drawAsking(t *rapid.T) *asking {
	fields := func(name string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"*", "given_name", "email", "phone", "national_id", "city"}), 1, 6, rapid.ID[string]).Draw(t, name)
	}
	a := &asking{policy: consent.DefaultPolicy()}
	a.purpose = consent.Purpose{
		ID: rapid.SampledFrom(somePurposes).Draw(t, "purpose"), Title: "What for", Controller: "us", TextVersion: "1",
		Basis: rapid.SampledFrom(append([]consent.Basis{consent.BasisConsent, consent.BasisConsent}, consent.Bases()...)).Draw(t, "basis"), Fields: fields("fields of the purpose"),
		Channels: rapid.SliceOfNDistinct(rapid.SampledFrom(someChannels), 0, 3, rapid.ID[consent.Channel]).Draw(t, "channels"),
	}
	if a.purpose.Basis == consent.BasisConsent || a.purpose.Basis == consent.BasisLegitimateInterest {
		a.purpose.DirectMarketing = rapid.Bool().Draw(t, "direct marketing")
	}
	a.grant = consent.Grant{Purposes: []string{a.purpose.ID}, Fields: fields("fields of the client")}
	a.request = Request{Client: "mailer", Purpose: a.purpose.ID}
	if len(a.purpose.Channels) > 0 && rapid.Bool().Draw(t, "one channel") {
		a.request.Channel = rapid.SampledFrom(a.purpose.Channels).Draw(t, "channel")
	}
	if rapid.Bool().Draw(t, "some fields") {
		a.request.Fields = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"given_name", "email", "phone", "city", "email_2"}), 1, 3, rapid.ID[string]).Draw(t, "fields")
	}
	return a
}

// TestExtractIsWhatTheReferenceReleases compares files with what is asked of the
// state person by person.
func TestExtractIsWhatTheReferenceReleases(t *testing.T) {
	rows, files, refusals := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, func() string { return t.TempDir() })
		defer w.close()
		dead := make(map[record.Key]bool)
		if rapid.IntRange(0, 3).Draw(rt, "erase") == 0 {
			id := rapid.SampledFrom(append(w.all(), "none")).Draw(rt, "erased")
			var marks []store.Mark
			for _, k := range w.records(id) {
				marks = append(marks, store.Mark{Kind: store.KindRecord, Value: k.String()})
				dead[k] = true
			}
			if _, _, err := w.store.Erase(context.Background(), store.Erasure{Identities: []string{id}, By: "kim"}, store.Person{Marks: marks}); err != nil {
				rt.Fatal(err)
			}
		}
		made := false
		for range 4 {
			a := drawAsking(rt)
			w.putPurpose(rt, &a.purpose)
			var err error
			if made {
				err = w.store.ChangeClient(context.Background(), "mailer", []store.Role{store.RoleRead}, a.grant.Purposes, a.grant.Fields)
			} else {
				_, _, err = w.store.AddClient(context.Background(), "mailer", []store.Role{store.RoleRead}, a.grant.Purposes, a.grant.Fields)
			}
			if err != nil {
				rt.Fatal(err)
			}
			made = true
			x, err := New(context.Background(), w.options(rapid.IntRange(1, 3).Draw(rt, "workers")), a.request)
			header, want := w.slow(rt, a, dead)
			if _, ok := errors.AsType[*RefusedError](err); ok {
				if len(header) > 1 && a.request.Fields == nil {
					rt.Fatalf("refused although %v may leave: %v", header, err)
				}
				refusals++
				continue
			}
			if err != nil {
				rt.Fatal(err)
			}
			path := filepath.Join(w.dir, "out.csv")
			report, err := x.Write(context.Background(), path)
			if err != nil {
				rt.Fatal(err)
			}
			got := readCSV(rt, path)
			if diff := cmp.Diff(append([][]string{header}, want...), got); diff != "" {
				rt.Fatalf("asked %+v of %+v for %+v: -want +got\n%s", a.request, a.purpose, a.grant, diff)
			}
			checkReport(rt, w, report, header, want)
			files++
			rows += len(want)
		}
	})
	t.Logf("%d files with %d rows, %d refusals", files, rows, refusals)
}

// checkReport compares the figures of a report with the rows.
func checkReport(t *rapid.T, w *world, r *Report, header []string, rows [][]string) {
	if int(r.Persons) != len(rows) || int(r.Of) != len(w.all()) {
		t.Fatalf("%d of %d persons, want %d of %d", r.Persons, r.Of, len(rows), len(w.all()))
	}
	left := int64(0)
	for _, c := range r.LeftOut {
		left += c.Count
	}
	if left != r.Of-r.Persons {
		t.Fatalf("left out %v, want %d in all", r.LeftOut, r.Of-r.Persons)
	}
	for k, f := range r.Columns {
		released, all := int64(0), int64(0)
		for _, row := range rows {
			if row[k+1] != "" {
				released++
			}
		}
		for _, id := range w.all() {
			if w.golden(w.records(id), f.Field) != "" {
				all++
			}
		}
		for _, c := range f.Withheld {
			all -= c.Count
		}
		if f.Field != header[k+1] || f.Released != released || all != released {
			t.Fatalf("field %+v: %d values were released, withheld and released make %d too few", f, released, all-released)
		}
	}
}
