package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sama/ingest/normalize"
	"sama/record"
)

// readColumns normalises the values of every column that stands for one field.
func (b *builder) readColumns(ctx context.Context) error {
	type task struct {
		s *sourceBuilder
		c *columnBuilder
	}
	var tasks []task
	for i := range b.sources {
		for _, c := range b.sources[i].columns {
			tasks = append(tasks, task{&b.sources[i], c})
		}
	}
	err := b.inParallel(ctx, len(tasks), func(i int) error {
		tasks[i].c.count(tasks[i].s.rows)
		return nil
	})
	if err != nil {
		return err
	}
	regions := b.phoneRegions()
	return b.inParallel(ctx, len(tasks), func(i int) error {
		if err := tasks[i].c.normalize(b.opt, regions[tasks[i].c]); err != nil {
			return fmt.Errorf("source %s, column %s: %w", tasks[i].s.raw.Source, tasks[i].c.Column, err)
		}
		return nil
	})
}

// count counts the kept rows of every value.
func (c *columnBuilder) count(rows []uint32) {
	c.counts = make([]uint32, c.raw.Values.Len())
	for _, row := range rows {
		c.counts[c.raw.Codes[row]]++
	}
	for code, n := range c.counts {
		if code > 0 {
			c.report.Values += int(n)
		}
	}
	c.report.Null = int(c.counts[0])
}

// normalize fills c.values. Compound roles keep the texts as they are, nulls
// removed; what is in them is found when they are taken apart.
func (c *columnBuilder) normalize(opt BuildOptions, region string) error {
	field, simple := c.As.Field()
	newForm := c.repaired(field, c.form(field, simple, opt, region))
	c.one = newForm()
	if c.raw.List && simple {
		newForm = func() func(string) string { return c.anyOf }
		if field == record.Consent {
			newForm = func() func(string) string { return c.leastOf }
		}
	}
	n := c.raw.Values.Len()
	norm, err := buildTexts(opt.Workers, n, 1, func() func(uint32, []string) {
		form := newForm()
		return func(code uint32, out []string) {
			if code == 0 || c.counts[code] == 0 {
				return
			}
			text := c.raw.Values.At(code)
			if out[0] = form(text); out[0] == "" && !normalize.Null(text) {
				out[0] = notUnderstood
			}
		}
	})
	if err != nil {
		return err
	}
	f := &feed{field: field, codes: c.raw.Codes, parts: []part{{size: uint32(n), values: &c.raw.Values, norm: norm[0]}}}
	if named(field) {
		f.name = snakeCase(c.Column)
	}
	c.values = f
	c.countForms(field)
	return nil
}

// countForms counts the records with values that have no normal form.
func (c *columnBuilder) countForms(field record.Field) {
	for code := uint32(1); code < c.values.size(); code++ {
		held := int(c.counts[code])
		if held == 0 {
			continue
		}
		switch raw, norm := c.values.at(code); {
		case norm != "":
		case raw == "":
			c.report.Null += held
			c.report.Values -= held
		case placeholder(field, raw):
			c.report.Junk += held
		default:
			c.report.Invalid += held
		}
	}
}

// placeholder tells a value that was understood and refused from one that was
// not understood.
func placeholder(f record.Field, text string) bool {
	switch f {
	case record.Email:
		return normalize.LooksEmail(text)
	case record.Phone:
		return normalize.LooksPhone(text)
	case record.Number, record.Gender:
		return false
	case record.Consent:
		return normalize.Consent(text) != "" // a no where refusals are asked for says nothing
	}
	return true
}

// form returns a maker of functions that make a value's normal form; each of
// them is used by one goroutine.
func (c *columnBuilder) form(field record.Field, simple bool, opt BuildOptions, region string) func() func(string) string {
	if !simple {
		return always(notNull)
	}
	switch field {
	case record.BirthDate, record.Date:
		order := c.dateOrder()
		pivot := opt.Pivot
		if field == record.Date {
			pivot += 30
		}
		c.report.Layout = order.String()
		return always(func(s string) string {
			d := normalize.Date(s, order, pivot)
			if normalize.JunkDate(d) {
				return ""
			}
			return d
		})
	case record.CreatedAt, record.UpdatedAt:
		order := c.dateOrder()
		c.report.Layout = order.String()
		return always(func(s string) string { return normalize.Time(s, order) })
	case record.Phone:
		c.report.Layout = region
		phones := normalize.NewPhones(region)
		return func() func(string) string { return phones.Fork().Normal }
	case record.Consent:
		if c.Inverted {
			return always(normalize.Refusal)
		}
		return always(normalize.Consent)
	}
	return always(fieldForms[field])
}

// repaired undoes what tools do to digits on their way into a file: ".0" behind
// whole numbers, and zeros lost in front of postal codes.
func (c *columnBuilder) repaired(field record.Field, newForm func() func(string) string) func() func(string) string {
	whole := field != record.Number && wholeFloats(sampleValues(&c.raw.Values, c.counts, 200))
	zeros := 0
	if field == record.PostalCode {
		zeros = c.codeLength(whole)
	}
	if !whole && zeros == 0 {
		return newForm
	}
	return func() func(string) string {
		form := newForm()
		return func(s string) string {
			if whole {
				s = strings.TrimSuffix(normalize.Trim(s), ".0")
			}
			if zeros > 0 && len(s) < zeros && len(s) >= zeros-2 && strings.Trim(s, "0123456789") == "" {
				s = "00"[:zeros-len(s)] + s
			}
			return form(s)
		}
	}
}

