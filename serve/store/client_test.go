package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clock is a clock that is set by hand.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

// openClocked opens a state by such a clock.
func openClocked(t *testing.T, location string, c *clock) *Store {
	t.Helper()
	c.at.CompareAndSwap(0, at("2026-11-24T02:00:00Z")().UnixMicro())
	s, err := Open(t.Context(), location, Options{Now: c.now})
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

func knows(t *testing.T, s *Store, secret, name string) {
	t.Helper()
	c, ok, err := s.Authenticate(t.Context(), secret)
	if err != nil || ok != (name != "") || ok && c.Name != name {
		t.Errorf("the secret is that of %v, %v, %v; want %q", c, ok, err, name)
	}
}

func TestAClientHasItsSecretsUntilTheyEnd(t *testing.T) { eachDatabase(t, aClientHasItsSecrets) }

func aClientHasItsSecrets(t *testing.T, b backend) {
	var c clock
	location := b.fresh(t)
	s, other := openClocked(t, location, &c), openClocked(t, location, &c)
	_, first, err := s.AddClient(ctx, "garage", []Role{RoleRead, RoleSearch}, []string{"booking"}, []string{"given_name", "phone"})
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 54 || !strings.HasPrefix(first, "sama_") {
		t.Errorf("secret %q", first)
	}
	knows(t, s, first, "garage")
	knows(t, other, first, "garage")
	second, err := other.RotateSecret(ctx, "garage", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	knows(t, other, second, "garage")
	knows(t, s, second, "") // not looked at the state since
	c.advance(clientsFresh)
	knows(t, s, second, "garage")
	knows(t, s, first, "garage")
	c.advance(time.Hour - clientsFresh - time.Microsecond)
	knows(t, s, first, "garage")
	c.advance(time.Microsecond)
	knows(t, s, first, "")
	knows(t, s, second, "garage")
	if err := other.RevokeClient(ctx, "garage"); err != nil {
		t.Fatal(err)
	}
	knows(t, other, second, "") // at once where it was revoked
	c.advance(clientsFresh)
	knows(t, s, second, "")
	_, _, err = s.AddClient(ctx, "garage", []Role{RoleRead}, nil, nil)
	if _, ok := errors.AsType[*ClientExistsError](err); !ok {
		t.Errorf("the name was given again: %v", err)
	}
	for _, err := range []error{s.RevokeClient(ctx, "garage"), s.RevokeClient(ctx, "nobody"), s.ChangeClient(ctx, "garage", []Role{RoleRead}, nil, nil)} {
		if _, ok := errors.AsType[*NoClientError](err); !ok {
			t.Errorf("got %v", err)
		}
	}
	for name, rows := range everything(t, s) {
		for _, row := range rows {
			if strings.Contains(row, first[5:48]) || strings.Contains(row, second[5:48]) {
				t.Errorf("table %s has a secret", name)
			}
		}
	}
}

func TestClientsAreListed(t *testing.T) { eachDatabase(t, clientsAreListed) }

func clientsAreListed(t *testing.T, b backend) {
	s := b.open(t)
	var want []Client
	for i, name := range []string{"z", "a-1", "b_2"} {
		c, _, err := s.AddClient(ctx, name, Roles[:i+1], []string{"mailing"}, []string{"*", "email"}, []string{"garage", "Webshop 2"}[:i]...)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, c)
	}
	if err := s.ChangeClient(ctx, "z", []Role{RoleAdmin}, nil, []string{"city"}, "crm"); err != nil {
		t.Fatal(err)
	}
	want[0].Roles, want[0].Purposes, want[0].Fields, want[0].Sources = []Role{RoleAdmin}, nil, []string{"city"}, []string{"crm"}
	list, err := s.Clients(ctx)
	if want = []Client{want[1], want[2], want[0]}; err != nil || !cmp.Equal(list, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, list))
	}
	for _, wrong := range []struct{ name, role, field string }{{"Garage", "read", "x"}, {"", "read", "x"}, {"g", "root", "x"}, {"g", "read", ""}, {"g", "read", "city\x00"}} {
		if _, _, err := s.AddClient(ctx, wrong.name, []Role{Role(wrong.role)}, nil, []string{wrong.field}); err == nil {
			t.Errorf("added %v", wrong)
		}
	}
}

