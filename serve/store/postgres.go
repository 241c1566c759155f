package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgres is a PostgreSQL database, version 13 or later
// (https://www.postgresql.org/docs).
var postgres = dialect{
	goose:    goose.DialectPostgres,
	server:   true,
	foreign:  "the schema has tables of something else, and is no state of sama; name another database, or another schema by search_path=",
	shown:    shownURL,
	schema:   schemaOfServer,
	prepare:  func(string, bool) (bool, error) { return false, nil },
	connect:  connectServer,
	tables:   tablesOfServer,
	settle:   func(context.Context, *sql.DB, Options) error { return nil },
	lock:     lockServer,
	lost:     lostByServer,
	snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	scrub:    scrubServer,
	check:    checkServer,
	hint:     hintOfServer,
}

// shownParameters are the parameters of a connection string that are no secret
// and say where the state is.
var shownParameters = []string{"dbname", "host", "port", "search_path", "user"}

// shownURL returns a connection string without its password. A string that is
// no URL is not shown at all, for nobody knows where the password is in it.
func shownURL(location string) string {
	scheme, _, ok := strings.Cut(location, "://")
	if !ok {
		return location
	}
	u, err := url.Parse(location)
	if err != nil {
		return scheme + "://…"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User.Username() != "" {
		shown.User = url.User(u.User.Username())
	}
	more := url.Values{}
	for _, name := range shownParameters {
		if values := u.Query()[name]; len(values) > 0 {
			more[name] = values
		}
	}
	shown.RawQuery = more.Encode()
	return shown.String()
}

var (
	integerKey = regexp.MustCompile(`\bINTEGER PRIMARY KEY\b`)
	textColumn = regexp.MustCompile(`\bTEXT\b`)
	inOrder    = regexp.MustCompile(` WITHOUT ROWID\b`)
)

// schemaOfServer gives numbers the 64 bits, and texts the order by their bytes,
// that they have in SQLite, and leaves out how that lays out a table.
func schemaOfServer(sql string) string {
	return textColumn.ReplaceAllString(integerKey.ReplaceAllString(inOrder.ReplaceAllString(sql, ""), "BIGINT PRIMARY KEY"), `TEXT COLLATE "C"`)
}

// connectServer makes the two pools. It does not connect yet.
func connectServer(location string, opt Options) (write, read *sql.DB, err error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		// The error of the driver may quote what it took for something else than
		// the password.
		return nil, nil, errors.New("it cannot be read as a connection string; want postgres://user@host:port/database, with special characters as %XX; a password is best kept in a file that PGPASSFILE names")
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "sama"
	}
	reading := config.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	// Who has waited for the lock of the writers has to see what the one before
	// wrote, whatever the server is set to.
	config.RuntimeParams["default_transaction_isolation"] = "read committed"
	config.RuntimeParams["lock_timeout"] = strconv.FormatInt(max(1, opt.Wait.Milliseconds()), 10)
	write = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(durably))
	write.SetMaxOpenConns(1)
	read = stdlib.OpenDB(*reading)
	read.SetMaxOpenConns(maxReaders)
	read.SetMaxIdleConns(maxReaders)
	return write, read, nil
}

// durably makes a commit wait for the disk where the server would not.
func durably(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
	return err
}

func tablesOfServer(ctx context.Context, db queryer) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
	if err != nil {
		return nil, err
	}
	return scanTexts(rows)
}

// writersLock is the number of the lock that a writer holds until its commit is
// seen by all, "sama" in ASCII.
const writersLock = 0x73616d61

func lockServer(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(writersLock))
	return err
}

// lostByServer knows how a connection tells that it had ended.
func lostByServer(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "57P01" || e.Code == "57P02" // the server went down
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || pgconn.SafeToRetry(err)
}

// scrubServer lets the server write tables anew without what was deleted. Those
// who come while it waits for the readers of a table wait behind it, so it does
// not wait long.
func scrubServer(ctx context.Context, db *sql.DB, opt Options, tables []string) (clean bool, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SELECT set_config('lock_timeout', $1, false)", strconv.FormatInt(max(1, min(longestWait, opt.Wait).Milliseconds()), 10)); err != nil {
		return false, err
	}
	defer func() {
		_, back := conn.ExecContext(context.WithoutCancel(ctx), "RESET lock_timeout")
		err = errors.Join(err, back)
	}()
	for _, table := range tables {
		_, err := conn.ExecContext(ctx, "VACUUM (FULL, ANALYZE) "+table)
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == lockNotAvailable {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// checkServer reads every row of every table, which is where damage shows.
func checkServer(ctx context.Context, db *sql.DB) error {
	names, err := tablesOfServer(ctx, db)
	if err != nil {
		return err
	}
	for _, name := range names {
		var n int64
		query := "SELECT COALESCE(SUM(LENGTH(t::text)), 0) FROM " + pgx.Identifier{name}.Sanitize() + " AS t"
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
	}
	return nil
}

// lockNotAvailable is the code of who has waited for longer than lock_timeout.
const lockNotAvailable = "55P03"

// hintOfServer knows the codes of
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func hintOfServer(err error, opt Options) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case e.Code == lockNotAvailable:
			return fmt.Sprintf("another process has been writing for %s; try again when it has finished", opt.Wait)
		case e.Code == "3D000":
			return "there is no such database; make it with createdb"
		case slices.Contains([]string{"28P01", "28000"}, e.Code):
			return "the server does not let you in; check user and password"
		case e.Code == "42501":
			return "the user has no right to that; make it the owner of the database"
		case e.Code == "53100":
			return "the disk of the server is full; nothing was changed"
		case strings.HasPrefix(e.Code, "XX"):
			return "the database is damaged; restore it from a copy"
		case strings.HasPrefix(e.Code, "57P"), strings.HasPrefix(e.Code, "53"):
			return "the server is going down or has no room for more connections; try again later"
		}
		return ""
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return "the server cannot be reached; check host and port, and whether it runs"
	}
	if errors.Is(err, driver.ErrBadConn) {
		return "the connection to the server was lost; whether the change was made has to be looked up"
	}
	return ""
}
