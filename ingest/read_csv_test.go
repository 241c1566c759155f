package ingest

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

// table writes a source as text: a row a line, cells in brackets.
func table(r *Raw) string {
	var b strings.Builder
	for i := range r.Columns {
		fmt.Fprintf(&b, "[%s]", r.Columns[i].Name)
	}
	for row := range r.Rows {
		b.WriteByte('\n')
		for i := range r.Columns {
			c := &r.Columns[i]
			fmt.Fprintf(&b, "[%s]", strings.ReplaceAll(c.Values.At(c.Codes[row]), ListSeparator, "|"))
		}
	}
	return b.String()
}

// rejectTexts writes rejects as "row column: reason".
func rejectTexts(rejected []Reject) string {
	var lines []string
	for _, r := range rejected {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%d %s", r.Row, r.Column))+": "+r.Reason)
	}
	return strings.Join(lines, "\n")
}

func TestCSV(t *testing.T) {
	for _, c := range []struct{ name, in, want, rejected string }{
		{"comma", "a,b\n1,2\n", "[a][b]\n[1][2]", ""},
		{"no line end at the end", "a,b\n1,2", "[a][b]\n[1][2]", ""},
		{"semicolon, decimal commas", "a;b\n1,5;2,5\n3,5;4,5\n", "[a][b]\n[1,5][2,5]\n[3,5][4,5]", ""},
		{"tab", "a\tb\n1, 2\t3\n", "[a][b]\n[1, 2][3]", ""},
		{"bar", "name|city\nNäsi, Aino|Oulu\n", "[name][city]\n[Näsi, Aino][Oulu]", ""},
		{"Excel's separator line", "sep=;\r\na;b\r\n1;2\r\n", "[a][b]\n[1][2]", ""},
		{"one column", "a\nx\n\ny\n", "[a]\n[x]\n[y]", ""},
		{"byte order mark", "\ufeffa,b\n1,2\n", "[a][b]\n[1][2]", ""},
		{"all line ends", "a,b\r\n1,2\n3,4\r5,6\r\n", "[a][b]\n[1][2]\n[3][4]\n[5][6]", ""},
		{"blank lines", "\n\na,b\n\n1,2\n\r\n\r\n", "[a][b]\n[1][2]", ""},
		{"quotes", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"\"\n", "[a][b]\n[x,y][say \"hi\"]\n[two\nlines][]", ""},
		{"quotes inside a cell", "a,b\n5\" pipe,x\"\"y\n", "[a][b]\n[5\" pipe][x\"\"y]", ""},
		{"header only", "a,b\n", "[a][b]", ""},
		{"header only, no line end", "a,b", "[a][b]", ""},
		{"header names", "a, a ,,a\n1,2,3,4\n", "[a][a_2][column_3][a_3]\n[1][2][3][4]", ""},
		{"separator at the end of rows", "a,b,\n1,2,\n3,4\n", "[a][b]\n[1][2]\n[3][4]", ""},
		{"ragged", "a,b\n1\n1,2\n1,2,3\n1,2,,\n", "[a][b]\n[1][2]\n[1][2]", "1: 1 cells, the header has 2\n3: 3 cells, the header has 2"},
		{"unclosed quote at the end", "a,b\n1,2\n3,\"4\n5,6\n", "[a][b]\n[1][2]\n[5][6]", "2: a quote in this row is never closed"},
		{"unclosed quote closed by another", "a,b\n1,\"2\n3,\"4\"\n5,6\n", "[a][b]\n[3][4]\n[5][6]", "1: text after a closing quote"},
		{"text after a quote", "a,b\n\"x\"y,1\n2,3\n", "[a][b]\n[2][3]", "1: text after a closing quote"},
		{"NUL", "a,b\nx\x00y,\x00\nz,2\n", "[a][b]\n[xy][]\n[z][2]", "1 a: NUL byte, taken out\n1 b: NUL byte, taken out"},
		{"invalid among valid UTF-8", "a,b\nä,\xff\nö,å\n", "[a][b]\n[ä][\uFFFD]\n[ö][å]", "1 b: invalid UTF-8, replaced by U+FFFD"},
		{"right to left and combining", "a,b\nאבג,e\u0301\n", "[a][b]\n[אבג][e\u0301]", ""},
		{"a cell too long", "a,b\n" + strings.Repeat("x", 2000) + ",1\n2,3\n", "[a][b]\n[][1]\n[2][3]", "1 a: value of 2000 bytes; the limit is 1000: taken as null"},
		{"a row too long", "a,b\n" + strings.Repeat("x", 3_000_000) + ",1\n2,3\n", "[a][b]\n[2][3]", "1: the row is longer than 4000 bytes"},
		{"a quote over a long row", "a,b\n\"" + strings.Repeat("x", 3_000_000) + "\n2,3\n", "[a][b]\n[2][3]", "1: the row is longer than 4000 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raws, rejected, err := ReadSources(context.Background(), []Input{{Paths: []string{writeFile(t, "x.csv", []byte(c.in))}}}, ReadOptions{MaxCell: 1000})
			if err != nil {
				t.Fatal(err)
			}
			checkRaw(t, raws[0])
			if got := table(raws[0]); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got := rejectTexts(rejected); got != c.rejected {
				t.Errorf("rejected\n%s\nwant\n%s", got, c.rejected)
			}
		})
	}
}

