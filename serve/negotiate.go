package serve

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"sama/serve/api"
)

// eventStream is the media type of server-sent events.
const eventStream = "text/event-stream"

// negotiate chooses among the media types that an operation produces by the
// Accept headers of a request (RFC 9110, section 12.5.1): the one with the
// highest quality, of equal ones the one that stands first. An operation that
// produces nothing accepts anything, and problem+json, which any answer may be,
// is no reason to refuse.
func negotiate(accept []string, produces []string) (string, bool) {
	if len(produces) == 0 {
		return "", true
	}
	text := strings.TrimSpace(strings.Join(accept, ","))
	if text == "" || text == "*/*" || text == produces[0] {
		return produces[0], true
	}
	best, media := 0.0, ""
	for _, p := range produces {
		if q := quality(text, p); q > best {
			best, media = q, p
		}
	}
	return media, best > 0
}

// quality is what a list of media ranges thinks of a media type: the q of the
// most specific range that holds it, 0 if none does.
func quality(accept, media string) float64 {
	kind, _, _ := strings.Cut(media, "/")
	rank, q := 0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		r := 0
		switch name {
		case media:
			r = 3
		case kind + "/*":
			r = 2
		case "*/*":
			r = 1
		}
		if r > rank {
			rank, q = r, 1
			if text, ok := params["q"]; ok {
				if q, err = strconv.ParseFloat(text, 64); err != nil || !(q >= 0 && q <= 1) {
					q = 0
				}
			}
		}
	}
	return q
}

// matches reports whether an If-None-Match header names an entity tag, by weak
// comparison.
func matches(header *string, tag api.EntityTag) bool {
	if header == nil {
		return false
	}
	opaque := strings.TrimPrefix(tag, "W/")
	for part := range strings.SplitSeq(*header, ",") {
		if part = strings.TrimSpace(part); part == "*" || strings.TrimPrefix(part, "W/") == opaque {
			return true
		}
	}
	return false
}

// bearer returns the secret of an Authorization header, "" if there is none.
func bearer(h http.Header) string {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, secret, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(secret)
}
