package normalize

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"math"
	"strings"
	"sync"
)

// names.txt.gz holds common given and family names with their frequencies;
// its first lines name the sources and licences. lexicon_test.go builds it.
//
//go:embed names.txt.gz
var namesFile []byte

// nameShare says which share of people in one of the lists carries a word as
// a given name and as a family name; 0 = in no list.
type nameShare struct{ given, family float64 }

// lexicon returns the name lists, read at first use.
var lexicon = sync.OnceValue(func() map[string]nameShare {
	zr, err := gzip.NewReader(bytes.NewReader(namesFile))
	if err != nil {
		panic("normalize: embedded names: " + err.Error())
	}
	m := make(map[string]nameShare, 32<<10)
	scan := bufio.NewScanner(zr)
	for scan.Scan() {
		line := scan.Text()
		if strings.HasPrefix(line, "#") || len(line) < 4 {
			continue
		}
		n := len(line)
		m[line[:n-2]] = nameShare{given: classShare(line[n-2]), family: classShare(line[n-1])}
	}
	if err := scan.Err(); err != nil {
		panic("normalize: embedded names: " + err.Error())
	}
	return m
})

// classShare is the share that a frequency class stands for: "-" none, "a" one
// in 2²⁰, each further letter twice as many.
func classShare(c byte) float64 {
	if c < 'a' || c > 'z' {
		return 0
	}
	return math.Ldexp(1, int(c-'a')-20)
}

// shareClass is the inverse of classShare.
func shareClass(share float64) byte {
	if share <= 0 {
		return '-'
	}
	return 'a' + byte(max(0, min(19, math.Round(math.Log2(share)+20))))
}

// KnownGiven reports that a folded word is on a list of given names, more often
// than as a family name.
func KnownGiven(word string) bool {
	s := lexicon()[word]
	return s.given > 0 && s.given >= s.family
}

// KnownFamily reports that a folded word is on a list of family names, more
// often than as a given name.
func KnownFamily(word string) bool {
	s := lexicon()[word]
	return s.family > 0 && s.family > s.given
}
