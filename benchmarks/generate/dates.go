package generate

// civil returns the Gregorian date of a day since 1970-01-01 (Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
func civil(day int32) (y, m, d int) {
	z := int(day) + 719468
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	if m > 12 {
		m -= 12
	}
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

func yearOf(day int32) int {
	y, _, _ := civil(day)
	return y
}

// appendISO writes YYYY-MM-DD.
func appendISO(b []byte, day int32) []byte {
	y, m, d := civil(day)
	return appendDate(b, y, m, d)
}

func appendDate(b []byte, y, m, d int) []byte {
	b = append(appendPadded(b, uint64(y), 4), '-')
	b = append(appendPadded(b, uint64(m), 2), '-')
	return appendPadded(b, uint64(d), 2)
}

// appendFinnish writes DD.MM.YYYY.
func appendFinnish(b []byte, day int32) []byte {
	y, m, d := civil(day)
	b = append(appendPadded(b, uint64(d), 2), '.')
	b = append(appendPadded(b, uint64(m), 2), '.')
	return appendPadded(b, uint64(y), 4)
}

var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// wrongBirth appends a birth date with one fault: day 44, month 28, year 22 % of
// faults; 31 % of these off by one; digits transposed 2.7 %, day and month
// swapped 0.5 %.
func wrongBirth(b []byte, r *stream, day int32) []byte {
	y, m, d := civil(day)
	switch u := r.float(); {
	case u < 0.005 && d <= 12 && d != m:
		m, d = d, m
	case u < 0.032 && d%10 != d/10 && d%10*10+d/10 <= 28 && d%10 > 0:
		d = d%10*10 + d/10
	default:
		step := 1
		if r.chance(0.5) {
			step = -1
		}
		near := r.chance(0.31)
		switch r.weighted([]float64{44, 28, 22}) {
		case 0:
			d = shiftWithin(r, d, step, near, monthDays[m])
		case 1:
			m = shiftWithin(r, m, step, near, 12)
		default:
			if !near {
				step *= 2 + r.int(9)
			}
			y += step
		}
	}
	return appendDate(b, y, m, min(d, monthDays[m]))
}

// shiftWithin returns another number of 1..n: the next one or any.
func shiftWithin(r *stream, x, step int, near bool, n int) int {
	if !near {
		step = 1 + r.int(n-1)
	}
	return (x-1+step+n)%n + 1
}

// years returns a span in days.
func years(n float64) int32 { return int32(n * year) }
