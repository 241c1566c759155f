package consent

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// said makes an event of the newsletter from a line of words: the day, who, the
// act, and where it differs "at=N" the contact point, "by=CHANNEL", "for=PURPOSE"
// ("*" = open), "to=CONTROLLER" ("*" = open), "until=DAY".
func said(t *testing.T, id int, line string) Event {
	t.Helper()
	e := Event{ID: int64(id), Purpose: "newsletter", Channel: "email", Controller: "Shop Oy"}
	words := strings.Fields(line)
	e.At = day2(t, words[0])
	switch who, anchor, _ := strings.Cut(words[1], ":"); who {
	case "import", "staff":
		e.Anchor, e.Source = OfRecord(anchor, "17"), anchor
		e.Authenticated, _ = ParseAuthenticated(who)
	case "account", "strong":
		e.Anchor = OfAccount("a1")
		e.Authenticated, _ = ParseAuthenticated(who)
	default:
		t.Fatalf("%s: who is %s?", line, who)
	}
	var err error
	if e.Act, err = ParseAct(words[2]); err != nil {
		t.Fatal(err)
	}
	for _, w := range words[3:] {
		name, value, _ := strings.Cut(w, "=")
		value = strings.ReplaceAll(strings.ReplaceAll(value, "*", ""), "_", " ")
		switch name {
		case "at":
			e.Contact = contactN(int(value[0] - '0'))
		case "by":
			e.Channel = Channel(value)
		case "for":
			e.Purpose = value
		case "to":
			e.Controller = value
		case "until":
			e.Expires = day2(t, value)
		default:
			t.Fatalf("%s: what is %s?", line, name)
		}
	}
	if err := e.Validate(); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return e
}

func day2(t *testing.T, day string) time.Time {
	t.Helper()
	at, err := time.Parse("02", day)
	if err != nil {
		t.Fatal(err)
	}
	return at.AddDate(2026, 0, 0)
}

