package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// held keeps the writer's goroutine in a call until release, so that others
// gather.
func held(t *testing.T, s *Store) (release func()) {
	t.Helper()
	began, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.together(ctx, "holding", func(*txn) error {
			close(began)
			<-end
			return nil
		})
	}()
	<-began
	return func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// gathered waits until n calls are in the queue.
func gathered(s *Store, n int) {
	for len(s.batch.queue) < n {
		runtime.Gosched()
	}
}

// TestNeighboursAreApart lets calls that fail share a transaction with others.
func TestNeighboursAreApart(t *testing.T) { eachDatabase(t, neighboursAreApart) }

func neighboursAreApart(t *testing.T, b backend) {
	s := b.open(t)
	commits := 0
	s.fault = func(step string) {
		if step == "done" {
			commits++
		}
	}
	errWrong := errors.New("wrong")
	release := held(t, s)
	var calls sync.WaitGroup
	const n = 60
	failed := make([]error, n)
	for i := range n {
		calls.Go(func() {
			failed[i] = s.together(ctx, "trying", func(t *txn) error {
				if _, err := t.appendFeed([]FeedEvent{{Kind: "x", Identity: fmt.Sprint(i)}}); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return errWrong
				case 2: // an error of the database itself
					_, err := t.exec("INSERT INTO heads (name, last) VALUES ('feed', 0)")
					return err
				}
				return nil
			})
		})
	}
	gathered(s, n)
	release()
	calls.Wait()
	for i, err := range failed {
		if (i%3 == 0) != (err == nil) || i%3 == 1 && !errors.Is(err, errWrong) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	list := feedOf(t, s)
	if len(list) != n/3 {
		t.Errorf("%d events, want %d", len(list), n/3)
	}
	for i, e := range list {
		if e.Seq != int64(i+1) || !strings.Contains("0369", e.Identity[len(e.Identity)-1:]) && len(e.Identity) == 1 {
			t.Errorf("event %v", e)
		}
	}
	if commits > 2 {
		t.Errorf("%d commits for %d calls that waited together", commits, n)
	}
}

