package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sama/graph/golden"
	"sama/ingest"
	"sama/match"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// text draws strings that YAML might take for something else.
func text() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringN(1, 12, -1),
		rapid.SampledFrom([]string{"yes", "no", "null", "~", "1", "1e5", "0x1f", "2020-01-01", "- a", "a: b", "a #b", "# a", "'", `"`, `\`, "{a}", "[b]", "*x", "&x", "!t", "|", ">", "%", "@", "`", " a", "a ", "a\nb", "a\tb", "Ö", "\u00a0", "\ufeff", "true", "=", "<<", "?", "? a", ":", "a:", ".inf", "12:30:45", "+1", "-", "--- ", "..."}),
	)
}

// anyConfig draws a configuration with something in every part.
func anyConfig(t *rapid.T) Config {
	texts := rapid.SliceOfN(text(), 0, 3)
	some := rapid.SliceOfN(text(), 1, 3)
	share := rapid.Float64Range(0, 1).Draw(t, "share")
	c := Config{
		Blocking: Blocking{
			Rules: texts.Draw(t, "rules"), SplitBy: texts.Draw(t, "split"), Block: rapid.SampledFrom([]int{0, 2, 60}).Draw(t, "block"),
			PairsPerRecord: rapid.SampledFrom([]float64{0, 0.5, 14}).Draw(t, "pairs"), MinPairs: rapid.SampledFrom([]int64{0, 1, 1e9}).Draw(t, "least"),
		},
		Clusters: Clusters{Threshold: rapid.SampledFrom([]float64{0, 0.25, 0.999}).Draw(t, "threshold"), Unique: texts.Draw(t, "unique"), OncePerSource: texts.Draw(t, "once")},
		Rejects:  Rejects{MaxShare: &share},
	}
	for range rapid.IntRange(0, 2).Draw(t, "inputs") {
		c.Inputs = append(c.Inputs, Input{
			Files: some.Draw(t, "files"), Source: rapid.SampledFrom([]string{"", "crm", "1", "a.b-c_d"}).Draw(t, "source"),
			Format: rapid.SampledFrom([]string{"", "csv"}).Draw(t, "format"), Separator: rapid.SampledFrom([]string{"", ";", "\t", "|", "§"}).Draw(t, "separator"),
			Encoding: rapid.SampledFrom([]string{"", "windows-1252"}).Draw(t, "encoding"),
		})
	}
	for range rapid.IntRange(0, 2).Draw(t, "sources") {
		s := ingest.SourceMapping{Source: text().Draw(t, "source"), Key: text().Draw(t, "key")}
		for range rapid.IntRange(0, 3).Draw(t, "columns") {
			s.Columns = append(s.Columns, ingest.ColumnMapping{Column: text().Draw(t, "column"), As: rapid.SampledFrom(ingest.Roles()).Draw(t, "as"),
				Layout:  rapid.SampledFrom([]string{"", "DMY", "NO"}).Draw(t, "layout"),
				Purpose: rapid.SampledFrom([]string{"", "marketing", "no"}).Draw(t, "purpose"), Channel: rapid.SampledFrom([]string{"", "sms", "on"}).Draw(t, "channel"), Inverted: rapid.Bool().Draw(t, "inverted")})
		}
		if rapid.Bool().Draw(t, "delta") {
			s.Mode, s.Deletes = ingest.ModeDelta, some.Draw(t, "deletes")
			if len(s.Deletes) == 0 {
				s.Deletes = nil
			}
			s.Deleted = &ingest.DeleteMark{Column: text().Draw(t, "mark"), Values: []string{text().Draw(t, "value")}}
		}
		c.Sources = append(c.Sources, s)
	}
	switch rapid.IntRange(0, 2).Draw(t, "model") {
	case 1:
		c.Model = Model{File: text().Draw(t, "file")}
	case 2:
		c.Model = Model{Joint: &match.Joint{Name: rapid.Bool().Draw(t, "name"), Address: rapid.Bool().Draw(t, "address")}}
	}
	if rapid.Bool().Draw(t, "golden") {
		c.Golden = golden.Options{
			Groups:  []golden.Group{{Columns: []string{text().Draw(t, "one"), text().Draw(t, "two")}}},
			Fields:  map[string][]golden.Rule{text().Draw(t, "field"): {{Kind: golden.SourcePriority, Sources: some.Draw(t, "order"), Only: true}}},
			Default: []golden.Rule{{Kind: golden.Trust, Trust: map[string]int{text().Draw(t, "trusted"): 3}, Decay: "linear", Days: 7}, {Kind: golden.MostFrequent, By: "records"}},
		}
	}
	return c
}

