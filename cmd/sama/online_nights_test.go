package main

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sama/record"
	"sama/run"
	"sama/run/index"
	"sama/serve/online"
	"sama/serve/store"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/text/encoding/charmap"
)

// fieldsOfRow parts a row of CSV into fields by the header's names.
func fieldsOfRow(t *testing.T, header, row string) map[string]string {
	t.Helper()
	text := header + row
	if !utf8.ValidString(text) {
		decoded, err := charmap.Windows1252.NewDecoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		text = decoded
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.Comma = rune(header[strings.IndexAny(header, ",;\t")])
	lines, err := r.ReadAll()
	if err != nil || len(lines) != 2 {
		t.Fatalf("%q: %v", row, err)
	}
	fields := make(map[string]string)
	for i, name := range lines[0] {
		if lines[1][i] != "" {
			fields[name] = lines[1][i]
		}
	}
	return fields
}

// send takes a record up online, as sama serve does, and returns its identity.
func send(t *testing.T, s *online.Service, state *store.Store, k record.Key, fields map[string]string) string {
	t.Helper()
	a, err := s.Put(t.Context(), k, fields, func(a *online.Arrival) error {
		text, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		_, err = state.PutRecords(t.Context(), []store.OnlineRecord{{Key: k, Op: store.Put, Fields: text, Client: "test", Identity: a.Identity, Founded: a.Founded}}, store.Also{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.Identity
}

// identityIn returns the identity of a record in a run, and where an id leads.
func identityIn(t *testing.T, x *index.Index, s *online.Service, k record.Key, id string) (of, leads string) {
	t.Helper()
	r, ok := x.FindRecord(k)
	if !ok {
		t.Fatalf("%v is not in the run", k)
	}
	leads, _ = s.Identity(id)
	return x.IdentityID(x.IdentityOf(r)), leads
}

// TestWhatComesOnlineIsTakenUp sends records between two nights: the next night
// has them under the same identities, though the exports do not know them yet,
// and those after it go on with them.
func TestWhatComesOnlineIsTakenUp(t *testing.T) {
	e := newExports(t, 1500, 11)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	var files []string
	for _, source := range []string{"crm", "service", "webshop"} {
		files = append(files, e.write(t, dir, source))
	}
	night := func() { mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--out", out}, files...)...) }
	night()
	state, err := store.Open(t.Context(), filepath.Join(out, stateName), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	_, x, s := openService(t, out)
	given := make(map[record.Key]string)
	for _, source := range []string{"crm", "service", "webshop"} {
		for range 40 {
			row := e.waiting[source][0]
			e.waiting[source] = e.waiting[source][1:]
			k := record.Key{Source: source, ID: keyOfRow(row)}
			given[k] = send(t, s, state, k, fieldsOfRow(t, e.header[source], row))
			e.rows[source][k.ID] = row
		}
	}
	// A garage that is no export at all: somebody whom the run knows, and somebody
	// new.
	known, _, err := s.Profile(x.IdentityID(0), false)
	if err != nil {
		t.Fatal(err)
	}
	fields := make(map[string]string)
	for _, v := range known.Values {
		fields[v.Name] = v.Value
	}
	given[record.Key{Source: "garage", ID: "G1"}] = send(t, s, state, record.Key{Source: "garage", ID: "G1"}, fields)
	given[record.Key{Source: "garage", ID: "G2"}] = send(t, s, state, record.Key{Source: "garage", ID: "G2"},
		map[string]string{"given_name": "Zacharias", "family_name": "Qvistgaard", "email": "zq@qvistgaard.example", "birth_date": "1931-07-13"})
	compare := func(what string) {
		moved := 0
		_, x, s := openService(t, out)
		for k, id := range given {
			of, leads := identityIn(t, x, s, k, id)
			if leads == "" {
				t.Errorf("%s: %v was given %s, which leads nowhere", what, k, id)
			} else if of != leads {
				moved++
				t.Logf("%s: %v was given %s, which leads to %s, and is of %s", what, k, id, leads, of)
			}
		}
		if moved > 2 {
			t.Errorf("%s: %d of %d records are of another identity", what, moved, len(given))
		}
	}
	night()
	compare("the next night")
	for _, source := range []string{"crm", "service", "webshop"} {
		e.write(t, dir, source)
	}
	night()
	compare("the night whose exports have them")
	night()
	compare("the night after")
	mustRun(t, exitDone, "check", "--all", out)
}

// TestAPartnerMovesNobody brings two records of a source that is no export: the next
// night goes on with the model, no identity but theirs changes, and the source may
// name further fields afterwards.
func TestAPartnerMovesNobody(t *testing.T) {
	e := newExports(t, 900, 14)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	args := []string{"resolve", "--quiet", "--out", out}
	for _, source := range []string{"crm", "service", "webshop"} {
		args = append(args, e.write(t, dir, source))
	}
	mustRun(t, exitDone, args...)
	state, err := store.Open(t.Context(), filepath.Join(out, stateName), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	for night, fields := range []map[string]string{
		{"given_name": "Zyx", "family_name": "Qwvnen", "phone": "0400000123"},
		{"given_name": "Xyz", "family_name": "Nenqwv", "phone": "0400000124", "city": "Turku", "postal_code": "20100", "street": "Kauppiaskatu 1"},
	} {
		r, _, s := openService(t, out)
		known, err := knownColumns(r)
		if err != nil {
			t.Fatal(err)
		}
		for name := range fields {
			if !slices.Contains(known("garage"), name) {
				t.Errorf("night %d: garage may not name %s; it may name %v", night, name, known("garage"))
			}
		}
		send(t, s, state, record.Key{Source: "garage", ID: "G" + fields["given_name"]}, fields)
		_, _ = mustRun(t, exitDone, args...)
		now, err := run.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		if now.Info.Learned != r.Info.Learned {
			t.Errorf("night %d: the model was learned anew", night)
		}
		if _, x, s := openService(t, out); x.Changes() != 1 || x.Change(0).Kind != "created" || s.OfRecord(record.Key{Source: "garage", ID: "G" + fields["given_name"]}) == "" {
			t.Errorf("night %d: %d changes, the first %+v", night, x.Changes(), x.Change(0))
		}
	}
}

// TestWhatCameStaysUntilAnExportHasIt has nights with the same exports again, with
// exports that were made too early, without one of them, and with exports that have
// what came: then the state keeps it no longer.
func TestWhatCameStaysUntilAnExportHasIt(t *testing.T) {
	e := newExports(t, 900, 13)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	all := []string{"crm", "service", "webshop"}
	files := make(map[string]string)
	for _, source := range all {
		files[source] = e.write(t, dir, source)
	}
	night := func(sources ...string) {
		t.Helper()
		args := []string{"resolve", "--quiet", "--out", out}
		for _, source := range sources {
			args = append(args, files[source])
		}
		mustRun(t, exitDone, args...)
	}
	night(all...)
	state, err := store.Open(t.Context(), filepath.Join(out, stateName), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	_, _, s := openService(t, out)
	sent, rows := make(map[string]record.Key), make(map[string]string)
	for _, source := range []string{"crm", "webshop", "service"} {
		rows[source] = e.waiting[source][0]
		sent[source] = record.Key{Source: source, ID: keyOfRow(rows[source])}
		send(t, s, state, sent[source], fieldsOfRow(t, e.header[source], rows[source]))
	}
	has := func(when string, sources ...string) {
		t.Helper()
		_, x, _ := openService(t, out)
		for source, k := range sent {
			if _, ok := x.FindRecord(k); ok != slices.Contains(sources, source) {
				t.Errorf("%s: the record of %s is there: %v", when, source, ok)
			}
		}
	}
	left := func() (n int) {
		t.Helper()
		for _, err := range state.OnlineSince(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	night("crm", "service")
	has("without webshop", "crm", "service")
	night(all...)
	has("with webshop again", all...)
	night(all...)
	has("with the same files", all...)
	for _, source := range all { // an export that was made before, and has lost another record
		for id := range e.rows[source] {
			delete(e.rows[source], id)
			break
		}
		e.write(t, dir, source)
	}
	night(all...)
	has("with exports that were made too early", all...)
	mustRun(t, exitDone, "prune", "--keep", "1", "--out", out)
	night(all...)
	has("with those again", all...)
	if n := left(); n != 3 {
		t.Errorf("%d online records are left, and no export has the 3", n)
	}
	for _, source := range all {
		e.rows[source][sent[source].ID] = rows[source]
		e.write(t, dir, source)
	}
	night(all...)
	mustRun(t, exitDone, "prune", "--keep", "1", "--out", out)
	night(all...)
	has("with exports that have them", all...)
	if n := left(); n != 0 {
		t.Errorf("%d online records are left that nothing needs", n)
	}
	delete(e.rows["crm"], sent["crm"].ID)
	e.write(t, dir, "crm")
	night(all...)
	has("with an export that has it no more", "service", "webshop")
}

// TestErasedPersonsStayAway erases somebody between two nights: nothing of them
// is in any file of the next run, though the exports still have them.
func TestErasedPersonsStayAway(t *testing.T) {
	e := newExports(t, 900, 12)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	var files []string
	for _, source := range []string{"crm", "service", "webshop"} {
		files = append(files, e.write(t, dir, source))
	}
	night := func() { mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--out", out}, files...)...) }
	night()
	keys, err := store.CreateKeys(filepath.Join(out, keysName), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	state, err := store.Open(t.Context(), filepath.Join(out, stateName), store.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	_, x, s := openService(t, out)
	var person *online.Profile
	var email string
	for i := range uint32(x.Identities()) {
		p, _, err := s.Profile(x.IdentityID(i), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Values {
			if v.Name == "email" && len(s.WithValue(v.Column, strings.ToLower(v.Value))) == 1 && len(p.Records) > 1 {
				person, email = p, v.Value
			}
		}
		if person != nil {
			break
		}
	}
	var marks []store.Mark
	for _, k := range person.Records {
		marks = append(marks, store.Mark{Kind: store.KindRecord, Value: k.String()})
	}
	marks = append(marks, store.Mark{Kind: "email", Value: strings.ToLower(email)})
	id := strings.Clone(person.ID)
	email = strings.Clone(email)
	if _, _, err := state.Erase(context.Background(), store.Erasure{Identities: []string{id}, Reason: "asked", By: "test"}, store.Person{Marks: marks}); err != nil {
		t.Fatal(err)
	}
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
	night()
	_, _, after := openService(t, out)
	if live, retired := after.Identity(id); live != "" || !retired {
		t.Errorf("identity %s leads to %q, retired %v", id, live, retired)
	}
	err = filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if d.Type()&os.ModeSymlink != 0 {
			return nil
		}
		text, err := os.ReadFile(path)
		if strings.HasSuffix(path, ".parquet") {
			text = nil
			eachText(t, path, func(s []byte) { text = append(append(text, s...), 0) })
		}
		if strings.Contains(string(text), email) {
			t.Errorf("%s has the address of the erased person", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eachText visits every text of a Parquet file, in any column.
func eachText(t *testing.T, path string, visit func([]byte)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range p.RowGroups() {
		rows := g.Rows()
		buffer := make([]parquet.Row, 64)
		for {
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				for _, v := range row {
					if v.Kind() == parquet.ByteArray {
						visit(v.ByteArray())
					}
				}
			}
			if err != nil {
				break
			}
		}
		rows.Close()
	}
}
