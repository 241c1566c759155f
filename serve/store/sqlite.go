package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// sqlite is SQLite in a file (https://www.sqlite.org).
var sqlite = dialect{
	goose:    goose.DialectSQLite3,
	foreign:  "it is a database of something else, not a state of sama; name another file",
	prepares: true,
	shown:    func(location string) string { return location },
	schema:   func(sql string) string { return sql },
	prepare:  prepareFile,
	connect:  connectFile,
	tables:   tablesOfFile,
	settle:   settleFile,
	lock:     func(context.Context, *sql.Tx) error { return nil }, // its transactions begin with the writer's lock
	snapshot: nil,
	scrub:    scrubFile,
	backup:   backupFile,
	check:    checkFile,
	hint:     hintOfFile,
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
	if err := syncFolder(filepath.Dir(location)); err != nil {
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
	if write, err = openFile(location, opt, url.Values{"_txlock": {"immediate"}}); err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	if read, err = openFile(location, opt, url.Values{"_query_only": {"true"}}); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(maxReaders)
	read.SetMaxIdleConns(maxReaders)
	return write, read, nil
}

// openFile makes a pool.
func openFile(location string, opt Options, more url.Values) (*sql.DB, error) {
	path, err := filepath.Abs(location)
	if err != nil {
		return nil, err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // file:///C:/…
	}
	q := url.Values{
		"mode": {"rw"},
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", max(1, opt.Wait.Milliseconds())),
			"synchronous(FULL)",
			"foreign_keys(ON)",
			"secure_delete(ON)", // what is deleted is overwritten, see Scrub
			"temp_store(MEMORY)",
		},
		"_dqs": {"false"},
	}
	maps.Copy(q, more)
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
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

// scrubFile writes tables anew and empties the write-ahead log. secure_delete
// overwrites a row that is deleted, but not the copies of it that were left in
// other pages when the rows between them were spread anew; what overwrites those
// is to free the pages. The log can only be emptied while no reader needs it.
func scrubFile(ctx context.Context, db *sql.DB, opt Options, tables []string) (bool, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	for _, table := range tables {
		for _, statement := range []string{
			"CREATE TABLE scrubbed AS SELECT * FROM " + table,
			"DELETE FROM " + table,
			"INSERT INTO " + table + " SELECT * FROM scrubbed",
			"DROP TABLE scrubbed",
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				_ = tx.Rollback()
				return false, err
			}
		}
	}
	if err := tx.Commit(); err != nil {
		return false, err
	}
	return emptyLog(ctx, db, opt)
}

// longestWait is how long a scrub waits for readers, while others wait for it.
const longestWait = time.Second

// emptyLog moves the write-ahead log into the file and cuts it to nothing. It
// reports false if readers were in the way.
func emptyLog(ctx context.Context, db *sql.DB, opt Options) (_ bool, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := setWait(ctx, conn, min(longestWait, opt.Wait)); err != nil {
		return false, err
	}
	var busy, pages, moved int64
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if resultCode(err) == lib.SQLITE_BUSY {
		busy, err = 1, nil
	}
	return busy == 0, errors.Join(err, setWait(context.WithoutCancel(ctx), conn, opt.Wait))
}

func setWait(ctx context.Context, conn *sql.Conn, wait time.Duration) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", max(1, wait.Milliseconds())))
	return err
}

// backupFile lets SQLite write a copy as of one moment.
func backupFile(ctx context.Context, location, file string, opt Options) error {
	db, err := openFile(location, opt, nil)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", file)
	return errors.Join(err, db.Close())
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
