package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Options are the choices of a [Store]. The zero value is ready.
type Options struct {
	// Now is the clock by which decisions are dated; nil is time.Now.
	Now func() time.Time
	// Wait is how long a writer waits for another process that is writing;
	// 0 is 30 seconds.
	Wait time.Duration
}

// withDefaults fills in what was left open.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait <= 0 {
		o.Wait = 30 * time.Second
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

// Open opens the state at a location, the path of a file, making it if it is
// missing and bringing its schema up to date. The folder must exist.
func Open(ctx context.Context, location string, opt Options) (*Store, error) {
	return open(ctx, location, opt, true)
}

// OpenExisting is [Open] for those who must not make a state: where there is
// none, the error wraps [ErrNoState].
func OpenExisting(ctx context.Context, location string, opt Options) (*Store, error) {
	return open(ctx, location, opt, false)
}

func open(ctx context.Context, location string, opt Options, create bool) (_ *Store, err error) {
	if location == "" || strings.Contains(location, "://") {
		return nil, fmt.Errorf("state %q: want the path of a file", location)
	}
	s := &Store{location: location, opt: opt.withDefaults(), dialect: sqlite, fault: func(string) {}}
	if s.created, err = s.dialect.prepare(location, create); err != nil {
		return nil, err
	}
	if s.write, s.read, err = s.dialect.connect(location, s.opt); err != nil {
		return nil, s.failed("opening", err)
	}
	if err := s.bringUpToDate(ctx); err != nil {
		return nil, errors.Join(s.failed("opening", err), s.Close())
	}
	return s, nil
}

// Created reports whether Open made the state because there was none.
func (s *Store) Created() bool { return s.created }

// Location returns where the state is, as it was given to Open.
func (s *Store) Location() string { return s.location }

// Close closes the state.
func (s *Store) Close() error {
	var errs []error
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

// change runs one transaction on the writer's connection.
func (s *Store) change(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return s.failed(doing, err)
	}
	if err := do(tx); err != nil {
		// The rollback's own error says nothing that err does not.
		_ = tx.Rollback()
		return s.failed(doing, err)
	}
	s.fault("commit")
	if err := tx.Commit(); err != nil {
		return s.failed(doing, err)
	}
	s.fault("done")
	return nil
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
