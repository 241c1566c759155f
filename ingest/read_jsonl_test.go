package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestJSONLines(t *testing.T) {
	for _, c := range []struct{ name, in, want, rejected string }{
		{"scalars", `{"a":"x","b":12.50,"c":true,"d":null,"e":-0}`, "[a][b][c][d][e]\n[x][12.50][true][][-0]", ""},
		{"missing and late names", "{\"a\":1}\n{\"b\":2}\n{\"b\":3,\"a\":4}\n{}\n", "[a][b]\n[1][]\n[][2]\n[4][3]\n[][]", ""},
		{"spaces, blank lines, CR LF", " { \"a\" : 1 , \"b\" : \"x\" } \r\n\n\t\n{\"a\":2,\"b\":\"y\"}", "[a][b]\n[1][x]\n[2][y]", ""},
		{"escapes", `{"a":"\u00e4\n\"\\\/\t","b":"\ud83d\ude00","c":"\ud83dx"}`, "[a][b][c]\n[ä\n\"\\/\t][😀][\uFFFDx]", ""},
		{"big integers stay exact", `{"a":12345678901234567890123}`, "[a]\n[12345678901234567890123]", ""},
		{"lists", "{\"a\":[\"x\",1,null,\"\",true]}\n{\"a\":[]}\n{\"a\":\"y\"}", "[a]\n[x|1|true]\n[]\n[y]", ""},
		{"an object flattens", `{"a":{"b":1,"c":"x"},"d":2}`, "[a.b][a.c][d]\n[1][x][2]", ""},
		{"a list of objects", `{"p":[{"n":"1","t":"home"},{"n":null,"t":"work"},{"n":"3"},{}],"q":[{}],"r":2}` + "\n" + `{"p":[]}` + "\n" + `{"p":[{"n":4},"5"]}`,
			"[p.n][p.t][r][p]\n[1|3][home|work][2][]\n[][][][]\n[4][][][5]", ""},
		{"deeper is JSON", `{"a":{"b":{"c": 1},"d":2,"l":[1,{"x":[]}]},"e":[[1,"\u00e4"],2],"f":[{"g":{"h":[1]},"i":["x"]},{"g":7}]}`,
			`[a.b][a.d][a.l][e][f.g][f.i]` + "\n" + `[{"c": 1}][2][1|{"x":[]}][[1,"\u00e4"]|2][{"h":[1]}|7][["x"]]`, ""},
		{"a name twice in lists", `{"p":[{"n":1,"n":2}]}` + "\n" + `{"p":[{"n":1}],"p.n":2}` + "\n" + `{"p.n":2,"p":[{"n":1}]}` + "\n" + `{"p":[1],"p":[2]}` + "\n" + `{"p":[{"n":1}],"p":[{"n":2}]}` + "\n" + `{"p":[{"n":5},{"n":6}]}`,
			"[p.n]\n[5|6]",
			"1: the name \"p.n\" is there twice\n2: the name \"p.n\" is there twice\n3: the name \"p.n\" is there twice\n4: the name \"p\" is there twice\n5: the name \"p.n\" is there twice"},
		{"malformed rows", "{\"a\":1}\n{\"a\":}\n[1]\n{\"a\":01}\n{\"a\":1} x\n{\"a\":2", "[a]\n[1]",
			"2: not valid JSON at byte 6: a value is missing\n3: not a JSON object\n4: not valid JSON at byte 8: a number is malformed\n5: not valid JSON at byte 9: text after the end of the object\n6: not valid JSON at byte 7: ',' is missing"},
		{"a name twice", "{\"a\":1,\"a\":2}\n{\"a\":3}", "[a]\n[3]", "1: the name \"a\" is there twice"},
		{"a rejected row leaves nothing", "{\"a\":1}\n{\"zz\":{\"b\":{}},\"p\":[{\"n\":1}],\"a\":}\n", "[a]\n[1]", "2: not valid JSON at byte 34: a value is missing"},
		{"invalid UTF-8 and NUL", "{\"a\":\"ä\"}\n{\"a\":\"\xff\"}\n{\"a\":\"x\\u0000y\"}\n", "[a]\n[ä]\n[\uFFFD]\n[xy]", "2 a: invalid UTF-8, replaced by U+FFFD\n3 a: NUL byte, taken out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, rejected := readOne(t, writeFile(t, "x.jsonl", []byte(c.in)))
			checkRaw(t, raw)
			if got := table(raw); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got := rejectTexts(rejected); got != c.rejected {
				t.Errorf("rejected\n%s\nwant\n%s", got, c.rejected)
			}
		})
	}
}

func TestJSONLinesKinds(t *testing.T) {
	raw, _ := readOne(t, writeFile(t, "x.jsonl", []byte(
		"{\"i\":1,\"f\":1,\"b\":true,\"t\":\"1\",\"m\":1,\"l\":[1],\"n\":null}\n{\"i\":null,\"f\":1.5,\"b\":false,\"t\":\"x\",\"m\":\"x\",\"l\":[2,3]}\n")))
	want := []Kind{KindInteger, KindFloat, KindBool, KindText, KindText, KindInteger, KindText}
	for i, c := range raw.Columns {
		if c.Kind != want[i] || c.List != (c.Name == "l") {
			t.Errorf("%s: kind %d, list %v", c.Name, c.Kind, c.List)
		}
	}
}

