package report

import (
	"fmt"
	"math"
	"time"
)

// sample is a page with everything on it.
func sample() *Data {
	d := &Data{
		Title: "crm, service and webshop", Records: 92_431, Identities: 61_207, Joined: 51_780,
		Warnings: []string{"comparison vehicle_reg: 2 of 4 levels were never seen in training and take a default"},
		Fields:   []string{"given_name", "family_name", "birth_date", "email", "phone", "street", "postal_code", "city", "vehicle_reg"},
		Sources: []Source{
			{"crm", 41_200, 12, []float64{.998, .999, .93, .61, .84, .95, .96, .97, 0}},
			{"service", 20_031, 0, []float64{.97, .98, .11, .32, .99, .2, .2, .41, .995}},
			{"webshop", 31_200, 103, []float64{1, 1, .05, 1, .55, .88, .88, .88, 0}},
		},
		Mapping: []Mapping{
			{"crm", "etunimi", "given_name", "name"}, {"crm", "synt.aika", "birth_date", "name; 98 % of values are dates (2.1.2006)"},
			{"crm", "asiakasryhmä", "", "fits nothing"}, {"service", "rek", "vehicle_reg", "values: 99 % are number plates"},
		},
		Junk: []Junk{
			{"phone", "+358401234567", 212, "shared by 208 different names"},
			{"email", "info@example.com", 98, "generic address"}, {"family_name", "Testi", 41, "placeholder"},
		},
		Rules: []Rule{
			{"email", 18_204, 18_204, 17_950}, {"phone", 31_020, 17_022, 16_003}, {"family_name & birth_date", 24_118, 6_407, 5_210},
			{"given_name & postal_code & street", 55_003, 41_116, 3_307}, {"sound(family_name) & birth year & initial", 142_860, 118_402, 1_204},
		},
		GivenUp: []GivenUp{{"phone", "+358401234567", 212, 22_366}},
		Prior:   -16.4,
		Comparisons: []Comparison{
			{"given_name", []Level{{"equal", 7.9, .83, .0035, false}, {"nickname or initial", 4.2, .07, .0038, false}, {"similar", 3.1, .05, .0058, false}, {"different", -4.3, .05, .987, false}}},
			{"family_name", []Level{{"equal", 9.8, .86, .00096, false}, {"part of a double name", 6.3, .03, .0004, false}, {"similar", 4.4, .04, .0019, false}, {"different", -3.8, .07, .996, false}}},
			{"birth_date", []Level{{"equal", 13.1, .94, .0001, false}, {"one digit differs", 6.2, .03, .0004, false}, {"same year", 1.2, .01, .0044, false}, {"different", -5.6, .02, .995, false}}},
			{"email", []Level{{"equal", 15.2, .71, .00002, false}, {"same local part", 8.0, .08, .0003, false}, {"different", -1.9, .21, .9997, false}}},
			{"phone", []Level{{"equal", 13.9, .66, .00004, false}, {"one digit differs", 7.2, .02, .0001, false}, {"different", -1.4, .32, .9998, false}}},
			{"address", []Level{{"same flat", 11.2, .52, .0002, false}, {"same street", 7.7, .12, .0006, false}, {"same postal code", 3.0, .1, .012, false}, {"different", -1.9, .26, .987, false}}},
			{"vehicle_reg", []Level{{"equal", 15.8, .4, 7e-6, false}, {"similar", 2, .02, .005, true}, {"different", 0.4, .5, .66, true}}},
		},
		Threshold: Threshold{2.9, .882, "largest expected F1"},
		Sizes:     []Size{{1, 40_651}, {2, 13_822}, {3, 5_120}, {4, 1_261}, {5, 271}, {6, 61}, {7, 14}, {8, 4}, {12, 2}, {27, 1}},
		Overlap: []Overlap{
			{[]string{"crm"}, 21_304, 22_610}, {[]string{"webshop"}, 14_002, 14_980}, {[]string{"crm", "webshop"}, 11_130, 23_800},
			{[]string{"service"}, 7_204, 7_520}, {[]string{"crm", "service"}, 4_811, 10_002}, {[]string{"crm", "service", "webshop"}, 2_004, 8_711}, {[]string{"service", "webshop"}, 752, 1_808},
		},
		DoubtfulTotal: 37,
		Doubtful: []Doubtful{
			{"01hq3k7m2pw9x", "two different birth dates", 3.4, []Member{{"crm:C00121", "Maija Virtanen, 12.3.1961, Koulukatu 4 A 2, Turku"}, {"webshop:W93120", "Maija Virtanen, 12.3.1991, Koulukatu 4, Turku"}, {"service:S0091", "M. Virtanen, 040 555 0101"}}},
			{"01hq3k7nw4a0c", "hangs on one weak edge", 3.0, []Member{{"crm:C10021", "Åke Öhman, 2.2.1950"}, {"crm:C10345", "Åke Öman, 2.2.1950"}}},
		},
		Rejects: []Reject{
			{"webshop.csv.gz", "", "6 cells, the header has 5", 99, "row 1031: W10312;Matti;Meikäläinen;;;"},
			{"crm.parquet", "birth_date", "not a date", 12, "row 17: 31.2.1990"}, {"webshop.csv.gz", "", "no key", 4, "row 88"},
		},
		RejectsTotal: 115,
		Run: &Run{"0.1.0", time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), 2, 231 << 20, []Stage{
			{"read", .18, 92_546, "rows"}, {"normalise", .22, 92_431, "records"}, {"block", .06, 201_151, "pairs"}, {"train", .11, 201_151, "pairs"},
			{"score", .05, 201_151, "pairs"}, {"cluster", .03, 43_674, "edges"}, {"merge", .05, 61_207, "identities"}, {"write", .12, 15, "files"},
		}},
	}
	sampleWeights(d)
	sampleExamples(d)
	return d
}

// sampleWeights adds the histogram and the curve.
func sampleWeights(d *Data) {
	for b := -20.0; b < 32; b++ {
		pairs := 90_000*math.Exp(-(b+9)*(b+9)/12) + 5_200*math.Exp(-(b-17)*(b-17)/30) + 30
		d.Histogram = append(d.Histogram, Bin{b, b + 1, int64(pairs)})
	}
	for b := -4.0; b <= 14; b += .5 {
		p, r := 1-.2/(1+math.Exp(b)), 1-.3/(1+math.Exp(9-b))
		d.Curve = append(d.Curve, Point{b, p, r, 2 * p * r / (p + r)})
	}
}

// sampleExamples adds pairs around the threshold.
func sampleExamples(d *Data) {
	for i, kind := range []string{"just above the threshold", "just below the threshold", "far above"} {
		e := Example{Kind: kind, Left: fmt.Sprintf("crm:C00%d12", i), Right: fmt.Sprintf("webshop:W0%d93", i), Joined: i != 1,
			Fields: []ExampleField{{"given_name", "Liisa", "Elisabet", true}, {"family_name", "Korhonen", "KORHONEN", false}, {"birth_date", "1972-04-01", "1.4.1972", false}, {"email", "", "liisa.k@example.com", false}, {"street", "Rantatie 5", "Kauppakatu 11 B 4", true}},
			Steps:  []Step{{"given_name", "different", -4.3}, {"family_name", "equal", 8.2}, {"birth_date", "equal", 13.1}, {"address", "different", -1.9}, {"phone", "one digit differs", float64(6*i) + 4.6}}}
		e.Bits = d.Prior
		for _, s := range e.Steps {
			e.Bits += s.Bits
		}
		e.Probability = 1 / (1 + math.Exp2(-e.Bits))
		d.Examples = append(d.Examples, e)
	}
}
