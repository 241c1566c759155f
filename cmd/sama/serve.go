package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"sama/cmd/sama/internal/config"
	"sama/graph"
	"sama/ingest"
	"sama/run"
	"sama/serve"
	"sama/serve/online"
	"sama/serve/store"

	"github.com/spf13/cobra"
)

// serving is one call of sama serve.
type serving struct {
	*cli
	options
	listen          string
	cert, key       string
	rate            float64
	log             string
	privateWebhooks bool
}

func (c *cli) serveCommand() *cobra.Command {
	s := &serving{cli: c}
	cmd := &cobra.Command{
		Use:   "serve --out DIR",
		Short: "Serve the current run: profiles, search, changes, consents",
		Long: `Serves the current run of an output directory over HTTP, and takes records, consents and erasures
that come between the runs. When sama resolve publishes another run, it is served within a second
and no request is dropped; one that is broken is said, and the run before stays.

The API is described at /docs, and for programs at /openapi.yaml. Every client has a secret: make one
with sama client add, and a purpose to ask for with sama purpose add.

What comes between the runs is kept in state.db in the output directory, its secret keys in state.keys
there; --state names another file, or a PostgreSQL database by postgres://user@host/database. Back up
both. Interrupted, the server finishes what is under way and ends.`,
		Example: `  sama serve --out customers
  sama serve --out customers --listen :8443 --tls-cert cert.pem --tls-key key.pem`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.serve(cmd.Context()) },
	}
	s.options.flags(cmd, "out", "state")
	f := cmd.Flags()
	f.StringVarP(&s.listen, "listen", "l", "", "`address` to listen at (default: 127.0.0.1:8080, with a certificate 127.0.0.1:8443)")
	f.StringVar(&s.cert, "tls-cert", "", "`file` of the certificate, PEM")
	f.StringVar(&s.key, "tls-key", "", "`file` of the certificate's key, PEM")
	f.Float64Var(&s.rate, "rate", 1000, "`number` of requests a second that one client may make; 0 is no limit")
	f.StringVar(&s.log, "log", "info", "`level` from which on is logged, as JSON on stderr: debug, info, warn or error; requests are info")
	f.BoolVar(&s.privateWebhooks, "private-webhooks", false, "let webhooks go to addresses that are not public")
	return cmd
}

// A server holds little and allocates much: it collects garbage when there is
// three times what is held, more often only beyond gcMemory.
const (
	gcPercent = 300
	gcMemory  = 2 << 30
)

func (s *serving) serve(ctx context.Context) error {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(gcMemory))
	logger, tls, err := s.check()
	if err != nil {
		return err
	}
	if _, err := run.Open(s.out); err != nil {
		if errors.Is(err, run.ErrNoRun) {
			return usagef("--out %s: %w", s.out, err)
		}
		return err
	}
	keys, err := s.openKeys()
	if err != nil {
		return err
	}
	state, err := store.Open(ctx, s.stateLocation(), store.Options{Now: s.now, Keys: keys})
	if err != nil {
		return err
	}
	defer state.Close()
	decided, err := serve.NewDecided(ctx, state)
	if err != nil {
		return err
	}
	history := &serve.History{Dir: s.out}
	defer history.Close()
	live := &serve.Live[serve.Engine]{
		Current: func() string { return run.CurrentID(s.out) },
		Open:    func(ctx context.Context, id string) (serve.Engine, error) { return s.open(ctx, id, state, decided) },
		Log:     logger,
	}
	defer live.Close()
	rate := s.rate
	if rate == 0 {
		rate = -1
	}
	server, err := serve.New(serve.Options{
		Run: live, Store: state, Keys: keys, Decided: decided, Past: history.Changes, Log: logger, Now: s.now, Rate: rate,
		Webhooks: serve.WebhookOptions{Private: s.privateWebhooks},
	})
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", s.listen, err)
	}
	if err := s.say(ctx, l, tls, live, state); err != nil {
		return errors.Join(err, l.Close())
	}
	return server.Serve(ctx, l, tls)
}

