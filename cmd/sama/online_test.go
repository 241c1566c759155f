package main

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"sama/graph"
	"sama/record"
	"sama/run"
	"sama/run/index"
	"sama/serve/online"
)

// bundledRun resolves the bundled silos and opens what serving needs of the run.
func bundledRun(t *testing.T) (*run.Run, *index.Index, *online.Service) {
	t.Helper()
	dir := filepath.Join(moduleRoot(t), "testdata")
	out := filepath.Join(t.TempDir(), "customers")
	mustRun(t, exitDone, "resolve", "--quiet", "--out", out,
		filepath.Join(dir, "crm.parquet"), filepath.Join(dir, "webshop.csv.gz"), filepath.Join(dir, "service.jsonl"))
	return openService(t, out)
}

func openService(t *testing.T, out string) (*run.Run, *index.Index, *online.Service) {
	t.Helper()
	r, err := run.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	x, err := index.OpenIndex(r.File("index"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	e, err := openEngine(r, x)
	if err != nil {
		t.Fatal(err)
	}
	return r, x, online.NewService(e, graph.Issuer{Run: r.Info.Number, Seed: idSeed}, nil)
}

// keptRecords returns every record as its source wrote it.
func keptRecords(t *testing.T, r *run.Run, m *run.Members, visit func(k record.Key, fields map[string]string)) {
	t.Helper()
	for _, source := range m.Sources {
		table, err := r.SourceTable(source)
		if err != nil {
			t.Fatal(err)
		}
		key := slices.IndexFunc(table.Columns, func(c run.SourceColumn) bool { return c.Name == table.Key })
		for row := range table.Rows {
			fields := make(map[string]string)
			for _, c := range table.Columns {
				fields[c.Name] = c.Values.At(c.Codes[row])
			}
			k := table.Columns[key]
			visit(record.Key{Source: source, ID: k.Values.At(k.Codes[row])}, fields)
		}
	}
}

func TestOnlineWeighsAsTheRunDid(t *testing.T) {
	r, _, s := bundledRun(t)
	m, err := r.Members()
	if err != nil {
		t.Fatal(err)
	}
	edges, _, err := r.Edges(m)
	if err != nil {
		t.Fatal(err)
	}
	off := 0
	for _, e := range edges {
		why, err := s.Explain(m.Key(e.A), m.Key(e.B))
		if err != nil {
			t.Fatal(err)
		}
		if why.Weight != e.Weight {
			if off++; off <= 10 {
				t.Errorf("%v and %v weigh %v online, %v in the run: %+v", m.Key(e.A), m.Key(e.B), why.Weight, e.Weight, why.Steps)
			}
		}
	}
	t.Logf("%d of %d edges differ", off, len(edges))
}

func TestOnlineReadsRecordsAsTheRunDid(t *testing.T) {
	r, x, s := bundledRun(t)
	m, err := r.Members()
	if err != nil {
		t.Fatal(err)
	}
	off := make(map[string]int)
	keptRecords(t, r, m, func(k record.Key, fields map[string]string) {
		v, err := s.Read(context.Background(), k, fields)
		if err != nil {
			t.Fatal(err)
		}
		n, ok := x.FindRecord(k)
		if !ok {
			t.Fatalf("%v is not in the index", k)
		}
		for c, info := range x.Columns() {
			if raw, normal := x.Raw(c, n), x.Normal(c, x.Code(c, n)); v.Raw[c] != raw || v.Normal[c] != normal {
				if off[info.Name]++; off[info.Name] <= 3 {
					t.Errorf("%v.%s is read as %q, normal %q; the run has %q, %q", k, info.Name, v.Raw[c], v.Normal[c], raw, normal)
				}
			}
		}
	})
	t.Logf("values that differ by column: %v", off)
}

func TestOnlineSentAgainKeepsItsIdentity(t *testing.T) {
	r, x, s := bundledRun(t)
	m, err := r.Members()
	if err != nil {
		t.Fatal(err)
	}
	moved, all := 0, 0
	keptRecords(t, r, m, func(k record.Key, fields map[string]string) {
		n, _ := x.FindRecord(k)
		want := x.IdentityID(x.IdentityOf(n))
		a, err := s.Put(context.Background(), k, fields, func(*online.Arrival) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if all++; a.Identity != want {
			moved++
		}
	})
	t.Logf("%d of %d records moved", moved, all)
	if moved*200 > all {
		t.Errorf("%d of %d records moved", moved, all)
	}
}

func TestOnlineMergesAsTheRunDid(t *testing.T) {
	_, x, s := bundledRun(t)
	off := 0
	for i := range uint32(x.Identities()) {
		fast, ok, err := s.Profile(x.IdentityID(i), false)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		merged, ok, err := s.Profile(x.IdentityID(i), true)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		for c := range merged.Values {
			merged.Values[c].Losing = nil
		}
		same := slices.EqualFunc(fast.Values, merged.Values, func(a, b online.Value) bool {
			return a.Column == b.Column && a.Value == b.Value && a.Record == b.Record && a.Rule == b.Rule
		}) && slices.Equal(fast.Records, merged.Records)
		if !same {
			if off++; off <= 3 {
				t.Errorf("identity %s:\nindex  %+v\nmerged %+v", fast.ID, fast, merged)
			}
		}
	}
	t.Logf("%d of %d identities differ", off, x.Identities())
}

// TestOnlineARecordLeavesItsIdentity sends a record of two with another person's
// values: the identity that it leaves no longer has them, and is told.
func TestOnlineARecordLeavesItsIdentity(t *testing.T) {
	_, x, s := bundledRun(t)
	for i := range uint32(x.Identities()) {
		members := x.Members(i)
		if len(members) != 2 {
			continue
		}
		id, k := x.IdentityID(i), x.Key(members[0])
		email := ""
		for c, info := range x.Columns() {
			if info.Field == record.Email {
				email = x.Raw(c, members[0])
			}
		}
		if k.Source != "crm" || email == "" {
			continue
		}
		a, err := s.Put(t.Context(), k, map[string]string{"first_names": "Zacharias", "last_name": "Qvistgaard", "email": "zq@qvistgaard.example"}, func(*online.Arrival) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if a.Identity == id || a.Left != id || a.Emptied || !a.Founded {
			t.Errorf("%+v, want one that left %s", a, id)
		}
		p, ok, err := s.Profile(id, false)
		if err != nil || !ok || len(p.Records) != 1 || slices.Contains(p.Records, k) || !p.Online {
			t.Errorf("%+v %v %v", p, ok, err)
		}
		other := p.Records[0]
		if b, err := s.Delete(other, func(*online.Arrival) error { return nil }); err != nil || !b.Emptied || b.Identity != id {
			t.Errorf("%+v %v", b, err)
		}
		if live, retired := s.Identity(id); live != "" || !retired {
			t.Errorf("%s leads to %q, retired %v", id, live, retired)
		}
		return
	}
	t.Fatal("no identity of two")
}

// TestOnlineIdsOfTwoProcessesDiffer: what another process founded, or this one
// before a restart, is not known to it.
func TestOnlineIdsOfTwoProcessesDiffer(t *testing.T) {
	_, x, s := bundledRun(t)
	other := online.NewService(s.Engine, graph.Issuer{Run: 1, Seed: idSeed}, nil)
	other.First = 1 << 63
	s.First = 12345
	seen := make(map[string]bool)
	for i, service := range []*online.Service{s, other} {
		a, err := service.Put(t.Context(), record.Key{Source: "garage", ID: string(rune('a' + i))},
			map[string]string{"given_name": "Zacharias", "family_name": "Qvistgaard" + string(rune('a'+i)), "birth_date": "1931-07-1" + string(rune('0'+i))}, func(*online.Arrival) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, taken := x.Find(a.Identity); !a.Founded || taken || seen[a.Identity] {
			t.Errorf("%+v: taken %v, seen %v", a, taken, seen[a.Identity])
		}
		seen[a.Identity] = true
	}
}

// TestWhatAnArrivalChangesIsTold sends records again, as they were and with another
// value, and deletes some: what is told to have changed is what differs between the
// profiles before and after.
func TestWhatAnArrivalChangesIsTold(t *testing.T) {
	r, _, s := bundledRun(t)
	m, err := r.Members()
	if err != nil {
		t.Fatal(err)
	}
	values := func(id string) map[int]string {
		p, ok, err := s.Profile(id, false)
		if err != nil || !ok {
			return nil
		}
		out := make(map[int]string)
		for _, v := range p.Values {
			out[v.Column] = v.Value
		}
		return out
	}
	differ := func(before, after map[int]string) (columns []int) {
		if before == nil || after == nil {
			return nil
		}
		for c := range 100 {
			if before[c] != after[c] {
				columns = append(columns, c)
			}
		}
		return columns
	}
	n, told := 0, 0
	keptRecords(t, r, m, func(k record.Key, fields map[string]string) {
		if n++; n%17 > 2 || k.Source != "crm" {
			return
		}
		var own, left []int
		commit := func(a *online.Arrival) (err error) {
			own, left, err = s.Changed(a)
			return err
		}
		id := s.OfRecord(k)
		was := values(id)
		var a *online.Arrival
		switch n % 17 {
		case 0:
			a, err = s.Put(t.Context(), k, fields, commit)
			if err == nil && a.Identity == id && (len(own) > 0 || !a.Member) {
				t.Errorf("%v came as it was: changed %v, member %v", k, own, a.Member)
			}
		case 1:
			fields["email"] = "another." + k.ID + "@example.fi"
			a, err = s.Put(t.Context(), k, fields, commit)
		case 2:
			a, err = s.Delete(k, commit)
		}
		if err != nil {
			t.Fatal(err)
		}
		if a.Identity == id {
			if want := differ(was, values(id)); !slices.Equal(own, want) {
				t.Errorf("%v: told %v, changed %v", k, own, want)
			}
		} else if want := differ(was, values(id)); !slices.Equal(left, want) {
			t.Errorf("%v left: told %v, changed %v", k, left, want)
		}
		if told += len(own); n%17 == 2 {
			if again, err := s.Delete(k, commit); err != nil || again.Identity != "" {
				t.Errorf("%v is deleted twice: %+v (%v)", k, again, err)
			}
		}
	})
	if told == 0 {
		t.Error("nothing changed")
	}
}
