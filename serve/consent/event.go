package consent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Act is what an event says. The zero value is nothing.
type Act uint8

// The acts, from the most to the least permissive.
const (
	ActGrant           Act = iota + 1 // yes
	ActLift                           // a restriction and an objection end
	ActLiftRestriction                // a restriction ends, an objection stays
	ActLiftObjection                  // an objection ends, a restriction stays
	ActLiftErasure                    // the person is back after an erasure
	ActDeny                           // no, when asked
	ActWithdraw                       // no longer
	ActObject                         // GDPR Art. 21
	ActRestrict                       // GDPR Art. 18: kept, not used
	ActErase                          // GDPR Art. 17
)

var actNames = []string{
	ActGrant: "grant", ActLift: "lift", ActLiftRestriction: "lift_restriction", ActLiftObjection: "lift_objection",
	ActLiftErasure: "lift_erasure", ActDeny: "deny", ActWithdraw: "withdraw", ActObject: "object", ActRestrict: "restrict", ActErase: "erase",
}

// Acts returns every act, the most permissive first.
func Acts() []Act { return listOf[Act](actNames) }

// String returns the act as configuration and output write it.
func (a Act) String() string { return nameOf(actNames, uint8(a), "act") }

// ParseAct reads what String writes.
func ParseAct(text string) (Act, error) {
	v, err := valueOf(actNames, text, "act")
	return Act(v), err
}

// MarshalText implements encoding.TextMarshaler.
func (a Act) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Act) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAct(string(text))
	return err
}

// Authenticated says how it is known whose act it was. The zero value is the
// least that can be said.
type Authenticated uint8

// The ways, the weakest first. Account and Strong are the person's own acts.
const (
	Import  Authenticated = iota // a source says so
	Staff                        // somebody of the company heard it
	Account                      // the person was signed in
	Strong                       // the person had proved who they are
)

var authenticatedNames = []string{Import: "import", Staff: "staff", Account: "account", Strong: "strong"}

// String returns "import", "staff", "account" or "strong".
func (a Authenticated) String() string { return nameOf(authenticatedNames, uint8(a), "authenticated") }

// ParseAuthenticated reads what String writes.
func ParseAuthenticated(text string) (Authenticated, error) {
	v, err := valueOf(authenticatedNames, text, "authenticated")
	return Authenticated(v), err
}

// MarshalText implements encoding.TextMarshaler.
func (a Authenticated) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Authenticated) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAuthenticated(string(text))
	return err
}

// Person reports whether it was the person's own act.
func (a Authenticated) Person() bool { return a == Account || a == Strong }

// Event is one entry of the ledger. It is never changed: who thinks otherwise
// adds another.
type Event struct {
	ID     int64  `json:"id,omitempty"` // 0 = not in a database: imported, or not yet recorded
	Anchor Anchor `json:"anchor"`

	// Contact is the contact point that the act is about, none if it is about
	// the person at large. For an anchor that is a contact point it may be left
	// open. Who reads an act on a channel from a record writes here the
	// contact point that the record holds.
	Contact Contact `json:"contact,omitzero"`

	Purpose    string  `json:"purpose,omitempty"`    // id; open = every purpose
	Channel    Channel `json:"channel,omitempty"`    // open = every channel
	Controller string  `json:"controller,omitempty"` // open = every controller
	Act        Act     `json:"act"`

	At       time.Time `json:"at,omitzero"`       // when it was done, as the source says; zero = unknown
	Recorded time.Time `json:"recorded,omitzero"` // when it came here
	Expires  time.Time `json:"expires,omitzero"`  // of a grant: from then on it holds no longer; zero = never

	Source        string        `json:"source,omitempty"` // which export, client or page
	Authenticated Authenticated `json:"authenticated"`
	TextVersion   string        `json:"text_version,omitempty"` // of the text that was shown
	Receipt       string        `json:"receipt,omitempty"`      // id of the receipt that the person has
}

