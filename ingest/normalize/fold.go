package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/encoding/charmap"
)

// maxFolded bounds the length of a normal form in bytes. Longer values are cut:
// what a cell of megabytes says beyond this tells no two persons apart.
const maxFolded = 4096

// Fold returns s as lower case ASCII letters and digits in single-spaced words.
// Accents are removed (ä→a, é→e, ø→o, ß→ss), other scripts are transliterated,
// apostrophes vanish (o'neill → oneill) and any other sign parts words.
func Fold(s string) string {
	if isFolded(s) {
		return s
	}
	var buf [64]byte
	return string(appendFolded(buf[:0], s))
}

// isFolded reports that Fold would not change s.
func isFolded(s string) bool {
	if len(s) > maxFolded {
		return false
	}
	space := true // a space at the start must go
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			space = false
		case c == ' ' && !space:
			space = true
		default:
			return false
		}
	}
	return !space || s == ""
}

func appendFolded(dst []byte, s string) []byte {
	for i := 0; i < len(s) && len(dst) < maxFolded; {
		c := s[i]
		if c < utf8.RuneSelf {
			if c == '?' && lostLetter(s, i, i+1) {
				c = 'a'
			}
			dst = appendFoldedByte(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == 'Ã' || r == 'ã' || r == 'Â' {
			if twice, n := decodedTwice(r, s[i+size:]); n > 0 {
				r, size = twice, size+n
			}
		}
		if r == utf8.RuneError && lostLetter(s, i, i+size) {
			r = 'a'
		}
		i += size
		dst = appendFoldedRune(dst, r)
	}
	if n := len(dst); n > 0 && dst[n-1] == ' ' {
		dst = dst[:n-1]
	}
	return dst
}

// lostLetter reports that the sign at s[from:to], "?" or U+FFFD, stands between
// two letters: what some system could not write. It is taken for an a, the
// letter that most often has dots.
func lostLetter(s string, from, to int) bool {
	return from > 0 && to < len(s) && letterOrMore(s[from-1]) && letterOrMore(s[to]) && (isLetter(s[from-1]) || isLetter(s[to]) || s[from-1] == '?' || s[to] == '?')
}

func letterOrMore(c byte) bool { return isLetter(c) || c >= utf8.RuneSelf || c == '?' }

// decodedTwice undoes UTF-8 that was read as Latin-1 or windows-1252 and
// written as UTF-8 again: "Ã¤" → "ä". first is the letter that C3 or C2 became
// (or its small form), rest what follows; n is the length of the sign in rest
// that belongs to it, 0 where none does.
func decodedTwice(first rune, rest string) (r rune, n int) {
	second, n := utf8.DecodeRuneInString(rest)
	if second > 0xff {
		b, ok := charmap.Windows1252.EncodeRune(second)
		if !ok {
			return 0, 0
		}
		second = rune(b)
	}
	if n == 0 || second < 0x80 || second > 0xbf {
		return 0, 0
	}
	if first == 'Â' {
		return second, n
	}
	return second + 0x40, n
}

func appendFoldedByte(dst []byte, c byte) []byte {
	switch {
	case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		return append(dst, c)
	case c >= 'A' && c <= 'Z':
		return append(dst, c+'a'-'A')
	case c == '\'' || c == '`':
		return dst
	}
	if n := len(dst); n > 0 && dst[n-1] != ' ' {
		return append(dst, ' ')
	}
	return dst
}

func appendFoldedRune(dst []byte, r rune) []byte {
	switch r {
	case 'ä', 'å', 'Ä', 'Å', 'á', 'à', 'â', 'ã', 'Á', 'À':
		return append(dst, 'a')
	case 'ö', 'ø', 'Ö', 'Ø', 'ó', 'ô', 'õ', 'Ó':
		return append(dst, 'o')
	case 'é', 'è', 'ê', 'ë', 'É':
		return append(dst, 'e')
	case 'ü', 'Ü', 'ú', 'û':
		return append(dst, 'u')
	case '’', '‘', 'ʼ', '´', 'ʹ', 'ь', 'ъ', 'Ь', 'Ъ':
		return dst
	case utf8.RuneError:
		return appendFoldedByte(dst, ' ')
	}
	if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
		return dst // combining marks; direction marks and zero-width signs
	}
	for _, c := range []byte(unidecode.Unidecode(string(r))) {
		dst = appendFoldedByte(dst, c)
	}
	return dst
}

// Text returns the normal form of free text: folded words. A text without any
// letter or digit is null.
func Text(s string) string {
	if Null(s) {
		return ""
	}
	return Fold(s)
}

// Category returns the normal form of one of few values.
func Category(s string) string { return Text(s) }

// Code returns the normal form of an identifier: capitals and digits without
// separators, "ab-123 4" → "AB1234".
func Code(s string) string {
	if Null(s) {
		return ""
	}
	folded := Fold(s)
	out := make([]byte, 0, len(folded))
	for i := 0; i < len(folded); i++ {
		switch c := folded[i]; {
		case c >= 'a' && c <= 'z':
			out = append(out, c-'a'+'A')
		case c != ' ':
			out = append(out, c)
		}
	}
	return string(out)
}

// Identifier returns the normal form of an identifier, null where it is a
// placeholder: one sign repeated, or a word that says there is none.
func Identifier(s string) string {
	code := Code(s)
	if repeated(code) && len(code) > 2 || junkIdentifier[code] {
		return ""
	}
	return code
}

// repeated reports that s is one byte over and over.
func repeated(s string) bool {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			return false
		}
	}
	return s != ""
}

// Trim returns s without white space and invisible signs at its ends.
func Trim(s string) string {
	if s == "" || s[0] > ' ' && s[0] < 0x7f && s[len(s)-1] > ' ' && s[len(s)-1] < 0x7f {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
}

// digits returns the ASCII digits of s.
func digits(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s) && len(out) < 64; i++ {
		if isDigit(s[i]) {
			out = append(out, s[i])
		}
	}
	return string(out)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// allDigits reports that s is one or more digits.
func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// set builds a look-up of the words in a white-space separated list.
func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// lines builds a look-up of the lines of a list.
func lines(text string) map[string]bool {
	m := make(map[string]bool)
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			m[line] = true
		}
	}
	return m
}
