package ingest

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonType is the type of a scalar.
type jsonType uint8

const (
	jsonNull jsonType = iota
	jsonText
	jsonInteger
	jsonFloat
	jsonBool
)

// jsonParser reads one line of JSON, RFC 8259. It is strict but for control
// characters and bytes that are not UTF-8 in strings, which are passed on as
// they are.
type jsonParser struct {
	line []byte
	pos  int
	text []byte   // of the line's strings that have escapes
	kind jsonType // of the last scalar
}

func (p *jsonParser) reset(line []byte) {
	p.line, p.pos, p.text = line, 0, p.text[:0]
}

func (p *jsonParser) space() {
	for p.pos < len(p.line) {
		switch p.line[p.pos] {
		case ' ', '\t', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not space, 0 at the end.
func (p *jsonParser) peek() byte {
	p.space()
	if p.pos < len(p.line) {
		return p.line[p.pos]
	}
	return 0
}

func (p *jsonParser) expect(c byte) error {
	if p.peek() != c {
		return p.fail(fmt.Sprintf("%q is missing", c))
	}
	p.pos++
	return nil
}

func (p *jsonParser) fail(what string) error {
	return fmt.Errorf("not valid JSON at byte %d: %s", p.pos+1, what)
}

// end checks that nothing follows.
func (p *jsonParser) end() error {
	if p.peek() != 0 || p.pos < len(p.line) {
		return p.fail("text after the end of the object")
	}
	return nil
}

// key reads the next name of an object and its colon; more is false at the
// object's end, which it consumes.
func (p *jsonParser) key(first bool) (name []byte, more bool, err error) {
	if p.peek() == '}' {
		p.pos++
		return nil, false, nil
	}
	if !first {
		if err := p.expect(','); err != nil {
			return nil, false, err
		}
	}
	if p.peek() != '"' {
		return nil, false, p.fail("a name in quotes is missing")
	}
	name, err = p.string()
	if err != nil {
		return nil, false, err
	}
	return name, true, p.expect(':')
}

// item goes to the next item of an array; more is false at its end, which it
// consumes.
func (p *jsonParser) item(first bool) (more bool, err error) {
	if p.peek() == ']' {
		p.pos++
		return false, nil
	}
	if first {
		return true, nil
	}
	return true, p.expect(',')
}

// scalar reads a string, number, true, false or null.
func (p *jsonParser) scalar() ([]byte, error) {
	switch c := p.peek(); {
	case c == '"':
		p.kind = jsonText
		return p.string()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return p.literal("true", jsonBool)
	case c == 'f':
		return p.literal("false", jsonBool)
	case c == 'n':
		_, err := p.literal("null", jsonNull)
		return nil, err
	}
	return nil, p.fail("a value is missing")
}

func (p *jsonParser) literal(word string, kind jsonType) ([]byte, error) {
	end := p.pos + len(word)
	if end > len(p.line) || string(p.line[p.pos:end]) != word {
		return nil, p.fail("a value is missing")
	}
	text := p.line[p.pos:end]
	p.pos, p.kind = end, kind
	return text, nil
}

func (p *jsonParser) number() ([]byte, error) {
	start := p.pos
	p.kind = jsonInteger
	if p.line[p.pos] == '-' {
		p.pos++
	}
	leadingZero := p.pos < len(p.line) && p.line[p.pos] == '0'
	n := p.digits()
	if n == 0 || leadingZero && n > 1 {
		return nil, p.fail("a number is malformed")
	}
	if p.pos < len(p.line) && p.line[p.pos] == '.' {
		p.kind = jsonFloat
		p.pos++
		if p.digits() == 0 {
			return nil, p.fail("a number is malformed")
		}
	}
	if p.pos < len(p.line) && p.line[p.pos]|0x20 == 'e' {
		p.kind = jsonFloat
		p.pos++
		if p.pos < len(p.line) && (p.line[p.pos] == '+' || p.line[p.pos] == '-') {
			p.pos++
		}
		if p.digits() == 0 {
			return nil, p.fail("a number is malformed")
		}
	}
	return p.line[start:p.pos], nil
}

func (p *jsonParser) digits() (n int) {
	for p.pos < len(p.line) && p.line[p.pos] >= '0' && p.line[p.pos] <= '9' {
		p.pos++
		n++
	}
	return n
}

// string reads the string that begins here. The result lies in the line, or in
// p.text where the string has escapes.
func (p *jsonParser) string() ([]byte, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.line) {
		switch c := p.line[p.pos]; {
		case c == '"':
			p.pos++
			return p.line[start : p.pos-1], nil
		case c == '\\':
			return p.escaped(start)
		}
		p.pos++
	}
	return nil, p.fail("a string is not closed")
}

// escaped reads on where a string has its first escape.
func (p *jsonParser) escaped(start int) ([]byte, error) {
	from := len(p.text)
	p.text = append(p.text, p.line[start:p.pos]...)
	for p.pos < len(p.line) {
		c := p.line[p.pos]
		p.pos++
		switch {
		case c == '"':
			return p.text[from:len(p.text):len(p.text)], nil
		case c == '\\':
			if err := p.escape(); err != nil {
				return nil, err
			}
		default:
			p.text = append(p.text, c)
		}
	}
	return nil, p.fail("a string is not closed")
}

// escape reads what follows a backslash.
func (p *jsonParser) escape() error {
	if p.pos == len(p.line) {
		return p.fail("a string is not closed")
	}
	c := p.line[p.pos]
	p.pos++
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, ok := p.hex4()
		if !ok {
			return p.fail(`\u needs four hexadecimal digits`)
		}
		if utf16.IsSurrogate(r) {
			r = p.pair(r)
		}
		p.text = utf8.AppendRune(p.text, r)
		return nil
	default:
		return p.fail("an unknown escape")
	}
	p.text = append(p.text, c)
	return nil
}

// pair reads the second half of a surrogate pair, if it is there.
func (p *jsonParser) pair(high rune) rune {
	at := p.pos
	if at+1 < len(p.line) && p.line[at] == '\\' && p.line[at+1] == 'u' {
		p.pos += 2
		if low, ok := p.hex4(); ok {
			if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
				return r
			}
		}
	}
	p.pos = at
	return utf8.RuneError
}

func (p *jsonParser) hex4() (r rune, ok bool) {
	if len(p.line)-p.pos < 4 {
		return 0, false
	}
	for _, c := range p.line[p.pos : p.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	p.pos += 4
	return r, true
}

// skip passes over any value.
func (p *jsonParser) skip(depth int) error {
	if depth > maxThriftDepth {
		return p.fail("nested too deep")
	}
	switch p.peek() {
	case '{':
		p.pos++
		for first := true; ; first = false {
			if _, more, err := p.key(first); err != nil || !more {
				return err
			}
			if err := p.skip(depth + 1); err != nil {
				return err
			}
		}
	case '[':
		p.pos++
		for first := true; ; first = false {
			if more, err := p.item(first); err != nil || !more {
				return err
			}
			if err := p.skip(depth + 1); err != nil {
				return err
			}
		}
	}
	_, err := p.scalar()
	return err
}
