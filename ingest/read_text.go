package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Text formats are read in blocks:
//
//	file ─gzip, zstd→ bytes ─encoding→ UTF-8 ─textBlocks→ rows ─→ codes
//
// The encoding is the one configured; else what a byte order mark says; else
// UTF-8, unless the first text beyond ASCII is not valid UTF-8: then it is
// windows-1252, or ISO-8859-15 where only that makes letters of the bytes.
// Text that is UTF-8 but for some bytes stays UTF-8, and values with such bytes
// are repaired and counted, see Reject.

// readText reads a CSV or JSON Lines file into t.
func readText(ctx context.Context, t *fileTable, in Input, opt ReadOptions) error {
	file, err := openText(t.Path)
	if err != nil {
		return err
	}
	defer file.close()
	head, err := file.Peek(sniffSize)
	if err != nil && err != io.EOF {
		return err
	}
	decoded, name, err := decodeText(file, head, in.Encoding)
	if err != nil {
		return err
	}
	blocks := &textBlocks{r: decoded, limit: rowLimit(opt)}
	if name == "" {
		// Not told by a mark or the configuration: guessed as the text is read.
		guess := &guessedText{r: decoded}
		blocks.r = guess
		defer func() { t.Encoding = guess.name() }()
	}
	t.Encoding = name
	if err := blocks.fill(sniffSize); err != nil {
		return err
	}
	if looksBinary(blocks.data[:min(len(blocks.data), sniffSize)], 10) {
		return errors.New("it is neither Parquet nor text; name its encoding in the configuration if it is text")
	}
	t.Format, err = textFormat(blocks.data, in.Format)
	if err != nil {
		return err
	}
	if t.Format == formatJSONL {
		return readJSONL(ctx, t, blocks, opt)
	}
	return readCSV(ctx, t, blocks, in.CSV, opt)
}

// rowLimit is the length in bytes up to which a row of text is held.
func rowLimit(opt ReadOptions) int { return 4 * opt.MaxCell }

// textFormat tells JSON Lines from CSV.
func textFormat(head []byte, configured string) (string, error) {
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) == 0:
		return "", errors.New("the file is blank; a file without rows still has a header")
	case configured == formatJSONL || configured == formatCSV:
		return configured, nil
	case configured != "":
		return "", fmt.Errorf("format %q is not known; the formats are parquet, csv and jsonl", configured)
	case head[0] == '{':
		return formatJSONL, nil
	case head[0] == '[':
		if rest := bytes.TrimLeft(head[1:], " \t\r\n"); len(rest) == 0 || rest[0] == '{' || rest[0] == ']' {
			return "", errors.New("it is one JSON array; write one object a line (jq -c '.[]')")
		}
	case head[0] == '<':
		return "", errors.New("it is XML or HTML; export it as CSV")
	}
	return formatCSV, nil
}

// decodeText undoes the encoding that is configured or that the first bytes
// show beyond doubt. name is "" where the text is still to be guessed.
func decodeText(r io.Reader, head []byte, configured string) (decoded io.Reader, name string, err error) {
	if configured != "" {
		e, err := lookupEncoding(configured)
		if err != nil {
			return nil, "", err
		}
		return transform.NewReader(r, unicode.BOMOverride(e.NewDecoder())), configured, nil
	}
	order, marked := utf16Order(head)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := io.CopyN(io.Discard, r, 3)
		return r, "utf-8", err
	case order == 'l', !marked && zerosAt(head, 1):
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()), "utf-16le", nil
	case order == 'b', !marked && zerosAt(head, 0):
		return transform.NewReader(r, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()), "utf-16be", nil
	}
	return r, "", nil
}

// zerosAt says whether most bytes at odd (1) or even (0) places are zero and
// hardly any of the others, as in UTF-16 without a mark.
func zerosAt(head []byte, parity int) bool {
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	half := len(head) / 2
	return half > 0 && zeros[parity] > half*7/10 && zeros[1-parity] < half/10
}

