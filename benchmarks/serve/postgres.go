package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// database is a PostgreSQL in which each place has a schema of its own.
type database struct {
	url      string
	programs string // folder of psql and its like, "" for PATH
	schemas  int
	stop     func()
}

// openDatabase takes the database of a URL, or starts Debian's for "start".
func openDatabase(ctx context.Context, location string) (*database, error) {
	d := &database{url: location, stop: func() {}}
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
		slices.Sort(found)
		d.programs = filepath.Dir(found[len(found)-1])
	}
	if location != "start" {
		return d, nil
	}
	return d, d.start(ctx)
}

// start makes a database cluster in a folder of its own and serves it on a Unix
// socket. It waits for the disk, as one that is in use does.
func (d *database) start(ctx context.Context) (err error) {
	if d.programs == "" {
		return errors.New("-postgres start: PostgreSQL is not installed (no initdb in /usr/lib/postgresql)")
	}
	folder, err := os.MkdirTemp("", "sama-pg")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	own := otherUser(folder)
	data := filepath.Join(folder, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(d.programs, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
	own(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	c := exec.Command(filepath.Join(d.programs, "postgres"), "-D", data, "-k", folder, "-h", "", "-c", "max_connections=200")
	own(c)
	log, w, err := os.Pipe()
	if err != nil {
		return err
	}
	c.Stderr = w
	err = c.Start()
	w.Close()
	if err != nil {
		return err
	}
	d.url = "postgres://postgres@/postgres?" + url.Values{"host": {folder}}.Encode()
	d.stop = func() {
		_ = c.Process.Signal(os.Interrupt) // it may have ended
		_ = c.Wait()
		_ = os.RemoveAll(folder)
	}
	var said []string
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "ready to accept connections") {
			go func() {
				for lines.Scan() { // it must not wait for its log to be read
				}
			}()
			return nil
		}
		said = append(said, lines.Text())
	}
	_ = c.Wait()
	return fmt.Errorf("postgres ended: %s", strings.Join(said, "\n"))
}

func (d *database) close() { d.stop() }

// newSchema makes a schema, and returns the URL of a state in it and what drops
// it.
func (d *database) newSchema(ctx context.Context) (location string, drop func() error, err error) {
	d.schemas++
	schema := fmt.Sprintf("sama_bench_%d_%d", os.Getpid(), d.schemas)
	if _, err := d.program(ctx, "psql", d.url, "-q", "-c", "CREATE SCHEMA "+schema); err != nil {
		return "", nil, err
	}
	u, err := url.Parse(d.url)
	if err != nil {
		return "", nil, err
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), func() error {
		// The benchmark may have been interrupted, and the schema goes all the same.
		_, err := d.program(context.WithoutCancel(ctx), "psql", d.url, "-q", "-c", "SET client_min_messages = warning; DROP SCHEMA "+schema+" CASCADE")
		return err
	}, nil
}

// dump returns all rows of a state as text, and behind it the bytes that it has
// in hexadecimal digits.
func (d *database) dump(ctx context.Context, location string) ([]byte, error) {
	u, err := url.Parse(location)
	if err != nil {
		return nil, err
	}
	text, err := d.program(ctx, "pg_dump", d.url, "--schema", u.Query().Get("search_path"))
	for _, digits := range hexadecimal.FindAllSubmatch(text, -1) {
		// An odd one at the end is none of PostgreSQL's.
		n, _ := hex.Decode(digits[1], digits[1])
		text = append(append(text, '\n'), digits[1][:n]...)
	}
	return text, err
}

// hexadecimal is how pg_dump writes bytes.
var hexadecimal = regexp.MustCompile(`\\\\x([0-9a-f]+)`)

// program runs a program of PostgreSQL.
func (d *database) program(ctx context.Context, name string, args ...string) ([]byte, error) {
	if d.programs != "" {
		name = filepath.Join(d.programs, name)
	}
	c := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return text, nil
}
