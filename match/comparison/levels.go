package comparison

import (
	"fmt"
	"slices"
	"strings"

	"sama/record"
)

// LevelSpec is a comparison as a user writes it: an ordered list of levels over
// one column or a few. The first level that holds is taken; a last level
// "differ" is added for the pairs that reach none. Where every column is null
// on one side or the other, the pair has no evidence (level 0).
//
//	columns: [given_name]
//	levels:
//	  - {is: exact, term_frequency: true}
//	  - {is: jaro_winkler, at_least: 0.92}
//	  - {is: damerau_levenshtein, at_most: 1}
type LevelSpec struct {
	// Name is unique in a plan; left out, it is the columns' names.
	Name    string      `json:"name,omitempty" yaml:"name,omitempty"`
	Columns []string    `json:"columns" yaml:"columns"`
	Levels  []LevelRule `json:"levels" yaml:"levels"`
	// TermFrequencyFloor is the least share of the records that term_frequency
	// takes a value to have, so that a value carried once does not weigh more
	// than this says.
	TermFrequencyFloor float64 `json:"term_frequency_floor,omitempty" yaml:"term_frequency_floor,omitempty"`
}

// LevelRule is one level: one condition, or several under all.
type LevelRule struct {
	Label     string `json:"label,omitempty" yaml:"label,omitempty"`
	Condition `yaml:",inline"`
	All       []Condition `json:"all,omitempty" yaml:"all,omitempty"`
	// TermFrequency weighs the level by how rare the value is: a rare value in
	// common says more. Of two different values the more frequent one counts. The
	// comparison must also have an exact level on the same column alone.
	TermFrequency bool `json:"term_frequency,omitempty" yaml:"term_frequency,omitempty"`
}

// Condition is a predicate on the normal forms of two records. It is symmetric,
// and false where a value that it needs is null.
type Condition struct {
	Is     Predicate `json:"is,omitempty" yaml:"is,omitempty"`
	Column string    `json:"column,omitempty" yaml:"column,omitempty"` // left out, the first of the comparison
	With   string    `json:"with,omitempty" yaml:"with,omitempty"`     // swapped: the other column
	// AtLeast is a similarity, 0 to 1; AtMost a distance, or a number of units;
	// Below a relative difference.
	AtLeast float64  `json:"at_least,omitempty" yaml:"at_least,omitempty"`
	AtMost  float64  `json:"at_most,omitempty" yaml:"at_most,omitempty"`
	Unit    DateUnit `json:"unit,omitempty" yaml:"unit,omitempty"`
	Below   float64  `json:"below,omitempty" yaml:"below,omitempty"`
}

// Predicate says what a condition asks.
type Predicate uint8

// The predicates. String metrics count code points, as package strsim does.
const (
	NoPredicate          Predicate = iota
	IsExact                        // equal
	IsJaroWinkler                  // Jaro-Winkler similarity of at_least
	IsLevenshtein                  // Levenshtein distance of at_most
	IsDamerauLevenshtein           // Damerau-Levenshtein distance (unrestricted) of at_most
	IsDateWithin                   // two calendar dates, at_most so many units apart
	IsEmailUser                    // what stands before the @ is equal, or has a Jaro-Winkler similarity of at_least
	IsNumberWithin                 // |a−b| / max(|a|, |b|) is less than below
	IsSwapped                      // column and with hold each other's values
	predicates
)

var predicateNames = [predicates]string{"", "exact", "jaro_winkler", "levenshtein", "damerau_levenshtein",
	"date_within", "email_user", "number_within", "swapped"}

// String returns the predicate's name as configuration writes it.
func (p Predicate) String() string { return predicateNames[min(p, predicates-1)] }

