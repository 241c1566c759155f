package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// sampled is how many answers go by for each that is decoded and held against
// golden.parquet.
const sampled = 97

// reads measures reads for a purpose that stands on consent, by a client that may
// see some of its fields: most of those asked for agree.
func (b *bench) reads(ctx context.Context) error {
	p, err := b.newPlace(ctx, "reads", b.server)
	if err != nil {
		return err
	}
	s, err := p.serve(ctx)
	if err != nil {
		return err
	}
	list, err := b.persons(maxKnown)
	if err != nil {
		return err
	}
	if err := p.consents(s, list); err != nil {
		return err
	}
	l := load{s.address, b.connections, b.limit, nil, nil}
	read := func(c call) []byte {
		c.as, c.purpose = shop, newsletter
		return p.render(c)
	}
	var byID, byEmail, byRecord, bySearch [][]byte
	var emailed, searched []*person
	random := rand.New(rand.NewPCG(b.seed, 21))
	for i := range list {
		one := &list[i]
		byID = append(byID, read(call{method: "GET", path: "/v1/profiles/" + one.id}))
		byRecord = append(byRecord, read(call{method: "POST", path: "/v1/profiles:lookup", body: map[string]any{"record": keyed(one.record.key)}}))
		if email := one.golden["email"]; email != "" && one.own {
			byEmail = append(byEmail, read(call{method: "POST", path: "/v1/profiles:lookup", body: map[string]any{"identifier": map[string]string{"field": "email", "value": email}}}))
			emailed = append(emailed, one)
		}
		if fields := one.partial(random); fields != nil {
			bySearch = append(bySearch, read(call{method: "POST", path: "/v1/profiles:search", body: map[string]any{"fields": fields}}))
			searched = append(searched, one)
		}
	}
	if len(bySearch) == 0 || len(byEmail) == 0 {
		return errors.New("nobody has an e-mail address, or names and a birth date")
	}
	l.next, l.look = inTurn(byID), b.lookAt("profile by id", list)
	closed := b.rateAndTail(ctx, "profile by id", l, bounds{5000, 15000, 15, 5})
	b.table.tell("profile by id: p99 in the closed loop", "%s ms", number(quantile(closed.took, 0.99)))
	l.next, l.look = inTurn(byEmail), b.lookFor("lookup by e-mail", pointersAgree(emailed))
	b.rateAndTail(ctx, "lookup by e-mail", l, bounds{p99: 20, bestP99: 5})
	l.next, l.look = inTurn(byRecord), b.lookFor("lookup by record key", pointersAgree(pointers(list)))
	b.rateAndTail(ctx, "lookup by record key", l, bounds{p99: 20, bestP99: 5})
	l.next, l.look = inTurn(bySearch), nil
	b.rateAndTail(ctx, "search by partial record", l, bounds{p99: 50, bestP99: 10})
	b.searchFinds(s, bySearch, searched)
	m := s.memory()
	b.table.tell("reads: resident memory after them", "%s MiB, %s of no files", number(m.resident), number(m.anonymous))
	return errors.Join(s.stop(), p.verifyLog(ctx), p.remove())
}

// lookAt decodes some answers of profiles by id.
func (b *bench) lookAt(what string, list []person) func(n, status int, body []byte) bool {
	return func(n, status int, body []byte) bool {
		if n%sampled != 0 || status != 200 {
			return true
		}
		var got profile
		wrong := ""
		if err := json.Unmarshal(body, &got); err != nil {
			wrong = err.Error()
		} else {
			wrong = list[n%len(list)].wrongGolden(&got)
		}
		if wrong != "" {
			b.tell(what, wrong)
		}
		return wrong == ""
	}
}

// tell prints an example of what is counted elsewhere.
func (b *bench) tell(what, text string) { fmt.Fprintf(b.stderr, "%s: %s\n", what, text) }

// wanted is a person and whether a lookup must find it.
type wanted struct {
	*person
	found bool
}

func pointers(list []person) []*person {
	out := make([]*person, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

func pointersAgree(list []*person) []wanted {
	out := make([]wanted, len(list))
	for i, p := range list {
		out[i] = wanted{p, p.agrees}
	}
	return out
}

// lookFor decodes some answers of lookups: they must hold the person, unless it
// does not agree; then it must not be told of.
func (b *bench) lookFor(what string, list []wanted) func(n, status int, body []byte) bool {
	return func(n, status int, body []byte) bool {
		if n%sampled != 0 || status != 200 {
			return true
		}
		w := list[n%len(list)]
		var got struct {
			profiles
			More bool
		}
		if err := json.Unmarshal(body, &got); err != nil {
			b.tell(what, err.Error())
			return false
		}
		for i := range got.Profiles {
			if got.Profiles[i].IdentityID != w.id {
				continue
			}
			if wrong := w.wrongGolden(&got.Profiles[i]); wrong != "" || !w.found {
				b.tell(what, "a profile that must not be: "+wrong)
				return false
			}
			return true
		}
		if w.found && !got.More {
			b.tell(what, fmt.Sprintf("identity %s is not found, but %q", w.id, got.ids()))
			return false
		}
		return true
	}
}

// searchFinds says how often the person who was meant is the first match, of
// those who agree.
func (b *bench) searchFinds(s *server, requests [][]byte, list []*person) {
	l := &line{address: s.address}
	defer l.close()
	first, any, asked := 0, 0, 0
	for i := range min(len(list), 500) {
		if !list[i].agrees {
			continue
		}
		asked++
		status, body, err := l.do(requests[i])
		var got struct{ Matches []struct{ Profile profile } }
		if err == nil && status == 200 {
			err = json.Unmarshal(body, &got)
		}
		if err != nil || status != 200 {
			b.violated("search", "%d %v", status, err)
			return
		}
		for k, m := range got.Matches {
			if m.Profile.IdentityID != list[i].id {
				continue
			}
			if any++; k == 0 {
				first++
			}
		}
	}
	b.table.tell("search: the person is first, among the matches", "%.1f %%, %.1f %% of %d", 100*float64(first)/float64(max(1, asked)), 100*float64(any)/float64(max(1, asked)), asked)
}

// verifyLog verifies the access log of the state.
func (p *place) verifyLog(ctx context.Context) error {
	text, err := p.sama(ctx, append([]string{"audit", "verify", "--out", p.out}, p.state...)...)
	if err != nil {
		p.violated("access log", "%v %s", err, text)
	}
	return nil
}

// seconds is how long ago a server was started.
func seconds(s *server) float64 { return time.Since(s.began).Seconds() }
