package store

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestPasswordsAreNotShown opens what is not there with a password, written
// rightly and wrongly.
func TestPasswordsAreNotShown(t *testing.T) {
	for location, shown := range map[string]string{
		"postgres://kim:hemlig@127.0.0.1:1/sama":                                 "postgres://kim@127.0.0.1:1/sama",
		"postgresql://127.0.0.1:1/sama?user=kim&password=hemlig&sslmode=disable": "postgresql://127.0.0.1:1/sama?user=kim",
		"postgres://kim:hem/lig@127.0.0.1:1/sama":                                "postgres://…",
		"postgres://kim:hem%lig@127.0.0.1:1/sama":                                "postgres://…",
		"postgres://kim:hemlig@127.0.0.1:1:2/sama":                               "postgres://kim@127.0.0.1:1:2/sama",
		"postgres://kim:hemlig@127.0.0.1:port/sama":                              "postgres://…",
		"postgres://kim:hemlig@127.0.0.1:1/sama?sslmode=hemlig":                  "postgres://kim@127.0.0.1:1/sama",
		"mysql://kim:hemlig@127.0.0.1:1/sama":                                    "mysql://kim@127.0.0.1:1/sama",
	} {
		_, err := Open(t.Context(), location, Options{})
		if err == nil || strings.Contains(err.Error(), "hem") || strings.Contains(err.Error(), "lig") || !strings.Contains(err.Error(), shown) {
			t.Errorf("%s: got %v, want %q", shown, err, shown)
		}
		if d, ok := dialectOf(location); ok && d.shown(location) != shown {
			t.Errorf("shown as %s, want %s", d.shown(location), shown)
		}
	}
}

func TestASchemaOfSomethingElse(t *testing.T) {
	location := freshSchema(t)
	if _, err := OpenExisting(t.Context(), location, Options{}); !errors.Is(err, ErrNoState) {
		t.Errorf("got %v, want that there is no state", err)
	}
	db, _, err := connectServer(location, Options{}.withDefaults())
	if err == nil {
		_, err = db.Exec("CREATE TABLE customers (id INTEGER)")
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), location, Options{}); err == nil || !strings.Contains(err.Error(), "the schema has tables of something else") {
		t.Errorf("got %v", err)
	}
}

func TestWhatAServerRefusesIsExplained(t *testing.T) {
	needServer(t)
	for location, want := range map[string]string{
		strings.Replace(serverURL(""), "/postgres?", "/nowhere?", 1): "there is no such database; make it with createdb",
		strings.Replace(serverURL(""), "postgres@", "stranger@", 1):  "the server does not let you in; check user and password",
		"postgres://kim@/sama?host=" + strings.Repeat("/nowhere", 2): "the server cannot be reached; check host and port",
	} {
		if _, err := Open(t.Context(), location, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestAStateOfAServer(t *testing.T) {
	location := freshSchema(t)
	s := mustOpen(t, location)
	if !s.Created() {
		t.Error("there was none")
	}
	if again := mustOpen(t, location); again.Created() {
		t.Error("there was one")
	}
	if _, _, err := s.Decide(ctx, Decision{Kind: Same, A: key("a", "1"), B: key("b", "2"), By: "kim"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
	if _, err := s.read.Exec("DELETE FROM decisions"); err == nil {
		t.Error("a reader's connection could write")
	}
	if err := s.Backup(ctx, "nowhere/copy.db"); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("got %v", err)
	}
	var kept string
	if err := s.write.QueryRow("SHOW synchronous_commit").Scan(&kept); err != nil || kept != "on" {
		t.Errorf("synchronous_commit is %s (%v)", kept, err)
	}
}

// TestAServerThatIsolatesMore has two writers on a server whose transactions see
// the state as of their beginning, which is before they waited for each other.
func TestAServerThatIsolatesMore(t *testing.T) {
	location := freshSchema(t) + "&default_transaction_isolation=serializable"
	handles := []*Store{mustOpen(t, location), mustOpen(t, location)}
	waits := make(chan error, 1)
	handles[0].fault = func(step string) {
		if step != "commit" {
			return
		}
		handles[0].fault = func(string) {}
		go func() { waits <- handles[1].AppendAccess(context.Background(), reads(1)) }()
		for waiting := false; !waiting; {
			err := handles[0].read.QueryRow("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted)", int64(writersLock)).Scan(&waiting)
			if err != nil {
				t.Error(err)
				return
			}
		}
	}
	mustAppend(t, handles[0], reads(1)...)
	if err := <-waits; err != nil {
		t.Error(err)
	}
	if v, err := handles[0].VerifyAccess(ctx); err != nil || v.Rows != 2 {
		t.Errorf("%d rows (%v)", v.Rows, err)
	}
}

// TestAConnectionThatIsLost ends the server's side of the connections between
// and during calls.
func TestAConnectionThatIsLost(t *testing.T) {
	s := mustOpen(t, freshSchema(t))
	cut := func() {
		if _, err := s.read.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%/* " + t.Name() + " */%'"); err != nil {
			t.Error(err)
		}
	}
	mark := func() {
		if _, err := s.write.Exec("SELECT 1 /* " + t.Name() + " */"); err != nil {
			t.Error(err)
		}
	}
	done := 0
	for i := range 10 {
		if mark(); i%2 == 0 {
			cut()
		} else {
			s.fault = func(step string) {
				if step == "commit" {
					var pid int
					if err := s.read.QueryRow("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted", int64(writersLock)).Scan(&pid); err != nil {
						t.Error(err)
					}
					if _, err := s.read.Exec("SELECT pg_terminate_backend($1)", pid); err != nil {
						t.Error(err)
					}
				}
			}
		}
		_, err := s.AppendFeed(ctx, []FeedEvent{{Kind: "x"}})
		if s.fault = func(string) {}; err == nil {
			done++
		} else if i%2 == 0 {
			t.Errorf("between calls: %v", err)
		}
	}
	if n := len(feedOf(t, s)); n != done || done != 5 {
		t.Errorf("%d events, %d acknowledged", n, done)
	}
}
