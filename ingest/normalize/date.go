package normalize

import (
	"fmt"
	"strings"
	"time"
)

// Order is the order of day, month and year in the dates of a column.
type Order uint8

// The orders.
const (
	YMD Order = iota // 1990-02-01, 19900201
	DMY              // 1.2.1990, 01-FEB-90
	MDY              // 2/1/1990
)

// String returns "YMD", "DMY" or "MDY".
func (o Order) String() string { return [...]string{"YMD", "DMY", "MDY"}[o] }

// ParseOrder reads "YMD", "DMY" or "MDY".
func ParseOrder(s string) (Order, error) {
	for o := YMD; o <= MDY; o++ {
		if strings.EqualFold(strings.TrimSpace(s), o.String()) {
			return o, nil
		}
	}
	return YMD, fmt.Errorf("unknown order of a date %q; want YMD, DMY or MDY", s)
}

// DefaultPivot is the year up to which a two-digit year of birth belongs to
// its century: 26 is 2026, 27 is 1927.
const DefaultPivot = 2026

// Date returns a date as YYYYMMDD. A date that cannot be (month 15, day 89) is
// a typing error and keeps its digits, so that a comparison can count how many
// differ; a letter or blank among the digits becomes 0. Unknown parts are 00
// or 0000. A year first is recognised whatever the order; else order decides.
// The time of a timestamp is ignored. Two-digit years end at pivot. What holds
// no date gives "".
func Date(s string, order Order, pivot int) string {
	s = Trim(s)
	if len(s) == 4 && allDigits(s) && s >= "1800" && s <= "2199" {
		return s + "0000" // a year alone
	}
	if len(s) < 6 || len(s) > 64 {
		return ""
	}
	// The common forms first: YYYYMMDD and YYYY-MM-DD.
	if len(s) == 8 && allDigits(s) {
		return compactDate(s, order)
	}
	if len(s) >= 10 && allDigits(s[:4]) && s[4] == s[7] && !isDigit(s[4]) && allDigits(s[5:7]) && allDigits(s[8:10]) &&
		(len(s) == 10 || s[10] == 'T' || s[10] == ' ') {
		return s[:4] + s[5:7] + s[8:10]
	}
	if named := namedMonth(s, order, pivot); named != "" {
		return named
	}
	parts := dateParts(s)
	switch len(parts) {
	case 1:
		return loneDate(parts[0], order)
	case 3:
		return joinDate(parts, order, pivot)
	}
	return loneDate(strings.Join(parts, ""), order)
}

