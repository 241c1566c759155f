package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// server is a sama serve that runs.
type server struct {
	address string
	began   time.Time
	cmd     *exec.Cmd
	log     string        // file of its log
	from    int64         // where its part of the log begins
	asked   bool          // it was told to end
	ended   chan struct{} // closed when it has
	err     error         // how it ended, once it has
}

// serveLine is the command line of a server on a free port.
func (p *place) serveLine() []string {
	return append([]string{p.program, "serve", "--out", p.out, "--listen", "127.0.0.1:0", "--rate", "0"}, p.state...)
}

var servedAt = regexp.MustCompile(`http://(\S+)`)

// serve starts a server and returns once it listens. Its log goes on in one file
// for the place.
func (p *place) serve(ctx context.Context) (*server, error) {
	s, out, err := p.launch(ctx)
	if err != nil {
		return nil, err
	}
	text, err := bufio.NewReader(out).ReadString('\n')
	go func() {
		// It says more than its first line, and must not wait for a reader.
		_, _ = io.Copy(io.Discard, out)
	}()
	at := servedAt.FindStringSubmatch(text)
	if at == nil {
		s.kill()
		return nil, fmt.Errorf("sama serve did not start (%w): %s%s", errors.Join(err, s.err), text, s.last())
	}
	s.address = at[1]
	return s, nil
}

// launch starts the process.
func (p *place) launch(ctx context.Context) (*server, io.ReadCloser, error) {
	args := p.serveLine()
	s := &server{cmd: exec.CommandContext(ctx, args[0], args[1:]...), log: p.out + ".log", ended: make(chan struct{})}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close() // the server has its own
	if s.from, err = log.Seek(0, io.SeekEnd); err != nil {
		return nil, nil, err
	}
	s.cmd.Stderr = log
	out, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	s.cmd.Stdout = w
	s.began = time.Now()
	err = s.cmd.Start()
	w.Close()
	if err != nil {
		return nil, nil, err
	}
	p.servers = append(p.servers, s)
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	return s, out, nil
}

// last returns what is worth reading of the log: from where Go says what it died
// of, or the last lines.
func (s *server) last() string {
	log, err := os.ReadFile(s.log)
	if err != nil || int64(len(log)) < s.from {
		return ""
	}
	log = log[s.from:]
	for _, mark := range []string{"unexpected fault address", "fatal error: ", "panic: "} {
		if at := bytes.Index(log, []byte(mark)); at >= 0 {
			lines := strings.Split(string(log[at:]), "\n")
			return strings.Join(lines[:min(len(lines), 30)], "\n")
		}
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "\n")
}

// endedBadly says why a server ended that nobody told to, nil if it did not.
func (s *server) endedBadly() error {
	select {
	case <-s.ended:
		if !s.asked {
			return fmt.Errorf("sama serve ended by itself: %w\n%s", s.err, s.last())
		}
	default:
	}
	return nil
}

// kill ends it as a failure of power would end the process.
func (s *server) kill() {
	s.asked = true
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
}

// stop ends it as an operator does; it must end with 0.
func (s *server) stop() error {
	if err := s.endedBadly(); err != nil {
		return err
	}
	s.asked = true
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.kill()
		return fmt.Errorf("sama serve had ended before: %w", errors.Join(s.err, err))
	}
	<-s.ended
	if s.err != nil {
		return fmt.Errorf("sama serve ended badly: %w: %s", s.err, s.last())
	}
	return nil
}

// memory is what a process holds, in MiB: all that is resident, and of that what
// is no page of a file.
type memory struct{ resident, anonymous float64 }

// memory reads what Linux says of the process; elsewhere it is 0.
func (s *server) memory() memory {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return memory{}
	}
	var m memory
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(f[1], 64) // 0 if it is no number
		switch f[0] {
		case "VmRSS:":
			m.resident = kib / 1024
		case "RssAnon:":
			m.anonymous = kib / 1024
		}
	}
	return m
}
