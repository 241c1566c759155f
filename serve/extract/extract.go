package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sama/record"
	"sama/run/index"
	"sama/serve/consent"
	"sama/serve/online"
	"sama/serve/store"
)

// Request says what is asked for, by whom and for what.
type Request struct {
	Client  string
	Purpose string
	// Fields are names as in a grant, without "*"; nil asks for all that the
	// client may have.
	Fields []string
	// Channel is how the persons will be reached; open asks for all channels of
	// the purpose, as a read of a profile does.
	Channel consent.Channel
}

// Options are what an extract stands on. Index, Store and Now must be set.
type Options struct {
	Index *index.Index
	// Erasures is the number of the last erasure that the run knew.
	Erasures int64
	// Online is what came since; nil if nothing did.
	Online *Online
	// Imported returns what the sources said of records: their acts of now and
	// before, which name no controller and no contact point. It is asked only if
	// Index has a column about the purpose, and then of records of which it has such
	// acts, and of those that came since. It may be called concurrently; nil if no
	// source says anything.
	Imported func(keys []record.Key) []consent.Event
	Store    *store.Store
	// Keys are those of tombstones and contact points; nil if there are none yet.
	Keys *store.Keys
	// Policy holds whatever grants and purposes say; nil is consent.DefaultPolicy.
	Policy *consent.FieldPolicy
	// Now is the time at which it is decided.
	Now time.Time
	// Workers is how many persons are decided on at a time; below 1 is 1. It
	// changes no byte.
	Workers int
	// Begin is told that a part of the work begins, whose items are counted in
	// unit; nil tells nobody.
	Begin func(name, unit string) Progress
}

// Progress is told how far a part of the work is.
type Progress interface {
	// Done may be called by several workers.
	Done(done, total int64)
	// End ends the part, which went through items.
	End(items int64, err error)
}

// Online is what came since the run.
type Online struct {
	Service Profiles
	// Arrivals are what the records of the state became, in the order in which
	// they came.
	Arrivals []*online.Arrival
}

// Profiles answers with golden records; *online.Service does.
type Profiles interface {
	Profile(id string, losing bool) (*online.Profile, bool, error)
}

// RefusedError says that a client may not have what it asks for, and what it
// may have.
type RefusedError struct{ Err error }

// Error says what to ask for instead.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns what it wraps.
func (e *RefusedError) Unwrap() error { return e.Err }

func refused(format string, args ...any) error { return &RefusedError{fmt.Errorf(format, args...)} }

// Extract is a request that was granted.
type Extract struct {
	Options
	request Request
	purpose *consent.Purpose
	version int64 // of the purpose
	policy  *consent.FieldPolicy
	filter  *consent.Filter
	columns []int     // of the index, in the order of the file
	missing []Missing // columns that the client may not have
	// routes are what is asked of the ledger: a channel with the columns that hold
	// its contact points.
	routes []route
	// reach are the places in columns of the contact points of the channel that
	// was asked for; nil if a person need not have any.
	reach []int
	// log appends to the access log; a test comes in between here.
	log func(context.Context, []store.Access) error
}

// route is a channel with the columns of the index that hold contact points for
// it.
type route struct {
	channel consent.Channel
	columns []int
}

// Missing is a column that the client may not have.
type Missing struct {
	Column string
	Reason consent.Withheld
}

// New looks whether a client may have what it asks for. The error is a
// [*RefusedError] if not.
func New(ctx context.Context, o Options, r Request) (*Extract, error) {
	if o.Policy == nil {
		policy := consent.DefaultPolicy()
		o.Policy = &policy
	}
	if err := o.Policy.Validate(); err != nil {
		return nil, fmt.Errorf("field policy: %w", err)
	}
	if o.Workers < 1 {
		o.Workers = 1
	}
	if o.Begin == nil {
		o.Begin = func(string, string) Progress { return silent{} }
	}
	x := &Extract{Options: o, request: r, policy: o.Policy, log: o.Store.AppendAccess}
	if err := x.allow(ctx); err != nil {
		return nil, err
	}
	return x, nil
}

type silent struct{}

func (silent) Done(int64, int64) {}
func (silent) End(int64, error)  {}

// Columns returns the names of the file's columns.
func (x *Extract) Columns() []string {
	names := []string{identityColumn}
	for _, c := range x.columns {
		names = append(names, x.Index.Columns()[c].Name)
	}
	return names
}

// identityColumn is the first column of every file.
const identityColumn = "identity_id"

// attempts is how often an extract is begun at most, see [Extract.attempt].
const attempts = 5

// Count decides on everybody and says what an extract would hold. Nothing is
// written, and nobody gets anything.
func (x *Extract) Count(ctx context.Context) (*Report, error) {
	t, err := x.decide(ctx)
	if err != nil {
		return nil, err
	}
	return t.report(), nil
}

// Write decides on everybody and writes the file. What it returns without an
// error is in the access log, and the file has its name.
func (x *Extract) Write(ctx context.Context, path string) (*Report, error) {
	format, err := FormatOf(path)
	if err != nil {
		return nil, err
	}
	out, err := create(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer out.discard()
	for range attempts {
		r, again, err := x.attempt(ctx, out, format)
		if err != nil {
			return nil, err
		}
		if !again {
			return r, nil
		}
	}
	return nil, errors.New("persons were erased, or clients or purposes changed, again and again while the file was written; nothing was written, try again")
}

// attempt decides and writes once. again says that the file was given up because
// somebody was erased meanwhile, or what a client may have was changed.
func (x *Extract) attempt(ctx context.Context, out *file, format Format) (r *Report, again bool, err error) {
	before, err := x.Store.Revision(ctx)
	if err != nil {
		return nil, false, err
	}
	if err := x.allow(ctx); err != nil {
		return nil, false, err
	}
	t, err := x.decide(ctx)
	if err != nil {
		return nil, false, err
	}
	writing := x.Begin("write", "rows")
	err = out.write(func(w io.Writer) error { return t.write(ctx, w, format) })
	writing.End(int64(len(t.rows)), err)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", out.path, err)
	}
	if again, err = x.overtaken(ctx, before); again || err != nil {
		return nil, again, err
	}
	r = t.report()
	r.Bytes, r.SHA256 = out.size, out.sum()
	if err := x.log(ctx, []store.Access{t.access(r)}); err != nil {
		return nil, false, err
	}
	// To append waits for other writers, and one of them may erase.
	if again, err = x.overtaken(ctx, before); again || err != nil {
		return nil, again, err
	}
	if err := out.publish(); err != nil {
		return nil, false, fmt.Errorf("%s: %w; the access log has it as job %s nevertheless", out.path, err, r.Job())
	}
	return r, false, nil
}

// overtaken reports whether a file must not appear any more that was begun at a
// revision.
func (x *Extract) overtaken(ctx context.Context, before store.Revision) (bool, error) {
	now, err := x.Store.Revision(ctx)
	return now.Erasures != before.Erasures || now.Clients != before.Clients || now.Purposes != before.Purposes, err
}
