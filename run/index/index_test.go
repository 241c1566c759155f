package index

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/record"

	"pgregory.net/rapid"
)

// texts is a plain slice as Texts.
type texts []string

func (l texts) Len() int { return len(l) }

func (l texts) At(i uint32) string { return l[i] }

// drawInput draws a small run, with everything that an input can have.
func drawInput(t *rapid.T) *Input {
	table := drawTable(t)
	n := table.Len()
	in := &Input{Table: table, Kinds: []string{"created", "merged", "retired"}, RuleNames: []string{"only_value", "longest"}}
	for _, c := range table.Columns {
		in.Columns = append(in.Columns, c.Name+"_served")
	}
	number := map[int]uint32{} // label → identity
	var members [][]uint32
	for r := range n {
		label := rapid.IntRange(0, n).Draw(t, "label")
		if _, ok := number[label]; !ok {
			number[label] = uint32(len(members))
			members = append(members, nil)
		}
		i := number[label]
		in.Identity = append(in.Identity, i)
		members[i] = append(members[i], uint32(r))
	}
	ids := rapid.SliceOfNDistinct(rapid.StringMatching("[0-9a-f]{6}"), len(members)+3, len(members)+3, rapid.ID[string]).Draw(t, "ids")
	in.IDs = texts(ids[:len(members)])
	slices.Sort(ids[len(members):])
	for _, id := range ids[len(members):] {
		into := None
		if len(members) > 0 && rapid.Bool().Draw(t, "leads on") {
			into = uint32(rapid.IntRange(0, len(members)-1).Draw(t, "into"))
		}
		in.Aliases = append(in.Aliases, Alias{id, into})
	}
	times := rapid.SliceOfN(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-1e9, 4e9)), len(members), len(members))
	if rapid.Bool().Draw(t, "times") {
		in.FirstSeen, in.LastChanged = times.Draw(t, "first"), times.Draw(t, "last")
	}
	if rapid.Bool().Draw(t, "golden") {
		for range table.Columns {
			in.Golden = append(in.Golden, drawGolden(t, members))
		}
	}
	ref := rapid.Uint32Range(0, uint32(len(members)+2))
	for range rapid.IntRange(0, 5).Draw(t, "events") {
		in.Events = append(in.Events, Event{rapid.Uint8Range(0, 2).Draw(t, "kind"), ref.Draw(t, "identity"), rapid.OneOf(ref, rapid.Just(None)).Draw(t, "other")})
	}
	if len(members) > 0 {
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			in.Changed = append(in.Changed, Changed{uint32(rapid.IntRange(0, len(members)-1).Draw(t, "changed")), []uint16{0, uint16(len(table.Columns) - 1)}})
		}
	}
	var list record.StringsBuilder
	list.Append("a")
	in.Extra = []Section{Uint8Section("bytes", []byte("abc")), Uint16Section("u16", []uint16{1, 2}), Uint32Section("u32", []uint32{7}),
		Uint64Section("u64", nil), Int64Section("i64", []int64{-1}), StringsSection("list", list.Build())}
	return in
}

func drawGolden(t *rapid.T, members [][]uint32) (g Golden) {
	for _, of := range members {
		g.Chosen = append(g.Chosen, rapid.SampledFrom(append([]uint32{None}, of...)).Draw(t, "chosen"))
		g.Rule = append(g.Rule, rapid.Uint8Range(0, 1).Draw(t, "rule"))
	}
	return g
}

