package run

import (
	"math/rand/v2"
	"testing"

	"sama/record"
)

// BenchmarkCarryConsents carries the consents of a night of a million records on,
// of whom each says something in one or two columns, a tenth of it anew.
func BenchmarkCarryConsents(b *testing.B) {
	const n = 1_000_000
	r := rand.New(rand.NewPCG(1, 2))
	s := manySaid(r, n)
	table := s.table(b)
	first := newCarrier(table, 1, s.columns, &pastConsents{}, nil)
	c, err := first.carry()
	if err != nil {
		b.Fatal(err)
	}
	before := &pastConsents{columns: c.Columns, acts: c.Acts}
	var ids record.StringsBuilder
	for _, a := range c.Acts {
		ids.Append(table.IDs.At(a.Record))
	}
	before.ids = ids.Build()
	for k := range s.values {
		if r.IntN(10) == 0 {
			s.values[k]["email"] = actDeny
		}
	}
	table = s.table(b)
	b.ResetTimer()
	for range b.N {
		acts := append([]ConsentAct(nil), before.acts...)
		again := &pastConsents{columns: before.columns, acts: acts, ids: before.ids}
		if _, err := newCarrier(table, 2, s.columns, again, nil).carry(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(c.Acts)), "acts")
}
