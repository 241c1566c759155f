package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sama/record"
)

// writes measures records that come one by one, half of them new and half
// changed, and consents, each of which the very next read of another client must
// obey.
func (b *bench) writes(ctx context.Context) error {
	p, err := b.newPlace(ctx, "writes", b.server)
	if err != nil {
		return err
	}
	s, err := p.serve(ctx)
	if err != nil {
		return err
	}
	look := &line{address: s.address}
	defer look.close()
	var one sync.Mutex // guards look
	l := load{s.address, b.connections, b.limit, func(n int) []byte {
		key, fields := b.silos.arriving(n, b.seed)
		return p.put("", record1{key, fields})
	}, func(n, status int, body []byte) bool {
		if n%sampled != 0 || status != 200 {
			return true
		}
		one.Lock()
		defer one.Unlock()
		return p.visible(look, body)
	}}
	p.rateAndTail(ctx, "record", l, bounds{300, 2000, 50, 10})
	m := s.memory()
	b.table.tell("writes: resident memory after them", "%s MiB, %s of no files", number(m.resident), number(m.anonymous))
	if err := errors.Join(s.stop(), p.verifyLog(ctx), p.remove()); err != nil {
		return err
	}
	return b.consentsObeyed(ctx)
}

// record1 is a record to send.
type record1 struct {
	key    record.Key
	fields map[string]string
}

// put renders a request that puts records.
func (p *place) put(key string, records ...record1) []byte {
	return p.render(putCall(key, records...))
}

func putCall(key string, records ...record1) call {
	list := make([]map[string]any, len(records))
	for i, r := range records {
		list[i] = keyed(r.key)
		list[i]["fields"] = r.fields
	}
	return call{method: "POST", path: "/v1/records", as: owner, key: key, body: map[string]any{"records": list}}
}

// taken is what became of records.
type taken struct {
	Records []struct {
		Source     string
		RecordID   string `json:"record_id"`
		Outcome    string
		IdentityID string `json:"identity_id"`
	}
}

// visible reads back the record of an answer, as another client: it must be
// found under the identity that the answer names. Somebody else may have sent the
// same record again in the meantime, so that a look at another identity is done
// once more.
func (p *place) visible(l *line, body []byte) bool {
	var got taken
	if err := json.Unmarshal(body, &got); err != nil || len(got.Records) != 1 {
		p.tell("record", fmt.Sprintf("%v %s", err, body))
		return false
	}
	r := got.Records[0]
	found, err := p.whose(l, record.Key{Source: r.Source, ID: r.RecordID})
	if err != nil || found != r.IdentityID {
		p.tell("record", fmt.Sprintf("%s:%s was put into identity %s, and is read in %q (%v)", r.Source, r.RecordID, r.IdentityID, found, err))
		return false
	}
	return true
}

// whose looks a record up and returns its identity, "" if there is none.
func (p *place) whose(l *line, k record.Key) (string, error) {
	var got profiles
	err := p.ask(l, call{method: "POST", path: "/v1/profiles:lookup", as: desk, purpose: service, body: map[string]any{"record": keyed(k)}}, &got)
	return got.ids(), err
}

// consentsObeyed lets several writers withdraw and grant consents, each of its
// own persons, and reads after each as another client on another connection. No
// records come meanwhile: they could bring other contact points.
func (b *bench) consentsObeyed(ctx context.Context) error {
	p, err := b.newPlace(ctx, "consents", b.server)
	if err != nil {
		return err
	}
	s, err := p.serve(ctx)
	if err != nil {
		return err
	}
	list, err := p.persons(2000)
	if err != nil {
		return err
	}
	if err := p.consents(s, list); err != nil {
		return err
	}
	var agreeing []*person
	for i := range list {
		if list[i].agrees && list[i].golden["email"] != "" {
			agreeing = append(agreeing, &list[i])
		}
	}
	if len(agreeing) == 0 {
		return errors.New("nobody agrees")
	}
	const writers = 4
	var work sync.WaitGroup
	var mu sync.Mutex // guards took and failed
	var took []uint32
	var failed error
	disobeyed := 0
	for w := range writers {
		work.Go(func() {
			own := agreeing[w*len(agreeing)/writers : (w+1)*len(agreeing)/writers]
			t, wrong, err := p.changeMinds(ctx, s, own)
			mu.Lock()
			defer mu.Unlock()
			took, disobeyed, failed = append(took, t...), disobeyed+wrong, errors.Join(failed, err)
		})
	}
	work.Wait()
	if failed != nil {
		return failed
	}
	slices.Sort(took)
	p.table.tell("consent: rate", "%s/s of %d writers that read after each", number(float64(len(took))/p.limit.Seconds()), writers)
	p.table.tell("consent: p50", "%s ms", number(quantile(took, 0.5)))
	p.table.atMost("consent: p99", " ms", quantile(took, 0.99), 20, 0)
	p.table.none(fmt.Sprintf("consent: next reads that did not obey, of %d", len(took)), disobeyed)
	return errors.Join(s.stop(), p.verifyLog(ctx), p.remove())
}

// changeMinds withdraws and grants in turn, and returns how long each took and
// how many reads did not obey.
func (p *place) changeMinds(ctx context.Context, s *server, own []*person) (took []uint32, wrong int, err error) {
	writer, reader := &line{address: s.address}, &line{address: s.address}
	defer writer.close()
	defer reader.close()
	end := time.Now().Add(p.limit)
	for n := 0; ctx.Err() == nil && len(own) > 0 && time.Now().Before(end); n++ {
		one := own[n%len(own)]
		act, granted := "withdraw", false
		if n/len(own)%2 == 1 {
			act, granted = "grant", true
		}
		request := p.render(call{method: "POST", path: "/v1/consents", as: owner, body: map[string]any{"events": []any{said(one.record.key, act)}}})
		began := time.Now()
		status, body, err := writer.do(request)
		took = append(took, uint32(time.Since(began).Microseconds()))
		if err != nil || status != 200 {
			return took, wrong, fmt.Errorf("consent: %d %s %w", status, body, err)
		}
		var got profile
		if err := p.ask(reader, call{method: "GET", path: "/v1/profiles/" + one.id, as: shop, purpose: newsletter}, &got); err != nil {
			return took, wrong, err
		}
		if _, released := got.Golden["email"]; released != granted || !granted && len(got.Golden) > 0 {
			wrong++
			p.violated("consent", "identity %s after %s of record %v: the next read released %v", one.id, act, one.record.key, got.Golden)
		}
	}
	return took, wrong, ctx.Err()
}