// anyNotes draws comments, line breaks in them included.
func anyNotes(t *rapid.T, c *Config) Notes {
	n := Notes{Joint: text().Draw(t, "joint note"), Sources: map[string][]string{}}
	for range c.Blocking.Rules {
		n.Rules = append(n.Rules, text().Draw(t, "rule note"))
	}
	return n
}

func TestWhatIsWrittenIsReadAsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyConfig(t)
		written := want.YAML(anyNotes(t, &want))
		got, err := Parse("sama.yaml", written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		empty := cmp.FilterValues(func(a, b []string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Comparer(func(a, b []string) bool { return true }))
		if diff := cmp.Diff(want, got.Config, empty); diff != "" {
			t.Fatalf("read back (-want +got):\n%s\n%s", diff, written)
		}
	})
}

func TestAnythingElseIsAnErrorOrAConfiguration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyConfig(t)
		written := []byte(c.YAML(Notes{}))
		for range rapid.IntRange(1, 8).Draw(t, "mutations") {
			at := rapid.IntRange(0, len(written)).Draw(t, "at")
			junk := rapid.SampledFrom([]string{"", ":", "- ", "\n", "  ", "\t", "{", "]", "\"", "&a ", "*a", "!!x ", "\x00", "\xff", "|", "? "}).Draw(t, "junk")
			end := min(len(written), at+rapid.IntRange(0, 5).Draw(t, "cut"))
			written = append(append(append([]byte{}, written[:at]...), junk...), written[end:]...)
		}
		_, err := Parse("sama.yaml", written)
		var list *Errors
		if err != nil && !errors.As(err, &list) {
			t.Fatalf("%T is not *Errors: %v", err, err)
		}
		if list != nil {
			for _, e := range list.List {
				if e.Line < 1 || e.Column < 1 || e.Text == "" {
					t.Fatalf("no place or no text: %#v\n%s", e, written)
				}
			}
		}
	})
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"# nothing\n", nil},
		{"sources:\n  - key: id\n    columns: []\n", []string{"f.yaml:2:5: sources[0]: missing: source"}},
		{"clusters:\n  threshold: 1\n", []string{"f.yaml:2:14: clusters.threshold: is 1, want less than 1"}},
		{"clusters:\n  threshold: 0\n", []string{"f.yaml:2:14: clusters.threshold: is 0, want more than 0"}},
		{"blocking: {rules: email, block: 2.5}\n", []string{
			"f.yaml:1:19: blocking.rules: is a text, want a list", "f.yaml:1:33: blocking.block: is a number, want a whole number"}},
		{"inputs:\n  - files: []\n    separator: ab\n    format: excel\n    source: a b\n", []string{
			"f.yaml:2:12: inputs[0].files: has 0 elements, want at least 1",
			"f.yaml:3:16: inputs[0].separator: want one character",
			"f.yaml:4:13: inputs[0].format: is excel, want one of parquet, csv, jsonl",
			`f.yaml:5:13: inputs[0].source: is "a b", want letters, digits, _, - and . only`}},
		{"model:\n", []string{"f.yaml:1:8: model: is empty, want a group of keys"}},
		{"golden:\n  default: [{rule: newest}]\n", []string{"f.yaml:2:20: golden.default[0].rule: is newest, want one of source_priority, most_recent, first_seen, most_frequent, longest, most_complete, trust, aggregate, smallest"}},
		{"a: &x 1\nb: *x\n", []string{"f.yaml:1:4: a: anchors, aliases and tags are not used here; write the value out", "f.yaml:2:4: b: anchors, aliases and tags are not used here; write the value out"}},
		{"rejects: {max_share: 0.1, max_share: 0.2}\n", []string{"f.yaml:1:27: rejects.max_share: given twice, first in line 1"}},
		{"- 1\n", []string{"f.yaml:1:1: is a list, want a group of keys"}},
		{"rejects: {}\n---\nrejects: {}\n", []string{"f.yaml:3:1: a second document; a configuration is one"}},
	} {
		_, err := Parse("f.yaml", []byte(c.text))
		var got []string
		if err != nil {
			got = strings.Split(err.Error(), "\n")
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	schema := string(Schema())
	for _, part := range []string{"Config", "Input", "Blocking", "Model", "Clusters", "Rejects", "SourceMapping", "ColumnMapping", "DeleteMark", "Rule", "Group", "Options"} {
		if !strings.Contains(schema, fmt.Sprintf("%q: {", part)) {
			t.Errorf("the schema has no part %s", part)
		}
	}
	for key := range descriptions {
		if descriptions[key] == "" || strings.HasSuffix(descriptions[key], ".") {
			t.Errorf("%s: description %q", key, descriptions[key])
		}
	}
}
