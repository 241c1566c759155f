package normalize

import (
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// Phones turns telephone numbers into E.164. The full rules of a numbering
// plan cost 40 to 100 µs a number, so a Phones asks them once per (leading
// digits, length) and remembers the answer: whether a number is well formed is
// judged by those two alone. Not for concurrent use, but see [Phones.Fork].
type Phones struct {
	region string
	prefix string // "+358" for FI
	memo   map[phoneLead]phoneShape
	shared *sharedShapes
}

// phoneLead is what a number's shape is judged by.
type phoneLead struct {
	digits        [5]byte
	length        uint8
	international bool
}

// sharedShapes is what the forks of a Phones have learned; mu guards memo.
type sharedShapes struct {
	mu   sync.Mutex
	memo map[phoneLead]phoneShape
}

// phoneShape is what is known of all numbers with the same leading digits and
// length: how many digits to drop in front, and what to put there.
type phoneShape struct {
	valid bool
	drop  int
	put   string
}

// NewPhones returns a normaliser for numbers that are national numbers of the
// region (ISO 3166 code) unless they say otherwise. An empty region means that
// only international numbers become E.164.
func NewPhones(region string) *Phones {
	p := &Phones{region: region, memo: make(map[phoneLead]phoneShape), shared: &sharedShapes{memo: make(map[phoneLead]phoneShape)}}
	if code := phonenumbers.GetCountryCodeForRegion(region); code != 0 {
		p.prefix = "+" + itoa(code)
	}
	return p
}

// Fork returns a Phones for another goroutine that shares what is learned.
func (p *Phones) Fork() *Phones {
	return &Phones{region: p.region, prefix: p.prefix, memo: make(map[phoneLead]phoneShape), shared: p.shared}
}

// Normal returns the E.164 form of a number, the last nine digits where its
// country is unknown or its length cannot be right, and "" where there is no
// number (fewer than six digits) or a placeholder (0400000000, 1234567890).
func (p *Phones) Normal(s string) string {
	number, _ := p.Parse(s)
	return number
}

// Parse is Normal that also says whether the number is well formed.
func (p *Phones) Parse(s string) (number string, valid bool) {
	d, international := phoneDigits(s)
	if len(d) < 6 || junkPhone(d) {
		return "", false
	}
	if len(d) > 17 {
		d, international = d[:17], false
	}
	shape := p.shape(d, international)
	if shape.put == "" {
		return d[max(0, len(d)-9):], false
	}
	return shape.put + d[shape.drop:], shape.valid
}

// shape looks up or works out the shape of a number.
func (p *Phones) shape(d string, international bool) phoneShape {
	key := phoneLead{length: uint8(len(d)), international: international}
	n := 4
	if international {
		n = 5
	}
	copy(key.digits[:n], d)
	if s, ok := p.memo[key]; ok {
		return s
	}
	p.shared.mu.Lock()
	defer p.shared.mu.Unlock()
	s, ok := p.shared.memo[key]
	if !ok {
		// The digits behind the leading ones are made equal for all numbers of
		// the shape, so that the answer does not depend on which came first.
		s = p.ask(d[:n]+"23456789234567"[:len(d)-n], international)
		p.shared.memo[key] = s
	}
	p.memo[key] = s
	return s
}

func (p *Phones) ask(d string, international bool) phoneShape {
	text := d
	if international {
		text = "+" + d
	} else if p.region == "" {
		return phoneShape{}
	}
	num, err := phonenumbers.Parse(text, p.region)
	if err != nil {
		return phoneShape{}
	}
	e164 := phonenumbers.Format(num, phonenumbers.E164)
	national := phonenumbers.GetNationalSignificantNumber(num)
	if !strings.HasSuffix(d, national) || !strings.HasSuffix(e164, national) {
		return phoneShape{}
	}
	possible := phonenumbers.IsPossibleNumber(num)
	if !possible {
		return phoneShape{}
	}
	return phoneShape{valid: phonenumbers.IsValidNumber(num), drop: len(d) - len(national), put: strings.TrimSuffix(e164, national)}
}

// phoneDigits returns the digits of a number without an extension, and whether
// they begin with a country code. "(0)" behind a country code is dropped.
func phoneDigits(s string) (string, bool) {
	s = Trim(s)
	if len(s) > 128 {
		s = s[:128]
	}
	if i := strings.Index(s, "(0)"); i > 0 && strings.ContainsAny(s[:i], "+123456789") {
		s = s[:i] + s[i+3:]
	}
	s = dropExtension(s)
	d := digits(s)
	switch plus := strings.IndexByte(s, '+'); {
	case plus >= 0 && plus <= strings.IndexAny(s+"0", "0123456789"):
		return d, true
	case strings.HasPrefix(d, "00") && len(d) > 9 && d[2] != '0':
		return d[2:], true
	}
	return d, false
}

func dropExtension(s string) string {
	for i := 6; i < len(s); i++ {
		if c := s[i] | 0x20; c == 'x' || c == 'e' && i+2 < len(s) && s[i+1]|0x20 == 'x' && s[i+2]|0x20 == 't' {
			if len(digits(s[:i])) >= 7 {
				return s[:i]
			}
		}
	}
	return s
}

// junkPhone reports placeholders: one digit over and over behind the prefix,
// or the digits in order.
func junkPhone(d string) bool {
	d = strings.TrimPrefix(d, "358")
	d = strings.TrimLeft(d, "0")
	if len(d) < 5 || d == "" {
		return true
	}
	if strings.Contains("1234567890", d) || strings.Contains("0987654321", d) {
		return true
	}
	if len(d) >= 8 && strings.HasSuffix(d, "1234567") && len(d) <= 9 {
		return true // 0401234567
	}
	tail := d[2:]
	if len(d) > 8 {
		tail = d[3:]
	}
	return len(tail) >= 4 && repeated(tail) && (len(d) < 8 || tail[0] == '0' || tail[0] == '1' || tail[0] == '9' || repeated(d))
}

// PhoneRegions are the regions tried for national numbers, the likeliest for
// sama's users first.
var PhoneRegions = []string{"FI", "SE", "NO", "DK", "EE", "DE", "GB", "US", "AU", "NZ", "IE", "FR", "NL", "BE", "ES", "IT", "PT", "PL", "AT", "CH",
	"LV", "LT", "RU", "UA", "CZ", "HU", "RO", "GR", "TR", "IN", "PK", "CN", "JP", "SG", "ZA", "UG", "KE", "NG", "BR", "MX"}

// GuessRegion returns the region whose numbering plan fits the numbers, and ""
// where none does. Plans differ in how much they admit (almost any digits are a
// number in Germany), so what counts is the share of numbers that fit above the
// share of random numbers of the same shapes that would. The second result is
// that difference, between 0 and 1.
func GuessRegion(numbers []string) (region string, lift float64) {
	shapes := make([]phoneSample, 0, len(numbers))
	for _, s := range numbers {
		if d, international := phoneDigits(s); len(d) >= 6 && len(d) <= 17 && !junkPhone(d) {
			shapes = append(shapes, phoneSample{d, international, usShape(s)})
		}
	}
	if len(shapes) == 0 {
		return "", 0
	}
	if finnish(shapes) {
		return "FI", 1
	}
	for _, r := range PhoneRegions {
		p := NewPhones(r)
		valid, us := 0.0, 0.0
		for _, s := range shapes {
			valid += p.fits(s.digits, s.international)
			if s.us {
				us++
			}
		}
		n := float64(len(shapes))
		fit := 0.0
		if valid >= 0.4*n && valid > lift*n {
			fit = (valid - p.chance(shapes)) / n
		}
		if r == "US" {
			fit = max(fit, us/n-0.1)
		}
		if fit > lift {
			region, lift = r, fit
		}
	}
	if lift < 0.25 {
		return "", lift
	}
	return region, lift
}

// chance is how many of the samples would fit if their digits were random.
func (p *Phones) chance(shapes []phoneSample) float64 {
	const tries = 3
	fit := 0.0
	for _, s := range shapes {
		for k := range uint64(tries) {
			fit += p.fits(randomDigits(s.digits, s.international, k), s.international)
		}
	}
	return fit / tries
}

// finnish reports that most numbers are Finnish beyond doubt: the country code,
// or the 04x and 050 of mobile telephones, with eight to twelve digits.
func finnish(shapes []phoneSample) bool {
	n := 0
	for _, s := range shapes {
		d := s.digits
		switch {
		case s.international && strings.HasPrefix(d, "358"),
			!s.international && len(d) >= 8 && len(d) <= 12 && (strings.HasPrefix(d, "04") || strings.HasPrefix(d, "050")):
			n++
		}
	}
	return 5*n >= 3*len(shapes)
}

// RegionFit is the share of the numbers that are well formed in a region.
func RegionFit(region string, numbers []string) float64 {
	p := NewPhones(region)
	fit, all := 0.0, 0.0
	for _, s := range numbers {
		if d, international := phoneDigits(s); len(d) >= 6 && len(d) <= 17 && !junkPhone(d) {
			fit += p.fits(d, international)
			all++
		}
	}
	if all == 0 {
		return 0
	}
	return fit / all
}

type phoneSample struct {
	digits        string
	international bool
	us            bool
}

// fits is 1 for a number that is well formed and of the region, else 0.
func (p *Phones) fits(d string, international bool) float64 {
	if shape := p.shape(d, international); shape.valid && shape.put == p.prefix {
		return 1
	}
	return 0
}

// randomDigits replaces all digits but zeros in front (a trunk prefix) by
// others; the same number and k always give the same digits. Of international
// numbers all are replaced: their country code is what tells.
func randomDigits(d string, international bool, k uint64) string {
	x := uint64(len(d)) + k*0x9e3779b97f4a7c15
	for i := range len(d) {
		x = (x ^ uint64(d[i])) * 0x100000001b3
	}
	out := []byte(d)
	front := true
	for i, c := range out {
		if front = front && c == '0' && !international; front {
			continue
		}
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = '0' + byte((x>>32)%10)
	}
	return string(out)
}

// usShape reports the way numbers are written in North America only:
// 212-555-1234, (212) 555-1234, 212.555.1234.
func usShape(s string) bool {
	s = Trim(s)
	var shape [16]byte
	n := 0
	for i := 0; i < len(s) && n < len(shape); i++ {
		c := s[i]
		if isDigit(c) {
			c = 'd'
		}
		shape[n] = c
		n++
	}
	switch string(shape[:n]) {
	case "ddd-ddd-dddd", "(ddd) ddd-dddd", "(ddd)ddd-dddd", "ddd.ddd.dddd", "d-ddd-ddd-dddd", "ddd-dddd":
		return true
	}
	return false
}

// LooksPhone reports that s is made of 6 to 15 digits and the signs that stand
// in telephone numbers.
func LooksPhone(s string) bool {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c):
			n++
		case c == ' ' || c == '-' || c == '(' || c == ')' || c == '/' || c == '.':
		case c == '+' && n == 0:
		default:
			return false
		}
	}
	return n >= 6 && n <= 15
}

func itoa(n int) string {
	var buf [8]byte
	i := len(buf)
	for {
		i--
		buf[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(buf[i:])
		}
	}
}

// KnownRegionCode reports that a region has a numbering plan.
func KnownRegionCode(region string) bool {
	return phonenumbers.GetCountryCodeForRegion(region) != 0
}
