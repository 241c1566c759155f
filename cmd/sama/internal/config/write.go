package config

import (
	"fmt"
	"reflect"
	"strings"

	"sama/graph/golden"
	"sama/ingest"

	"github.com/goccy/go-yaml"
)

// Notes are remarks that [Config.YAML] writes as comments.
type Notes struct {
	Head    []string            // at the top of the file
	Sources map[string][]string // above a source's mapping, by source
	Rules   []string            // behind the blocking rules, by their index
	Joint   string
	Model   []string // in place of what the model section does not say
}

// YAML writes the configuration with comments. Parse reads it as the same
// configuration.
func (c *Config) YAML(n Notes) []byte {
	w := new(writer)
	for _, line := range n.Head {
		w.comment(0, line)
	}
	w.inputs(c.Inputs)
	w.sources(c.Sources, n)
	w.blocking(&c.Blocking, n)
	w.model(&c.Model, n)
	w.clusters(&c.Clusters)
	w.golden(&c.Golden)
	w.section("rejects", "Config.Rejects")
	if c.Rejects.MaxShare != nil {
		w.line(1, "max_share: %v", *c.Rejects.MaxShare)
	} else {
		w.line(1, "max_share: %v", DefaultMaxRejects)
	}
	return []byte(w.String())
}

// writer collects the lines of the file.
type writer struct{ strings.Builder }

