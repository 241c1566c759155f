package generate

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// neighbours holds the keys beside each key of the Finnish layout.
var neighbours = keyboard("1234567890", "qwertyuiopå", "asdfghjklöä", "zxcvbnm")

// keyboard lists, for each letter, the letters left and right of it, above and
// below. Digits stand among digits only.
func keyboard(rows ...string) map[rune][]rune {
	near := map[rune][]rune{}
	for y, row := range rows {
		keys := []rune(row)
		for x, k := range keys {
			for _, d := range []struct{ dx, dy int }{{-1, 0}, {1, 0}, {0, -1}, {1, -1}, {-1, 1}, {0, 1}} {
				yy := y + d.dy
				if yy < 0 || yy >= len(rows) || d.dy != 0 && (y == 0 || yy == 0) {
					continue
				}
				if other := []rune(rows[yy]); x+d.dx >= 0 && x+d.dx < len(other) {
					near[k] = append(near[k], other[x+d.dx])
				}
			}
		}
	}
	return near
}

// phonetic are spellings that sound alike, each used both ways.
var phonetic = pairsOf(`ks=x k=c v=w ii=i nn=n ä=a ö=o th=t ph=f z=s y=i kk=k ll=l ss=s tt=t aa=a uu=u b=p d=t g=k j=i ck=k å=o ee=e mm=m pp=p rr=r`)

// misspell appends text with one or two edits. Names are also misheard. The
// result differs from text unless text has fewer than two letters.
func misspell(b []byte, r *stream, text []byte, isName bool) []byte {
	edits := 1
	if !r.chance(singleEdit) {
		edits = 2
	}
	var space [96]rune
	runes := space[:0]
	for _, c := range string(text) {
		runes = append(runes, c)
	}
	if len(runes) < 2 {
		return append(b, text...)
	}
	from := len(b)
	for range 8 {
		work := append([]rune(nil), runes...)
		for range edits {
			work = edit(r, work, isName)
		}
		b = b[:from]
		for _, c := range work {
			b = utf8.AppendRune(b, c)
		}
		if string(b[from:]) != string(text) {
			break
		}
	}
	return b
}

// edit makes one edit in place of at least two letters.
func edit(r *stream, w []rune, isName bool) []rune {
	if isName && r.chance(phoneticEdit) {
		if out, ok := mishear(r, w); ok {
			return out
		}
	}
	at := 0
	if len(w) > 1 && !r.chance(firstLetter) {
		at = 1 + r.int(len(w)-1)
	}
	switch r.weighted(editWeights) {
	case 0:
		w[at] = nearKey(r, w[at])
	case 1:
		if len(w) > 1 {
			w = append(w[:at], w[at+1:]...)
		}
	case 2:
		c := w[at]
		if r.chance(0.6) {
			c = nearKey(r, c)
		}
		w = append(w[:at+1], w[at:]...)
		w[at] = c
	default:
		if at == len(w)-1 {
			at--
		}
		if at >= 0 {
			w[at], w[at+1] = w[at+1], w[at]
		}
	}
	return w
}

// nearKey returns a letter from beside the key of c, in the case of c.
func nearKey(r *stream, c rune) rune {
	near := neighbours[unicode.ToLower(c)]
	if len(near) == 0 {
		return 'a' + rune(r.int(26))
	}
	k := near[r.int(len(near))]
	if unicode.IsUpper(c) {
		return unicode.ToUpper(k)
	}
	return k
}

// mishear replaces a spelling by one that sounds alike, if there is any.
func mishear(r *stream, w []rune) ([]rune, bool) {
	text := string(w)
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		return w, false
	}
	start := r.int(len(phonetic))
	for i := range phonetic {
		pr := phonetic[(start+i)%len(phonetic)]
		from, to := pr.fi, pr.sv
		if r.chance(0.5) {
			from, to = to, from
		}
		at := strings.Index(lower, from)
		if at < 0 || r.chance(0.3) {
			continue
		}
		if first, _ := utf8.DecodeRuneInString(text[at:]); unicode.IsUpper(first) {
			to = capital(to)
		}
		return []rune(text[:at] + to + text[at+len(from):]), true
	}
	return w, false
}

// appendUpper and appendLower append text in one case. Bytes that are not UTF-8
// stay as they are.
func appendUpper(b, text []byte) []byte {
	for i := 0; i < len(text); {
		c, n := rune(text[i]), 1
		switch {
		case c >= 'a' && c <= 'z':
			b = append(b, byte(c)-'a'+'A')
		case c < utf8.RuneSelf:
			b = append(b, byte(c))
		default:
			if c, n = utf8.DecodeRune(text[i:]); c == utf8.RuneError {
				b = append(b, text[i:i+n]...)
			} else {
				b = utf8.AppendRune(b, unicode.ToUpper(c))
			}
		}
		i += n
	}
	return b
}

func appendLower(b, text []byte) []byte {
	for i := 0; i < len(text); {
		c, n := rune(text[i]), 1
		switch {
		case c >= 'A' && c <= 'Z':
			b = append(b, byte(c)-'A'+'a')
		case c < utf8.RuneSelf:
			b = append(b, byte(c))
		default:
			if c, n = utf8.DecodeRune(text[i:]); c == utf8.RuneError {
				b = append(b, text[i:i+n]...)
			} else {
				b = utf8.AppendRune(b, unicode.ToLower(c))
			}
		}
		i += n
	}
	return b
}

// capitalise turns the first letter to upper case where it stands. It must take
// the same number of bytes in both cases, as the letters of Finnish do.
func capitalise(b []byte) {
	if c, n := utf8.DecodeRune(b); n > 0 {
		if up := unicode.ToUpper(c); utf8.RuneLen(up) == n {
			utf8.EncodeRune(b, up)
		}
	}
}

// Kinds of broken encoding.
const (
	mojibake = iota // UTF-8 read as Latin-1
	noDots          // ä to a, ö to o
	question        // ? for every letter outside ASCII
	encodingKinds
)

// appendBroken appends text as a broken encoding shows it.
func appendBroken(b, text []byte, kind int) []byte {
	for _, c := range string(text) {
		switch {
		case c < utf8.RuneSelf:
			b = append(b, byte(c))
		case kind == mojibake:
			var raw [4]byte
			for _, x := range raw[:utf8.EncodeRune(raw[:], c)] {
				b = utf8.AppendRune(b, rune(x))
			}
		case kind == noDots:
			b = append(b, withoutDots(c)...)
		default:
			b = append(b, '?')
		}
	}
	return b
}

func withoutDots(c rune) string {
	switch c {
	case 'ä', 'å', 'á', 'à':
		return "a"
	case 'Ä', 'Å', 'Á':
		return "A"
	case 'ö', 'ø', 'ó':
		return "o"
	case 'Ö', 'Ø':
		return "O"
	case 'é', 'è':
		return "e"
	case 'ü':
		return "u"
	}
	return string(c)
}
