package serve

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sama/serve/api"
	"sama/serve/store"

	"pgregory.net/rapid"
)

func TestWhatIsRefusedSaysWhy(t *testing.T) {
	r := newRig(t, func(o *Options) { o.MaxBody = 300 })
	good := call{client: "all", purpose: "service", method: "POST", path: "/v1/profiles:lookup", body: `{"identity_id":"` + anna + `"}`}
	with := func(change func(*call)) call {
		c := good
		c.header = map[string]string{}
		change(&c)
		return c
	}
	r.want(good, 200, "")
	for what, x := range map[string]struct {
		c      call
		status int
		code   string
	}{
		"no such path":         {with(func(c *call) { c.path = "/v1/profile" }), 404, "not_found"},
		"no such method":       {with(func(c *call) { c.method = "PUT" }), 405, "method_not_allowed"},
		"no secret":            {with(func(c *call) { c.client = "" }), 401, "unauthenticated"},
		"a wrong secret":       {with(func(c *call) { c.header["Authorization"] = "Bearer sama_x" }), 401, "unauthenticated"},
		"another scheme":       {with(func(c *call) { c.header["Authorization"] = "Basic " + r.secret["all"] }), 401, "unauthenticated"},
		"another media type":   {with(func(c *call) { c.header["Accept"] = "text/csv" }), 406, "not_acceptable"},
		"JSON not accepted":    {with(func(c *call) { c.header["Accept"] = "application/json;q=0, text/*" }), 406, "not_acceptable"},
		"a form":               {with(func(c *call) { c.header["Content-Type"] = "application/x-www-form-urlencoded" }), 415, "unsupported_media_type"},
		"JSON in Latin-1":      {with(func(c *call) { c.header["Content-Type"] = "application/json; charset=latin1" }), 415, "unsupported_media_type"},
		"a compressed body":    {with(func(c *call) { c.header["Content-Encoding"] = "gzip" }), 415, "unsupported_media_type"},
		"no JSON":              {with(func(c *call) { c.body = `{"identity_id":` }), 400, "invalid_json"},
		"two values":           {with(func(c *call) { c.body += "{}" }), 400, "invalid_json"},
		"no UTF-8":             {with(func(c *call) { c.body = "{\"record\":{\"source\":\"\xff\",\"record_id\":\"1\"}}" }), 400, "invalid_json"},
		"an unknown property":  {with(func(c *call) { c.body = `{"identity":"x"}` }), 400, "invalid_request"},
		"two persons":          {with(func(c *call) { c.body = `{"identity_id":"` + anna + `","record":{"source":"a","record_id":"b"}}` }), 400, "invalid_request"},
		"an unknown parameter": {with(func(c *call) { c.path += "?email=anna" }), 400, "invalid_request"},
		"a body too large":     {with(func(c *call) { c.body = `{"identity_id":"` + strings.Repeat("x", 400) + `"}` }), 413, "body_too_large"},
		"a record unreadable": {with(func(c *call) {
			c.path, c.body = "/v1/profiles:search", `{"fields":{"given_name":"unreadable"}}`
		}), 422, "unprocessable"},
		"a record twice": {with(func(c *call) {
			c.path, c.body = "/v1/decisions", `{"decision":"same","a":{"source":"crm","record_id":"1"},"b":{"source":"crm","record_id":"1"}}`
		}), 409, "same_record_twice"},
		"a source of which no run knows": {with(func(c *call) {
			c.path, c.body = "/v1/records", `{"records":[{"source":"x","record_id":"1","fields":{"a":"b"}}]}`
		}), 404, "unknown_source"},
		"a time to come": {with(func(c *call) {
			c.path, c.body = "/v1/consents", `{"events":[{"anchor":{"account":"a"},"purpose":"service","act":"deny","authenticated":"staff","at":"2999-01-01T00:00:00Z"}]}`
		}), 422, "future_time"},
		"a channel that the purpose does not have": {with(func(c *call) {
			c.path, c.body = "/v1/consents", `{"events":[{"anchor":{"account":"a"},"purpose":"newsletter","channel":"mail","act":"withdraw","authenticated":"staff"}]}`
		}), 422, "unprocessable"},
		"a time that is none": {with(func(c *call) {
			c.path, c.body = "/v1/consents", `{"events":[{"anchor":{"account":"a"},"purpose":"service","act":"deny","authenticated":"staff","at":"yesterday"}]}`
		}), 400, "invalid_request"},
	} {
		t.Run(what, func(t *testing.T) {
			r.t = t
			out := r.want(x.c, x.status, x.code)
			for _, name := range []string{"X-Request-Id", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
				if out.header.Get(name) == "" {
					t.Errorf("the answer has no %s", name)
				}
			}
			if out.header.Get("Cache-Control") != "no-store" || out.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("headers %v", out.header)
			}
		})
	}
	r.t = t
	if out := r.do(call{method: "OPTIONS", path: "/v1/consents"}); out.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("allow %q", out.header.Get("Allow"))
	}
}

