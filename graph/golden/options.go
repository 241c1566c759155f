package golden

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sama/record"
)

// Options say which value survives. The zero value is the default for every
// field.
type Options struct {
	// Groups are columns whose values all come from one record. A column is in
	// one group at most. None means the address parts (street, house_number,
	// unit, postal_code, city, region) and the name (given_name, family_name),
	// and so on for street_2 … and given_name_2 ….
	Groups []Group `yaml:"groups,omitempty" json:"groups,omitempty"`
	// Ungrouped says that every column is decided by itself.
	Ungrouped bool `yaml:"ungrouped,omitempty" json:"ungrouped,omitempty"`
	// Fields gives the rules of a column by its name, or of all columns of a
	// field by the field's name; the column's name goes first.
	Fields map[string][]Rule `yaml:"fields,omitempty" json:"fields,omitempty"`
	// Default are the rules of all other columns and groups. None means
	// most_frequent by sources, most_frequent by records, most_recent,
	// most_complete (in groups), longest; with most_recent first for
	// updated_at and language, and first_seen first for created_at. Columns
	// of consents are no others: unless Fields says more, they have smallest alone,
	// so that deny goes before grant.
	Default []Rule `yaml:"default,omitempty" json:"default,omitempty"`
}

// Group is a set of columns that are decided together.
type Group struct {
	Columns []string `yaml:"columns" json:"columns"`
	Rules   []Rule   `yaml:"rules,omitempty" json:"rules,omitempty"` // none: the default
}

// Rule is one step of a cascade.
type Rule struct {
	Kind Kind `yaml:"rule" json:"rule"`

	// Sources is the order of source_priority, best first.
	Sources []string `yaml:"sources,omitempty" json:"sources,omitempty"`
	// Only bars the sources that source_priority does not list: their values
	// never win. Otherwise they come last.
	Only bool `yaml:"only,omitempty" json:"only,omitempty"`

	// By says what most_frequent counts: "sources" (the default) or "records".
	By string `yaml:"by,omitempty" json:"by,omitempty"`

	// Time is the time that most_recent, first_seen and the decay of trust go
	// by: "updated_at", "created_at", or the name of a date column. By default
	// first_seen takes created_at, else updated_at, and the others updated_at,
	// else created_at.
	Time string `yaml:"time,omitempty" json:"time,omitempty"`

	// Trust is the trust in each source, 0 to 100; 0 for sources not listed.
	Trust map[string]int `yaml:"trust,omitempty" json:"trust,omitempty"`
	// Decay is how trust falls with the record's age, counted from the newest
	// time in the table: "linear", to nothing over Days, or "half_life", by half
	// every Days. "" is no decay. A record without a time is trusted 0 then.
	Decay string `yaml:"decay,omitempty" json:"decay,omitempty"`
	Days  int    `yaml:"days,omitempty" json:"days,omitempty"`
}

// Kind is what decided, or a rule's measure.
type Kind uint8

// What can decide. The first four are no rules of a cascade.
const (
	NoValue   Kind = iota // the cluster has no value
	Fixed                 // a fixed choice
	OnlyValue             // there was one candidate
	Generic               // only generic values were there
	SourcePriority
	MostRecent
	FirstSeen
	MostFrequent
	Longest
	MostComplete
	Trust
	Aggregate
	Smallest
	kinds
)

var kindNames = [kinds]string{
	"no_value", "fixed", "only_value", "generic", "source_priority", "most_recent", "first_seen",
	"most_frequent", "longest", "most_complete", "trust", "aggregate", "smallest",
}

// KindNames returns the name of every Kind, by its number.
func KindNames() []string { return slices.Clone(kindNames[:]) }

// String returns the kind's name as configuration and output write it.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It reads the kinds that
// are rules.
func (k *Kind) UnmarshalText(text []byte) error {
	at := slices.Index(kindNames[:], string(text))
	if at < int(SourcePriority) {
		return fmt.Errorf("unknown survivorship rule %q; the rules are %s", text, strings.Join(kindNames[SourcePriority:], ", "))
	}
	*k = Kind(at)
	return nil
}