func TestCSVEncodings(t *testing.T) {
	const text = "nimi;kaupunki\nVäinö Åkerman;Jyväskylä\nŠeikko Žižek;Pietarsaari\n"
	encode := func(e interface{ String(string) (string, error) }) string {
		s, err := e.String(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	utf16le := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder()
	utf16bare := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder()
	late := "a;b\n" + strings.Repeat("x;y\n", 100_000) + "ä;ö\n"
	lateLatin, err := charmap.Windows1252.NewEncoder().String(late)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, in, configured, want, text string }{
		{"utf-8", text, "", "utf-8", text},
		{"utf-8 with a mark", "\ufeff" + text, "", "utf-8", text},
		{"utf-16 with a mark", encode(utf16le), "", "utf-16le", text},
		{"utf-16 without a mark", encode(utf16bare), "", "utf-16be", text},
		{"windows-1252", encode(charmap.Windows1252.NewEncoder()), "", "windows-1252", text},
		{"iso-8859-15", encode(charmap.ISO8859_15.NewEncoder()), "", "iso-8859-15", text},
		{"configured", "", "IBM852", "IBM852", ""},
		{"windows-1252 from row 100,000 on", lateLatin, "", "windows-1252", late},
		{"utf-8 from row 100,000 on", late, "", "utf-8", late},
	} {
		if c.name == "configured" { // code page 852 has no Å
			c.text = strings.ReplaceAll(text, "Å", "A")
			s, err := charmap.CodePage852.NewEncoder().String(c.text)
			if err != nil {
				t.Fatal(err)
			}
			c.in = s
		}
		raws, rejected, err := ReadSources(context.Background(),
			[]Input{{Paths: []string{writeFile(t, "x.csv", []byte(c.in))}, Encoding: c.configured}}, ReadOptions{})
		if err != nil || len(rejected) > 0 {
			t.Fatalf("%s: %v %v", c.name, err, rejected)
		}
		want := "[" + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(c.text, "\n"), ";", "]["), "\n", "]\n[") + "]"
		if got := table(raws[0]); got != want || raws[0].Files[0].Encoding != c.want {
			t.Errorf("%s: read as %s", c.name, raws[0].Files[0].Encoding)
		}
	}
}

func TestCSVCellOfTenMegabytes(t *testing.T) {
	long := strings.Repeat("0123456789", 1<<20)
	raw, rejected := readOne(t, writeFile(t, "x.csv", []byte("a,b\n1,\""+long+"\"\"\n\"\n2,3\n")))
	if got := texts(t, raw, "b"); len(rejected) > 0 || raw.Rows != 2 || got[0] != long+"\"\n" || got[1] != "3" {
		t.Errorf("%d rows, %d rejected", raw.Rows, len(rejected))
	}
}

// Any table that encoding/csv writes is read back, whatever the block borders.
func TestCSVAgreesWithTheStandardLibrary(t *testing.T) {
	cell := rapid.StringOfN(rapid.SampledFrom([]rune("ab,;\"\n \r'ä€")), 0, 12, -1)
	rapid.Check(t, func(rt *rapid.T) {
		width := rapid.IntRange(2, 5).Draw(rt, "width")
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 0, 30).Draw(rt, "rows")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(rt, "crlf")
		header := []string{"id", "two", "three", "four", "five"}[:width]
		for _, row := range append([][]string{header}, rows...) {
			if err := w.Write(row); err != nil {
				rt.Fatal(err)
			}
		}
		w.Flush()
		// The standard reader turns CR LF within a cell into LF: compare with
		// what it reads where that is not at issue.
		want := make([][]string, 0, len(rows))
		for _, row := range rows {
			want = append(want, slices.Clone(row))
			for i, s := range row {
				if w.UseCRLF {
					want[len(want)-1][i] = strings.ReplaceAll(strings.ReplaceAll(s, "\r", ""), "\n", "\r\n")
				}
			}
		}
		raws, rejected, err := ReadSources(context.Background(),
			[]Input{{Paths: []string{writeFile(t, "x.csv", b.Bytes())}, CSV: CSVOptions{Separator: ','}}}, ReadOptions{})
		if err != nil || len(rejected) > 0 {
			rt.Fatalf("%v %v", err, rejected)
		}
		for i := range raws[0].Columns {
			c := &raws[0].Columns[i]
			for k, row := range want {
				if got := c.Values.At(c.Codes[k]); got != row[i] {
					rt.Fatalf("row %d column %d: %q, want %q", k, i, got, row[i])
				}
			}
		}
	})
}

