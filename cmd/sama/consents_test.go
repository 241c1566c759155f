package main

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sama/record"
	"sama/serve/consent"
	"sama/serve/online"
	"sama/serve/store"
)

// consentExports are two exports with columns of consents, and a third without.
type consentExports struct {
	dir, out string
	crm, web map[int]string // person → what the export says
	updated  map[int]string // person → when crm changed the record
	erased   int            // persons who are in no run any more
}

const consentPersons = 30

func newConsentExports(t *testing.T) *consentExports {
	dir := t.TempDir()
	e := &consentExports{dir: dir, out: filepath.Join(dir, "out"), crm: make(map[int]string), web: make(map[int]string), updated: make(map[int]string)}
	for i := range consentPersons {
		e.crm[i], e.web[i], e.updated[i] = "yes", "Kyllä", "2024-05-01"
	}
	return e
}

// night writes the exports and resolves them.
func (e *consentExports) night(t *testing.T) *online.Service {
	t.Helper()
	var crm, web strings.Builder
	crm.WriteString("id,first_name,last_name,email,city,email_opt_in,updated_at\n")
	web.WriteString("id,first_name,last_name,email,city,uutiskirje\n")
	for i := range consentPersons {
		given, family := nameOf(i)
		person := fmt.Sprintf("%s,%s,person%d@posti.fi,", given, family, i)
		if v, ok := e.crm[i]; ok {
			fmt.Fprintf(&crm, "C%02d,%s,%s,%s\n", i, person, v, e.updated[i])
		}
		if v, ok := e.web[i]; ok {
			fmt.Fprintf(&web, "W%02d,%s,%s\n", i, person, v)
		}
	}
	files := []string{filepath.Join(e.dir, "crm.csv"), filepath.Join(e.dir, "web.csv")}
	for i, text := range []string{crm.String(), web.String()} {
		if err := os.WriteFile(files[i], []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--out", e.out}, files...)...)
	mustRun(t, exitDone, "check", e.out)
	_, x, s := openService(t, e.out)
	if n := x.Identities(); n != consentPersons-e.erased {
		t.Fatalf("%d identities of %d persons", n, consentPersons-e.erased)
	}
	return s
}

// nameOf is the name of a person, unlike that of anybody else.
func nameOf(i int) (given, family string) {
	r := mrand.New(mrand.NewPCG(uint64(i), 1))
	word := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("bdfghjklmnprstv"[r.IntN(15)])
			b.WriteByte("aeiouy"[r.IntN(6)])
		}
		return strings.ToUpper(b.String()[:1]) + b.String()[1:]
	}
	return word(3), word(4)
}

func crmKey(i int) record.Key { return record.Key{Source: "crm", ID: fmt.Sprintf("C%02d", i)} }
func webKey(i int) record.Key { return record.Key{Source: "web", ID: fmt.Sprintf("W%02d", i)} }

// mails is the purpose that the tests ask about.
var mails = &consent.Purpose{ID: "marketing", Title: "Mails", Controller: "shop", Basis: consent.BasisConsent, Channels: []consent.Channel{"email"}, DirectMarketing: true}