// Validate returns everything that is wrong with the event, or nil.
func (e *Event) Validate() error {
	errs := []error{e.Anchor.Validate()}
	if !slices.Contains(Acts(), e.Act) {
		errs = append(errs, fmt.Errorf("act is missing: want one of %v", Acts()))
	}
	if e.Authenticated > Strong {
		errs = append(errs, fmt.Errorf("%s: want import, staff, account or strong", e.Authenticated))
	}
	if e.Purpose != "" {
		errs = append(errs, checkWord("purpose", e.Purpose, "_-", 64))
	}
	if e.Channel != AnyChannel {
		errs = append(errs, checkChannel(e.Channel))
	}
	for _, f := range [...]struct{ what, text string }{
		{"controller", e.Controller}, {"source", e.Source}, {"text_version", e.TextVersion}, {"receipt", e.Receipt},
	} {
		if f.text != "" {
			errs = append(errs, checkName(f.what, f.text))
		}
	}
	if !e.Contact.IsZero() {
		errs = append(errs, e.Contact.Validate())
		if e.Anchor.Kind == ContactAnchor && e.Contact != e.Anchor.Contact() {
			errs = append(errs, errors.New("contact is another one than the anchor's"))
		}
	}
	if e.At.IsZero() && e.Recorded.IsZero() {
		errs = append(errs, errors.New("at and recorded are missing: want at least one of them"))
	}
	return errors.Join(append(errs, e.checkAct())...)
}

// checkAct says what is wrong with the event for its act.
func (e *Event) checkAct() error {
	var errs []error
	if e.Act == ActGrant && e.Purpose == "" {
		errs = append(errs, errors.New("purpose is missing: a grant is for one purpose"))
	}
	if e.Act == ActGrant && e.Controller == "" {
		errs = append(errs, errors.New("controller is missing: a grant is to one controller"))
	}
	if e.Act != ActGrant && !e.Expires.IsZero() {
		errs = append(errs, fmt.Errorf("a %s cannot expire; only a grant can", e.Act))
	}
	if e.Act == ActGrant && !e.Expires.IsZero() && !e.Expires.After(e.When()) {
		errs = append(errs, errors.New("expires is not later than at"))
	}
	if (e.Act == ActErase || e.Act == ActLiftErasure) && (e.Purpose != "" || e.Channel != AnyChannel || e.Controller != "") {
		errs = append(errs, fmt.Errorf("%s is about everything: leave purpose, channel and controller open", e.Act))
	}
	return errors.Join(errs...)
}

// When returns the time that counts: At, but no later than Recorded, because
// the clocks of others are not trusted to be ahead of ours. Where At is unknown
// it is Recorded.
func (e *Event) When() time.Time {
	if e.At.IsZero() || !e.Recorded.IsZero() && e.At.After(e.Recorded) {
		return e.Recorded
	}
	return e.At
}

// contact returns the contact point that the act is about.
func (e *Event) contact() Contact {
	if e.Anchor.Kind == ContactAnchor {
		return Contact{e.Anchor.Name, e.Anchor.Value}
	}
	return e.Contact
}

// later orders events: by time; of one time, the less permissive act counts as
// the later; of equal acts, the grant that expires first; then the larger ID;
// then the weaker authentication. Events that are equal in all of these are
// equal in everything that a Decision says.
func later(a, b *Event) int {
	return cmp.Or(a.When().Compare(b.When()), cmp.Compare(a.Act, b.Act), compareExpiry(b.Expires, a.Expires),
		cmp.Compare(a.ID, b.ID), cmp.Compare(b.Authenticated, a.Authenticated))
}

// compareExpiry orders times of expiry, zero being never.
func compareExpiry(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// Select returns the events of these anchors, in the order in which they stand.
// It is how an identity's part of the ledger is cut out: what was said of one
// anchor is never passed on with another.
func Select(events []Event, anchors []Anchor) []Event {
	wanted := make(map[Anchor]bool, len(anchors))
	for _, a := range anchors {
		wanted[a] = true
	}
	var out []Event
	for i := range events {
		if wanted[events[i].Anchor] {
			out = append(out, events[i])
		}
	}
	return out
}
