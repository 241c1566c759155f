package generate

import (
	"math"
	"strconv"
)

// A home is an address from a day on.
type home struct {
	from   int32
	place  uint16
	code   uint16 // index of the place's postal codes
	stem   uint16 // stems, or genitives when middle is named
	middle int8   // middles, or none, or named
	ending uint8
	number uint16
	stair  byte // 0 = a house of one's own
	flat   uint8
}

const (
	noMiddle = -1
	named    = -2
	always   = math.MinInt32
)

// newHome draws an address in a municipality.
func (p *population) newHome(r *stream, place int, from int32) home {
	m := &p.tab.places[place]
	x := home{from: from, place: uint16(place), middle: noMiddle}
	n := float64(len(m.codes))
	x.code = uint16(min(len(m.codes)-1, int(math.Pow(n+1, r.float()))-1)) // Zipf: code i holds log((i+2)/(i+1))
	x.ending = uint8(r.weighted(endingWeights))
	switch u := r.float(); {
	case u < 0.07 && !m.swedishFirst:
		x.middle = named
		x.stem = uint16(r.int(len(genitives)))
	case u < 0.45:
		x.middle = int8(r.int(len(middles)))
		fallthrough
	default:
		x.stem = uint16(r.int(len(stems)))
	}
	x.number = uint16(1 + r.int(60))
	if !r.chance(lowNumber) {
		x.number = uint16(61 + r.int(160))
	}
	kind := 0
	if m.town {
		kind = 1
	}
	if r.chance(inFlat[kind]) {
		x.stair = 'A' + byte(r.int(6))
		x.flat = uint8(1 + r.int(80))
	}
	return x
}

// settle draws where the household and those that leave it live over the window.
func (p *population) settle(hh *household) {
	r := p.stream(hh.h, forMoves, maxMembers, 0)
	hh.moves = append(hh.moves, p.newHome(&r, hh.place, always))
	hh.moves = p.moveOn(&r, hh.moves, hh.persons[0].birth, windowStart)
	for i := range hh.n {
		ps := &hh.persons[i]
		r := p.stream(hh.h, forMoves, i, 0)
		if age18 := ps.birth + years(18); !hh.adultSlot(i) && age18 < windowEnd {
			if left := age18 + years(12*r.float()); left <= windowEnd {
				ps.left = left
			}
		}
		if ps.left != 0 {
			near := int(homeAt(hh.moves, ps.left).place)
			ps.moves = append(ps.moves, p.newHome(&r, p.nextPlace(&r, near), ps.left))
			ps.moves = p.moveOn(&r, ps.moves, ps.birth, max(ps.left+years(2), windowStart))
		}
	}
}

func (p *population) nextPlace(r *stream, place int) int {
	if r.chance(moveNear) {
		return place
	}
	return int(p.tab.cells.ofCell[p.tab.cells.draw(r)].place)
}

// moveOn appends the moves of the years from a day to the end of the window, at
// the yearly rate of the age reached.
func (p *population) moveOn(r *stream, moves []home, birth, from int32) []home {
	for day := from; day < windowEnd; day += 365 {
		rate := 0.0
		for i, age := range moveAges {
			if float64(day-birth) >= float64(age)*year {
				rate = moveRates[i]
			}
		}
		if !r.chance(rate) {
			continue
		}
		on := day + int32(r.int(365))
		if on > windowEnd {
			break
		}
		place := int(moves[len(moves)-1].place)
		moves = append(moves, p.newHome(r, p.nextPlace(r, place), on))
	}
	return moves
}

// homeAt returns the last of the homes that began on or before a day.
func homeAt(moves []home, day int32) *home {
	at := &moves[0]
	for i := range moves {
		if moves[i].from <= day {
			at = &moves[i]
		}
	}
	return at
}

// home returns where a person lives on a day.
func (hh *household) home(ps *person, day int32) *home {
	if ps.left != 0 && day >= ps.left {
		return homeAt(ps.moves, day)
	}
	return homeAt(hh.moves, day)
}

// earlierHome returns where the person lived before the home of a day, nil when
// that is not known.
func (hh *household) earlierHome(ps *person, day int32) *home {
	x := hh.home(ps, day)
	if x.from == always {
		return nil
	}
	return hh.home(ps, x.from-1)
}

// appendStreet writes street, number, stair and flat. style picks how the flat
// is written: "B 12", "B12", "as. 12", "B as 12".
func (x *home) appendStreet(b []byte, swedish bool, style float64) []byte {
	from := len(b)
	switch {
	case x.middle == named:
		b = append(b, genitives[x.stem]...)
	case swedish:
		b = append(b, stems[x.stem].sv...)
		if x.middle >= 0 {
			b = append(b, middles[x.middle].sv...)
		}
	default:
		b = append(b, stems[x.stem].fi...)
		if x.middle >= 0 {
			b = append(b, middles[x.middle].fi...)
		}
	}
	if swedish && x.middle != named {
		b = append(b, endings[x.ending].sv...)
	} else {
		b = append(b, endings[x.ending].fi...)
	}
	capitalise(b[from:])
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(x.number), 10)
	if x.stair == 0 {
		return b
	}
	b = append(b, ' ')
	switch {
	case style < 0.68:
		b = append(b, x.stair, ' ')
	case style < 0.85:
		b = append(b, x.stair)
	case style < 0.93:
		b = append(b, "as. "...)
	case style < 0.985:
		b = append(b, x.stair)
		b = append(b, " as "...)
	default:
		b = append(b, x.stair+'a'-'A', ' ')
	}
	return strconv.AppendUint(b, uint64(x.flat), 10)
}
