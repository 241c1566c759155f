package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"sama/serve/api"

	"github.com/klauspost/compress/gzhttp"
)

// A request passes, from the outside in:
//
//	observe      request id, panics, headers, the log, metrics
//	compress     gzip
//	ServeMux     by the contract's paths; else 404 or 405 as a problem
//	negotiate    Accept against what the operation produces
//	queue        slots for requests at work, a bounded queue, 503
//	authorise    the client, its rate, its role, its purpose
//	validate     body limit, and the contract
//	the handler  decode, one call, encode
type router struct {
	*Server
	mux      *http.ServeMux
	patterns []string // those that generated code and operations asked for
}

// newRouter makes the handler of the whole server.
func (s *Server) newRouter() (http.Handler, error) {
	r := &router{Server: s, mux: http.NewServeMux()}
	strict := api.NewStrictHandlerWithOptions(s, nil, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc: s.badRequest, ResponseErrorHandlerFunc: s.fail,
	})
	api.HandlerWithOptions(strict, api.StdHTTPServerOptions{BaseRouter: r, ErrorHandlerFunc: s.badRequest})
	for path, handler := range s.operations() {
		r.HandleFunc("GET "+path, handler)
	}
	for _, op := range s.contract.operations {
		if !slices.Contains(r.patterns, op.pattern()) {
			return nil, fmt.Errorf("the contract has %s, and nothing serves it", op.pattern())
		}
	}
	r.others()
	gzip, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ExceptContentTypes([]string{"text/event-stream", "application/zip"}))
	if err != nil {
		return nil, err
	}
	zipped := gzip(r.mux)
	return s.observe(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		// A stream goes out as it comes.
		if strings.Contains(req.Header.Get("Accept"), eventStream) {
			r.mux.ServeHTTP(w, req)
			return
		}
		zipped(w, req)
	})), nil
}

// HandleFunc takes a route of the generated code.
func (r *router) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	r.patterns = append(r.patterns, pattern)
	op, ok := r.contract.byPattern[pattern]
	if !ok {
		// The generated code is of another contract, which a test finds.
		panic("serve: no operation " + pattern)
	}
	r.mux.Handle(pattern, r.operate(op, http.HandlerFunc(handler)))
}

// ServeHTTP serves what is routed.
func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

// others answers what is not routed, as problems.
func (r *router) others() {
	methods := make(map[string][]string)
	for _, op := range r.contract.operations {
		methods[op.path] = append(methods[op.path], op.method)
		if op.method == http.MethodGet {
			methods[op.path] = append(methods[op.path], http.MethodHead)
		}
	}
	for path, list := range methods {
		slices.Sort(list)
		allow := strings.Join(list, ", ")
		r.mux.HandleFunc(path, func(w http.ResponseWriter, req *http.Request) {
			r.fail(w, req, &problem{code: "method_not_allowed", detail: "here are " + allow, allow: allow})
		})
	}
	r.mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		r.fail(w, req, refuse("not_found", "the routes are at /docs"))
	})
}

