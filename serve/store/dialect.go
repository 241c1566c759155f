package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/pressly/goose/v3"
)

// dialect is what differs between databases.
type dialect struct {
	goose goose.Dialect
	// server says that the database is somewhere else, and not a file.
	server bool
	// foreign says that a database is no state of sama, and what to do.
	foreign string
	// prepares says that statements are quicker if a transaction prepares them.
	prepares bool
	// shown returns a location as it may be shown: without its password.
	shown func(location string) string
	// schema returns a migration as the database wants it.
	schema func(sql string) string
	// prepare looks at the location before the database does, and makes an
	// empty database there if wanted.
	prepare func(location string, create bool) (created bool, err error)
	// connect returns the pools of writers and readers. Its errors hold no
	// password.
	connect func(location string, opt Options) (write, read *sql.DB, err error)
	// tables names the tables there are.
	tables func(ctx context.Context, db queryer) ([]string, error)
	// settle sets what lasts in the database.
	settle func(ctx context.Context, db *sql.DB, opt Options) error
	// lock lets a transaction wait until it is the only writer. It is the first
	// thing that a transaction does.
	lock func(ctx context.Context, tx *sql.Tx) error
	// lost reports whether an error at the beginning of a transaction says that
	// the connection had ended before; nil where there are none.
	lost func(err error) bool
	// snapshot are the options of a transaction that reads several times of one
	// and the same state; nil are the usual ones.
	snapshot *sql.TxOptions
	// scrub removes what was deleted from the files of the database. It reports
	// false where that could not be done yet.
	scrub func(ctx context.Context, db *sql.DB, opt Options, tables []string) (bool, error)
	// backup writes a copy to a file that is there and empty; nil if the
	// database has its own way.
	backup func(ctx context.Context, location, file string, opt Options) error
	// check reads everything.
	check func(ctx context.Context, db *sql.DB) error
	// hint says what an error means and what to do, "" if it does not know.
	hint func(err error, opt Options) string
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// dialectOf returns the dialect of a location, false if there is none.
func dialectOf(location string) (dialect, bool) {
	switch {
	case strings.HasPrefix(location, "postgres://"), strings.HasPrefix(location, "postgresql://"):
		return postgres, true
	case location == "" || strings.Contains(location, "://"):
		return dialect{}, false
	}
	return sqlite, true
}