func drawTable(t *rapid.T) *record.Table {
	table := &record.Table{}
	type key = record.Key
	keys := rapid.SliceOfDistinct(rapid.Custom(func(t *rapid.T) key {
		return key{Source: rapid.StringMatching("[abc]").Draw(t, "source"), ID: rapid.StringMatching("[0-9:]{1,3}").Draw(t, "id")}
	}), rapid.ID[key]).Draw(t, "keys")
	slices.SortFunc(keys, key.Compare)
	var ids record.StringsBuilder
	for _, k := range keys {
		if s := len(table.Sources); s == 0 || table.Sources[s-1] != k.Source {
			table.Sources = append(table.Sources, k.Source)
		}
		table.Source = append(table.Source, uint16(len(table.Sources)-1))
		ids.Append(k.ID)
	}
	table.IDs = ids.Build()
	if rapid.Bool().Draw(t, "created") {
		table.Created = rapid.SliceOfN(rapid.Int64Range(0, 1<<33), len(keys), len(keys)).Draw(t, "created at")
	}
	for i, f := range []record.Field{record.GivenName, record.Email, record.Carried} {
		table.Columns = append(table.Columns, drawColumn(t, f, fmt.Sprint("c", i), len(keys)))
	}
	return table
}

func drawColumn(t *rapid.T, f record.Field, name string, n int) *record.Column {
	c := &record.Column{Field: f, Name: name}
	var raw, normal record.Interner
	values := rapid.SampledFrom([]string{"", "", "Anna", "Åke", "x", "long enough to be hashed in words", "long enough to be hashed in wordz"})
	if rapid.Bool().Draw(t, "many") {
		values = rapid.StringMatching("[a-f]{0,9}")
	}
	for range n {
		v := values.Draw(t, name)
		c.Code = append(c.Code, normal.Code(strings.ToLower(v)))
		c.Raw = append(c.Raw, raw.Code(v))
	}
	c.RawText, _ = raw.Strings()
	c.Normal, _ = normal.Strings()
	c.Count = make([]uint32, c.Normal.Len())
	for _, code := range c.Code {
		c.Count[code]++
	}
	if rapid.Bool().Draw(t, "sound") {
		c.Sound = rapid.SliceOfN(rapid.Uint32(), len(c.Count), len(c.Count)).Draw(t, "sounds")
	}
	if rapid.Bool().Draw(t, "generic") {
		c.Generic = rapid.SliceOfN(rapid.Bool(), len(c.Count), len(c.Count)).Draw(t, "generics")
	}
	return c
}

// tempDir is a folder of one rapid example.
func tempDir(t *rapid.T) string {
	dir, err := os.MkdirTemp("", "index")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestIndexAnswersAsTheTable compares every answer with the input.
func TestIndexAnswersAsTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, dir := drawInput(t), tempDir(t)
		if _, err := Build(dir, in, 2); err != nil {
			t.Fatal(err)
		}
		x, err := OpenIndex(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if err := x.Check(); err != nil {
			t.Fatal(err)
		}
		sameIdentities(t, in, x)
		sameRecords(t, in, x)
		for c := range in.Table.Columns {
			sameColumn(t, in, x, c)
		}
		sameChanges(t, in, x)
		b, err1 := x.Uint8("bytes")
		u, err2 := x.Uint16("u16")
		s, err3 := x.Strings("list")
		if string(b) != "abc" || !slices.Equal(u, []uint16{1, 2}) || s.Len() != 1 || cmp.Or(err1, err2, err3) != nil || !x.Has("list") || x.Has("no") {
			t.Fatalf("extra sections %q %v %v", b, u, s)
		}
		if _, err := x.Uint32("u16"); err == nil || !strings.Contains(err.Error(), "u16") {
			t.Fatalf("a section of another kind: %v", err)
		}
	})
}

