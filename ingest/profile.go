package ingest

import (
	"cmp"
	"slices"
	"strings"

	"sama/ingest/normalize"
	"sama/record"
)

// profileSize is the number of distinct values that a column is judged by.
const profileSize = 1000

// profile is what the values of a column look like. Shares are of the filled
// rows whose value is in the sample.
type profile struct {
	rows     int
	filled   int     // rows that are not null
	distinct int     // distinct values, estimated above profileSize
	top      float64 // share of the filled rows that hold the commonest sampled value
	values   []string

	email, url, phone, hetu, ssn, plate, vin, business  float64
	date, time, number, integer, decimal, digits        float64
	day, month, year                                    float64 // whole numbers of 1 to 31, 1 to 12, 1800 to 2100
	zip5, zip4, zipUK, letters, words, oneWord, codes   float64
	street, streetNumber, fullAddress, unit, legal, org float64
	given, family, person, initial                      float64
	gender, country, region, language, flag, consent    float64
	length                                              float64 // mean, in bytes
	sameLength                                          float64 // share of the commonest length

	firstYear, lastYear int // 5th and 95th percentile of the years of valid dates
	minInt, maxInt      int64
	middleInt           int64 // median of the whole numbers
}

// fill is the share of rows that hold a value.
func (p *profile) fill() float64 { return float64(p.filled) / float64(max(1, p.rows)) }

// unique is distinct values per filled row.
func (p *profile) unique() float64 { return float64(p.distinct) / float64(max(1, p.filled)) }

// constant reports one value or none.
func (p *profile) constant() bool { return p.distinct <= 1 }

// valueCount is a sampled value and the rows that hold it.
type valueCount struct {
	hash uint64
	text string
	rows int
}

// newProfile looks at a column.
func newProfile(c *RawColumn) *profile {
	p := &profile{minInt: 1 << 62, maxInt: -1 << 62}
	sample := p.sample(c)
	if len(sample) == 0 {
		return p
	}
	sampleRows, most := 0, 0
	for _, v := range sample {
		sampleRows += v.rows
		most = max(most, v.rows)
		p.values = append(p.values, v.text)
	}
	p.top = float64(most) / float64(max(1, p.filled))
	lengths := make(map[int]float64)
	var years []int
	var whole []int64
	if wholeFloats(p.values) {
		for i := range sample {
			sample[i].text = strings.TrimSuffix(sample[i].text, ".0")
			p.values[i] = sample[i].text
		}
	}
	order := dateOrderOf(p.values)
	for _, v := range sample {
		w := weight(float64(v.rows) / float64(sampleRows))
		p.look(v.text, w, order, &years, &whole)
		p.lookWord(v.text, w)
		lengths[len(v.text)] += float64(w)
	}
	for _, share := range lengths {
		p.sameLength = max(p.sameLength, share)
	}
	if len(whole) > 0 {
		slices.Sort(whole)
		p.middleInt = whole[len(whole)/2]
	}
	if len(years) > 0 {
		slices.Sort(years)
		p.firstYear, p.lastYear = years[len(years)/20], years[len(years)-1-len(years)/20]
	}
	return p
}

// sample returns the profileSize distinct values with the smallest hashes, so
// that it depends neither on the order of rows nor on how values are spread
// over dictionaries, and counts what is filled.
func (p *profile) sample(c *RawColumn) []valueCount {
	var best []valueCount
	limit := ^uint64(0)
	prune := func() {
		slices.SortFunc(best, func(a, b valueCount) int {
			return cmp.Or(cmp.Compare(a.hash, b.hash), strings.Compare(a.text, b.text))
		})
		out := best[:0]
		for _, v := range best {
			if n := len(out); n > 0 && out[n-1].hash == v.hash && out[n-1].text == v.text {
				out[n-1].rows += v.rows
			} else {
				out = append(out, v)
			}
		}
		if best = out; len(best) > profileSize {
			best = best[:profileSize]
			limit = best[profileSize-1].hash
		}
	}
	counts := make([]uint32, c.Values.Len())
	for _, code := range c.Codes {
		counts[code]++
	}
	p.rows = len(c.Codes)
	for code := 1; code < len(counts); code++ {
		text := c.Values.At(uint32(code))
		if counts[code] == 0 || normalize.Null(text) {
			continue
		}
		p.filled += int(counts[code])
		for _, item := range listItems(c, text) {
			if h := hashText(item); h <= limit {
				if best = append(best, valueCount{h, item, int(counts[code])}); len(best) >= 4*profileSize {
					prune()
				}
			}
		}
	}
	prune()
	if p.distinct = len(best); p.distinct == profileSize {
		p.distinct = int(float64(profileSize-1) / (float64(limit) / float64(^uint64(0))))
	}
	return best
}

