package normalize

import (
	"math"
	"strconv"
	"strings"
)

// Number returns the shortest decimal form of a quantity: "1 234,50" → "1234.5",
// "007" → "7". A currency sign or a unit around it is ignored; what is no
// number gives "".
func Number(s string) string {
	v, ok := ParseNumber(s)
	if !ok {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// ParseNumber reads a quantity. A comma is a decimal sign when it is the only
// separator and not followed by three digits, else it groups thousands.
func ParseNumber(s string) (float64, bool) {
	s = Trim(s)
	if s == "" || len(s) > 64 {
		return 0, false
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return v, !math.IsNaN(v) && !math.IsInf(v, 0) && math.Abs(v) < 1e18 && plainNumber(s)
	}
	start := strings.IndexAny(s, "0123456789")
	if start < 0 {
		return 0, false
	}
	end := strings.LastIndexAny(s, "0123456789") + 1
	if !unitOfNumber(s[:start]) || !unitOfNumber(s[end:]) {
		return 0, false
	}
	negative := strings.Contains(s[:start], "-") || strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")")
	body := strings.NewReplacer(" ", "", "\u00a0", "", "'", "").Replace(s[start:end])
	comma, dot := strings.LastIndexByte(body, ','), strings.LastIndexByte(body, '.')
	switch {
	case comma >= 0 && dot >= 0 && comma > dot: // 1.234,50
		body = strings.ReplaceAll(strings.ReplaceAll(body, ".", ""), ",", ".")
	case comma >= 0 && dot < 0 && strings.Count(body, ",") == 1 && len(body)-comma != 4: // 12,5
		body = strings.Replace(body, ",", ".", 1)
	default:
		body = strings.ReplaceAll(body, ",", "")
	}
	v, err := strconv.ParseFloat(body, 64)
	if err != nil || !plainNumber(body) {
		return 0, false
	}
	if negative {
		v = -v
	}
	return v, math.Abs(v) < 1e18
}

// plainNumber refuses what strconv reads and people do not write: hexadecimal,
// underscores, inf, nan.
func plainNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isDigit(c) && c != '.' && c != '-' && c != '+' && c|0x20 != 'e' {
			return false
		}
	}
	return true
}

// unitOfNumber reports what may stand beside a number: signs, a currency or a
// unit.
func unitOfNumber(s string) bool {
	if len(s) > 12 {
		return false
	}
	s = strings.ToLower(strings.Trim(s, " \u00a0.,+-~()'"))
	switch s {
	case "", "€", "$", "£", "¥", "%", "kr", "eur", "euro", "usd", "gbp", "sek", "nok", "dkk", "chf", "e", "km", "m", "cm", "mm", "kg", "g", "lb", "lbs", "v", "y", "yrs", "years", "vuotta", "kpl", "pcs", "st", "h":
		return true
	}
	return false
}