// lookupEncoding finds an encoding by any of its usual names.
func lookupEncoding(name string) (encoding.Encoding, error) {
	if e, err := htmlindex.Get(name); err == nil {
		return e, nil
	}
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("encoding %q is not known; usual ones are utf-8, utf-16le, windows-1252, iso-8859-15", name)
}

// guessedText passes ASCII through and decides on the encoding at the first
// byte beyond it, looking at what follows.
type guessedText struct {
	r       io.Reader
	decided encoding.Encoding // nil: ASCII so far
	pending []byte            // read, not yet passed on
	out     io.Reader         // the rest, once decided
}

// guessSize is how much text the decision is made on.
const guessSize = 1 << 20

func (g *guessedText) name() string {
	switch g.decided {
	case charmap.Windows1252:
		return "windows-1252"
	case charmap.ISO8859_15:
		return "iso-8859-15"
	}
	return "utf-8"
}

func (g *guessedText) Read(p []byte) (int, error) {
	if g.out != nil {
		return g.out.Read(p)
	}
	n, err := g.r.Read(p)
	ascii := asciiPrefix(p[:n])
	if ascii == n {
		return n, err
	}
	g.pending = append(g.pending, p[ascii:n]...)
	for err == nil && len(g.pending) < guessSize {
		k := len(g.pending)
		g.pending = append(g.pending, make([]byte, 64<<10)...)
		var m int
		m, err = g.r.Read(g.pending[k:])
		g.pending = g.pending[:k+m]
	}
	g.decided = guessEncoding(g.pending)
	rest := []io.Reader{bytes.NewReader(g.pending)}
	if err == nil {
		rest = append(rest, g.r)
	} else if err != io.EOF {
		rest = append(rest, failing{err})
	}
	g.out = io.MultiReader(rest...)
	if g.decided != encoding.Nop {
		g.out = transform.NewReader(g.out, g.decided.NewDecoder())
	}
	return ascii, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func asciiPrefix(p []byte) int {
	for i, c := range p {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return len(p)
}

// guessEncoding returns encoding.Nop for UTF-8.
func guessEncoding(p []byte) encoding.Encoding {
	valid, invalid, c1, letters := 0, 0, false, false
	for i := 0; i < len(p); {
		r, n := utf8.DecodeRune(p[i:])
		switch {
		case r < utf8.RuneSelf:
		case r != utf8.RuneError || n > 1:
			valid++
		case !utf8.FullRune(p[i:]): // cut off by the end of what was looked at
		default:
			invalid++
		}
		switch c := p[i]; c {
		case 0xa6, 0xa8, 0xb8: // Š, š, ž in ISO-8859-15; ¦, ¨, ¸ otherwise
			letters = letters || i > 0 && isLetter(p[i-1]) || i+1 < len(p) && isLetter(p[i+1])
		default:
			c1 = c1 || c >= 0x80 && c < 0xa0
		}
		i += n
	}
	switch {
	case invalid <= valid:
		return encoding.Nop
	case letters && !c1:
		return charmap.ISO8859_15
	}
	return charmap.Windows1252
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// textBlocks hands out text in blocks that end with whole rows, as far as rows
// are shorter than limit.
type textBlocks struct {
	r     io.Reader
	limit int
	data  []byte // read, not yet used
	eof   bool
	err   error
}

// fill reads until data has at least n bytes or the text ends.
func (b *textBlocks) fill(n int) error {
	for len(b.data) < n && !b.eof && b.err == nil {
		if cap(b.data)-len(b.data) < 32<<10 {
			grown := make([]byte, len(b.data), max(2*cap(b.data), 64<<10))
			copy(grown, b.data)
			b.data = grown
		}
		k, err := b.r.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+k]
		if err == io.EOF {
			b.eof = true
		} else {
			b.err = err
		}
	}
	return b.err
}

// skipLine drops the rest of a line that is longer than limit.
func (b *textBlocks) skipLine() error {
	for {
		if i := bytes.IndexByte(b.data, '\n'); i >= 0 {
			b.data = b.data[i+1:]
			return nil
		}
		b.data = b.data[:0]
		if b.eof {
			return nil
		}
		if err := b.fill(64 << 10); err != nil {
			return err
		}
	}
}