// check returns everything that is wrong with the flags, or what they say.
func (s *serving) check() (*slog.Logger, *serve.TLSFiles, error) {
	var errs []error
	if s.out == "" {
		errs = append(errs, errors.New("no output directory; name one with --out DIR"))
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.log)); err != nil {
		errs = append(errs, fmt.Errorf("--log %s: want debug, info, warn or error", s.log))
	}
	if s.rate < 0 {
		errs = append(errs, fmt.Errorf("--rate %v: want a number of requests a second, or 0", s.rate))
	}
	var tls *serve.TLSFiles
	switch {
	case (s.cert == "") != (s.key == ""):
		errs = append(errs, errors.New("--tls-cert and --tls-key go together"))
	case s.cert != "":
		tls = &serve.TLSFiles{Cert: s.cert, Key: s.key}
	}
	if s.listen == "" {
		s.listen = "127.0.0.1:8080"
		if tls != nil {
			s.listen = "127.0.0.1:8443"
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, &usageError{err}
	}
	return slog.New(slog.NewJSONHandler(s.stderr, &slog.HandlerOptions{Level: level})), tls, nil
}

// openKeys opens the file of secret keys, making it where there is none.
func (s *serving) openKeys() (*store.Keys, error) {
	name := filepath.Join(s.out, keysName)
	keys, err := store.LoadKeys(name)
	if errors.Is(err, fs.ErrNotExist) {
		keys, err = store.CreateKeys(name, rand.Reader)
	}
	return keys, err
}

// open opens a run with everything that serving it needs, and verifies it.
func (s *serving) open(ctx context.Context, id string, state *store.Store, decided *serve.Decided) (_ serve.Engine, err error) {
	r, err := run.Open(filepath.Join(s.out, "runs", id))
	if err != nil {
		return nil, err
	}
	if err := state.Reach(ctx, r.Info.Online.UpTo, r.Info.Online.Erasure); err != nil {
		return nil, err
	}
	x, err := r.Index()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, x.Close())
		}
	}()
	e, err := openEngine(r, x)
	if err != nil {
		return nil, err
	}
	known, err := knownColumns(r)
	if err != nil {
		return nil, err
	}
	service := online.NewService(e, graph.Issuer{Run: r.Info.Number, Seed: idSeed}, decided)
	var first [8]byte
	if _, err := rand.Read(first[:]); err != nil {
		return nil, err
	}
	service.First = binary.LittleEndian.Uint64(first[:])
	return serve.NewRunning(serve.RunParts{Run: r, Index: x, Service: service, Store: state, Known: known}), nil
}

// knownColumns returns which columns the mapping of a source knows; of a
// partial record, those named by field.
func knownColumns(r *run.Run) (func(source string) []string, error) {
	name := r.File("sama.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	conf, err := config.Parse(name, text)
	if err != nil {
		return nil, err
	}
	var roles []string
	for _, role := range ingest.Roles() {
		if role != ingest.RoleIgnore && role != ingest.RoleKey && role != ingest.Role("consent") {
			roles = append(roles, string(role))
		}
	}
	bySource := make(map[string][]string)
	for _, m := range conf.Sources {
		for _, c := range m.Columns {
			if c.Column != m.Key {
				bySource[m.Source] = append(bySource[m.Source], c.Column)
			}
		}
	}
	return func(source string) []string {
		if names, ok := bySource[source]; ok {
			return names
		}
		return roles
	}, nil
}

// say prints where the server is and how to begin.
func (s *serving) say(ctx context.Context, l net.Listener, tls *serve.TLSFiles, live *serve.Live[serve.Engine], state *store.Store) error {
	scheme := "http"
	if tls != nil {
		scheme = "https"
	}
	e, release, err := live.Acquire()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "Serving run %s at %s://%s\n", e.RunID(), scheme, l.Addr())
	release()
	fmt.Fprintf(s.stdout, "  the API       %s://%s/docs\n", scheme, l.Addr())
	if state.Created() {
		fmt.Fprintf(s.stdout, "  the state     %s was made; back it up, with %s\n", state.Location(), filepath.Join(s.out, keysName))
	}
	purposes, err := state.Purposes(ctx)
	if err != nil {
		return err
	}
	if len(purposes) == 0 {
		fmt.Fprintf(s.stdout, "  a purpose     sama purpose add service --title 'Customer service' --controller us --basis contract --fields '*' --text-version 1 --out %s\n", s.out)
	}
	clients, err := state.Clients(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(clients, func(c store.Client) bool { return c.Revoked.IsZero() }) {
		fmt.Fprintf(s.stdout, "  a client      sama client add shop --roles read,search --purposes service --fields '*' --out %s\n", s.out)
	}
	if host, _, err := net.SplitHostPort(l.Addr().String()); err == nil && tls == nil && !net.ParseIP(host).IsLoopback() {
		fmt.Fprintln(s.stderr, "sama: note: without TLS the secrets of clients and the data of persons can be read on the way; use --tls-cert and --tls-key, or a proxy that does")
	}
	return nil
}