// A rejected row does not change what the columns are.
func TestJSONLinesKindsAreThoseOfTheRowsTaken(t *testing.T) {
	raw, _ := readOne(t, writeFile(t, "x.jsonl", []byte("{\"i\":1,\"s\":1}\n{\"i\":\"x\",\"s\":[1],\"i\":2}\n")))
	for _, c := range raw.Columns {
		if c.Kind != KindInteger || c.List {
			t.Errorf("%s: kind %d, list %v", c.Name, c.Kind, c.List)
		}
	}
}

func TestJSONPrettyPrintedIsAnError(t *testing.T) {
	err := readError(t, "x.json", "{\n  \"a\": 1\n}\n")
	if !strings.Contains(err, "write each record on one line") {
		t.Error(err)
	}
}

// Any objects that encoding/json writes are read as it reads them.
func TestJSONLinesAgreeWithTheStandardLibrary(t *testing.T) {
	value := rapid.OneOf(
		rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
		rapid.Float64Range(-1e9, 1e9).AsAny(),
	)
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "ä\"", "d.e"}), value, 0, 4), 1, 20).Draw(rt, "rows")
		var b bytes.Buffer
		for _, row := range rows {
			if err := json.NewEncoder(&b).Encode(row); err != nil {
				rt.Fatal(err)
			}
		}
		raw, _ := readOne(t, writeFile(t, "x.jsonl", b.Bytes()))
		if raw.Rows != len(rows) {
			rt.Fatalf("%d rows of %d", raw.Rows, len(rows))
		}
		d := json.NewDecoder(&b)
		d.UseNumber()
		for i := range rows {
			var want map[string]any
			if err := d.Decode(&want); err != nil {
				rt.Fatal(err)
			}
			for k := range raw.Columns {
				c := &raw.Columns[k]
				text := ""
				if v := want[c.Name]; v != nil {
					text = strings.ReplaceAll(fmt.Sprint(v), "\x00", "")
				}
				if got := c.Values.At(c.Codes[i]); got != text {
					rt.Fatalf("row %d %s: %q, want %q", i, c.Name, got, text)
				}
			}
		}
	})
}

// Nested values become the columns that a slow reading of the standard library's
// objects makes of them.
func TestJSONLinesFlattenAsDescribed(t *testing.T) {
	scalar := rapid.OneOf(rapid.StringMatching(`[a-zä"\\]{0,3}`).AsAny(), rapid.IntRange(-9, 9).AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil))
	value := scalar
	for range 4 {
		inner := value
		value = rapid.OneOf(scalar,
			rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), inner, 0, 3).AsAny(), rapid.SliceOfN(inner, 0, 3).AsAny())
	}
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rapid.MapOfN(rapid.SampledFrom([]string{"x", "y", "z"}), value, 0, 3), 1, 5).Draw(rt, "rows")
		var b bytes.Buffer
		var want []map[string]string
		for _, row := range rows {
			text, err := json.Marshal(row)
			if err != nil {
				rt.Fatal(err)
			}
			b.Write(append(text, '\n'))
			want = append(want, flattened(rt, text))
		}
		raw, rejected := readOne(t, writeFile(t, "x.jsonl", b.Bytes()))
		if raw.Rows != len(rows) || len(rejected) > 0 {
			rt.Fatalf("%d rows of %d; rejected %s", raw.Rows, len(rows), rejectTexts(rejected))
		}
		for i := range rows {
			for _, c := range raw.Columns {
				if got := c.Values.At(c.Codes[i]); got != want[i][c.Name] {
					rt.Fatalf("row %d %s: %q, want %q", i, c.Name, got, want[i][c.Name])
				}
				delete(want[i], c.Name)
			}
			for name, text := range want[i] {
				rt.Fatalf("row %d: no column %s, want %q in it", i, name, text)
			}
		}
	})
}

// flattened returns the values of an object by column; those without a text
// are left out.
func flattened(t *rapid.T, text []byte) map[string]string {
	columns := make(map[string][]string)
	decode := func(text []byte, to any) {
		if err := json.Unmarshal(text, to); err != nil {
			t.Fatal(err)
		}
	}
	add := func(name string, v json.RawMessage) {
		switch text := string(v); {
		case text == "null" || text == `""`:
		case v[0] == '"':
			decode(v, &text)
			fallthrough
		default:
			columns[name] = append(columns[name], text)
		}
	}
	each := func(v json.RawMessage, do func(name string, v json.RawMessage)) {
		var fields map[string]json.RawMessage
		decode(v, &fields)
		for name, v := range fields {
			do(name, v)
		}
	}
	list := func(name string, v json.RawMessage, apart bool) {
		var items []json.RawMessage
		decode(v, &items)
		for _, item := range items {
			if apart && item[0] == '{' {
				each(item, func(field string, v json.RawMessage) { add(name+"."+field, v) })
				continue
			}
			add(name, item)
		}
	}
	each(text, func(name string, v json.RawMessage) {
		switch v[0] {
		case '{':
			each(v, func(field string, v json.RawMessage) {
				if v[0] == '[' {
					list(name+"."+field, v, false)
					return
				}
				add(name+"."+field, v)
			})
		case '[':
			list(name, v, true)
		default:
			add(name, v)
		}
	})
	joined := make(map[string]string)
	for name, texts := range columns {
		joined[name] = strings.Join(texts, ListSeparator)
	}
	return joined
}

func FuzzJSONLines(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":["x",null],"c":{"d":"\u00e4"}}`))
	f.Add([]byte(`{"p":[{"n":"1","t":{"u":[]}},{"n":2},"x",[1]],"q":{"r":[{"s":1}]}}`))
	f.Add([]byte("{\"a\":\"\xff\\ud83d\"}\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzText(t, "x.jsonl", formatJSONL, data) })
}
