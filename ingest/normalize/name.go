package normalize

import (
	"slices"
	"strings"
)

// hardTitles never are names: they vanish wherever they stand at the start.
var hardTitles = set(`mr mrs ms mx dr prof professor sir lord lady dame rev revd reverend hon rt capt captain cpt lt lieut sgt sergeant
col colonel gen general maj viscount viscountess baronet marquess marchioness countess esq
herr frau fru froken hra rva neiti tri maisteri tohtori dipl ing phd md mba obe mbe cbe kbe qc mp dphil`)

// softTitles are names too: they vanish only before another name.
var softTitles = set(`miss master major baron baroness duke duchess earl count prince princess king queen judge father mother brother sister saint bishop archbishop rabbi imam sheikh`)

// generations follow a name and tell father from son, in another column's way.
var generations = set(`jr sr junior senior snr jnr ii iii iv 1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th`)

// GivenName returns the normal form of one or more given names: folded, titles
// and generation suffixes removed, all names in order, initials as one letter.
func GivenName(s string) string {
	if Null(s) {
		return ""
	}
	folded := Fold(s)
	if simpleName(folded) {
		return folded
	}
	return settle(folded, dropTitles)
}

// FamilyName returns the normal form of a surname: folded, particles kept
// ("von essen"), a split prefix joined ("o neill" → "oneill", "mc intosh" →
// "mcintosh"), titles and generation suffixes removed.
func FamilyName(s string) string {
	if Null(s) {
		return ""
	}
	folded := Fold(s)
	if simpleName(folded) {
		return folded
	}
	return settle(folded, func(words []string) []string {
		words = dropTitles(words)
		for i := len(words) - 2; i >= 0; i-- {
			if (words[i] == "o" || words[i] == "mc" || words[i] == "d") && len(words[i+1]) > 2 {
				words[i] += words[i+1]
				words = append(words[:i+1], words[i+2:]...)
			}
		}
		return words
	})
}

// settle drops double words and applies step until nothing changes, so that a
// normal form is its own normal form: "anna anna" names one Anna.
func settle(folded string, step func([]string) []string) string {
	for {
		next := strings.Join(step(distinct(strings.Fields(folded))), " ")
		if next == folded {
			return next
		}
		folded = next
	}
}

// simpleName reports one word that is no title: the common case.
func simpleName(folded string) bool {
	return strings.IndexByte(folded, ' ') < 0 && !hardTitles[folded] && !generations[folded]
}

// dropTitles removes titles at the start and generations and honours at the
// end. Soft titles stay when nothing else is left.
func dropTitles(words []string) []string {
	for len(words) > 0 && (hardTitles[words[0]] || softTitles[words[0]] && len(words) > 1) {
		words = words[1:]
	}
	for len(words) > 0 && (generations[words[len(words)-1]] || hardTitles[words[len(words)-1]]) {
		words = words[:len(words)-1]
	}
	return words
}

// distinct drops words that came before.
func distinct(words []string) []string {
	out := words[:0]
	for _, w := range words {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// particles begin a surname of several words.
var particles = set(`von van de der den del della di da dos du la le af av zu zum zur ter ten te bin binti al el ibn mac mc o st san y e dela vander vom ap ab ni nic ben abu do das degli dei delle des`)

// Particle reports that a folded word can begin a surname, such as "von".
func Particle(word string) bool { return particles[word] }

// Title reports that a folded word is a title or a generation suffix.
func Title(word string) bool { return hardTitles[word] || generations[word] }

// CallName returns the first word of folded given names that is no initial,
// or the first word.
func CallName(given string) string {
	first := ""
	for w := range strings.FieldsSeq(given) {
		if len(w) > 1 {
			return w
		}
		if first == "" {
			first = w
		}
	}
	return first
}
