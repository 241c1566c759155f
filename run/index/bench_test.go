package index

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sama/record"

	_ "modernc.org/sqlite"
)

// benchRecords is the size of the benchmarks' run; the figures of the package
// comment are of a million.
var benchRecords = flag.Int("records", 200_000, "records of the benchmarks")

// benchRun is what the benchmarks build and read.
var benchRun = sync.OnceValue(func() *Input { return benchInput(*benchRecords) })

// benchInput is a run of n records, two to an identity on average, whose columns
// are filled and as distinct as those of sama generate.
func benchInput(n int) *Input {
	r := rand.New(rand.NewPCG(1, 1))
	in := &Input{Table: &record.Table{Sources: []string{"crm", "service", "webshop"}}, RuleNames: []string{"only_value", "most_frequent", "most_recent"}, Kinds: []string{"created"}}
	t := in.Table
	var ids record.StringsBuilder
	for s := range t.Sources {
		for k := range n / 3 {
			ids.Append(fmt.Sprintf("%c%07d", t.Sources[s][0]-32, k))
			t.Source = append(t.Source, uint16(s))
			t.Created = append(t.Created, 1_500_000_000+r.Int64N(200_000_000))
			t.Updated = append(t.Updated, r.Int64N(2)*(1_600_000_000+r.Int64N(100_000_000)))
		}
	}
	t.IDs = ids.Build()
	n = t.Len()
	for _, c := range []struct {
		field    record.Field
		filled   float64
		distinct int
		length   int
	}{
		{record.GivenName, 1, n / 11, 9}, {record.FamilyName, 1, n / 17, 9}, {record.BirthDate, .3, n / 30, 8}, {record.Gender, .34, 2, 1},
		{record.Organization, .02, n / 100, 20}, {record.Email, .78, n / 2, 24}, {record.Phone, .82, n / 2, 13}, {record.Street, .84, n / 17, 14},
		{record.HouseNumber, .84, 1400, 3}, {record.Unit, .4, 1800, 5}, {record.PostalCode, .82, 6600, 5}, {record.City, .85, 1100, 9},
		{record.Country, .3, 1, 2}, {record.VehicleReg, .17, n / 6, 6}, {record.CreatedAt, 1, n / 3, 20}, {record.UpdatedAt, .43, 5000, 10},
		{record.Language, .3, 3, 2}, {record.Carried, .42, 2, 8}, {record.Carried, .36, 2, 4},
	} {
		name := fmt.Sprintf("%v_%d", c.field, len(t.Columns))
		t.Columns = append(t.Columns, benchColumn(r, c.field, name, n, c.filled, max(1, c.distinct), c.length))
		in.Columns = append(in.Columns, name)
	}
	benchIdentities(in, r)
	return in
}

func benchColumn(r *rand.Rand, f record.Field, name string, n int, filled float64, distinct, length int) *record.Column {
	c := &record.Column{Field: f, Name: name, Raw: make([]uint32, n), Code: make([]uint32, n)}
	var raw, normal record.Interner
	raw.Code("")
	normal.Code("")
	for i := range n {
		if r.Float64() >= filled {
			continue
		}
		v := fmt.Sprintf("%0*x", length, r.IntN(distinct))
		c.Code[i] = normal.Code(v)
		if r.IntN(4) == 0 {
			v = strings.ToUpper(v)
		}
		c.Raw[i] = raw.Code(v)
	}
	c.RawText, _ = raw.Strings()
	c.Normal, _ = normal.Strings()
	c.Count = make([]uint32, c.Normal.Len())
	for _, code := range c.Code {
		c.Count[code]++
	}
	return c
}