// TestAPoisonedNeighbour fills the disk, which ends the transaction of all.
func TestAPoisonedNeighbour(t *testing.T) {
	s := file.open(t)
	if _, err := s.write.Exec("PRAGMA max_page_count = 120"); err != nil {
		t.Fatal(err)
	}
	release := held(t, s)
	var calls sync.WaitGroup
	var full, done atomic.Int32
	for i := range 20 {
		calls.Go(func() {
			events := online(1, i)
			if i == 7 {
				events = online(20_000, 100)
			}
			switch _, err := s.PutRecords(ctx, events, Also{}); {
			case err == nil:
				done.Add(1)
			case strings.Contains(err.Error(), "the disk is full; nothing was changed"):
				full.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	gathered(s, 20)
	release()
	calls.Wait()
	if full.Load() != 1 || done.Load() != 19 || len(onlineAfter(t, s, 0)) != 19 {
		t.Errorf("%d done, %d refused, %d records", done.Load(), full.Load(), len(onlineAfter(t, s, 0)))
	}
}

// TestWhoLeavesIsNotServed ends the contexts of calls that wait.
func TestWhoLeavesIsNotServed(t *testing.T) {
	s := file.open(t)
	release := held(t, s)
	leaving, leave := context.WithCancel(ctx)
	var calls, left sync.WaitGroup
	for i := range 20 {
		c, group := ctx, &calls
		if i%2 == 0 {
			c, group = leaving, &left
		}
		group.Go(func() {
			if _, err := s.AppendFeed(c, []FeedEvent{{Kind: "x"}}); (i%2 == 0) != errors.Is(err, context.Canceled) {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	gathered(s, 20)
	leave()
	left.Wait() // they are answered while the writer is busy
	release()
	calls.Wait()
	if n := len(feedOf(t, s)); n != 10 {
		t.Errorf("%d events, want 10", n)
	}
}

// TestClosingAnswersEverybody closes while calls come.
func TestClosingAnswersEverybody(t *testing.T) { eachDatabase(t, closingAnswersEverybody) }

func closingAnswersEverybody(t *testing.T, b backend) {
	location := b.fresh(t)
	s, err := Open(ctx, location, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var calls sync.WaitGroup
	var done atomic.Int64
	for range 16 {
		calls.Go(func() {
			for {
				if _, err := s.AppendFeed(ctx, []FeedEvent{{Kind: "x"}}); err != nil {
					if !errors.Is(err, errClosed) {
						t.Error(err)
					}
					return
				}
				done.Add(1)
			}
		})
	}
	for done.Load() < 50 {
		runtime.Gosched()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	calls.Wait()
	if err := s.Close(); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if n := len(feedOf(t, mustOpen(t, location))); int64(n) != done.Load() {
		t.Errorf("%d events, %d acknowledged", n, done.Load())
	}
}

// scribble is the job of a process that writes of every kind until it is
// killed, and says on standard output what was acknowledged.
func scribble(s *Store) error {
	out := bufio.NewWriter(os.Stdout)
	var saying sync.Mutex
	say := func(what string, n int64, err error) {
		saying.Lock()
		defer saying.Unlock()
		if err != nil {
			fmt.Fprintln(os.Stderr, what, err)
			os.Exit(1)
		}
		fmt.Fprintln(out, what, n)
		_ = out.Flush()
	}
	for w := range 6 {
		go func() {
			for i := 0; ; i++ {
				mine := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i)
				feed := []FeedEvent{{Kind: "x", Identity: mine}}
				switch i % 5 {
				case 0:
					d, err := s.PutRecords(ctx, []OnlineRecord{{Key: key("crm", mine), Op: Put, Fields: []byte("{}")}, {Key: key("crm", mine), Op: Delete}}, Also{Feed: feed, Request: request("c", mine, mine)})
					say("online", append(d.Numbers, 0, 0)[1], err)
				case 1:
					d, err := s.AddConsents(ctx, []ConsentEvent{{Anchor: "record:crm:" + mine, Act: "grant"}}, Also{Feed: feed})
					say("consents", append(d.Numbers, 0)[0], err)
				case 2:
					err := s.AppendAccess(ctx, []Access{{Client: mine, What: "read"}})
					say("access", 1, err)
				case 3:
					d, _, err := s.Decide(ctx, Decision{Kind: Same, A: key("crm", mine), B: key("shop", "1"), By: "kim"}, feed...)
					say("decision", d.ID, err)
				case 4:
					e, _, err := s.Erase(ctx, Erasure{By: "desk", Identities: []string{mine}}, Person{Marks: []Mark{{"email", mine}}})
					say("erasure", e.ID, err)
				}
			}
		}()
	}
	select {}
}

// TestNothingAcknowledgedIsLost kills a process in the middle of its writes,
// again and again, and counts.
func TestNothingAcknowledgedIsLost(t *testing.T) { eachDatabase(t, nothingAcknowledgedIsLost) }

func nothingAcknowledgedIsLost(t *testing.T, b backend) {
	location := b.fresh(t)
	path := filepath.Join(t.TempDir(), "sama.keys")
	k, err := CreateKeys(path, randomness(1))
	if err != nil {
		t.Fatal(err)
	}
	s := openKeyed(t, location, k)
	highest, count := make(map[string]int64), make(map[string]int64)
	for round := range 5 {
		cmd := process(t, "scribble", location, path)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 40+30*round {
				_ = cmd.Process.Kill()
			}
			var what string
			var number int64
			if _, err := fmt.Sscan(lines.Text(), &what, &number); err != nil {
				continue // the line on which it died
			}
			count[what]++
			highest[what] = max(highest[what], number)
		}
		if died, ok := errors.AsType[*exec.ExitError](cmd.Wait()); !ok || died.ExitCode() != -1 {
			t.Fatalf("the process was not killed: %v", died)
		}
		verifyWhole(t, s, highest, count)
	}
	t.Logf("acknowledged %v", count)
}

// verifyWhole compares a state with what was acknowledged of it: no row is
// missing, none is there in part, and no number was left out.
func verifyWhole(t *testing.T, s *Store, highest, count map[string]int64) {
	t.Helper()
	all := everything(t, s)
	for what, table := range map[string]string{"online": "online_records", "consents": "consents", "decision": "decisions", "erasure": "erasures"} {
		n := int64(len(all[table]))
		if n < highest[what] || n < count[what] {
			t.Errorf("%s has %d rows, %d were acknowledged, up to number %d", table, n, count[what], highest[what])
		}
	}
	if n := int64(len(all["access_log"])); n < count["access"] {
		t.Errorf("%d accesses, %d were acknowledged", n, count["access"])
	}
	if v, err := s.VerifyAccess(ctx); err != nil || v.Rows != int64(len(all["access_log"])) {
		t.Errorf("%v %v", v, err)
	}
	kinds := map[string]int{"x": 0, FeedErased: 0}
	for i, e := range feedOf(t, s) {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d in place %d", e.Seq, i+1)
		}
		kinds[e.Kind]++
	}
	want := map[string]int{"x": len(all["online_records"])/2 + len(all["consents"]) + len(all["decisions"]), FeedErased: len(all["erasures"])}
	if !cmp.Equal(kinds, want) || len(all["answers"]) != len(all["online_records"])/2 || len(all["tombstones"]) != len(all["erasures"]) {
		t.Errorf("parts of changes are missing: events %v, want %v; %d answers, %d tombstones", kinds, want, len(all["answers"]), len(all["tombstones"]))
	}
	for i, r := range onlineAfter(t, s, 0) {
		if r.Seq != int64(i+1) {
			t.Fatalf("record %d in place %d", r.Seq, i+1)
		}
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
}