// dateParts splits at the signs that part dates and drops a time of day.
func dateParts(s string) []string {
	if i := strings.IndexByte(s, ':'); i > 0 {
		s = strings.TrimRight(s[:i], "0123456789")
	}
	if i := strings.IndexByte(s, 'T'); i >= 6 && i+1 < len(s) && isDigit(s[i-1]) {
		s = s[:i]
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-./,\\ –", r) })
	if len(parts) == 2 && strings.Contains(strings.TrimSpace(s), " ") {
		return []string{strings.ReplaceAll(strings.TrimSpace(s), " ", "0")} // "191604 1" lost a digit
	}
	if len(parts) > 3 {
		parts = parts[:3]
	}
	return parts
}

// zeroLetters replaces what is no digit by 0 and reports how many there were.
func zeroLetters(s string) (string, int) {
	out, bad := make([]byte, 0, len(s)), 0
	for _, r := range s {
		if r >= '0' && r <= '9' {
			out = append(out, byte(r))
		} else {
			out, bad = append(out, '0'), bad+1
		}
	}
	return string(out), bad
}

// loneDate reads a date without separators: eight digits, or nearly.
func loneDate(s string, order Order) string {
	fixed, bad := zeroLetters(s)
	if bad > 2 || len(fixed) < 6 {
		return ""
	}
	switch len(fixed) {
	case 8:
		return compactDate(fixed, order)
	case 7:
		return compactDate(fixed+"0", order)
	case 9:
		return compactDate(fixed[:8], order)
	case 14: // YYYYMMDDhhmmss
		return fixed[:8]
	}
	return ""
}

// compactDate reads eight digits.
func compactDate(s string, order Order) string {
	if order == YMD || plausible(s[:4], s[4:6], s[6:8]) {
		return s
	}
	if order == DMY {
		return s[4:8] + s[2:4] + s[0:2]
	}
	return s[4:8] + s[0:2] + s[2:4]
}

func plausible(y, m, d string) bool {
	return y >= "1500" && y <= "2199" && m >= "01" && m <= "12" && d >= "01" && d <= "31"
}

// joinDate puts three parts in the order of the column. A month above 12 stays
// where it is: a comparison sees one wrong digit or swapped parts, and a guess
// from one value would hide which.
func joinDate(parts []string, order Order, pivot int) string {
	var fixed [3]string
	bad := 0
	for i, p := range parts {
		f, b := zeroLetters(p)
		fixed[i], bad = f, bad+b
	}
	if bad > 3 {
		return ""
	}
	var y, m, d string
	switch {
	case len(fixed[0]) >= 3 || order == YMD && len(fixed[2]) <= 2:
		y, m, d = fixed[0], fixed[1], fixed[2]
	case order == MDY:
		m, d, y = fixed[0], fixed[1], fixed[2]
	default:
		d, m, y = fixed[0], fixed[1], fixed[2]
	}
	if len(m) > 2 || len(d) > 2 {
		return ""
	}
	return year4(y, pivot) + pad2(m) + pad2(d)
}

// year4 makes a year of four digits.
func year4(y string, pivot int) string {
	switch len(y) {
	case 0:
		return "0000"
	case 1, 2:
		y = pad2(y)
		century := pivot / 100
		if int(y[0]-'0')*10+int(y[1]-'0') > pivot%100 {
			century--
		}
		return fmt.Sprintf("%02d%s", century%100, y)
	case 3:
		return y + "0"
	}
	return y[:4]
}

func pad2(s string) string {
	switch len(s) {
	case 0:
		return "00"
	case 1:
		return "0" + s
	}
	return s
}

// monthNames are the first letters of month names, folded, in English,
// Finnish, Swedish and German.
var monthNames = map[string]string{
	"jan": "01", "feb": "02", "mar": "03", "apr": "04", "may": "05", "jun": "06", "jul": "07", "aug": "08", "sep": "09", "oct": "10", "nov": "11", "dec": "12",
	"tam": "01", "hel": "02", "maa": "03", "huh": "04", "tou": "05", "kes": "06", "hei": "07", "elo": "08", "syy": "09", "lok": "10", "mrs": "11", "jou": "12",
	"maj": "05", "okt": "10", "mai": "05", "dez": "12", "maerz": "03",
}

// namedMonth reads dates with the month as a word: "19-Feb-91", "Mar 1 1970".
func namedMonth(s string, order Order, pivot int) string {
	letters := 0
	for i := 0; i < len(s); i++ {
		if isLetter(s[i]) {
			letters++
		}
	}
	if letters < 3 {
		return ""
	}
	month, numbers := "", make([]string, 0, 4)
	for _, w := range strings.Fields(Fold(s)) {
		switch {
		case allDigits(w):
			numbers = append(numbers, w)
		case len(w) >= 3 && month == "" && monthNames[w[:3]] != "":
			month = monthNames[w[:3]]
		}
	}
	if month == "" || len(numbers) < 2 {
		return ""
	}
	d, y := numbers[0], numbers[1]
	if len(d) > 2 || order == YMD && len(y) <= 2 && len(d) == 2 && d > "31" {
		d, y = y, d
	}
	if len(d) > 2 {
		return ""
	}
	return year4(y, pivot) + pad2(month) + pad2(d)
}

// DateParts joins separate columns to YYYYMMDD; a part that is missing or is
// no number is 00 or 0000. All three missing gives "".
func DateParts(year, month, day string, pivot int) string {
	y, m, d := digits(year), digits(month), digits(day)
	if y == "" && m == "" && d == "" {
		return ""
	}
	if m == "" {
		if w := Fold(month); len(w) >= 3 {
			m = monthNames[w[:3]]
		}
	}
	if len(m) > 2 {
		m = m[len(m)-2:]
	}
	if len(d) > 2 {
		d = d[len(d)-2:]
	}
	return year4(y, pivot) + pad2(m) + pad2(d)
}

// ValidDate reports that eight digits are a day of the calendar between 1000
// and 2199.
func ValidDate(s string) bool {
	if len(s) != 8 || !allDigits(s) || s[:4] < "1000" || s[:4] > "2199" {
		return false
	}
	year, month, day := two(s)*100+two(s[2:]), two(s[4:]), two(s[6:])
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days = 29
	}
	return day <= days
}

// JunkDate reports that a date of birth is a placeholder whoever writes it.
// 1900-01-01 and 1970-01-01 are people's days too and are judged by their
// frequency when the table is built.
func JunkDate(s string) bool {
	switch s {
	case "00000000", "00010101", "99991231", "99999999", "18991230", "11111111", "12345678":
		return true
	}
	return false
}