func sameIdentities(t *rapid.T, in *Input, x *Index) {
	if x.Identities() != in.IDs.Len() || x.Records() != in.Table.Len() {
		t.Fatalf("%d identities of %d records", x.Identities(), x.Records())
	}
	for i := range uint32(x.Identities()) {
		id := in.IDs.At(i)
		if found, ok := x.Find(id); x.IdentityID(i) != id || !ok || found != i {
			t.Fatalf("identity %d: id %s, found as %d %v", i, x.IdentityID(i), found, ok)
		}
		var members []uint32
		for r, of := range in.Identity {
			if of == i {
				members = append(members, uint32(r))
			}
		}
		if !slices.Equal(x.Members(i), members) {
			t.Fatalf("identity %d: records %v, want %v", i, x.Members(i), members)
		}
		first, last := int64(0), int64(0)
		if in.FirstSeen != nil {
			first, last = in.FirstSeen[i], in.LastChanged[i]
		}
		if x.FirstSeen(i) != first || x.LastChanged(i) != last {
			t.Fatalf("identity %d: times %d %d, want %d %d", i, x.FirstSeen(i), x.LastChanged(i), first, last)
		}
		for c := range in.Columns {
			r, rule, ok := x.Chosen(c, i)
			want := in.Golden != nil && in.Golden[c].Chosen[i] != None
			if ok != want || ok && (r != in.Golden[c].Chosen[i] || rule != in.RuleNames[in.Golden[c].Rule[i]]) {
				t.Fatalf("identity %d, column %d: record %d by %s, %v", i, c, r, rule, ok)
			}
		}
	}
	for _, a := range in.Aliases {
		surviving, retired, ok := x.Alias(a.ID)
		if !ok || retired != (a.Into == None) || !retired && surviving != in.IDs.At(a.Into) {
			t.Fatalf("alias %v: %s %v %v", a, surviving, retired, ok)
		}
		if _, live := x.Find(a.ID); live {
			t.Fatalf("alias %s is an identity", a.ID)
		}
	}
	if _, _, ok := x.Alias("zzzzzz"); ok {
		t.Fatal("an alias that is none")
	}
}

func sameRecords(t *rapid.T, in *Input, x *Index) {
	for r := range uint32(x.Records()) {
		k := in.Table.Key(r)
		if found, ok := x.FindRecord(k); x.Key(r) != k || !ok || found != r || x.IdentityOf(r) != in.Identity[r] {
			t.Fatalf("record %d: %v found as %d %v", r, x.Key(r), found, ok)
		}
		created := int64(0)
		if in.Table.Created != nil {
			created = in.Table.Created[r]
		}
		if x.Created(r) != created || x.Updated(r) != 0 {
			t.Fatalf("record %d: created %d, updated %d", r, x.Created(r), x.Updated(r))
		}
	}
	for _, k := range []record.Key{{Source: "a", ID: "zzz"}, {Source: "nobody", ID: "1"}} {
		if _, ok := x.FindRecord(k); ok {
			t.Fatalf("found %v", k)
		}
	}
}

func sameColumn(t *rapid.T, in *Input, x *Index, c int) {
	col := in.Table.Columns[c]
	if got, want := x.Columns()[c], (ColumnInfo{in.Columns[c], col.Name, col.Field, identifying(col.Field)}); got != want {
		t.Fatalf("column %v, want %v", got, want)
	}
	with := make(map[uint32][]uint32)
	for r := range uint32(x.Records()) {
		if x.Raw(c, r) != col.RawValue(r) || x.Code(c, r) != col.Code[r] || x.Normal(c, x.Code(c, r)) != col.Value(r) {
			t.Fatalf("column %d, record %d: %q %d", c, r, x.Raw(c, r), x.Code(c, r))
		}
		with[col.Code[r]] = append(with[col.Code[r]], r)
	}
	if x.Normals(c) != col.Normal.Len() {
		t.Fatalf("column %d: %d normal forms", c, x.Normals(c))
	}
	for code := range uint32(col.Normal.Len()) {
		sound, generic := uint32(0), false
		if col.Sound != nil {
			sound = col.Sound[code]
		}
		if col.Generic != nil {
			generic = col.Generic[code]
		}
		if x.Count(c, code) != uint32(len(with[code])) || x.Sound(c, code) != sound || x.Generic(c, code) != generic {
			t.Fatalf("column %d, code %d: count %d, sound %d, generic %v", c, code, x.Count(c, code), x.Sound(c, code), x.Generic(c, code))
		}
		found, ok := x.FindNormal(c, col.Normal.At(code))
		if ok != (code != 0) || ok && found != code {
			t.Fatalf("column %d, code %d: found as %d %v", c, code, found, ok)
		}
		want := with[code]
		if code == 0 || !identifying(col.Field) {
			want = nil
		}
		if !slices.Equal(x.RecordsWith(c, code), want) {
			t.Fatalf("column %d, code %d: records %v, want %v", c, code, x.RecordsWith(c, code), want)
		}
	}
	if _, ok := x.FindNormal(c, "nobody has this"); ok {
		t.Fatal("found a normal form that is not there")
	}
}

