package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sama/serve/api"
	"sama/serve/store"
)

// streams counts the open streams of changes and ends them when the server
// does.
type streams struct {
	most, mostOfClient int
	metrics            *metrics
	ended              chan struct{}
	once               sync.Once

	mu     sync.Mutex // guards what follows
	open   int
	byName map[string]int
}

func newStreams(most, mostOfClient int, m *metrics) *streams {
	return &streams{most: most, mostOfClient: mostOfClient, metrics: m, ended: make(chan struct{}), byName: make(map[string]int)}
}

// begin counts a stream in, or says why there can be no other.
func (s *streams) begin(client string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.byName[client] >= s.mostOfClient:
		return &problem{code: "too_many_streams", detail: fmt.Sprintf("this client has %d streams open; close one", s.mostOfClient), retryAfter: 5}
	case s.open >= s.most:
		return &problem{code: "overloaded", detail: "there are too many streams; come back later, or ask for pages", retryAfter: 5}
	}
	s.open++
	s.byName[client]++
	s.metrics.streams.Set(float64(s.open))
	return nil
}

func (s *streams) leave(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.byName[client]--; s.byName[client] == 0 {
		delete(s.byName, client)
	}
	s.metrics.streams.Set(float64(s.open))
}

// end ends all streams.
func (s *streams) end() { s.once.Do(func() { close(s.ended) }) }

// Pace of a stream.
const (
	streamPage    = 200              // rows read at a time
	streamPulse   = 15 * time.Second // the longest silence
	streamTrust   = time.Second      // how long the client's secret is trusted
	streamPatient = 10 * time.Second // how long a client may take to read
)

// streamResponse is a stream of changes as a response.
type streamResponse struct {
	*Server
	ctx    context.Context
	seen   *seen
	at     store.Place
	viewed *viewer
}

// stream begins a stream at a place.
func (s *Server) stream(ctx context.Context, at store.Place) (api.ListChangesResponseObject, error) {
	seen := seenOf(ctx)
	e, release, err := s.engine()
	if err != nil {
		return nil, err
	}
	defer release()
	v, err := s.newViewer(ctx, e, seen.client, seen.purpose, nil)
	if err != nil {
		return nil, err
	}
	// What is wrong with the cursor is said before the stream begins.
	if _, err := s.feedFrom(ctx, e, at, 1, v); err != nil {
		return nil, err
	}
	if err := s.streams.begin(seen.client.Name); err != nil {
		return nil, err
	}
	return &streamResponse{s, ctx, seen, at, v}, nil
}

// VisitListChangesResponse writes the stream until the client goes, the server
// ends, or the client may see it no longer.
func (r *streamResponse) VisitListChangesResponse(w http.ResponseWriter) error {
	defer r.streams.leave(r.seen.client.Name)
	h := w.Header()
	h.Set("Content-Type", eventStream)
	h.Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	// The deadlines of the connection are those of a request; the stream has one
	// for every write. A writer without deadlines is that of a test.
	_ = control.SetReadDeadline(time.Time{})
	w.WriteHeader(http.StatusOK)
	if err := r.send(w, control, []byte(": sama\n\n")); err != nil {
		return nil
	}
	tick := time.NewTicker(r.FeedPoll)
	defer tick.Stop()
	begun := r.at
	head, wrote, trusted := int64(-1), time.Now(), time.Now()
	for {
		select {
		case <-r.ctx.Done():
			return nil
		case <-r.streams.ended:
			return nil
		case <-tick.C:
		}
		if time.Since(trusted) > streamTrust {
			if !r.stillMay() {
				return nil
			}
			trusted = time.Now()
		}
		now, err := r.Store.FeedHead(r.ctx)
		if err != nil {
			return nil
		}
		if now != head || r.at.Row > 0 {
			text, err := r.next()
			if err != nil && r.at != begun {
				// Who comes back from here is told what is wrong.
				_ = r.send(w, control, r.pulse())
			}
			if err != nil || len(text) > 0 && r.send(w, control, text) != nil {
				return nil
			}
			if len(text) > 0 {
				wrote = time.Now()
			}
			if r.at.Row == 0 && r.at.Seq >= now {
				head = now
			}
		}
		if time.Since(wrote) > streamPulse {
			if r.send(w, control, r.pulse()) != nil {
				return nil
			}
			wrote = time.Now()
		}
	}
}

// pulse is an id without data, which moves the place to come back to.
func (r *streamResponse) pulse() []byte { return fmt.Appendf(nil, ": \nid: %s\n\n", cursorOf(r.at)) }

// stillMay reports whether the client may still see the stream.
func (r *streamResponse) stillMay() bool {
	c, ok, err := r.Store.Authenticate(r.ctx, r.seen.secret)
	if err != nil || !ok || !c.Has(store.RoleRead) {
		return false
	}
	if c == r.seen.client {
		return true
	}
	// It was changed: what it may see is for a new stream to find out.
	return false
}

// next returns what has come since, once the access log says so.
func (r *streamResponse) next() ([]byte, error) {
	e, release, err := r.engine()
	if err != nil {
		return nil, err
	}
	defer release()
	p, err := r.feedFrom(r.ctx, e, r.at, streamPage, r.viewed)
	if err != nil {
		return nil, err
	}
	if err := r.told(r.ctx, p.changes); err != nil {
		return nil, err
	}
	r.at = p.next
	var text []byte
	for i := range p.changes {
		c := &p.changes[i]
		data, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		text = fmt.Appendf(text, "id: %s\nevent: %s\ndata: %s\n\n", c.Cursor, c.Kind, data)
	}
	return text, nil
}

// send writes and flushes, within the time that a client may take.
func (r *streamResponse) send(w http.ResponseWriter, control *http.ResponseController, text []byte) error {
	if err := control.SetWriteDeadline(time.Now().Add(streamPatient)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return control.Flush()
}