// MarshalText implements encoding.TextMarshaler.
func (p Predicate) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Predicate) UnmarshalText(text []byte) error {
	i := slices.Index(predicateNames[1:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown condition %q; the conditions are %s", text, strings.Join(predicateNames[1:], ", "))
	}
	*p = Predicate(i + 1)
	return nil
}

// DateUnit is the unit of a difference between dates: a day; a month of
// 365.25/12 days; a year of 365.25 days.
type DateUnit uint8

// The units.
const (
	Day DateUnit = iota
	Month
	Year
	dateUnits
)

var (
	unitNames = [dateUnits]string{"day", "month", "year"}
	unitDays  = [dateUnits]float64{1, 30.4375, 365.25}
)

// String returns the unit's name as configuration writes it.
func (u DateUnit) String() string { return unitNames[min(u, dateUnits-1)] }

// MarshalText implements encoding.TextMarshaler.
func (u DateUnit) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (u *DateUnit) UnmarshalText(text []byte) error {
	i := slices.Index(unitNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown unit %q; the units are %s", text, strings.Join(unitNames[:], ", "))
	}
	*u = DateUnit(i)
	return nil
}

// maxLevels and maxLevelColumns bound a LevelSpec.
const (
	maxLevels       = 200
	maxLevelColumns = 8
)

// LevelsComparison is the comparison that a [LevelSpec] describes.
type LevelsComparison struct {
	name    string
	columns []levelColumn
	rules   []levelRule
	levels  []Level
}

// levelRule is a level ready to use: of every column, the conditions that must
// hold, and the pairs of columns that must be swapped.
type levelRule struct {
	need  []uint8
	swaps []swap
	exact []int // the columns, where the level asks for equality and nothing else
	tf    *TermFrequency
}

// swap holds, for two columns, the code in a of every code in b; 0 = none.
type swap struct {
	a, b int
	toA  []uint32
}

// TermFrequency says how a level is weighed by the frequency of its values.
type TermFrequency struct {
	Column *record.Column
	Slot   int     // where the rows hold the column's codes
	Exact  uint8   // the level of equality on that column
	Floor  float64 // least share of the records
}

// NewLevels returns the comparison that spec describes, or an error that names
// the comparison and the level.
func NewLevels(l *Layout, t *record.Table, spec LevelSpec) (*LevelsComparison, error) {
	c := &LevelsComparison{name: spec.Name}
	if c.name == "" {
		c.name = strings.Join(spec.Columns, "_")
	}
	if len(spec.Columns) == 0 || len(spec.Levels) == 0 {
		return nil, fmt.Errorf("comparison %q: needs columns and levels", c.name)
	}
	for _, name := range spec.Columns {
		column := t.Named(name)
		if column == nil {
			return nil, fmt.Errorf("comparison %q: there is no column %q; the columns are %s", c.name, name, strings.Join(columnNames(t), ", "))
		}
		c.columns = append(c.columns, levelColumn{column: column, slot: l.Slot(withoutGeneric(column))})
	}
	if len(spec.Levels) > maxLevels || len(spec.Columns) > maxLevelColumns {
		return nil, fmt.Errorf("comparison %q: %d columns and %d levels; at most %d and %d", c.name, len(spec.Columns), len(spec.Levels), maxLevelColumns, maxLevels)
	}
	for i := range spec.Levels {
		if err := c.addRule(&spec.Levels[i]); err != nil {
			return nil, fmt.Errorf("comparison %q, level %d: %w", c.name, i+1, err)
		}
	}
	for i := range spec.Levels {
		if err := c.addFrequency(i, &spec); err != nil {
			return nil, fmt.Errorf("comparison %q, level %d: %w", c.name, i+1, err)
		}
	}
	c.describe(spec.Levels)
	for i := range c.columns {
		c.columns[i].prepare()
	}
	return c, nil
}

func columnNames(t *record.Table) []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// conditions returns the rule's conditions, however they are written.
func (r *LevelRule) conditions() []Condition {
	if r.Is == NoPredicate {
		return r.All
	}
	return append([]Condition{r.Condition}, r.All...)
}

func (c *LevelsComparison) addRule(spec *LevelRule) error {
	conditions := spec.conditions()
	if len(conditions) == 0 {
		return fmt.Errorf("says no condition (is: exact, is: jaro_winkler …)")
	}
	r := levelRule{need: make([]uint8, len(c.columns))}
	onlyExact := true
	for i := range conditions {
		condition := &conditions[i]
		if err := condition.validate(); err != nil {
			return err
		}
		at, err := c.index(condition.Column)
		if err != nil {
			return err
		}
		onlyExact = onlyExact && condition.Is == IsExact
		if condition.Is == IsSwapped {
			with, err := c.index(condition.With)
			if err != nil {
				return err
			}
			r.swaps = append(r.swaps, newSwap(c, at, with))
			continue
		}
		bit, err := c.columns[at].test(*condition)
		if err != nil {
			return err
		}
		r.need[at] |= bit
	}
	if onlyExact {
		for at, need := range r.need {
			if need != 0 {
				r.exact = append(r.exact, at)
			}
		}
	}
	c.rules = append(c.rules, r)
	return nil
}

// validate says what is wrong with a condition by itself.
func (d *Condition) validate() error {
	switch d.Is {
	case IsJaroWinkler:
		if d.AtLeast <= 0 || d.AtLeast > 1 {
			return fmt.Errorf("jaro_winkler needs at_least above 0 and at most 1, such as 0.92")
		}
	case IsEmailUser:
		if d.AtLeast < 0 || d.AtLeast > 1 {
			return fmt.Errorf("email_user: at_least is %v, want 0 to 1", d.AtLeast)
		}
	case IsLevenshtein, IsDamerauLevenshtein:
		if d.AtMost < 1 || d.AtMost != float64(int(d.AtMost)) {
			return fmt.Errorf("%s needs at_most, a whole number from 1", d.Is)
		}
	case IsDateWithin:
		if d.AtMost <= 0 || d.Unit >= dateUnits {
			return fmt.Errorf("date_within needs at_most above 0 and a unit (day, month, year)")
		}
	case IsNumberWithin:
		if d.Below <= 0 {
			return fmt.Errorf("number_within needs below, a share above 0 such as 0.05")
		}
	case IsSwapped:
		if d.With == "" || d.With == d.Column {
			return fmt.Errorf("swapped needs column and with, two columns")
		}
	case IsExact:
	default:
		return fmt.Errorf("says no condition (is: exact, is: jaro_winkler …)")
	}
	return nil
}

func (c *LevelsComparison) index(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	for i := range c.columns {
		if c.columns[i].column.Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("column %q is not among the comparison's columns", name)
}

func newSwap(c *LevelsComparison, a, b int) swap {
	ca, cb := c.columns[a].column, c.columns[b].column
	codes := make(map[string]uint32, ca.Normal.Len())
	for code := 1; code < ca.Normal.Len(); code++ {
		codes[ca.Normal.At(uint32(code))] = uint32(code)
	}
	s := swap{a, b, make([]uint32, cb.Normal.Len())}
	for code := 1; code < cb.Normal.Len(); code++ {
		s.toA[code] = codes[cb.Normal.At(uint32(code))]
	}
	return s
}

// addFrequency sets the term frequency of a rule that asks for it.
func (c *LevelsComparison) addFrequency(i int, spec *LevelSpec) error {
	if !spec.Levels[i].TermFrequency {
		return nil
	}
	if spec.TermFrequencyFloor < 0 || spec.TermFrequencyFloor >= 1 {
		return fmt.Errorf("term_frequency_floor is %v, want a share from 0 to below 1", spec.TermFrequencyFloor)
	}
	at := -1
	for column, need := range c.rules[i].need {
		if need != 0 && at >= 0 {
			return fmt.Errorf("term_frequency needs a level on one column, not on several")
		}
		if need != 0 {
			at = column
		}
	}
	for exact, r := range c.rules {
		if len(r.exact) == 1 && r.exact[0] == at {
			c.rules[i].tf = &TermFrequency{c.columns[at].column, c.columns[at].slot, uint8(exact + 1), spec.TermFrequencyFloor}
			return nil
		}
	}
	return fmt.Errorf("term_frequency needs an exact level on the same column alone")
}

// describe fills in the levels. The documented probabilities among matches are
// 0.95 for the first level and equal parts of the rest for the others.
func (c *LevelsComparison) describe(rules []LevelRule) {
	agree, contra, same, differs := 1.0, 0.5, OtherSame, OtherDiffers
	switch c.columns[0].column.Field {
	case record.GivenName:
		contra, same, differs = 1.5, GivenSame, GivenDiffers
	case record.FamilyName, record.OtherName:
		contra, same, differs = 0.7, FamilySame, FamilyDiffers
	case record.BirthDate:
		agree, contra, same, differs = 1.5, 1.2, BirthSame, BirthDiffers
	case record.Email, record.Phone, record.Street:
		same, differs = ContactShared, ContactDiffers
	case record.NationalID, record.BusinessID, record.VehicleReg, record.Identifier:
		agree, same = 1.5, IdentifierSame
	}
	c.levels = []Level{{Label: "missing"}}
	for i := range rules {
		level := Level{Label: rules[i].Label, M: 0.05 / float64(len(rules)), Agree: 0.4 * agree}
		if level.Label == "" {
			level.Label = c.label(rules[i].conditions())
		}
		if i == 0 {
			level.M, level.Agree, level.Traits = 0.95, agree, same
		}
		c.levels = append(c.levels, level)
	}
	c.levels = append(c.levels, Level{Label: "differ", M: 0.05 / float64(len(rules)), Contra: contra, Traits: differs})
}

func (c *LevelsComparison) label(conditions []Condition) string {
	var parts []string
	for _, d := range conditions {
		text := ""
		switch d.Is {
		case IsExact:
			text = "equal"
		case IsJaroWinkler:
			text = fmt.Sprintf("Jaro-Winkler ≥ %v", d.AtLeast)
		case IsLevenshtein:
			text = fmt.Sprintf("Levenshtein ≤ %v", d.AtMost)
		case IsDamerauLevenshtein:
			text = fmt.Sprintf("Damerau-Levenshtein ≤ %v", d.AtMost)
		case IsDateWithin:
			text = fmt.Sprintf("within %v %s", d.AtMost, d.Unit)
		case IsEmailUser:
			text = "user equal"
			if d.AtLeast > 0 {
				text = fmt.Sprintf("user Jaro-Winkler ≥ %v", d.AtLeast)
			}
		case IsNumberWithin:
			text = fmt.Sprintf("differ by less than %v %%", 100*d.Below)
		case IsSwapped:
			text = "swapped with " + d.With
		}
		if len(c.columns) > 1 {
			at, _ := c.index(d.Column)
			text = c.columns[at].column.Name + " " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// Name implements Comparison.
func (c *LevelsComparison) Name() string { return c.name }

// Levels implements Comparison.
func (c *LevelsComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *LevelsComparison) Columns() []*record.Column {
	columns := make([]*record.Column, len(c.columns))
	for i := range c.columns {
		columns[i] = c.columns[i].column
	}
	return columns
}

// Exact returns the columns on which a level asks for equality and nothing
// else; nil for every other level.
func (c *LevelsComparison) Exact(level int) []*record.Column {
	if level < 1 || level > len(c.rules) {
		return nil
	}
	var columns []*record.Column
	for _, at := range c.rules[level-1].exact {
		columns = append(columns, c.columns[at].column)
	}
	return columns
}

// TermFrequency returns how a level is weighed by frequency, nil if it is not.
func (c *LevelsComparison) TermFrequency(level int) *TermFrequency {
	if level < 1 || level > len(c.rules) {
		return nil
	}
	return c.rules[level-1].tf
}

// Compare implements Comparison.
func (c *LevelsComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	var memos [maxLevelColumns]*memo
	var masks [maxLevelColumns]uint8
	for i := range c.columns {
		if !c.columns[i].onlyExact {
			memos[i] = s.cache(memoKey{c, i})
		}
	}
	for i, p := range pairs {
		a, b := rows.Of(p.A), rows.Of(p.B)
		null := true
		for k := range c.columns {
			column := &c.columns[k]
			x, y := a[column.slot], b[column.slot]
			masks[k] = 0
			if x != 0 && y != 0 {
				null = false
				masks[k] = column.mask(memos[k], x, y)
			}
		}
		out[i][index] = 0
		if !null {
			out[i][index] = c.level(&masks, a, b)
		}
	}
}

// level returns the first level that holds.
func (c *LevelsComparison) level(masks *[maxLevelColumns]uint8, a, b []uint32) uint8 {
next:
	for i := range c.rules {
		r := &c.rules[i]
		for k, need := range r.need {
			if masks[k]&need != need {
				continue next
			}
		}
		for _, s := range r.swaps {
			sa, sb := c.columns[s.a].slot, c.columns[s.b].slot
			x, y := s.toA[b[sb]], s.toA[a[sb]]
			if x == 0 || y == 0 || a[sa] != x || b[sa] != y {
				continue next
			}
		}
		return uint8(i + 1)
	}
	return uint8(len(c.rules) + 1)
}
