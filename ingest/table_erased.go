package ingest

// leaveOutErased drops the rows of persons who have been erased: those whose key
// was, and those with a value that was.
func (b *builder) leaveOutErased() {
	e := b.opt.Erased
	if e == nil {
		return
	}
	for i := range b.sources {
		s := &b.sources[i]
		gone := make([]bool, s.raw.Rows)
		any := false
		for _, row := range s.rows {
			if e.Record != nil && e.Record(s.raw.Source, s.id(row)) {
				gone[row], any = true, true
			}
		}
		for _, c := range s.columns {
			any = c.markErased(e, s.rows, gone) || any
		}
		if any {
			s.drop(gone)
		}
	}
}

// markErased marks the rows that hold an erased value in the column.
func (c *columnBuilder) markErased(e *Erased, rows []uint32, gone []bool) (any bool) {
	field, ok := c.As.Field()
	if !ok || e.Value[field] == nil || c.values == nil {
		return false
	}
	erased := make([]bool, c.values.size())
	for code := uint32(1); code < c.values.size(); code++ {
		if _, normal := c.values.at(code); normal != "" && c.counts[code] > 0 && e.Value[field](normal) {
			erased[code] = true
		}
	}
	for _, row := range rows {
		if erased[c.raw.Codes[row]] {
			gone[row], any = true, true
		}
	}
	return any
}

// drop takes rows out of what is kept and counts again.
func (s *sourceBuilder) drop(gone []bool) {
	kept := s.rows[:0]
	for _, row := range s.rows {
		if !gone[row] {
			kept = append(kept, row)
		} else {
			s.report.ErasedIDs = append(s.report.ErasedIDs, s.id(row))
		}
	}
	s.report.Erased = len(s.rows) - len(kept)
	s.rows = kept
	s.report.Records, s.report.Order = len(kept), kept
	for _, c := range s.columns {
		c.report.Values = 0
		c.count(s.rows)
	}
}
