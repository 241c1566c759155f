package normalize

import "strings"

// Sound returns a phonetic code of a folded name: names that are spelled
// differently and sound alike in Finnish, Swedish, German or English have one
// code. Words keep their places: "van den berg" → "fn tn prk".
//
//	first letter kept (its class, for a consonant); other vowels dropped
//	b=p  d=t=th  g=k=c=ck=q=ch  f=v=w=ph  s=z=sch=sh=c before e, i, y  x=ks
//	h and j dropped unless first; doubles collapsed
//	a code of less than three signs takes the last vowel too: Mari ≠ Meira
func Sound(s string) string {
	if s == "" || len(s) > 128 {
		return ""
	}
	var buf [64]byte
	out := buf[:0]
	for start := 0; start < len(s); {
		end := start
		for end < len(s) && s[end] != ' ' {
			end++
		}
		if end > start {
			if len(out) > 0 {
				out = append(out, ' ')
			}
			out = soundWord(out, s[start:end])
		}
		start = end + 1
	}
	return string(out)
}

// soundWord appends the code of one word.
func soundWord(dst []byte, w string) []byte {
	start := len(dst)
	for i := 0; i < len(w); {
		code, n := soundAt(w, i)
		i += n
		for _, c := range []byte(code) {
			if len(dst) > start && dst[len(dst)-1] == c && !vowelBetween(w, i-n) {
				continue
			}
			dst = append(dst, c)
		}
	}
	if n := len(dst) - start; n > 0 && n < 3 {
		if v := vowelClass(w[len(w)-1]); v != 0 && len(w) > 1 {
			dst = append(dst, v)
		}
	}
	return dst
}

// vowelBetween reports a vowel before position i: two equal codes around it are
// two sounds.
func vowelBetween(w string, i int) bool { return i > 0 && vowelClass(w[i-1]) != 0 }

// soundAt returns the code of the sound at i, "" for a silent one, and the
// number of letters that it takes.
func soundAt(w string, i int) (code string, n int) {
	rest := w[i:]
	for _, c := range soundClusters {
		if strings.HasPrefix(rest, c.letters) {
			return c.code, len(c.letters)
		}
	}
	c := w[i]
	if v := vowelClass(c); v != 0 && c != 'y' {
		if i == 0 {
			return string(v), 1
		}
		return "", 1
	}
	switch c {
	case 'b', 'p':
		return "p", 1
	case 'd', 't':
		return "t", 1
	case 'g', 'k', 'q':
		return "k", 1
	case 'c':
		if len(rest) > 1 && strings.IndexByte("eiy", rest[1]) >= 0 {
			return "s", 1
		}
		return "k", 1
	case 'f', 'v', 'w':
		return "f", 1
	case 's', 'z':
		return "s", 1
	case 'x':
		return "ks", 1
	case 'h':
		if i == 0 {
			return "h", 1
		}
		return "", 1
	case 'j', 'y':
		if i == 0 {
			return "j", 1
		}
		return "", 1
	}
	if isLetter(c) || isDigit(c) {
		return w[i : i+1], 1
	}
	return "", 1
}

// soundClusters are letters that make one sound, longest first.
var soundClusters = []struct{ letters, code string }{
	{"tsch", "s"}, {"sch", "s"}, {"sh", "s"}, {"cz", "s"}, {"tz", "s"}, {"ts", "s"}, {"ck", "k"}, {"ch", "k"}, {"ph", "f"}, {"th", "t"},
	{"qu", "kf"}, {"kh", "k"}, {"gh", "k"}, {"dh", "t"}, {"wh", "f"}, {"rh", "r"},
}

// vowelClass returns the class of a vowel, 0 for a consonant.
func vowelClass(c byte) byte {
	switch c {
	case 'a', 'e', 'o', 'u':
		return c
	case 'i', 'y':
		return 'i'
	}
	return 0
}
