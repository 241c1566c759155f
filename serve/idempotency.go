package serve

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"sama/serve/store"
)

// request makes the request that a change answers, nil if it has no idempotency
// key. What makes the request is its operation and its body.
func request(ctx context.Context, key *string) *store.Request {
	if key == nil {
		return nil
	}
	seen := seenOf(ctx)
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00", seen.op.pattern())
	h.Write(seen.body)
	return &store.Request{Client: seen.client.Name, Key: *key, Digest: [32]byte(h.Sum(nil))}
}

// answered returns what was answered to a request before; ok is false if it is
// new or has no key.
func answered[T any](ctx context.Context, s *Server, r *store.Request) (answer T, ok bool, err error) {
	if r == nil {
		return answer, false, nil
	}
	done, ok, err := s.Store.Answered(ctx, r)
	if err != nil || !ok {
		return answer, false, writeProblem(err)
	}
	answer, err = replayed[T](done)
	return answer, err == nil, err
}

// replayed reads an answer that was given before.
func replayed[T any](done store.Done) (answer T, err error) {
	if done.Status == store.StatusErased {
		return answer, refuse("idempotency_conflict", "the key was used for a request about somebody who was erased since; take a new key")
	}
	if err = json.Unmarshal(done.Body, &answer); err != nil {
		err = fmt.Errorf("an answer that was kept cannot be read: %w", err)
	}
	return answer, err
}

// remember makes the request keep an answer.
func remember[T any](r *store.Request, answer func(numbers []int64) T) *store.Request {
	if r == nil {
		return nil
	}
	r.Answer = func(numbers []int64) (int, []byte) {
		// The types of the contract can always be written.
		body, _ := json.Marshal(answer(numbers))
		return http.StatusOK, body
	}
	return r
}

// writeProblem is what a client is told when a change was not done.
func writeProblem(err error) error {
	var used *store.KeyUsedError
	var p *problem
	var wrong *RecordError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &used):
		return refuse("idempotency_conflict", "this idempotency key was used for another request; take a new one")
	case errors.As(err, &p), errors.As(err, &wrong):
		return err
	}
	return stateProblem(err)
}
