package serve

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"testing"

	"sama/record"
	"sama/serve/api"
	"sama/serve/store"
)

// TestJobsAreInThePersonsView reads a page of changes, delivers to a webhook and
// makes an extract, and looks who finds what among those who had their data.
func TestJobsAreInThePersonsView(t *testing.T) {
	r := newRig(t, nil)
	r.run.add(bertil, record.Key{Source: "crm", ID: "2"})
	r.client("mailer", []store.Role{store.RoleRead}, []string{"service"}, []string{"email"})
	changes := read[api.Changes](t, r.want(call{client: "mailer", purpose: "service", method: "GET", path: "/v1/changes"}, 200, ""))
	if len(changes.Changes) != 3 {
		t.Fatalf("%+v", changes)
	}
	// The last change names her by her alias and as the one who is left.
	if err := r.server.toldTo(t.Context(), "mailer", "", "wh_1", changes.Changes[2:]); err != nil {
		t.Fatal(err)
	}
	err := r.store.AppendAccess(t.Context(), []store.Access{{Client: "mailer", Purpose: "service", Job: "sha256:1", Fields: []string{"email"}, What: "extract", Identities: []string{"0001000000001", "0005000000000"}},
		{Client: "mailer", Purpose: "service", Job: "sha256:2", What: "extract", Identities: []string{"0005000000000"}}})
	if err != nil {
		t.Fatal(err)
	}
	entries := func(id string) []api.AccessEntry {
		t.Helper()
		return read[api.AccessPage](t, r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/access?identity_id=" + id}, 200, "")).Entries
	}
	if got := entries(bertil); len(got) != 0 {
		t.Errorf("who was in no job finds %+v", got)
	}
	var got [][]string
	for _, e := range entries(anna) {
		got = append(got, append([]string{e.Client, e.Purpose, e.What, or(e.Job)}, e.Fields...))
	}
	want := [][]string{{"mailer", "service", "extract", "sha256:1", "email"}, {"mailer", "", "changes", "wh_1"}, {"mailer", "service", "changes", "changes", "email"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
	// And so it is in the copy, where her own look at the log has come first.
	copied := r.want(call{client: "all", purpose: "service", method: "POST", path: "/v1/exports/person", body: `{"identity_id":"` + anna + `"}`}, 200, "")
	z, err := zip.NewReader(bytes.NewReader([]byte(copied.body)), int64(len(copied.body)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("held/access.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []api.AccessEntry
	if err := json.Unmarshal(text, &list); err != nil || len(list) != 4 || list[0].Job != nil || list[1].What != "extract" || or(list[3].Job) != "changes" {
		t.Errorf("%v in the copy: %s", err, text)
	}
	if f, err = z.Open("held/access.csv"); err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(f); err != nil || !bytes.Contains(text, []byte(",mailer,service,extract,sha256:1,email\n")) {
		t.Errorf("%v in the copy: %s", err, text)
	}
	if _, err := r.store.VerifyAccess(t.Context()); err != nil {
		t.Error(err)
	}
}