// codeLength returns the length that postal codes of digits are to have, 4 or
// 5, where zeros in front were lost: no code begins with one, and more than two
// in a hundred are short by one or two digits. Else it returns 0.
func (c *columnBuilder) codeLength(whole bool) int {
	var lengths [7]int
	all := 0
	for code := uint32(1); code < uint32(c.raw.Values.Len()); code++ {
		s := normalize.Trim(c.raw.Values.At(code))
		if whole {
			s = strings.TrimSuffix(s, ".0")
		}
		if c.counts[code] == 0 || s == "" || len(s) > 6 || strings.Trim(s, "0123456789") != "" {
			continue
		}
		if s[0] == '0' && len(s) > 1 {
			return 0
		}
		lengths[len(s)] += int(c.counts[code])
		all += int(c.counts[code])
	}
	for _, n := range []int{5, 4} {
		if short := lengths[n-1] + lengths[n-2]; 2*lengths[n] > all && 50*short > all {
			return n
		}
	}
	return 0
}

func always(form func(string) string) func() func(string) string {
	return func() func(string) string { return form }
}

// notNull keeps a text as it is.
func notNull(s string) string {
	if normalize.Null(s) {
		return ""
	}
	return s
}

// fieldForms are the normal forms that need no knowledge of the column.
var fieldForms = map[record.Field]func(string) string{
	record.Carried:      normalize.Text,
	record.GivenName:    normalize.GivenName,
	record.FamilyName:   normalize.FamilyName,
	record.OtherName:    normalize.FamilyName,
	record.Gender:       normalize.GenderNumber,
	record.NationalID:   normalize.NationalID,
	record.Organization: normalize.Organization,
	record.Email:        normalize.Email,
	record.Street:       normalize.Street,
	record.HouseNumber:  normalize.HouseNumber,
	record.Unit:         normalize.Unit,
	record.PostalCode:   normalize.PostalCode,
	record.City:         normalize.City,
	record.Region:       normalize.Region,
	record.Country:      normalize.Country,
	record.BusinessID:   normalize.BusinessID,
	record.VehicleReg:   normalize.VehicleReg,
	record.Identifier:   normalize.Identifier,
	record.Text:         normalize.Text,
	record.Category:     normalize.Category,
	record.Number:       normalize.Number,
	record.Language:     normalize.Language,
}

// named reports that columns of the field are named after the source's own.
func named(f record.Field) bool {
	switch f {
	case record.Carried, record.Text, record.Category, record.Number, record.Date, record.Identifier, record.Consent:
		return true
	}
	return false
}

// dateOrder returns the order of the column's dates: as the mapping says, else
// guessed from its values.
func (c *columnBuilder) dateOrder() normalize.Order {
	if c.Layout != "" {
		if o, err := normalize.ParseOrder(c.Layout); err == nil {
			return o
		}
	}
	return dateOrderOf(sampleValues(&c.raw.Values, c.counts, 5000))
}

// phoneRegions decides for every column of telephone numbers which country its
// national numbers belong to: as the mapping says, else as the numbers of all
// columns together say, unless the column's own numbers say otherwise.
func (b *builder) phoneRegions() map[*columnBuilder]string {
	const few, many = 20, 40
	regions := make(map[*columnBuilder]string)
	numbers := make(map[*columnBuilder][]string)
	var columns []*columnBuilder
	var pool []string
	for i := range b.sources {
		for _, c := range b.sources[i].columns {
			switch {
			case c.As != role(record.Phone):
			case c.Layout != "":
				regions[c] = strings.ToUpper(c.Layout)
			default:
				numbers[c] = sampleValues(&c.raw.Values, c.counts, many)
				pool = append(pool, numbers[c]...)
				columns = append(columns, c)
			}
		}
	}
	slices.Sort(pool)
	common, _ := normalize.GuessRegion(everyNth(pool, 3*many))
	fit := normalize.RegionFit(common, pool)
	for _, c := range columns {
		regions[c] = common
		if own := numbers[c]; len(own) >= few && (common == "" || normalize.RegionFit(common, own) < fit-0.2) {
			regions[c], _ = normalize.GuessRegion(own)
		}
	}
	return regions
}

// anyOf is the normal form of a list as a whole: its elements' forms joined.
func (c *columnBuilder) anyOf(list string) string {
	var forms []string
	for item := range strings.SplitSeq(list, ListSeparator) {
		if n := c.one(item); n != "" {
			forms = append(forms, n)
		}
	}
	return strings.Join(forms, " ")
}

// everyNth returns about n of the values, evenly spread.
func everyNth(values []string, n int) []string {
	step := max(1, len(values)/n)
	var out []string
	for i := 0; i < len(values); i += step {
		out = append(out, values[i])
	}
	return out
}
