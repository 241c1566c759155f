package generate

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

func TestY(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	seed, _ := strconv.Atoi(os.Getenv("S"))
	loadTables()
	st := time.Now()
	m, err := Run(context.Background(), Options{Records: n, Seed: uint64(seed)}, os.Getenv("D"), nil)
	fmt.Println(time.Since(st), err)
	fmt.Printf("%+v\n", m.Counts)
	for _, c := range m.Checks {
		fmt.Printf("%-62s want %.4f got %.4f %v\n", c.Name, c.Want, c.Got, c.OK)
	}
	for _, c := range m.Files {
		fmt.Println(c)
	}
}
