package normalize

// genderWords maps folded words to f, m or x.
var genderWords = map[string]string{
	"f": "f", "female": "f", "woman": "f", "w": "f", "n": "f", "k": "f", "nainen": "f", "kvinna": "f", "kvinnlig": "f", "weiblich": "f", "frau": "f",
	"femme": "f", "girl": "f", "tytto": "f", "mrs": "f", "ms": "f", "miss": "f", "rouva": "f", "neiti": "f", "femenino": "f", "mujer": "f",
	"m": "m", "male": "m", "man": "m", "mies": "m", "mannlich": "m", "maennlich": "m", "manlig": "m", "mann": "m", "herr": "m", "boy": "m", "poika": "m", "mr": "m", "herra": "m",
	"masculino": "m", "hombre": "m", "homme": "m",
	"x": "x", "other": "x", "muu": "x", "divers": "x", "d": "x", "nonbinary": "x", "non binary": "x", "annan": "x", "annat": "x", "diverse": "x",
}

// genderTargets are the words that a mistyped one is held against, longest first.
var genderTargets = []struct{ word, sex string }{
	{"female", "f"}, {"nainen", "f"}, {"kvinna", "f"}, {"weiblich", "f"}, {"mannlich", "m"}, {"male", "m"}, {"mies", "m"},
}

// Gender returns f, m or x. A mistyped word ("femalw", "mzle") is taken as the
// nearest one within two errors; what is no gender gives "".
func Gender(s string) string {
	if len(s) > 64 {
		return ""
	}
	w := Fold(s)
	if g, ok := genderWords[w]; ok {
		return g
	}
	if len(w) < 3 || len(w) > 10 || Null(s) {
		return ""
	}
	best, sex := 3, ""
	for _, t := range genderTargets {
		limit := 2
		if len(t.word) <= 4 {
			limit = 2 - min(1, abs(len(w)-len(t.word)))
		}
		if d := edits(w, t.word); d <= limit && d < best {
			best, sex = d, t.sex
		}
	}
	return sex
}

// GenderNumber maps the codes 1 and 2 (ISO 5218) to m and f, 9 to x.
func GenderNumber(s string) string {
	switch Trim(s) {
	case "1":
		return "m"
	case "2":
		return "f"
	case "9":
		return "x"
	}
	return Gender(s)
}

func abs(n int) int { return max(n, -n) }

// Misspelt reports that two folded names can be one name with typing errors:
// no more than one edit in three letters apart.
func Misspelt(a, b string) bool {
	if a == b {
		return true
	}
	longest := max(len(a), len(b))
	if longest > 31 || abs(len(a)-len(b)) > longest/3 {
		return false
	}
	return edits(a, b) <= max(1, longest/3)
}

// edits is the Levenshtein distance of two short ASCII words.
func edits(a, b string) int {
	var row [32]int
	if len(b) >= len(row) {
		return len(b)
	}
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
