package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"sama/serve/api"
	"sama/serve/store"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// WebhookOptions says how deliveries to webhooks go out.
type WebhookOptions struct {
	// Private lets deliveries go to loopback, private and link-local addresses,
	// which otherwise are refused: a client chooses the URL, and it must not
	// reach what only this machine can.
	Private bool
	// Client sends; nil is one that follows no redirects and obeys Private.
	Client *http.Client

	Workers      int           // deliveries at a time; 0 is 8
	Poll         time.Duration // how often the state is asked what is due; 0 is 500 ms
	Budget       time.Duration // the longest that one webhook is served at a time; 0 is 20 s
	Backoff      time.Duration // the pause after the first failure, which doubles; 0 is 5 s
	MaxBackoff   time.Duration // the longest pause; 0 is 6 h
	DisableAfter time.Duration // how long a webhook may fail; 0 is 5 days
}

func (o WebhookOptions) withDefaults() WebhookOptions {
	set := func(p *time.Duration, d time.Duration) {
		if *p <= 0 {
			*p = d
		}
	}
	if o.Workers <= 0 {
		o.Workers = 8
	}
	set(&o.Poll, 500*time.Millisecond)
	set(&o.Budget, 20*time.Second)
	set(&o.Backoff, 5*time.Second)
	set(&o.MaxBackoff, 6*time.Hour)
	set(&o.DisableAfter, 5*24*time.Hour)
	if o.Client == nil {
		dialer := &net.Dialer{Timeout: 5 * time.Second}
		if !o.Private {
			dialer.Control = publicOnly
		}
		o.Client = &http.Client{
			Timeout: 10 * time.Second,
			// Where it leads was not what the client said.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
				ResponseHeaderTimeout: 10 * time.Second, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		}
	}
	return o
}

// errPrivate refuses an address that is not for clients to choose.
var errPrivate = errors.New("the URL leads to an address that is not public")

// publicOnly is asked about every address before it is dialled, after names
// were resolved.
func publicOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return errPrivate
	}
	ip := to.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return errPrivate
	}
	return nil
}

// notPublic are the ranges that netip does not know as private: carrier-grade
// NAT (RFC 6598), IETF assignments, benchmarking, reserved, and the IPv6 ranges
// that wrap an IPv4 address.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("2002::/16"),
}

// deliver sends what webhooks are due, until ctx ends: one goroutine asks the
// state, Workers send. What was begun is finished or left to be claimed again.
func (s *Server) deliver(ctx context.Context) {
	o := &s.Webhooks
	var workers sync.WaitGroup
	free := make(chan struct{}, o.Workers)
	work := make(chan store.Webhook)
	for range o.Workers {
		free <- struct{}{}
		workers.Go(func() {
			for w := range work {
				s.serveWebhook(ctx, w)
				free <- struct{}{}
			}
		})
	}
	tick := time.NewTicker(o.Poll)
	defer func() {
		tick.Stop()
		close(work)
		workers.Wait()
		o.Client.CloseIdleConnections()
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := len(free)
		if n == 0 {
			continue
		}
		due, err := s.Store.ClaimWebhooks(ctx, n, 2*o.Budget)
		if err != nil {
			if ctx.Err() == nil {
				s.Log.Error("webhooks could not be claimed", "error", err.Error())
			}
			continue
		}
		for _, w := range due {
			<-free
			work <- w
		}
	}
}

// serveWebhook sends what comes after a webhook's place and notes what came of
// it.
func (s *Server) serveWebhook(ctx context.Context, w store.Webhook) {
	limited, cancel := context.WithTimeout(ctx, s.Webhooks.Budget)
	place, err := s.sendChanges(limited, &w)
	cancel()
	if ctx.Err() != nil {
		err = nil // the server ends: what failed now did not
	}
	out := store.WebhookOutcome{Place: place}
	if err != nil && place == w.Place {
		now := s.Now()
		out.Failure = cut(err.Error(), 500)
		out.Next = now.Add(s.backoff(w.Failures))
		if errors.Is(err, errRevoked) || !w.Failing.IsZero() && now.Sub(w.Failing) >= s.Webhooks.DisableAfter {
			out.Disable = true
			s.Log.Warn("webhook is disabled", "webhook_id", webhookID(w.ID), "client", w.Client, "problem", out.Failure)
		}
	}
	outcome := "delivered"
	if err != nil {
		outcome = "failed"
	}
	s.metrics.delivered.WithLabelValues(outcome).Inc()
	// What was sent is noted even if the server ends meanwhile.
	var lost *store.ClaimLostError
	if err := s.Store.RecordOutcome(context.WithoutCancel(ctx), w, out); err != nil && !errors.As(err, &lost) {
		s.Log.Error("what came of a delivery could not be noted", "webhook_id", webhookID(w.ID), "error", err.Error())
	}
}