// operate puts what every request passes around the handler of an operation.
func (s *Server) operate(op *operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := seenOf(r.Context())
		seen.op = op
		media, ok := negotiate(r.Header.Values("Accept"), op.produces)
		if !ok {
			s.fail(w, r, refuse("not_acceptable", "here are "+strings.Join(op.produces, ", ")))
			return
		}
		seen.media = media
		if op.open {
			next.ServeHTTP(w, r)
			return
		}
		if media != eventStream {
			leave, err := s.slots[rules[op.id].work].enter(r.Context())
			if err != nil {
				s.fail(w, r, err)
				return
			}
			defer leave()
		}
		if err := s.authorise(r, op, seen); err != nil {
			s.fail(w, r, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, s.MaxBody)
		body, err := op.check(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		seen.body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
		if media != eventStream {
			ctx, cancel := context.WithTimeout(r.Context(), s.Timeout)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// seen is what is known of a request on its way.
type seen struct {
	id       string // request id
	op       *operation
	client   *Client
	secret   string // that it came with, for streams to ask again
	purpose  string // granted, where the operation names one
	identity string // for the log
	media    string // of the answer
	body     []byte // for idempotency keys
	problem  *problem
	held     []func() // gives back the runs that the answer is made of
}

type seenKey struct{}

// seenOf returns what is known of the request with that context.
func seenOf(ctx context.Context) *seen {
	if s, ok := ctx.Value(seenKey{}).(*seen); ok {
		return s
	}
	return new(seen)
}

// fail answers a request with a problem.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	seen := seenOf(r.Context())
	p := problemOf(err)
	if p.code == "internal" && r.Context().Err() != nil {
		// What went wrong is that the time is up, or that the client has gone.
		p = &problem{code: "unavailable", detail: "it took too long", retryAfter: 1, cause: err}
	}
	if p.code == "overloaded" {
		s.metrics.refused.WithLabelValues("overloaded").Inc()
	}
	seen.problem = p
	p.write(w, seen.id)
}

// badRequest answers what the generated code cannot decode. The contract has
// been held against it before, so that little is left to find.
func (s *Server) badRequest(w http.ResponseWriter, r *http.Request, err error) {
	s.fail(w, r, &problem{code: "invalid_request", detail: "the request cannot be decoded", cause: err})
}

// observe gives a request its id and watches what becomes of it.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		seen := &seen{id: s.requestID()}
		to := &watched{ResponseWriter: w}
		h := w.Header()
		h.Set("X-Request-Id", seen.id)
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r = r.WithContext(context.WithValue(r.Context(), seenKey{}, seen))
		s.metrics.running.Inc()
		defer func() {
			for _, release := range seen.held {
				release()
			}
		}()
		defer func() {
			s.metrics.running.Dec()
			if v := recover(); v != nil {
				s.recovered(to, r, v)
			}
			s.finished(r, to, seen, s.Now().Sub(began))
		}()
		next.ServeHTTP(to, r)
	})
}

// contentPolicy lets a page be itself and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// recovered answers a request whose handler panicked. What the panic says may
// hold data of a person, unless it is Go's own.
func (s *Server) recovered(w *watched, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		return
	}
	what := fmt.Sprintf("%T", v)
	if e, ok := v.(runtime.Error); ok {
		what = e.Error()
	}
	s.Log.Error("panic", "request_id", seenOf(r.Context()).id, "what", what, "stack", string(debug.Stack()))
	s.metrics.panics.Inc()
	if w.status == 0 {
		s.fail(w, r, refuse("internal", "the log of the server has it under the request id"))
	}
}

// finished logs and counts a request. Paths are told by pattern, queries and
// bodies not at all.
func (s *Server) finished(r *http.Request, w *watched, seen *seen, took time.Duration) {
	route, client := "none", ""
	if seen.op != nil {
		route = seen.op.pattern()
	}
	if seen.client != nil {
		client = seen.client.Name
	}
	s.metrics.request(route, w.status, took)
	attrs := []slog.Attr{
		slog.String("request_id", seen.id), slog.String("route", route), slog.Int("status", w.status),
		slog.Duration("took", took), slog.Int64("bytes", w.bytes),
	}
	for _, a := range [][2]string{{"client", client}, {"purpose", seen.purpose}, {"identity_id", seen.identity}} {
		if a[1] != "" {
			attrs = append(attrs, slog.String(a[0], a[1]))
		}
	}
	level := slog.LevelInfo
	if p := seen.problem; p != nil {
		attrs = append(attrs, slog.String("code", string(p.code)))
		if p.status() >= 500 && p.cause != nil {
			attrs = append(attrs, slog.String("cause", p.cause.Error()))
		}
		if p.code == "internal" {
			level = slog.LevelError
		}
	}
	if s.Log.Enabled(r.Context(), level) {
		s.Log.LogAttrs(r.Context(), level, "request", attrs...)
	}
}

// watched remembers what was answered.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader remembers the status.
func (w *watched) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (w *watched) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Flush sends what is written.
func (w *watched) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController through.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
