package normalize

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// forms are all functions from one value to its normal form; those whose
// result is a text of the same kind are idempotent.
var forms = []struct {
	name       string
	form       func(string) string
	idempotent bool
}{
	{"Fold", Fold, true}, {"Text", Text, true}, {"Identifier", Identifier, true}, {"GivenName", GivenName, true}, {"FamilyName", FamilyName, true}, {"Organization", Organization, false},
	{"Email", Email, true}, {"Gender", Gender, true}, {"GenderNumber", GenderNumber, true}, {"Number", Number, true}, {"NationalID", NationalID, true}, {"BusinessID", BusinessID, false},
	{"VehicleReg", VehicleReg, true}, {"Street", Street, true}, {"HouseNumber", HouseNumber, false}, {"Unit", Unit, false}, {"PostalCode", PostalCode, false}, {"City", City, true},
	{"Region", Region, true}, {"Country", Country, true}, {"Language", Language, false}, {"Sound", Sound, false},
	{"DateYMD", func(s string) string { return Date(s, YMD, DefaultPivot) }, true}, {"DateDMY", func(s string) string { return Date(s, DMY, DefaultPivot) }, false}, {"DateMDY", func(s string) string { return Date(s, MDY, DefaultPivot) }, false},
}

// seeds are values that have broken such functions before, or could.
var seeds = []string{"", " ", "\x00", "\xff\xfe", "Äijälä", "O'Neill Jr", "1.2.1990", "191604 1", "a@b.fi", "+358 (0)40 1234560", "Koivupolku 56 B 7, 90470 VARJAKKA", "12/34 Main Street", "ab-123", "\u202e\u0301", "ſ", "İ", "Ǆ",
	"ﬃ", "c/o", "#", "1,234.50", "-", "Mr", "von", "t:mi", "00100", "a\u0308", strings.Repeat("x", 5000), "I.II.III", "0/0", "１２３", "𝟏𝟐", "e", "Jr Jr", "d o d o neill", "st", "k", "t."}

// checkForms tests what holds for every value and every form.
func checkForms(t interface{ Errorf(string, ...any) }, s string) {
	for _, f := range forms {
		n := f.form(s)
		if len(n) > maxFolded+64 || !utf8.ValidString(n) || strings.ContainsRune(n, 0) {
			t.Errorf("%s(%.80q) = %.80q: not a normal form", f.name, s, n)
		}
		if f.idempotent && n != "" && len(n) < maxFolded/2 {
			if again := f.form(n); again != n {
				t.Errorf("%s(%.80q) = %.80q, and again %.80q", f.name, s, n, again)
			}
		}
	}
}

func FuzzForms(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkForms(t, s) })
}

func TestFormsOfArbitraryTextHoldTheirLaws(t *testing.T) {
	pieces := append([]string{"Mr ", "Dr. ", " Jr", "12", " B 34", ", ", "00100 ", "Street", "katu ", "@", ".com", "+358", "von ", "O'", "-", "&", " Oy", "1990", "/", "Äö", "Ж", "李", "\u0301", "\xf0"}, seeds...)
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(pieces), rapid.String()), 1, 6).Draw(t, "pieces"), "")
		checkForms(t, s)
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range []Address{ParseAddress(s), ParseLocality(s)} {
			for _, part := range []string{a.Street, a.HouseNumber, a.Unit, a.PostalCode, a.City, a.Region, a.Country} {
				for _, w := range strings.Fields(part) {
					if !strings.Contains(s, w) {
						t.Errorf("%.80q: part %.80q is not in it", s, part)
					}
				}
			}
		}
		LooksStreet(s)
		JunkStreet(s)
	})
}

func FuzzFullName(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	names := NewNames()
	f.Fuzz(func(t *testing.T, s string) {
		given, family := names.Split(s, DefaultFamilyFirst)
		for _, w := range strings.Fields(given + " " + family) {
			if !strings.Contains(s, w) {
				t.Errorf("Split(%.80q): %.80q is not in it", s, w)
			}
		}
		HasLegalForm(s)
	})
}

func FuzzPhone(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	phones := NewPhones("FI")
	f.Fuzz(func(t *testing.T, s string) {
		n, _ := phones.Parse(s)
		if n != "" && (len(n) < 5 || len(n) > 20 || strings.Trim(n, "+0123456789") != "") {
			t.Errorf("%.80q → %q", s, n)
		}
		if n != NewPhones("FI").Normal(s) {
			t.Errorf("%.80q: the cache changes the result", s)
		}
	})
}

func FuzzTimes(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if d := DateParts(a, b, c, DefaultPivot); d != "" && (len(d) != 8 || !allDigits(d)) {
			t.Errorf("DateParts(%.40q, %.40q, %.40q) = %q", a, b, c, d)
		}
		for o := YMD; o <= MDY; o++ {
			if d := Date(a, o, DefaultPivot); d != "" && (len(d) != 8 || !allDigits(d)) {
				t.Errorf("Date(%.80q, %v) = %q", a, o, d)
			}
			Timestamp(a, o)
		}
	})
}
