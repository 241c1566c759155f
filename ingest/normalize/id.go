package normalize

import (
	"strings"
)

// NationalID returns the normal form of a personal identity code: capitals and
// digits. The century sign of a Finnish code stays, because it is part of the
// identity: 100190-999P and 100190Y999P are two persons.
func NationalID(s string) string {
	s = strings.ToUpper(Trim(s))
	if len(s) > 64 || Null(s) {
		return ""
	}
	if looksHetu(s) {
		return s
	}
	return Identifier(s)
}

const hetuMarks = "0123456789ABCDEFHJKLMNPRSTUVWXY"

// looksHetu reports the shape ddmmyyCNNNX of a Finnish personal identity code.
func looksHetu(s string) bool {
	return len(s) == 11 && allDigits(s[:6]) && strings.IndexByte("+-YXWVUABCDEF", s[6]) >= 0 && allDigits(s[7:10]) && strings.IndexByte(hetuMarks, s[10]) >= 0
}

// ValidHetu reports that s is a Finnish personal identity code with the right
// check character: (ddmmyyNNN) mod 31 indexes the 31 marks (DVV's rule).
func ValidHetu(s string) bool {
	s = strings.ToUpper(Trim(s))
	if !looksHetu(s) {
		return false
	}
	n := 0
	for _, c := range []byte(s[:6] + s[7:10]) {
		n = n*10 + int(c-'0')
	}
	return hetuMarks[n%31] == s[10] && s[:2] >= "01" && s[:2] <= "31" && s[2:4] >= "01" && s[2:4] <= "12"
}

// HetuBirthDate returns the date of birth, YYYYMMDD, that a Finnish personal
// identity code carries, or "".
func HetuBirthDate(s string) string {
	s = strings.ToUpper(Trim(s))
	if !ValidHetu(s) {
		return ""
	}
	century := "19"
	switch {
	case s[6] == '+':
		century = "18"
	case s[6] >= 'A' && s[6] <= 'F':
		century = "20"
	}
	return century + s[4:6] + s[2:4] + s[0:2]
}

// LooksSSN reports the written shape of a United States social security
// number, 123-45-6789.
func LooksSSN(s string) bool {
	return len(s) == 11 && s[3] == '-' && s[6] == '-' && allDigits(s[:3]) && allDigits(s[4:6]) && allDigits(s[7:])
}

// BusinessID returns the normal form of an organisation's register number.
func BusinessID(s string) string {
	s = Identifier(s)
	if len(s) == 10 && s[:2] == "FI" && allDigits(s[2:]) {
		return s[2:] // VAT number of a Finnish business id
	}
	if len(s) == 7 && allDigits(s) && ValidYTunnus("0"+s) {
		return "0" + s
	}
	return s
}

// ValidYTunnus reports that s is a Finnish business id with the right check
// digit: weights 7 9 10 5 8 4 2, modulo 11, remainder 1 never used.
func ValidYTunnus(s string) bool {
	d := Code(s)
	if len(d) != 8 || !allDigits(d) {
		return false
	}
	sum := 0
	for i, w := range [7]int{7, 9, 10, 5, 8, 4, 2} {
		sum += w * int(d[i]-'0')
	}
	rest := sum % 11
	if rest == 1 {
		return false
	}
	if rest > 1 {
		rest = 11 - rest
	}
	return int(d[7]-'0') == rest
}

// VehicleReg returns the normal form of a number plate or a vehicle
// identification number: capitals and digits, "" for placeholders (ABC-123).
func VehicleReg(s string) string {
	c := Code(s)
	if junkPlate[c] || len(c) < 2 || len(c) > 20 || !strings.ContainsAny(c, "0123456789") {
		return ""
	}
	return c
}

// LooksPlate reports the shape of a Finnish, Swedish or Baltic plate: two or
// three letters, then one to three digits (or two digits and a letter).
func LooksPlate(s string) bool {
	if len(s) < 5 || len(s) > 8 {
		return false
	}
	c := Code(s)
	if len(c) < 5 || len(c) > 6 {
		return false
	}
	letters := 0
	for letters < len(c) && isLetter(c[letters]) {
		letters++
	}
	rest := c[letters:]
	if len(rest) == 3 && letters == 3 && isLetter(rest[2]) {
		rest = rest[:2]
	}
	return (letters == 2 || letters == 3) && len(rest) >= 2 && len(rest) <= 3 && allDigits(rest)
}

// LooksVIN reports 17 signs without I, O and Q.
func LooksVIN(s string) bool {
	c := Code(s)
	return len(c) == 17 && !strings.ContainsAny(c, "IOQ") && strings.ContainsAny(c, "0123456789") && !allDigits(c)
}

// Language returns a language as its ISO 639-1 code where the code or the name
// is known, else the folded word.
func Language(s string) string {
	w := Text(s)
	if code, ok := languages[w]; ok {
		return code
	}
	if len(w) >= 5 && w[2] == ' ' {
		return w[:2] // fi-FI
	}
	return w
}

var languages = map[string]string{
	"suomi": "fi", "finnish": "fi", "finska": "fi", "fin": "fi", "ruotsi": "sv", "swedish": "sv", "svenska": "sv", "swe": "sv", "se": "sv",
	"englanti": "en", "english": "en", "engelska": "en", "eng": "en", "german": "de", "deutsch": "de", "saksa": "de", "ger": "de", "deu": "de",
	"estonian": "et", "eesti": "et", "viro": "et", "est": "et", "russian": "ru", "venaja": "ru", "rus": "ru",
}

// KnownLanguage reports a language code or name of the countries that sama's
// first users live in.
func KnownLanguage(s string) bool {
	if len(s) > 12 {
		return false
	}
	switch f := Fold(s); f {
	case "fi", "sv", "en", "de", "et", "ru", "no", "nb", "da", "fr", "es", "fi fi", "sv fi", "en gb", "en us", "sv se":
		return true
	default:
		_, ok := languages[f]
		return ok && f != "se" && f != "est"
	}
}