// TypicalPlaceholderDate reports that a date of birth is one that forms and
// systems fill in by themselves.
func TypicalPlaceholderDate(s string) bool {
	switch s {
	case "19000101", "19010101", "19700101", "19800101", "19900101", "20000101", "19991231", "19600101", "19500101", "17530101", "16000101":
		return true
	}
	return false
}

// Timestamp returns the Unix time in seconds of a date or a time stamp in the
// given order; a time without zone is UTC. ok is false where it is none.
func Timestamp(s string, order Order) (sec int64, ok bool) {
	s = Trim(s)
	if len(s) == 20 && s[19] == 'Z' {
		if sec, ok := unixTime(s[:19]); ok {
			return sec, true
		}
	}
	if sec, ok := unixTime(s); ok {
		return sec, true
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05Z07:00"} {
		if len(s) > 10 {
			if t, err := time.Parse(layout, s); err == nil {
				return t.Unix(), true
			}
		}
	}
	if (len(s) == 10 || len(s) == 13) && allDigits(s) { // seconds or milliseconds since 1970
		var n int64
		for i := range s[:10] {
			n = n*10 + int64(s[i]-'0')
		}
		return n, true
	}
	d := Date(s, order, DefaultPivot+30)
	if !ValidDate(d) {
		return 0, false
	}
	return daysSince1970(d) * 86400, true
}

// OrderGuess learns the order of the dates of a column from all its values:
// whether years come first, else which of the two other places holds numbers
// above 12. The zero value is ready.
type OrderGuess struct {
	yearFirst, dayFirst, monthFirst, other int
}

// Add counts one value.
func (g *OrderGuess) Add(s string) {
	s = Trim(s)
	if len(s) == 8 && allDigits(s) {
		switch {
		case plausible(s[:4], s[4:6], s[6:8]):
			g.yearFirst++
		case plausible(s[4:8], s[2:4], s[:2]):
			g.dayFirst++
		case plausible(s[4:8], s[:2], s[2:4]):
			g.monthFirst++
		}
		return
	}
	if len(s) < 6 || len(s) > 40 {
		return
	}
	parts := dateParts(s)
	if len(parts) != 3 || !allDigits(parts[0]) || !allDigits(parts[1]) || !allDigits(parts[2]) {
		return
	}
	first, second := pad2(parts[0]), pad2(parts[1])
	switch {
	case len(first) > 2 || first > "31":
		g.yearFirst++
	case first > "12" && second <= "12":
		g.dayFirst++
	case second > "12" && second <= "31" && first <= "12":
		g.monthFirst++
	default:
		g.other++
	}
}

// Order returns the likeliest order; day first where nothing speaks for month
// first.
func (g *OrderGuess) Order() Order {
	switch {
	case g.yearFirst > (g.dayFirst+g.monthFirst+g.other)/2:
		return YMD
	case g.monthFirst > g.dayFirst:
		return MDY
	case g.dayFirst+g.monthFirst+g.other == 0:
		return YMD
	}
	return DMY
}

// Time returns the normal form of a time: RFC 3339 in UTC, "" for none.
func Time(s string, order Order) string {
	s = Trim(s)
	if len(s) == 20 && s[10] == 'T' && s[19] == 'Z' {
		if _, ok := unixTime(s[:19]); ok {
			return s
		}
	}
	sec, ok := Timestamp(s, order)
	if !ok {
		return ""
	}
	return time.Unix(sec, 0).UTC().Format(time.RFC3339)
}

// unixTime reads YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with any sign between the
// two, as a time in UTC.
func unixTime(s string) (sec int64, ok bool) {
	if len(s) != 10 && len(s) != 19 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	d := s[:4] + s[5:7] + s[8:10]
	if !ValidDate(d) {
		return 0, false
	}
	sec = daysSince1970(d) * 86400
	if len(s) == 10 {
		return sec, true
	}
	if s[13] != ':' || s[16] != ':' || !allDigits(s[11:13]) || !allDigits(s[14:16]) || !allDigits(s[17:19]) || s[11:13] > "23" || s[14:16] > "59" || s[17:19] > "59" {
		return 0, false
	}
	return sec + int64(two(s[11:]))*3600 + int64(two(s[14:]))*60 + int64(two(s[17:])), true
}

// two reads two digits.
func two(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

// daysSince1970 counts the days from 1970-01-01 to a valid YYYYMMDD of the
// Gregorian calendar: whole 400-year eras of 146,097 days, years beginning in
// March so that leap days come last.
func daysSince1970(d string) int64 {
	y, m, day := int64(two(d))*100+int64(two(d[2:])), int64(two(d[4:])), int64(two(d[6:]))
	if m <= 2 {
		y, m = y-1, m+12
	}
	era, yoe := y/400, y%400
	doy := (153*(m-3)+2)/5 + day - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}
