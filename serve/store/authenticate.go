package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A secret is sama_, 32 random bytes in base64url, and the first 4 bytes of the
// SHA-256 of those 43 characters in base64url: what was cut or mistyped is told
// apart without the state, and a scanner of source code knows one when it sees
// it. The state has the SHA-256 of the whole; 256 random bits need no slower
// hash.
const secretPrefix = "sama_"

const (
	secretRandom = 43
	secretCheck  = 6
	secretLength = len(secretPrefix) + secretRandom + secretCheck
)

func newSecret(random io.Reader) (secret string, digest [32]byte, err error) {
	var raw [32]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", digest, fmt.Errorf("no random bytes for a secret: %w", err)
	}
	body := base64.RawURLEncoding.EncodeToString(raw[:])
	secret = secretPrefix + body + checkOf(body)
	return secret, sha256.Sum256([]byte(secret)), nil
}

func checkOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(sum[:4])
}

// wellFormed reports whether a text can be a secret.
func wellFormed(secret string) bool {
	if len(secret) != secretLength || !strings.HasPrefix(secret, secretPrefix) {
		return false
	}
	body, check := secret[len(secretPrefix):len(secretPrefix)+secretRandom], secret[len(secretPrefix)+secretRandom:]
	return checkOf(body) == check
}

// clientsFresh is how long the clients are trusted without a look at the
// state, and so how late the revocation by another process may be seen.
const clientsFresh = 250 * time.Millisecond

// clientCache has the clients by the digests of their secrets.
type clientCache struct {
	current atomic.Pointer[cachedClients]
	changes atomic.Int64 // those that this process made
	reading sync.Mutex   // held by the one who reads them anew
}

type cachedClients struct {
	revision int64
	changes  int64     // those of this process that it can be sure to have
	seen     time.Time // by Options.Now, when it was the state's
	secrets  map[[32]byte]cachedSecret
}

type cachedSecret struct {
	client  *Client
	expires time.Time
}

// forget makes the next Authenticate look.
func (c *clientCache) forget() { c.changes.Add(1) }

// fresh returns the clients if they may be trusted without a look.
func (c *clientCache) fresh(now time.Time) *cachedClients {
	known := c.current.Load()
	if known == nil || known.changes != c.changes.Load() {
		return nil
	}
	if age := now.Sub(known.seen); age < 0 || age >= clientsFresh {
		return nil
	}
	return known
}

// Authenticate returns the client that has a secret, false if there is none or
// it may not ask. The client is shared and must not be changed. It costs a hash
// and a look into a map, and every 250 ms a short statement, by which the
// changes of other processes are seen; where the state cannot be read the error
// says so and nobody is let in.
func (s *Store) Authenticate(ctx context.Context, secret string) (*Client, bool, error) {
	if !wellFormed(secret) {
		return nil, false, nil
	}
	now := s.opt.Now()
	clients, err := s.freshClients(ctx, now)
	if err != nil {
		return nil, false, s.failed("reading clients from", err)
	}
	found, ok := clients.secrets[sha256.Sum256([]byte(secret))]
	if !ok || !found.expires.IsZero() && !now.Before(found.expires) {
		return nil, false, nil
	}
	return found.client, true, nil
}

func (s *Store) freshClients(ctx context.Context, now time.Time) (*cachedClients, error) {
	if c := s.clients.fresh(now); c != nil {
		return c, nil
	}
	s.clients.reading.Lock()
	defer s.clients.reading.Unlock()
	if c := s.clients.fresh(now); c != nil {
		return c, nil
	}
	c, err := s.readCache(ctx, s.clients.current.Load(), now)
	if err != nil {
		return nil, err
	}
	s.clients.current.Store(c)
	return c, nil
}

// readCache reads the clients, unless those known are of the same revision.
func (s *Store) readCache(ctx context.Context, known *cachedClients, now time.Time) (*cachedClients, error) {
	c := &cachedClients{seen: now, changes: s.clients.changes.Load()}
	err := s.read.QueryRowContext(ctx, "SELECT last FROM heads WHERE name = $1", headClients).Scan(&c.revision)
	if err != nil {
		return nil, err
	}
	if known != nil && known.revision == c.revision {
		c.secrets = known.secrets
		return c, nil
	}
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		all, err := readClients(ctx, tx)
		if err != nil {
			return err
		}
		c.secrets = make(map[[32]byte]cachedSecret)
		for i := range all {
			if client := &all[i]; client.Revoked.IsZero() {
				for k, digest := range client.digests {
					c.secrets[digest] = cachedSecret{&client.Client, client.Secrets[k].Expires}
				}
			}
		}
		return nil
	})
	return c, err
}
