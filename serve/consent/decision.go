package consent

import (
	"fmt"
	"time"
)

// Reason is why something is allowed or not. The text forms are stable.
type Reason uint8

// The reasons. The zero value allows nothing.
const (
	ReasonUnknown Reason = iota // nobody said anything that counts

	ReasonGranted            // a grant holds
	ReasonContract           // the basis needs no consent …
	ReasonLegalObligation    //
	ReasonVitalInterest      //
	ReasonPublicTask         //
	ReasonLegitimateInterest // … and nobody refused

	ReasonErased       // the person was erased
	ReasonRestricted   // the data is not to be used
	ReasonObjected     // the person objected
	ReasonDenied       // the answer was no
	ReasonWithdrawn    // the person takes an earlier yes back
	ReasonExpired      // the grant holds no longer
	ReasonOtherContact // a grant holds, but not for the contact point asked for
	ReasonChannel      // the purpose does not use the channel
	ReasonNoBasis      // the purpose has no lawful basis
)

var reasonNames = []string{
	ReasonUnknown: "unknown", ReasonGranted: "granted",
	ReasonContract: "basis_contract", ReasonLegalObligation: "basis_legal_obligation", ReasonVitalInterest: "basis_vital_interest",
	ReasonPublicTask: "basis_public_task", ReasonLegitimateInterest: "basis_legitimate_interest",
	ReasonErased: "erased", ReasonRestricted: "restricted", ReasonObjected: "objected",
	ReasonDenied: "denied", ReasonWithdrawn: "withdrawn", ReasonExpired: "expired",
	ReasonOtherContact: "other_contact", ReasonChannel: "channel", ReasonNoBasis: "no_basis",
}

// reasonOfBasis is the reason for allowing what needs no consent.
var reasonOfBasis = [...]Reason{
	BasisContract: ReasonContract, BasisLegalObligation: ReasonLegalObligation, BasisVitalInterest: ReasonVitalInterest,
	BasisPublicTask: ReasonPublicTask, BasisLegitimateInterest: ReasonLegitimateInterest,
}

// Reasons returns every reason.
func Reasons() []Reason { return listOf[Reason](reasonNames) }

// String returns the stable code of the reason.
func (r Reason) String() string { return nameOf(reasonNames, uint8(r), "reason") }

// ParseReason reads what String writes.
func ParseReason(text string) (Reason, error) {
	v, err := valueOf(reasonNames, text, "reason")
	return Reason(v), err
}

// MarshalText implements encoding.TextMarshaler.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Reason) UnmarshalText(text []byte) (err error) {
	*r, err = ParseReason(string(text))
	return err
}

// Allows reports whether the reason is one for allowing.
func (r Reason) Allows() bool { return r >= ReasonGranted && r <= ReasonLegitimateInterest }

// Refuses reports whether the reason is an act against the purpose, rather than
// that nobody said yes.
func (r Reason) Refuses() bool { return r >= ReasonErased && r <= ReasonWithdrawn }

// Decision is the answer to a [Question] for one purpose at one time.
type Decision struct {
	Allowed bool
	Reason  Reason

	// What decided: Event is its ID, 0 if there is none or it has none; At is
	// when it was done, zero if no event decided.
	Event         int64
	At            time.Time
	Authenticated Authenticated
	Expires       time.Time // of the grant that decided; zero = never

	Purpose  string   // the purpose's id
	Question Question // as asked

	// Channel is the one that decided: the question's, or the first that refuses
	// if all channels were asked for.
	Channel Channel
}

// by fills in the event that decided.
func (d *Decision) by(e *Event, why Reason) {
	d.Reason, d.Event, d.At, d.Authenticated, d.Expires = why, e.ID, e.When(), e.Authenticated, e.Expires
	d.Allowed = why.Allows()
}

// Sentence says in plain English why.
func (d *Decision) Sentence() string {
	p := "purpose " + d.Purpose
	if d.Channel != AnyChannel {
		p += " by " + string(d.Channel)
	}
	switch d.Reason {
	case ReasonUnknown:
		return fmt.Sprintf("Not allowed: nobody has agreed to %s.", p)
	case ReasonGranted:
		s := fmt.Sprintf("Allowed: %s agreed to %s%s", d.who(), p, d.onDate())
		if !d.Expires.IsZero() {
			s += ", until " + day(d.Expires)
		}
		return s + "."
	case ReasonLegitimateInterest:
		return fmt.Sprintf("Allowed: %s stands on a legitimate interest, and nobody has objected.", p)
	case ReasonContract, ReasonLegalObligation, ReasonVitalInterest, ReasonPublicTask:
		return fmt.Sprintf("Allowed: %s stands on %s and needs no consent.", p, basisWords[d.Reason])
	case ReasonErased:
		return fmt.Sprintf("Not allowed: the person was erased%s.", d.onDate())
	case ReasonRestricted:
		return fmt.Sprintf("Not allowed: the person's data may be kept but not used%s.", d.since())
	case ReasonObjected:
		return fmt.Sprintf("Not allowed: %s objected to %s%s.", d.who(), p, d.onDate())
	case ReasonDenied:
		return fmt.Sprintf("Not allowed: %s said no to %s%s.", d.who(), p, d.onDate())
	case ReasonWithdrawn:
		return fmt.Sprintf("Not allowed: %s withdrew from %s%s.", d.who(), p, d.onDate())
	case ReasonExpired:
		return fmt.Sprintf("Not allowed: what %s agreed to for %s ended on %s.", d.who(), p, day(d.Expires))
	case ReasonOtherContact:
		return fmt.Sprintf("Not allowed: there is a grant for %s, but not for this contact point.", p)
	case ReasonChannel:
		return fmt.Sprintf("Not allowed: purpose %s does not use channel %q.", d.Purpose, string(d.Question.Channel))
	case ReasonNoBasis:
		return fmt.Sprintf("Not allowed: %s has no lawful basis.", p)
	}
	return fmt.Sprintf("Not allowed: %s.", d.Reason)
}

var basisWords = map[Reason]string{
	ReasonContract: "a contract", ReasonLegalObligation: "a legal obligation",
	ReasonVitalInterest: "a vital interest", ReasonPublicTask: "a public task",
}

// who says whose word decided.
func (d *Decision) who() string {
	switch d.Authenticated {
	case Import:
		return "the person, as an export says,"
	case Staff:
		return "the person, as the staff heard,"
	}
	return "the person"
}

func (d *Decision) onDate() string {
	if d.At.IsZero() {
		return ""
	}
	return " on " + day(d.At)
}

func (d *Decision) since() string {
	if d.At.IsZero() {
		return ""
	}
	return " since " + day(d.At)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
