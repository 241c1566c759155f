package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// line is a connection that is kept alive: HTTP/1.1 (RFC 9112) as far as the
// server speaks it, one request after the other. It dials when it is first used
// and after a failure.
type line struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
	body    []byte
}

// answerTimeout is how long an answer may take before the request counts as
// failed: longer than the server lets any take.
const answerTimeout = 30 * time.Second

// do sends a request and reads the answer, whose body is good until the next
// one.
func (l *line) do(request []byte) (status int, body []byte, err error) {
	if l.conn == nil {
		if l.conn, err = net.DialTimeout("tcp", l.address, answerTimeout); err != nil {
			return 0, nil, err
		}
		l.in = bufio.NewReaderSize(l.conn, 32<<10)
	}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if err = l.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return 0, nil, err
	}
	if _, err = l.conn.Write(request); err != nil {
		return 0, nil, err
	}
	status, length, last, err := l.head()
	if err != nil {
		return 0, nil, err
	}
	l.body = l.body[:0]
	switch {
	case length == chunked:
		err = l.chunks()
	case length < 0 && status != 204 && status != 304:
		err = errors.New("the answer has no length")
	case length > 0:
		err = l.read(length)
	}
	if err != nil {
		return 0, nil, err
	}
	if last {
		l.close()
	}
	return status, l.body, nil
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close() // nothing is lost that was not already
		l.conn = nil
	}
}

// chunked is the length of a body that comes in chunks.
const chunked = -2

// head reads the status and the headers: the length of the body, and whether
// the connection ends behind it.
func (l *line) head() (status, length int, last bool, err error) {
	text, err := l.in.ReadSlice('\n')
	if err != nil {
		return 0, 0, false, err
	}
	if len(text) < len("HTTP/1.1 200\r\n") || !bytes.HasPrefix(text, []byte("HTTP/1.1 ")) {
		return 0, 0, false, fmt.Errorf("no answer of HTTP/1.1: %q", text)
	}
	if status, err = strconv.Atoi(string(text[9:12])); err != nil {
		return 0, 0, false, fmt.Errorf("no status: %q", text)
	}
	length = -1
	for {
		if text, err = l.in.ReadSlice('\n'); err != nil {
			return 0, 0, false, err
		}
		if text = bytes.TrimRight(text, "\r\n"); len(text) == 0 {
			return status, length, last, nil
		}
		name, value, _ := bytes.Cut(text, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, 0, false, fmt.Errorf("no length: %q", text)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = chunked
		case bytes.EqualFold(name, []byte("Connection")):
			last = bytes.EqualFold(value, []byte("close"))
		}
	}
}

// read appends so many bytes to the body.
func (l *line) read(n int) error {
	have := len(l.body)
	if need := have + n; cap(l.body) < need {
		l.body = append(make([]byte, 0, 2*need), l.body...)
	}
	l.body = l.body[:have+n]
	_, err := io.ReadFull(l.in, l.body[have:])
	return err
}

// chunks reads a body in chunks.
func (l *line) chunks() error {
	for {
		text, err := l.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(bytes.TrimRight(text, "\r\n")), 16, 31)
		if err != nil {
			return fmt.Errorf("no size of a chunk: %q", text)
		}
		if err := l.read(int(n)); err != nil {
			return err
		}
		if _, err := l.in.Discard(len("\r\n")); err != nil || n == 0 {
			return err
		}
	}
}

// call is a request.
type call struct {
	method, path string
	as           string // client
	purpose      string // "" names none
	key          string // idempotency key, "" for none
	body         any    // nil for none
}

// render writes a request as it goes over the line. Bodies are maps and slices of
// ours, which can always be written.
func (p *place) render(c call) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n", c.method, c.path, p.secrets[c.as])
	if c.purpose != "" {
		fmt.Fprintf(&b, "Sama-Purpose: %s\r\n", c.purpose)
	}
	if c.key != "" {
		fmt.Fprintf(&b, "Idempotency-Key: %s\r\n", c.key)
	}
	if c.body == nil {
		b.WriteString("\r\n")
		return b.Bytes()
	}
	text, err := json.Marshal(c.body)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	return b.Bytes()
}

// ask sends a request on a line, expects 200 and decodes the answer.
func (p *place) ask(l *line, c call, answer any) error {
	status, body, err := l.do(p.render(c))
	if err != nil {
		return err
	}
	if status != 200 {
		return &statusError{c, status, strings.TrimSpace(string(body))}
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%s %s: %w: %s", c.method, c.path, err, body)
	}
	return nil
}

// statusError is an answer that is not the one expected.
type statusError struct {
	call   call
	status int
	body   string
}

// Error tells the request and the answer.
func (e *statusError) Error() string {
	body, err := json.Marshal(e.call.body)
	if err != nil || e.call.body == nil {
		body = nil
	}
	return fmt.Sprintf("%s %s as %s for %q %s: answered %d %s", e.call.method, e.call.path, e.call.as, e.call.purpose, body, e.status, e.body)
}
