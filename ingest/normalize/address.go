package normalize

import (
	"strings"
)

// Address is an address taken apart. The parts are pieces of the source's own
// text; each has its own normal form.
type Address struct {
	Street, HouseNumber, Unit string
	PostalCode, City          string
	Region, Country           string
}

// ParseAddress takes a whole address or one line of it apart:
//
//	Koivupolku 56 B 7, 90470 VARJAKKA     street, number, unit, postal code, city
//	1602 Brenville Pl, San Francisco, CA 94105
//	12/34 Main Street                     unit 12, number 34
//	c/o R-Kioski, PL 123, 00101 Helsinki  a box is a street "PL" with a number
//
// What stands behind c/o and names of pick-up points are left out; so is a
// building's name before the street. What cannot be placed stays in Street, so
// that nothing that tells two addresses apart is lost.
func ParseAddress(s string) Address {
	var a Address
	s = Trim(s)
	if len(s) > 512 || Null(s) {
		return a
	}
	segments := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' || r == '|' })
	for i, seg := range segments {
		segments[i] = Trim(seg)
	}
	segments = keepPlaces(segments)
	street := streetSegment(segments)
	for i, seg := range segments {
		switch {
		case i == street:
			a.takeStreet(seg)
		case stateAndCode(seg) && a.takePlace(seg):
		case a.takeUnit(seg) || i > 0 && a.takeCountry(seg) || a.takePlace(seg):
		case street >= 0 && i < street: // a building's name
		case street < 0 && i == 0:
			a.Street = seg
		case a.City == "":
			a.City = seg
		case a.Region == "":
			a.Region = seg
		}
	}
	return a
}

// keepPlaces drops empty segments, c/o and names of pick-up points.
func keepPlaces(segments []string) []string {
	out := segments[:0]
	for _, seg := range segments {
		if seg == "" || careOf(seg) || JunkStreet(seg) {
			continue
		}
		out = append(out, seg)
	}
	return out
}

func careOf(s string) bool {
	return len(s) >= 4 && (s[0]|0x20 == 'c' && s[1] == '/' && s[2]|0x20 == 'o')
}

// JunkStreet reports that an address line names no place ("Katuosoite 1",
// "-") or the name of a pick-up point.
func JunkStreet(s string) bool {
	if d, _ := countDigitsLetters(s); len(s) > 64 || d > 2 && !careOf(s) {
		return false // no placeholder has a number of three digits
	}
	folded := Fold(s)
	if careOf(s) {
		folded = strings.TrimPrefix(folded, "c o ")
	}
	if junkStreet[folded] || Null(folded) {
		return true
	}
	if word, n, ok := strings.Cut(folded, " "); ok && allDigits(n) && len(n) <= 2 {
		return junkStreet[word] || word == "pl" && n == "1"
	}
	return false
}

// streetSegment returns the segment that is the street line: the first with a
// number beside words or a box, else the first with a street word, else the
// only one; -1 where there is none.
func streetSegment(segments []string) int {
	words := -1
	for i, seg := range segments {
		if isUnit(seg) || stateAndCode(seg) {
			continue
		}
		if _, _, ok := box(seg); ok {
			return i
		}
		code, rest := leadingPostalCode(seg)
		if code != "" && (i > 0 || rest == "") || i > 0 && trailingPlace(seg) {
			continue
		}
		parts := strings.Fields(seg)
		if len(parts) > 1 && hasHouseNumber(parts) {
			return i
		}
		if words < 0 && hasStreetWord(parts) {
			words = i
		}
	}
	if words < 0 && len(segments) == 1 && !isUnit(segments[0]) {
		return 0
	}
	return words
}

func hasHouseNumber(words []string) bool {
	for _, w := range words {
		if houseNumber(w) || slashNumber(w) {
			return true
		}
	}
	return false
}

// stateAndCode reports "FL 60527".
func stateAndCode(seg string) bool {
	state, code, ok := strings.Cut(seg, " ")
	return ok && len(state) <= 3 && stateCodes[Fold(state)] && postalCode(code)
}

