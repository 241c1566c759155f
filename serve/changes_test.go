package serve

import (
	"context"
	"io/fs"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/serve/api"
	"sama/serve/store"
)

// changes asks for a page of the feed; query begins with "?", or is "".
func (r *rig) changes(query string) api.Changes {
	r.t.Helper()
	return read[api.Changes](r.t, r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/changes" + query}, 200, ""))
}

// TestWithoutACursorTheFeedBeginsWhereItBegins removes the first runs and sweeps
// what came between them.
func TestWithoutACursorTheFeedBeginsWhereItBegins(t *testing.T) {
	clock := newClock()
	gone := map[string]bool{}
	r := newRig(t, func(o *Options) {
		o.Now = clock.now
		o.Past = func(id string, after, limit int) ([]RunChange, error) {
			if gone[id] {
				return nil, fs.ErrNotExist
			}
			return newSmallRun(id, 1).Changes(after, limit), nil
		}
	})
	s := r.listening()
	adopt := func(id string, number int64) {
		r.run = newSmallRun(id, number)
		r.server.Run.Look(t.Context())
	}
	begins := func(cursor, kind string) {
		t.Helper()
		p := r.changes("?limit=1")
		if len(p.Changes) != 1 || p.Changes[0].Cursor != cursor || string(p.Changes[0].Kind) != kind {
			t.Errorf("the feed begins with %+v, want %s %s", p.Changes, cursor, kind)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		next, status := r.follow(ctx, s.URL, "all", "")
		if status != 200 {
			t.Fatalf("the stream is answered with %d", status)
		}
		if c, ok := next(); !ok || c.Cursor != cursor {
			t.Errorf("the stream begins with %+v, want %s", c, cursor)
		}
	}
	begins("1.1", "created") // the marker of run-1
	adopt("run-2", 2)        // 2
	r.put(1)                 // 3
	adopt("run-3", 3)        // 4
	gone["run-1"] = true
	begins("2.1", "created")
	gone["run-2"] = true
	begins("3", "created")
	r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/changes?cursor=0"}, 410, "cursor_gone")
	r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/changes", header: map[string]string{"Last-Event-ID": "0"}}, 410, "cursor_gone")
	clock.advance(91 * 24 * time.Hour)
	r.put(2) // 5
	r.server.sweepOnce(t.Context())
	begins("5", "created")
	clock.advance(91 * 24 * time.Hour)
	r.server.sweepOnce(t.Context())
	if p := r.changes(""); len(p.Changes) != 0 || p.More || p.NextCursor != "5" {
		t.Errorf("of a feed that was swept whole: %+v", p)
	}
}

// TestManyRunsAreGone begins behind more runs than are read at a time.
func TestManyRunsAreGone(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Past = func(string, int, int) ([]RunChange, error) { return nil, fs.ErrNotExist }
	})
	for i := range int64(2*oldestPage + 3) {
		r.run = newSmallRun("later-"+strings.Repeat("x", int(i)), i+2)
		r.server.Run.Look(t.Context())
	}
	if p := r.changes(""); len(p.Changes) != 3 || p.More {
		t.Errorf("%+v", p)
	}
}

// TestAStreamThatComesToARunThatIsGoneSaysFromWhere ends where a run was removed;
// whoever comes back is told so.
func TestAStreamThatComesToARunThatIsGoneSaysFromWhere(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Past = func(string, int, int) ([]RunChange, error) { return nil, fs.ErrNotExist }
	})
	r.put(1)
	r.run = newSmallRun("run-2", 2)
	r.server.Run.Look(t.Context())
	r.run = newSmallRun("run-3", 3)
	r.server.Run.Look(t.Context())
	w := httptest.NewRecorder()
	c := call{client: "all", purpose: "service", method: "GET", path: "/v1/changes", header: map[string]string{"Accept": eventStream}}
	r.server.ServeHTTP(w, c.request(r)) // ends by itself
	if text := w.Body.String(); !strings.HasSuffix(text, "\nid: 2\n\n") || strings.Count(text, "data:") != 1 {
		t.Errorf("%q", text)
	}
}

// TestCursorsOfAStateThatWasPutBackAreGone lets a client take more than the backup
// knows, restores it and goes on past what the client took.
func TestCursorsOfAStateThatWasPutBackAreGone(t *testing.T) {
	r := newRig(t, nil)
	r.put(1)
	backup := filepath.Join(t.TempDir(), "copy.db")
	if err := r.store.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	before := r.changes("?cursor=now").NextCursor
	r.put(2)
	r.put(3)
	told := []string{"3", "4", "3.2", "4.2"} // the rows of a run, too
	if c := r.changes("?cursor=now").NextCursor; before != "2" || c != "4" {
		t.Fatal(before, c)
	}
	o, old := r.server.Options, r.store
	t.Cleanup(func() { old.Close() })
	var err error
	if r.store, err = store.Open(t.Context(), backup, store.Options{Keys: o.Keys}); err != nil {
		t.Fatal(err)
	}
	o.Store, r.run = r.store, newSmallRun("run-1", 1)
	o.Run = &Live[Engine]{Current: func() string { return r.run.id }, Open: func(context.Context, string) (Engine, error) { return r.run, nil }, Log: o.Log}
	if r.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	if err := r.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Run.Close)
	refused := func() (detail string) {
		t.Helper()
		for _, cursor := range told {
			for _, accept := range []string{"application/json", eventStream} {
				detail = r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/changes?cursor=" + cursor, header: map[string]string{"Accept": accept}}, 410, "cursor_gone").body
			}
		}
		return detail
	}
	refused()
	now := r.changes("?cursor=now").NextCursor
	for i := range 5 {
		r.put(10 + i)
	}
	detail := refused()
	var want []string
	for _, cursor := range []string{"2", now} {
		p := r.changes("?cursor=" + cursor)
		if len(p.Changes) != 5 || p.More {
			t.Fatalf("after %s: %+v", cursor, p)
		}
		var cursors []string
		for _, c := range p.Changes {
			cursors = append(cursors, c.Cursor)
		}
		if want != nil && !slices.Equal(cursors, want) {
			t.Errorf("%v and %v", want, cursors)
		}
		want = cursors
	}
	_, on, _ := strings.Cut(detail, "go on from cursor ")
	on, _, _ = strings.Cut(on, `"`)
	if p := r.changes("?cursor=" + on); len(p.Changes) != 5 {
		t.Errorf("from %q on: %+v", on, p)
	}
	if p := r.changes(""); len(p.Changes) != 9 {
		t.Errorf("the whole feed: %+v", p)
	}
}
