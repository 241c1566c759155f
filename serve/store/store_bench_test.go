package store

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// callers is how many callers a benchmark has for each core.
const callers = 32

// eachDurably runs a benchmark on every database, PostgreSQL with waiting for
// the disk.
func eachDurably(b *testing.B, bench func(b *testing.B, s *Store)) {
	for _, on := range []backend{{"sqlite", func(t testing.TB) string { return filepath.Join(t.TempDir(), "state.db") }}, {"postgres", freshSchema}} {
		b.Run(on.name, func(b *testing.B) {
			s, err := Open(context.Background(), on.fresh(b), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if on.name == "postgres" {
				waitForDisk(b, s, "on")
				defer waitForDisk(b, s, "off")
			}
			b.SetParallelism(callers)
			b.ReportAllocs()
			bench(b, s)
		})
	}
}

func waitForDisk(b *testing.B, s *Store, on string) {
	b.Helper()
	for _, statement := range []string{"ALTER SYSTEM SET fsync = " + on, "SELECT pg_reload_conf()"} {
		if _, err := s.write.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
}

// durable measures calls of many callers.
func durable(b *testing.B, do func(i int64) error) {
	var n atomic.Int64
	start := time.Now()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(n.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "calls/s")
}

func BenchmarkPutRecords(b *testing.B) {
	eachDurably(b, func(b *testing.B, s *Store) {
		durable(b, func(i int64) error {
			_, err := s.PutRecords(ctx, online(1, int(i)), Also{Feed: []FeedEvent{{Kind: "attached", Identity: "id"}}, Request: request("shop", fmt.Sprint(i), "x")})
			return err
		})
	})
}

func BenchmarkAddConsents(b *testing.B) {
	eachDurably(b, func(b *testing.B, s *Store) {
		durable(b, func(i int64) error {
			_, err := s.AddConsents(ctx, []ConsentEvent{{Anchor: fmt.Sprintf("record:crm:%d", i*7919%1_000_003), Purpose: "mailing", Channel: "email", Controller: "shop", Act: "grant", Source: "page"}}, Also{Feed: []FeedEvent{{Kind: "consent", Identity: "id"}}})
			return err
		})
	})
}

func BenchmarkAppendAccess(b *testing.B) {
	eachDurably(b, func(b *testing.B, s *Store) {
		rows := reads(1)
		durable(b, func(i int64) error {
			row := rows[0]
			row.Identity = fmt.Sprintf("id-%d", i*7919%1_000_003)
			return s.AppendAccess(ctx, []Access{row})
		})
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	s, err := Open(context.Background(), filepath.Join(b.TempDir(), "state.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	_, secret, err := s.AddClient(ctx, "garage", []Role{RoleRead}, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := s.Authenticate(ctx, secret); !ok || err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatcher(b *testing.B) {
	k := &Keys{}
	if err := k.add(randomness(1)); err != nil {
		b.Fatal(err)
	}
	set := &TombstoneSet{keys: k, kinds: make(map[string][]versionSet)}
	h := k.Hasher()
	for i := range 100_000 {
		set.add("email", 1, h.Digest("email", fmt.Sprint(i)))
	}
	set.kinds["email"][0].sort()
	m := set.Matcher("email")
	b.ReportAllocs()
	for b.Loop() {
		m.Erased("kim.virtanen@example.org")
	}
}
