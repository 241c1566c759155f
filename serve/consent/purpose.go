package consent

import (
	"errors"
	"fmt"
	"slices"
)

// Basis is the lawful basis of a purpose: GDPR Art. 6(1)(a) to (f). The zero
// value is none, and nothing may be released on it.
type Basis uint8

// The bases.
const (
	BasisConsent            Basis = iota + 1 // (a) the person agreed
	BasisContract                            // (b) a contract with the person needs it
	BasisLegalObligation                     // (c) the law demands it
	BasisVitalInterest                       // (d) somebody's life depends on it
	BasisPublicTask                          // (e) a task in the public interest
	BasisLegitimateInterest                  // (f) an interest that outweighs the person's; the person may object
)

var basisNames = []string{
	BasisConsent: "consent", BasisContract: "contract", BasisLegalObligation: "legal_obligation",
	BasisVitalInterest: "vital_interest", BasisPublicTask: "public_task", BasisLegitimateInterest: "legitimate_interest",
}

// Bases returns every basis, in order of GDPR Art. 6(1).
func Bases() []Basis { return listOf[Basis](basisNames) }

// String returns the basis as configuration and output write it.
func (b Basis) String() string { return nameOf(basisNames, uint8(b), "basis") }

// ParseBasis reads what String writes.
func ParseBasis(text string) (Basis, error) {
	v, err := valueOf(basisNames, text, "basis")
	return Basis(v), err
}

// MarshalText implements encoding.TextMarshaler.
func (b Basis) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Basis) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBasis(string(text))
	return err
}

// Channel is a way to reach a person: email, sms, phone, post, app or another
// lower-case word. [AnyChannel] leaves it open.
type Channel string

// AnyChannel leaves the channel open: an act is about every channel, a question
// about all channels of the purpose at once.
const AnyChannel Channel = ""

// Purpose is what data is used for, as the person was told.
type Purpose struct {
	ID         string `json:"id"`         // a lower-case word with digits, "_" and "-"
	Title      string `json:"title"`      // for people
	Controller string `json:"controller"` // the company that answers for it
	Basis      Basis  `json:"basis"`

	// DirectMarketing says that the person can object at any time, whatever
	// the basis: GDPR Art. 21(2).
	DirectMarketing bool `json:"direct_marketing,omitempty"`

	// Channels are those that the purpose uses; none if it reaches nobody.
	Channels []Channel `json:"channels,omitempty"`

	// Fields are the most that the purpose ever needs (GDPR Art. 5(1)(c)): names
	// of columns of the golden record. "email" names email_2, email_3 … as well;
	// "*" names every field that the policy does not guard.
	Fields []string `json:"fields,omitempty"`

	RetentionDays int    `json:"retention_days,omitempty"` // 0 = as long as the purpose lasts
	TextVersion   string `json:"text_version,omitempty"`   // of the text that the person is shown
}

// Validate returns everything that is wrong with the purpose, or nil.
func (p *Purpose) Validate() error {
	errs := []error{
		checkWord("id", p.ID, "_-", 64),
		checkName("title", p.Title),
		checkName("controller", p.Controller),
		checkFields("fields", p.Fields),
	}
	if !slices.Contains(Bases(), p.Basis) {
		errs = append(errs, fmt.Errorf("basis is missing: want one of %v", Bases()))
	}
	if p.DirectMarketing && p.Basis != BasisConsent && p.Basis != BasisLegitimateInterest && p.Basis != 0 {
		errs = append(errs, fmt.Errorf("direct marketing cannot have the basis %s: want consent or legitimate_interest", p.Basis))
	}
	for i, c := range p.Channels {
		if err := checkChannel(c); err != nil {
			errs = append(errs, err)
		} else if slices.Contains(p.Channels[:i], c) {
			errs = append(errs, fmt.Errorf("channel %s is named twice", c))
		}
	}
	if p.RetentionDays < 0 {
		errs = append(errs, fmt.Errorf("retention_days is %d: want 0 or more", p.RetentionDays))
	}
	if p.TextVersion != "" {
		errs = append(errs, checkName("text_version", p.TextVersion))
	} else if p.Basis == BasisConsent {
		errs = append(errs, errors.New("text_version is missing: a consent is to a text that was shown"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("purpose %q: %w", p.ID, err)
	}
	return nil
}

// checkChannel says what is wrong with a channel that must not be open.
func checkChannel(c Channel) error { return checkWord("channel", string(c), "_", 32) }

// checkFields says what is wrong with a list of field names.
func checkFields(what string, fields []string) error {
	var errs []error
	for i, f := range fields {
		if err := checkName("field", f); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		} else if slices.Contains(fields[:i], f) {
			errs = append(errs, fmt.Errorf("%s: %s is named twice", what, f))
		}
	}
	return errors.Join(errs...)
}