// Validate returns everything that is wrong with the options for a table, or
// nil.
func (o *Options) Validate(t *record.Table) error {
	var bad []error
	check := func(where string, rules []Rule) {
		for i := range rules {
			for _, err := range rules[i].problems(t) {
				bad = append(bad, fmt.Errorf("golden: %s: rule %d, %v: %w", where, i+1, rules[i].Kind, err))
			}
		}
	}
	check("default", o.Default)
	names := make([]string, 0, len(o.Fields))
	for name := range o.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, err := record.ParseField(name); err != nil && t.Named(name) == nil {
			bad = append(bad, fmt.Errorf("golden: fields: %q is neither a field nor a column; the columns are %s", name, columnNames(t)))
		}
		check(name, o.Fields[name])
	}
	if o.Ungrouped && len(o.Groups) > 0 {
		bad = append(bad, errors.New("golden: ungrouped goes with no groups"))
	}
	grouped := make(map[string]int)
	for i, g := range o.Groups {
		where := fmt.Sprintf("group %d", i+1)
		if len(g.Columns) < 2 {
			bad = append(bad, fmt.Errorf("golden: %s: %d columns; a group has two or more", where, len(g.Columns)))
		}
		for _, name := range g.Columns {
			if t.Named(name) == nil {
				bad = append(bad, fmt.Errorf("golden: %s: no column %q; the columns are %s", where, name, columnNames(t)))
			}
			if before, ok := grouped[name]; ok {
				bad = append(bad, fmt.Errorf("golden: %s: column %q is in group %d already", where, name, before))
			}
			grouped[name] = i + 1
		}
		check(where, g.Rules)
	}
	return errors.Join(bad...)
}

func columnNames(t *record.Table) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// problems returns what is wrong with one rule.
func (r *Rule) problems(t *record.Table) (bad []error) {
	say := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	if r.Kind < SourcePriority || r.Kind >= kinds {
		say("it is not a rule; the rules are %s", strings.Join(kindNames[SourcePriority:], ", "))
	}
	if (r.Kind == SourcePriority) != (len(r.Sources) > 0) {
		say("sources go with source_priority, and it needs them")
	}
	listed := make(map[string]bool)
	for _, s := range r.Sources {
		if !slices.Contains(t.Sources, s) {
			say("no source %q; the sources are %s", s, strings.Join(t.Sources, ", "))
		}
		if listed[s] {
			say("source %q is there twice", s)
		}
		listed[s] = true
	}
	if r.Only && r.Kind != SourcePriority {
		say("only goes with source_priority")
	}
	if r.By != "" && r.Kind != MostFrequent || r.By != "" && r.By != "sources" && r.By != "records" {
		say("by: %q; most_frequent counts by sources or by records", r.By)
	}
	if r.Time != "" {
		if r.Kind != MostRecent && r.Kind != FirstSeen && r.Kind != Trust {
			say("time goes with most_recent, first_seen and trust")
		}
		if c := t.Named(r.Time); r.Time != "updated_at" && r.Time != "created_at" && (c == nil || c.Field != record.Date) {
			say("time: %q is not updated_at, created_at or a date column", r.Time)
		}
	}
	return append(bad, r.trustProblems(t)...)
}

func (r *Rule) trustProblems(t *record.Table) (bad []error) {
	say := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	if (r.Kind == Trust) != (len(r.Trust) > 0) {
		say("a table of trust goes with the rule trust, and it needs one")
	}
	sources := make([]string, 0, len(r.Trust))
	for s := range r.Trust {
		sources = append(sources, s)
	}
	slices.Sort(sources)
	for _, s := range sources {
		if !slices.Contains(t.Sources, s) {
			say("no source %q; the sources are %s", s, strings.Join(t.Sources, ", "))
		}
		if v := r.Trust[s]; v < 0 || v > 100 {
			say("trust of %q is %d; it must be 0 to 100", s, v)
		}
	}
	switch r.Decay {
	case "":
		if r.Days != 0 {
			say("days go with decay")
		}
	case "linear", "half_life":
		if r.Kind != Trust || r.Days <= 0 {
			say("decay goes with trust and needs days above 0")
		}
	default:
		say("decay: %q is not linear or half_life", r.Decay)
	}
	return bad
}
