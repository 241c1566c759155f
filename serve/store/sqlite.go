package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// dialect is what differs between databases.
type dialect struct {
	goose goose.Dialect
	// prepare looks at the location before the database does, and makes an
	// empty database there if wanted.
	prepare func(location string, create bool) (created bool, err error)
	// connect returns the pools of writers and readers.
	connect func(location string, opt Options) (write, read *sql.DB, err error)
	// tables names the tables there are.
	tables func(ctx context.Context, db queryer) ([]string, error)
	// settle sets what lasts in the database.
	settle func(ctx context.Context, db *sql.DB, opt Options) error
	// check reads everything.
	check func(ctx context.Context, db *sql.DB) error
	// hint says what an error means and what to do, "" if it does not know.
	hint func(err error, opt Options) string
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// sqlite is SQLite in a file (https://www.sqlite.org).
var sqlite = dialect{
	goose:   goose.DialectSQLite3,
	prepare: prepareFile,
	connect: connectFile,
	tables:  tablesOfFile,
	settle:  settleFile,
	check:   checkFile,
	hint:    hintOfFile,
}

// preparing guards the moment in which this process makes a state file. On
// Unix, closing any descriptor of a file drops all locks that the process has
// on it, those of SQLite in another Store among them: so nobody may get to
// SQLite before the file that is being made is closed, and a file that is there
// is never opened but by SQLite.
var preparing sync.Mutex

// prepareFile looks whether there is a file, and makes an empty one, which is
// an empty database, if not. SQLite gives the files beside it the same
// permissions.
func prepareFile(location string, create bool) (created bool, err error) {
	preparing.Lock()
	defer preparing.Unlock()
	info, err := os.Stat(location)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		return createFile(location)
	case errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("%s: %w", location, ErrNoState)
	case err != nil:
		return false, fmt.Errorf("state %s cannot be read: %w", location, cause(err))
	case info.IsDir():
		return false, fmt.Errorf("state %s is a folder; name a file", location)
	}
	return false, nil
}

// createFile makes an empty file and makes its name last.
func createFile(location string) (created bool, err error) {
	f, err := os.OpenFile(location, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil // another process was faster
	}
	if err != nil {
		return false, fmt.Errorf("state %s cannot be made: %w; name a file in a folder that exists and can be written", location, cause(err))
	}
	if err := f.Close(); err != nil {
		return false, fmt.Errorf("state %s cannot be made: %w", location, cause(err))
	}
	if runtime.GOOS == "windows" {
		return true, nil // it has no such call for folders
	}
	folder, err := os.Open(filepath.Dir(location))
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		return false, fmt.Errorf("state %s cannot be made: %w", location, cause(err))
	}
	return true, nil
}

// cause drops the operation and path that the caller's message has already.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// maxReaders is how many connections read at once.
const maxReaders = 8

// connectFile makes the two pools.
func connectFile(location string, opt Options) (write, read *sql.DB, err error) {
	path, err := filepath.Abs(location)
	if err != nil {
		return nil, nil, err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // file:///C:/…
	}
	name := func(more url.Values) string {
		q := url.Values{
			"mode": {"rw"},
			"_pragma": {
				fmt.Sprintf("busy_timeout(%d)", max(1, opt.Wait.Milliseconds())),
				"synchronous(FULL)",
				"foreign_keys(ON)",
			},
			"_dqs": {"false"},
		}
		for k, v := range more {
			q[k] = append(q[k], v...)
		}
		return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
	}
	if write, err = sql.Open("sqlite", name(url.Values{"_txlock": {"immediate"}})); err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	if read, err = sql.Open("sqlite", name(url.Values{"_query_only": {"true"}})); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(maxReaders)
	read.SetMaxIdleConns(maxReaders)
	return write, read, nil
}

func tablesOfFile(ctx context.Context, db queryer) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	if err != nil {
		return nil, err
	}
	return scanTexts(rows)
}

// settleFile turns the write-ahead log on. SQLite does not wait for others
// where it changes the mode, so this does.
func settleFile(ctx context.Context, db *sql.DB, opt Options) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil || mode == "wal" {
		return err
	}
	timeout := time.NewTimer(opt.Wait)
	defer timeout.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		if err == nil && mode != "wal" {
			return fmt.Errorf("the file system has no write-ahead log (journal mode %s); keep the state on a local disk", mode)
		}
		if resultCode(err) != lib.SQLITE_BUSY {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout.C:
			return err
		case <-again.C:
		}
	}
}

// checkFile lets SQLite compare its tables and indexes.
func checkFile(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "PRAGMA integrity_check(10)")
	if err != nil {
		return err
	}
	found, err := scanTexts(rows)
	if err != nil {
		return err
	}
	if len(found) == 1 && found[0] == "ok" {
		return nil
	}
	return fmt.Errorf("%s: %s", damaged, strings.Join(found, "; "))
}

func scanTexts(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}

const damaged = "the file is damaged; restore it from a copy"

// resultCode returns SQLite's primary result code, 0 if err is not its
// (https://www.sqlite.org/rescode.html).
func resultCode(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

func hintOfFile(err error, opt Options) string {
	switch resultCode(err) {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Sprintf("another process has been writing for %s; try again when it has finished", opt.Wait)
	case lib.SQLITE_CORRUPT:
		return damaged
	case lib.SQLITE_NOTADB:
		return "the file is no SQLite database, or a damaged one; name another file, or restore it from a copy"
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return "the file and its folder must be writable, for SQLite keeps two more files beside it; give yourself the right, or name another file"
	case lib.SQLITE_FULL:
		return "the disk is full; nothing was changed"
	case lib.SQLITE_IOERR:
		return "the disk failed"
	}
	return ""
}
