package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"sama/serve/consent"
	"sama/serve/store"
)

// Client is an application that asks.
type Client = store.Client

// Options are the choices of a [Server]. Run, Store and Keys must be set.
type Options struct {
	// Run holds the run that is served. It is for the server to start.
	Run *Live[Engine]
	// Store is the state.
	Store *store.Store
	// Keys are those of tombstones and of contact points.
	Keys *store.Keys
	// Policy holds whatever grants and purposes say; zero is
	// consent.DefaultPolicy.
	Policy *consent.FieldPolicy

	Log    *slog.Logger     // nil drops everything
	Now    func() time.Time // nil is time.Now
	Random io.Reader        // of request ids, webhook secrets and jitter; nil is crypto/rand

	MaxBody int64         // the largest body in bytes; 0 is 1 MiB
	Timeout time.Duration // of a request; 0 is 10 s
	AtWork  int           // requests at work that do little but read; 0 is 128
	Compute int           // those that compute; 0 is 4 a processor
	Change  int           // those that change the state; 0 is 32
	Queued  int           // requests of one of these kinds that wait for a place; 0 is 1024
	Wait    time.Duration // the longest that one waits; 0 is 500 ms
	Rate    float64       // requests a second of one client; 0 is 1000, below 0 is no limit

	Streams       int           // open streams of changes; 0 is 1000
	ClientStreams int           // and of one client; 0 is 20
	FeedPoll      time.Duration // how often the feed is looked at for streams; 0 is 200 ms
	KeepFeed      time.Duration // how long the feed reaches back; 0 is 90 days

	// Decided are the decisions that the engine asks, to be kept up to date; nil
	// if it asks none.
	Decided *Decided
	// Past returns changes of an earlier run, as Engine.Changes does of the
	// current one; nil if earlier runs cannot be read.
	Past func(runID string, after, limit int) ([]RunChange, error)

	// Webhooks says how deliveries go out.
	Webhooks WebhookOptions
}

func (o Options) withDefaults() (Options, error) {
	if o.Run == nil || o.Store == nil || o.Keys == nil {
		return o, errors.New("serve: want a run, a state and its keys")
	}
	set := func(p *time.Duration, d time.Duration) {
		if *p <= 0 {
			*p = d
		}
	}
	set(&o.Timeout, 10*time.Second)
	set(&o.Wait, 500*time.Millisecond)
	set(&o.FeedPoll, 200*time.Millisecond)
	set(&o.KeepFeed, 90*24*time.Hour)
	number := func(p *int, n int) {
		if *p <= 0 {
			*p = n
		}
	}
	number(&o.AtWork, 128)
	number(&o.Compute, 4*runtime.GOMAXPROCS(0))
	number(&o.Change, 32)
	number(&o.Queued, 1024)
	number(&o.Streams, 1000)
	number(&o.ClientStreams, 20)
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.Rate == 0 {
		o.Rate = 1000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Policy == nil {
		policy := consent.DefaultPolicy()
		o.Policy = &policy
	}
	if err := o.Policy.Validate(); err != nil {
		return o, fmt.Errorf("field policy: %w", err)
	}
	o.Webhooks = o.Webhooks.withDefaults()
	return o, nil
}

// Server answers the API. Make one with New.
type Server struct {
	Options
	contract *contract
	handler  http.Handler
	metrics  *metrics
	slots    [works]*slots
	rates    *rates
	purposes *purposes
	streams  *streams
	hashers  sync.Pool // of *[]*store.Hasher

	tombstones tombstones
	followed   followed    // of the goroutine that follows
	online     int64       // the last online record that it saw in the state, a look ago
	erasedHere sync.Map    // ids of the erasures that this process did and has not followed
	scrub      atomic.Bool // the state still has bytes of somebody who was erased
	page       []byte      // the contract as a page

	writing sync.RWMutex // held for writing while a run is taken
	random  sync.Mutex   // guards Options.Random
}

// followed is how far what other processes did was taken up.
type followed struct {
	run      string
	erasures int64 // revision
}

// New makes the server of a state and a run.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{Options: o, metrics: newMetrics(), rates: newRates(o.Rate, o.Now)}
	for kind, atWork := range [works]int{reading: o.AtWork, computing: o.Compute, changing: o.Change} {
		s.slots[kind] = newSlots(atWork, o.Queued, o.Wait)
	}
	s.Run.watch, s.Run.Take = s.metrics, s.take
	s.hashers.New = func() any {
		hashers := o.Keys.Hashers()
		return &hashers
	}
	s.streams = newStreams(o.Streams, o.ClientStreams, s.metrics)
	s.purposes = &purposes{store: o.Store, policy: o.Policy, now: o.Now}
	if s.contract, err = readContract(); err != nil {
		return nil, err
	}
	if s.page, err = docsPage(s.contract); err != nil {
		return nil, err
	}
	s.handler, err = s.newRouter()
	return s, err
}

