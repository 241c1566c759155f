package blocking

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"sama/record"
)

// Expression is a part of a field for all records.
type Expression struct {
	// Name is field or field.part, such as birth_date or birth_date.year.
	Name string
	// Group holds expressions that say much the same; a proposed rule takes at
	// most one of a group.
	Group string
	// Slots holds the codes of the part: slot → record → code, 0 = null.
	Slots [][]uint32
	// Bits is −log2 of the chance that two random records that both have a
	// value agree. Filled is the share of records that have one.
	Bits, Filled float64

	parts   *parts
	codes   []uint32
	index   int      // place in the list
	hashed  []uint32 // part code → hash of its text, see hashes
	looksAt []*record.Column
}

// hashes returns a hash of the text of every part code, 0 for null: equal texts
// have the same in every table.
func (e *Expression) hashes() []uint32 {
	if e.hashed == nil {
		e.hashed = make([]uint32, len(e.parts.names))
		for code := 1; code < len(e.hashed); code++ {
			e.hashed[code] = nonZero(uint32(record.HashText(e.parts.names[code])))
		}
	}
	return e.hashed
}

// parts maps the normal codes of a column to part codes.
type parts struct {
	of    []uint32
	names []string // part code → text
}

// Text returns the value of the expression for a record, for reports.
func (e *Expression) Text(i uint32) string {
	if e.parts == nil {
		return ""
	}
	return e.parts.names[e.parts.of[e.codes[i]]]
}

// makeParts applies a function to every distinct normal form.
func makeParts(c *record.Column, part func(code uint32, value string) string) *parts {
	p := &parts{of: make([]uint32, c.Normal.Len()), names: []string{""}}
	seen := map[string]uint32{"": 0}
	for code := 1; code < len(p.of); code++ {
		if c.Generic != nil && c.Generic[code] {
			continue
		}
		text := part(uint32(code), c.Normal.At(uint32(code)))
		id, ok := seen[text]
		if !ok {
			id = uint32(len(p.names))
			seen[text] = id
			p.names = append(p.names, text)
		}
		p.of[code] = id
	}
	return p
}

// collector gathers the expressions of a table.
type collector struct {
	list  []*Expression
	whole *record.Population // nil where the table is whole
}

// take keeps an expression that any record has a value of. Where only a few
// records of a table are at hand, what they lack is kept too: rules name it.
func (k *collector) take(e *Expression) {
	e.measure()
	if e.Filled > 0 || k.whole != nil {
		k.list = append(k.list, e)
	}
}

func (k *collector) add(name, group string, columns []*record.Column, part func(c *record.Column, code uint32, value string) string) {
	e := &Expression{Name: name, Group: group, index: len(k.list), looksAt: columns}
	for i, c := range columns {
		p := makeParts(c, func(code uint32, value string) string { return part(c, code, value) })
		slot := make([]uint32, len(c.Code))
		for r, code := range c.Code {
			// Codes of different columns must agree on equal text.
			slot[r] = p.of[code]
		}
		if i == 0 {
			e.parts, e.codes = p, c.Code
		} else {
			renumber(slot, p.names, e.parts)
		}
		e.Slots = append(e.Slots, slot)
	}
	k.take(e)
}

// addTokens adds an expression with up to limit slots: the tokens that choose
// returns for a value.
func (k *collector) addTokens(name, group string, c *record.Column, limit int, choose func(value string) []string) {
	e := &Expression{Name: name, Group: group, index: len(k.list), looksAt: []*record.Column{c}}
	for n := range limit {
		p := makeParts(c, func(_ uint32, value string) string {
			if tokens := choose(value); n < len(tokens) {
				return tokens[n]
			}
			return ""
		})
		slot := make([]uint32, len(c.Code))
		for r, code := range c.Code {
			slot[r] = p.of[code]
		}
		if n == 0 {
			e.parts, e.codes = p, c.Code
		} else {
			renumber(slot, p.names, e.parts)
		}
		e.Slots = append(e.Slots, slot)
	}
	k.take(e)
}

// renumber rewrites the codes of a further slot to the numbering of the first.
func renumber(slot []uint32, names []string, first *parts) {
	ids := make(map[string]uint32, len(first.names))
	for id, name := range first.names {
		ids[name] = uint32(id)
	}
	to := make([]uint32, len(names))
	for id, name := range names {
		n, ok := ids[name]
		if !ok {
			n = uint32(len(first.names))
			ids[name] = n
			first.names = append(first.names, name)
		}
		to[id] = n
	}
	for i, code := range slot {
		slot[i] = to[code]
	}
}

// measure sets Bits and Filled from the first slot.
func (e *Expression) measure() {
	counts := make([]float64, len(e.parts.names))
	for _, code := range e.Slots[0] {
		counts[code]++
	}
	n := float64(len(e.Slots[0])) - counts[0]
	if n < 2 {
		return
	}
	agree := 0.0
	for _, k := range counts[1:] {
		agree += k * (k - 1)
	}
	e.Filled = n / float64(len(e.Slots[0]))
	e.Bits = -math.Log2(max(agree, 0.5) / (n * (n - 1)))
}

// Expressions returns every key expression that the table's fields offer, in a
// fixed order. Where use is not nil, only its columns are looked at.
func Expressions(t *record.Table, use []*record.Column) []*Expression {
	k := &collector{whole: t.Whole}
	for _, f := range record.Fields() {
		columns := t.All(f)
		if use != nil {
			columns = slices.DeleteFunc(columns, func(c *record.Column) bool { return !slices.Contains(use, c) })
		}
		switch f {
		case record.Identifier, record.Text, record.Number, record.Date, record.Category:
			for _, c := range columns {
				k.field(c.Name, []*record.Column{c})
			}
		default:
			if len(columns) > 0 {
				k.field(f.String(), columns)
			}
		}
	}
	return k.list
}

