package normalize

import "strings"

// streetTypes writes abbreviations of street types out. They count anywhere
// but in the first word ("St Andrews Road").
var streetTypes = map[string]string{
	"street": "street", "st": "street", "str": "street", "road": "road", "rd": "road", "avenue": "avenue", "ave": "avenue", "av": "avenue", "aven": "avenue",
	"drive": "drive", "dr": "drive", "drv": "drive", "lane": "lane", "ln": "lane", "court": "court", "ct": "court", "crt": "court", "place": "place", "pl": "place",
	"boulevard": "boulevard", "blvd": "boulevard", "boul": "boulevard", "crescent": "crescent", "cres": "crescent", "cr": "crescent", "crs": "crescent",
	"highway": "highway", "hwy": "highway", "parkway": "parkway", "pkwy": "parkway", "pky": "parkway", "terrace": "terrace", "tce": "terrace", "ter": "terrace", "terr": "terrace",
	"circle": "circle", "cir": "circle", "circuit": "circuit", "cct": "circuit", "close": "close", "cl": "close", "grove": "grove", "gr": "grove", "gve": "grove",
	"square": "square", "sq": "square", "trail": "trail", "trl": "trail", "way": "way", "wy": "way", "plaza": "plaza", "plz": "plaza", "cove": "cove", "cv": "cove",
	"loop": "loop", "turnpike": "turnpike", "tpke": "turnpike", "esplanade": "esplanade", "esp": "esplanade", "parade": "parade", "pde": "parade",
	"gardens": "gardens", "gdns": "gardens", "mews": "mews", "alley": "alley", "aly": "alley", "pass": "pass", "path": "path", "row": "row", "rise": "rise", "walk": "walk",
	"strasse": "strasse", "weg": "weg", "platz": "platz", "gasse": "gasse", "allee": "allee", "vagen": "vagen", "gatan": "gatan", "tie": "tie", "katu": "katu",
}

// directions writes compass points out.
var directions = map[string]string{
	"n": "north", "s": "south", "e": "east", "w": "west", "north": "north", "south": "south", "east": "east", "west": "west",
	"ne": "northeast", "nw": "northwest", "se": "southeast", "sw": "southwest",
	"northeast": "northeast", "northwest": "northwest", "southeast": "southeast", "southwest": "southwest",
}

// streetEndings close the one-word street names of Finnish, Swedish, German,
// Dutch and Danish.
var streetEndings = strings.Fields(`katu tie polku kuja raitti kaari rinne vayla kuja piha bulevardi puistikko penger ranta laita aukio
gatan vagen stigen grand vag gata allen plan torget strasse str weg gasse platz allee ring damm straat laan vej gade`)

// Street returns the normal form of a street's name: folded, abbreviations
// written out ("Main St." → "main street", "Aapelink." → "aapelinkatu",
// "Hauptstr." → "hauptstrasse"), compass points too. Placeholders give "".
func Street(s string) string {
	if Null(s) || JunkStreet(s) {
		return ""
	}
	folded := Fold(s)
	space := strings.IndexByte(folded, ' ')
	if space < 0 {
		return lengthenEnding(folded, s)
	}
	words := strings.Fields(folded)
	for i, w := range words {
		switch {
		case i > 0 && streetTypes[w] != "" && !(i+1 < len(words) && streetTypes[words[i+1]] != ""):
			words[i] = streetTypes[w]
		case directions[w] != "" && (i == 0 || i == len(words)-1):
			words[i] = directions[w]
		}
	}
	switch last := &words[len(words)-1]; *last {
	case "t":
		*last = "tie"
	case "k":
		*last = "katu"
	}
	if words[0] == "pl" || words[0] == "pb" || words[0] == "p" {
		if joined := strings.Join(words, ""); joined == "pobox" {
			return "po box"
		}
	}
	return strings.Join(words, " ")
}

// lengthenEnding writes out the abbreviated ending of a one-word street name.
func lengthenEnding(folded, raw string) string {
	switch folded {
	case "pl", "pb", "pobox", "postbox", "postfach", "box", "postilokero":
		return "po box"
	}
	if len(folded) < 5 {
		return folded
	}
	if raw[len(raw)-1] != '.' {
		if strings.HasSuffix(folded, "str") {
			return folded + "asse"
		}
		return folded
	}
	switch {
	case strings.HasSuffix(folded, "str"):
		return folded + "asse"
	case strings.HasSuffix(folded, "t"):
		return folded + "ie"
	case strings.HasSuffix(folded, "k"):
		return folded + "atu"
	case strings.HasSuffix(folded, "g"):
		return folded + "atan"
	case strings.HasSuffix(folded, "v"):
		return folded + "agen"
	}
	return folded
}

// hasStreetWord reports that one of the words is a street type or ends as the
// names of streets do.
func hasStreetWord(words []string) bool {
	for i, w := range words {
		f := Fold(w)
		if i > 0 && len(f) > 1 && streetTypes[f] != "" {
			return true
		}
		if len(f) < 6 {
			continue
		}
		for _, e := range streetEndings {
			if len(f) > len(e)+1 && strings.HasSuffix(f, e) {
				return true
			}
		}
	}
	return false
}

// LooksStreet reports that a value is like an address line: words with a house
// number beside them, a box, or a street word. number says whether it carries
// a house number.
func LooksStreet(s string) (street, number bool) {
	if len(s) > 200 || strings.IndexByte(s, '@') >= 0 {
		return false, false
	}
	words := strings.Fields(s)
	if _, _, ok := box(s); ok {
		return true, true
	}
	hasWord := hasStreetWord(words)
	if len(words) < 2 {
		return hasWord, false
	}
	first := (houseNumber(words[0]) || slashNumber(words[0])) && hasLetterWord(words[1:])
	behind := false
	for _, w := range words[1:] {
		behind = behind || houseNumber(strings.TrimSuffix(w, ","))
	}
	behind = behind && len(Fold(words[0])) > 2 && !allDigits(words[0])
	return hasWord || first || behind, first || behind
}

// HouseNumber returns the normal form of a house number: "12 A" → "12a".
func HouseNumber(s string) string {
	if Null(s) {
		return ""
	}
	n := strings.ReplaceAll(Fold(s), " ", "")
	if t := strings.TrimLeft(n, "0"); t != "" {
		return t
	}
	return n
}

// Unit returns the normal form of stair, flat, floor or room: the words that
// introduce it removed, "as. 76" → "76", "E 28" → "e28", "Apt #5" → "5".
func Unit(s string) string {
	if Null(s) {
		return ""
	}
	words := strings.Fields(Fold(s))
	out := make([]string, 0, len(words))
	for _, w := range words {
		if !unitWords[w] {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		out = words
	}
	return strings.Join(out, "")
}