// backoff is the pause after a failure: it doubles with every failure in a row,
// and is spread between a half and the whole of that.
func (s *Server) backoff(failures int64) time.Duration {
	pause := s.Webhooks.MaxBackoff
	if failures < 40 {
		pause = min(pause, s.Webhooks.Backoff<<min(failures, 30))
	}
	if pause <= 0 {
		pause = s.Webhooks.MaxBackoff
	}
	var b [8]byte
	s.random.Lock()
	_, err := io.ReadFull(s.Random, b[:])
	s.random.Unlock()
	if err != nil {
		return pause
	}
	return pause/2 + time.Duration(binary.BigEndian.Uint64(b[:])%uint64(pause/2+1))
}

// errRevoked says that the client of a webhook may see nothing any more.
var errRevoked = errors.New("its client was revoked, or lost the role read")

// sendChanges sends changes one after the other and returns the place behind
// the last that was taken.
func (s *Server) sendChanges(ctx context.Context, w *store.Webhook) (store.Place, error) {
	place := w.Place
	client, err := s.liveClient(ctx, w.Client)
	if err != nil {
		return place, err
	}
	sign, err := standardwebhooks.NewWebhookRaw(w.Secret)
	if err != nil {
		return place, err
	}
	for ctx.Err() == nil {
		e, release, err := s.engine()
		if err != nil {
			return place, err
		}
		v, err := s.newViewer(ctx, e, client, "", nil)
		if err == nil && len(w.Kinds) > 0 {
			v.kinds = w.Kinds
		}
		var p *feedPage
		if err == nil {
			p, err = s.feedFrom(ctx, e, place, streamPage, v)
		}
		release()
		var lost *lostRun
		if errors.As(err, &lost) && lost.forGood() {
			// It never comes back, and what is behind it is to be told.
			p, err = &feedPage{next: store.Place{Seq: lost.event.Seq}, more: true}, nil
			if c := lost.change(); v.see(&c) {
				p.changes = []api.Change{c}
			}
		}
		if err != nil {
			return place, err
		}
		if err := s.toldTo(ctx, w.Client, "", webhookID(w.ID), p.changes); err != nil {
			return place, err
		}
		for i := range p.changes {
			if err := s.sendOne(ctx, w, sign, &p.changes[i]); err != nil {
				return place, err
			}
			if place, err = parseCursor(p.changes[i].Cursor); err != nil {
				return place, err
			}
		}
		place = p.next
		if !p.more {
			break
		}
	}
	return place, nil
}

// liveClient returns a client that may still be told of changes.
func (s *Server) liveClient(ctx context.Context, name string) (*Client, error) {
	all, err := s.Store.Clients(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if c := &all[i]; c.Name == name && c.Revoked.IsZero() && c.Has(store.RoleRead) {
			return c, nil
		}
	}
	return nil, errRevoked
}

// sendOne sends one change. Errors name no address and no body.
func (s *Server) sendOne(ctx context.Context, w *store.Webhook, sign *standardwebhooks.Webhook, c *api.Change) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	// The same change has the same id, however often it is sent.
	id := fmt.Sprintf("msg_%d_%s", w.ID, c.Cursor)
	now := s.Now()
	signature, err := sign.Sign(id, now, body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be called")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "sama")
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, fmt.Sprint(now.Unix()))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	resp, err := s.Webhooks.Client.Do(req)
	if err != nil {
		if errors.Is(err, errPrivate) {
			return errPrivate
		}
		if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
			return errors.New("there was no answer in time")
		}
		return errors.New("the URL cannot be reached")
	}
	defer resp.Body.Close()
	// A little is read so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	return nil
}
