package strsim

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// builtinNames are realistic values for when the reference tables are absent.
var builtinNames = strings.Fields(`anna maria johanna kristiina helena matti mikko
	juhani tapani hannu virtanen korhonen makinen nieminen virtänen mäkinen hämäläinen
	åberg öström müller schäfer o'neill macdonald mcdonald smith smyth schmidt schmitt
	jean-pierre anne-marie catherine katherine kathryn jose josé garcía garcia
	николай наталья παπαδόπουλος dimitriou 128-bryant 132 4b 00100 33720 kuja katu
	mannerheimintie mannerheimvagen hameenkatu aleksanterinkatu`)

// refNames returns given names, surnames and streets of ../shared/data/ref,
// or, where that is absent, the built-in ones.
func refNames(tb testing.TB) []string {
	tb.Helper()
	root := moduleRoot(tb)
	var names []string
	for _, f := range []struct {
		path   string
		column int
	}{
		{"fi_names/fi_given_names.csv.gz", 0},
		{"fi_names/fi_surnames.csv.gz", 0},
		{"eu_names/de_surnames.csv.gz", 0},
		{"fi_geo/fi_streets_bilingual_capital_region.csv.gz", 0},
	} {
		path := filepath.Join(root, "..", "shared", "data", "ref", filepath.FromSlash(f.path))
		read, err := firstColumn(path)
		if errors.Is(err, fs.ErrNotExist) {
			tb.Logf("%s is absent: using %d built-in names", f.path, len(builtinNames))
			return builtinNames
		}
		if err != nil {
			tb.Fatal(err)
		}
		names = append(names, read...)
	}
	return append(names, builtinNames...)
}

func moduleRoot(tb testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}

func firstColumn(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var values []string
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		value, _, _ := strings.Cut(lines.Text(), ",")
		values = append(values, strings.ToLower(strings.Trim(value, `"`)))
	}
	return values[1:], lines.Err()
}

// alphabets from which random strings are drawn; few letters make many
// coincidences, which is where kernels go wrong.
var alphabets = [][]rune{
	[]rune("ab"),
	[]rune("abc"),
	[]rune("abcdefghijklmnopqrstuvwxyz"),
	[]rune("0123456789 -/"),
	[]rune("aäoöåé"),
	[]rune("abäß語字日本中\U0001F600\U0001F601"),
	[]rune("\x00\x7f\u0080ÿĀ\uFFFD\U0010FFFF"),
	cjk(300),
}

func cjk(n int) []rune {
	r := make([]rune, n)
	for i := range r {
		r[i] = rune(0x4E00 + i)
	}
	return r
}

// pairSource draws pairs of strings of every kind that the kernels treat
// differently.
type pairSource struct {
	rnd   *rand.Rand
	names []string
}

func newPairs(tb testing.TB, seed uint64) *pairSource {
	return &pairSource{rand.New(rand.NewPCG(seed, 1)), refNames(tb)}
}

// next returns a pair of strings of at most about longest code points.
func (p *pairSource) next(longest int) (string, string) {
	switch kind := p.rnd.IntN(20); {
	case kind < 5: // two names
		return p.name(), p.name()
	case kind < 10: // a name and the same with edits
		a := p.name()
		return a, p.edit(a, 1+p.rnd.IntN(3), []rune("abcdefghijklmnopqrstuvwxyz-ä"))
	case kind < 11: // bytes, most of them not UTF-8
		return p.bytes(12), p.bytes(12)
	case kind < 15:
		alphabet := alphabets[p.rnd.IntN(len(alphabets))]
		return p.random(alphabet, 9), p.random(alphabet, 9)
	case kind < 17: // around the word size
		alphabet := alphabets[p.rnd.IntN(len(alphabets))]
		a := p.random(alphabet, min(longest, 70))
		return a, p.edit(a, p.rnd.IntN(8), alphabet)
	case kind < 18:
		x := alphabets[p.rnd.IntN(len(alphabets))]
		y := alphabets[p.rnd.IntN(len(alphabets))]
		return p.random(x, min(longest, 70)), p.random(y, min(longest, 70))
	case kind < 19: // several words
		a := p.name() + " " + p.name() + " " + p.name()
		if p.rnd.IntN(2) == 0 {
			return a, p.name() + " " + p.name() + " " + p.name()
		}
		return a, p.edit(a, 1+p.rnd.IntN(4), []rune("abcdefghijklmnopqrstuvwxyz"))
	default:
		alphabet := alphabets[p.rnd.IntN(len(alphabets))]
		a := p.random(alphabet, longest)
		if p.rnd.IntN(2) == 0 {
			return a, p.random(alphabet, longest)
		}
		return a, p.edit(a, p.rnd.IntN(12), alphabet)
	}
}

func (p *pairSource) name() string { return p.names[p.rnd.IntN(len(p.names))] }

func (p *pairSource) bytes(longest int) string {
	b := make([]byte, p.rnd.IntN(longest+1))
	for i := range b {
		b[i] = byte(p.rnd.Uint32())
		if p.rnd.IntN(2) == 0 {
			b[i] = "a\xc3\xa4"[p.rnd.IntN(3)]
		}
	}
	return string(b)
}

func (p *pairSource) random(alphabet []rune, longest int) string {
	r := make([]rune, p.rnd.IntN(longest+1))
	for i := range r {
		r[i] = alphabet[p.rnd.IntN(len(alphabet))]
	}
	return string(r)
}

// edit makes n random insertions, deletions, substitutions or transpositions.
func (p *pairSource) edit(s string, n int, alphabet []rune) string {
	r := []rune(s)
	for range n {
		i := p.rnd.IntN(len(r) + 1)
		c := alphabet[p.rnd.IntN(len(alphabet))]
		switch p.rnd.IntN(4) {
		case 0:
			r = append(r[:i], append([]rune{c}, r[i:]...)...)
		case 1:
			if i < len(r) {
				r = append(r[:i], r[i+1:]...)
			}
		case 2:
			if i < len(r) {
				r[i] = c
			}
		default:
			if i+1 < len(r) {
				r[i], r[i+1] = r[i+1], r[i]
			}
		}
	}
	return string(r)
}
