package report

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLabelsOfDifferentNamesDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(8, 30).Draw(t, "most")
		name := rapid.StringMatching(`(street_address_|名前|)[ab]{0,3}[a-z_]{0,20}(_line_[12]|)`)
		names := rapid.SliceOfN(name, 0, 40).Draw(t, "names")
		got := labels(names, most)
		for i, a := range names {
			width := 0
			for _, r := range got[i] {
				width += runeWidth(r)
			}
			if width > most {
				t.Fatalf("%q is %d wide, want at most %d", got[i], width, most)
			}
			for k, b := range names[:i] {
				if (a == b) != (got[i] == got[k]) {
					t.Fatalf("%q and %q are labelled %q and %q", a, b, got[i], got[k])
				}
			}
		}
	})
}

func TestLabelsAreCutInTheMiddle(t *testing.T) {
	got := labels([]string{"email", "street_address_of_the_customer_1", "street_address_of_the_customer_2"}, 20)
	want := "email, street_addr…stomer_1, street_addr…stomer_2"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}

// Columns whose names begin alike have rows of their own in every chart.
func TestLongNamesStayApartInCharts(t *testing.T) {
	d := sample()
	d.Fields = []string{"street_address_of_the_customer_1", "street_address_of_the_customer_2"}
	for i := range d.Sources {
		d.Sources[i].Fill = d.Sources[i].Fill[:2]
	}
	seen := make(map[any]bool)
	for _, v := range specs(d)["fill"]["data"].(object)["values"].([]object) {
		seen[v["field"]] = true
	}
	if len(seen) != 2 {
		t.Errorf("the chart has the fields %v", seen)
	}
}

func TestOnlyValuesThatDifferAreMarked(t *testing.T) {
	text, err := Render(sample())
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range map[string]bool{
		`<th>family_name</th><td>Korhonen</td><td>KORHONEN</td>`:  false,
		`<th>birth_date</th><td>1972-04-01</td><td>1.4.1972</td>`: false,
		`<th>given_name</th><td>Liisa</td><td>Elisabet</td>`:      true,
		`<th>email</th><td>–</td><td>liisa.k@example.com</td>`:    false,
		`<th>street</th><td>Rantatie 5</td><td>Kauppakatu 11 B 4`: true,
	} {
		if got := strings.Contains(string(text), `<tr class="differs">`+row); got != want {
			t.Errorf("%s: marked %v, want %v", row, got, want)
		}
		if !strings.Contains(string(text), row) {
			t.Errorf("%s is not there", row)
		}
	}
}