// takeStreet reads a street line.
func (a *Address) takeStreet(seg string) {
	if name, number, ok := box(seg); ok {
		a.Street, a.HouseNumber = name, number
		return
	}
	words := strings.Fields(seg)
	if w := strings.TrimSuffix(words[0], ","); (houseNumber(w) || slashNumber(w)) && len(words) > 1 && hasLetterWord(words[1:]) && !(len(words) == 2 && len(words[1]) == 1) {
		if unit, number, ok := strings.Cut(w, "/"); ok {
			a.Unit, w = unit, number
		}
		a.HouseNumber = w
		a.takeNumberFirst(words[1:])
		return
	}
	for i := 1; i < len(words); i++ {
		if houseNumber(words[i]) && hasStreetType(words[min(i+2, len(words)):]) {
			a.HouseNumber = words[i] // "Skyline Apartments 705 Sheppard Ave"
			a.takeNumberFirst(words[i+1:])
			return
		}
		if houseNumber(words[i]) {
			a.Street, a.HouseNumber = strings.Join(words[:i], " "), strings.TrimSuffix(words[i], ".")
			a.takeBehindNumber(words[i+1:])
			return
		}
		if isUnitWord(words[i]) && i+1 < len(words) {
			a.Street, a.Unit = strings.Join(words[:i], " "), strings.Join(words[i:], " ")
			return
		}
	}
	a.Street = seg
}

// takeNumberFirst reads what follows a number that came first: street, then
// perhaps a unit or a city ("W. 32nd St Palm Harbor").
func (a *Address) takeNumberFirst(words []string) {
	if n := len(words); n > 3 && stateAndCode(words[n-2]+" "+words[n-1]) {
		a.Region, a.PostalCode = words[n-2], words[n-1]
		words = words[:n-2]
	}
	end := len(words)
	for i := 1; i < len(words); i++ {
		if isUnitWord(words[i]) {
			a.Unit, end = strings.Join(words[i:], " "), i
			break
		}
	}
	words = words[:end]
	last := -1
	for i := 1; i < len(words); i++ {
		if streetTypes[strings.TrimRight(Fold(words[i]), " ")] != "" {
			last = i
		}
	}
	if last > 0 && last+1 < len(words) && directions[Fold(words[last+1])] != "" {
		last++
	}
	if last > 0 && last+1 < len(words) && end > last+1 {
		switch rest := strings.Join(words[last+1:], " "); {
		case a.takePlace(rest):
		case hasLetterWord(words[last+1:]):
			a.City = rest
		case a.Unit == "":
			a.Unit = rest
		}
		words = words[:last+1]
	}
	a.Street = strings.Join(words, " ")
}

// takeBehindNumber reads what follows "Street 12": stair and flat, perhaps a
// postal code and city without a comma.
func (a *Address) takeBehindNumber(words []string) {
	for i, w := range words {
		if len(w) >= 4 && len(w) <= 6 && allDigits(w) && i+1 < len(words) && hasLetterWord(words[i+1:]) && !isUnitWord(words[max(0, i-1)]) {
			a.PostalCode, a.City = w, strings.Join(words[i+1:], " ")
			words = words[:i]
			break
		}
	}
	if len(words) > 0 && len(words[0]) == 1 && isDigit(a.HouseNumber[len(a.HouseNumber)-1]) && words[0] == "-" {
		words = words[1:]
	}
	if rest := strings.Join(words, " "); a.City == "" && len(words) > 0 && placeWords(words) {
		a.City = rest
	} else {
		a.Unit = rest
	}
}

// placeWords reports words that are no stair or flat: all of letters, the
// first of at least four.
func placeWords(words []string) bool {
	for _, w := range words {
		if _, letters := countDigitsLetters(w); letters < len(w) || isUnitWord(w) {
			return false
		}
	}
	return len(words[0]) >= 4
}

func countDigitsLetters(w string) (digits, letters int) {
	for i := 0; i < len(w); i++ {
		switch c := w[i]; {
		case isDigit(c):
			digits++
		case isLetter(c) || c >= 0x80 || c == '-':
			letters++
		}
	}
	return digits, letters
}

