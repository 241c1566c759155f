package extract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/record"
	"sama/serve/consent"
	"sama/serve/store"

	"github.com/google/go-cmp/cmp"
)

// fixedWorld is a small world with a newsletter.
func fixedWorld(t testing.TB, persons int) *world {
	var keys []record.Key
	var rows [][]string
	var identity []uint32
	var ids []string
	for i := range persons {
		keys = append(keys, record.Key{Source: "crm", ID: fmt.Sprintf("%06d", i)})
		rows = append(rows, []string{"Anna, \"A\"", fmt.Sprintf("p%d@x.fi", i), "", fmt.Sprintf("+35840%06d", i), "010190-123A", "Åbo"})
		identity = append(identity, uint32(i))
		ids = append(ids, fmt.Sprintf("id%06d", i))
	}
	w := newWorld(t, t.TempDir(), keys, rows, identity, ids)
	t.Cleanup(w.close)
	w.putPurpose(t, &consent.Purpose{ID: "newsletter", Title: "Newsletter", Controller: "us", Basis: consent.BasisConsent, TextVersion: "1",
		Channels: []consent.Channel{"email"}, Fields: []string{"given_name", "email", "phone", "city"}, DirectMarketing: true})
	w.putPurpose(t, &consent.Purpose{ID: "law", Title: "The law", Controller: "us", Basis: consent.BasisLegalObligation, TextVersion: "1", Fields: []string{"*", "national_id"}})
	w.putPurpose(t, &consent.Purpose{ID: "other", Title: "Other", Controller: "us", Basis: consent.BasisContract, TextVersion: "1", Fields: []string{"*"}})
	if _, _, err := w.store.AddClient(context.Background(), "mailer", []store.Role{store.RoleRead}, []string{"newsletter", "law", "planned"}, []string{"given_name", "email", "phone", "birth_date"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.store.AddClient(context.Background(), "desk", []store.Role{store.RoleAdmin}, []string{"law"}, []string{"*"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// say adds an act of the person at a record.
func (w *world) say(t fatal, act consent.Act, purpose string, person int) {
	e := store.ConsentEvent{Anchor: consent.OfRecord("crm", fmt.Sprintf("%06d", person)).String(), Act: act.String(), Purpose: purpose, At: start.Add(-2 * time.Hour),
		Channel: "email", Controller: "us", Source: "page", Authenticated: "account"}
	if act != consent.ActGrant {
		e.Purpose, e.Channel = "", ""
	}
	if _, err := w.store.AddConsents(context.Background(), []store.ConsentEvent{e}, store.Also{}); err != nil {
		t.Fatal(err)
	}
}

func readCSV(t fatal, path string) [][]string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestRefusalsSayWhatIsAllowed(t *testing.T) {
	w := fixedWorld(t, 2)
	for _, c := range []struct {
		request Request
		want    string
	}{
		{Request{Client: "nobody", Purpose: "newsletter"}, "there is no client nobody; there are desk, mailer"},
		{Request{Client: "desk", Purpose: "law"}, "client desk does not have the role read, which an extract takes; it has admin"},
		{Request{Client: "mailer", Purpose: "planned"}, "there is no purpose planned that client mailer could name; it was granted law, newsletter"},
		{Request{Client: "mailer", Purpose: "other"}, "client mailer was not granted purpose other; it was granted law, newsletter"},
		{Request{Client: "mailer", Purpose: "newsletter", Channel: "sms"}, "purpose newsletter does not use channel sms; it uses email"},
		{Request{Client: "mailer", Purpose: "law", Channel: "post"}, "purpose law reaches nobody by any channel; ask without one"},
		{Request{Client: "mailer", Purpose: "newsletter", Fields: []string{"shoe_size", "city", "national_id"}},
			"the run has no field shoe_size; it has given_name, email, email_2, phone, national_id, city\nField city is withheld: the client was not granted the field\nField national_id is withheld: the client was not granted the field\nclient mailer may have given_name, email, email_2 for purpose newsletter"},
		{Request{Client: "mailer", Purpose: "newsletter", Fields: []string{"phone"}, Channel: "email"},
			"Field phone is withheld: it does not belong to the channel\nclient mailer may have given_name, email, email_2 for purpose newsletter and channel email"},
		{Request{Client: "mailer", Purpose: "newsletter", Fields: []string{}}, "no field is named; client mailer may have given_name, email, email_2 for purpose newsletter"},
	} {
		_, err := New(t.Context(), w.options(1), c.request)
		if _, ok := errors.AsType[*RefusedError](err); !ok || err.Error() != c.want {
			t.Errorf("%+v: %v\nwant %s", c.request, err, c.want)
		}
	}
	if err := w.store.RevokeClient(t.Context(), "mailer"); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), w.options(1), Request{Client: "mailer", Purpose: "law"}); err == nil || !strings.Contains(err.Error(), "was revoked") {
		t.Errorf("a revoked client: %v", err)
	}
	if _, err := FormatOf("people.xlsx"); err == nil {
		t.Error("a format that there is not")
	}
}

func TestTheAccessLogHasTheJob(t *testing.T) {
	w := fixedWorld(t, 5)
	for _, person := range []int{1, 3} {
		w.say(t, consent.ActGrant, "newsletter", person)
	}
	x, err := New(t.Context(), w.options(2), Request{Client: "mailer", Purpose: "newsletter", Channel: "email"})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := x.Count(t.Context()); err != nil || r.Persons != 2 || r.SHA256 != "" {
		t.Fatalf("%+v %v", r, err)
	}
	if head, err := w.store.AccessHead(t.Context()); err != nil || head.ID != 0 {
		t.Fatalf("counting is in the access log: %v %v", head, err)
	}
	path := filepath.Join(w.dir, "out.csv")
	r, err := x.Write(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := readCSV(t, path), [][]string{{"identity_id", "given_name", "email", "email_2"}, {"id000001", `Anna, "A"`, "p1@x.fi", ""}, {"id000003", `Anna, "A"`, "p3@x.fi", ""}}; !cmp.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	v, err := w.store.VerifyAccess(t.Context())
	if err != nil || v.Rows != 1 {
		t.Fatalf("%+v %v", v, err)
	}
	// The row is known by its hash, whose bytes are documented.
	var row []byte
	row = append(row, make([]byte, 32)...)
	for _, n := range []int64{1, start.UnixMicro(), 2} {
		row = binary.BigEndian.AppendUint64(row, uint64(n))
	}
	for _, text := range []string{"mailer", "", "newsletter", "", r.Job(), "given_name,email", "extract", "consent purpose:1 consents:2"} {
		row = append(binary.BigEndian.AppendUint64(row, uint64(len(text))), text...)
	}
	persons := sha256.Sum256([]byte("id000001\x00id000003\x00"))
	row = append(row, persons[:]...)
	if v.Head.Hash != sha256.Sum256(row) {
		t.Error("the row of the access log is not that of the extract")
	}
	// Whoever is in the file finds it, and nobody else.
	for i, want := range []int{0, 1, 0, 1, 0} {
		rows, err := w.store.AccessOf(t.Context(), []string{fmt.Sprintf("id%06d", i)}, 0, 9)
		if err != nil || len(rows) != want || want > 0 && (rows[0].Client != "mailer" || rows[0].Job != r.Job() || rows[0].Persons != 2) {
			t.Errorf("person %d: %v %v", i, rows, err)
		}
	}
	text, err := os.ReadFile(path)
	if sum := sha256.Sum256(text); err != nil || r.Job() != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Errorf("the job is %s, the file has %x", r.Job(), sum)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != r.Bytes || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, ".sama-extract-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestErasedAndRestrictedAreNeverThere(t *testing.T) {
	w := fixedWorld(t, 4)
	w.say(t, consent.ActRestrict, "", 1)
	w.say(t, consent.ActErase, "", 2)
	mark := store.Mark{Kind: store.KindRecord, Value: "crm:000003"}
	if _, _, err := w.store.Erase(t.Context(), store.Erasure{Identities: []string{"id000003"}, By: "kim"}, store.Person{Marks: []store.Mark{mark}}); err != nil {
		t.Fatal(err)
	}
	x, err := New(t.Context(), w.options(1), Request{Client: "mailer", Purpose: "law"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, "out.csv")
	r, err := x.Write(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got := readCSV(t, path); len(got) != 2 || got[1][0] != "id000000" {
		t.Errorf("got %q", got)
	}
	if want := []Count{{"erased", 2}, {"restricted", 1}}; !cmp.Equal(r.LeftOut, want) {
		t.Errorf("left out %v", r.LeftOut)
	}
	// Who came back by an act of their own is there again.
	if _, err := w.store.Lift(t.Context(), []store.Mark{mark}, "account"); err != nil {
		t.Fatal(err)
	}
	if r, err = x.Count(t.Context()); err != nil || r.Persons != 2 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestAnActAtARecordIsNotAboutWhatNamesNobody: about no contact point that others
// have as well.
func TestAnActAtARecordIsNotAboutWhatNamesNobody(t *testing.T) {
	w := newWorld(t, t.TempDir(), []record.Key{{Source: "crm", ID: "000000"}}, [][]string{{"Bo", generic, "bo@x.fi", "", "", ""}}, []uint32{0}, []string{"id0"})
	defer w.close()
	w.putPurpose(t, &consent.Purpose{ID: "newsletter", Title: "Newsletter", Controller: "us", Basis: consent.BasisConsent, TextVersion: "1",
		Channels: []consent.Channel{"email"}, Fields: []string{"*"}})
	if _, _, err := w.store.AddClient(t.Context(), "mailer", []store.Role{store.RoleRead}, []string{"newsletter"}, []string{"*"}); err != nil {
		t.Fatal(err)
	}
	w.say(t, consent.ActGrant, "newsletter", 0)
	x, err := New(t.Context(), w.options(1), Request{Client: "mailer", Purpose: "newsletter", Fields: []string{"given_name"}, Channel: "email"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, "out.csv")
	r, err := x.Write(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := readCSV(t, path), [][]string{{"identity_id", "given_name", "email", "email_2"}, {"id0", "Bo", "", "bo@x.fi"}}; !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []Count{{"another_contact", 1}}; !cmp.Equal(r.Columns[1].Withheld, want) {
		t.Errorf("%+v", r.Columns)
	}
}

// TestDigestsOfEveryKeyAreOneContactPoint withdraws under another key than the
// one of the grant.
func TestDigestsOfEveryKeyAreOneContactPoint(t *testing.T) {
	for _, newest := range []bool{true, false} {
		w := fixedWorld(t, 2)
		hashers := w.keys.Hashers()
		if !newest {
			slices.Reverse(hashers)
		}
		for i, act := range []string{"grant", "withdraw"} {
			for person := range 2 {
				anchor := consent.Contact{Kind: "email", Digest: hashers[i].Digest("email", fmt.Sprintf("p%d@x.fi", person)).String()}
				e := store.ConsentEvent{Anchor: consent.OfContact(anchor).String(), Act: act, Purpose: "newsletter", Channel: "email", Controller: "us",
					At: start.Add(time.Duration(i-5) * time.Hour), Source: "page", Authenticated: "account"}
				if act == "withdraw" && person == 1 {
					continue
				}
				if _, err := w.store.AddConsents(t.Context(), []store.ConsentEvent{e}, store.Also{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		x, err := New(t.Context(), w.options(1), Request{Client: "mailer", Purpose: "newsletter", Channel: "email"})
		if err != nil {
			t.Fatal(err)
		}
		r, err := x.Count(t.Context())
		if err != nil || r.Persons != 1 || !cmp.Equal(r.LeftOut, []Count{{"withdrawn", 1}}) {
			t.Errorf("%+v %v", r, err)
		}
	}
}