func benchIdentities(in *Input, r *rand.Rand) {
	var members [][]uint32
	for rec := range uint32(in.Table.Len()) {
		i := uint32(len(members))
		if i > 0 && r.IntN(2) == 0 {
			i = r.Uint32N(i)
		} else {
			members = append(members, nil)
		}
		members[i] = append(members[i], rec)
		in.Identity = append(in.Identity, i)
	}
	ids := make(texts, len(members))
	for i := range ids {
		ids[i] = fmt.Sprintf("%013x", r.Uint64()>>12)
	}
	in.IDs = ids
	in.FirstSeen, in.LastChanged = make([]int64, len(ids)), make([]int64, len(ids))
	for i, of := range members {
		in.FirstSeen[i], in.LastChanged[i] = in.Table.Created[of[0]], in.Table.Updated[of[len(of)-1]]
		in.Events = append(in.Events, Event{0, uint32(i), None})
	}
	for _, c := range in.Table.Columns {
		g := Golden{Chosen: make([]uint32, len(ids)), Rule: make([]uint8, len(ids))}
		for i, of := range members {
			g.Chosen[i] = None
			for _, rec := range of {
				if c.Code[rec] != 0 {
					g.Chosen[i], g.Rule[i] = rec, uint8(r.IntN(3))
				}
			}
		}
		in.Golden = append(in.Golden, g)
	}
}

// profile is a golden record with its origin, as a server would answer.
type profile struct {
	ID      string           `json:"id"`
	Fields  map[string]value `json:"fields"`
	Records []string         `json:"records"`
}

type value struct {
	Value  string `json:"value"`
	Source string `json:"source"`
	Rule   string `json:"rule"`
}

// appendProfile writes the profile of an identity from the index.
func appendProfile(b []byte, x *Index, i uint32) []byte {
	quote := func(s string) {
		b = append(b, '"')
		b = append(b, s...)
		b = append(b, '"')
	}
	b = append(b, `{"id":`...)
	quote(x.IdentityID(i))
	for c, info := range x.Columns() {
		rec, rule, ok := x.Chosen(c, i)
		if !ok {
			continue
		}
		quote(info.Name)
		quote(x.Raw(c, rec))
		quote(x.Key(rec).Source)
		quote(rule)
	}
	for _, rec := range x.Members(i) {
		quote(x.Key(rec).ID)
	}
	return append(b, '}')
}

func BenchmarkBuild(b *testing.B) {
	in := benchRun()
	b.ReportAllocs()
	var bytes int64
	for b.Loop() {
		dir := b.TempDir()
		written, err := Build(dir, in, 2)
		if err != nil {
			b.Fatal(err)
		}
		bytes = 0
		for _, w := range written {
			bytes += w.Bytes
		}
		os.RemoveAll(dir)
	}
	b.ReportMetric(float64(in.IDs.Len())*float64(b.N)/b.Elapsed().Seconds(), "identities/s")
	b.ReportMetric(float64(bytes)/float64(in.Table.Len()), "B/record")
}

func openBench(b *testing.B) (*Index, *Input) {
	in, dir := benchRun(), b.TempDir()
	if _, err := Build(dir, in, 2); err != nil {
		b.Fatal(err)
	}
	x, err := OpenIndex(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { x.Close() })
	return x, in
}

// timed runs one read after the other and reports their quantiles.
func timed(b *testing.B, read func(n int)) {
	var all []time.Duration
	n := 0
	for b.Loop() {
		begin := time.Now()
		read(n)
		all = append(all, time.Since(begin))
		n++
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds()), "p99-ns")
}

func BenchmarkOpen(b *testing.B) {
	x, _ := openBench(b)
	dir := filepath.Dir(x.files[0].path)
	for b.Loop() {
		x, err := OpenIndex(dir)
		if err != nil {
			b.Fatal(err)
		}
		x.Close()
	}
}

// BenchmarkProfile finds an identity by its id and writes its profile.
func BenchmarkProfile(b *testing.B) {
	x, in := openBench(b)
	r := rand.New(rand.NewPCG(2, 2))
	var buf []byte
	timed(b, func(int) {
		i, _ := x.Find(in.IDs.At(r.Uint32N(uint32(in.IDs.Len()))))
		buf = appendProfile(buf[:0], x, i)
	})
}

