package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// count writes 1234567 as "1 234 567", with narrow no-break spaces.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// percent writes a share: 12 %, 99.3 %, and never 100 % or 0 % of what is not
// quite all or nothing.
func percent(share float64) string {
	switch {
	case math.IsNaN(share):
		return "–"
	case share <= 0 || share >= 1:
		return fmt.Sprintf("%.0f\u00a0%%", 100*share)
	case share < 0.001:
		return "<\u00a00.1\u00a0%"
	case share > 0.999:
		return ">\u00a099.9\u00a0%"
	case share < 0.1 || share > 0.9:
		return fmt.Sprintf("%.1f\u00a0%%", 100*share)
	}
	return fmt.Sprintf("%.0f\u00a0%%", 100*share)
}

// probable writes a probability: no pair is quite certain, however much its
// weight rounds to it.
func probable(p float64) string { return percent(min(max(p, 1e-9), 1-1e-9)) }

// signed writes bits as "+3.2" or "−1.0".
func signed(bits float64) string {
	s := fmt.Sprintf("%+.1f", bits)
	return strings.Replace(s, "-", "−", 1)
}

// probability writes an m or u probability with three significant digits.
func probability(p float64) string { return strconv.FormatFloat(p, 'g', 3, 64) }

// sizeText writes a number of bytes in the unit that fits.
func sizeText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	x, u := float64(n), 0
	for x >= 1024 && u < len(units)-1 {
		x /= 1024
		u++
	}
	if u == 0 || x >= 100 {
		return fmt.Sprintf("%.0f %s", x, units[u])
	}
	return fmt.Sprintf("%.1f %s", x, units[u])
}

// rate writes how many items a second a stage worked through.
func rate(s Stage) string {
	if s.Items == 0 || s.Seconds <= 0 {
		return ""
	}
	return count(int64(float64(s.Items)/s.Seconds)) + " " + s.Unit + "/s"
}

// sizeGroup is one bar of the sizes.
type sizeGroup struct {
	label      string
	identities int64
}

// sizeGroups keeps sizes up to ten apart and groups larger ones.
func sizeGroups(sizes []Size) []sizeGroup {
	bounds := []struct {
		most  int64
		label string
	}{
		{1, "1 record"}, {2, "2"}, {3, "3"}, {4, "4"}, {5, "5"}, {6, "6"}, {7, "7"}, {8, "8"}, {9, "9"}, {10, "10"},
		{20, "11–20"}, {50, "21–50"}, {100, "51–100"}, {1000, "101–1000"}, {math.MaxInt64, "over 1000"},
	}
	counts := make([]int64, len(bounds))
	last := 0
	for _, s := range sizes {
		for i, b := range bounds {
			if s.Records <= b.most {
				counts[i] += s.Identities
				last = max(last, i)
				break
			}
		}
	}
	groups := make([]sizeGroup, last+1)
	for i := range groups {
		groups[i] = sizeGroup{bounds[i].label, counts[i]}
	}
	return groups
}
