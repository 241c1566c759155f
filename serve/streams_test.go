package serve

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sama/serve/api"
	"sama/serve/store"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// listening is the rig behind a real listener.
func (r *rig) listening() *httptest.Server {
	s := httptest.NewServer(r.server)
	r.t.Cleanup(func() {
		r.server.streams.end()
		s.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s
}

// follow opens a stream and returns a function that gives the next change.
func (r *rig) follow(ctx context.Context, url, client, last string) (next func() (api.Change, bool), status int) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/changes", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.secret[client])
	req.Header.Set("Sama-Purpose", "service")
	req.Header.Set("Accept", eventStream)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		resp.Body.Close()
		return nil, resp.StatusCode
	}
	lines := bufio.NewScanner(resp.Body)
	return func() (api.Change, bool) {
		var c api.Change
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &c); err != nil {
					r.t.Error(err)
				}
				return c, true
			}
		}
		resp.Body.Close()
		return c, false
	}, 200
}

func (r *rig) put(i int) {
	r.t.Helper()
	body := fmt.Sprintf(`{"records":[{"source":"crm","record_id":"n%d","fields":{"given_name":"x"}}]}`, i)
	r.want(call{client: "all", method: "POST", path: "/v1/records", body: body}, 200, "")
}

// TestStreamsMissNothing breaks a stream off again and again while records come,
// and goes on from what it saw last: together the parts are the pages of the
// feed, each change once, in order.
func TestStreamsMissNothing(t *testing.T) {
	r := newRig(t, nil)
	s := r.listening()
	const n = 30
	var putting sync.WaitGroup
	putting.Go(func() {
		for i := range n {
			r.put(i)
		}
	})
	var seen []string
	last := "0"
	for len(seen) < n+3 {
		ctx, cancel := context.WithCancel(t.Context())
		next, status := r.follow(ctx, s.URL, "all", last)
		if status != 200 {
			t.Fatal(status)
		}
		for range 7 {
			c, ok := next()
			if !ok {
				break
			}
			seen = append(seen, c.Cursor)
			if last = c.Cursor; len(seen) == n+3 {
				break
			}
		}
		cancel()
		for {
			if _, ok := next(); !ok {
				break
			}
		}
	}
	putting.Wait()
	var pages []string
	cursor := "0"
	for {
		p := read[api.Changes](t, r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/changes?limit=2&cursor=" + cursor}, 200, ""))
		for _, c := range p.Changes {
			pages = append(pages, c.Cursor)
		}
		if cursor = p.NextCursor; !p.More {
			break
		}
	}
	if !slices.Equal(seen, pages) {
		t.Errorf("streamed %v\npages    %v", seen, pages)
	}
}

func TestStreamsEnd(t *testing.T) {
	r := newRig(t, func(o *Options) { o.ClientStreams, o.Streams = 2, 3 })
	r.client("shop", []store.Role{store.RoleRead}, []string{"service"}, []string{"*"})
	r.client("third", []store.Role{store.RoleRead}, []string{"service"}, []string{"*"})
	s := r.listening()
	shop, _ := r.follow(t.Context(), s.URL, "shop", "")
	one, _ := r.follow(t.Context(), s.URL, "all", "")
	two, _ := r.follow(t.Context(), s.URL, "all", "")
	if _, status := r.follow(t.Context(), s.URL, "all", ""); status != 429 {
		t.Errorf("one more stream of a client: %d", status)
	}
	if _, status := r.follow(t.Context(), s.URL, "third", ""); status != 503 {
		t.Errorf("one more stream of the server: %d", status)
	}
	drain := func(next func() (api.Change, bool)) {
		for {
			if _, ok := next(); !ok {
				return
			}
		}
	}
	if err := r.store.RevokeClient(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	drain(shop) // ends, or the test hangs
	r.server.streams.end()
	drain(one)
	drain(two)
	s.Close()
	if r.server.streams.open != 0 || len(r.server.streams.byName) != 0 {
		t.Errorf("%d streams are counted, %v", r.server.streams.open, r.server.streams.byName)
	}
}

func TestFeedTellsRunsAndRollbacks(t *testing.T) {
	past := map[string]*smallRun{}
	r := newRig(t, func(o *Options) {
		o.Past = func(id string, after, limit int) ([]RunChange, error) {
			if past[id] == nil {
				return nil, errors.New("it was removed")
			}
			return past[id].Changes(after, limit), nil
		}
	})
	first := r.run
	past["run-1"] = first
	r.client("shop", []store.Role{store.RoleRead}, []string{"service"}, []string{"national_id"})
	r.run = newSmallRun("run-2", 2)
	r.server.Run.Look(t.Context())
	second := r.run
	past["run-2"] = second
	r.run = newSmallRun("run-1", 1)
	r.server.Run.Look(t.Context())
	var kinds []string
	cursor := "0"
	for {
		p := read[api.Changes](t, r.want(call{client: "shop", purpose: "service", method: "GET", path: "/v1/changes?limit=2&cursor=" + cursor}, 200, ""))
		for _, c := range p.Changes {
			kinds = append(kinds, string(c.Kind))
			if c.Kind == "changed" {
				t.Errorf("the client sees a change of %v", *c.Fields)
			}
		}
		if cursor = p.NextCursor; !p.More {
			break
		}
	}
	if want := []string{"created", "merged", "created", "merged", "rollback"}; !slices.Equal(kinds, want) {
		t.Errorf("%v, want %v", kinds, want)
	}
	delete(past, "run-2")
	gone := r.want(call{client: "shop", purpose: "service", method: "GET", path: "/v1/changes?cursor=1"}, 410, "cursor_gone")
	// What comes before is told, and the answer says where to go on.
	first2 := read[api.Changes](t, r.want(call{client: "shop", purpose: "service", method: "GET", path: "/v1/changes?cursor=0"}, 200, ""))
	if !first2.More || first2.NextCursor != "1" || len(first2.Changes) != 2 {
		t.Errorf("%+v", first2)
	}
	if !strings.Contains(gone.body, "from cursor 2") {
		t.Errorf("it does not say where to go on: %s", gone.body)
	}
	r.want(call{client: "shop", purpose: "service", method: "GET", path: "/v1/changes?cursor=2"}, 200, "")
	// Behind the end stands who was told more before the state was put back.
	r.want(call{client: "shop", purpose: "service", method: "GET", path: "/v1/changes?cursor=3"}, 200, "")
	r.want(call{client: "shop", purpose: "service", method: "GET", path: "/v1/changes?cursor=4"}, 410, "cursor_gone")
	r.want(call{client: "shop", purpose: "service", method: "GET", path: "/v1/changes?cursor=4", header: map[string]string{"Accept": eventStream}}, 410, "cursor_gone")
	if !first.closed || !second.closed {
		t.Error("runs that are served no more are not given back")
	}
}

// TestTheFeedFromNowOn begins behind what was told, and misses nothing after it.
func TestTheFeedFromNowOn(t *testing.T) {
	r := newRig(t, nil)
	r.put(1)
	read := func(cursor string) api.Changes {
		return read[api.Changes](t, r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/changes?cursor=" + cursor}, 200, ""))
	}
	now := read("now")
	if len(now.Changes) != 0 || now.More {
		t.Errorf("now has %+v", now)
	}
	r.put(2)
	if next := read(now.NextCursor); len(next.Changes) != 1 || next.Changes[0].Kind != "created" {
		t.Errorf("behind now: %+v", next)
	}
	r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/changes?cursor=then"}, 400, "invalid_request")
}

// TestTheFeedReachesBackAsLongAsItIsKept asks for what was swept.
func TestTheFeedReachesBackAsLongAsItIsKept(t *testing.T) {
	now := time.Now()
	r := newRig(t, func(o *Options) { o.Now = func() time.Time { return now } })
	r.put(1)
	now = now.Add(90 * 24 * time.Hour)
	r.put(2)
	get := func(status int, code string) {
		t.Helper()
		r.server.sweepOnce(t.Context())
		r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/changes?cursor=0"}, status, code)
	}
	get(200, "")
	now = now.Add(time.Second)
	get(410, "cursor_gone")
}

// hook is a receiver of webhooks.
type hook struct {
	mu     sync.Mutex
	fail   int // answers to refuse
	ids    []string
	kinds  []string
	wrong  []error
	verify *standardwebhooks.Webhook
	got    chan struct{}
}

func (h *hook) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.verify.Verify(body, req.Header); err != nil {
		h.wrong = append(h.wrong, err)
	}
	if h.fail > 0 {
		h.fail--
		w.WriteHeader(500)
		return
	}
	var c api.Change
	if err := json.Unmarshal(body, &c); err != nil || strings.Contains(string(body), "SECRET") {
		h.wrong = append(h.wrong, fmt.Errorf("%v: %s", err, body))
	}
	h.ids, h.kinds = append(h.ids, req.Header.Get("webhook-id")), append(h.kinds, string(c.Kind))
	h.got <- struct{}{}
}

// TestWebhooksAreDeliveredInOrderThroughFailures signs, retries and goes on.
func TestWebhooksAreDeliveredInOrderThroughFailures(t *testing.T) {
	h := &hook{fail: 3, got: make(chan struct{}, 100)}
	receiver := httptest.NewServer(h)
	defer receiver.Close()
	r := newRig(t, func(o *Options) {
		o.Rate = -1
		o.Webhooks = WebhookOptions{Private: true, Poll: time.Millisecond, Backoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond, Workers: 2}
	})
	made := read[api.NewWebhook](t, r.want(call{client: "all", method: "POST", path: "/v1/webhooks", body: `{"url":"https://shop.example/hook","kinds":["created"]}`}, 201, ""))
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(made.Secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	if h.verify, err = standardwebhooks.NewWebhookRaw(raw); err != nil {
		t.Fatal(err)
	}
	r.server.Webhooks.Client.Transport = rewritten{receiver.Listener.Addr().String(), r.server.Webhooks.Client.Transport}
	ctx, cancel := context.WithCancel(t.Context())
	var owned sync.WaitGroup
	owned.Go(func() { r.server.deliver(ctx) })
	for i := range 5 {
		r.put(i)
		r.want(call{client: "all", method: "POST", path: "/v1/records:delete", body: fmt.Sprintf(`{"records":[{"source":"crm","record_id":"n%d"}]}`, i)}, 200, "")
	}
	for range 5 {
		<-h.got
	}
	var out api.Webhook
	for t.Context().Err() == nil {
		// The sender notes that the last one was taken after it was.
		out = read[api.Webhook](t, r.want(call{client: "all", method: "GET", path: "/v1/webhooks/" + made.Webhook.WebhookId}, 200, ""))
		if out.Failures == 0 {
			break
		}
	}
	cancel()
	owned.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.wrong) > 0 || !slices.Equal(h.kinds, []string{"created", "created", "created", "created", "created"}) || !slices.IsSorted(h.ids) && len(slices.Compact(slices.Clone(h.ids))) != 5 {
		t.Errorf("wrong %v, kinds %v, ids %v", h.wrong, h.kinds, h.ids)
	}
	if out.Failures != 0 || out.State != "active" {
		t.Errorf("%+v", out)
	}
}

// TestWebhooksGoOnBehindARunThatIsGone keeps a receiver from answering until the
// run of whose changes it should have been told was removed.
func TestWebhooksGoOnBehindARunThatIsGone(t *testing.T) {
	h := &hook{got: make(chan struct{}, 100)}
	receiver := httptest.NewServer(h)
	defer receiver.Close()
	r := newRig(t, func(o *Options) {
		o.Webhooks = WebhookOptions{Private: true, Poll: time.Millisecond, Backoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond}
		o.Past = func(string, int, int) ([]RunChange, error) { return nil, fs.ErrNotExist }
	})
	made := read[api.NewWebhook](t, r.want(call{client: "all", method: "POST", path: "/v1/webhooks", body: `{"url":"https://shop.example/hook"}`}, 201, ""))
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(made.Secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	if h.verify, err = standardwebhooks.NewWebhookRaw(raw); err != nil {
		t.Fatal(err)
	}
	r.server.Webhooks.Client.Transport = rewritten{receiver.Listener.Addr().String(), r.server.Webhooks.Client.Transport}
	r.put(1)
	r.run = newSmallRun("run-2", 2)
	r.server.Run.Look(t.Context())
	r.run = newSmallRun("run-3", 3)
	r.run.changes = r.run.changes[:1]
	r.server.Run.Look(t.Context())
	r.put(2)
	ctx, cancel := context.WithCancel(t.Context())
	var owned sync.WaitGroup
	owned.Go(func() { r.server.deliver(ctx) })
	for range 4 {
		<-h.got
	}
	cancel()
	owned.Wait()
	if want := []string{"created", "rollback", "created", "created"}; len(h.wrong) > 0 || !slices.Equal(h.kinds, want) {
		t.Errorf("wrong %v, kinds %v, want %v", h.wrong, h.kinds, want)
	}
}

// rewritten sends every request to one address, without TLS.
type rewritten struct {
	to   string
	with http.RoundTripper
}

func (r rewritten) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = "http", r.to
	return r.with.RoundTrip(req)
}

func (r rewritten) CloseIdleConnections() { r.with.(*http.Transport).CloseIdleConnections() }

// answering answers every delivery with an error.
type answering struct{ err error }

func (a answering) RoundTrip(*http.Request) (*http.Response, error) { return nil, a.err }

func TestDeadWebhooksAreDisabledAndSaySo(t *testing.T) {
	clock := newClock()
	r := newRig(t, func(o *Options) {
		o.Now = clock.now
		o.Webhooks = WebhookOptions{Client: &http.Client{Transport: answering{errors.New("no route to SECRET")}}}
	})
	made := read[api.NewWebhook](t, r.want(call{client: "all", method: "POST", path: "/v1/webhooks", body: `{"url":"https://shop.example/hook"}`}, 201, ""))
	r.put(1)
	attempts, state := 0, ""
	for state != "disabled" {
		due, err := r.store.ClaimWebhooks(t.Context(), 10, time.Minute)
		if err != nil || attempts > 1000 {
			t.Fatal(err, attempts)
		}
		for _, w := range due {
			r.server.serveWebhook(t.Context(), w)
			attempts++
		}
		out := read[api.Webhook](t, r.want(call{client: "all", method: "GET", path: "/v1/webhooks/" + made.Webhook.WebhookId}, 200, ""))
		if state = string(out.State); out.NextAttempt != nil {
			clock.advance(out.NextAttempt.Sub(clock.now()))
		}
		if out.LastProblem == nil || *out.LastProblem != "the URL cannot be reached" || out.FailingSince == nil {
			t.Fatalf("%+v", out)
		}
	}
	if days := clock.now().Sub(newClock().now()).Hours() / 24; days < 5 || days > 6 || attempts < 20 || attempts > 60 {
		t.Errorf("disabled after %.1f days and %d attempts", days, attempts)
	}
	out := read[api.Webhook](t, r.want(call{client: "all", method: "POST", path: "/v1/webhooks/" + made.Webhook.WebhookId + "/enable"}, 200, ""))
	if out.State != "active" {
		t.Errorf("%+v", out)
	}
	r.want(call{client: "all", method: "DELETE", path: "/v1/webhooks/" + made.Webhook.WebhookId}, 204, "")
	r.want(call{client: "all", method: "DELETE", path: "/v1/webhooks/" + made.Webhook.WebhookId}, 404, "not_found")
}

func TestWebhooksAreOfOneClient(t *testing.T) {
	r := newRig(t, nil)
	r.client("shop", []store.Role{store.RoleRead}, []string{"service"}, []string{"*"})
	made := read[api.NewWebhook](t, r.want(call{client: "all", method: "POST", path: "/v1/webhooks", body: `{"url":"https://shop.example/hook"}`}, 201, ""))
	path := "/v1/webhooks/" + made.Webhook.WebhookId
	for _, c := range []call{{method: "GET", path: path}, {method: "DELETE", path: path}, {method: "POST", path: path + "/enable"}} {
		c.client = "shop"
		r.want(c, 404, "not_found")
	}
	if list := r.want(call{client: "shop", method: "GET", path: "/v1/webhooks"}, 200, ""); strings.Contains(list.body, "wh_") {
		t.Error(list.body)
	}
	if list := r.want(call{client: "all", method: "GET", path: "/v1/webhooks"}, 200, ""); strings.Contains(list.body, "whsec_") || !strings.Contains(list.body, made.Webhook.WebhookId) {
		t.Error(list.body)
	}
}

// TestWebhooksTakeEveryPort: up to the last that there is.
func TestWebhooksTakeEveryPort(t *testing.T) {
	r := newRig(t, nil)
	for port, want := range map[string]struct {
		status int
		code   string
	}{
		"": {201, ""}, ":1": {201, ""}, ":9999": {201, ""}, ":10000": {201, ""}, ":65535": {201, ""},
		":65536": {422, "unprocessable"}, ":99999": {422, "unprocessable"},
		":0": {400, "invalid_request"}, ":100000": {400, "invalid_request"}, ":": {400, "invalid_request"},
	} {
		r.want(call{client: "all", method: "POST", path: "/v1/webhooks", body: `{"url":"https://shop.example` + port + `/hook"}`}, want.status, want.code)
	}
}

func TestWebhooksReachPublicAddressesOnly(t *testing.T) {
	for address, public := range map[string]bool{
		"1.1.1.1:443": true, "[2606:4700::1111]:443": true, "127.0.0.1:80": false, "[::1]:80": false, "10.1.2.3:443": false, "192.168.0.1:443": false,
		"172.20.0.1:443": false, "169.254.169.254:80": false, "[fe80::1]:443": false, "[fd00::1]:443": false, "[::ffff:127.0.0.1]:80": false, "0.0.0.0:80": false,
		"100.64.0.1:443": false, "224.0.0.1:443": false, "255.255.255.255:443": false, "[64:ff9b::7f00:1]:80": false, "[2002:7f00:1::]:80": false, "[::]:80": false, "name:80": false,
	} {
		if err := publicOnly("tcp", address, nil); (err == nil) != public {
			t.Errorf("%s: %v", address, err)
		}
	}
	receiver := httptest.NewServer(http.NotFoundHandler())
	defer receiver.Close()
	o := WebhookOptions{}.withDefaults()
	defer o.Client.CloseIdleConnections()
	if _, err := netip.ParseAddrPort(receiver.Listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Client.Get(receiver.URL); !errors.Is(err, errPrivate) {
		t.Errorf("a loopback address: %v", err)
	}
}

func TestServeDrainsAndEnds(t *testing.T) {
	r := newRig(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.server.Serve(ctx, l, nil) }()
	url := "http://" + l.Addr().String()
	next, status := r.follow(t.Context(), url, "all", "")
	if status != 200 {
		t.Fatal(status)
	}
	if resp, err := http.Get(url + "/healthz"); err != nil {
		t.Fatal(err)
	} else {
		resp.Body.Close()
	}
	cancel()
	for {
		if _, ok := next(); !ok {
			break
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestBackoffDoublesWithJitter(t *testing.T) {
	s := &Server{Options: Options{Random: rand.Reader, Webhooks: WebhookOptions{}.withDefaults()}}
	for failures := range int64(100) {
		whole := 6 * time.Hour
		if failures < 13 {
			whole = 5 * time.Second << failures
		}
		if d := s.backoff(failures); d < whole/2 || d > whole {
			t.Errorf("after %d failures %s, want %s to %s", failures, d, whole/2, whole)
		}
	}
}
