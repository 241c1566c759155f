package consent

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// AnchorKind says what an event is tied to. The zero value is nothing.
type AnchorKind uint8

// The kinds.
const (
	RecordAnchor  AnchorKind = iota + 1 // a source record
	ContactAnchor                       // a verified contact point
	AccountAnchor                       // a person's login
)

var anchorNames = []string{RecordAnchor: "record", ContactAnchor: "contact", AccountAnchor: "account"}

// String returns "record", "contact" or "account".
func (k AnchorKind) String() string { return nameOf(anchorNames, uint8(k), "anchor") }

// Anchor is what an event is tied to. Anchors are compared with ==.
type Anchor struct {
	Kind  AnchorKind
	Name  string // record: the source; contact: the kind; account: empty
	Value string // record: the record id; contact: the digest; account: the id
}

// OfRecord returns the anchor of a source record.
func OfRecord(source, id string) Anchor { return Anchor{RecordAnchor, source, id} }

// OfAccount returns the anchor of an account.
func OfAccount(id string) Anchor { return Anchor{AccountAnchor, "", id} }

// OfContact returns the anchor of a contact point.
func OfContact(c Contact) Anchor { return Anchor{ContactAnchor, c.Kind, c.Digest} }

// Contact is a contact point: an address at which a person is reached. The value
// itself is not kept; two contact points are the same where kind and digest
// are. Digests under two keys cannot be compared: while a key is being
// replaced, the caller brings events and questions to one key.
type Contact struct {
	Kind   string // email, phone or another lower-case word
	Digest string // keyed digest of the normal form, 32 to 128 lower-case hexadecimal digits
}

// IsZero reports whether there is no contact point.
func (c Contact) IsZero() bool { return c == Contact{} }

// String returns "kind:digest", and "" for none.
func (c Contact) String() string {
	if c.IsZero() {
		return ""
	}
	return c.Kind + ":" + c.Digest
}

// ParseContact reads what String writes.
func ParseContact(text string) (Contact, error) {
	if text == "" {
		return Contact{}, nil
	}
	kind, digest, _ := strings.Cut(text, ":")
	c := Contact{kind, digest}
	return c, c.Validate()
}

// MarshalText implements encoding.TextMarshaler.
func (c Contact) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Contact) UnmarshalText(text []byte) (err error) {
	*c, err = ParseContact(string(text))
	return err
}

// Validate returns what is wrong with a contact point that is there. The error
// does not repeat the digest, in whose place somebody may have put the value.
func (c Contact) Validate() error {
	if err := checkWord("kind of contact point", c.Kind, "_", 32); err != nil {
		return err
	}
	ok := len(c.Digest) >= 32 && len(c.Digest) <= 128
	for i := range len(c.Digest) {
		d := c.Digest[i]
		ok = ok && (d >= '0' && d <= '9' || d >= 'a' && d <= 'f')
	}
	if !ok {
		return fmt.Errorf("contact point of kind %s: want a keyed digest of 32 to 128 lower-case hexadecimal digits, not the value itself", c.Kind)
	}
	return nil
}

// Contact returns the contact point of the anchor, none for other kinds.
func (a Anchor) Contact() Contact {
	if a.Kind != ContactAnchor {
		return Contact{}
	}
	return Contact{a.Name, a.Value}
}

// String returns "record:crm:17", "contact:email:ab12…" or "account:…", and ""
// for the zero Anchor. The record id may hold colons, the source may not.
func (a Anchor) String() string {
	switch a.Kind {
	case 0:
		return ""
	case AccountAnchor:
		return a.Kind.String() + ":" + a.Value
	}
	return a.Kind.String() + ":" + a.Name + ":" + a.Value
}

// ParseAnchor reads what String writes, except for the empty text, and refuses
// what Validate refuses.
func ParseAnchor(text string) (Anchor, error) {
	kind, rest, _ := strings.Cut(text, ":")
	var a Anchor
	switch kind {
	case "record", "contact":
		name, value, _ := strings.Cut(rest, ":")
		a = Anchor{RecordAnchor, name, value}
		if kind == "contact" {
			a.Kind = ContactAnchor
		}
	case "account":
		a = OfAccount(rest)
	default:
		return Anchor{}, fmt.Errorf("anchor of kind %q: want record:SOURCE:RECORD_ID, contact:KIND:DIGEST or account:ID", cut(kind, 20))
	}
	if err := a.Validate(); err != nil {
		return Anchor{}, err
	}
	return a, nil
}

// MarshalText implements encoding.TextMarshaler.
func (a Anchor) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Anchor) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAnchor(string(text))
	return err
}

// Validate returns what is wrong with the anchor, or nil.
func (a Anchor) Validate() error {
	switch a.Kind {
	case RecordAnchor:
		if a.Name == "" || a.Value == "" || strings.Contains(a.Name, ":") {
			return fmt.Errorf("anchor %q: want record:SOURCE:RECORD_ID, such as record:crm:C0012", a)
		}
	case ContactAnchor:
		return a.Contact().Validate()
	case AccountAnchor:
		if a.Name != "" || a.Value == "" || len(a.Value) > maxName {
			return fmt.Errorf("anchor account:%s: want account:ID, the id of at most %d bytes", cut(a.Value, 40), maxName)
		}
	default:
		return errors.New("anchor is missing: want record:SOURCE:RECORD_ID, contact:KIND:DIGEST or account:ID")
	}
	if s := a.String(); !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return fmt.Errorf("anchor %q: want UTF-8 text without NUL", s)
	}
	return nil
}

// Compare orders anchors by kind, name and value.
func (a Anchor) Compare(b Anchor) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
}
