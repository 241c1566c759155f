package match

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"sama/match/comparison"
	"sama/record"
)

// TestAddLogsIsExactToAUnit compares the integer log-sum with float64.
func TestAddLogsIsExactToAUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int32Range(-200_000, 200_000).Draw(t, "a")
		b := a + rapid.Int32Range(-20_000, 20_000).Draw(t, "difference")
		want := 1024 * math.Log2(math.Exp2(float64(a-b)/1024)+1)
		if got := float64(addLogs(a, b) - b); math.Abs(got-want) > 1 {
			t.Fatalf("addLogs(%d, %d) is %v above b, want %v", a, b, got, want)
		}
		if addLogs(a, b) != addLogs(b, a) {
			t.Fatal("not symmetric")
		}
	})
}

// TestWeightIsTheFormula compares compiled weights with the definition of
// Model in float64.
func TestWeightIsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.IntRange(1, MaxKinds).Draw(t, "kinds")
		probability := rapid.Float64Range(1e-5, 1)
		m := &Model{}
		for range kinds + 1 {
			m.Shares = append(m.Shares, probability.Draw(t, "share"))
		}
		var v comparison.Vector
		want := make([]float64, kinds+1)
		for k, share := range m.Shares {
			want[k] = math.Log2(share)
		}
		for c := range rapid.IntRange(1, comparison.MaxComparisons).Draw(t, "comparisons") {
			cm := ComparisonModel{Levels: []LevelModel{{}}}
			for range 3 {
				l := LevelModel{M: probability.Draw(t, "m")}
				for range kinds {
					l.U = append(l.U, probability.Draw(t, "u"))
				}
				cm.Levels = append(cm.Levels, l)
			}
			m.Comparisons = append(m.Comparisons, cm)
			v[c] = uint8(rapid.IntRange(0, 3).Draw(t, "level"))
			if v[c] > 0 {
				l := cm.Levels[v[c]]
				want[0] += math.Log2(l.M)
				for k := range kinds {
					want[k+1] += math.Log2(l.U[k])
				}
			}
		}
		sum := 0.0
		for _, l := range want[1:] {
			sum += math.Exp2(l)
		}
		got := m.compile().Of(&v).Bits()
		if weight := want[0] - math.Log2(sum); math.Abs(got-weight) > 0.02 {
			t.Fatalf("weight %v, want %v", got, weight)
		}
	})
}

// flatComparison is a comparison whose levels a test draws itself.
type flatComparison struct {
	name   string
	levels []comparison.Level
}

func (c *flatComparison) Name() string               { return c.name }
func (c *flatComparison) Levels() []comparison.Level { return c.levels }
func (c *flatComparison) Columns() []*record.Column  { return nil }
func (c *flatComparison) Compare(*comparison.Scratch, comparison.Rows, []record.Pair, []comparison.Vector, int) {
}

// TestTrainingRecoversKnownParameters draws vectors from a known mixture of
// matches and two kinds of non-match and expects training to find it again.
func TestTrainingRecoversKnownParameters(t *testing.T) {
	const pairs = 400_000
	shares := []float64{0.1, 0.3, 0.6}
	// Comparison → class → probability of agreement.
	agreement := [][]float64{{0.95, 0.9, 0.02}, {0.9, 0.05, 0.1}, {0.85, 0.1, 0.02}, {0.8, 0.03, 0.05}}
	traits := []comparison.Traits{comparison.OtherSame, comparison.BirthSame, comparison.ContactShared, comparison.OtherSame}
	var comparisons []comparison.Comparison
	for c := range agreement {
		comparisons = append(comparisons, &flatComparison{name: string(rune('a' + c)), levels: []comparison.Level{{},
			{Label: "same", Agree: 1, M: 0.9, Traits: traits[c]},
			{Label: "differs", Contra: 0.7, M: 0.1, Traits: comparison.OtherDiffers}}})
	}
	random := rand.New(rand.NewPCG(7, 1))
	counts := make(map[comparison.Vector]int64)
	for range pairs {
		class, u := 0, random.Float64()
		for u > shares[class] && class < 2 {
			u -= shares[class]
			class++
		}
		var v comparison.Vector
		for c, p := range agreement {
			v[c] = 2
			if random.Float64() < p[class] {
				v[c] = 1
			}
		}
		counts[v]++
	}
	c := &Candidates{Pairs: pairs}
	for v, n := range counts {
		c.Vectors = append(c.Vectors, Counted{v, n})
	}
	plan := &Plan{Table: new(record.Table), Comparisons: comparisons}
	m, err := plan.Train(c, 2)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(m.Shares[0]-0.1) > 0.01 {
		t.Errorf("share of matches %.4f, want 0.1", m.Shares[0])
	}
	for c, p := range agreement {
		if got := m.Comparisons[c].Levels[1].M; math.Abs(got-p[0]) > 0.03 {
			t.Errorf("comparison %d: m of agreement %.4f, want %.2f", c, got, p[0])
		}
	}
}

// TestSumsDoNotDependOnWorkers trains with different numbers of workers.
func TestSumsDoNotDependOnWorkers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	comparisons := []comparison.Comparison{}
	for range 5 {
		comparisons = append(comparisons, &flatComparison{levels: []comparison.Level{{}, {Agree: 1, M: 0.8}, {M: 0.1}, {Contra: 1, M: 0.1}}})
	}
	c := &Candidates{}
	for range 20_000 {
		var v comparison.Vector
		for i := range comparisons {
			v[i] = uint8(random.IntN(4))
		}
		c.Vectors = append(c.Vectors, Counted{v, int64(1 + random.IntN(9))})
		c.Pairs += c.Vectors[len(c.Vectors)-1].Pairs
	}
	plan := &Plan{Table: new(record.Table), Comparisons: comparisons}
	one, err := plan.Train(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{2, 7} {
		other, err := plan.Train(c, workers)
		if err != nil {
			t.Fatal(err)
		}
		for i := range one.Comparisons {
			for l := range one.Comparisons[i].Levels {
				if one.Comparisons[i].Levels[l].M != other.Comparisons[i].Levels[l].M {
					t.Fatalf("%d workers: comparison %d level %d differs", workers, i, l)
				}
			}
		}
	}
}