// Rows are the same wherever the blocks end.
func TestCSVRowsAcrossBlocks(t *testing.T) {
	var b, want strings.Builder
	b.WriteString("id,text,long\n")
	want.WriteString("[id][text][long]")
	for i := range 30_000 {
		long := strings.Repeat("z", i%301)
		fmt.Fprintf(&b, "%d,\"a \"\"b\"\"\n%d\",%s\r\n", i, i, long)
		fmt.Fprintf(&want, "\n[%d][a \"b\"\n%d][%s]", i, i, long)
	}
	raw, rejected := readOne(t, writeFile(t, "x.csv", []byte(b.String())))
	if len(rejected) > 0 || table(raw) != want.String() {
		t.Errorf("%d rows, %d rejected", raw.Rows, len(rejected))
	}
}

func TestCSVFilesThatAreErrors(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "the file is empty"},
		{"blank", "\n \n\n", "the file is blank"},
		{"no header", "anna@example.com,Anna\nbert@example.com,Bert\n", "the first row is not a header"},
		{"numbers for a header", "1,2\n3,4\n", "the first row is not a header"},
		{"quote open in the header", "a,\"b\n1,2\n", "has a quote that is not closed"},
		{"workbook", "PK\x03\x04....", "an Excel workbook"},
		{"JSON array", `[{"a": 1}]`, "one JSON array"},
		{"HTML", "<html>", "XML or HTML"},
		{"binary", "a,b\n" + strings.Repeat("\x00\x01\x02\x03", 50), "neither Parquet nor text"},
		{"truncated gzip", string(gzipped(t, []byte(strings.Repeat("a,b\n1,2\n", 9)))[:30]), "the gzip data is cut short"},
		{"Parquet in gzip", string(gzipped(t, []byte("PAR1 and so on"))), "a Parquet file inside gzip"},
		{"empty gzip", string(gzipped(t, nil)), "the file is empty"},
	} {
		_, _, err := ReadSources(context.Background(), []Input{{Paths: []string{writeFile(t, "x.csv", []byte(c.in))}}}, ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "x.csv") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestWhereCountsRejectedRows(t *testing.T) {
	raw, _ := readOne(t, writeFile(t, "x.csv", []byte("a,b\nbad\nbad\n1,1\nbad\n2,2\n3,3\nbad\n")))
	var got []int64
	for row := range raw.Rows {
		_, n := raw.Where(row)
		got = append(got, n)
	}
	if !slices.Equal(got, []int64{3, 5, 6}) || raw.Files[0].Skipped != 4 {
		t.Errorf("data rows %v, %d skipped", got, raw.Files[0].Skipped)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b\n1,\"2\"\n"))
	f.Add([]byte("a;b\r\n\"x\"\"y\";\"\n"))
	f.Add([]byte("sep=|\na|b\n\xff|\x00\n"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzText(t, "x.csv", formatCSV, data) })
}

// fuzzText reads data, and again with more workers: the same must come of it.
func fuzzText(t *testing.T, name, format string, data []byte) {
	in := []Input{{Paths: []string{writeFile(t, name, data)}, Source: "s", Format: format}}
	raws, rejected, err := ReadSources(context.Background(), in, ReadOptions{MaxCell: 64})
	again, rejectedAgain, errAgain := ReadSources(context.Background(), in, ReadOptions{MaxCell: 64, Workers: 3})
	if (err == nil) != (errAgain == nil) {
		t.Fatalf("%v, then %v", err, errAgain)
	}
	if err != nil {
		return
	}
	checkRaw(t, raws[0])
	if table(raws[0]) != table(again[0]) || rejectTexts(rejected) != rejectTexts(rejectedAgain) {
		t.Fatal("two readings differ")
	}
}