// TestDecide gives every rule of the package comment its cases. It is asked on
// the 20th whether the newsletter may go out by e-mail, to contact point 1 where
// it says so.
func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name   string
		basis  string // consent where empty; "marketing" after it for direct marketing
		ask    string // "", "at=1", "by=sms" …
		ledger string // lines joined by ";"
		want   string // reason, and the number of the deciding line
	}{
		{name: "nobody said anything", want: "unknown"},
		{name: "an import says yes", ledger: "01 import:crm grant", want: "granted 1"},
		{name: "an import says no", ledger: "01 import:crm deny", want: "denied 1"},
		{name: "yes to another purpose", ledger: "01 import:crm grant for=profiling", want: "unknown"},
		{name: "yes to another controller", ledger: "01 account grant to=Other_Oy", want: "unknown"},
		{name: "no to another controller", ledger: "01 import:crm grant; 02 account withdraw to=Other_Oy", want: "granted 1"},
		{name: "no to every controller", ledger: "01 import:crm grant; 02 account withdraw to=*", want: "withdrawn 2"},
		{name: "no to every purpose", ledger: "01 import:crm grant; 02 account withdraw for=*", want: "withdrawn 2"},
		{name: "yes by another channel", ledger: "01 account grant by=sms", want: "unknown"},
		{name: "yes by every channel", ledger: "01 account grant by=*", want: "granted 1"},
		{name: "no by another channel", ledger: "01 account grant; 02 account withdraw by=sms", want: "granted 1"},
		{name: "a channel that the purpose does not use", ask: "by=post", ledger: "01 account grant by=post", want: "channel"},
		{name: "all channels, one of them granted", ask: "by=*", ledger: "01 account grant", want: "unknown"},
		{name: "all channels, both granted", ask: "by=*", ledger: "01 account grant; 02 account grant by=sms", want: "granted 1"},
		{name: "all channels, one withdrawn", ask: "by=*", ledger: "01 account grant by=*; 02 account withdraw by=sms", want: "withdrawn 2"},

		{name: "yes at this address", ask: "at=1", ledger: "01 import:crm grant at=1", want: "granted 1"},
		{name: "yes at another address", ask: "at=1", ledger: "01 import:crm grant at=2", want: "other_contact"},
		{name: "yes at no address", ask: "at=1", ledger: "01 account grant", want: "other_contact"},
		{name: "no at another address", ask: "at=1", ledger: "01 import:crm grant at=1; 02 account withdraw at=2", want: "granted 1"},
		{name: "no at large", ask: "at=1", ledger: "01 import:crm grant at=1; 02 account withdraw", want: "withdrawn 2"},
		{name: "no address asked, yes at one", ledger: "01 account grant at=1", want: "other_contact"},
		{name: "no address asked, no at one", ledger: "01 account grant; 02 account withdraw at=1", want: "withdrawn 2"},
		{name: "no address asked, no at one answered there", ledger: "01 account grant; 02 account withdraw at=1; 03 account grant at=1", want: "granted 1"},
		{name: "yes at large does not answer a no at an address", ask: "at=1",
			ledger: "01 import:crm grant at=1; 02 account withdraw at=1; 03 account grant", want: "withdrawn 2"},
		{name: "yes at the address answers a no at large", ask: "at=1", ledger: "02 account withdraw; 03 account grant at=1", want: "granted 2"},

		{name: "imports disagree, the no is older", ledger: "01 import:crm deny; 02 import:web grant", want: "denied 1"},
		{name: "imports disagree, the no is newer", ledger: "01 import:crm grant; 02 import:web deny", want: "denied 2"},
		{name: "a source changes its mind", ledger: "01 import:crm deny; 02 import:crm grant", want: "granted 2"},
		{name: "a source changes its mind, told backwards", ledger: "02 import:crm grant; 01 import:crm deny", want: "granted 1"},
		{name: "a source says both at once", ledger: "01 import:crm grant; 01 import:crm deny", want: "denied 2"},
		{name: "a source's last word has expired", ledger: "01 import:crm grant; 02 import:crm grant until=10", want: "expired 2"},
		{name: "another source's grant has expired", ledger: "01 import:crm grant; 02 import:web grant until=10", want: "granted 1"},
		{name: "the staff does not speak for an import", ledger: "01 import:crm deny; 02 staff:crm grant", want: "denied 1"},

		{name: "the person grants after imported nos", ledger: "01 import:crm deny; 02 import:web deny; 03 account grant", want: "granted 3"},
		{name: "the person withdraws after an import", ledger: "01 import:crm grant; 03 account withdraw", want: "withdrawn 2"},
		{name: "an import does not undo a withdrawal", ledger: "01 account withdraw; 02 import:crm grant", want: "withdrawn 1"},
		{name: "the staff does not undo a withdrawal", ledger: "01 account withdraw; 02 staff:crm grant", want: "withdrawn 1"},
		{name: "an import refuses after the person granted", ledger: "01 account grant; 02 import:crm deny", want: "denied 2"},
		{name: "the person grants again", ledger: "01 account grant; 02 account withdraw; 03 strong grant", want: "granted 3"},
		{name: "the person withdraws again", ledger: "01 account withdraw; 02 account grant; 03 account withdraw", want: "withdrawn 3"},
		{name: "both at one time", ledger: "01 account grant; 01 account withdraw", want: "withdrawn 2"},
		{name: "the person agreed until the 10th", ledger: "01 import:crm grant; 02 account grant until=10", want: "expired 2"},
		{name: "the person agreed until the 20th", ledger: "02 account grant until=20", want: "expired 1"},
		{name: "the person agreed until the 21st", ledger: "02 account grant until=21", want: "granted 1"},
		{name: "a no was answered, then agreed until the 10th", ledger: "01 import:crm deny; 02 account grant; 03 account grant until=10", want: "expired 3"},
		{name: "what answered a no has expired", ledger: "01 account withdraw; 02 account grant until=10", want: "withdrawn 1"},
		{name: "a grant of tomorrow", ledger: "21 account grant", want: "unknown"},
		{name: "a withdrawal of tomorrow", ledger: "01 account grant; 21 account withdraw", want: "withdrawn 2"},

		{name: "restricted", ledger: "01 staff:crm restrict for=* by=* to=*; 02 account grant", want: "restricted 1"},
		{name: "restricted at another address", ask: "at=1", ledger: "01 staff:crm restrict at=2; 02 account grant at=1", want: "restricted 1"},
		{name: "lifted by the person", ledger: "01 staff:crm restrict for=*; 02 account lift_restriction for=*; 02 account grant", want: "granted 3"},
		{name: "lifted for this purpose", ledger: "01 staff:crm restrict for=*; 02 account lift; 02 account grant", want: "granted 3"},
		{name: "lifted for another purpose", ledger: "01 staff:crm restrict for=*; 02 account lift for=profiling; 02 account grant", want: "restricted 1"},
		{name: "the staff lifts what it set", ledger: "01 staff:crm restrict; 02 staff:crm lift; 02 account grant", want: "granted 3"},
		{name: "the staff does not lift what it set elsewhere", ledger: "01 staff:crm restrict; 02 staff:web lift; 02 account grant", want: "restricted 1"},
		{name: "the staff does not lift what the person set", ledger: "01 account restrict; 02 staff:crm lift; 02 account grant", want: "restricted 1"},
		{name: "an import lifts nothing", ledger: "01 import:crm restrict; 02 import:crm lift; 02 account grant", want: "restricted 1"},
		{name: "lifted at the same time", ledger: "01 account restrict; 01 account lift; 02 account grant", want: "restricted 1"},
		{name: "lifted tomorrow", ledger: "01 account restrict; 21 account lift; 02 account grant", want: "restricted 1"},
		{name: "restricted again", ledger: "01 account restrict; 02 account lift; 03 account restrict", want: "restricted 3"},
		{name: "an objection is no restriction", basis: "consent marketing", ledger: "01 account object; 02 account lift_restriction; 03 account grant", want: "objected 1"},

		{name: "marketing: an objection outlasts a grant", basis: "consent marketing", ledger: "01 account object; 02 account grant", want: "objected 1"},
		{name: "marketing: an objection to everything", basis: "consent marketing", ledger: "01 account grant; 02 account object for=*", want: "objected 2"},
		{name: "marketing: lifted", basis: "consent marketing", ledger: "01 account object; 02 account lift_objection; 02 account grant", want: "granted 3"},
		{name: "marketing: an objection at another address", basis: "consent marketing", ask: "at=1",
			ledger: "01 account grant at=1; 02 account object at=2", want: "granted 1"},
		{name: "consent: an objection to the purpose withdraws", ledger: "01 account grant; 02 account object", want: "objected 2"},
		{name: "consent: … until the person grants", ledger: "02 account object; 03 account grant", want: "granted 2"},
		{name: "consent: an objection to everything is not about consent", ledger: "01 account grant; 02 account object for=*", want: "granted 1"},

		{name: "interest: nobody said anything", basis: "legitimate_interest", want: "basis_legitimate_interest"},
		{name: "interest: an opt-out", basis: "legitimate_interest", ledger: "01 import:crm deny", want: "denied 1"},
		{name: "interest: an objection", basis: "legitimate_interest", ledger: "01 account object for=*; 02 account grant", want: "objected 1"},
		{name: "interest: an expired grant", basis: "legitimate_interest", ledger: "01 account grant until=10", want: "basis_legitimate_interest"},
		{name: "interest: a grant", basis: "legitimate_interest", ledger: "01 account grant", want: "granted 1"},

		{name: "contract: no consent needed", basis: "contract", ledger: "01 account withdraw; 02 account object for=*", want: "basis_contract"},
		{name: "contract: restricted", basis: "contract", ledger: "01 account restrict for=*", want: "restricted 1"},
		{name: "public task: an objection", basis: "public_task", ledger: "01 account object", want: "objected 1"},
		{name: "law: restricted", basis: "legal_obligation", ledger: "01 account restrict for=*", want: "basis_legal_obligation"},
		{name: "life: restricted", basis: "vital_interest", ledger: "01 account restrict for=*", want: "basis_vital_interest"},
		{name: "law: erased", basis: "legal_obligation", ledger: "01 staff:crm erase for=* by=* to=*", want: "erased 1"},
		{name: "erased, then a lift of something else", ledger: "01 staff:crm erase for=* by=* to=*; 02 account lift for=* by=*; 03 account grant", want: "erased 1"},
		{name: "erased, and the staff cannot take it back", ledger: "01 staff:crm erase for=* by=* to=*; 02 staff:crm lift_erasure for=* by=* to=*; 03 account grant", want: "erased 1"},
		{name: "erased, and back", ledger: "01 staff:crm erase for=* by=* to=*; 02 account lift_erasure for=* by=* to=*; 03 account grant", want: "granted 3"},
		{name: "the strongest is named", ledger: "01 staff:crm erase for=* by=* to=*; 02 account restrict; 03 account object", want: "erased 1"},
		{name: "no basis", basis: "none", ledger: "01 account grant", want: "no_basis"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, q := newsletter(), Question{Channel: "email"}
			basis, marketing, _ := strings.Cut(c.basis, " ")
			p.DirectMarketing = marketing != ""
			if basis != "" {
				p.Basis, _ = ParseBasis(basis) // none is none
			}
			for _, w := range strings.Fields(c.ask) {
				switch name, value, _ := strings.Cut(w, "="); name {
				case "at":
					q.Contact = contactN(int(value[0] - '0'))
				case "by":
					q.Channel = Channel(strings.Trim(value, "*"))
				}
			}
			var events []Event
			for i, line := range strings.Split(c.ledger, ";") {
				if strings.TrimSpace(line) != "" {
					events = append(events, said(t, i+1, line))
				}
			}
			d := Decide(p, q, events, day2(t, "20"))
			if many := Decide(p, q, slices.Repeat(events, manyEvents+1), day2(t, "20")); many != d {
				t.Errorf("every event many times: %+v, want %+v", many, d)
			}
			got := d.Reason.String()
			if d.Event != 0 {
				got += " " + string(rune('0'+d.Event))
			}
			if q.Channel == AnyChannel && d.Allowed && d.Channel != AnyChannel {
				t.Errorf("all channels are allowed, but it says %s", d.Channel)
			}
			if got != c.want || d.Allowed != d.Reason.Allows() {
				t.Errorf("%s (allowed: %v), want %s", got, d.Allowed, c.want)
			}
			if s := d.Sentence(); strings.HasPrefix(s, "Allowed: ") != d.Allowed || !strings.HasSuffix(s, ".") || strings.Contains(s, "%!") {
				t.Errorf("sentence %q", s)
			}
		})
	}
}