// BenchmarkFindNormal finds the records with an e-mail address.
func BenchmarkFindNormal(b *testing.B) {
	x, in := openBench(b)
	r := rand.New(rand.NewPCG(2, 2))
	c := slices.IndexFunc(in.Table.Columns, func(c *record.Column) bool { return c.Field == record.Email })
	list := &in.Table.Columns[c].Normal
	timed(b, func(int) {
		code, _ := x.FindNormal(c, list.At(1+r.Uint32N(uint32(list.Len()-1))))
		_ = x.IdentityOf(x.RecordsWith(c, code)[0])
	})
}

func BenchmarkFindRecord(b *testing.B) {
	x, in := openBench(b)
	r := rand.New(rand.NewPCG(2, 2))
	timed(b, func(int) {
		x.FindRecord(in.Table.Key(r.Uint32N(uint32(in.Table.Len()))))
	})
}

// BenchmarkSQLite is what the index was chosen over: whole profiles as JSON, and
// the keys and identifiers that lead to them, sorted and inserted in bulk,
// then read from a file opened as immutable.
func BenchmarkSQLite(b *testing.B) {
	x, in := openBench(b)
	path := filepath.Join(b.TempDir(), "profiles.db")
	begin := time.Now()
	if err := fillSQLite(path, x); err != nil {
		b.Fatal(err)
	}
	built := time.Since(begin)
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?immutable=1&mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	get, err := db.Prepare("SELECT profile FROM profiles WHERE id = ?")
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(2, 2))
	var text []byte
	timed(b, func(int) {
		if err := get.QueryRow(in.IDs.At(r.Uint32N(uint32(in.IDs.Len())))).Scan(&text); err != nil {
			b.Fatal(err)
		}
	})
	stat, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(in.IDs.Len())/built.Seconds(), "identities/s")
	b.ReportMetric(float64(stat.Size())/float64(in.Table.Len()), "B/record")
}

// fillSQLite writes the profiles and what leads to them, each in order.
func fillSQLite(path string, x *Index) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, s := range []string{"PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA locking_mode = EXCLUSIVE",
		"CREATE TABLE profiles (id TEXT PRIMARY KEY, profile BLOB) WITHOUT ROWID",
		"CREATE TABLE keys (key TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID"} {
		if _, err := db.Exec(s); err != nil {
			return err
		}
	}
	var profiles, keys [][2]string
	for i := range uint32(x.Identities()) {
		profiles = append(profiles, [2]string{x.IdentityID(i), jsonProfile(x, i)})
		for _, rec := range x.Members(i) {
			keys = append(keys, [2]string{"record " + x.Key(rec).String(), x.IdentityID(i)})
			for c, info := range x.Columns() {
				if code := x.Code(c, rec); info.Identifying && code != 0 {
					keys = append(keys, [2]string{info.Name + " " + x.Normal(c, code), x.IdentityID(i)})
				}
			}
		}
	}
	for _, t := range []struct {
		table string
		rows  [][2]string
	}{{"profiles", profiles}, {"keys", keys}} {
		slices.SortFunc(t.rows, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
		t.rows = slices.CompactFunc(t.rows, func(a, b [2]string) bool { return a[0] == b[0] })
		if err := insert(db, t.table, t.rows); err != nil {
			return err
		}
	}
	return nil
}

func insert(db *sql.DB, table string, all [][2]string) error {
	const rows = 50
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	for part := range slices.Chunk(all, rows) {
		args := make([]any, 0, 2*rows)
		for _, r := range part {
			args = append(args, r[0], r[1])
		}
		places := strings.Repeat(",(?,?)", len(part))[1:]
		if _, err := tx.Exec("INSERT INTO "+table+" VALUES "+places, args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func jsonProfile(x *Index, i uint32) string {
	p := profile{ID: x.IdentityID(i), Fields: make(map[string]value)}
	for c, info := range x.Columns() {
		if rec, rule, ok := x.Chosen(c, i); ok {
			p.Fields[info.Name] = value{x.Raw(c, rec), x.Key(rec).Source, rule}
		}
	}
	for _, rec := range x.Members(i) {
		p.Records = append(p.Records, x.Key(rec).String())
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of strings
	}
	return string(text)
}
