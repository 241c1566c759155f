package serve

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"sama/serve/api"
)

// problem is an error as a client gets it: a problem by RFC 9457.
type problem struct {
	code       api.ProblemCode
	detail     string
	places     []api.ProblemPlace
	retryAfter int    // seconds; 0 is not said
	allow      string // of 405
	cause      error  // for the log; never sent
}

// problemKinds are the kinds of problem: the HTTP status and what they are in
// words. Every code of the contract stands here.
var problemKinds = map[api.ProblemCode]struct {
	status int
	title  string
}{
	"invalid_request":        {400, "The request is not what the contract says"},
	"invalid_json":           {400, "The body is not JSON"},
	"unauthenticated":        {401, "There is no live secret in the request"},
	"role_missing":           {403, "The client lacks the role"},
	"purpose_not_granted":    {403, "The client was not granted the purpose"},
	"source_not_granted":     {403, "The client was not granted the source"},
	"not_found":              {404, "There is no such thing"},
	"unknown_identity":       {404, "There is no such identity"},
	"unknown_source":         {404, "There is no such source"},
	"unknown_record":         {404, "There is no such record"},
	"unknown_purpose":        {404, "There is no such purpose"},
	"method_not_allowed":     {405, "There is no such method here"},
	"not_acceptable":         {406, "The answer is in none of the media types that are accepted"},
	"conflict":               {409, "It is in the way of something that is there"},
	"idempotency_conflict":   {409, "The idempotency key was used for another request"},
	"opposite_decision":      {409, "The opposite is decided"},
	"already_revoked":        {409, "It was revoked before"},
	"same_record_twice":      {409, "A record is named twice"},
	"ambiguous_person":       {409, "It names several identities"},
	"identity_retired":       {410, "The identity has no records any more"},
	"cursor_gone":            {410, "The feed does not reach back that far"},
	"precondition_failed":    {412, "The state is another one"},
	"body_too_large":         {413, "The body is too large"},
	"unsupported_media_type": {415, "The media type is not taken here"},
	"unprocessable":          {422, "It cannot be done"},
	"future_time":            {422, "A time lies in the future"},
	"rate_limited":           {429, "The client asks too often"},
	"too_many_streams":       {429, "The client has too many streams open"},
	"internal":               {500, "A fault of the server"},
	"overloaded":             {503, "The server has too much to do"},
	"unavailable":            {503, "The server cannot reach what it needs"},
}

// refuse makes a problem.
func refuse(code api.ProblemCode, detail string) *problem {
	return &problem{code: code, detail: detail}
}

// Error says what the client is told.
func (p *problem) Error() string { return string(p.code) + ": " + p.detail }

// Unwrap gives what is behind it.
func (p *problem) Unwrap() error { return p.cause }

func (p *problem) status() int { return problemKinds[p.code].status }

// problemOf makes a problem of any error: what is none is a fault of the
// server, of which the client is told nothing.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return refuse("body_too_large", "the body has more than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes; send less at a time")
	}
	return &problem{code: "internal", detail: "the log of the server has it under the request id", cause: err}
}

// write sends the problem.
func (p *problem) write(w http.ResponseWriter, requestID string) {
	kind := problemKinds[p.code]
	h := w.Header()
	// What a handler meant to send is void.
	for _, name := range []string{"Content-Length", "ETag", "Content-Encoding"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if kind.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="sama"`)
	}
	body := api.Problem{Type: "urn:sama:problem:" + string(p.code), Title: kind.title, Status: kind.status, Code: p.code, RequestId: requestID}
	if p.detail != "" {
		body.Detail = &p.detail
	}
	if len(p.places) > 0 {
		body.Errors = &p.places
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, kind.title, kind.status)
		return
	}
	w.WriteHeader(kind.status)
	// A client that is gone needs no answer.
	_, _ = w.Write(append(text, '\n'))
}