// may decides whether the person of a record may be sent mails, by what the
// exports say and by further events.
func may(t *testing.T, s *online.Service, k record.Key, further ...consent.Event) consent.Decision {
	t.Helper()
	events := s.ImportedConsents(s.OfRecord(k))
	for i := range events {
		events[i].Controller = mails.Controller
		if err := events[i].Validate(); err != nil {
			t.Errorf("%v: %v", events[i], err)
		}
	}
	return consent.Decide(mails, consent.Question{Channel: "email"}, append(events, further...), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
}

func TestConsentsOfExportsDecide(t *testing.T) {
	e := newConsentExports(t)
	e.crm[1] = "no"   // one refuses, the other does not
	e.crm[2] = ""     // one has not been asked
	delete(e.crm, 3)  // and one is not there
	e.web[4] = "ehkä" // who can tell
	delete(e.web, 5)
	e.crm[5] = ""
	s := e.night(t)
	want := func(s *online.Service, i int, reason consent.Reason) {
		t.Helper()
		if d := may(t, s, map[bool]record.Key{true: crmKey(i), false: webKey(i)}[i != 3]); d.Reason != reason {
			t.Errorf("person %d: %v, want %v", i, d.Reason, reason)
		}
	}
	for i, reason := range map[int]consent.Reason{0: consent.ReasonGranted, 1: consent.ReasonDenied, 2: consent.ReasonGranted, 3: consent.ReasonGranted, 4: consent.ReasonGranted, 5: consent.ReasonUnknown} {
		want(s, i, reason)
	}

	// The second night: one withdraws in crm, one is won back, and one who said
	// yes says nothing any more.
	e.crm[0], e.updated[0] = "no", "2024-06-01"
	e.crm[1], e.updated[1] = "yes", "2024-06-02"
	e.crm[6], e.web[6] = "", ""
	delete(e.crm, 7) // whose record is gone, and with it what it said
	e.crm[8] = "no"  // nobody says when
	s = e.night(t)
	for i, reason := range map[int]consent.Reason{0: consent.ReasonDenied, 1: consent.ReasonGranted, 2: consent.ReasonGranted, 6: consent.ReasonExpired, 8: consent.ReasonDenied} {
		want(s, i, reason)
	}
	if events := s.ConsentsOf([]record.Key{crmKey(0)}); len(events) != 2 || !events[1].At.Equal(time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)) || events[0].Expires != events[1].At || events[1].Source != "crm.email_opt_in" {
		t.Errorf("what the record said: %+v", events)
	}
	// The person's own word is stronger than an import, until a later one comes.
	own := consent.Event{Anchor: consent.OfAccount("a"), Purpose: "marketing", Controller: "shop", Act: consent.ActGrant, At: time.Date(2024, 6, 15, 0, 0, 0, 0, time.UTC), Authenticated: consent.Account}
	if d := may(t, s, crmKey(0), own); !d.Allowed {
		t.Errorf("after the person's own grant: %v", d.Reason)
	}

	// The third night undoes what the second did.
	e.crm[0], e.updated[0] = "yes", "2024-07-01"
	e.crm[8], e.crm[7] = "yes", "yes"
	s = e.night(t)
	for i, reason := range map[int]consent.Reason{0: consent.ReasonGranted, 8: consent.ReasonGranted, 7: consent.ReasonGranted} {
		want(s, i, reason)
	}
}

