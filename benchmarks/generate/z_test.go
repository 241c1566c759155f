package generate

import (
	"context"
	"fmt"
	"testing"
)

func TestZ(t *testing.T) {
	p, _ := newPopulation(context.Background(), Options{Records: 100000, Seed: 3})
	hh := &household{}
	var all, crmc [10]int
	b := []float64{0, 14, 18, 25, 35, 45, 55, 65, 75, 85, 200}
	kids := 0
	N := 0
	for h := uint64(0); h < p.households; h++ {
		p.compose(hh, h)
		p.count(hh)
		for i := range hh.n {
			N++
			ps := &hh.persons[i]
			a := float64(windowEnd-ps.birth) / year
			if a < 18 {
				kids++
			}
			for j := range 10 {
				if a >= b[j] && a < b[j+1] {
					all[j]++
					if ps.counts[crm] > 0 {
						crmc[j]++
					}
				}
			}
		}
	}
	fmt.Println(N, kids, all, crmc)
}