// TestWhatIsNotValidGrantsNothing takes events that Validate refuses.
func TestWhatIsNotValidGrantsNothing(t *testing.T) {
	no := Event{Anchor: OfRecord("crm", "17"), Source: "crm", Channel: "email", Act: ActDeny, At: dayN(1)}
	for name, spoil := range map[string]func(e *Event){
		"no purpose":    func(e *Event) { e.Controller = "Shop Oy" },
		"no controller": func(e *Event) { e.Purpose = "newsletter" },
		"no act":        func(e *Event) { e.Purpose, e.Controller, e.Act = "newsletter", "Shop Oy", 0 },
		"unknown act":   func(e *Event) { e.Purpose, e.Controller, e.Act = "newsletter", "Shop Oy", 99 },
	} {
		before, yes := no, no
		yes.Act, yes.At = ActGrant, dayN(2)
		spoil(&yes)
		before.Purpose, before.Controller = yes.Purpose, yes.Controller
		if yes.Validate() == nil {
			t.Errorf("%s: valid", name)
		}
		for want, events := range map[Reason][]Event{ReasonUnknown: {yes}, ReasonDenied: {before, yes}} {
			for _, times := range []int{1, 1 + manyEvents} {
				if d := Decide(newsletter(), Question{Channel: "email"}, slices.Repeat(events, times), dayN(3)); d.Reason != want {
					t.Errorf("%s: %v, want %v", name, d.Reason, want)
				}
			}
		}
	}
}

