package consent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// everyField stands in a list of fields for those that the policy does not
// guard.
const everyField = "*"

// Grant is what a client may have, whatever the person says.
type Grant struct {
	Purposes []string `json:"purposes"` // ids, each by its name
	Fields   []string `json:"fields"`   // as in [Purpose].Fields
}

// Validate returns everything that is wrong with the grant, or nil.
func (g *Grant) Validate() error {
	errs := []error{checkFields("fields", g.Fields)}
	for i, p := range g.Purposes {
		switch {
		case p == everyField:
			errs = append(errs, errors.New(`purposes: "*" is not possible: name every purpose that the client may read for`))
		case slices.Contains(g.Purposes[:i], p):
			errs = append(errs, fmt.Errorf("purposes: %s is named twice", p))
		default:
			errs = append(errs, checkWord("purpose", p, "_-", 64))
		}
	}
	return errors.Join(errs...)
}

// Names reports whether the grant names a purpose.
func (g *Grant) Names(purpose string) bool { return slices.Contains(g.Purposes, purpose) }

// FieldPolicy holds whatever the grants and purposes say.
type FieldPolicy struct {
	// Guarded fields are released only where the purpose and the client's grant
	// both name them; "*" does not.
	Guarded []string `json:"guarded,omitempty"`

	// Channels ties fields to channels: asked for a channel, such a field is
	// released only if the channel is among its own.
	Channels []ChannelRule `json:"channels,omitempty"`
}

// ChannelRule ties a field, and its further columns, to channels.
type ChannelRule struct {
	Field    string    `json:"field"`
	Channels []Channel `json:"channels"`

	// Contact says that the field holds contact points: for a question about
	// one contact point, only the column that holds it is released.
	Contact bool `json:"contact,omitempty"`
}

// DefaultPolicy guards the national id, and gives to each channel its own
// contact points only: an e-mail address to email, a phone number to phone and
// sms, a street address to post.
func DefaultPolicy() FieldPolicy {
	return FieldPolicy{
		Guarded: []string{"national_id"},
		Channels: []ChannelRule{
			{Field: "email", Channels: []Channel{"email"}, Contact: true},
			{Field: "phone", Channels: []Channel{"phone", "sms"}, Contact: true},
			{Field: "street", Channels: []Channel{"post"}},
			{Field: "house_number", Channels: []Channel{"post"}},
			{Field: "unit", Channels: []Channel{"post"}},
		},
	}
}

// Validate returns everything that is wrong with the policy, or nil.
func (p *FieldPolicy) Validate() error {
	errs := []error{checkFields("guarded", p.Guarded)}
	if slices.Contains(p.Guarded, everyField) {
		errs = append(errs, errors.New(`guarded: "*" is not possible: name the fields`))
	}
	for i, r := range p.Channels {
		if err := checkName("field", r.Field); err != nil || r.Field == everyField {
			errs = append(errs, fmt.Errorf("channels: field %q: want the name of a field", r.Field))
		}
		if slices.ContainsFunc(p.Channels[:i], func(o ChannelRule) bool { return o.Field == r.Field }) {
			errs = append(errs, fmt.Errorf("channels: field %s has two rules", r.Field))
		}
		for _, c := range r.Channels {
			errs = append(errs, checkChannel(c))
		}
	}
	return errors.Join(errs...)
}

// Covers reports whether the name of a field covers a column: the column has
// this name, or this name with "_2", "_3" … as further columns of a field have.
func Covers(field, column string) bool {
	rest, ok := strings.CutPrefix(column, field)
	if !ok || field == "" {
		return false
	}
	if rest == "" {
		return true
	}
	if len(rest) < 2 || rest[0] != '_' || rest[1] == '0' || rest == "_1" {
		return false
	}
	for i := 1; i < len(rest); i++ {
		if rest[i] < '0' || rest[i] > '9' {
			return false
		}
	}
	return true
}

// lists reports whether a list of fields has a column; a guarded one has to be
// named.
func lists(fields []string, column string, guarded bool) bool {
	for _, f := range fields {
		if f == everyField && !guarded || Covers(f, column) {
			return true
		}
	}
	return false
}

// guards reports whether the policy guards a column.
func (p *FieldPolicy) guards(column string) bool {
	return slices.ContainsFunc(p.Guarded, func(f string) bool { return Covers(f, column) })
}

// fits reports whether the policy lets a column go by a channel, and whether
// the column holds contact points.
func (p *FieldPolicy) fits(column string, c Channel) (ok, contact bool) {
	ok = true
	for _, r := range p.Channels {
		if !Covers(r.Field, column) {
			continue
		}
		if c != AnyChannel && !slices.Contains(r.Channels, c) {
			ok = false
		}
		contact = contact || r.Contact
	}
	return ok, contact
}
