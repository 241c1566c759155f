package serve

import (
	"slices"
	"testing"
)

// TestAnArrivalIsToldByWhatItDid goes through the cases of the contract.
func TestAnArrivalIsToldByWhatItDid(t *testing.T) {
	mail := []string{"email"}
	for what, x := range map[string]struct {
		arrival Arrival
		deleted bool
		want    []string
	}{
		"founds an identity":                     {Arrival{Identity: "a", Founded: true}, false, []string{"created a"}},
		"joins one":                              {Arrival{Identity: "a"}, false, []string{"grown a"}},
		"joins one and changes it":               {Arrival{Identity: "a", Changed: mail}, false, []string{"grown a", "changed a email"}},
		"comes again as it was":                  {Arrival{Identity: "a", Member: true}, false, nil},
		"comes again with another value":         {Arrival{Identity: "a", Member: true, Changed: mail}, false, []string{"changed a email"}},
		"goes over to another":                   {Arrival{Identity: "a", Left: "b", LeftChanged: mail}, false, []string{"grown a", "shrunk b", "changed b email"}},
		"goes over, the last of its identity":    {Arrival{Identity: "a", Left: "b", Emptied: true}, false, []string{"grown a", "retired b"}},
		"is deleted":                             {Arrival{Identity: "a", Member: true, Changed: mail}, true, []string{"shrunk a", "changed a email"}},
		"is deleted, the last of its identity":   {Arrival{Identity: "a", Member: true, Emptied: true}, true, []string{"retired a"}},
		"leaves one and founds one, as it is no": {Arrival{Identity: "a", Founded: true, Left: "b"}, false, []string{"created a", "shrunk b"}},
	} {
		var got []string
		for _, e := range eventsOf(&x.arrival, x.deleted) {
			text := e.Kind + " " + e.Identity
			if e.Kind == "changed" {
				text += " email"
				if string(e.Detail) != `{"fields":["email"]}` {
					t.Errorf("%s: detail %s", what, e.Detail)
				}
			}
			got = append(got, text)
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("a record that %s is told as %v, want %v", what, got, x.want)
		}
	}
}

func TestWhatIsIgnoredIsNotKept(t *testing.T) {
	kept, err := keptFields(map[string]string{"email": "a@b.fi", "diagnosis": "x", "city": ""}, []string{"diagnosis"})
	if want := `{"city":"","email":"a@b.fi"}`; err != nil || string(kept) != want {
		t.Errorf("kept %s (%v), want %s", kept, err, want)
	}
}
