package strsim

// The textbook definitions, on runes, by full tables: slow and obvious.

func refCommon(a, b string) (m, transposed, prefix, la, lb int) {
	x, y := []rune(a), []rune(b)
	la, lb = len(x), len(y)
	reach := max(la, lb)/2 - 1
	if reach < 0 {
		reach = 0
	}
	takenX, takenY := make([]bool, la), make([]bool, lb)
	for i := range x {
		for j := range y {
			if !takenY[j] && x[i] == y[j] && i-j <= reach && j-i <= reach {
				takenX[i], takenY[j] = true, true
				m++
				break
			}
		}
	}
	var left, right []rune
	for i := range x {
		if takenX[i] {
			left = append(left, x[i])
		}
	}
	for j := range y {
		if takenY[j] {
			right = append(right, y[j])
		}
	}
	for i := range left {
		if left[i] != right[i] {
			transposed++
		}
	}
	for prefix < 4 && prefix < la && prefix < lb && x[prefix] == y[prefix] {
		prefix++
	}
	return m, transposed, prefix, la, lb
}

func refJaro(a, b string) float64 {
	m, transposed, _, la, lb := refCommon(a, b)
	if la == 0 && lb == 0 {
		return 1
	}
	if m == 0 {
		return 0
	}
	return (float64(m)/float64(la) + float64(m)/float64(lb) + float64(m-transposed/2)/float64(m)) / 3
}

func refJaroWinkler(a, b string) float64 {
	_, _, prefix, _, _ := refCommon(a, b)
	sim := refJaro(a, b)
	if sim > 0.7 {
		sim += float64(float64(prefix) * 0.1 * (1 - sim)) // rounded, never fused
	}
	return sim
}

func table(rows, cols int) [][]int {
	t := make([][]int, rows)
	for i := range t {
		t[i] = make([]int, cols)
		t[i][0] = i
	}
	for j := range t[0] {
		t[0][j] = j
	}
	return t
}

func refLevenshtein(a, b string) int {
	x, y := []rune(a), []rune(b)
	d := table(len(x)+1, len(y)+1)
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
		}
	}
	return d[len(x)][len(y)]
}

func refOSA(a, b string) int {
	x, y := []rune(a), []rune(b)
	d := table(len(x)+1, len(y)+1)
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}

// refDamerau is the table of Lowrance and Wagner (1975), with every earlier
// cell as the possible start of a transposition instead of the last match only.
func refDamerau(a, b string) int {
	x, y := []rune(a), []rune(b)
	d := table(len(x)+1, len(y)+1)
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			best := min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			for k := 1; k < i; k++ {
				for l := 1; l < j; l++ {
					if x[k-1] == y[j-1] && x[i-1] == y[l-1] {
						best = min(best, d[k-1][l-1]+(i-k-1)+1+(j-l-1))
					}
				}
			}
			d[i][j] = best
		}
	}
	return d[len(x)][len(y)]
}