func listItems(c *RawColumn, text string) []string {
	if !c.List {
		return []string{text}
	}
	return strings.Split(text, ListSeparator)
}

// weight is the share of the sampled rows that hold a value.
type weight float64

// count adds the weight to a share where is holds.
func (w weight) count(share *float64, is bool) {
	if is {
		*share += float64(w)
	}
}

// look counts what one value looks like.
func (p *profile) look(raw string, w weight, order normalize.Order, years *[]int, whole *[]int64) {
	s := normalize.Trim(raw)
	if len(s) > 300 {
		p.length += float64(w) * float64(len(s))
		p.words += float64(w) * 40
		return
	}
	folded := normalize.Fold(s)
	words := strings.Fields(folded)
	digits, letters := countSigns(s)
	p.length += float64(w) * float64(len(s))
	p.words += float64(w) * float64(len(words))
	w.count(&p.oneWord, len(words) == 1)
	w.count(&p.email, normalize.LooksEmail(s))
	w.count(&p.url, strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "www."))
	w.count(&p.phone, normalize.LooksPhone(s))
	w.count(&p.hetu, len(s) == 11 && normalize.ValidHetu(s))
	w.count(&p.ssn, normalize.LooksSSN(s))
	w.count(&p.plate, normalize.LooksPlate(s))
	w.count(&p.vin, normalize.LooksVIN(s))
	w.count(&p.business, len(s) == 9 && s[7] == '-' && normalize.ValidYTunnus(s))
	w.count(&p.letters, letters > 0 && digits == 0)
	w.count(&p.digits, digits == len(s))
	w.count(&p.zip5, len(s) == 5 && digits == 5 || len(s) == 8 && s[2] == '-' && digits == 5)
	w.count(&p.zip4, len(s) == 4 && digits == 4)
	w.count(&p.zipUK, normalize.BritishPostcode(s) || normalize.CanadianPostcode(s))
	w.count(&p.codes, digits > 0 && len(words) <= 4 && len(s) >= 5 && !strings.Contains(strings.TrimSpace(s), "  ") && codeLike(s))
	p.lookNumber(s, w, digits, whole)
	p.lookDate(s, w, order, digits, years)
	if letters > 1 {
		p.lookPlace(s, w)
		p.lookName(s, w, words)
	}
}

func (p *profile) lookNumber(s string, w weight, digits int, ints *[]int64) {
	v, ok := normalize.ParseNumber(s)
	w.count(&p.number, ok && digits > 0)
	whole := ok && digits > 0 && strings.Trim(s, "0123456789-+") == "" && len(s) < 19
	w.count(&p.integer, whole)
	w.count(&p.decimal, ok && !whole && strings.ContainsAny(s, ".,"))
	if whole {
		*ints = append(*ints, int64(v))
		w.count(&p.day, v >= 1 && v <= 31 && len(s) <= 2)
		w.count(&p.month, v >= 1 && v <= 12 && len(s) <= 2)
		w.count(&p.year, v >= 1800 && v <= 2100 && len(s) == 4)
		p.minInt, p.maxInt = min(p.minInt, int64(v)), max(p.maxInt, int64(v))
	}
}

func (p *profile) lookDate(s string, w weight, order normalize.Order, digits int, years *[]int) {
	if digits < 4 || len(s) > 40 || len(s) < 6 {
		return
	}
	d := normalize.Date(s, order, normalize.DefaultPivot)
	if !normalize.ValidDate(d) {
		return
	}
	p.date += float64(w)
	w.count(&p.time, len(s) > 12 && strings.Contains(s, ":"))
	*years = append(*years, int(d[0]-'0')*1000+int(d[1]-'0')*100+int(d[2]-'0')*10+int(d[3]-'0'))
}