func TestLogsTellNothingOfPersons(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, func(o *Options) { o.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	for id, c := range goodCalls {
		c.client, c.purpose = "all", "service"
		if c.body != "" {
			c.body = strings.ReplaceAll(c.body, "Anna", "VALUE-of-a-person")
		}
		if id == "erase" || id == "metrics" {
			continue
		}
		r.do(c)
		if strings.Contains(c.path, "?") {
			c.path += "&QUERY-of-a-person=QUERY-of-a-person"
		} else {
			c.path += "/PATH-of-a-person?QUERY-of-a-person"
		}
		r.do(c)
	}
	r.run.panics = true
	r.do(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna})
	for _, bad := range []string{"SECRET", "of-a-person", r.secret["all"], `"1"`, "web:A"} {
		if i := strings.Index(log.String(), bad); i >= 0 {
			t.Errorf("the log has %s: %s", bad, log.String()[max(0, i-200):i+50])
		}
	}
	for _, good := range []string{`"identity_id":"` + anna + `"`, `"route":"GET /v1/profiles/{identity_id}"`, `"client":"all"`, `"msg":"panic"`} {
		if !strings.Contains(log.String(), good) {
			t.Errorf("the log has no %s", good)
		}
	}
}

func TestRatesAreOfEachClient(t *testing.T) {
	clock := newClock()
	r := newRig(t, func(o *Options) { o.Rate, o.Now = 10, clock.now })
	r.client("other", []store.Role{store.RoleRead}, []string{"service"}, []string{"*"})
	c := call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}
	for range maxCost {
		r.want(c, 200, "")
	}
	out := r.want(c, 429, "rate_limited")
	after, err := strconv.Atoi(out.header.Get("Retry-After"))
	if err != nil || after != 1 {
		t.Errorf("Retry-After %q", out.header.Get("Retry-After"))
	}
	other := c
	other.client = "other"
	r.want(other, 200, "")
	clock.advance(time.Duration(after) * time.Second)
	r.want(c, 200, "")
	dear := goodCalls["exportPerson"]
	dear.client, dear.purpose = "all", "service"
	if out := r.want(dear, 429, "rate_limited"); out.header.Get("Retry-After") != "10" {
		t.Errorf("Retry-After %q of what costs %d", out.header.Get("Retry-After"), maxCost)
	}
}

func TestRatesKeepBoundedBuckets(t *testing.T) {
	clock := newClock()
	l := newRates(1, clock.now)
	for i := range maxRates {
		_ = l.take(strconv.Itoa(i), 1)
	}
	refused := 0
	for i := range 2 * maxCost {
		if l.take("late"+strconv.Itoa(i), 1) != nil {
			refused++
		}
	}
	if len(l.buckets) > maxRates || refused != maxCost {
		t.Errorf("%d buckets, %d refused", len(l.buckets), refused)
	}
	clock.advance(time.Hour)
	if err := l.take("later", 1); err != nil || len(l.buckets) != 1 {
		t.Errorf("%v, %d buckets", err, len(l.buckets))
	}
}