func whole(_ *record.Column, _ uint32, value string) string { return value }

func prefix(n int) func(*record.Column, uint32, string) string {
	return func(_ *record.Column, _ uint32, value string) string {
		if len(value) < n {
			return ""
		}
		return value[:n]
	}
}

func suffix(n int) func(*record.Column, uint32, string) string {
	return func(_ *record.Column, _ uint32, value string) string {
		if len(value) < n {
			return ""
		}
		return value[len(value)-n:]
	}
}

func sound(c *record.Column, code uint32, _ string) string {
	if c.Sound == nil || c.Sound[code] == 0 {
		return ""
	}
	return fmt.Sprint(c.Sound[code])
}

// field adds the expressions of one field.
func (k *collector) field(name string, columns []*record.Column) {
	main := columns[:1]
	switch f := columns[0].Field; f {
	case record.GivenName:
		k.addTokens(name, "given", main[0], 3, strings.Fields)
		k.add(name+".sound", "given", main, sound)
		k.add(name+".start", "given", main, prefix(3))
		k.add(name+".initial", "given", main, prefix(1))
	case record.FamilyName:
		k.add(name, "family", append(slices.Clone(main), columns[1:]...), whole)
		k.addTokens(name+".part", "family", main[0], 2, longTokens)
		k.add(name+".sound", "family", main, sound)
		k.add(name+".start", "family", main, prefix(3))
		k.add(name+".initial", "family", main, prefix(1))
	case record.BirthDate, record.Date:
		k.add(name, name, main, whole)
		k.add(name+".year", name, main, knownPart(0, 4))
		k.add(name+".month_day", name, main, knownPart(4, 8))
		k.add(name+".year_month", name, main, knownPart(0, 6))
		k.add(name+".year_day", name, main, func(_ *record.Column, _ uint32, v string) string {
			if len(v) != 8 || v[6:] == "00" {
				return ""
			}
			return v[:4] + v[6:]
		})
	case record.Email:
		k.add(name, "email", columns, whole)
		k.add(name+".local", "email", main, func(_ *record.Column, _ uint32, v string) string {
			local, _, _ := strings.Cut(v, "@")
			return local
		})
		k.add(name+".start", "email", main, prefix(5))
	case record.Phone:
		k.add(name, "phone", columns, whole)
		k.add(name+".start", "phone", main, func(_ *record.Column, _ uint32, v string) string {
			return v[:max(0, len(v)-2)]
		})
		k.add(name+".end", "phone", main, suffix(5))
	case record.Street, record.City:
		k.add(name, name, main, whole)
		k.add(name+".sound", name, main, sound)
		k.add(name+".start", name, main, prefix(4))
	case record.PostalCode:
		k.add(name, "area", main, whole)
		k.add(name+".start", "area", main, prefix(3))
	case record.Organization, record.Text:
		k.text(name, main[0])
	case record.NationalID, record.BusinessID, record.Identifier, record.VehicleReg:
		k.add(name, name, columns, whole)
		k.add(name+".start", name, main, prefix(5))
		k.add(name+".end", name, main, suffix(5))
	case record.OtherName, record.HouseNumber, record.Unit, record.Region, record.Gender, record.Category, record.Number:
		k.add(name, name, main, whole)
	}
}

// longTokens returns the tokens of a double family name.
func longTokens(value string) []string {
	tokens := strings.Fields(value)
	if len(tokens) < 2 {
		return tokens
	}
	return slices.DeleteFunc(tokens, func(t string) bool { return len(t) < 4 })
}

// knownPart returns digits from … to of a date, nothing if they are unknown.
func knownPart(from, to int) func(*record.Column, uint32, string) string {
	return func(_ *record.Column, _ uint32, v string) string {
		if len(v) != 8 || strings.Trim(v[from:to], "0") == "" {
			return ""
		}
		return v[from:to]
	}
}

// text adds the expressions of free text: the whole, its beginning, and its
// rarest words, alone and two together.
func (k *collector) text(name string, c *record.Column) {
	group := name
	k.add(name, group, []*record.Column{c}, whole)
	k.add(name+".start", group, []*record.Column{c}, prefix(8))
	holders := make(map[string]int)
	for code := 1; code < c.Normal.Len(); code++ {
		for _, token := range distinct(c.Normal.At(uint32(code))) {
			holders[token]++
			if k.whole != nil {
				holders[token] = max(holders[token], int(k.whole.Count(record.WordTexts(c), token)))
			}
		}
	}
	rare := func(value string) []string {
		tokens := slices.DeleteFunc(distinct(value), func(t string) bool { return holders[t] < 2 || len(t) < 2 })
		slices.SortFunc(tokens, func(a, b string) int {
			if holders[a] != holders[b] {
				return holders[a] - holders[b]
			}
			return strings.Compare(a, b)
		})
		return tokens[:min(3, len(tokens))]
	}
	k.addTokens(name+".rare", group, c, 3, rare)
	k.addTokens(name+".rare_two", group, c, 3, func(value string) []string {
		tokens := rare(value)
		slices.Sort(tokens)
		var two []string
		for i := range tokens {
			for j := i + 1; j < len(tokens); j++ {
				two = append(two, tokens[i]+" "+tokens[j])
			}
		}
		return two
	})
}

// distinct returns the distinct tokens of a text, sorted.
func distinct(value string) []string {
	tokens := strings.Fields(value)
	slices.Sort(tokens)
	return slices.Compact(tokens)
}
