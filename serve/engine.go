package serve

import (
	"context"
	"iter"
	"time"

	"sama/record"
	"sama/serve/consent"
)

// Engine is one run with what came since: what the handlers ask. Its methods
// may be called concurrently. A request asks one Engine from its beginning to
// its end.
type Engine interface {
	Opened
	// Number is the number of the run.
	Number() int64
	// CatchUp takes up the online records of the state that the engine does not
	// have. No record is put meanwhile.
	CatchUp(ctx context.Context) error
	// Seen is the sequence number up to which it has all online records.
	Seen() int64
	// Version grows with everything that comes.
	Version() uint64
	// Erased is the number of the last erasure that the run knew when it was made.
	Erased() int64
	// Keys are the keys of the records of the run.
	Keys() iter.Seq[record.Key]
	// Columns are the columns of the golden record.
	Columns() []Column
	// Sources are the names of the sources that the run knows.
	Sources() []string
	// Identity follows an id: surviving is the identity that it names now, which
	// is another one if it is an alias; retired says that it names none any more.
	Identity(id string) (surviving string, retired, ok bool)
	// OfRecord is the identity of a record.
	OfRecord(key record.Key) (id string, ok bool)
	// OfIdentifier are the identities with a value that names somebody, in order
	// of their ids, at most limit; more says that there are others.
	OfIdentifier(ctx context.Context, field record.Field, value string, limit int) (ids []string, more bool, err error)
	// OfNormal is OfIdentifier for a value in normal form.
	OfNormal(field record.Field, normal string, limit int) (ids []string, more bool)
	// Golden is all that is known of an identity.
	Golden(id string) (*Golden, bool, error)
	// Records are the source records of an identity.
	Records(id string) ([]SourceRecord, error)
	// Aliases are the ids that lead to an identity, besides its own.
	Aliases(id string) ([]string, error)
	// Normal is the normal form of a value of a field, "" if it has none.
	Normal(ctx context.Context, field record.Field, value string) (string, error)
	// Consents are the consent events that the exports of the run had of records.
	Consents(keys []record.Key) ([]consent.Event, error)
	// Search weighs a partial record, whose columns are named by field, against
	// the identities, the best first, and names the columns that it ignored. A
	// record that cannot be read is a [*RecordError], here and in Put.
	Search(ctx context.Context, fields map[string]string, limit int) (hits []Hit, ignored []string, err error)
	// Put takes up a record that is admitted. Readers and the records that come
	// next see it from then on; if commit returns an error, it is taken back.
	Put(ctx context.Context, key record.Key, fields map[string]string, admit Admit, commit Commit) (Arrival, error)
	// Delete takes up that a record is gone. Where there was none the arrival's
	// identity is "" and commit is not called.
	Delete(ctx context.Context, key record.Key, commit Commit) (Arrival, error)
	// Edges are the edges inside an identity.
	Edges(ctx context.Context, id string) ([]Edge, error)
	// Explain weighs two records against each other; ok is false if one of them
	// is not there.
	Explain(ctx context.Context, a, b record.Key) (why Explanation, ok bool, err error)
	// Changes are what the run changed, in its own order, from the place after
	// on, at most limit.
	Changes(after, limit int) []RunChange
}

// Column is a column of the golden record.
type Column struct {
	Name  string
	Field record.Field
}

// Golden is all that is known of an identity.
type Golden struct {
	ID      string
	Values  []GoldenValue // those that there are, in the order of Columns
	Records []record.Key
	// Identifiers are the normal forms of the values of its records that name
	// somebody, without those that name nobody in particular.
	Identifiers            []Identifier
	FirstSeen, LastChanged time.Time // zero = not known
}

// GoldenValue is one value of a golden record.
type GoldenValue struct {
	Column int // into Columns
	Value  string
	Normal string     // its normal form
	Record record.Key // that holds it
	Rule   string
	Losing []Losing
}

// Losing is a value that did not survive.
type Losing struct {
	Value  string
	Record record.Key
}

// Identifier is an e-mail address, phone number, national id or the like in
// normal form.
type Identifier struct {
	Field  record.Field
	Normal string
	Record record.Key // of which it is
}

// SourceRecord is a record as its source wrote it.
type SourceRecord struct {
	Key    record.Key
	Values []SourceValue
}

// SourceValue is one value of a record.
type SourceValue struct{ Column, Value string }

// Hit is an identity that a partial record may be.
type Hit struct {
	ID      string
	Weight  record.Weight
	Reasons []Reason
}

// Reason is what one comparison adds to a match weight.
type Reason struct {
	Comparison string
	Columns    []string // that it looks at; none if that is not known
	Open       bool     // it says nothing of the records
	Level      string
	Weight     record.Weight
}

// Admit says by the identifiers of a record whether it may come at all. It is
// asked before anybody can see the record.
type Admit func(identifiers []Identifier) error

// Commit makes an arrival last, under a sequence number of the state. What it
// refuses is taken back.
type Commit func(a Arrival) (seq int64, err error)

// Arrival is what became of a record that came or went.
type Arrival struct {
	Identity string
	Founded  bool
	// Left is the identity that the record belonged to before, "" if that is the
	// same or there was none. Emptied says that the identity left, or of a deleted
	// record its own, has no record any more.
	Left    string
	Emptied bool
	// Member says that the record belonged to the identity before.
	Member  bool
	Ignored []string // columns that the mapping does not know
	// Changed are the columns of the golden record in which the identity is another
	// than before, LeftChanged those of the one that was left.
	Changed, LeftChanged []string
}

// Edge is a scored pair of records.
type Edge struct {
	A, B   record.Key
	Weight record.Weight
}

// Explanation is why two records are one identity, or not.
type Explanation struct {
	Same    bool // of one identity
	Weight  record.Weight
	Reasons []Reason
}

// RunChange is one change that a run brought.
type RunChange struct {
	Kind            string
	Identity, Other string
	Fields          []string
}
