package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sama/benchmarks/measure"
	"sama/run"
)

// base is the run that all parts begin with, and where its records are.
type base struct {
	out     string
	run     *run.Run
	members *run.Members
	took    time.Duration
}

// prepare generates the silos and resolves them.
func (b *bench) prepare(ctx context.Context) (err error) {
	b.note("generating %d records", b.records)
	if b.silos, err = makeSilos(ctx, b.records, b.seed, filepath.Join(b.dir, "silos")); err != nil {
		return err
	}
	b.note("resolving them")
	b.base = &base{out: filepath.Join(b.dir, "base")}
	begin := time.Now()
	if _, err := b.sama(ctx, append([]string{"resolve", "--quiet", "--out", b.base.out}, b.silos.files...)...); err != nil {
		return err
	}
	b.base.took = time.Since(begin)
	if b.base.run, err = run.Open(b.base.out); err != nil {
		return err
	}
	b.base.members, err = b.base.run.Members()
	return err
}

// sama runs a command of sama to its end and returns what it printed.
func (b *bench) sama(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, b.program, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	text, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("sama %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(text), nil
}

// place is an output directory with a state and clients, to be served.
type place struct {
	*bench
	out     string
	state   []string          // flags that say where the state is
	secrets map[string]string // client → its secret
	dump    func(ctx context.Context) ([]byte, error)
	drop    func() error
}

// The clients and purposes of a place.
const (
	shop  = "shop"  // reads for the newsletter, some fields
	desk  = "desk"  // reads for the service, all fields
	owner = "owner" // may everything

	newsletter = "newsletter" // stands on consent
	service    = "service"    // stands on a contract
)

// newPlace makes a copy of the base run's directory with a new state.
func (b *bench) newPlace(ctx context.Context, name string, server *database) (*place, error) {
	p := &place{bench: b, out: filepath.Join(b.dir, name), secrets: make(map[string]string), drop: func() error { return nil }}
	if err := measure.CopyOutput(b.base.out, p.out); err != nil {
		return nil, err
	}
	if server != nil {
		location, drop, err := server.newSchema(ctx)
		if err != nil {
			return nil, err
		}
		p.state, p.drop = []string{"--state", location}, drop
		p.dump = func(ctx context.Context) ([]byte, error) { return server.dump(ctx, location) }
	}
	commands := [][]string{
		{"purpose", "add", newsletter, "--title", "Newsletter", "--controller", "us", "--basis", "consent", "--channels", "email", "--fields", "given_name,family_name,email,city,postal_code,phone", "--text-version", "1", "--direct-marketing"},
		{"purpose", "add", service, "--title", "Customer service", "--controller", "us", "--basis", "contract", "--fields", "*", "--text-version", "1"},
		{"client", "add", shop, "--roles", "read,search", "--purposes", newsletter, "--fields", "given_name,family_name,email,city", "--json"},
		{"client", "add", desk, "--roles", "read,search", "--purposes", service, "--fields", "*", "--json"},
		{"client", "add", owner, "--roles", "read,search,write_records,consents,steward,admin", "--purposes", newsletter + "," + service, "--fields", "*", "--json"},
	}
	for _, c := range commands {
		text, err := b.sama(ctx, append(append(c, "--out", p.out), p.state...)...)
		if err != nil {
			return nil, err
		}
		if c[0] == "client" {
			var made struct{ Secret string }
			if err := json.Unmarshal([]byte(text), &made); err != nil {
				return nil, err
			}
			p.secrets[c[2]] = made.Secret
		}
	}
	return p, nil
}

// remove removes the place, unless it is to be kept.
func (p *place) remove() error {
	if p.keep != "" {
		return nil
	}
	return errors.Join(p.drop(), os.RemoveAll(p.out))
}

// night runs sama resolve on the place.
func (p *place) night(ctx context.Context, files []string) (*run.Run, error) {
	if _, err := p.sama(ctx, append(append([]string{"resolve", "--quiet", "--out", p.out}, p.state...), files...)...); err != nil {
		return nil, err
	}
	return run.Open(p.out)
}
