package run

import (
	"context"
	"testing"
)

// BenchmarkPublish writes whole run directories. 92,000 records is the size of
// a usual trial; the time includes syncing to disk.
func BenchmarkPublish(b *testing.B) {
	for name, n := range map[string]int{"92k": 92_000, "1M": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			if n > 100_000 && testing.Short() {
				b.Skip("large")
			}
			c := sample(b, n, 1)
			c.Report = make([]byte, 900_000)
			dir := b.TempDir()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Publish(context.Background(), dir, c, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