func TestWhatIsNoSecretIsNotLookedFor(t *testing.T) {
	s := file.open(t)
	_, secret, err := s.AddClient(ctx, "garage", []Role{RoleRead}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range secret {
		for _, wrong := range []string{secret[:i], secret[:i] + "x" + secret[i+1:], secret[:i] + "=" + secret[i:]} {
			if wrong != secret && wellFormed(wrong) {
				t.Errorf("%q is well formed", wrong)
			}
			if wrong != secret {
				knows(t, s, wrong, "")
			}
		}
	}
}

// TestRevokedWhileAsked revokes while others ask: once RevokeClient has
// returned, nobody of the same process gets in.
func TestRevokedWhileAsked(t *testing.T) {
	var c clock
	s := openClocked(t, file.fresh(t), &c)
	for round := range 20 {
		name := fmt.Sprintf("c%d", round)
		_, secret, err := s.AddClient(ctx, name, []Role{RoleRead}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var revoked atomic.Bool
		var asking sync.WaitGroup
		for range 4 {
			asking.Go(func() {
				for range 200 {
					before := revoked.Load()
					if _, ok, err := s.Authenticate(ctx, secret); err != nil || before && ok {
						t.Errorf("let in after the revocation (%v)", err)
						return
					}
				}
			})
		}
		if err := s.RevokeClient(ctx, name); err != nil {
			t.Fatal(err)
		}
		revoked.Store(true)
		asking.Wait()
	}
}

func TestPurposesKeepTheirVersions(t *testing.T) { eachDatabase(t, purposesKeepTheirVersions) }

func purposesKeepTheirVersions(t *testing.T, b backend) {
	s := b.open(t)
	before, err := s.Revision(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, body := range []string{`{"title":"Mailing"}`, `{"title":"Mailing"}`, `{"title":"Post"}`, `{"title":"Mailing"}`} {
		p, err := s.PutPurpose(ctx, "mailing", []byte(body), "kim")
		if want := []int64{1, 1, 2, 3}[i]; err != nil || p.Version != want || string(p.Body) != body {
			t.Errorf("version %d of %s, want %d (%v)", p.Version, p.Body, want, err)
		}
	}
	if _, err := s.PutPurpose(ctx, "booking", []byte(`{}`), "kim"); err != nil {
		t.Fatal(err)
	}
	list, err := s.Purposes(ctx)
	if err != nil || len(list) != 2 || list[0].ID != "booking" || list[1].Version != 3 {
		t.Errorf("%v %v", list, err)
	}
	versions, err := s.PurposeVersions(ctx, "mailing")
	if err != nil || len(versions) != 3 || string(versions[1].Body) != `{"title":"Post"}` {
		t.Errorf("%v %v", versions, err)
	}
	if p, err := s.Purpose(ctx, "mailing", 2); err != nil || !cmp.Equal(p, versions[1]) {
		t.Errorf("%v %v", p, err)
	}
	for _, c := range []struct {
		id      string
		version int64
	}{{"nothing", 0}, {"mailing", 4}} {
		if _, err := s.Purpose(ctx, c.id, c.version); err == nil || !strings.HasPrefix(err.Error(), "there is no ") {
			t.Errorf("got %v", err)
		}
	}
	after, err := s.Revision(ctx)
	if err != nil || after.Purposes != before.Purposes+4 {
		t.Errorf("revision %v, before %v (%v)", after, before, err)
	}
	for _, body := range []string{"", "[]", "{", "{} {}", "null"} {
		if _, err := s.PutPurpose(ctx, "mailing", []byte(body), "kim"); err == nil {
			t.Errorf("entered %q", body)
		}
	}
}