// hasStreetType reports an English street type among the words.
func hasStreetType(words []string) bool {
	for _, w := range words {
		if f := Fold(w); len(f) > 1 && streetTypes[f] != "" {
			return true
		}
	}
	return false
}

func hasLetterWord(words []string) bool {
	for _, w := range words {
		if len(Fold(w)) > 1 && !allDigits(Fold(w)) {
			return true
		}
	}
	return false
}

// houseNumber reports a token such as 12, 12a, 12-14, 12., #321 but not 3rd.
func houseNumber(w string) bool {
	w = strings.TrimSuffix(strings.TrimPrefix(w, "#"), ".")
	i := 0
	for i < len(w) && isDigit(w[i]) {
		i++
	}
	if i == 0 || i > 5 {
		return false
	}
	rest := w[i:]
	if len(rest) >= 2 && (rest[0] == '-' || rest[0] == '/') && isDigit(rest[1]) {
		j := 1
		for j < len(rest) && isDigit(rest[j]) {
			j++
		}
		rest = rest[j:]
	}
	return rest == "" || len(rest) == 1 && isLetter(rest[0])
}

func slashNumber(w string) bool {
	a, b, ok := strings.Cut(w, "/")
	return ok && houseNumber(a) && houseNumber(b)
}

// box reads a post box: "PL 123", "PB 5", "P.O. Box 12987", "Postfach 1".
func box(seg string) (name, number string, ok bool) {
	i := strings.IndexAny(seg, "0123456789")
	if i <= 0 || i > len("postilokero ")+2 {
		return "", "", false
	}
	switch Fold(seg[:i]) {
	case "pl", "pb", "po box", "p o box", "pobox", "postbox", "postfach", "box", "postilokero", "postbus", "gpo box", "locked bag":
		return Trim(seg[:i]), Trim(seg[i:]), true
	}
	return "", "", false
}

// takeUnit reads a segment that is only a unit: "Apt 5", "Suite 296", "as. 7".
func (a *Address) takeUnit(seg string) bool {
	if !isUnit(seg) {
		return false
	}
	a.Unit = Trim(a.Unit + " " + seg)
	return true
}

func isUnit(seg string) bool {
	if first := strings.IndexByte(seg, ' '); first > len("apartamiento.") {
		return false
	}
	words := strings.Fields(seg)
	if len(words) == 0 || len(words) > 5 {
		return false
	}
	if isUnitWord(words[0]) {
		return !hasStreetType(words[1:]) && len(words) > 1 || len(words[0]) > 2
	}
	return len(words) == 2 && unitWords[Fold(words[1])] && (isDigit(words[0][0]) && !houseNumber(words[0]) || upperFloors[Fold(words[0])])
}

// upperFloors begin the name of a floor.
var upperFloors = set(`first second third ground top penthouse lower upper`)

func isUnitWord(w string) bool {
	return strings.HasPrefix(w, "#") || unitWords[Fold(w)]
}

// unitWords introduce a flat, floor or room.
var unitWords = set(`apt apartment apartamento apartamiento aprt aptmnt appt appartement suite ste unit flat floor fl flr room rm no number nbr num as asunto bst bostad
lgh lagenhet huoneisto hsto rappu krs kerros porras penthouse lot bld bldg building dept basement whg wohnung top stiege rear trailer trlr spc space`)

// takeCountry reads a segment that names a country.
func (a *Address) takeCountry(seg string) bool {
	if a.Country == "" {
		if _, ok := countryCodes[Fold(seg)]; ok && len(seg) > 3 {
			a.Country = seg
			return true
		}
	}
	return false
}