// Start opens the current run. It comes before the first request.
func (s *Server) Start(ctx context.Context) error { return s.Run.Start(ctx) }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Limits of a connection. What is slower than this is cut.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
	drainTimeout      = 15 * time.Second
)

// Serve answers on a listener until ctx ends; then it takes no new requests,
// finishes those under way, and returns. tls says that the listener speaks TLS
// with these files.
func (s *Server) Serve(ctx context.Context, l net.Listener, tls *TLSFiles) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler: s, BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	var owned sync.WaitGroup
	owned.Go(func() { s.Run.Watch(base) })
	owned.Go(func() { s.deliver(base) })
	owned.Go(func() { s.follow(base) })
	owned.Go(func() { s.sweep(base) })
	failed := make(chan error, 1)
	owned.Go(func() {
		if tls != nil {
			failed <- server.ServeTLS(l, tls.Cert, tls.Key)
		} else {
			failed <- server.Serve(l)
		}
	})
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		s.Log.Info("draining")
		s.streams.end()
		drain, stop := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		if err = server.Shutdown(drain); err != nil {
			err = errors.Join(fmt.Errorf("requests were cut off after %s: %w", drainTimeout, err), server.Close())
		}
		stop()
	}
	cancel()
	owned.Wait()
	return err
}

// TLSFiles are a certificate with its key, as PEM files.
type TLSFiles struct{ Cert, Key string }

// sweep removes what has expired, once in a while.
func (s *Server) sweep(ctx context.Context) {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.sweepOnce(ctx)
		}
	}
}

// sweepOnce removes idempotency keys that have expired and the events of the feed
// beyond its reach.
func (s *Server) sweepOnce(ctx context.Context) {
	_, err := s.Store.SweepAnswers(ctx)
	_, err2 := s.Store.SweepFeed(ctx, s.Now().Add(-s.KeepFeed))
	if err := errors.Join(err, err2); err != nil && ctx.Err() == nil {
		s.Log.Error("the state could not be swept", "error", err.Error())
	}
}

// requestID makes the id of a request.
func (s *Server) requestID() string {
	var b [8]byte
	s.random.Lock()
	_, err := io.ReadFull(s.Random, b[:])
	s.random.Unlock()
	if err != nil {
		return "0"
	}
	return hex.EncodeToString(b[:])
}

// engineToWrite is engine for those who put records: meanwhile no other run is
// taken, so that what they put is not missing there.
func (s *Server) engineToWrite(ctx context.Context) (e Engine, done func(), err error) {
	s.writing.RLock()
	if e, err = s.engineOf(ctx); err != nil {
		s.writing.RUnlock()
		return nil, nil, err
	}
	return e, s.writing.RUnlock, nil
}

// engineOf returns the run that a request is served by. It is held until the
// answer has been written, for its texts are those of the run's index.
func (s *Server) engineOf(ctx context.Context) (Engine, error) {
	e, release, err := s.engine()
	if err != nil {
		return nil, err
	}
	seen := seenOf(ctx)
	seen.held = append(seen.held, release)
	return e, nil
}

// engineAlone is engine for who erases: meanwhile no record is put, which could
// be of the same person and come to the state behind the erasure, and no other
// run is taken.
func (s *Server) engineAlone() (Engine, func(), error) {
	s.writing.Lock()
	e, release, err := s.engine()
	if err != nil {
		s.writing.Unlock()
		return nil, nil, err
	}
	return e, func() {
		release()
		s.writing.Unlock()
	}, nil
}

// take brings a run up to date and serves it. Most of it is done while records
// are still put; what came meanwhile, while nobody puts any.
func (s *Server) take(ctx context.Context, e Engine, swap func()) error {
	known, err := s.bring(ctx, e, -1)
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := s.bring(ctx, e, known); err != nil {
		return err
	}
	// The feed tells of the run before it is served: told too early, a client
	// reads again; told too late, or never, it has missed something.
	if _, _, err := s.Store.AdoptRun(ctx, e.RunID(), e.Number()); err != nil {
		return err
	}
	swap()
	return nil
}

// bring takes up what came online, and out whoever was erased since the erasure
// that is known; it returns the last erasure.
func (s *Server) bring(ctx context.Context, e Engine, known int64) (last int64, err error) {
	revision, err := s.Store.Revision(ctx)
	if err != nil {
		return 0, err
	}
	if err := e.CatchUp(ctx); err != nil {
		return 0, err
	}
	return revision.Erasures, s.withoutErased(ctx, e, revision.Erasures != known)
}

// engine returns the run that is served now, to be released when nothing of it is
// needed any more.
func (s *Server) engine() (Engine, func(), error) {
	e, release, err := s.Run.Acquire()
	if err != nil {
		return nil, nil, &problem{code: "unavailable", detail: "no run is served", retryAfter: 1, cause: err}
	}
	return e, release, nil
}
