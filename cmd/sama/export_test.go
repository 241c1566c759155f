package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/record"
	"sama/run"
	"sama/run/index"
	"sama/serve"
	"sama/serve/consent"
	"sama/serve/store"

	"github.com/google/go-cmp/cmp"
)

// exportWorld is a resolved output directory with a state, and what is served of
// it.
type exportWorld struct {
	dir    string
	keys   *store.Keys
	state  *store.Store
	secret string
}

// newExportWorld resolves the small silos and makes two purposes and a client.
func newExportWorld(t *testing.T) *exportWorld {
	t.Helper()
	w := &exportWorld{dir: filepath.Join(t.TempDir(), "out")}
	mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--out", w.dir}, peopleFiles(t)...)...)
	keys, err := (&serving{cli: &cli{}, options: options{out: w.dir}}).openKeys()
	if err != nil {
		t.Fatal(err)
	}
	w.keys = keys
	if w.state, err = store.Open(t.Context(), filepath.Join(w.dir, stateName), store.Options{Keys: keys}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.state.Close() })
	for _, p := range []consent.Purpose{
		{ID: "newsletter", Title: "Newsletter", Controller: "us", Basis: consent.BasisConsent, TextVersion: "1", Channels: []consent.Channel{"email", "sms"}, Fields: []string{"*"}, DirectMarketing: true},
		{ID: "service", Title: "Service", Controller: "us", Basis: consent.BasisLegitimateInterest, TextVersion: "1", Fields: []string{"given_name", "family_name", "city", "email"}},
	} {
		body, err := json.Marshal(&p)
		if err == nil {
			_, err = w.state.PutPurpose(t.Context(), p.ID, body, "kim")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, w.secret, err = w.state.AddClient(t.Context(), "mailer", []store.Role{store.RoleRead}, []string{"newsletter", "service"}, []string{"*"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// index opens the index of the current run.
func (w *exportWorld) index(t *testing.T) *index.Index {
	t.Helper()
	r, err := run.Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.Index()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// say draws what persons said, at their records and at their contact points.
func (w *exportWorld) say(t *testing.T, x *index.Index, rng *rand.Rand) {
	t.Helper()
	var events []store.ConsentEvent
	hasher := w.keys.Hasher()
	for range 2 * x.Identities() {
		r := uint32(rng.IntN(x.Records()))
		key := x.Key(r)
		anchor := consent.OfRecord(key.Source, key.ID)
		if rng.IntN(2) == 0 {
			for c, info := range x.Columns() {
				if f := info.Field; (f == record.Email || f == record.Phone) && x.Code(c, r) > 0 {
					anchor = consent.OfContact(consent.Contact{Kind: f.String(), Digest: hasher.Digest(f.String(), x.Normal(c, x.Code(c, r))).String()})
				}
			}
		}
		acts := []consent.Act{consent.ActGrant, consent.ActGrant, consent.ActGrant, consent.ActWithdraw, consent.ActDeny, consent.ActObject, consent.ActLift, consent.ActRestrict}
		events = append(events, store.ConsentEvent{
			Anchor: anchor.String(), Act: acts[rng.IntN(len(acts))].String(), Purpose: []string{"newsletter", "newsletter", "service"}[rng.IntN(3)],
			Channel: []string{"", "email", "sms"}[rng.IntN(3)], Controller: "us", At: time.Now().Add(-time.Duration(rng.IntN(1000)+1) * time.Minute),
			Source: "page", Authenticated: []string{"import", "staff", "account"}[rng.IntN(3)],
		})
	}
	if _, err := w.state.AddConsents(t.Context(), events, store.Also{}); err != nil {
		t.Fatal(err)
	}
}

// served starts the server of the current run.
func (w *exportWorld) served(t *testing.T) *serve.Server {
	t.Helper()
	s := &serving{cli: &cli{now: time.Now}, options: options{out: w.dir}}
	decided, err := serve.NewDecided(t.Context(), w.state)
	if err != nil {
		t.Fatal(err)
	}
	live := &serve.Live[serve.Engine]{
		Current: func() string { return run.CurrentID(w.dir) }, Log: slog.New(slog.DiscardHandler),
		Open: func(ctx context.Context, id string) (serve.Engine, error) { return s.open(ctx, id, w.state, decided) },
	}
	t.Cleanup(live.Close)
	server, err := serve.New(serve.Options{Run: live, Store: w.state, Keys: w.keys, Decided: decided, Rate: -1})
	if err == nil {
		err = server.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// ask asks the API for the golden record of an identity; nil if there is none.
func (w *exportWorld) ask(t *testing.T, s *serve.Server, id, purpose string) map[string]string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/v1/profiles/"+id, nil)
	r.Header.Set("Authorization", "Bearer "+w.secret)
	r.Header.Set("Sama-Purpose", purpose)
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	if answer.Code == http.StatusNotFound || answer.Code == http.StatusGone {
		return nil
	}
	var profile struct {
		Golden  map[string]string `json:"golden"`
		AliasOf string            `json:"alias_of"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &profile); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", id, answer.Code, answer.Body)
	}
	if profile.AliasOf != "" {
		return nil
	}
	return profile.Golden
}

// exported runs sama export and returns the rows by id, without what is empty.
func (w *exportWorld) exported(t *testing.T, args ...string) map[string]map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.csv")
	mustRun(t, exitDone, append([]string{"export", w.dir, "--client", "mailer", "--quiet", "--out", path}, args...)...)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(rows[1:], func(a, b []string) int { return strings.Compare(a[0], b[0]) }) {
		t.Error("the rows are not in the order of ids")
	}
	all := make(map[string]map[string]string)
	for _, row := range rows[1:] {
		values := make(map[string]string)
		for c, v := range row[1:] {
			if v != "" {
				values[rows[0][c+1]] = v
			}
		}
		all[row[0]] = values
	}
	return all
}

// TestExportIsWhatTheAPIReleases compares an export with what the API answers of
// everybody, records that came online and an erasure among them.
func TestExportIsWhatTheAPIReleases(t *testing.T) {
	w := newExportWorld(t)
	x := w.index(t)
	rng := rand.New(rand.NewPCG(3, 9))
	w.say(t, x, rng)
	_, _, service := openService(t, w.dir)
	ids := make(map[string]bool)
	for i := range uint32(x.Identities()) {
		ids[x.IdentityID(i)] = true
	}
	for i := range 20 {
		// A record of somebody comes with other names, and a new one with an e-mail
		// address that somebody has.
		r := uint32(rng.IntN(x.Records()))
		now := send(t, service, w.state, x.Key(r), map[string]string{"first_names": fmt.Sprint("Anna", i), "full_name": "Anna Online", "email": fmt.Sprintf("anna%d@online.example", i)})
		ids[now] = true
		ids[send(t, service, w.state, record.Key{Source: "garage", ID: fmt.Sprint("G", i)},
			map[string]string{"given_name": "Zacharias", "family_name": fmt.Sprint("Qvist", i), "email": fmt.Sprintf("zq%d@online.example", i%15)})] = true
	}
	if _, err := w.state.AddConsents(t.Context(), []store.ConsentEvent{{Anchor: "record:garage:G3", Act: "grant", Purpose: "newsletter", Channel: "email", Controller: "us",
		At: time.Now().Add(-time.Minute), Source: "page", Authenticated: "strong"}}, store.Also{}); err != nil {
		t.Fatal(err)
	}
	var erased []string
	for i := range uint32(3) {
		var person store.Person
		for _, r := range x.Members(i) {
			person.Marks = append(person.Marks, store.Mark{Kind: store.KindRecord, Value: x.Key(r).String()})
		}
		erased = append(erased, x.IdentityID(i))
		if _, _, err := w.state.Erase(t.Context(), store.Erasure{Identities: erased[i:], By: "kim"}, person); err != nil {
			t.Fatal(err)
		}
	}
	server := w.served(t)
	for _, purpose := range []string{"newsletter", "service"} {
		got := w.exported(t, "--purpose", purpose)
		want := make(map[string]map[string]string)
		for id := range ids {
			if golden := w.ask(t, server, id, purpose); len(golden) > 0 && !slices.Contains(erased, id) {
				want[id] = golden
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -the API +the export\n%s", purpose, diff)
		}
		for _, id := range erased {
			if got[id] != nil {
				t.Errorf("%s was erased and is exported", id)
			}
		}
		t.Logf("%s: %d of %d persons", purpose, len(got), len(ids))
		byEmail := w.exported(t, "--purpose", "newsletter", "--channel", "email", "--fields", "given_name")
		for id, values := range byEmail {
			if values["email"] == "" || values["phone"] != "" || values["family_name"] != "" {
				t.Errorf("%s: %v", id, slices.Sorted(maps.Keys(values)))
			}
		}
	}
	if v, err := w.state.VerifyAccess(t.Context()); err != nil || v.Rows == 0 {
		t.Errorf("%+v %v", v, err)
	}
}

// TestExportObeysTheColumnsOfTheExports withdraws by a column of a silo.
func TestExportObeysTheColumnsOfTheExports(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	file := filepath.Join(dir, "shop.csv")
	writeFile(t, file, "record_id,given_name,family_name,email,newsletter\n"+
		"1,Anna,Virtanen,anna@example.fi,yes\n2,Bo,Ek,bo@example.fi,no\n3,Cecilia,Lind,cecilia@example.fi,\n4,David,Berg,david@example.fi,yes\n")
	mustRun(t, exitDone, "resolve", "--quiet", "--out", out, file)
	mustRun(t, exitDone, "purpose", "add", "marketing", "--title", "Marketing", "--controller", "us", "--basis", "consent", "--channels", "email",
		"--fields", "given_name,email", "--text-version", "1", "--by", "kim", "--out", out)
	mustRun(t, exitDone, "client", "add", "mailer", "--roles", "read", "--purposes", "marketing", "--fields", "*", "--out", out)
	w := &exportWorld{dir: out}
	names := func() (list []string) {
		for _, values := range w.exported(t, "--purpose", "marketing", "--channel", "email") {
			list = append(list, values["given_name"])
		}
		slices.Sort(list)
		return list
	}
	if got, want := names(), []string{"Anna", "David"}; !slices.Equal(got, want) {
		t.Errorf("%v want the newsletter, %v get it", want, got)
	}
	s, err := store.Open(t.Context(), filepath.Join(out, stateName), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, said := range []struct{ id, act string }{{"1", "withdraw"}, {"3", "grant"}} {
		e := store.ConsentEvent{Anchor: "record:shop:" + said.id, Act: said.act, Purpose: "marketing", Channel: "email", Controller: "us", Source: "page", Authenticated: "account"}
		if _, err := s.AddConsents(t.Context(), []store.ConsentEvent{e}, store.Also{}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := names(), []string{"Cecilia", "David"}; !slices.Equal(got, want) {
		t.Errorf("%v want the newsletter, %v get it", want, got)
	}
}

func TestExportIsRefusedAsWrongUsage(t *testing.T) {
	w := newExportWorld(t)
	file := filepath.Join(w.dir, "no.csv")
	for _, c := range []struct {
		args []string
		want string // on stderr
	}{
		{[]string{"--purpose", "service", "--client", "nobody"}, "there is no client nobody; there are mailer"},
		{[]string{"--purpose", "nothing", "--client", "mailer"}, "there is no purpose nothing that client mailer could name"},
		{[]string{"--purpose", "service", "--client", "mailer", "--fields", "phone"}, "Field phone is withheld: the purpose does not need it"},
		{[]string{"--purpose", "service", "--client", "mailer", "--fields", "city,shoe_size"}, "the run has no field shoe_size; it has "},
		{[]string{"--purpose", "service", "--client", "mailer", "--fields", "shoe_size", "--dry-run"}, "client mailer may have given_name, family_name, "},
		{[]string{"--purpose", "service", "--client", "mailer", "--fields", ""}, "no field is named"},
		{[]string{"--purpose", "newsletter", "--client", "mailer", "--channel", "post"}, "purpose newsletter does not use channel post; it uses email, sms"},
		{[]string{"--client", "mailer"}, "Name a purpose with --purpose P"},
		{[]string{"--purpose", "service"}, "Name a client with --client C"},
		{[]string{"--purpose", "service", "--client", "mailer", "--out", filepath.Join(w.dir, "no.xlsx")}, "want a name that ends in .parquet"},
	} {
		stdout, stderr := mustRun(t, exitUsage, append([]string{"export", w.dir, "--out", file}, c.args...)...)
		if stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: stdout %q, stderr %q, want %q", c.args, stdout, stderr, c.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "no.*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if v, err := w.state.VerifyAccess(t.Context()); err != nil || v.Rows != 0 {
		t.Errorf("%+v %v", v, err)
	}
}