// TestWhatTakesLongKeepsNobodyElseWaiting fills all places of one kind of work.
func TestWhatTakesLongKeepsNobodyElseWaiting(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Compute, o.Change, o.Wait = 1, 1, time.Millisecond })
	search := call{client: "all", purpose: "service", method: "POST", path: "/v1/profiles:search", body: `{"fields":{"given_name":"Anna"}}`}
	profile := call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}
	put := call{client: "all", method: "POST", path: "/v1/records", body: `{"records":[{"source":"crm","record_id":"n","fields":{"given_name":"Anna"}}]}`}
	for _, full := range []struct {
		kind          work
		search, write int
	}{{computing, 503, 200}, {changing, 200, 503}} {
		leave, err := r.server.slots[full.kind].enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			call
			status int
		}{{search, full.search}, {put, full.write}, {profile, 200}} {
			if got := r.do(x.call); got.status != x.status {
				t.Errorf("with work %d full, %s is answered %d, want %d", full.kind, x.path, got.status, x.status)
			}
		}
		leave()
	}
}

func TestSlotsRefuseQuickly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2, 3, 500*time.Millisecond)
		for range 2 {
			if _, err := s.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		var waiting sync.WaitGroup
		var mu sync.Mutex
		let := 0
		for range 3 {
			waiting.Go(func() {
				if leave, err := s.enter(t.Context()); err == nil {
					leave()
					mu.Lock()
					let++
					mu.Unlock()
				}
			})
		}
		synctest.Wait()
		if _, err := s.enter(t.Context()); err == nil {
			t.Error("a full queue let one in")
		} else if p := problemOf(err); p.code != "overloaded" || p.retryAfter == 0 || time.Since(began) > 0 {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		s.leave()
		waiting.Wait()
		if let != 3 {
			t.Errorf("%d of those who waited were let in", let)
		}
		_, _ = s.enter(t.Context())
		if _, err := s.enter(gone); err == nil {
			t.Error("one who has gone was let in")
		}
		if _, err := s.enter(t.Context()); err == nil || time.Since(began) != 500*time.Millisecond {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestAnswersAreCompressed(t *testing.T) {
	r := newRig(t, nil)
	out := r.do(call{method: "GET", path: "/openapi.yaml", header: map[string]string{"Accept-Encoding": "gzip"}})
	if out.header.Get("Content-Encoding") != "gzip" || len(out.body) > len(contractText)/2 {
		t.Fatalf("%v, %d bytes", out.header, len(out.body))
	}
	z, err := gzip.NewReader(strings.NewReader(out.body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || !bytes.Equal(text, contractText) {
		t.Error("it is not the contract")
	}
}

func TestMetricsAreByRoute(t *testing.T) {
	r := newRig(t, nil)
	r.do(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna})
	r.do(call{method: "GET", path: "/v1/somebody@example.com"})
	out := r.want(call{method: "GET", path: "/metrics"}, 200, "")
	for _, line := range []string{`sama_requests_total{route="GET /v1/profiles/{identity_id}",status="200"} 1`, `sama_requests_total{route="none",status="404"} 1`, "sama_profiles_released_total 1"} {
		if !strings.Contains(out.body, line) {
			t.Errorf("there is no %s", line)
		}
	}
	if strings.Contains(out.body, "somebody") {
		t.Error("a path is in the metrics")
	}
}

func TestNegotiation(t *testing.T) {
	both := []string{"application/json", eventStream}
	for _, c := range []struct {
		accept string
		want   string
	}{
		{"", "application/json"}, {"*/*", "application/json"}, {"application/*", "application/json"}, {eventStream, eventStream},
		{"text/event-stream, application/json;q=0.5", eventStream}, {"application/json, text/event-stream", "application/json"},
		{"*/*;q=0.1, text/event-stream;q=0.2", eventStream}, {"*/*, application/json;q=0", eventStream},
		{"text/html", ""}, {"application/json;q=0", ""}, {"nonsense", ""}, {"application/json;q=2", ""},
	} {
		media, ok := negotiate([]string{c.accept}, both)
		if media != c.want && (ok || c.want != "") {
			t.Errorf("%q gives %q, %v, want %q", c.accept, media, ok, c.want)
		}
	}
}

func TestCursorsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[1-9][0-9]{0,17}(\.[1-9][0-9]{0,9})?`).Draw(t, "cursor")
		at, err := parseCursor(text)
		if err != nil || cursorOf(at) != text {
			t.Fatalf("%s came back as %s, %v", text, cursorOf(at), err)
		}
	})
}

func TestIdempotencyKeys(t *testing.T) {
	r := newRig(t, nil)
	put := call{client: "all", method: "POST", path: "/v1/records", header: map[string]string{"Idempotency-Key": "k1"},
		body: `{"records":[{"source":"crm","record_id":"8","fields":{"given_name":"Eva"}},{"source":"crm","record_id":"9","fields":{"given_name":"Ida"}}]}`}
	first := read[api.RecordsResult](t, r.want(put, 200, ""))
	before, err := r.store.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again := read[api.RecordsResult](t, r.want(put, 200, ""))
	after, err := r.store.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if *first.Records[1].IdentityId != *again.Records[1].IdentityId || before.Online != after.Online || first.Records[0].Outcome != "founded" || again.Records[0].Outcome != "founded" {
		t.Errorf("first %+v, again %+v", first, again)
	}
	other := put
	other.body = strings.Replace(put.body, "Eva", "Ewa", 1)
	r.want(other, 409, "idempotency_conflict")
	// The answer is kept too where the last record changes nothing.
	gone := call{client: "all", method: "POST", path: "/v1/records:delete", header: map[string]string{"Idempotency-Key": "k3"},
		body: `{"records":[{"source":"crm","record_id":"9"},{"source":"crm","record_id":"none"}]}`}
	r.want(gone, 200, "")
	put.header = nil
	r.want(put, 200, "")
	r.want(gone, 200, "")
	r.want(call{client: "all", purpose: "service", method: "POST", path: "/v1/explain", body: `{"a":{"source":"crm","record_id":"9"},"b":{"source":"crm","record_id":"1"}}`}, 200, "")
	gone.body = strings.Replace(gone.body, "none", "else", 1)
	r.want(gone, 409, "idempotency_conflict")
	consents := call{client: "all", method: "POST", path: "/v1/consents", header: map[string]string{"Idempotency-Key": "k2"},
		body: `{"events":[{"anchor":{"record":{"source":"crm","record_id":"1"}},"purpose":"newsletter","act":"deny","authenticated":"account"}]}`}
	one := read[api.AddConsentsResult](t, r.want(consents, 200, ""))
	two := read[api.AddConsentsResult](t, r.want(consents, 200, ""))
	if *one.Events[0].EventId != *two.Events[0].EventId {
		t.Errorf("%+v and %+v", one, two)
	}
}

func TestPurposesAreReplacedOnlyIfTheyAreWhatWasRead(t *testing.T) {
	r := newRig(t, nil)
	tag := r.want(call{client: "all", method: "GET", path: "/v1/purposes/service"}, 200, "").header.Get("ETag")
	put := call{client: "all", method: "PUT", path: "/v1/purposes/service", header: map[string]string{"If-Match": tag},
		body: `{"title":"New","controller":"acme","basis":"contract","fields":["email"],"text_version":"2"}`}
	if p := read[api.Purpose](t, r.want(put, 200, "")); p.Version != 2 || p.Title != "New" {
		t.Errorf("%+v", p)
	}
	put.body = strings.Replace(put.body, "New", "Newer", 1)
	r.want(put, 412, "precondition_failed")
	put.body = `{"title":"New","controller":"acme","basis":"contract","fields":["email"],"text_version":"2","direct_marketing":true}`
	delete(put.header, "If-Match")
	r.want(put, 422, "unprocessable")
	// It holds at once.
	if p := read[api.Profile](t, r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}, 200, "")); len(p.Golden) != 2 {
		t.Errorf("%v", p.Golden)
	}
}

// slowBody never ends.
type slowBody struct{ ctx context.Context }

func (b slowBody) Read([]byte) (int, error) { <-b.ctx.Done(); return 0, b.ctx.Err() }

func TestBodiesThatEndTooEarlyAreNoFault(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req := call{client: "all", purpose: "service", method: "POST", path: "/v1/profiles:lookup", body: "{}"}.request(r).WithContext(ctx)
	req.Body = io.NopCloser(slowBody{ctx})
	w := httptest.NewRecorder()
	r.server.ServeHTTP(w, req)
	if w.Code == http.StatusOK || w.Code == http.StatusInternalServerError {
		t.Errorf("%d", w.Code)
	}
}
