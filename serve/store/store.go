package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Options are the choices of a [Store]. The zero value is ready.
type Options struct {
	// Now is the clock by which decisions are dated; nil is time.Now.
	Now func() time.Time
	// Wait is how long a writer waits for another process that is writing;
	// 0 is 30 seconds.
	Wait time.Duration
	// Random is where secrets come from; nil is crypto/rand.
	Random io.Reader
	// Keys are the keys of tombstones. Without them nothing can be erased, and
	// tombstones cannot be read where there are any.
	Keys *Keys
}

// withDefaults fills in what was left open.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait <= 0 {
		o.Wait = 30 * time.Second
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return o
}

// Store is an open state database. Its methods may be called concurrently.
type Store struct {
	location string
	opt      Options
	dialect  dialect
	write    *sql.DB // one connection: writers queue here rather than in the database
	read     *sql.DB
	created  bool
	batch    *batcher
	clients  clientCache
	prepared prepared

	// fault is called between the steps of a transaction. Tests end the
	// process there.
	fault func(step string)
}

// ErrNoState is wrapped by the error of [OpenExisting] where there is no
// state. It is an fs.ErrNotExist.
var ErrNoState = fmt.Errorf("no state database: %w", fs.ErrNotExist)

// NewerError says that a state was written by a later version of the program.
type NewerError struct {
	Location     string
	Has, Program int64 // schema versions
}

// Error says what to do.
func (e *NewerError) Error() string {
	return fmt.Sprintf("state %s has schema version %d, this program knows versions up to %d; use the version of sama that wrote it, or a later one",
		e.Location, e.Has, e.Program)
}

// Open opens the state at a location, making it if it is missing and bringing
// its schema up to date. The location is the path of a file, whose folder must
// exist, or the connection string of a PostgreSQL database that exists,
// postgres://user@host:port/database.
func Open(ctx context.Context, location string, opt Options) (*Store, error) {
	return open(ctx, location, opt, true)
}

// OpenExisting is [Open] for those who must not make a state: where there is
// none, the error wraps [ErrNoState].
func OpenExisting(ctx context.Context, location string, opt Options) (*Store, error) {
	return open(ctx, location, opt, false)
}

func open(ctx context.Context, location string, opt Options, create bool) (_ *Store, err error) {
	d, ok := dialectOf(location)
	if !ok {
		return nil, fmt.Errorf("state %q: want the path of a file, or postgres://user@host/database", shownURL(location))
	}
	s := &Store{location: d.shown(location), opt: opt.withDefaults(), dialect: d, fault: func(string) {}}
	if s.created, err = d.prepare(location, create); err != nil {
		return nil, err
	}
	if s.write, s.read, err = d.connect(location, s.opt); err != nil {
		return nil, s.failed("opening", err)
	}
	err = s.bringUpToDate(ctx, create)
	if err == nil && s.opt.Keys != nil {
		err = s.useKeys(ctx, s.opt.Keys)
	}
	if err != nil {
		return nil, errors.Join(s.failed("opening", err), s.Close())
	}
	s.batch = newBatcher(s)
	return s, nil
}

// Created reports whether Open made the state because there was none.
func (s *Store) Created() bool { return s.created }

// Location returns where the state is, as it was given to Open, without its
// password.
func (s *Store) Location() string { return s.location }

// Close ends what is being written, answers those who wait for it, and closes
// the state.
func (s *Store) Close() error {
	var errs []error
	if s.batch != nil {
		s.batch.close()
	}
	errs = append(errs, s.prepared.close())
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Check reads the whole state and returns an error if the database finds it
// damaged.
func (s *Store) Check(ctx context.Context) error {
	return s.failed("checking", s.dialect.check(ctx, s.read))
}

// failed adds where an error happened, and what to do about it where the
// database says enough. Errors about decisions, which speak for themselves,
// pass as they are.
func (s *Store) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	var own interface{ aboutState() }
	if errors.As(err, &own) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s state %s: %w", doing, s.location, err)
	}
	if hint := s.dialect.hint(err, s.opt); hint != "" {
		return fmt.Errorf("%s state %s: %s (%w)", doing, s.location, hint, err)
	}
	return fmt.Errorf("%s state %s: %w", doing, s.location, err)
}

func (*NewerError) aboutState() {}
