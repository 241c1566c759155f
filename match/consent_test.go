package match

import (
	"fmt"
	"strings"
	"testing"

	"sama/match/blocking"
	"sama/record"
)

// TestConsentsAreNotCompared: what persons agreed to says nothing of who they
// are, however well the column is filled.
func TestConsentsAreNotCompared(t *testing.T) {
	var keys []record.Key
	var rows [][]string
	for i := range 200 {
		keys = append(keys, record.Key{Source: []string{"crm", "web"}[i%2], ID: fmt.Sprintf("%03d", i/2)})
		rows = append(rows, []string{fmt.Sprint("name", i/2%50), []string{"grant", "deny"}[i%2]})
	}
	table := textTable(keys, []string{"family_name", "email_opt_in"}, rows)
	table.Columns[0].Field, table.Columns[1].Field = record.FamilyName, record.Consent
	table.Columns[0].Sound = make([]uint32, table.Columns[0].Normal.Len())
	p := NewPlan(table, Joint{})
	for _, c := range p.Comparisons {
		if strings.Contains(c.Name(), "opt_in") || c.Name() == "consent" {
			t.Errorf("comparison %s", c.Name())
		}
	}
	for _, l := range p.Left {
		if l.Column == "email_opt_in" {
			t.Errorf("left out for a reason of its own: %+v", l)
		}
	}
	for _, e := range blocking.Expressions(table, nil) {
		if strings.Contains(e.Name, "opt_in") || strings.Contains(e.Name, "consent") {
			t.Errorf("key expression %s", e.Name)
		}
	}
	for _, c := range ProposeClassical(table).Comparisons {
		if c.Columns[0] == "email_opt_in" {
			t.Error("the classical model compares it")
		}
	}
}
