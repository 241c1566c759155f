package main

import (
	"fmt"
	"strings"
)

func (c *cli) printDifference(d *runDifference) {
	w := c.stdout
	fmt.Fprintf(w, "From run %s to run %s: %s in both, %s added, %s gone.\n\n", d.Before, d.After,
		plural(d.Records.Both, "record", "records"), count(d.Records.Added), count(d.Records.Gone))
	t := newTable("identities", "").right(2)
	for _, k := range d.Changes {
		t.row(k.Kind, count(k.Count))
	}
	t.write(w, "  ")
	for _, k := range d.Changes {
		if len(k.Examples) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", strings.ToUpper(k.Kind[:1])+k.Kind[1:])
		for _, x := range k.Examples {
			fmt.Fprintf(w, "  %s\n", x.line())
		}
	}
	if len(d.Movements) > 0 {
		fmt.Fprintln(w, "\nMost records moved")
		for _, m := range d.Movements {
			fmt.Fprintf(w, "  %s → %s%s: %s\n", m.From, m.To, named(m.Name), plural(m.Records, "record", "records"))
		}
	}
	if d.Golden != nil {
		c.printGolden(d.Golden)
	}
}

// printGolden prints how the golden values changed.
func (c *cli) printGolden(g *goldenBetween) {
	fmt.Fprintf(c.stdout, "\nGolden values changed of %s.\n", plural(g.Changed, "identity", "identities"))
	if g.Changed == 0 {
		return
	}
	fmt.Fprintln(c.stdout)
	t := newTable("field", "changed", "appeared", "vanished", "").right(2, 3, 4)
	for _, f := range g.Fields {
		if f.Changed+f.Appeared+f.Vanished == 0 {
			continue
		}
		example := ""
		if len(f.Examples) > 0 {
			x := f.Examples[0]
			example = fmt.Sprintf("%s: %s → %s", x.Identity, valueOrNone(x.Before), valueOrNone(x.After))
		}
		t.row(f.Field, count(f.Changed), count(f.Appeared), count(f.Vanished), example)
	}
	t.write(c.stdout, "  ")
}

// line writes an example on one line.
func (x *changeExample) line() string {
	before, after := joinComma(x.Before), joinComma(x.After)
	way := before + " → " + after
	switch {
	case before == after || before == "":
		way = after
	case after == "":
		way = before
	}
	more := ""
	if n := x.Count - len(x.Records); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s%s: %s%s", way, named(x.Name), printable(joinComma(x.Records)), more)
}

// named writes a name behind an id.
func named(name string) string {
	if name == "" {
		return ""
	}
	return " (" + printable(shorten(name, 40)) + ")"
}

func valueOrNone(s string) string {
	if s == "" {
		return "none"
	}
	return fmt.Sprintf("%q", shorten(s, 30))
}
