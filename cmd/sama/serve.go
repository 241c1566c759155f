package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
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
	"strconv"

	"sama/cmd/sama/internal/config"
	"sama/graph"
	"sama/ingest"
	"sama/record"
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
	f.Float64Var(&s.rate, "rate", 1000, "`number` of requests a second that one client may make; twice as many, at least 100, may come at once; 0 is no limit")
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
	logger, files, err := s.check()
	if err != nil {
		return err
	}
	if _, err := run.Open(s.out); err != nil {
		if errors.Is(err, run.ErrNoRun) {
			return usagef("--out %s: %w", s.out, err)
		}
		return err
	}
	l, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", s.listen, err)
	}
	defer l.Close()
	state, keys, err := s.openState(ctx)
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
	if err := s.say(ctx, l, files, live, state); err != nil {
		return err
	}
	return server.Serve(ctx, l, files)
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
	var files *serve.TLSFiles
	switch {
	case (s.cert == "") != (s.key == ""):
		errs = append(errs, errors.New("--tls-cert and --tls-key go together"))
	case s.cert != "":
		files = &serve.TLSFiles{Cert: s.cert, Key: s.key}
		errs = append(errs, s.checkPair())
	}
	if s.listen == "" {
		s.listen = "127.0.0.1:8080"
		if files != nil {
			s.listen = "127.0.0.1:8443"
		}
	}
	if _, err := net.ResolveTCPAddr("tcp", s.listen); err != nil {
		errs = append(errs, fmt.Errorf("--listen %s: %w; want HOST:PORT, such as 127.0.0.1:8080, or :8080 for every address", s.listen, err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, &usageError{err}
	}
	return slog.New(slog.NewJSONHandler(s.stderr, &slog.HandlerOptions{Level: level})), files, nil
}

// checkPair says what is wrong with the certificate and its key.
func (s *serving) checkPair() error {
	cert, err := os.ReadFile(s.cert)
	if err != nil {
		err = fmt.Errorf("--tls-cert %s: %w", s.cert, cause(err))
	}
	key, err2 := os.ReadFile(s.key)
	if err2 != nil {
		err2 = fmt.Errorf("--tls-key %s: %w", s.key, cause(err2))
	}
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return fmt.Errorf("--tls-cert %s --tls-key %s: %w; want a certificate and its key, each as PEM", s.cert, s.key, err)
	}
	return nil
}

// openState opens the state with its keys. Each is made where there is none, but
// for keys that the state needs already.
func (s *serving) openState(ctx context.Context) (*store.Store, *store.Keys, error) {
	if err := s.lostKeys(ctx); err != nil {
		return nil, nil, err
	}
	keys, err := s.openKeys()
	if err != nil {
		return nil, nil, err
	}
	state, err := store.Open(ctx, s.stateLocation(), store.Options{Now: s.now, Keys: keys})
	return state, keys, err
}

// lostKeys returns an error where the key file is missing and the state needs it.
func (s *serving) lostKeys(ctx context.Context) error {
	name := filepath.Join(s.out, keysName)
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return nil // what is wrong with one that is there is for [store.LoadKeys] to say
	}
	state, err := store.OpenExisting(ctx, s.stateLocation(), store.Options{Now: s.now})
	if errors.Is(err, store.ErrNoState) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(needsNoKeys(ctx, state, name), state.Close())
}

// needsNoKeys returns an error where a state needs keys, whose file is missing.
func needsNoKeys(ctx context.Context, state *store.Store, name string) error {
	versions, err := state.KeysInUse(ctx)
	if err != nil || len(versions) == 0 {
		return err
	}
	var list []string
	for _, v := range versions {
		list = append(list, strconv.FormatInt(v, 10))
	}
	return fmt.Errorf("the key file %s is missing, and the state %s needs %s of it: by them those who were erased are kept out, and what contact points have refused is known; put the file back from the backup. A new one cannot take its place, and none was made",
		name, state.Location(), map[bool]string{true: "key ", false: "keys "}[len(list) == 1]+joinComma(list))
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

// knownColumns returns which columns the mapping of a source knows; of a partial
// record, and of a source that the run does not know, those named by field of which
// the run has a column: others it could neither compare nor show.
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
		if field, ok := role.Field(); ok && !hasField(r, field) || role == ingest.RoleIgnore || role == ingest.RoleKey {
			continue
		}
		roles = append(roles, string(role))
	}
	bySource := make(map[string][]string)
	for _, m := range withFiles(r, conf.Sources) {
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

// hasField reports whether a run has a column of a field, or takes a record's time
// from it.
func hasField(r *run.Run, f record.Field) bool {
	switch f {
	case record.CreatedAt, record.UpdatedAt:
		return true
	case record.Consent:
		return false // its columns are named by purpose
	}
	return slices.ContainsFunc(r.Info.Columns, func(c run.Column) bool { return c.Field == f })
}

// say prints where the server is and how to begin.
func (s *serving) say(ctx context.Context, l net.Listener, files *serve.TLSFiles, live *serve.Live[serve.Engine], state *store.Store) error {
	scheme := "http"
	if files != nil {
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
	if host, _, err := net.SplitHostPort(l.Addr().String()); err == nil && files == nil && !net.ParseIP(host).IsLoopback() {
		fmt.Fprintln(s.stderr, "sama: note: without TLS the secrets of clients and the data of persons can be read on the way; use --tls-cert and --tls-key, or a proxy that does")
	}
	return nil
}
