package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sama/benchmarks/measure"
)

// folder holds the sama that the tests run.
var folder string

// TestMain makes a folder for it.
func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "sama-serve-test"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder) // what is left is in the system's folder for such things
	os.Exit(code)
}

// built builds it, once for all tests.
var built = sync.OnceValues(func() (string, error) {
	root, err := measure.Root(".")
	if err != nil {
		return "", err
	}
	program, err := measure.Build(context.Background(), root, folder)
	return string(program), err
})

// measured runs the program on a few records for a moment and returns its table.
func measured(t *testing.T, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs nights and servers")
	}
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args = append([]string{"-records", "300", "-connections", "4", "-for", "150ms", "-sama", program}, args...)
	if code := Run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Errorf("exit code %d\n%s%s", code, stdout.String(), stderr.String())
	}
	t.Log(stdout.String())
	return stdout.String()
}

// wants fails where the table lacks a row.
func wants(t *testing.T, table string, rows ...string) {
	t.Helper()
	for _, row := range rows {
		if !strings.Contains(table, "\n"+row) {
			t.Errorf("the table has no row %q", row)
		}
	}
}

func TestReadsAndWritesAreMeasured(t *testing.T) {
	wants(t, measured(t, "-start", "-reads", "-writes"), "start to the first answer", "profile by id: rate", "profile by id: p99",
		"lookup by e-mail: p99", "lookup by record key: p99", "search by partial record: p99", "record: rate", "record: p99", "consent: p99", "consent: next reads")
}

func TestRunsAreSwitchedUnderLoad(t *testing.T) {
	wants(t, measured(t, "-switch", "4"), "switch: failed requests", "switch: mixed answers")
}

func TestOverloadAndAgreementAreMeasured(t *testing.T) {
	wants(t, measured(t, "-overload", "-agree"), "overload: longest answer", "overload: until latencies", "agree: of ")
}

func TestErasedPersonsAreLookedFor(t *testing.T) {
	wants(t, measured(t, "-erase", "3"), "erase: until gone", "erase: state and files of the next run")
}

func TestKilledServersLoseNothing(t *testing.T) {
	args := []string{"-kills", "3"}
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
		args = append(args, "-postgres", "start")
	} else if os.Getenv("SAMA_TEST_REQUIRE") == "all" {
		t.Fatal("PostgreSQL is not installed")
	}
	table := measured(t, args...)
	wants(t, table, "kills on SQLite, 3: acknowledged writes lost")
	if len(args) > 2 {
		wants(t, table, "kills on PostgreSQL, 3: feed events")
	}
}

func TestWrongFlagsAreSaid(t *testing.T) {
	for _, args := range [][]string{{}, {"-reads", "-records", "5"}, {"-reads", "more"}, {"-kills", "-1"}, {"-reads", "-for", "0s"}, {"-nonsense"}} {
		var stdout, stderr bytes.Buffer
		if code := Run(t.Context(), args, &stdout, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("%q: exit code %d, %q", args, code, stderr.String())
		}
	}
}

// TestAnswersAreReadOffTheLine answers with each form of a body that a server of
// HTTP/1.1 may choose, in pieces that end anywhere.
func TestAnswersAreReadOffTheLine(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	answers := []struct {
		text, body string
		status     int
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200},
		{"HTTP/1.1 404 Not Found\r\ncontent-length:0\r\nX-Other: 7\r\n\r\n", "", 404},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "abc0123456789", 200},
		{"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", "", 304},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long, long, 200},
		{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", "no", 503},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		request := make([]byte, 1)
		for _, a := range answers {
			if _, err := c.Read(request); err != nil {
				return
			}
			for part := range slices.Chunk([]byte(a.text), 7+len(a.text)/5) {
				_, _ = c.Write(part) // the test sees what is missing
			}
		}
	}()
	to := &line{address: l.Addr().String()}
	defer to.close()
	for _, a := range answers {
		status, body, err := to.do([]byte{'q'})
		if err != nil || status != a.status || string(body) != a.body {
			t.Errorf("%.60q: %d, %d bytes, %v", a.text, status, len(body), err)
		}
	}
	if to.conn != nil {
		t.Error("the connection is kept after Connection: close")
	}
}

func TestQuantilesAreThoseOfTheDefinition(t *testing.T) {
	took := make([]uint32, 200)
	for i := range took {
		took[i] = uint32(i+1) * 1000
	}
	for share, want := range map[float64]float64{0: 1, 0.005: 1, 0.5: 100, 0.99: 198, 1: 200} {
		if got := quantile(took, share); got != want {
			t.Errorf("%v: %v, want %v", share, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("nothing has a quantile")
	}
}

func TestTextsAreFoundAsAWhole(t *testing.T) {
	text := []byte("a;anna.virtanen@example.com;x\x00+3584012345678|bo@example.com.")
	for part, want := range map[string]bool{
		"anna.virtanen@example.com": true, "virtanen@example.com": false, "+3584012345678": true, "+358401234567": false,
		"bo@example.com": false, "x": true, "missing": false,
	} {
		if got := holds(text, []byte(part)); got != want {
			t.Errorf("%q: %v", part, got)
		}
	}
}

// TestFeedFaultsAreFound breaks a feed in each way that it may break.
func TestFeedFaultsAreFound(t *testing.T) {
	events := []feedEvent{{"3", "created", "a"}, {"5", "grown", "a"}, {"6", "created", "b"}}
	for name, broken := range map[string]func([]feedEvent) []feedEvent{
		"":          func(e []feedEvent) []feedEvent { return e },
		"lost":      func(e []feedEvent) []feedEvent { return e[1:] },
		"doubled":   func(e []feedEvent) []feedEvent { return append(e, e[2]) },
		"reordered": func(e []feedEvent) []feedEvent { return []feedEvent{{"3", "grown", "a"}, {"5", "created", "a"}, e[2]} },
		"strange":   func(e []feedEvent) []feedEvent { return append(e, feedEvent{"9", "consent", "c"}) },
	} {
		f := &feed{events: broken(slices.Clone(events)), byID: make(map[string][]string)}
		for _, e := range f.events {
			f.byID[e.IdentityID] = append(f.byID[e.IdentityID], e.Kind)
		}
		k := &killing{place: &place{bench: &bench{stderr: &bytes.Buffer{}}}}
		k.writers = []*writer{{wants: []want{{"a", "created"}, {"a", "grown"}, {"b", "created"}}}}
		if f.compare(k, f.events); (f.wrong > 0) != (name != "") {
			t.Errorf("%q: %d faults", name, f.wrong)
		}
	}
}

func TestLoadsAskAtEvenIntervals(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				request := make([]byte, 1)
				for {
					if _, err := c.Read(request); err != nil {
						return
					}
					_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
				}
			}()
		}
	}()
	var mu sync.Mutex
	seen := make(map[int]int)
	o := load{l.Addr().String(), 2, 100 * time.Millisecond, func(n int) []byte {
		mu.Lock()
		defer mu.Unlock()
		seen[n]++
		return []byte{'q'}
	}, nil}.open(t.Context(), 500)
	if o.failed > 0 || len(o.took) != len(seen) || len(seen) > 51 {
		t.Errorf("%d answers, %d failed (%s), %d requests in a tenth of a second at 500 a second", len(o.took), o.failed, o.example, len(seen))
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("request %d was sent %d times", n, times)
		}
	}
}
