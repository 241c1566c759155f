package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// online makes records of one source.
func online(n int, from int) []OnlineRecord {
	var list []OnlineRecord
	for i := range n {
		list = append(list, OnlineRecord{Key: key("crm", fmt.Sprintf("C%05d", from+i)), Op: Put, Fields: fmt.Appendf(nil, `{"city":"Turku","n":%d}`, from+i), Client: "shop", Identity: fmt.Sprintf("id-%d", from+i), Founded: i%2 == 0})
	}
	return list
}

func onlineAfter(t *testing.T, s *Store, seq int64) []OnlineRecord {
	t.Helper()
	var list []OnlineRecord
	for r, err := range s.OnlineSince(ctx, seq) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

func feedOf(t *testing.T, s *Store) []FeedEvent {
	t.Helper()
	list, err := s.Feed(ctx, 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestOnlineRecordsAndTheirEvents(t *testing.T) { eachDatabase(t, onlineRecordsAndTheirEvents) }

func onlineRecordsAndTheirEvents(t *testing.T, b backend) {
	s := b.open(t)
	list := online(75, 0) // 64 + 8 + 3 rows a statement
	list[3] = OnlineRecord{Key: key("crm", "C00001"), Op: Delete, Client: "shop", Received: time.Date(2026, 11, 23, 1, 2, 3, 4000, time.UTC)}
	done, err := s.PutRecords(ctx, list, Also{Feed: []FeedEvent{{Kind: "attached", Identity: "id-1", Detail: []byte(`{"fields":["city"]}`)}, {Kind: "gone"}}})
	if err != nil || done.Feed != 2 || len(done.Numbers) != 75 || done.Numbers[0] != 1 || done.Numbers[74] != 75 {
		t.Fatalf("%v %v", done, err)
	}
	for i := range list {
		if list[i].Seq = int64(i + 1); list[i].Received.IsZero() {
			list[i].Received = s.opt.Now()
		}
	}
	if got := onlineAfter(t, s, 0); !cmp.Equal(got, list) {
		t.Error(cmp.Diff(list, got))
	}
	if got := onlineAfter(t, s, 70); !cmp.Equal(got, list[70:]) {
		t.Error(cmp.Diff(list[70:], got))
	}
	for range s.OnlineSince(ctx, 0) {
		break // the connection has to be free again
	}
	want := []FeedEvent{{Seq: 1, At: s.opt.Now(), Kind: "attached", Identity: "id-1", Detail: []byte(`{"fields":["city"]}`)}, {Seq: 2, At: s.opt.Now(), Kind: "gone", Detail: []byte("{}")}}
	if got := feedOf(t, s); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	for what, wrong := range map[string]OnlineRecord{
		"no key":          {Op: Put, Fields: []byte("{}")},
		"no operation":    {Key: key("crm", "1"), Fields: []byte("{}")},
		"no object":       {Key: key("crm", "1"), Op: Put, Fields: []byte(`["Virtanen"]`)},
		"a full delete":   {Key: key("crm", "1"), Op: Delete, Fields: []byte("{}")},
		"an unclean name": {Key: key("crm", "1\x00"), Op: Put, Fields: []byte("{}")},
	} {
		_, err := s.PutRecords(ctx, []OnlineRecord{list[0], wrong}, Also{})
		if err == nil || !strings.HasPrefix(err.Error(), "record 2: want ") || strings.Contains(err.Error(), "Virtanen") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := s.PutRecords(ctx, list[:1], Also{Feed: []FeedEvent{{Kind: FeedRun, RunID: "r", Run: 1}}}); err == nil {
		t.Error("a marker was forged")
	}
	if r, err := s.Revision(ctx); err != nil || r.Online != 75 || r.Feed != 2 {
		t.Errorf("%v %v", r, err)
	}
}

func TestRecordsAreForgotten(t *testing.T) { eachDatabase(t, recordsAreForgotten) }

func recordsAreForgotten(t *testing.T, b backend) {
	s := b.open(t)
	if _, err := s.PutRecords(ctx, online(100, 0), Also{}); err != nil {
		t.Fatal(err)
	}
	there := make(map[int64]bool)
	for seq := range int64(100) {
		there[seq+1] = true
	}
	for _, c := range []struct {
		upTo   int64
		except []int64
	}{{0, nil}, {10, []int64{1, 4, 5, 10}}, {10, []int64{4, 11}}, {5, nil}, {60, []int64{20, 60, 61, 99}}, {60, []int64{60}}, {100, nil}} {
		want := int64(0)
		for seq := range there {
			if seq <= c.upTo && !slices.Contains(c.except, seq) {
				delete(there, seq)
				want++
			}
		}
		removed, err := s.ForgetOnline(ctx, c.upTo, c.except)
		if err != nil || removed != want {
			t.Errorf("%+v: removed %d, want %d (%v)", c, removed, want, err)
		}
		for _, r := range onlineAfter(t, s, 0) {
			if !there[r.Seq] {
				t.Errorf("%+v: record %d is there", c, r.Seq)
			}
		}
	}
	done, err := s.PutRecords(ctx, online(1, 0), Also{})
	if err != nil || done.Numbers[0] != 101 {
		t.Errorf("the next number is %v (%v)", done.Numbers, err)
	}
}

// TestAnOlderStateReachesTheRun has a run that knows more than a state that was
// put back.
func TestAnOlderStateReachesTheRun(t *testing.T) { eachDatabase(t, anOlderStateReachesTheRun) }

func anOlderStateReachesTheRun(t *testing.T, b backend) {
	s := b.open(t)
	if _, err := s.PutRecords(ctx, online(3, 0), Also{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ online, erasures, next int64 }{{2, 0, 4}, {4, 1, 5}, {100, 7, 101}, {100, 7, 102}, {0, 0, 103}} {
		if err := s.Reach(ctx, c.online, c.erasures); err != nil {
			t.Fatal(err)
		}
		done, err := s.PutRecords(ctx, online(1, 0), Also{})
		if err != nil || done.Numbers[0] != c.next {
			t.Errorf("after %+v the next number is %v (%v)", c, done.Numbers, err)
		}
	}
	if r, err := s.Revision(ctx); err != nil || r.Erasures != 7 {
		t.Errorf("erasures reach %d (%v)", r.Erasures, err)
	}
}

// TestWhoWithdrawsHasWithdrawn goes through two hosts, of which one is ahead.
func TestWhoWithdrawsHasWithdrawn(t *testing.T) { eachDatabase(t, whoWithdrawsHasWithdrawn) }

func whoWithdrawsHasWithdrawn(t *testing.T, b backend) {
	var ahead, behind clock
	location := b.fresh(t)
	a, z := openClocked(t, location, &ahead), openClocked(t, location, &behind)
	said := func(s *Store, act string, at time.Time) ConsentEvent {
		t.Helper()
		if _, err := s.AddConsents(ctx, []ConsentEvent{{Anchor: "record:crm:1", Purpose: "news", Controller: "acme", Act: act, Source: "app", Authenticated: "account", At: at}}, Also{}); err != nil {
			t.Fatal(err)
		}
		list, err := s.ConsentsOf(ctx, []string{"record:crm:1"})
		if err != nil {
			t.Fatal(err)
		}
		return list[len(list)-1]
	}
	ahead.advance(clockSlack)
	grant := said(a, "grant", time.Time{})
	if withdrawn := said(z, "withdraw", time.Time{}); !withdrawn.At.After(grant.At) || withdrawn.At.Sub(grant.At) > time.Microsecond {
		t.Errorf("granted at %v, withdrawn after it at %v", grant.At, withdrawn.At)
	}
	// Who says when it was is believed, and a clock that is further ahead is not.
	if told := said(z, "grant", z.opt.Now().Add(-time.Hour)); !told.At.Equal(z.opt.Now().Add(-time.Hour).UTC()) {
		t.Errorf("told as at %v", told.At)
	}
	said(a, "grant", a.opt.Now().Add(time.Hour))
	if withdrawn := said(z, "withdraw", time.Time{}); withdrawn.At.After(z.opt.Now().Add(clockSlack + time.Second)) {
		t.Errorf("withdrawn at %v, which is far ahead", withdrawn.At)
	}
}

// TestAChangeIsHeldAgainstTheTombstonesThatAre refuses one that was held against
// those before.
func TestAChangeIsHeldAgainstTheTombstonesThatAre(t *testing.T) {
	eachDatabase(t, aChangeIsHeldAgainstTheTombstones)
}

func aChangeIsHeldAgainstTheTombstones(t *testing.T, b backend) {
	s := b.open(t)
	put := func(revision int64) error {
		_, err := s.PutRecords(ctx, online(1, 0), Also{Erasures: &revision})
		return err
	}
	if err := put(0); err != nil {
		t.Error(err)
	}
	if err := s.Reach(ctx, 0, 3); err != nil {
		t.Fatal(err)
	}
	var moved *ErasedMeanwhileError
	if err := put(0); !errors.As(err, &moved) {
		t.Errorf("held against tombstones of before: %v", err)
	}
	if err := put(3); err != nil {
		t.Error(err)
	}
	if left := onlineAfter(t, s, 0); len(left) != 2 {
		t.Errorf("%d records are there", len(left))
	}
}

func TestRunsAreAdoptedOnce(t *testing.T) { eachDatabase(t, runsAreAdoptedOnce) }

func runsAreAdoptedOnce(t *testing.T, b backend) {
	s := b.open(t)
	if _, ok, err := s.Adopted(ctx); ok || err != nil {
		t.Error(ok, err)
	}
	for i, c := range []struct {
		id      string
		number  int64
		adopted bool
		kind    string
	}{
		{"a", 1, true, FeedRun}, {"a", 1, false, FeedRun}, {"b", 2, true, FeedRun}, {"a", 1, true, FeedRollback}, {"a", 1, false, FeedRollback},
		{"c", 3, true, FeedRun}, {"b", 2, true, FeedRollback}, {"c", 3, true, FeedRollback}, {"older", 2, true, FeedRollback}, {"d", 4, true, FeedRun},
	} {
		m, adopted, err := s.AdoptRun(ctx, c.id, c.number)
		if err != nil || adopted != c.adopted || m.Kind != c.kind || m.RunID != c.id || m.Run != c.number {
			t.Errorf("%d: %v %v %v", i, m, adopted, err)
		}
		if last, ok, err := s.Adopted(ctx); !ok || err != nil || !cmp.Equal(last, m) {
			t.Errorf("%d: the last is %v, want %v (%v)", i, last, m, err)
		}
	}
	if n := len(feedOf(t, s)); n != 8 {
		t.Errorf("%d markers", n)
	}
}

func TestTheFeedIsSwept(t *testing.T) { eachDatabase(t, theFeedIsSwept) }

func theFeedIsSwept(t *testing.T, b backend) {
	var c clock
	s := openClocked(t, b.fresh(t), &c)
	for day := range 5 {
		if _, _, err := s.AdoptRun(ctx, fmt.Sprint(day), int64(day+1)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AppendFeed(ctx, []FeedEvent{{Kind: "x", Identity: "i"}, {Kind: "y"}}); err != nil {
			t.Fatal(err)
		}
		c.advance(24 * time.Hour)
	}
	if list, err := s.Feed(ctx, 3, 2); err != nil || len(list) != 2 || list[0].Seq != 4 || list[1].Seq != 5 {
		t.Errorf("%v %v", list, err)
	}
	removed, err := s.SweepFeed(ctx, at("2026-11-26T02:00:00Z")())
	if err != nil || removed != 4 {
		t.Errorf("removed %d, want those of two days (%v)", removed, err)
	}
	_, err = s.Feed(ctx, 5, 10)
	if gone, ok := errors.AsType[*GoneError](err); !ok || gone.Floor != 6 {
		t.Errorf("got %v", err)
	}
	if list, err := s.Feed(ctx, 6, 10); err != nil || len(list) != 9 {
		t.Errorf("%d events (%v)", len(list), err)
	}
	if _, adopted, err := s.AdoptRun(ctx, "0", 1); err != nil || !adopted {
		t.Errorf("%v %v", adopted, err)
	}
	if removed, err := s.SweepFeed(ctx, c.now().Add(time.Hour)); err != nil || removed != 6 {
		t.Errorf("removed %d (%v)", removed, err)
	}
	if last, err := s.AppendFeed(ctx, []FeedEvent{{Kind: "x"}}); err != nil || last != 17 {
		t.Errorf("number %d (%v)", last, err)
	}
	if head, err := s.FeedHead(ctx); err != nil || head != 17 {
		t.Errorf("head %d (%v)", head, err)
	}
}

// TestReadersMissNothing follows the feed while several handles append to it:
// whoever goes on after the last number seen sees every number once.
func TestReadersMissNothing(t *testing.T) { eachDatabase(t, readersMissNothing) }

func readersMissNothing(t *testing.T, b backend) {
	location := b.fresh(t)
	const writers, calls = 4, 40
	s := mustOpen(t, location)
	var writing sync.WaitGroup
	for w := range writers {
		own := mustOpen(t, location)
		for k := range 2 {
			writing.Go(func() {
				for i := range calls {
					feed := []FeedEvent{{Kind: "x", Identity: fmt.Sprintf("%d-%d-%d", w, k, i)}, {Kind: "y"}}
					var err error
					if i%2 == 0 {
						_, err = own.AppendFeed(ctx, feed)
					} else {
						_, _, err = own.Decide(ctx, Decision{Kind: Same, A: key("crm", feed[0].Identity), B: key("shop", "1"), By: "kim"}, feed...)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	var seen int64
	next := make(map[string]int)
	for seen < writers*2*calls*2 && !t.Failed() {
		list, err := s.Feed(ctx, seen, 17)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if seen++; e.Seq != seen {
				t.Fatalf("number %d comes after %d", e.Seq, seen-1)
			}
			if w, i, ok := cutLast(e.Identity); ok {
				if next[w] != i {
					t.Fatalf("event %d of %s comes in place of %d", i, w, next[w])
				}
				next[w]++
			}
		}
	}
	writing.Wait()
}

func cutLast(text string) (string, int, bool) {
	i := strings.LastIndexByte(text, '-')
	if i < 0 {
		return "", 0, false
	}
	var n int
	_, err := fmt.Sscan(text[i+1:], &n)
	return text[:i], n, err == nil
}

func TestConsentsAreKeptInOrder(t *testing.T) { eachDatabase(t, consentsAreKeptInOrder) }

func consentsAreKeptInOrder(t *testing.T, b backend) {
	s := b.open(t)
	var all []ConsentEvent
	rapid.Check(t, func(t *rapid.T) {
		if len(all) > 300 {
			return
		}
		anchors := rapid.SampledFrom([]string{"record:crm:1", "record:crm:Z", "record:crm:a", "record:crm:ä", "record:crm:-", "record:crm:10", "contact:email:ab", "account:v", "account:w"})
		var events []ConsentEvent
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			e := ConsentEvent{Anchor: anchors.Draw(t, "anchor"), Purpose: "mailing", Channel: "email", Controller: "shop", Act: "grant", At: time.UnixMicro(rapid.Int64Range(0, 1e16).Draw(t, "at")).UTC(),
				Source: "page", Authenticated: "account", TextVersion: "3", Receipt: "r"}
			if rapid.Bool().Draw(t, "expires") {
				e.Expires = e.At.Add(time.Hour)
			}
			events = append(events, e)
		}
		done, err := s.AddConsents(ctx, events, Also{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range events {
			events[i].ID, events[i].Recorded = done.Numbers[i], s.opt.Now()
		}
		all = append(all, events...)
		some := rapid.SliceOf(anchors).Draw(t, "some")
		got, err := s.ConsentsOf(ctx, some)
		want := slices.DeleteFunc(slices.Clone(all), func(e ConsentEvent) bool { return !slices.Contains(some, e.Anchor) })
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v\n%s", err, cmp.Diff(want, got))
		}
	})
	for i, e := range all {
		if e.ID != int64(i+1) {
			t.Fatalf("event %d has id %d", i+1, e.ID)
		}
	}
	if got, err := s.ConsentsAfter(ctx, 5, 7); err != nil || !slices.Equal(got, all[5:12]) {
		t.Errorf("%v\n%s", err, cmp.Diff(all[5:12], got))
	}
	slices.SortStableFunc(all, func(a, b ConsentEvent) int { return strings.Compare(a.Anchor, b.Anchor) })
	var got []ConsentEvent
	for e, err := range s.ConsentsByAnchor(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if !slices.Equal(got, all) {
		t.Error(cmp.Diff(all, got))
	}
	var many []string
	for i := range 3 * anchorsAtOnce {
		many = append(many, fmt.Sprintf("record:crm:%d", i))
	}
	want := slices.DeleteFunc(all, func(e ConsentEvent) bool { return !slices.Contains(many, e.Anchor) })
	slices.SortFunc(want, func(a, b ConsentEvent) int { return int(a.ID - b.ID) })
	if got, err := s.ConsentsOf(ctx, many); err != nil || len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("of many anchors: %v\n%s", err, cmp.Diff(want, got))
	}
	for _, wrong := range []ConsentEvent{{Act: "grant"}, {Anchor: "record", Act: "grant"}, {Anchor: "record:crm:1"}, {Anchor: "erased:record:1:ab", Act: "grant"}} {
		if _, err := s.AddConsents(ctx, []ConsentEvent{wrong}, Also{}); err == nil {
			t.Errorf("recorded %v", wrong)
		}
	}
}

func request(client, key, body string, identities ...string) *Request {
	r := &Request{Client: client, Key: key, Identities: identities, Answer: func(n []int64) (int, []byte) { return 201, fmt.Appendf(nil, `{"numbers":%d}`, n) }}
	copy(r.Digest[:], body)
	return r
}

func TestARequestIsDoneOnce(t *testing.T) { eachDatabase(t, aRequestIsDoneOnce) }

func aRequestIsDoneOnce(t *testing.T, b backend) {
	var c clock
	s := openClocked(t, b.fresh(t), &c)
	put := func(client, key, body string) (Done, error) {
		return s.PutRecords(ctx, online(2, 0), Also{Request: request(client, key, body), Feed: []FeedEvent{{Kind: "x"}}})
	}
	first, err := put("shop", "k", "a")
	if err != nil || first.Replayed || first.Status != 201 || string(first.Body) != `{"numbers":[1 2]}` {
		t.Fatalf("%v %v", first, err)
	}
	again, err := put("shop", "k", "a")
	if err != nil || !again.Replayed || again.Status != 201 || !bytes.Equal(again.Body, first.Body) {
		t.Errorf("%v %v", again, err)
	}
	if known, ok, err := s.Answered(ctx, request("shop", "k", "a")); !ok || err != nil || !cmp.Equal(known, again) {
		t.Errorf("%v %v %v", known, ok, err)
	}
	if _, ok, err := s.Answered(ctx, request("shop", "new", "a")); ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	_, err = put("shop", "k", "b")
	if _, ok := errors.AsType[*KeyUsedError](err); !ok {
		t.Errorf("got %v", err)
	}
	if other, err := put("garage", "k", "b"); err != nil || other.Replayed {
		t.Errorf("another client's key: %v %v", other, err)
	}
	if n, m := len(onlineAfter(t, s, 0)), len(feedOf(t, s)); n != 4 || m != 2 {
		t.Errorf("%d records, %d events", n, m)
	}
	c.advance(keepAnswers)
	if later, err := put("shop", "k", "b"); err != nil || later.Replayed {
		t.Errorf("%v %v", later, err)
	}
	if n, err := s.SweepAnswers(ctx); err != nil || n != 1 {
		t.Errorf("swept %d (%v)", n, err)
	}
	all := everything(t, s)
	if len(all["answers"]) != 1 || len(all["answer_subjects"]) != 4 {
		t.Errorf("left %q %q", all["answers"], all["answer_subjects"])
	}
}

func TestManyAnswersAreSwept(t *testing.T) { eachDatabase(t, manyAnswersAreSwept) }

func manyAnswersAreSwept(t *testing.T, b backend) {
	var c clock
	s := openClocked(t, b.fresh(t), &c)
	const expired = 2*sweptAtOnce + 1
	err := s.transact(ctx, "filling", func(t *txn) error {
		err := t.insert("answers", "client, key, request, status, body, made, expires", "", expired, func(i int, args []any) []any {
			return append(args, fmt.Sprintf("shop-%d", i%3), fmt.Sprintf("k%d", i), []byte{1}, 200, []byte("{}"), 0, t.now.UnixMicro()-int64(i/7))
		})
		if err != nil {
			return err
		}
		return t.insert("answer_subjects", "subject, client, key", "", 2*expired, func(i int, args []any) []any {
			return append(args, fmt.Sprintf("identity:%d", i%2), fmt.Sprintf("shop-%d", i/2%3), fmt.Sprintf("k%d", i/2))
		})
	})
	if err == nil {
		_, err = s.PutRecords(ctx, online(1, 0), Also{Request: request("shop-0", "kept", "a", "0")})
	}
	if err != nil {
		t.Fatal(err)
	}
	commits := 0
	s.fault = func(step string) {
		if step == "commit" {
			commits++
		}
	}
	n, err := s.SweepAnswers(ctx)
	if all := everything(t, s); err != nil || n != expired || commits != 3 || len(all["answers"]) != 1 || len(all["answer_subjects"]) != 3 {
		t.Errorf("swept %d in %d transactions (%v), left %d answers, %q", n, commits, err, len(all["answers"]), all["answer_subjects"])
	}
}

// TestBigTablesAreNotReadThrough asks SQLite how it would go about what is asked
// while all writers wait, or a person does. The tables grow with the requests of
// a day.
func TestBigTablesAreNotReadThrough(t *testing.T) {
	s := file.open(t)
	for query, args := range map[string][]any{
		blankAnswers: {"record:crm:1", []byte{}, int64(StatusErased), []byte{}}, dropSubjects: {"record:crm:1"},
		sweptSubjects: {int64(1), int64(sweptAtOnce)}, expiredAnswers: {int64(1), int64(sweptAtOnce)}, newestMarker: nil,
		readsSQL(2): {int64(9), int64(9), "id-1", "id-2"}, jobsSQL(2): {int64(9), int64(9), []byte("id"), []byte("id-1")}, sweepParts: {int64(1), int64(sweptParts)},
	} {
		err := eachRow(ctx, s.read, func(rows *sql.Rows) error {
			var id, parent, unused int64
			var step string
			err := rows.Scan(&id, &parent, &unused, &step)
			if strings.HasPrefix(step, "SCAN") && step != "SCAN c" { // c are the rows that an index was asked for
				t.Errorf("%s\nreads all: %s", query, step)
			}
			return err
		}, "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestManyOfTheSameRequest(t *testing.T) { eachDatabase(t, manyOfTheSameRequest) }

func manyOfTheSameRequest(t *testing.T, b backend) {
	location := b.fresh(t)
	handles := []*Store{mustOpen(t, location), mustOpen(t, location)}
	var asking sync.WaitGroup
	answers := make(chan Done, 40)
	for i := range 40 {
		asking.Go(func() {
			done, err := handles[i%2].AddConsents(context.Background(), []ConsentEvent{{Anchor: "account:1", Act: "grant"}}, Also{Request: request("shop", "k", "a")})
			if err != nil {
				t.Error(err)
			}
			answers <- done
		})
	}
	asking.Wait()
	close(answers)
	fresh := 0
	for d := range answers {
		if !d.Replayed {
			fresh++
		}
		if string(d.Body) != `{"numbers":[1]}` {
			t.Errorf("answered %s", d.Body)
		}
	}
	if fresh != 1 {
		t.Errorf("done %d times", fresh)
	}
}