func TestConsentsThatComeOnline(t *testing.T) {
	e := newConsentExports(t)
	e.crm[1] = ""
	s := e.night(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.Now = func() time.Time { return at }
	put := func(k record.Key, fields map[string]string) {
		t.Helper()
		if _, err := s.Put(t.Context(), k, fields, func(*online.Arrival) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	person := func(i int, optIn string) map[string]string {
		given, family := nameOf(i)
		return map[string]string{"first_name": given, "last_name": family, "email": fmt.Sprintf("person%d@posti.fi", i), "email_opt_in": optIn}
	}
	put(crmKey(0), person(0, "no"))
	if d := may(t, s, crmKey(0)); d.Reason != consent.ReasonDenied {
		t.Errorf("after a refusal: %v", d.Reason)
	}
	events := s.ConsentsOf([]record.Key{crmKey(0)})
	if len(events) != 2 || !events[1].At.Equal(at) || events[1].Act != consent.ActDeny || !events[0].Expires.Equal(at) {
		t.Errorf("events %+v", events)
	}
	// Sent again, it says the same since the first time: what the person said in
	// between is later.
	own := consent.Event{Anchor: consent.OfAccount("a"), Purpose: "marketing", Controller: "shop", Act: consent.ActGrant, At: at.Add(time.Hour), Authenticated: consent.Account}
	at = at.Add(2 * time.Hour)
	put(crmKey(0), person(0, "no"))
	if d := may(t, s, crmKey(0), own); !d.Allowed {
		t.Errorf("after the person's own grant: %v", d.Reason)
	}
	put(crmKey(0), person(0, "yes"))
	if events := s.ConsentsOf([]record.Key{crmKey(0)}); len(events) != 1 || events[0].Act != consent.ActGrant || !events[0].Expires.IsZero() {
		t.Errorf("as in the run again: %+v", events)
	}
	put(crmKey(0), person(0, ""))
	if events := s.ConsentsOf([]record.Key{crmKey(0)}); len(events) != 1 || !events[0].Expires.Equal(at) {
		t.Errorf("nothing is said any more: %+v", events)
	}
	put(crmKey(1), person(1, "yes")) // not asked before
	put(record.Key{Source: "crm", ID: "C99"}, map[string]string{"first_name": "Zacharias", "last_name": "Qvist", "email": "z@qvist.fi", "email_opt_in": "perhaps"})
	if events := s.ConsentsOf([]record.Key{crmKey(1), {Source: "crm", ID: "C99"}, {Source: "crm", ID: "nobody"}, {Source: "garage", ID: "1"}}); len(events) != 1 || !events[0].At.Equal(at) || events[0].Act != consent.ActGrant {
		t.Errorf("of others: %+v", events)
	}
	// From the state, with its own time.
	_, _, again := openService(t, e.out)
	restored := &online.Arrival{Key: crmKey(2), Identity: again.OfRecord(crmKey(2)), Received: at.AddDate(0, 0, 1)}
	if err := again.Prepare(t.Context(), restored, person(2, "no")); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Restore(restored); err != nil {
		t.Fatal(err)
	}
	if events := again.ConsentsOf([]record.Key{crmKey(2)}); len(events) != 2 || !events[1].At.Equal(restored.Received) {
		t.Errorf("restored: %+v", events)
	}
	if _, err := again.Delete(crmKey(2), func(*online.Arrival) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if events := again.ConsentsOf([]record.Key{crmKey(2)}); len(events) != 0 {
		t.Errorf("deleted: %+v", events)
	}
}

// TestConsentsOfTheErasedAreGone: those of a record that is in the export still,
// and of one that is gone, known by its key or by its address.
func TestConsentsOfTheErasedAreGone(t *testing.T) {
	e := newConsentExports(t)
	e.night(t)
	delete(e.crm, 1)
	e.night(t)
	keys, err := store.CreateKeys(filepath.Join(e.out, keysName), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	state, err := store.Open(t.Context(), filepath.Join(e.out, stateName), store.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	marks := []store.Mark{{Kind: store.KindRecord, Value: crmKey(1).String()}, {Kind: store.KindRecord, Value: webKey(1).String()}, {Kind: "email", Value: "person2@posti.fi"}}
	if _, _, err := state.Erase(t.Context(), store.Erasure{Identities: []string{"0001000000000"}, Reason: "asked", By: "test"}, store.Person{Marks: marks}); err != nil {
		t.Fatal(err)
	}
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
	e.erased = 2
	s := e.night(t)
	held := make(map[string]bool)
	eachText(t, filepath.Join(e.out, "current", "consents.parquet"), func(text []byte) { held[string(text)] = true })
	for _, id := range []string{"C01", "W01", "C02", "W02"} {
		if held[id] {
			t.Errorf("consents of the erased record %s are kept", id)
		}
	}
	if !held["C00"] || !held["W03"] || len(s.ConsentsOf([]record.Key{crmKey(0)})) != 1 {
		t.Error("consents of others are gone")
	}
}

// TestServedLedgerHasWhatTheExportsSay asks sama serve for the consents of
// persons: what the exports said decides, with the controller of the purpose,
// until somebody says more.
func TestServedLedgerHasWhatTheExportsSay(t *testing.T) {
	e := newConsentExports(t)
	e.crm[1] = "no"
	e.night(t)
	mustRun(t, exitDone, "purpose", "add", "marketing", "--title", "Mails", "--controller", "shop", "--basis", "consent", "--channels", "email", "--fields", "email", "--text-version", "1", "--direct-marketing", "--out", e.out)
	s := startServing(t, e.out)
	ask := func(i int) (events int, reason string) {
		t.Helper()
		status, v := s.ask("POST", "/v1/consents:lookup", fmt.Sprintf(`{"record":{"source":"crm","record_id":"C%02d"}}`, i))
		if status != 200 {
			t.Fatalf("%d %v", status, v)
		}
		one := v["consents"].([]any)[0].(map[string]any)
		for _, d := range one["decisions"].([]any) {
			if d := d.(map[string]any); d["purpose"] == "marketing" {
				reason = fmt.Sprint(d["reason"])
			}
		}
		return len(one["events"].([]any)), reason
	}
	for i, want := range map[int]string{0: "granted", 1: "denied"} {
		if events, reason := ask(i); events != 2 || reason != want {
			t.Errorf("person %d: %d events, %s, want %s", i, events, reason, want)
		}
	}
	given, family := nameOf(0)
	status, v := s.ask("POST", "/v1/records", fmt.Sprintf(`{"records":[{"source":"crm","record_id":"C00","fields":{"first_name":%q,"last_name":%q,"email":"person0@posti.fi","email_opt_in":"no"}}]}`, given, family))
	if status/100 != 2 {
		t.Fatalf("%d %v", status, v)
	}
	if events, reason := ask(0); events != 3 || reason != "denied" {
		t.Errorf("after a refusal that came online: %d events, %s", events, reason)
	}
}
