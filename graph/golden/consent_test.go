package golden

import (
	"testing"

	"sama/record"
)

// TestOneRefusalIsTheGoldenConsent: neither many sources, nor a newer record, nor
// groups make a grant of it, unless configured.
func TestOneRefusalIsTheGoldenConsent(t *testing.T) {
	table, clusters := build(t, []string{"given_name", "consent"}, []line{
		{"a", "1", 0, 1, 9, []string{"Anna", "grant"}}, {"b", "1", 0, 1, 9, []string{"Anna", "grant"}}, {"c", "1", 0, 1, 2, []string{"Anna", "deny"}}, {"d", "1", 0, 1, 9, []string{"Anna", "grant"}},
		{"a", "2", 1, 1, 1, []string{"Matti", "grant"}}, {"b", "2", 1, 1, 1, []string{"Matti", ""}},
		{"a", "3", 2, 1, 1, []string{"Liisa", ""}},
	})
	if table.Columns[1].Field != record.Consent {
		t.Fatal("no column of consents")
	}
	for _, c := range []struct {
		options Options
		want    [3]string
	}{
		{Options{}, [3]string{"deny", "grant", ""}},
		{Options{Ungrouped: true}, [3]string{"deny", "grant", ""}},
		{Options{Fields: map[string][]Rule{"consent": {{Kind: MostFrequent}}}}, [3]string{"grant", "grant", ""}},
		{Options{Default: []Rule{{Kind: MostRecent}}}, [3]string{"deny", "grant", ""}},
	} {
		columns, err := Merge(table, clusters, c.options, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			got := ""
			if r := columns[1].Chosen[i]; r != NoRecord {
				got = table.Columns[1].RawValue(r)
			}
			if got != want {
				t.Errorf("%+v: identity %d: %q by %v, want %q", c.options, i, got, columns[1].Rule[i], want)
			}
		}
	}
}