func TestSentences(t *testing.T) {
	at := time.Date(2026, 3, 4, 22, 0, 0, 0, time.UTC)
	for want, d := range map[string]Decision{
		"Allowed: the person agreed to purpose newsletter by email on 2026-03-04, until 2026-03-05.": {
			Allowed: true, Reason: ReasonGranted, At: at, Expires: at.AddDate(0, 0, 1), Authenticated: Account, Purpose: "newsletter", Channel: "email"},
		"Not allowed: the person, as an export says, said no to purpose newsletter on 2026-03-04.": {
			Reason: ReasonDenied, At: at, Purpose: "newsletter"},
		"Not allowed: the person, as the staff heard, withdrew from purpose newsletter by sms on 2026-03-04.": {
			Reason: ReasonWithdrawn, At: at, Authenticated: Staff, Purpose: "newsletter", Channel: "sms"},
		"Not allowed: nobody has agreed to purpose newsletter.": {Purpose: "newsletter"},
		"Allowed: purpose service stands on a contract and needs no consent.": {
			Allowed: true, Reason: ReasonContract, Purpose: "service"},
		`Not allowed: purpose newsletter does not use channel "post".`: {
			Reason: ReasonChannel, Purpose: "newsletter", Question: Question{Channel: "post"}, Channel: "post"},
		"Not allowed: what the person agreed to for purpose newsletter ended on 2026-03-04.": {
			Reason: ReasonExpired, Expires: at, Authenticated: Strong, Purpose: "newsletter"},
	} {
		if got := d.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
