package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// benchSource makes a source of n customers whose values are mostly distinct.
func benchSource(b *testing.B, n int) *Raw {
	given := strings.Fields("Anna Matti Juha Liisa Maria Pekka Kari Helena Johannes Eeva")
	names := []string{"id", "full_name", "birth_date", "email", "phone", "address", "created_at"}
	rows := make([][]string, n)
	for i := range rows {
		family := fmt.Sprintf("Nimi%dnen", i%20_000)
		rows[i] = []string{
			fmt.Sprintf("C%07d", i), given[i%len(given)] + " " + family, fmt.Sprintf("%02d.%02d.%d", 1+i%28, 1+i/28%12, 1940+i/336%70),
			fmt.Sprintf("%s.%s%d@posti.fi", strings.ToLower(given[i%len(given)]), strings.ToLower(family), i), fmt.Sprintf("04%d %03d %04d", i%7, i/7%1000, i*37%10_000),
			fmt.Sprintf("Katu%dtie %d B %d, %05d Oulu", i%4000, i%90, i%70, 100+i%90_000), fmt.Sprintf("20%02d-%02d-%02dT%02d:%02d:%02dZ", i%25, 1+i%12, 1+i%28, i%24, i%60, i/60%60),
		}
	}
	return rawOfRows(b, "crm", names, rows)
}

func BenchmarkPropose(b *testing.B) {
	raws := []*Raw{benchSource(b, 200_000)}
	b.ReportAllocs()
	for b.Loop() {
		Propose(raws)
	}
	b.ReportMetric(float64(b.N)*200_000/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkBuild(b *testing.B) {
	raws := []*Raw{benchSource(b, 200_000)}
	m, _ := Propose(raws)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Build(context.Background(), raws, m, BuildOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*200_000/b.Elapsed().Seconds(), "records/s")
}