func (p *profile) lookPlace(s string, w weight) {
	street, number := normalize.LooksStreet(s)
	w.count(&p.street, street)
	w.count(&p.streetNumber, number)
	a := normalize.ParseAddress(s)
	w.count(&p.fullAddress, a.Street != "" && (a.PostalCode != "" || a.City != "" && a.HouseNumber != ""))
	w.count(&p.unit, a.Street == "" && a.Unit != "")
}

func (p *profile) lookName(s string, w weight, words []string) {
	legal := normalize.HasLegalForm(s)
	w.count(&p.legal, legal)
	w.count(&p.org, legal || normalize.OrgWords(words))
	if len(words) == 0 {
		return
	}
	first, last := words[0], words[len(words)-1]
	w.count(&p.given, normalize.KnownGiven(first))
	w.count(&p.family, normalize.KnownFamily(last))
	w.count(&p.person, len(words) > 1 && len(words) < 6 && (normalize.KnownGiven(first) && !normalize.KnownGiven(last) || normalize.KnownFamily(first) && normalize.KnownGiven(last)))
}

// lookWord counts what is one of a list of words.
func (p *profile) lookWord(s string, w weight) {
	w.count(&p.gender, normalize.Gender(s) != "")
	w.count(&p.country, normalize.KnownCountry(s))
	w.count(&p.region, normalize.KnownRegion(s))
	w.count(&p.language, normalize.KnownLanguage(s))
	folded := normalize.Fold(s)
	w.count(&p.initial, len(folded) == 1 && folded[0] >= 'a')
	w.count(&p.flag, flagWords[folded])
	w.count(&p.consent, normalize.Consent(s) != "")
}

// flagWords are the values of flags.
var flagWords = wordSet(`true false yes no y n 0 1 t f kylla ei ja nej nein on off active inactive`)

// countSigns counts the ASCII digits and the letters of s.
func countSigns(s string) (digits, letters int) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80:
			letters++
		}
	}
	return digits, letters
}

// codeLike reports the shape of an identifier: runs of capitals, digits and
// separators, or one word that mixes letters and digits.
func codeLike(s string) bool {
	lower := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		lower = lower || c >= 'a' && c <= 'z'
		if c >= 0x80 || strings.IndexByte(",;@()'\"", c) >= 0 {
			return false
		}
	}
	return !lower || strings.IndexByte(s, ' ') < 0
}

// wholeFloats reports a column of whole numbers that went through a type with
// fractions on their way ("33880.0"), as tools do to numbers with gaps.
func wholeFloats(values []string) bool {
	n := 0
	for _, v := range values {
		if number, ok := strings.CutSuffix(v, ".0"); ok && number != "" && strings.Trim(number, "0123456789") == "" {
			n++
		}
	}
	return n > 0 && 20*n >= 19*len(values)
}

func dateOrderOf(values []string) normalize.Order {
	var g normalize.OrderGuess
	for _, v := range values {
		g.Add(v)
	}
	return g.Order()
}

// sampleValues returns at most n distinct values that some kept row holds: those
// with the smallest hashes, see [profile.sample].
func sampleValues(values *record.Strings, counts []uint32, n int) []string {
	type hashed struct {
		hash uint64
		text string
	}
	var best []hashed
	limit := ^uint64(0)
	prune := func() {
		slices.SortFunc(best, func(a, b hashed) int { return cmp.Or(cmp.Compare(a.hash, b.hash), strings.Compare(a.text, b.text)) })
		best = slices.Compact(best)
		if len(best) > n {
			best = best[:n]
			limit = best[n-1].hash
		}
	}
	for code := 1; code < values.Len(); code++ {
		if counts[code] == 0 {
			continue
		}
		text := values.At(uint32(code))
		if h := hashText(text); h <= limit {
			if best = append(best, hashed{h, text}); len(best) >= 4*n+64 {
				prune()
			}
		}
	}
	prune()
	out := make([]string, len(best))
	for i, h := range best {
		out[i] = h.text
	}
	return out
}

// hashText is FNV-1a of at most 256 bytes of a text, stirred.
func hashText(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range min(len(s), 256) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	h += uint64(len(s))
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 29
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>32
}
