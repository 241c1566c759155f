package generate

import (
	"bytes"
)

// A draft is a record before its silo's formats: the person's state on one day
// with the noise of the source.
type draft struct {
	day         int32
	first, last []byte
	email       []byte
	phone       []byte // national, no leading 0; as it stands when rawPhone
	rawPhone    bool
	street      []byte
	postal      []byte
	city        []byte
	flags       recordFlag
}

// A maker makes records. Each worker has its own.
type maker struct {
	p     *population
	hh    household
	text  []byte // holds the texts of the record in hand
	d     draft
	cells [][]byte
}

// hold appends what write appends to the maker's text and returns it.
func (k *maker) hold(write func(b []byte) []byte) []byte {
	from := len(k.text)
	k.text = write(k.text)
	return k.text[from:len(k.text):len(k.text)]
}

func (k *maker) holdString(s string) []byte {
	from := len(k.text)
	k.text = append(k.text, s...)
	return k.text[from:len(k.text):len(k.text)]
}

// draftOf draws the state and the noise of record number n of a person in a
// source. The stream is left where the formats of the silo go on.
func (k *maker) draftOf(ps *person, source, n int) stream {
	r := k.p.stream(k.hh.h, forRecord, ps.member<<2|source, n)
	k.text = k.text[:0]
	k.d = draft{}
	from := max(windowStart, ps.birth+years(18))
	if from > windowEnd {
		from = max(windowStart, ps.birth)
	}
	k.d.day = from + int32(r.int(int(windowEnd-from)+1))
	rates := &noiseRates[source]
	factor := ps.care * k.p.opt.Noise.shift()
	k.drawName(ps, source, &r, rates, factor)
	k.drawEmail(ps, source, n, &r, rates, factor)
	k.drawPhone(ps, source, &r, rates, factor)
	k.drawAddress(ps, source, &r, rates, factor)
	if r.chance(rates.encoding * factor) {
		k.breakEncoding(r.int(encodingKinds))
	}
	return r
}

func (k *maker) drawName(ps *person, source int, r *stream, rates *noise, factor float64) {
	d := &k.d
	last := ps.surnameAt(d.day)
	if last != ps.surnameAt(windowEnd) {
		d.flags |= flagFormerSurname
	}
	d.last = k.hold(last.appendText)
	call := ps.given[ps.call].entry
	switch {
	case source == crm && ps.nGiven > 1 && r.chance(missing.allGiven):
		d.flags |= flagAllGiven
		d.first = k.hold(func(b []byte) []byte {
			for i, g := range ps.given[:ps.nGiven] {
				if i > 0 {
					b = append(b, ' ')
				}
				b = append(b, g.entry.text...)
			}
			return b
		})
	case r.chance(rates.nickname * factor):
		k.shorten(call.text, r)
	default:
		d.first = k.holdString(call.text)
	}
	if at := bytes.IndexByte(d.last, '-'); at > 0 && r.chance(rates.doubleSurname*factor) {
		d.flags |= flagDoubleSurname
		d.last = k.rewriteDouble(d.last[:at], d.last[at+1:], r)
	}
	if r.chance(rates.first * factor) {
		k.replace(&d.first, flagTypoFirst, func(b, old []byte) []byte { return misspell(b, r, old, true) })
	}
	if r.chance(rates.surname * factor) {
		k.replace(&d.last, flagTypoSurname, func(b, old []byte) []byte { return misspell(b, r, old, true) })
	}
	if r.chance(rates.swapped * factor) {
		d.first, d.last = d.last, d.first
		d.flags |= flagSwapped
	}
	if r.chance(rates.junkName * factor) {
		first, last, _ := bytes.Cut(k.holdString(k.p.junkValue(r, "name")), []byte(" "))
		d.first, d.last = first, last
		d.flags = d.flags&^(flagTypoFirst|flagTypoSurname|flagNickname|flagInitial|flagSwapped|flagDoubleSurname|flagAllGiven|flagFormerSurname) | flagJunkName
	}
}

// replace rewrites a text and sets the flag when that changed it.
func (k *maker) replace(text *[]byte, flag recordFlag, write func(b, old []byte) []byte) {
	old := *text
	if len(old) == 0 {
		return
	}
	now := k.hold(func(b []byte) []byte { return write(b, old) })
	if !bytes.Equal(now, old) {
		*text = now
		k.d.flags |= flag
	}
}

// shorten gives a nickname or, now and then or for want of one, an initial.
func (k *maker) shorten(call string, r *stream) {
	d := &k.d
	d.first = k.holdString(call)
	short := k.p.tab.short[call]
	switch {
	case r.chance(initialShare):
		dot := r.chance(0.5)
		initial := []rune(call)[0]
		d.first = k.hold(func(b []byte) []byte {
			b = append(b, string(initial)...)
			if dot {
				b = append(b, '.')
			}
			return b
		})
		d.flags |= flagInitial
	case len(short) > 0:
		d.first = k.holdString(short[r.int(len(short))])
		d.flags |= flagNickname
	}
}

// rewriteDouble cuts, reorders or unhyphenates a double surname.
func (k *maker) rewriteDouble(a, b []byte, r *stream) []byte {
	switch r.int(4) {
	case 0:
		return a
	case 1:
		return b
	case 2:
		return k.hold(func(x []byte) []byte { return append(append(append(x, b...), '-'), a...) })
	}
	return k.hold(func(x []byte) []byte { return append(append(append(x, a...), ' '), b...) })
}

// junkValue draws a junk value with weight 1/rank: one value dominates.
func (p *population) junkValue(r *stream, field string) string {
	values := p.tab.junk[field]
	return values[r.weighted(harmonic[:len(values)])]
}

var harmonic = func() (w [64]float64) {
	for i := range w {
		w[i] = 1 / float64(i+1)
	}
	return w
}()

// breakEncoding shows every text of the draft in a broken encoding.
func (k *maker) breakEncoding(kind int) {
	d := &k.d
	broken := func(b, old []byte) []byte { return appendBroken(b, old, kind) }
	for _, text := range []*[]byte{&d.first, &d.last, &d.street, &d.city} {
		k.replace(text, flagEncoding, broken)
	}
}

// isSet says whether any of the flags is set.
func (f recordFlag) isSet(any recordFlag) bool { return f&any != 0 }
