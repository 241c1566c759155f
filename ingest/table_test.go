package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sama/ingest/normalize"
	"sama/record"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// rawOf makes a source out of a table of text: the first line names the
// columns, cells are parted by "|".
func rawOf(t testing.TB, source, text string) *Raw {
	var lines [][]string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		var cells []string
		for cell := range strings.SplitSeq(line, "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		lines = append(lines, cells)
	}
	return rawOfRows(t, source, lines[0], lines[1:])
}

func rawOfRows(t testing.TB, source string, names []string, rows [][]string) *Raw {
	r := &Raw{Source: source, Rows: len(rows), Files: []File{{Path: source + ".csv", Format: "csv", Rows: len(rows)}}}
	for k, name := range names {
		var in record.Interner
		c := RawColumn{Name: name, Codes: make([]uint32, len(rows))}
		for i, row := range rows {
			if k < len(row) {
				c.Codes[i] = in.Code(row[k])
			}
		}
		var err error
		if c.Values, err = in.Strings(); err != nil {
			t.Fatal(err)
		}
		r.Columns = append(r.Columns, c)
	}
	return r
}

// build proposes and builds, and checks the table.
func build(t testing.TB, workers int, raws ...*Raw) (*record.Table, *BuildReport) {
	t.Helper()
	m, _ := Propose(raws)
	table, report, err := Build(context.Background(), raws, m, BuildOptions{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	return table, report
}

// dump writes a table as text: a line a record, "column=normal<raw>".
func dump(t *record.Table) string {
	var out strings.Builder
	for i := range uint32(t.Len()) {
		fmt.Fprintf(&out, "%s", t.Key(i))
		for _, c := range t.Columns {
			if c.Raw[i] != 0 {
				fmt.Fprintf(&out, " %s=%s<%s>", c.Name, c.Value(i), c.RawValue(i))
			}
			if c.Generic != nil && c.Generic[c.Code[i]] {
				out.WriteString("!")
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

// compounds are sources, and the tables that they make.
var compounds = []struct{ name, in, want string }{
	{"separate parts of a birth date", `
			id | fname_c1 | fname_c2 | lname_c1 | lname_c2 | by | bm | bd
			1  | ANNA | MARIA | VON  | ESSEN | 1964 | 5 | 11
			2  | OTTO |       | KLEIN |      | 1958 |   |`, `
s:1 given_name=anna maria<ANNA MARIA> family_name=von essen<VON ESSEN> birth_date=19640511<1964-05-11>
s:2 given_name=otto<OTTO> family_name=klein<KLEIN> birth_date=19580000<1958-00-00>
`},
	{"middle initials and titles", `
			id | first_name | middle_initial | last_name
			1  | Dr. Harriet | L | Wilks
			2  | Mr | |  O'Neill Jr`, `
s:1 given_name=harriet l<Dr. Harriet L> family_name=wilks<Wilks>
s:2 given_name=<Mr> family_name=oneill<O'Neill Jr>
`},
	{"full names beside parts", `
			id | full_name | first_name | surname
			1  | caroline elizabeth playne | caroline | playne
			2  | John Keeley | |
			3  | mrs. a. s. blatherwick | mrs. | blatherwick
			4  | Acme Tools Ltd | |
			5  | Keeley | John |`, `
s:1 given_name=caroline elizabeth<caroline elizabeth> family_name=playne<playne>
s:2 given_name=john<John> family_name=keeley<Keeley>
s:3 given_name=a s<a. s.> family_name=blatherwick<blatherwick>
s:4 organization=acme tools<Acme Tools Ltd>
s:5 given_name=john<John>
`},
	{"addresses in one column", `
			id | address | email
			1  | Koivupolku 56 B 7, 90470 VARJAKKA | a.b@firma.fi
			2  | PL 5, 00100 Helsinki | foo
			3  | - | test@test.com`, `
s:1 email=a.b@firma.fi<a.b@firma.fi> street=koivupolku<Koivupolku> house_number=56<56> unit=b7<B 7> postal_code=90470<90470> city=varjakka<VARJAKKA>
s:2 email=<foo> street=po box<PL> house_number=5<5> postal_code=00100<00100> city=helsinki<Helsinki>
s:3 email=<test@test.com>
`},
	{"two address lines, the first a pick-up point", `
			id | address_line1 | address_line2 | zip | town
			1  | c/o R-Kioski | Metsäraitti 1 f 54 | FI-14690 | Torvoila
			2  | Mäkikuja 13 | Apt 5 | 65170 | Vaasa`, `
s:1 street=metsaraitti<Metsäraitti> house_number=1<1> unit=f54<f 54> postal_code=14690<FI-14690> city=torvoila<Torvoila>
s:2 street=makikuja<Mäkikuja> house_number=13<13> unit=5<Apt 5> postal_code=65170<65170> city=vaasa<Vaasa>
`},
	{"two telephones and a null form", `
			id | phone1 | phone2 | gender | plate
			1  | 040 123 4560 | +358501112223 | N | ABC-123
			2  | n/a | 0501112223 | M | hoa-192`, `
s:1 gender=f<N> phone=+358401234560<040 123 4560> phone_2=+358501112223<+358501112223> vehicle_reg=<ABC-123>
s:2 gender=m<M> phone_2=+358501112223<0501112223> vehicle_reg=HOA192<hoa-192>
`},
	{"numbers that tools have changed", `
			id | zip | phone | member_id
			1  | 100.0 | 401234560.0 | 77001.0
			2  | 33880.0 | 501112223.0 | 77002.0
			3  | 2600.0 | 401112233.0 | 77003.0
			4  | 90400.0 | 441112233.0 | 77004.0
			5  | 20100.0 | 451112233.0 | 77005.0`, `
s:1 phone=+358401234560<401234560.0> postal_code=00100<100.0> member_id=77001<77001.0>
s:2 phone=+358501112223<501112223.0> postal_code=33880<33880.0> member_id=77002<77002.0>
s:3 phone=+358401112233<401112233.0> postal_code=02600<2600.0> member_id=77003<77003.0>
s:4 phone=+358441112233<441112233.0> postal_code=90400<90400.0> member_id=77004<77004.0>
s:5 phone=+358451112233<451112233.0> postal_code=20100<20100.0> member_id=77005<77005.0>
`},
}

func TestColumnsAreTakenApartAndPutTogether(t *testing.T) {
	for _, c := range compounds {
		t.Run(c.name, func(t *testing.T) {
			table, _ := build(t, 1, rawOf(t, "s", c.in))
			if diff := cmp.Diff(strings.TrimSpace(c.want), strings.TrimSpace(dump(table))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRowsWithoutAKeyOfTheirOwnAreRejected(t *testing.T) {
	raw := rawOf(t, "crm", `
		id | name
		C2 | Anna Virtanen
		   | Matti Korhonen
		C1 | Maija Niemi
		C2 | Anna Other
		-- | Liisa Laine`)
	m := Mapping{Sources: []SourceMapping{{Source: "crm", Key: "id", Columns: []ColumnMapping{{Column: "name", As: RoleFullName}}}}}
	table, report, err := Build(context.Background(), []*Raw{raw}, m, BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := "crm:-- given_name=liisa<Liisa> family_name=laine<Laine>\ncrm:C1 given_name=maija<Maija> family_name=niemi<Niemi>\ncrm:C2 given_name=anna<Anna> family_name=virtanen<Virtanen>\n"
	if diff := cmp.Diff(want, dump(table)); diff != "" {
		t.Error(diff)
	}
	if report.RejectCount != 2 || len(report.Rejects) != 2 {
		t.Fatalf("rejects: %+v", report.Rejects)
	}
	for i, wantRow := range []int64{2, 4} {
		if r := report.Rejects[i]; r.File != "crm.csv" || r.Row != wantRow || r.Column != "id" || r.Reason == "" {
			t.Errorf("reject %d: %+v", i, r)
		}
	}
	if s := report.Sources[0]; s.Rows != 5 || s.Records != 3 || s.NullKeys != 1 || s.DuplicateKeys != 1 {
		t.Errorf("counts: %+v", s)
	}
}

func TestMappingsThatCannotBeAreRefusedAllAtOnce(t *testing.T) {
	raw := rawOf(t, "crm", "id | name\n1 | Anna")
	m := Mapping{Sources: []SourceMapping{
		{Source: "crm", Key: "nr", Columns: []ColumnMapping{{Column: "nome", As: "text"}, {Column: "name", As: "person"}, {Column: "name", As: "date", Layout: "XYZ"}}},
		{Source: "shop", Key: "id"},
	}}
	_, _, err := Build(context.Background(), []*Raw{raw}, m, BuildOptions{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`"nr"`, `"nome"`, `"person"`, "mapped twice", `"shop"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %s:\n%v", want, err)
		}
	}
	if _, _, err := Build(context.Background(), []*Raw{raw}, Mapping{}, BuildOptions{}); err == nil || !strings.Contains(err.Error(), "crm") {
		t.Errorf("a source without mapping: %v", err)
	}
}

func TestASourceWithoutAKeySaysSo(t *testing.T) {
	raws := []*Raw{rawOf(t, "crm", "name | city\nAnna | Oulu\nAnna | Oulu")}
	m, notes := Propose(raws)
	if len(notes) != 1 || !strings.Contains(notes[0].String(), "--key") {
		t.Errorf("notes: %v", notes)
	}
	if _, _, err := Build(context.Background(), raws, m, BuildOptions{}); err == nil || !strings.Contains(err.Error(), "--key") {
		t.Errorf("error: %v", err)
	}
}

// shuffled returns a source with its rows and columns in another order, and
// with its dictionaries split as several files would split them.
func shuffled(r *Raw, rng *rand.Rand) *Raw {
	out := &Raw{Source: r.Source, Rows: r.Rows, Files: r.Files}
	rows := rng.Perm(r.Rows)
	for _, k := range rng.Perm(len(r.Columns)) {
		c := r.Columns[k]
		n := uint32(c.Values.Len())
		var b record.StringsBuilder
		for copy := range 2 { // every text twice: code and code + n − 1
			for code := uint32(copy); code < n; code++ {
				_, _ = b.Append(c.Values.At(code))
			}
		}
		nc := RawColumn{Name: c.Name, Kind: c.Kind, List: c.List, Values: b.Build()}
		for i, row := range rows {
			code := c.Codes[row]
			if code > 0 && i%2 == 1 {
				code += n - 1
			}
			nc.Codes = append(nc.Codes, code)
		}
		out.Columns = append(out.Columns, nc)
	}
	return out
}

func TestTheTableDependsOnTheValuesAlone(t *testing.T) {
	for _, set := range []string{"fi3silo_dev", "senzing_truthset", "rldata500", "german_time2k", "winkler_census", "epbrn_f"} {
		t.Run(set, func(t *testing.T) {
			raws := loadEval(t, set)
			want, wantReport := build(t, 1, raws...)
			rng := rand.New(rand.NewPCG(1, 2))
			for _, workers := range []int{2, 7} {
				var other []*Raw
				for _, k := range rng.Perm(len(raws)) {
					other = append(other, shuffled(raws[k], rng))
				}
				got, report := build(t, workers, other...)
				sameTable(t, want, got)
				if !cmp.Equal(wantReport.Generic, report.Generic) {
					t.Error("generic values differ")
				}
			}
		})
	}
}

// sameTable compares two tables code by code.
func sameTable(t *testing.T, a, b *record.Table) {
	t.Helper()
	if !slices.Equal(a.Sources, b.Sources) || !slices.Equal(a.Source, b.Source) || !slices.Equal(a.Created, b.Created) || !slices.Equal(a.Updated, b.Updated) || !sameStrings(&a.IDs, &b.IDs) {
		t.Fatal("records differ")
	}
	if len(a.Columns) != len(b.Columns) {
		t.Fatalf("%d and %d columns", len(a.Columns), len(b.Columns))
	}
	for i, c := range a.Columns {
		d := b.Columns[i]
		if c.Name != d.Name || c.Field != d.Field || !slices.Equal(c.Raw, d.Raw) || !slices.Equal(c.Code, d.Code) || !slices.Equal(c.Count, d.Count) ||
			!slices.Equal(c.Sound, d.Sound) || !slices.Equal(c.Generic, d.Generic) || !sameStrings(&c.RawText, &d.RawText) || !sameStrings(&c.Normal, &d.Normal) {
			t.Errorf("column %s (%s) and column %s (%s) differ", c.Name, c.Field, d.Name, d.Field)
		}
	}
}

func sameStrings(a, b *record.Strings) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range uint32(a.Len()) {
		if a.At(i) != b.At(i) {
			return false
		}
	}
	return true
}

// TestSimpleColumnsAreWhatTheirFunctionsSay holds a built table against the
// obvious way: for each row, look the value up and normalise it.
func TestSimpleColumnsAreWhatTheirFunctionsSay(t *testing.T) {
	raws := loadEval(t, "splink_fake1000")
	table, _ := build(t, 0, raws...)
	key := slices.IndexFunc(raws[0].Columns, func(c RawColumn) bool { return c.Name == "record_id" })
	forms := map[string]func(string) string{"email": normalize.Email, "city": normalize.City, "first_name": normalize.GivenName, "surname": normalize.FamilyName,
		"dob": func(s string) string { return normalize.Date(s, normalize.YMD, normalize.DefaultPivot) }}
	fields := map[string]string{"email": "email", "city": "city", "first_name": "given_name", "surname": "family_name", "dob": "birth_date"}
	for _, c := range raws[0].Columns {
		form := forms[c.Name]
		if form == nil {
			continue
		}
		column := table.Named(fields[c.Name])
		for row := range raws[0].Rows {
			k := &raws[0].Columns[key]
			i, ok := table.Find(record.Key{Source: raws[0].Source, ID: k.Values.At(k.Codes[row])})
			if !ok {
				t.Fatal("a record is missing")
			}
			text := c.Values.At(c.Codes[row])
			if want := form(text); column.Value(i) != want {
				t.Errorf("%s: %q became %q, want %q", c.Name, text, column.Value(i), want)
			}
			if want := text; !normalize.Null(text) && column.RawValue(i) != want {
				t.Errorf("%s: raw value of %q is %q", c.Name, text, column.RawValue(i))
			}
		}
	}
}

func TestSharedContactsAndPlaceholdersAreGeneric(t *testing.T) {
	rows := [][]string{}
	surnames := strings.Fields("Virtanen Korhonen Nieminen Laine Salo Niemi Heikkinen")
	for i, s := range surnames {
		rows = append(rows, []string{fmt.Sprint(i), "Anna", s, "varaosat.kone@autotalo.fi", "040 765 4321"})
	}
	rows = append(rows, []string{"a", "Testi", "Asiakas", "x.y@firma.fi", ""}, []string{"b", "Liisa", "Virtanen", "info@firma.fi", ""}, []string{"c", "Liisa", "Salo", "info@firma.fi", ""},
		[]string{"d", "Pekka", "Salo", "pekka@firma.fi", ""}, []string{"e", "Pekka", "Salo", "pekka@firma.fi", ""})
	table, report := build(t, 1, rawOfRows(t, "s", []string{"id", "first_name", "last_name", "email", "phone"}, rows))
	var got []string
	for _, g := range report.Generic {
		got = append(got, fmt.Sprintf("%s %s %d", g.Column, g.Value, g.Records))
	}
	want := []string{"email varaosat.kone@autotalo.fi 7", "email info@firma.fi 2", "family_name asiakas 1", "given_name testi 1", "phone +358407654321 7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c := table.Named("email"); c.Generic == nil || !c.Generic[c.Code[0]] {
		t.Error("the shared address is not marked")
	}
}

func TestListsAreSpread(t *testing.T) {
	raw := rawOfRows(t, "s", []string{"id", "emails", "first_names", "authors"}, [][]string{
		{"1", "a@firma.fi\x1fb@firma.fi\x1f-", "Anna\x1fMaria", "A. Writer\x1fB. Writer"},
		{"2", "c@firma.fi", "Otto", "C. Writer"},
	})
	for i := 1; i < 4; i++ {
		raw.Columns[i].List = true
	}
	m := Mapping{Sources: []SourceMapping{{Source: "s", Key: "id", Columns: []ColumnMapping{{Column: "emails", As: "email"}, {Column: "first_names", As: "given_name"}, {Column: "authors", As: "text"}}}}}
	table, _, err := Build(context.Background(), []*Raw{raw}, m, BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := "s:1 given_name=anna maria<Anna Maria> email=a@firma.fi<a@firma.fi> email_2=b@firma.fi<b@firma.fi> email_3=<-> authors=a writer b writer<A. Writer, B. Writer>\n" +
		"s:2 given_name=otto<Otto> email=c@firma.fi<c@firma.fi> authors=c writer<C. Writer>\n"
	if diff := cmp.Diff(want, dump(table)); diff != "" {
		t.Error(diff)
	}
}

// hostile makes a source whose every column holds values that break things, the
// longest of size bytes.
func hostile(t *testing.T, size int) *Raw {
	big := strings.Repeat("Ä1@.katu 12 B, 00100 ", size/22)
	values := []string{"", " ", "\x00", "\xff\xfe\xfd", big, "\u202eevil\u202c", "e\u0301\u0301\u0301", strings.Repeat("\u0301", 1000), "a\nb", "=cmd()", strings.Repeat(",", 10_000), "١٢٣", "🦄", "00000000", "-"}
	names := []string{"id", "first_name", "surname", "full_name", "dob", "email", "phone", "address", "zip", "city", "ssn", "amount", "created_at", "gender", "company", "x1"}
	var rows [][]string
	for i, v := range values {
		row := []string{fmt.Sprintf("k%02d", i)}
		for range names[1:] {
			row = append(row, v)
		}
		rows = append(rows, row)
	}
	return rawOfRows(t, "s", names, rows)
}

func TestHostileValuesBuild(t *testing.T) {
	build(t, 2, hostile(t, 10<<20))
	raw := hostile(t, 100<<10)
	for _, as := range Roles() {
		m := SourceMapping{Source: "s", Key: "id"}
		for _, c := range raw.Columns[1:] {
			m.Columns = append(m.Columns, ColumnMapping{Column: c.Name, As: as})
		}
		table, _, err := Build(context.Background(), []*Raw{raw}, Mapping{Sources: []SourceMapping{m}}, BuildOptions{})
		if err != nil {
			t.Fatalf("%s: %v", as, err)
		}
		if err := table.Check(); err != nil {
			t.Errorf("%s: %v", as, err)
		}
	}
}

func TestEdgesOfSources(t *testing.T) {
	t.Run("no rows", func(t *testing.T) {
		table, _ := build(t, 2, rawOfRows(t, "a", []string{"id", "email"}, nil), rawOf(t, "b", "id | email\n1 | a@firma.fi"))
		if table.Len() != 1 || len(table.Sources) != 2 {
			t.Errorf("%d records of %v", table.Len(), table.Sources)
		}
	})
	t.Run("all records equal", func(t *testing.T) {
		var rows [][]string
		for i := range 50 {
			rows = append(rows, []string{fmt.Sprint(i), "Anna", "Virtanen"})
		}
		table, _ := build(t, 2, rawOfRows(t, "a", []string{"id", "first_name", "last_name"}, rows))
		if c := table.Column(record.GivenName); c.Count[1] != 50 {
			t.Errorf("counts %v", c.Count)
		}
	})
	t.Run("500 columns", func(t *testing.T) {
		names, row := []string{"id"}, []string{"1"}
		for i := range 499 {
			names, row = append(names, fmt.Sprintf("c%d", i)), append(row, fmt.Sprint("v", i))
		}
		table, _ := build(t, 2, rawOfRows(t, "a", names, [][]string{row}))
		if len(table.Columns) != 499 {
			t.Errorf("%d columns", len(table.Columns))
		}
	})
	t.Run("names that clash", func(t *testing.T) {
		raw := rawOf(t, "a", "id | email | Email | e-mail | phone 2\n1 | a | b | c | d")
		m := Mapping{Sources: []SourceMapping{{Source: "a", Key: "id", Columns: []ColumnMapping{{Column: "email", As: "carried"}, {Column: "Email", As: "text"}, {Column: "e-mail", As: "email"}}}}}
		table, _, err := Build(context.Background(), []*Raw{raw}, m, BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := table.Check(); err != nil {
			t.Error(err)
		}
	})
}

func TestRandomSourcesBuildTheSameInAnyOrder(t *testing.T) {
	pool := []string{"", "Anna", "Matti", "Virtanen", "O'Neill", "1.2.1990", "1990-02-01", "a@firma.fi", "040 123 4560", "Main Street 5", "00100", "Helsinki", "x", "-", "12", "N/A", "ÄÄ", "Oy Firma Ab"}
	names := []string{"first_name", "surname", "name", "dob", "email", "phone", "address", "zip", "city", "note", "x7", "amount"}
	rapid.Check(t, func(rt *rapid.T) {
		columns := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 8, rapid.ID).Draw(rt, "columns")
		n := rapid.IntRange(0, 30).Draw(rt, "rows")
		var rows [][]string
		for i := range n {
			row := []string{fmt.Sprintf("%03d", (i*7)%1000)}
			for range columns {
				row = append(row, rapid.SampledFrom(pool).Draw(rt, "cell"))
			}
			rows = append(rows, row)
		}
		raw := rawOfRows(t, "s", append([]string{"id"}, columns...), rows)
		a, _ := build(t, 1, raw)
		b, _ := build(t, 3, shuffled(raw, rand.New(rand.NewPCG(uint64(n), 5))))
		sameTable(t, a, b)
	})
}
