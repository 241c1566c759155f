package generate

import (
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"
)

// postalCodes invents the codes of a municipality. Towns give their own name to
// all of them, other places only to the first; villages have composed names.
// Codes in taken are another place's first.
func postalCodes(m municipality, first, people uint32, taken map[uint32]bool) []postal {
	n := max(1, int(math.Round(math.Pow(float64(people)/550, 0.62))))
	codes := make([]postal, 0, n)
	for code := first; len(codes) < n; code += 10 {
		if code != first && taken[code] {
			code += 5
		}
		if code > 99999 { // past Utsjoki: fill the gaps below
			code = first + 1
		}
		if code != first && taken[code] {
			continue
		}
		taken[code] = true
		p := postal{code: fmt.Sprintf("%05d", code), city: m.name, citySwedish: m.swedish}
		if len(codes) > 0 && people < townSize {
			p.city, p.citySwedish = villageName(m, code)
		}
		codes = append(codes, p)
	}
	return codes
}

// natureStems is how many of the first stems suit the name of a village.
const natureStems = 42

func villageName(m municipality, code uint32) (fi, sv string) {
	h := mix(hashOf(m.name) + uint64(code)*golden)
	stem := stems[h%natureStems]
	h >>= 32
	fi = stem.fi + villageEnds[h%uint64(len(villageEnds))]
	if m.swedish != "" {
		sv = stem.sv + villageEndsSwedish[h%uint64(len(villageEndsSwedish))]
	}
	if m.swedishFirst {
		fi = sv
	}
	return capital(fi), capital(sv)
}

// capital returns s with its first letter in upper case.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
