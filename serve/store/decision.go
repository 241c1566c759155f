package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sama/record"
)

// Kind is what a decision says of its two records.
type Kind uint8

// The kinds.
const (
	Same    Kind = iota + 1 // both are one identity
	NotSame                 // they are never one identity
)

// String returns "same" or "not-same".
func (k Kind) String() string {
	switch k {
	case Same:
		return "same"
	case NotSame:
		return "not-same"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MarshalText is String for encoders.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what String writes.
func (k *Kind) UnmarshalText(text []byte) error {
	switch string(text) {
	case "same":
		*k = Same
	case "not-same":
		*k = NotSame
	default:
		return fmt.Errorf("decision %q: want same or not-same", text)
	}
	return nil
}

// Decision is a steward's word on two source records.
type Decision struct {
	ID   int64 // from 1 in the order in which they were recorded; 0 = not recorded
	Kind Kind
	A, B record.Key // A before B by Key.Compare
	// Reason may be empty; By may not.
	Reason, By string
	Made       time.Time // UTC, microseconds; zero in a new decision = now

	Revoked      time.Time // zero = active
	RevokedBy    string
	RevokeReason string
}

// Active reports whether the decision holds.
func (d *Decision) Active() bool { return d.Revoked.IsZero() }

// what says what the decision says.
func (d *Decision) what() string {
	if d.Kind == Same {
		return fmt.Sprintf("%s and %s are decided the same", d.A, d.B)
	}
	return fmt.Sprintf("%s and %s are decided not the same", d.A, d.B)
}

// madeBy says who made the decision, when and why.
func (d *Decision) madeBy() string {
	s := fmt.Sprintf("decision %d, by %s, %s", d.ID, d.By, d.Made.UTC().Format(time.RFC3339))
	if d.Reason != "" {
		s += ": " + d.Reason
	}
	return s
}

// OppositeError refuses a decision because the pair has the opposite one.
type OppositeError struct{ Existing Decision }

// Error names the decision in the way.
func (e *OppositeError) Error() string {
	return fmt.Sprintf("%s (%s); revoke decision %d first", e.Existing.what(), e.Existing.madeBy(), e.Existing.ID)
}

// NotFoundError says that there is no such decision to revoke.
type NotFoundError struct {
	ID   int64      // 0 if looked for by pair
	A, B record.Key // zero if looked for by ID
}

// Error says what was looked for.
func (e *NotFoundError) Error() string {
	if e.ID != 0 {
		return fmt.Sprintf("there is no decision %d", e.ID)
	}
	return fmt.Sprintf("there is no active decision on %s and %s", e.A, e.B)
}

// RevokedError says that the decision was revoked before.
type RevokedError struct{ Existing Decision }

// Error says by whom.
func (e *RevokedError) Error() string {
	d := &e.Existing
	s := fmt.Sprintf("decision %d was revoked before, by %s, %s", d.ID, d.RevokedBy, d.Revoked.UTC().Format(time.RFC3339))
	if d.RevokeReason != "" {
		s += ": " + d.RevokeReason
	}
	return s
}

// invalidError is a decision that cannot be recorded.
type invalidError struct{ err error }

func (e *invalidError) Error() string { return e.err.Error() }
func (e *invalidError) Unwrap() error { return e.err }

func (*OppositeError) aboutState() {}
func (*NotFoundError) aboutState() {}
func (*RevokedError) aboutState()  {}
func (*invalidError) aboutState()  {}

// inOrder returns the decision with its keys in order and its times as they
// are kept; the error says everything that is wrong with it.
func (d Decision) inOrder(now time.Time) (Decision, error) {
	var errs []error
	if d.Kind != Same && d.Kind != NotSame {
		errs = append(errs, errors.New("want a decision, same or not-same"))
	}
	errs = append(errs, checkKey(d.A), checkKey(d.B))
	if d.A == d.B {
		errs = append(errs, fmt.Errorf("both keys are %s; a decision is about two records", d.A))
	}
	if d.By == "" {
		errs = append(errs, errors.New("nobody is named as the one who decides"))
	}
	if d.Made.IsZero() {
		d.Made = now
	}
	if !d.Revoked.IsZero() && d.RevokedBy == "" {
		errs = append(errs, errors.New("nobody is named as the one who revoked it"))
	}
	if d.Revoked.IsZero() && (d.RevokedBy != "" || d.RevokeReason != "") {
		errs = append(errs, errors.New("there is no time at which it was revoked"))
	}
	for _, t := range []struct{ name, text string }{{"reason", d.Reason}, {"name", d.By}, {"name of who revoked", d.RevokedBy}, {"reason of the revocation", d.RevokeReason}} {
		if err := checkText(t.name, t.text); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return d, &invalidError{err}
	}
	d.Made = kept(d.Made)
	if !d.Revoked.IsZero() {
		d.Revoked = kept(d.Revoked)
	}
	d.A, d.B = ordered(d.A, d.B)
	return d, nil
}

// kept returns a time as the state keeps it.
func kept(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }

func ordered(a, b record.Key) (record.Key, record.Key) {
	if a.Compare(b) > 0 {
		return b, a
	}
	return a, b
}

func checkKey(k record.Key) error {
	switch {
	case k.Source == "" || k.ID == "" || strings.Contains(k.Source, ":"):
		return fmt.Errorf("record key %q: want source:record_id, such as crm:C0012", k)
	}
	return checkText("record key", k.String())
}

// checkText refuses what not every database keeps.
func checkText(name, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return fmt.Errorf("%s %q: want UTF-8 text without NUL", name, text)
	}
	return nil
}

// Digest returns a hash over the active decisions of a list: what they say of
// which keys, not their ids, times or reasons, and whatever the order of the
// list. It is the SHA-256, in hexadecimal, of the decisions in order of A, B
// and kind, each as one byte for its kind (1 same, 2 not same) and four texts,
// source and record id of A and of B, each behind its length in 8 bytes, most
// significant first.
func Digest(list []Decision) string {
	active := make([]*Decision, 0, len(list))
	for i := range list {
		if list[i].Active() {
			active = append(active, &list[i])
		}
	}
	slices.SortFunc(active, func(a, b *Decision) int {
		return cmp.Or(a.A.Compare(b.A), a.B.Compare(b.B), cmp.Compare(a.Kind, b.Kind))
	})
	h := sha256.New()
	var buf []byte
	for _, d := range active {
		buf = append(buf[:0], byte(d.Kind))
		for _, text := range [...]string{d.A.Source, d.A.ID, d.B.Source, d.B.ID} {
			buf = binary.BigEndian.AppendUint64(buf, uint64(len(text)))
			buf = append(buf, text...)
		}
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil))
}
