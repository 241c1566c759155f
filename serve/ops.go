package serve

import (
	"encoding/json"
	"net/http"

	"sama/serve/api"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// operations are the handlers of the paths that are not in the generated code.
func (s *Server) operations() map[string]http.HandlerFunc {
	metrics := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{DisableCompression: true, MaxRequestsInFlight: 4})
	return map[string]http.HandlerFunc{
		"/healthz": func(w http.ResponseWriter, r *http.Request) {
			s.answer(w, r, http.StatusOK, api.Health{Status: "ok"})
		},
		"/readyz": s.ready,
		"/metrics": func(w http.ResponseWriter, r *http.Request) {
			// The text format is the one that the contract has.
			r.Header.Set("Accept", "text/plain")
			metrics.ServeHTTP(w, r)
		},
		"/docs": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", docsPolicy)
			// A reader that is gone needs no page.
			_, _ = w.Write(s.page)
		},
		"/openapi.yaml": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = w.Write(contractText)
		},
	}
}

// ready answers GET /readyz.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	out, status := api.Readiness{Status: "ok"}, http.StatusOK
	if e, release, err := s.Run.Acquire(); err == nil {
		id := e.RunID()
		out.RunId = &id
		release()
	} else {
		out.Status, status = "unavailable", http.StatusServiceUnavailable
	}
	if why := s.Run.Broken(); why != "" {
		why = cut(why, 2000)
		out.BrokenRun = &why
	}
	if _, err := s.Store.Revision(r.Context()); err != nil {
		why := "the state cannot be reached"
		out.State = &why
		out.Status, status = "unavailable", http.StatusServiceUnavailable
		seenOf(r.Context()).problem = &problem{code: "unavailable", cause: err}
	}
	s.answer(w, r, status, out)
}

// answer sends JSON.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that is gone needs no answer.
	_, _ = w.Write(append(text, '\n'))
}
