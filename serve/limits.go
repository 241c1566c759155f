package serve

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// slots bounds how many requests are at work, and how many more may wait for
// a place. Who finds the queue full, or waits too long, is told to come back.
type slots struct {
	free    chan struct{} // one token a request at work
	waiting atomic.Int64
	most    int64         // that may wait
	wait    time.Duration // the longest that one waits
}

func newSlots(atWork, queued int, wait time.Duration) *slots {
	return &slots{free: make(chan struct{}, atWork), most: int64(queued), wait: wait}
}

// enter takes a place; leave gives it back.
func (s *slots) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.free <- struct{}{}:
		return s.leave, nil
	default:
	}
	if s.waiting.Add(1) > s.most {
		s.waiting.Add(-1)
		return nil, &problem{code: "overloaded", detail: "the queue is full; come back later", retryAfter: 1}
	}
	defer s.waiting.Add(-1)
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case s.free <- struct{}{}:
		return s.leave, nil
	case <-timer.C:
		return nil, &problem{code: "overloaded", detail: "there was no place in time; come back later", retryAfter: 1}
	case <-ctx.Done():
		return nil, &problem{code: "unavailable", detail: "the request ended while it waited", retryAfter: 1}
	}
}

func (s *slots) leave() { <-s.free }

// rates bounds how often each client may ask: a token bucket a client
// (x/time/rate), refilled with perSecond tokens up to burst. At most maxRates
// buckets are kept; those that are full, which are as good as new, make room,
// and who finds none shares one bucket with the others like that.
type rates struct {
	perSecond rate.Limit
	burst     int
	now       func() time.Time

	mu      sync.Mutex // guards buckets
	buckets map[string]*rate.Limiter
	shared  *rate.Limiter
}

// maxRates is how many clients have a bucket.
const maxRates = 10_000

func newRates(perSecond float64, now func() time.Time) *rates {
	limit := rate.Limit(perSecond)
	if perSecond <= 0 {
		limit = rate.Inf
	}
	l := &rates{perSecond: limit, burst: int(math.Max(2*perSecond, maxCost)), now: now, buckets: make(map[string]*rate.Limiter)}
	l.shared = rate.NewLimiter(limit, l.burst)
	return l
}

// take takes tokens from a client's bucket, or says after how many seconds
// there are enough.
func (l *rates) take(client string, cost int) error {
	if l.perSecond == rate.Inf {
		return nil
	}
	now := l.now()
	b := l.bucket(client, now)
	if b.AllowN(now, cost) {
		return nil
	}
	missing := float64(cost) - b.TokensAt(now)
	after := max(1, int(math.Ceil(missing/float64(l.perSecond))))
	return &problem{code: "rate_limited", detail: "this client asks too often; come back later", retryAfter: after}
}

// bucket returns a client's bucket.
func (l *rates) bucket(client string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[client]
	if ok {
		return b
	}
	if len(l.buckets) >= maxRates {
		for id, b := range l.buckets {
			if b.TokensAt(now) >= float64(l.burst) {
				delete(l.buckets, id)
			}
		}
	}
	if len(l.buckets) >= maxRates {
		return l.shared
	}
	b = rate.NewLimiter(l.perSecond, l.burst)
	l.buckets[client] = b
	return b
}