func (w *writer) line(indent int, format string, args ...any) {
	w.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

func (w *writer) comment(indent int, text string) {
	w.line(indent, "%s", strings.TrimRight("# "+text, " "))
}

// section begins a top-level key with its description.
func (w *writer) section(key, about string) {
	if w.Len() > 0 {
		w.line(0, "")
	}
	w.comment(0, sentence(descriptions[about]))
	w.line(0, "%s:", key)
}

// option writes a key that is not set, as a comment with what it is for.
func (w *writer) option(indent int, key, example, about string) {
	w.comment(indent, fmt.Sprintf("%s: %s  # %s", key, example, descriptions[about]))
}

func (w *writer) inputs(inputs []Input) {
	if len(inputs) == 0 {
		return
	}
	w.section("inputs", "Config.Inputs")
	for _, in := range inputs {
		w.line(1, "- files: %s", list(in.Files))
		for _, o := range [][2]string{{"source", in.Source}, {"format", in.Format}, {"separator", in.Separator}, {"encoding", in.Encoding}} {
			if o[1] != "" {
				w.line(2, "%s: %s", o[0], scalar(o[1]))
			}
		}
	}
}

func (w *writer) sources(sources []ingest.SourceMapping, n Notes) {
	if len(sources) == 0 {
		return
	}
	w.section("sources", "Config.Sources")
	for _, s := range sources {
		for _, line := range n.Sources[s.Source] {
			w.comment(1, line)
		}
		w.line(1, "- source: %s", scalar(s.Source))
		w.delta(&s)
		if s.Key != "" {
			w.line(2, "key: %s", scalar(s.Key))
		}
		if len(s.Columns) == 0 {
			continue
		}
		w.line(2, "columns:")
		var rows []row
		for _, c := range s.Columns {
			text := fmt.Sprintf("- {column: %s, as: %s", scalar(c.Column), c.As)
			if c.Layout != "" {
				text += ", layout: " + scalar(c.Layout)
			}
			if c.Purpose != "" {
				text += ", purpose: " + scalar(c.Purpose)
			}
			if c.Channel != "" {
				text += ", channel: " + scalar(c.Channel)
			}
			if c.Inverted {
				text += ", inverted: true"
			}
			rows = append(rows, row{text + "}", c.Why})
		}
		w.rows(3, rows)
	}
}

// delta writes how a source's files are to be taken, where they do not hold all.
func (w *writer) delta(s *ingest.SourceMapping) {
	if s.Mode != "" {
		w.line(2, "mode: %s", s.Mode)
	}
	if d := s.Deleted; d != nil {
		text := "column: " + scalar(d.Column)
		if len(d.Values) > 0 {
			text += ", values: " + list(d.Values)
		}
		w.line(2, "deleted: {%s}", text)
	}
	if len(s.Deletes) > 0 {
		w.line(2, "deletes: %s", list(s.Deletes))
	}
}

// row is a line with a remark behind it.
type row struct{ text, remark string }

// rows writes lines with their remarks below each other.
func (w *writer) rows(indent int, rows []row) {
	width := 0
	for _, r := range rows {
		width = max(width, len([]rune(r.text)))
	}
	for _, r := range rows {
		if r.remark == "" {
			w.line(indent, "%s", r.text)
			continue
		}
		pad := strings.Repeat(" ", width-len([]rune(r.text)))
		w.line(indent, "%s%s  # %s", r.text, pad, oneLine(r.remark))
	}
}

func (w *writer) blocking(b *Blocking, n Notes) {
	w.section("blocking", "Config.Blocking")
	if len(b.Rules) > 0 {
		w.comment(1, "without this list each run chooses rules that fit its data")
		w.line(1, "rules:")
		var rows []row
		for i, r := range b.Rules {
			remark := ""
			if i < len(n.Rules) {
				remark = n.Rules[i]
			}
			rows = append(rows, row{"- " + scalar(r), remark})
		}
		w.rows(2, rows)
	} else {
		w.option(1, "rules", "[email, family_name + birth_date]", "Blocking.Rules")
	}
	if len(b.SplitBy) > 0 {
		w.line(1, "split_by: %s", list(b.SplitBy))
	}
	if b.Block > 0 {
		w.line(1, "block: %d", b.Block)
	}
	if b.PairsPerRecord > 0 {
		w.line(1, "pairs_per_record: %v", b.PairsPerRecord)
	}
	if b.MinPairs > 0 {
		w.line(1, "min_pairs: %d", b.MinPairs)
	}
	if len(b.Rules)+len(b.SplitBy)+b.Block == 0 && b.PairsPerRecord == 0 && b.MinPairs == 0 {
		w.empty()
	}
}

// empty ends a section that has comments only: without a value it would be
// null.
func (w *writer) empty() { w.line(1, "{}") }

func (w *writer) model(m *Model, n Notes) {
	w.section("model", "Config.Model")
	for _, line := range n.Model {
		w.comment(1, line)
	}
	if m.File != "" {
		w.line(1, "file: %s", scalar(m.File))
	} else {
		w.option(1, "file", "model.json", "Model.File")
	}
	if m.Method != "" {
		w.line(1, "method: %s", m.Method)
	}
	if m.Classical != nil {
		w.line(1, "classical:")
		w.marshal(2, m.Classical)
	}
	switch {
	case m.Joint != nil:
		w.rows(1, []row{{fmt.Sprintf("joint: {name: %v, address: %v}", m.Joint.Name, m.Joint.Address), n.Joint}})
	case m.File == "" && m.Method == "" && m.Classical == nil:
		w.empty()
	}
}

func (w *writer) clusters(c *Clusters) {
	w.section("clusters", "Config.Clusters")
	if c.Threshold > 0 {
		w.line(1, "threshold: %v", c.Threshold)
	} else {
		w.option(1, "threshold", "0.9", "Clusters.Threshold")
	}
	for _, o := range []struct {
		key, example, about string
		values              []string
	}{{"unique", "[national_id]", "Clusters.Unique", c.Unique}, {"once_per_source", "[crm]", "Clusters.OncePerSource", c.OncePerSource}} {
		if len(o.values) > 0 {
			w.line(1, "%s: %s", o.key, list(o.values))
		} else {
			w.option(1, o.key, o.example, o.about)
		}
	}
	if c.Threshold == 0 && len(c.Unique)+len(c.OncePerSource) == 0 {
		w.empty()
	}
}

func (w *writer) golden(o *golden.Options) {
	w.section("golden", "Config.Golden")
	if reflect.ValueOf(*o).IsZero() {
		w.comment(1, "By default the value of most sources survives, then of most records, then the newest, then the longest.")
		w.comment(1, "An address, and given with family name, come whole from one record.")
		w.comment(1, "fields:  # "+descriptions["Options.Fields"])
		w.comment(1, "  email: [{rule: source_priority, sources: [crm]}, {rule: most_recent}]")
		w.comment(1, "  phone: [{rule: most_recent, time: updated_at}]")
		w.empty()
		return
	}
	w.marshal(1, o)
}

// scalar writes a text so that YAML reads the same text.
func scalar(s string) string {
	plainText := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r == '_' || r == '.' || r == '+' || r == ' ' || r == '/' || r == '-' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0xa0)
	}) < 0
	if plainText && !strings.HasPrefix(s, "-") && strings.TrimSpace(s) == s {
		var back any
		if yaml.Unmarshal([]byte(s), &back) == nil {
			if text, ok := back.(string); ok && text == s {
				return s
			}
		}
	}
	return quote(s)
}

// quote writes a text in double quotes.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f || r >= 0x80 && r <= 0xa0 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func list(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = scalar(v)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// yamlKey returns the key of a struct's field.
func yamlKey(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}
