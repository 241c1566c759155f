package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// backend is a database to test on.
type backend struct {
	name  string
	fresh func(t testing.TB) string // the location of a state that is not there yet
}

// file is SQLite.
var file = backend{"sqlite", func(t testing.TB) string { return filepath.Join(t.TempDir(), "state.db") }}

// eachDatabase runs a test on every database.
func eachDatabase(t *testing.T, test func(t *testing.T, b backend)) {
	for _, b := range []backend{file, {"postgres", freshSchema}} {
		t.Run(b.name, func(t *testing.T) {
			if b.name == "postgres" {
				needServer(t)
			}
			test(t, b)
		})
	}
}

// open opens a new state of a backend, by a clock that stands still.
func (b backend) open(t *testing.T) *Store {
	t.Helper()
	return mustOpen(t, b.fresh(t))
}

// cleared takes the decisions out of a state, which is quicker than to make a
// new one.
func cleared(t interface{ Fatal(...any) }, location string) {
	s, err := Open(context.Background(), location, Options{})
	if err == nil {
		_, err = s.write.Exec("DELETE FROM decisions")
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// server is the PostgreSQL that the tests share, a state in a schema of its
// own. It is started by the first test that needs it and ends with the process.
var server struct {
	once    sync.Once
	err     error
	folder  string
	stop    func()
	schemas atomic.Int64
}

// errNoPostgres says that it is not installed.
var errNoPostgres = errors.New("PostgreSQL is not installed (initdb was found neither in PATH nor in /usr/lib/postgresql)")

func needServer(t testing.TB) {
	t.Helper()
	server.once.Do(func() { server.err = startServer() })
	if errors.Is(server.err, errNoPostgres) && os.Getenv("SAMA_TEST_REQUIRE") != "all" {
		t.Skip(server.err)
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
}

// freshSchema makes the name of a new schema of the server.
func freshSchema(t testing.TB) string {
	t.Helper()
	needServer(t)
	schema := fmt.Sprintf("s%d_%d", os.Getpid(), server.schemas.Add(1))
	db, _, err := connectServer(serverURL(""), Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	return serverURL(schema)
}

func serverURL(schema string) string {
	q := url.Values{"host": {server.folder}}
	if schema != "" {
		q.Set("search_path", schema)
	}
	return "postgres://postgres@/postgres?" + q.Encode()
}

// programsOfServer returns the folder of initdb and postgres.
func programsOfServer() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errNoPostgres
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// startServer makes a database cluster that sorts as Finnish does, so that an
// order which ought to be that of bytes shows, and serves it on a Unix socket.
func startServer() error {
	programs, err := programsOfServer()
	if err != nil {
		return err
	}
	if server.folder, err = os.MkdirTemp("", "sama-pg"); err != nil {
		return err
	}
	own := otherUser(server.folder)
	data := filepath.Join(server.folder, "data")
	args := []string{"-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"}
	if help, _ := exec.Command(filepath.Join(programs, "initdb"), "--help").Output(); strings.Contains(string(help), "--icu-locale") {
		args = append(args, "--locale-provider=icu", "--icu-locale=fi")
	}
	initdb := exec.Command(filepath.Join(programs, "initdb"), args...)
	own(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// The tests end processes and never the power, so it need not wait for the
	// disk; the benchmarks let it.
	run := exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-k", server.folder, "-h", "",
		"-c", "shared_buffers=64MB", "-c", "max_connections=200", "-c", "fsync=off")
	own(run)
	log, err := run.StderrPipe()
	if err != nil {
		return err
	}
	if server.stop, err = startTied(run); err != nil {
		return err
	}
	lines := bufio.NewScanner(log)
	var said []string
	for lines.Scan() {
		if strings.Contains(lines.Text(), "ready to accept connections") {
			go func() {
				for lines.Scan() { // it must not wait for its log to be read
				}
			}()
			return nil
		}
		said = append(said, lines.Text())
	}
	return fmt.Errorf("postgres ended: %s", strings.Join(said, "\n"))
}

// endServer is called once, when all tests are done.
func endServer() {
	if server.stop != nil {
		server.stop()
	}
	if server.folder != "" {
		_ = os.RemoveAll(server.folder)
	}
}

// everything returns the text of all rows of all tables, by table.
func everything(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	names, err := s.dialect.tables(t.Context(), s.read)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	for _, name := range names {
		if name == versionTable {
			continue
		}
		rows, err := s.read.QueryContext(context.Background(), "SELECT * FROM "+name)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = []string{}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			var row strings.Builder
			for _, v := range values {
				switch v := (*v.(*any)).(type) {
				case []byte:
					fmt.Fprintf(&row, "%s|", v)
				default:
					fmt.Fprintf(&row, "%v|", v)
				}
			}
			all[name] = append(all[name], row.String())
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(all[name])
	}
	return all
}
