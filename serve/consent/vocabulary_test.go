package consent

import (
	"encoding"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAnchorsRoundTrip(t *testing.T) {
	digest := strings.Repeat("0123456789abcdef", 4)
	for text, want := range map[string]Anchor{
		"record:crm:17":           OfRecord("crm", "17"),
		"record:crm:a:b::c":       OfRecord("crm", "a:b::c"),
		"record:web shop:Ä 1":     OfRecord("web shop", "Ä 1"),
		"contact:email:" + digest: OfContact(Contact{"email", digest}),
		"account:a1:b":            OfAccount("a1:b"),
	} {
		got, err := ParseAnchor(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{
		"", "record", "record:", "record:crm", "record:crm:", "record::17", "record:c\x00rm:1", "record:crm:\xff",
		"contact:email:", "contact:email:liisa@example.com", "contact:Email:" + digest, "contact::" + digest,
		"contact:email:" + strings.ToUpper(digest), "contact:email:abcd", "contact:email:" + digest + digest + "00",
		"account:", "account:" + strings.Repeat("x", 201), "identity:1", "Record:crm:1", " record:crm:1",
	} {
		a, err := ParseAnchor(bad)
		if err == nil || a != (Anchor{}) {
			t.Errorf("anchor %q was accepted as %+v", bad, a)
		} else if strings.Contains(err.Error(), "liisa") {
			t.Errorf("the error repeats the value: %v", err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawAnchor(t), drawAnchor(t)
		back, err := ParseAnchor(a.String())
		if err != nil || back != a {
			t.Fatalf("%+v came back as %+v, %v", a, back, err)
		}
		if (a.Compare(b) == 0) != (a == b) || a.Compare(b) != -b.Compare(a) || (a.String() == b.String()) != (a == b) {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

func drawAnchor(t *rapid.T) Anchor {
	switch rapid.SampledFrom([]AnchorKind{RecordAnchor, ContactAnchor, AccountAnchor}).Draw(t, "kind") {
	case RecordAnchor:
		return OfRecord(rapid.StringMatching(`[a-z ]{1,3}`).Draw(t, "source"), rapid.StringMatching(`[a-z:0-9]{1,3}`).Draw(t, "id"))
	case ContactAnchor:
		return OfContact(contactN(rapid.IntRange(1, 9).Draw(t, "contact")))
	}
	return OfAccount(rapid.StringMatching(`[a-z:0-9]{1,3}`).Draw(t, "account"))
}

func FuzzParseAnchor(f *testing.F) {
	for _, s := range []string{"record:crm:17", "contact:email:00112233445566778899aabbccddeeff", "account:1", "record:::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ParseAnchor(s); err == nil && (a.String() != s || a.Validate() != nil) {
			t.Errorf("%q became %+v", s, a)
		}
	})
}

// roundTrip checks the text forms of a small set of values.
func roundTrip[T interface {
	comparable
	encoding.TextMarshaler
}](t *testing.T, all []T, n int, parse func(string) (T, error)) {
	t.Helper()
	seen := map[string]bool{}
	for _, v := range all {
		text, err := v.MarshalText()
		back, parseErr := parse(string(text))
		if err != nil || parseErr != nil || back != v || seen[string(text)] || strings.ToLower(string(text)) != string(text) {
			t.Errorf("%v: %q, %v, %v", v, text, err, parseErr)
		}
		seen[string(text)] = true
	}
	if len(all) != n {
		t.Errorf("%d values of %T, want %d", len(all), all[0], n)
	}
	for _, bad := range []string{"", "GRANT", "nonsense", " grant"} {
		if v, err := parse(bad); err == nil {
			t.Errorf("%q was accepted as %v", bad, v)
		}
	}
}

func TestTextForms(t *testing.T) {
	roundTrip(t, Acts(), 10, ParseAct)
	roundTrip(t, Bases(), 6, ParseBasis)
	roundTrip(t, Reasons(), 16, ParseReason)
	roundTrip(t, []Authenticated{Import, Staff, Account, Strong}, 4, ParseAuthenticated)
	roundTrip(t, WithheldReasons(), 8, func(s string) (w Withheld, err error) { return w, w.UnmarshalText([]byte(s)) })
	if s := Act(99).String() + Act(0).String() + Reason(99).String(); s != "act(99)act(0)reason(99)" {
		t.Error(s)
	}
}

func TestEventsAndPurposesKeepTheirJSON(t *testing.T) {
	e := Event{
		ID: 5, Anchor: OfRecord("crm", "17"), Contact: contactN(1), Purpose: "newsletter", Channel: "email", Controller: "Shop Oy",
		Act: ActGrant, At: dayN(1), Recorded: dayN(2), Expires: dayN(3), Source: "crm", Authenticated: Staff, TextVersion: "1", Receipt: "r1",
	}
	for _, want := range []Event{e, {Anchor: OfAccount("a"), Act: ActErase, At: dayN(1)}} {
		text, err := json.Marshal(want)
		var back Event
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || back != want {
			t.Errorf("%s: %+v, %v", text, back, err)
		}
	}
	text, err := json.Marshal(newsletter())
	want := `{"id":"newsletter","title":"Offers","controller":"Shop Oy","basis":"consent","channels":["email","sms"],` +
		`"fields":["given_name","email","phone","city"],"text_version":"2026-01"}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}

func TestValidateSaysEverything(t *testing.T) {
	long := strings.Repeat("x", 201)
	for _, c := range []struct {
		name string
		err  error
		want []string // every one of them, one a line; none = valid
	}{
		{"a good purpose", newsletter().Validate(), nil},
		{"an empty purpose", (&Purpose{}).Validate(), []string{"id is missing", "title is missing", "controller is missing", "basis is missing"}},
		{"a bad purpose", (&Purpose{
			ID: "News letter", Title: "\n", Controller: long, Basis: 9, Channels: []Channel{"e-mail", "sms", "sms", ""},
			Fields: []string{"", "city", "city"}, RetentionDays: -1, TextVersion: "\x00",
		}).Validate(), []string{
			`id "News letter"`, "title is missing", "controller ", "basis is missing", `channel "e-mail"`, "channel sms is named twice",
			"channel is missing", "field is missing", "city is named twice", "retention_days is -1", "text_version",
		}},
		{"consent to no text", (&Purpose{ID: "a", Title: "A", Controller: "B", Basis: BasisConsent}).Validate(), []string{"text_version is missing"}},
		{"marketing by contract", (&Purpose{ID: "a", Title: "A", Controller: "B", Basis: BasisContract, DirectMarketing: true}).Validate(),
			[]string{"direct marketing cannot have the basis contract"}},

		{"a good event", (&Event{Anchor: OfRecord("crm", "1"), Act: ActWithdraw, At: dayN(1)}).Validate(), nil},
		{"an empty event", (&Event{}).Validate(), []string{"anchor is missing", "act is missing", "at and recorded are missing"}},
		{"a bad event", (&Event{
			Anchor: OfContact(contactN(1)), Contact: contactN(2), Purpose: "A b", Channel: "E", Controller: " ", Act: ActDeny,
			Source: long, TextVersion: "\x01", Receipt: "\xff", Expires: dayN(1), Authenticated: 9, At: dayN(1),
		}).Validate(), []string{
			"another one than the anchor's", `purpose "A b"`, `channel "E"`, "controller is missing", "source ", "text_version ", "receipt ",
			"a deny cannot expire", "authenticated(9)",
		}},
		{"a grant of everything", (&Event{Anchor: OfAccount("a"), Act: ActGrant, Recorded: dayN(1)}).Validate(),
			[]string{"a grant is for one purpose", "a grant is to one controller"}},
		{"a grant that ended before it began", (&Event{
			Anchor: OfAccount("a"), Purpose: "a", Controller: "B", Act: ActGrant, At: dayN(2), Expires: dayN(2),
		}).Validate(), []string{"expires is not later than at"}},
		{"half an erasure", (&Event{Anchor: OfAccount("a"), Act: ActErase, Purpose: "a", At: dayN(1)}).Validate(), []string{"erase is about everything"}},
		{"a contact point that is no digest", (&Event{Anchor: OfAccount("a"), Contact: Contact{"email", "a@b.fi"}, Act: ActDeny, At: dayN(1)}).Validate(),
			[]string{"not the value itself"}},

		{"a good grant", (&Grant{Purposes: []string{"a"}, Fields: []string{"*", "national_id"}}).Validate(), nil},
		{"a bad grant", (&Grant{Purposes: []string{"*", "a", "a", "B"}, Fields: []string{"x", "x", ""}}).Validate(),
			[]string{`"*" is not possible`, "a is named twice", `purpose "B"`, "x is named twice", "field is missing"}},
		{"the default policy", func() error { p := DefaultPolicy(); return p.Validate() }(), nil},
		{"a bad policy", (&FieldPolicy{Guarded: []string{"*", "a", "a"}, Channels: []ChannelRule{{Field: "*"}, {Field: "b"}, {Field: "b", Channels: []Channel{"X"}}}}).Validate(),
			[]string{`guarded: "*"`, "a is named twice", `field "*"`, "field b has two rules", `channel "X"`}},
	} {
		if (c.err == nil) != (len(c.want) == 0) {
			t.Errorf("%s: %v", c.name, c.err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(c.err.Error(), want) {
				t.Errorf("%s: %v\ndoes not say %q", c.name, c.err, want)
			}
		}
		if c.err != nil && len(strings.Split(c.err.Error(), "\n")) != len(c.want) {
			t.Errorf("%s: %v\nwant %d problems", c.name, c.err, len(c.want))
		}
	}
}

func TestWhen(t *testing.T) {
	var none time.Time
	for _, c := range []struct{ at, recorded, want time.Time }{
		{dayN(1), dayN(2), dayN(1)}, {dayN(3), dayN(2), dayN(2)}, {none, dayN(2), dayN(2)}, {dayN(1), none, dayN(1)},
	} {
		if got := (&Event{At: c.at, Recorded: c.recorded}).When(); !got.Equal(c.want) {
			t.Errorf("at %v, recorded %v: %v", c.at, c.recorded, got)
		}
	}
}

func TestCutsAreWholeRunes(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{{"", 4, ""}, {"abcd", 4, "abcd"}, {"abcde", 4, "abcd"}, {"abcäö", 4, "abc"}, {"abäö", 4, "abä"}, {"äö", 1, ""}} {
		if got := cut(c.text, c.n); got != c.want {
			t.Errorf("cut(%q, %d) is %q, want %q", c.text, c.n, got, c.want)
		}
	}
}
