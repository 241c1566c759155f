package extract

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sama/serve/consent"
	"sama/serve/store"

	"github.com/google/go-cmp/cmp"
)

// eraseOne erases the second person of a world.
func (w *world) eraseOne(t testing.TB) {
	t.Helper()
	if _, _, err := w.store.Erase(context.Background(), store.Erasure{Identities: []string{"id000001"}, By: "kim"},
		store.Person{Marks: []store.Mark{{Kind: store.KindRecord, Value: "crm:000001"}}}); err != nil {
		t.Fatal(err)
	}
}

// during does something the first time that a part of the work begins.
func during(part string, do func()) (begin func(name, unit string) Progress, times *int) {
	times = new(int)
	return func(name, _ string) Progress {
		if name == part {
			if *times++; *times == 1 {
				do()
			}
		}
		return silent{}
	}, times
}

// TestSomebodyErasedMeanwhileIsNotThere erases while the file is written, and
// while its row waits for the access log.
func TestSomebodyErasedMeanwhileIsNotThere(t *testing.T) {
	for _, when := range []string{"write", "log"} {
		w := fixedWorld(t, 3)
		o := w.options(1)
		begin, times := during(when, func() { w.eraseOne(t) })
		o.Begin = begin
		x, err := New(t.Context(), o, Request{Client: "mailer", Purpose: "law"})
		if err != nil {
			t.Fatal(err)
		}
		write := x.log
		x.log = func(ctx context.Context, rows []store.Access) error {
			begin("log", "")
			return write(ctx, rows)
		}
		path := filepath.Join(w.dir, "out.csv")
		r, err := x.Write(t.Context(), path)
		if err != nil || *times != 2 || r.Persons != 2 {
			t.Fatalf("%s: %+v %v after %d attempts", when, r, err, *times)
		}
		if text, _ := os.ReadFile(path); !bytes.Contains(text, []byte("id000002")) || bytes.Contains(text, []byte("id000001")) {
			t.Errorf("%s: the file has somebody who was erased: %s", when, text)
		}
		// Of the attempt that was given up last there is a row too: it said what was
		// about to leave.
		if v, err := w.store.VerifyAccess(t.Context()); err != nil || v.Rows != map[string]int64{"write": 1, "log": 2}[when] {
			t.Errorf("%s: %+v %v", when, v, err)
		}
	}
}

// TestWhatAClientMayHaveIsAskedAnew takes rights away while the file is written.
func TestWhatAClientMayHaveIsAskedAnew(t *testing.T) {
	for _, c := range []struct {
		name string
		take func(w *world) error
		want [][]string // nil if nothing may leave
	}{
		{"client", func(w *world) error {
			return w.store.ChangeClient(context.Background(), "mailer", []store.Role{store.RoleRead}, []string{"law"}, []string{"email"})
		}, [][]string{{"identity_id", "email", "email_2"}, {"id000000", "p0@x.fi", ""}}},
		{"purpose", func(w *world) error {
			w.putPurpose(t, &consent.Purpose{ID: "law", Title: "The law", Controller: "us", Basis: consent.BasisLegalObligation, TextVersion: "2", Fields: []string{"given_name"}})
			return nil
		}, [][]string{{"identity_id", "given_name"}, {"id000000", `Anna, "A"`}}},
		{"revoked", func(w *world) error { return w.store.RevokeClient(context.Background(), "mailer") }, nil},
	} {
		w := fixedWorld(t, 1)
		o := w.options(1)
		o.Begin, _ = during("write", func() {
			if err := c.take(w); err != nil {
				t.Error(err)
			}
		})
		x, err := New(t.Context(), o, Request{Client: "mailer", Purpose: "law"})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(w.dir, "out.csv")
		_, err = x.Write(t.Context(), path)
		if c.want == nil {
			if _, ok := errors.AsType[*RefusedError](err); !ok || !strings.Contains(err.Error(), "was revoked") {
				t.Errorf("%s: %v", c.name, err)
			}
			if left, _ := filepath.Glob(filepath.Join(w.dir, "*out.csv")); len(left) > 0 {
				t.Errorf("%s: left %v", c.name, left)
			}
			if v, err := w.store.VerifyAccess(t.Context()); err != nil || v.Rows != 0 {
				t.Errorf("%s: %+v %v", c.name, v, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := readCSV(t, path); !cmp.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestErasuresAgainAndAgainLeaveNothing erases in every attempt.
func TestErasuresAgainAndAgainLeaveNothing(t *testing.T) {
	w := fixedWorld(t, 3)
	o := w.options(1)
	o.Begin = func(name, _ string) Progress {
		if name == "write" {
			w.eraseOne(t)
		}
		return silent{}
	}
	x, err := New(t.Context(), o, Request{Client: "mailer", Purpose: "law"})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := x.Write(t.Context(), filepath.Join(w.dir, "out.csv")); err == nil {
		t.Errorf("%+v", r)
	}
	for _, pattern := range []string{"out.csv", tempPrefix + "*"} {
		if left, _ := filepath.Glob(filepath.Join(w.dir, pattern)); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	}
	if v, err := w.store.VerifyAccess(t.Context()); err != nil || v.Rows != 0 {
		t.Errorf("%+v %v", v, err)
	}
}
