package consent

import (
	"fmt"
	"math/bits"
	"strings"
)

// Withheld is why a field is not released. The text forms are stable. The zero
// value is that it is released.
type Withheld uint8

// The reasons, in the order in which they are asked for: those that say nothing
// of the person come first.
const (
	NotWithheld    Withheld = iota
	ClientPurpose           // the client was not granted the purpose
	OtherDecision           // the decision is about another purpose or a channel that this one does not use
	ClientField             // the client was not granted the field
	PurposeField            // the purpose does not need the field
	PolicyGuarded           // the field is guarded, and the client's grant or the purpose does not name it
	PolicyChannel           // the field does not belong to the channel
	PersonDecision          // the decision of the person, or about them, does not allow it
	AnotherContact          // the field holds another contact point than the one decided on
)

var withheldNames = []string{
	NotWithheld: "released", ClientPurpose: "client_purpose", OtherDecision: "other_decision", ClientField: "client_field",
	PurposeField: "purpose_field", PolicyGuarded: "policy_guarded", PolicyChannel: "policy_channel",
	PersonDecision: "person_decision", AnotherContact: "another_contact",
}

// withheldKinds is the number of values.
const withheldKinds = int(AnotherContact) + 1

var withheldWords = [withheldKinds]string{
	NotWithheld: "it is released", ClientPurpose: "the client was not granted the purpose",
	OtherDecision: "what was decided is about another purpose or channel", ClientField: "the client was not granted the field",
	PurposeField: "the purpose does not need it", PolicyGuarded: "it is guarded, and both the client's grant and the purpose have to name it",
	PolicyChannel: "it does not belong to the channel", PersonDecision: "the person's side does not allow it",
	AnotherContact: "it is another contact point than the one decided on",
}

// WithheldReasons returns every reason for withholding a field.
func WithheldReasons() []Withheld { return listOf[Withheld](withheldNames)[1:] }

// String returns the stable code.
func (w Withheld) String() string { return nameOf(withheldNames, uint8(w), "withheld") }

// MarshalText implements encoding.TextMarshaler.
func (w Withheld) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *Withheld) UnmarshalText(text []byte) error {
	v, err := valueOf(withheldNames, string(text), "reason for withholding")
	*w = Withheld(v)
	return err
}

// Set is a set of columns by their place in the list that a [Filter] was
// compiled for. It shares memory with the Filter and must not be changed.
type Set []uint64

// Has reports whether column i is in the set.
func (s Set) Has(i int) bool { return i>>6 < len(s) && s[i>>6]>>(i&63)&1 != 0 }