func sameChanges(t *rapid.T, in *Input, x *Index) {
	id := func(ref uint32) string {
		switch n := in.IDs.Len(); {
		case ref == None:
			return ""
		case int(ref) < n:
			return in.IDs.At(ref)
		default:
			return in.Aliases[int(ref)-n].ID
		}
	}
	if x.Changes() != len(in.Events)+len(in.Changed) {
		t.Fatalf("%d changes", x.Changes())
	}
	for n, e := range in.Events {
		if c := x.Change(n); c.Kind != in.Kinds[e.Kind] || c.Identity != id(e.Identity) || c.Other != id(e.Other) || c.Columns != nil {
			t.Fatalf("event %v is %v", e, c)
		}
	}
	for n, e := range in.Changed {
		if c := x.Change(len(in.Events) + n); c.Kind != KindChanged || c.Identity != id(e.Identity) || c.Other != "" || !slices.Equal(c.Columns, e.Columns) {
			t.Fatalf("change %v is %v", e, c)
		}
	}
}

// sampleInput is one input that is always the same.
func sampleInput() *Input { return rapid.Custom(drawInput).Example(7) }

func TestBytesDependOnTheInputOnly(t *testing.T) {
	var want []Written
	for _, workers := range []int{1, 2, 4} {
		dir := t.TempDir()
		got, err := Build(dir, sampleInput(), workers)
		if err != nil {
			t.Fatal(err)
		}
		if want != nil && !slices.Equal(got, want) {
			t.Errorf("%d workers: %v, want %v", workers, got, want)
		}
		want = got
		for _, f := range got {
			if stat, err := os.Stat(filepath.Join(dir, f.Name)); err != nil || stat.Size() != f.Bytes {
				t.Errorf("%s: %v, want %d bytes", f.Name, err, f.Bytes)
			}
		}
	}
}

// TestCheckNeverPanics changes bytes of one section and lets the checksums be
// right: what opens is checked without a panic, and lists that must agree are
// seen not to.
func TestCheckNeverPanics(t *testing.T) {
	dir := t.TempDir()
	in := sampleInput()
	if _, err := Build(dir, in, 1); err != nil {
		t.Fatal(err)
	}
	if in.Table.Len() < 5 || len(in.Events) == 0 || in.Golden == nil {
		t.Fatalf("the sample is too small: %d records, %d events", in.Table.Len(), len(in.Events))
	}
	found := 0
	for _, name := range []string{identitiesFile, recordsFile, valuesFile} {
		f, err := Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Sections() {
			for at := range min(s.Bytes, 20) {
				other := t.TempDir()
				copyBut(t, dir, other, name, s.Name, fmt.Sprint(at))
				x, err := OpenIndex(other)
				if err == nil {
					err = x.Check()
					x.Close()
				}
				if err != nil {
					found++
				} else if s.Name == "members" || strings.HasSuffix(s.Name, recordsSuffix) {
					t.Errorf("%s: section %s, byte %d changed: no error", name, s.Name, at)
				}
			}
		}
		f.Close()
	}
	if found < 100 {
		t.Errorf("%d changes were found", found)
	}
}
