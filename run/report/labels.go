package report

import "strconv"

// labels returns names that fit an axis: those wider than most are cut in the
// middle, where the names of columns and rules differ least, and two names that
// are different have different labels.
func labels(names []string, most int) []string {
	all := make([]string, len(names))
	taken := make(map[string]string, len(names)) // label → the name that has it
	for i, name := range names {
		label := middleCut(name, most)
		for n := 2; taken[label] != "" && taken[label] != name; n++ {
			suffix := " (" + strconv.Itoa(n) + ")"
			label = middleCut(name, most-len(suffix)) + suffix
		}
		all[i], taken[label] = label, name
	}
	return all
}

// middleCut cuts a text to a width: the beginning, "…", and the end.
func middleCut(text string, most int) string {
	runes := []rune(text)
	total := 0
	for _, r := range runes {
		total += runeWidth(r)
	}
	if total <= most {
		return text
	}
	head, width := 0, 0
	for width+runeWidth(runes[head]) <= (most-1)*3/5 {
		width += runeWidth(runes[head])
		head++
	}
	tail := len(runes)
	for width+runeWidth(runes[tail-1]) <= most-1 {
		tail--
		width += runeWidth(runes[tail])
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

// runeWidth counts scripts whose letters are square as two.
func runeWidth(r rune) int {
	if r >= 0x1100 && r <= 0x115f || r >= 0x2e80 {
		return 2
	}
	return 1
}
