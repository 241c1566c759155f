package consent

import (
	"fmt"
	"testing"
	"time"
)

// benchEvents are what a person of three records and an account may have.
func benchEvents() (*Purpose, Question, []Event, time.Time) {
	p := newsletter()
	c := contactN(1)
	at := func(day int) time.Time { return time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC) }
	return p, Question{Channel: "email", Contact: c, Column: "email"}, []Event{
		{Anchor: OfRecord("crm", "C17"), Contact: c, Purpose: p.ID, Controller: p.Controller, Channel: "email", Act: ActGrant, At: at(1), Source: "crm"},
		{Anchor: OfRecord("web", "W4"), Contact: c, Purpose: p.ID, Controller: p.Controller, Channel: "email", Act: ActDeny, At: at(2), Source: "web"},
		{Anchor: OfRecord("crm", "C17"), Contact: c, Purpose: p.ID, Controller: p.Controller, Channel: "sms", Act: ActDeny, At: at(3), Source: "crm"},
		{ID: 7, Anchor: OfAccount("a1"), Purpose: p.ID, Controller: p.Controller, Channel: "email", Act: ActWithdraw, At: at(4), Authenticated: Account, Source: "app"},
		{ID: 9, Anchor: OfAccount("a1"), Contact: c, Purpose: p.ID, Controller: p.Controller, Channel: "email", Act: ActGrant, At: at(5), Authenticated: Account, Source: "app"},
	}, at(6)
}

func BenchmarkDecide(b *testing.B) {
	p, q, events, now := benchEvents()
	if d := Decide(p, q, events, now); !d.Allowed {
		b.Fatal(d.Sentence())
	}
	b.ReportAllocs()
	for b.Loop() {
		Decide(p, q, events, now)
	}
}

func BenchmarkDecideAndApply(b *testing.B) {
	p, q, events, now := benchEvents()
	columns := make([]string, 20)
	for i := range columns {
		columns[i] = fmt.Sprintf("column %d", i)
	}
	columns[3] = "email"
	policy := DefaultPolicy()
	p.Fields = []string{"*"}
	f := Compile(&Grant{Purposes: []string{p.ID}, Fields: []string{"*"}}, p, &policy, columns)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		d := Decide(p, q, events, now)
		set := f.Apply(&d)
		for i := range columns {
			if set.Has(i) {
				n++
			}
		}
	}
	if n == 0 {
		b.Fatal("nothing was released")
	}
}

func BenchmarkApply(b *testing.B) {
	p, q, events, now := benchEvents()
	policy := DefaultPolicy()
	f := Compile(&Grant{Purposes: []string{p.ID}, Fields: []string{"*"}}, p, &policy, []string{"given_name", "email", "email_2"})
	d := Decide(p, q, events, now)
	b.ReportAllocs()
	for b.Loop() {
		f.Apply(&d)
	}
}

// BenchmarkDecideMany is the cost of a person about whom a lot was said.
func BenchmarkDecideMany(b *testing.B) {
	for _, n := range []int{48, 49, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, q, few, now := benchEvents()
			var events []Event
			for i := range n {
				e := few[i%len(few)]
				e.At = e.At.Add(time.Duration(i) * time.Minute)
				events = append(events, e)
			}
			for b.Loop() {
				Decide(p, q, events, now)
			}
		})
	}
}