// Len returns the number of columns in the set.
func (s Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// AppendUnion appends the union of s and t to buf[:0] and returns it.
func (s Set) AppendUnion(t Set, buf Set) Set {
	buf = append(buf[:0], s...)
	for i, w := range t {
		if i < len(buf) {
			buf[i] |= w
		} else {
			buf = append(buf, w)
		}
	}
	return buf
}

// Filter is a client's grant, a purpose and the field policy, compiled for a
// list of columns. It is never changed and may be used concurrently.
type Filter struct {
	purpose string
	granted bool
	columns []string
	routes  []route
}

// route is a Filter's part for one channel.
type route struct {
	channel Channel
	why     []Withheld // of every column, as far as the person does not matter
	all     Set        // the columns that an allowing decision releases …
	others  Set        // … and those of them that hold no contact point
	contact []contactColumn
}

// contactColumn is what is released for a decision on the contact point that a
// column holds: the column and those that hold none.
type contactColumn struct {
	column int
	set    Set
}

// Compile prepares the release of columns, named as in the golden record.
func Compile(grant *Grant, purpose *Purpose, policy *FieldPolicy, columns []string) *Filter {
	f := &Filter{purpose: purpose.ID, granted: grant.Names(purpose.ID), columns: columns}
	for _, c := range append([]Channel{AnyChannel}, purpose.Channels...) {
		r := route{channel: c, why: make([]Withheld, len(columns))}
		words := (len(columns) + 63) / 64
		r.all, r.others = make(Set, words), make(Set, words)
		for i, column := range columns {
			guarded := policy.guards(column)
			fits, contact := policy.fits(column, c)
			switch {
			case !f.granted:
				r.why[i] = ClientPurpose
			case !lists(grant.Fields, column, false):
				r.why[i] = ClientField
			case !lists(purpose.Fields, column, false):
				r.why[i] = PurposeField
			case guarded && !(lists(grant.Fields, column, true) && lists(purpose.Fields, column, true)):
				r.why[i] = PolicyGuarded
			case !fits:
				r.why[i] = PolicyChannel
			default:
				r.all[i>>6] |= 1 << (i & 63)
				if contact {
					r.contact = append(r.contact, contactColumn{column: i})
				} else {
					r.others[i>>6] |= 1 << (i & 63)
				}
			}
		}
		for k := range r.contact {
			r.contact[k].set = append(Set(nil), r.others...)
			for _, o := range r.contact {
				if i := o.column; columns[i] == columns[r.contact[k].column] {
					r.contact[k].set[i>>6] |= 1 << (i & 63)
				}
			}
		}
		f.routes = append(f.routes, r)
	}
	return f
}

// route returns the part for the channel that a decision was asked for, nil if
// the decision is none for this Filter.
func (f *Filter) route(d *Decision) *route {
	if d.Purpose != f.purpose {
		return nil
	}
	for i := range f.routes {
		if f.routes[i].channel == d.Question.Channel {
			return &f.routes[i]
		}
	}
	return nil
}

// Apply returns the columns that may be released on a decision. Where it was
// about one contact point, of the columns with contact points only the one that
// the question named is among them: who asks about several takes the union.
func (f *Filter) Apply(d *Decision) Set {
	r := f.route(d)
	switch {
	case r == nil || !d.Allowed:
		return nil
	case d.Question.Contact.IsZero():
		return r.all
	}
	for i := range r.contact {
		if f.columns[r.contact[i].column] == d.Question.Column {
			return r.contact[i].set
		}
	}
	return r.others
}

// Why returns why column i is withheld on a decision, or NotWithheld.
func (f *Filter) Why(i int, d *Decision) Withheld {
	r := f.route(d)
	switch {
	case !f.granted:
		return ClientPurpose
	case r == nil:
		return OtherDecision
	case r.why[i] != NotWithheld:
		return r.why[i]
	case !d.Allowed:
		return PersonDecision
	case !f.Apply(d).Has(i):
		return AnotherContact
	}
	return NotWithheld
}

// Released is what a client gets, and why not the rest.
type Released struct {
	Decision Decision
	Fields   []string
	Withheld []WithheldField
}

// WithheldField is a field that is not released.
type WithheldField struct {
	Field  string
	Reason Withheld
}

// Release says which of the fields may be released on a decision: those that the
// client's grant, the purpose, the person's decision and the policy all allow.
// The answers are in the order of the fields. Who asks often compiles once.
func Release(grant *Grant, purpose *Purpose, d Decision, policy *FieldPolicy, fields []string) Released {
	f := Compile(grant, purpose, policy, fields)
	out := Released{Decision: d}
	for i, field := range fields {
		if why := f.Why(i, &d); why == NotWithheld {
			out.Fields = append(out.Fields, field)
		} else {
			out.Withheld = append(out.Withheld, WithheldField{field, why})
		}
	}
	return out
}

// Sentence says in plain English why the field is withheld.
func (w WithheldField) Sentence() string {
	return fmt.Sprintf("Field %s is withheld: %s.", w.Field, withheldWords[min(int(w.Reason), withheldKinds-1)])
}

// Sentence says in plain English what is released, what is withheld and why.
func (r *Released) Sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d fields are released", len(r.Fields), len(r.Fields)+len(r.Withheld))
	for why := ClientPurpose; int(why) < withheldKinds; why++ {
		var fields []string
		for _, w := range r.Withheld {
			if w.Reason == why {
				fields = append(fields, w.Field)
			}
		}
		if len(fields) == 0 {
			continue
		}
		reason := withheldWords[why]
		if why == PersonDecision {
			reason = strings.TrimSuffix(strings.TrimPrefix(r.Decision.Sentence(), "Not allowed: "), ".")
		}
		fmt.Fprintf(&b, "; not %s: %s", strings.Join(fields, ", "), reason)
	}
	return b.String() + "."
}
