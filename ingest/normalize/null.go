package normalize

import "strings"

// nullForms are the folded texts that mean "no value" in any column.
var nullForms = lines(`
null
nil
none
nan
na
n a
not available
not applicable
not known
unknown
unspecified
undefined
missing
empty
no value
not provided
not given
tuntematon
ei tiedossa
ei tietoa
puuttuu
tyhja
ei ole
okand
saknas
uppgift saknas
unbekannt
keine angabe
`)

// Null reports that a value says nothing: blank, only signs ("-", "?", "--"),
// or a word for "no value" in English, Finnish, Swedish or German. One letter
// or digit is a value.
func Null(s string) bool {
	if len(s) > 64 {
		return Fold(s[:64]) == "" && Fold(s) == ""
	}
	if len(s) > 1 && !nullStart[s[0]] {
		return false // most values, without folding them
	}
	switch folded := Fold(s); len(folded) {
	case 0:
		return true
	case 1:
		return false
	default:
		// "N. A." are initials, "n/a" is nothing.
		return len(folded) <= 20 && nullForms[folded] && (len(folded) != 3 || folded != "n a" || strings.IndexByte(s, '/') > 0)
	}
}

// nullStart marks the bytes that a text without meaning can begin with: the
// first letters of the null forms, and all that are neither letter nor digit.
var nullStart = func() (starts [256]bool) {
	for c := range starts {
		starts[c] = !isLetter(byte(c)) && !isDigit(byte(c))
	}
	for form := range nullForms {
		starts[form[0]], starts[form[0]-'a'+'A'] = true, true
	}
	return starts
}()
