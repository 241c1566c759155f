package run

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"sama/record"
	"sama/run/index"

	"golang.org/x/sync/errgroup"
)

// hasFile reports whether the run has a file of that name.
func (r *Run) hasFile(name string) bool {
	return slices.ContainsFunc(r.Info.Files, func(f File) bool { return f.Name == name })
}

// pastConsents is consents.parquet as read. The records of its acts are not
// numbered.
type pastConsents struct {
	columns []ConsentColumn // in order of appearance
	acts    []ConsentAct
	ids     record.Strings // act → record id
}

// key returns the key of the record of an act.
func (p *pastConsents) key(i int) record.Key {
	return record.Key{Source: p.source(i), ID: p.ids.At(uint32(i))}
}

func (p *pastConsents) source(i int) string { return p.columns[p.acts[i].Of].Source }

// same reports whether two acts are of one record.
func (p *pastConsents) same(i, k int) bool {
	return p.ids.At(uint32(i)) == p.ids.At(uint32(k)) && p.source(i) == p.source(k)
}

// follows reports whether an act may stand behind the one before it: in the order
// of keys, columns and time, and if both are of one column, after that has ended.
func (p *pastConsents) follows(i int) bool {
	a, b := &p.acts[i-1], &p.acts[i]
	order := cmp.Or(p.key(i-1).Compare(p.key(i)), p.columns[a.Of].compare(p.columns[b.Of]))
	if order != 0 {
		return order < 0
	}
	return a.Ended != 0 && a.Ended <= b.Run && (a.At < b.At || b.At == 0)
}

func (p *pastConsents) outOfOrder(i int) error {
	return fmt.Errorf("%s: row %d: out of order, or there twice", consentsFile, i+1)
}

// consents reads consents.parquet.
func (r *Run) consents() (*pastConsents, error) {
	p := new(pastConsents)
	var of, granted []uint32
	var at, run, until, ended []int64
	var g errgroup.Group
	g.Go(func() (err error) {
		of, granted, err = r.consentColumns(p)
		return err
	})
	g.Go(func() (err error) {
		p.ids, err = r.strings(consentsFile, "record_id")
		return err
	})
	for _, c := range []struct {
		name string
		to   *[]int64
	}{{"at", &at}, {"run", &run}, {"until", &until}, {"until_run", &ended}} {
		g.Go(func() (err error) {
			*c.to, err = r.numbers(consentsFile, c.name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	n := p.ids.Len()
	for _, got := range []int{len(of), len(at), len(run), len(until), len(ended)} {
		if got != n {
			return nil, fmt.Errorf("%s: columns of different length", consentsFile)
		}
	}
	p.acts = make([]ConsentAct, n)
	for i := range p.acts {
		a := ConsentAct{Of: of[i], Granted: granted[i] != 0, At: at[i] / 1000, Until: until[i] / 1000, Run: uint32(run[i]), Ended: uint32(ended[i])}
		if run[i] < 1 || run[i] > int64(r.Info.Number) || ended[i] != 0 && ended[i] <= run[i] || ended[i] > int64(r.Info.Number) {
			return nil, fmt.Errorf("%s: row %d: from run %d to run %d, and this is run %d", consentsFile, i+1, run[i], ended[i], r.Info.Number)
		}
		p.acts[i] = a
	}
	return p, nil
}

// consentColumns reads what the acts are about, and what they say.
func (r *Run) consentColumns(p *pastConsents) (of, granted []uint32, err error) {
	var texts [5]*textColumn
	var g errgroup.Group
	for i, name := range []string{"source", "column", "purpose", "channel", "act"} {
		g.Go(func() (err error) {
			texts[i], err = r.text(consentsFile, name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	n := len(texts[0].codes)
	for _, c := range texts {
		if len(c.codes) != n {
			return nil, nil, errors.New(consentsFile + ": columns of different length")
		}
	}
	known := make(map[[4]uint32]uint32)
	of, granted = make([]uint32, n), make([]uint32, n)
	for i := range n {
		key := [4]uint32{texts[0].codes[i], texts[1].codes[i], texts[2].codes[i], texts[3].codes[i]}
		number, ok := known[key]
		if !ok {
			number = uint32(len(p.columns))
			known[key] = number
			p.columns = append(p.columns, ConsentColumn{texts[0].texts[key[0]], texts[1].texts[key[1]], texts[2].texts[key[2]], texts[3].texts[key[3]]})
		}
		of[i] = number
		switch act := texts[4].texts[texts[4].codes[i]]; act {
		case actGrant:
			granted[i] = 1
		case actDeny:
		default:
			return nil, nil, fmt.Errorf("%s: row %d: act %q is neither grant nor deny", consentsFile, i+1, act)
		}
	}
	return of, granted, nil
}

// actOf is the text of an act.
func actOf(granted bool) string {
	if granted {
		return actGrant
	}
	return actDeny
}

// sameAct reports whether the index has an act as the file has it.
func sameAct(x *index.ConsentAct, a *ConsentAct, c ConsentColumn) bool {
	return x.Source == c.Source && x.Column == c.Column && x.Purpose == c.Purpose && x.Channel == c.Channel &&
		x.Granted == a.Granted && x.At == a.At && x.Run == a.Run && x.Until == a.Until && x.Ended == a.Ended
}

// consents compares the acts with what the records say, and the index with them:
// the acts that stand are what the columns of consents say, each once.
func (c *indexCheck) consents() error {
	filled := 0
	consent := make(map[string]int)
	for column, info := range c.x.Columns() {
		if info.Field == record.Consent {
			consent[info.Column] = column
			filled += c.x.Records() - int(c.x.Count(column, 0))
		}
	}
	if !c.hasFile(consentsFile) {
		if filled > 0 || len(c.x.ConsentColumns()) > 0 {
			return fmt.Errorf("%s: missing, though there are consents", consentsFile)
		}
		return nil
	}
	p, err := c.Run.consents()
	if err != nil {
		return err
	}
	stand, next, rec := 0, 0, NoRecord // next: of the record's acts in the index
	for i := range p.acts {
		a := &p.acts[i]
		same := i > 0 && p.same(i-1, i)
		if i > 0 && !p.follows(i) {
			return p.outOfOrder(i)
		}
		if !same {
			if rec != NoRecord && next != len(c.x.Consents(rec)) {
				return fmt.Errorf("%s: row %d: the index has more acts of the record before", consentsFile, i+1)
			}
			next, rec = 0, NoRecord
			if found, ok := c.m.Find(p.key(i)); ok {
				rec = found
			}
		}
		if a.Ended == 0 {
			column, ok := consent[p.columns[a.Of].Column]
			if rec == NoRecord || !ok || c.x.Normal(column, c.x.Code(column, rec)) != actOf(a.Granted) || same && p.acts[i-1].Ended == 0 && p.columns[p.acts[i-1].Of].Column == p.columns[a.Of].Column {
				return fmt.Errorf("%s: row %d: the act stands, but the record does not say so, or it stands twice", consentsFile, i+1)
			}
			stand++
		}
		if rec == NoRecord {
			continue
		}
		if acts := c.x.Consents(rec); next >= len(acts) || !sameAct(&acts[next], a, p.columns[a.Of]) {
			return fmt.Errorf("%s: row %d: the index has another act, or none", consentsFile, i+1)
		}
		next++
	}
	if rec != NoRecord && next != len(c.x.Consents(rec)) {
		return fmt.Errorf("%s: the index has more acts of the last record", consentsFile)
	}
	if stand != filled {
		return fmt.Errorf("%s: %d acts stand, the records say %d", consentsFile, stand, filled)
	}
	return nil
}
