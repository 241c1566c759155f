package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"sama/serve/store"
)

// TestWhoIsInAnExtractSeesIt exports and asks the server, for everybody, who had
// their data.
func TestWhoIsInAnExtractSeesIt(t *testing.T) {
	w := newExportWorld(t)
	x := w.index(t)
	var gone store.Person
	for _, r := range x.Members(0) {
		gone.Marks = append(gone.Marks, store.Mark{Kind: store.KindRecord, Value: x.Key(r).String()})
	}
	in := w.exported(t, "--purpose", "service", "--fields", "email")
	if len(in) == 0 || len(in) == x.Identities() {
		t.Fatalf("%d of %d persons are in it, want some", len(in), x.Identities())
	}
	_, secret, err := w.state.AddClient(t.Context(), "desk", []store.Role{store.RoleAdmin}, []string{"service"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.state.Erase(t.Context(), store.Erasure{Identities: []string{x.IdentityID(0)}, By: "kim"}, gone); err != nil {
		t.Fatal(err)
	}
	server := w.served(t)
	for i := range uint32(x.Identities()) {
		id := x.IdentityID(i)
		r := httptest.NewRequest(http.MethodGet, "/v1/access?identity_id="+id, nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Sama-Purpose", "service")
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		if i == 0 { // who was erased is shown nothing, as of single reads
			if answer.Code != http.StatusGone {
				t.Errorf("who was erased: %d %s", answer.Code, answer.Body)
			}
			continue
		}
		var page struct {
			Entries []struct{ Client, What, Purpose string }
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || answer.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", id, answer.Code, answer.Body)
		}
		found := 0
		for _, e := range page.Entries {
			if e.Client == "mailer" && e.What == "extract" && e.Purpose == "service" {
				found++
			}
		}
		if _, is := in[id]; is != (found == 1) || found != len(page.Entries) {
			t.Errorf("%s is in the extract: %v; it is shown %+v", id, is, page.Entries)
		}
	}
	if _, err := w.state.VerifyAccess(t.Context()); err != nil {
		t.Error(err)
	}
}
