package consent

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the most bytes of a name in a purpose, grant or event.
const maxName = 200

// nameOf returns the text form of a value of one of the small sets.
func nameOf(names []string, v uint8, kind string) string {
	if int(v) < len(names) && names[v] != "" {
		return names[v]
	}
	return fmt.Sprintf("%s(%d)", kind, v)
}

// valueOf reads a text form. An empty name stands for no value.
func valueOf(names []string, text, kind string) (uint8, error) {
	var known []string
	for v, name := range names {
		if name == "" {
			continue
		}
		if name == text {
			return uint8(v), nil
		}
		known = append(known, name)
	}
	return 0, fmt.Errorf("%s %q: want one of %s", kind, text, strings.Join(known, ", "))
}

// listOf returns the values that have a name, in order.
func listOf[T ~uint8](names []string) []T {
	var all []T
	for v, name := range names {
		if name != "" {
			all = append(all, T(v))
		}
	}
	return all
}

// checkWord says what is wrong with a word: a lower-case letter, then lower-case
// letters, digits and the marks allowed.
func checkWord(what, word, marks string, longest int) error {
	if word == "" {
		return fmt.Errorf("%s is missing", what)
	}
	if len(word) > longest {
		return fmt.Errorf("%s %q: want at most %d letters", what, word, longest)
	}
	for i := range len(word) {
		c := word[i]
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || strings.IndexByte(marks, c) >= 0):
		default:
			return fmt.Errorf("%s %q: want a lower-case word, such as newsletter or email", what, word)
		}
	}
	return nil
}

// checkName says what is wrong with a name that people choose freely.
func checkName(what, name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("%s is missing", what)
	case len(name) > maxName:
		return fmt.Errorf("%s %q…: want at most %d bytes", what, cut(name, 40), maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%s %q: want UTF-8 text without control characters", what, name)
	}
	return nil
}

// cut returns the beginning of a text, at most n bytes, whole runes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