// takePlace reads a postal code with a city and perhaps a region, in the
// orders of Finland ("00100 Helsinki"), the United States ("Las Vegas, NV
// 89111") and Britain ("Loughborough LE11 1UU").
func (a *Address) takePlace(seg string) bool {
	if a.PostalCode != "" {
		return false
	}
	if code, rest := leadingPostalCode(seg); code != "" {
		a.PostalCode = code
		if a.City == "" {
			a.City = rest
		}
		return true
	}
	words := strings.Fields(seg)
	for tail := 1; tail <= 2 && tail <= len(words); tail++ {
		code := strings.Join(words[len(words)-tail:], " ")
		if !postalCode(code) {
			continue
		}
		a.PostalCode = code
		words = words[:len(words)-tail]
		if n := len(words); n > 0 && a.Region == "" && stateCodes[Fold(words[n-1])] {
			a.Region, words = words[n-1], words[:n-1]
		}
		if len(words) > 0 {
			if rest := strings.Join(words, " "); a.City == "" {
				a.City = rest
			} else if a.Region == "" {
				a.Region = rest
			}
		}
		return true
	}
	if n := len(words); n == 1 && stateCodes[Fold(seg)] && len(seg) <= 3 && a.Region == "" {
		a.Region = seg
		return true
	}
	return false
}

// trailingPlace reports that a segment ends with a postal code.
func trailingPlace(seg string) bool {
	var a Address
	return a.takePlace(seg)
}

// leadingPostalCode splits "FI-00100 Helsinki" or "90470 VARJAKKA".
func leadingPostalCode(seg string) (code, rest string) {
	code, rest, _ = strings.Cut(seg, " ")
	if len(code) > 8 {
		return "", ""
	}
	bare := code
	if i := strings.IndexByte(code, '-'); i >= 1 && i <= 2 && isLetter(code[0]) {
		bare = code[i+1:]
	}
	rest = Trim(rest)
	if !allDigits(bare) || len(bare) < 4 || len(bare) > 6 {
		return "", ""
	}
	if len(bare) == 4 && rest == "" {
		return "", ""
	}
	for i := 0; i < len(rest); i++ {
		if isDigit(rest[i]) {
			if len(bare) == 3+i { // "114 55 Stockholm" is handled as words
				continue
			}
			return "", ""
		}
	}
	if hasStreetWord(strings.Fields(rest)) && len(bare) < 5 {
		return "", ""
	}
	return code, rest
}

// postalCode reports the shapes 12345, 12345-6789, AB1 2CD, A1B 2C3.
func postalCode(s string) bool {
	if len(s) < 4 || len(s) > 10 {
		return false
	}
	if len(s) == 10 && s[5] == '-' {
		return allDigits(s[:5]) && allDigits(s[6:])
	}
	if allDigits(s) {
		return len(s) == 5 || len(s) == 6
	}
	return BritishPostcode(s) || CanadianPostcode(s)
}

// BritishPostcode reports the shape of a British postcode, A9 9AA to AA9A 9AA.
func BritishPostcode(s string) bool {
	c := Code(s)
	n := len(c)
	if n < 5 || n > 7 || len(s) > 9 {
		return false
	}
	in, out := c[n-3:], c[:n-3]
	if !isDigit(in[0]) || !isLetter(in[1]) || !isLetter(in[2]) || !isLetter(out[0]) {
		return false
	}
	return isDigit(out[len(out)-1]) || isLetter(out[len(out)-1]) && len(out) >= 3 && isDigit(out[len(out)-2])
}

// CanadianPostcode reports the shape A9A 9A9.
func CanadianPostcode(s string) bool {
	c := Code(s)
	if len(c) != 6 || len(s) > 7 {
		return false
	}
	for i := range 6 {
		if i%2 == 0 && !isLetter(c[i]) || i%2 == 1 && !isDigit(c[i]) {
			return false
		}
	}
	return true
}

// ParseLocality takes a postal code and city in one apart: "00100 Helsinki",
// "Las Vegas, NV 89111", "Tampere".
func ParseLocality(s string) Address {
	var a Address
	s = Trim(s)
	if len(s) > 256 || Null(s) {
		return a
	}
	for i, seg := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		seg = Trim(seg)
		switch {
		case seg == "" || a.takePlace(seg) || i > 0 && a.takeCountry(seg):
		case a.City == "":
			a.City = seg
		case a.Region == "":
			a.Region = seg
		}
	}
	return a
}
