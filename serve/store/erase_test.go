package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// randomness is random enough for a test, and the same every time.
func randomness(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func testKeys(t *testing.T) *Keys {
	t.Helper()
	k, err := CreateKeys(filepath.Join(t.TempDir(), "sama.keys"), randomness(1))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func openKeyed(t *testing.T, location string, k *Keys) *Store {
	t.Helper()
	s, err := Open(t.Context(), location, Options{Now: at("2026-11-24T02:00:00Z"), Keys: k})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// person is somebody with values that stand out in any file.
type person struct{ id, record, email, name string }

func somebody(i int) person {
	return person{fmt.Sprintf("id-%05d", i), fmt.Sprintf("Kxq%05dRecord", i), fmt.Sprintf("kxq%05d@example.org", i), fmt.Sprintf("Kxq%05dName", i)}
}

// fillWith enters persons in everything that the state keeps of them.
func fillWith(t *testing.T, s *Store, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		p := somebody(i)
		k := key("crm", p.record)
		r := request("shop", "key-"+fmt.Sprint(i), p.id, p.id)
		r.Answer = func([]int64) (int, []byte) { return 200, []byte(`{"email":"` + p.email + `"}`) }
		fields := fmt.Appendf(nil, `{"given_name":%q,"email":%q,"note":%q}`, p.name, p.email, strings.Repeat(p.name+" ", i%90))
		_, err := s.PutRecords(ctx, []OnlineRecord{{Key: k, Op: Put, Fields: fields, Client: "shop", Identity: p.id}, {Key: k, Op: Delete, Client: "shop", Identity: p.id}},
			Also{Request: r, Feed: []FeedEvent{{Kind: "attached", Identity: p.id, Detail: []byte(`{"fields":["given_name"]}`)}}})
		if err == nil {
			_, err = s.AddConsents(ctx, []ConsentEvent{{Anchor: "record:" + k.String(), Purpose: "mailing", Act: "grant"}, {Anchor: "account:" + p.email, Act: "grant"}}, Also{Request: request("shop", "consent-"+fmt.Sprint(i), "")})
		}
		if err == nil {
			_, _, err = s.Decide(ctx, Decision{Kind: Same, A: k, B: key("crm", "Another"), Reason: "they are both " + p.name, By: "kim"})
		}
		if err == nil && i%2 == 0 {
			_, err = s.RevokePair(ctx, k, key("crm", "Another"), "lee", "not "+p.name)
		}
		if err == nil {
			err = s.AppendAccess(ctx, []Access{{Client: "shop", Purpose: "mailing", Identity: p.id, Fields: []string{"email"}, What: "read"}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func erase(t *testing.T, s *Store, p person) Erasure {
	t.Helper()
	e, clean, err := s.Erase(ctx, Erasure{Identities: []string{p.id}, Reason: "art-17", By: "desk", Uncaught: []string{"a record with a name and an address alone"}},
		Person{Marks: []Mark{{KindRecord, "crm:" + p.record}, {"email", p.email}}, Anchors: []string{"account:" + p.email}})
	if err != nil || !clean {
		t.Fatalf("clean %v: %v", clean, err)
	}
	return e
}

// traces returns what of somebody is in a text.
func (p person) traces(text []byte) (found []string) {
	for _, value := range []string{p.record, p.email, p.name} {
		if bytes.Contains(text, []byte(value)) {
			found = append(found, value)
		}
	}
	return found
}

func TestAnErasureLeavesNothing(t *testing.T) { eachDatabase(t, anErasureLeavesNothing) }

func anErasureLeavesNothing(t *testing.T, b backend) {
	location := b.fresh(t)
	s := openKeyed(t, location, testKeys(t))
	const persons = 120
	fillWith(t, s, 0, persons)
	before := everything(t, s)
	order := rand.New(rand.NewPCG(1, 2)).Perm(persons)
	gone := order[:persons/2]
	for _, i := range gone {
		e := erase(t, s, somebody(i))
		want := Erased{Tombstones: 2, Online: 2, Consents: 2, Answers: 2, Decisions: int64(i % 2)}
		if e.Counts != want {
			t.Fatalf("person %d: %+v, want %+v", i, e.Counts, want)
		}
		if b.name == file.name {
			for _, name := range filesOf(t, location) {
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if found := somebody(i).traces(text); found != nil {
					t.Fatalf("person %d: %s has %v", i, name, found)
				}
			}
		}
	}
	after := everything(t, s)
	for i := range persons {
		for name, rows := range after {
			found := somebody(i).traces([]byte(strings.Join(rows, "\n")))
			if slices.Contains(gone, i) && found != nil {
				t.Errorf("table %s has %v", name, found)
			}
		}
	}
	for name, less := range map[string]int{"online_records": 2 * len(gone), "answers": 0, "consents": 0, "decisions": 0, "access_log": 0} {
		if len(after[name]) != len(before[name])-less {
			t.Errorf("table %s has %d rows, had %d, want %d less", name, len(after[name]), len(before[name]), less)
		}
	}
	for i := range persons {
		if !slices.Contains(gone, i) && len(somebody(i).traces([]byte(strings.Join(after["online_records"], "\n")))) != 3 {
			t.Errorf("person %d is gone too", i)
		}
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
	if _, err := s.VerifyAccess(ctx); err != nil {
		t.Error(err)
	}
	wantList(t, s, len(gone))
}

func filesOf(t *testing.T, location string) []string {
	t.Helper()
	names, err := filepath.Glob(location + "*")
	if err != nil || len(names) < 2 {
		t.Fatal(names, err)
	}
	return names
}

// wantList looks at what an erasure leaves on purpose.
func wantList(t *testing.T, s *Store, n int) {
	t.Helper()
	list, err := s.Erasures(ctx, 0)
	if err != nil || len(list) != n || list[0].By != "desk" || len(list[0].Uncaught) != 1 || list[0].Counts.Online != 2 {
		t.Errorf("%v %v", list, err)
	}
	erased := 0
	for _, e := range feedOf(t, s) {
		if e.Kind == FeedErased && e.Identity == list[erased].Identities[0] {
			erased++
		}
	}
	if erased != n {
		t.Errorf("%d erasures in the feed, want %d", erased, n)
	}
}

func TestAnAnswerAboutSomebodyErased(t *testing.T) { eachDatabase(t, anAnswerAboutSomebodyErased) }

func anAnswerAboutSomebodyErased(t *testing.T, b backend) {
	s := openKeyed(t, b.fresh(t), testKeys(t))
	fillWith(t, s, 0, 2)
	erase(t, s, somebody(1))
	for i, want := range []int{200, StatusErased} {
		done, err := s.PutRecords(ctx, online(1, 0), Also{Request: request("shop", "key-"+fmt.Sprint(i), somebody(i).id)})
		if err != nil || !done.Replayed || done.Status != want || (len(done.Body) == 0) != (want == StatusErased) {
			t.Errorf("person %d: %v %v, want status %d", i, done, err, want)
		}
	}
}

func TestASmallStateIsSmall(t *testing.T) { eachDatabase(t, aSmallStateIsSmall) }

// aSmallStateIsSmall makes a state large in one table that a scrub writes.
func aSmallStateIsSmall(t *testing.T, b backend) {
	s := b.open(t)
	small := func() bool {
		t.Helper()
		few, err := s.isSmall(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return few
	}
	if _, err := s.PutRecords(ctx, online(1, 0), Also{Request: request("shop", "k", "a", "id-1")}); err != nil {
		t.Fatal(err)
	}
	if !small() {
		t.Error("a state of three rows is not small")
	}
	identities := make([]string, smallState)
	for i := range identities {
		identities[i] = fmt.Sprintf("id-%d", i)
	}
	if _, err := s.PutRecords(ctx, online(1, 0), Also{Request: request("shop", "l", "a", identities...)}); err != nil {
		t.Fatal(err)
	}
	if small() {
		t.Errorf("a state that has answers about %d identities is small", smallState)
	}
}

func TestTombstonesAreKnownAgain(t *testing.T) { eachDatabase(t, tombstonesAreKnownAgain) }

func tombstonesAreKnownAgain(t *testing.T, b backend) {
	location := b.fresh(t)
	k := testKeys(t)
	s := openKeyed(t, location, k)
	erase(t, s, somebody(1))
	next, err := k.Rotate(randomness(2))
	if err != nil {
		t.Fatal(err)
	}
	s = openKeyed(t, location, next)
	erase(t, s, somebody(2))
	has := func(s *Store, kind, value string) bool {
		t.Helper()
		set, err := s.Tombstones(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return set.Matcher(kind).Erased(value)
	}
	for i, want := range []bool{false, true, true, false} {
		p := somebody(i)
		if has(s, "email", p.email) != want || has(s, KindRecord, "crm:"+p.record) != want || has(s, "phone", p.email) || has(s, "email", p.record) {
			t.Errorf("person %d: want %v", i, want)
		}
	}
	if in, err := s.KeysInUse(ctx); err != nil || !slices.Equal(in, []int64{1, 2}) {
		t.Errorf("keys %v in use (%v)", in, err)
	}
	set, err := s.Tombstones(ctx)
	if err != nil || set.Len() != 4 || !slices.Equal(set.Kinds(), []string{"email", "record"}) {
		t.Errorf("%d tombstones of %v (%v)", set.Len(), set.Kinds(), err)
	}
	if n, err := s.Lift(ctx, []Mark{{"email", somebody(1).email}, {"email", somebody(3).email}}, "account", FeedEvent{Kind: "lifted"}); err != nil || n != 1 {
		t.Errorf("lifted %d (%v)", n, err)
	}
	if has(s, "email", somebody(1).email) || !has(s, KindRecord, "crm:"+somebody(1).record) {
		t.Error("the wrong tombstone was lifted")
	}
	erase(t, s, somebody(1)) // once more
	if !has(s, "email", somebody(1).email) {
		t.Error("an erasure after a return does not hold")
	}
	if n, err := s.SweepTombstones(ctx, s.opt.Now().Add(time.Second)); err != nil || n != 6 {
		t.Errorf("swept %d (%v)", n, err)
	}
	if in, err := s.KeysInUse(ctx); err != nil || len(in) != 0 {
		t.Errorf("keys %v in use (%v)", in, err)
	}
}

// TestAManyTombstoneSet compares with a plain map.
func TestAManyTombstoneSet(t *testing.T) {
	k := testKeys(t)
	h := k.Hasher()
	set := &TombstoneSet{keys: k, kinds: make(map[string][]versionSet)}
	in := make(map[string]bool)
	for i := range 20_000 {
		value := fmt.Sprint(i * 7 % 65537)
		set.add("phone", 1, h.Digest("phone", value))
		in[value] = true
	}
	set.kinds["phone"][0].sort()
	m := set.Matcher("phone")
	for i := range 65537 {
		if value := fmt.Sprint(i); m.Erased(value) != in[value] {
			t.Fatalf("%s: want %v", value, in[value])
		}
	}
	if n := testing.AllocsPerRun(100, func() { m.Erased("0401234567") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestDigests compares with the textbook's HMAC.
func TestDigests(t *testing.T) {
	k := testKeys(t)
	for range 2 {
		for _, x := range k.list {
			mac := hmac.New(sha256.New, x.secret[:])
			mac.Write([]byte("email\x00kim@example.org"))
			want := mac.Sum(nil)
			if got := x.hasher().Digest("email", "kim@example.org"); !bytes.Equal(got[:], want) {
				t.Errorf("key %d: %s, want %x", x.version, got, want)
			}
		}
		var err error
		if k, err = k.Rotate(randomness(9)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOtherKeysAreRefusedLoudly(t *testing.T) { eachDatabase(t, otherKeysAreRefusedLoudly) }

func otherKeysAreRefusedLoudly(t *testing.T, b backend) {
	location := b.fresh(t)
	k := testKeys(t)
	s := openKeyed(t, location, k)
	erase(t, s, somebody(1))
	other, err := CreateKeys(filepath.Join(t.TempDir(), "other.keys"), randomness(7))
	if err != nil {
		t.Fatal(err)
	}
	for why, keys := range map[string]*Keys{"has another key of that number": other, "does not have it": {path: "x", list: []secretKey{{version: 2}}}} {
		_, err := Open(ctx, location, Options{Keys: keys})
		wrong, ok := errors.AsType[*KeysError](err)
		if !ok || wrong.Version != 1 || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want that it %s", err, why)
		}
	}
	without := mustOpen(t, location)
	_, err = without.Tombstones(ctx)
	if wrong, ok := errors.AsType[*KeysError](err); !ok || wrong.Version != 1 {
		t.Errorf("got %v", err)
	}
	if _, _, err := without.Erase(ctx, Erasure{By: "x"}, Person{Anchors: []string{"account:1"}}); !errors.Is(err, ErrNoKeys) {
		t.Errorf("got %v", err)
	}
	if _, err := without.Lift(ctx, nil, "x"); !errors.Is(err, ErrNoKeys) {
		t.Errorf("got %v", err)
	}
	// Consents of contact points need the key too; a state that needs none takes
	// any.
	contacts := b.fresh(t)
	for i, keys := range []*Keys{k, other, k} {
		s, err := Open(ctx, contacts, Options{Keys: keys})
		if err != nil {
			t.Fatalf("keys %d: %v", i, err)
		}
		if i == 2 {
			if _, err := s.AddConsents(ctx, []ConsentEvent{{Anchor: "contact:email:ab", Act: "deny"}}, Also{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Open(ctx, contacts, Options{Keys: other})
	if wrong, ok := errors.AsType[*KeysError](err); !ok || wrong.Version != 1 {
		t.Errorf("got %v", err)
	}
	empty := b.open(t)
	if set, err := empty.Tombstones(ctx); err != nil || set.Len() != 0 || set.Matcher("email").Erased("x") {
		t.Errorf("%v %v", set, err)
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sama.keys")
	if _, err := LoadKeys(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	k, err := CreateKeys(path, randomness(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateKeys(path, randomness(2)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	for range 2 {
		if k, err = k.Rotate(randomness(byte(k.Newest() + 1))); err != nil {
			t.Fatal(err)
		}
	}
	if k, err = k.Drop(2); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Drop(3); err == nil {
		t.Error("the newest was dropped")
	}
	again, err := LoadKeys(path)
	if err != nil || !cmp.Equal(again.list, k.list, cmp.AllowUnexported(secretKey{})) || !slices.Equal(again.Versions(), []int64{1, 3}) {
		t.Errorf("%v %v", again, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(good), "\n")
	for what, text := range map[string]string{
		"empty": "", "headless": lines[1], "no keys": lines[0], "cut": string(good[:len(good)-9]), "unended": string(good[:len(good)-1]),
		"doubled": lines[0] + lines[1] + lines[1], "backwards": lines[0] + lines[2] + lines[1], "of another version": strings.Replace(string(good), "keys 1", "keys 2", 1),
	} {
		writeFile(t, path, []byte(text))
		if _, err := LoadKeys(path); err == nil || !strings.Contains(err.Error(), "restore it from a copy") || strings.Contains(err.Error(), lines[1][2:20]) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	writeFile(t, path, good)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKeys(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
}

// TestAReaderInTheWayOfAScrub reads while somebody is erased.
func TestAReaderInTheWayOfAScrub(t *testing.T) {
	location := file.fresh(t)
	k := testKeys(t)
	s, err := Open(ctx, location, Options{Wait: time.Millisecond, Keys: k})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fillWith(t, s, 0, 3)
	tx, err := s.read.Begin()
	if err == nil {
		_, err = readDecisions(ctx, tx, selectDecisions)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, clean, err := s.Erase(ctx, Erasure{By: "desk"}, Person{Marks: []Mark{{KindRecord, "crm:" + somebody(1).record}}})
	if err != nil || clean {
		t.Errorf("clean %v, %v", clean, err)
	}
	if due, err := s.ScrubDue(ctx); err != nil || !due {
		t.Errorf("due %v, %v", due, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if clean, err := s.Scrub(ctx); err != nil || !clean {
		t.Errorf("clean %v, %v", clean, err)
	}
	if due, err := s.ScrubDue(ctx); err != nil || due {
		t.Errorf("due %v, %v", due, err)
	}
	for _, name := range filesOf(t, location) {
		if text, err := os.ReadFile(name); err != nil || slices.Contains(somebody(1).traces(text), somebody(1).name) {
			t.Errorf("%s: %v (%v)", name, somebody(1).traces(text), err)
		}
	}
}

func TestWhatIsNoErasureIsRefused(t *testing.T) {
	s := openKeyed(t, file.fresh(t), testKeys(t))
	for want, c := range map[string]struct {
		e Erasure
		p Person
	}{
		"nobody is named":          {Erasure{}, Person{Anchors: []string{"account:1"}}},
		"want whom to erase":       {Erasure{By: "x"}, Person{}},
		"want a kind":              {Erasure{By: "x"}, Person{Marks: []Mark{{"E-Mail", "x"}}}},
		"mark 2: want a value":     {Erasure{By: "x"}, Person{Marks: []Mark{{"email", "x"}, {"email", ""}}}},
		"want the key of a record": {Erasure{By: "x"}, Person{Marks: []Mark{{"record", "x"}}}},
		"an anchor is empty":       {Erasure{By: "x"}, Person{Anchors: []string{""}}},
		"said by AdoptRun":         {Erasure{By: "x"}, Person{Anchors: []string{"account:1"}, Feed: []FeedEvent{{Kind: FeedRun}}}},
		"want UTF-8 text":          {Erasure{By: "x", Reason: "\xff"}, Person{Anchors: []string{"account:1"}}},
	} {
		if _, _, err := s.Erase(ctx, c.e, c.p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
