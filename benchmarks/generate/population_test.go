package generate

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func populationOf(t *testing.T, opt Options) *population {
	t.Helper()
	p, err := newPopulation(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPermuteIsOneToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(1, 3000).Draw(t, "n")
		key := rapid.Uint64().Draw(t, "key")
		seen := make([]bool, n)
		for x := range n {
			y := permute(x, n, key)
			if y >= n || seen[y] {
				t.Fatalf("%d of %d goes to %d", x, n, y)
			}
			seen[y] = true
		}
	})
}

// TestDealingAgreesWithCounting deals every household of a population and
// counts, with maps, what dealing says each household knows by itself.
func TestDealingAgreesWithCounting(t *testing.T) {
	p := populationOf(t, Options{Records: 60_000, Seed: 5})
	type fullName struct {
		surname, given string
		female         bool
	}
	holders, firsts, bearers := map[int]map[uint64]uint64{}, map[fullName]int{}, map[fullName]int{}
	hh := new(household)
	for h := range p.households {
		p.compose(hh, h)
		p.name(hh)
		of := holders[hh.surname]
		if of == nil {
			of = map[uint64]uint64{}
			holders[hh.surname] = of
		}
		if _, twice := of[hh.holder]; twice {
			t.Fatalf("two households are holder %d of surname %d", hh.holder, hh.surname)
		}
		of[hh.holder] = hh.holders
		for i := range hh.n {
			if ps := &hh.persons[i]; hh.adultSlot(i) {
				name := fullName{p.tab.surnames.entries[hh.surname].fold, ps.given[0].entry.fold, ps.female}
				bearers[name]++
				firsts[name] += one(p.tab.surnames.entries[hh.surname].owner && p.firstOfName(hh, ps))
			}
		}
	}
	for surname, of := range holders {
		for _, n := range of {
			if n != uint64(len(of)) {
				t.Fatalf("surname %d has %d households, one says %d", surname, len(of), n)
			}
		}
	}
	bare := 0
	for name, n := range firsts {
		if n > 1 {
			t.Errorf("%d adults are the first %v", n, name)
		}
		if other := (fullName{name.surname, name.given, !name.female}); firsts[other] > 0 && n > 0 {
			t.Errorf("a man and a woman are both the first %v", name)
		}
		bare += n
	}
	if bare < len(bearers)*7/10 {
		t.Errorf("only %d of %d full names have a first bearer", bare, len(bearers))
	}
}

func TestPersonalAddressesAndNumbersNameOneHousehold(t *testing.T) {
	p := populationOf(t, Options{Records: 60_000, Seed: 8})
	owner := map[string]uint64{}
	claim := func(h uint64, value []byte) {
		if other, taken := owner[string(value)]; taken && other != h {
			t.Errorf("%s belongs to households %d and %d", value, other, h)
		}
		owner[string(value)] = h
	}
	hh := new(household)
	var b []byte
	for h := range p.households {
		p.compose(hh, h)
		p.name(hh)
		for i := range hh.n {
			ps := &hh.persons[i]
			for place := range emailPlaces {
				b = p.appendEmail(b[:0], hh, ps, place, 0)
				claim(h, b)
				b = p.appendEmail(b[:0], hh, ps, place, 1)
				claim(h, b)
			}
			for line := range 4 {
				b = p.appendPhone(b[:0], hh, i, line)
				claim(h, b)
				b = p.appendPlate(b[:0], hh, i, line)
				claim(h, b)
			}
		}
	}
}

func TestCleanShowsTheTruth(t *testing.T) {
	p := populationOf(t, Options{Records: 8_000, Seed: 4, Noise: Clean})
	k := &maker{p: p}
	var running [sourceCount]uint64
	for h := range p.households {
		k.makeHousehold(h, &running, func(ps *person, source int, _ uint64) {
			if k.d.flags.isSet(noiseFlags) {
				t.Errorf("a clean record has %s", k.d.flags&noiseFlags)
			}
			surname := strings.ToUpper(string(ps.surnameAt(k.d.day).appendText(nil)))
			given := strings.ToUpper(ps.given[ps.call].entry.text)
			at := shownColumns[source]
			var name string
			if source == webshop {
				name = strings.Join(strings.Fields(strings.ToUpper(string(k.cells[0]))), " ") // upper, for the dotless i
				if name != given+" "+surname && name != surname+" "+given {
					t.Errorf("%s is called %s %s", name, given, surname)
				}
			} else {
				first := strings.ToUpper(string(k.cells[at[0]]))
				if got := strings.ToUpper(string(k.cells[at[1]])); got != surname || !strings.Contains(first, given) {
					t.Errorf("%s %s is called %s %s", first, got, given, surname)
				}
			}
			if phone := k.cells[at[3]]; len(phone) > 0 {
				var digits []byte
				for _, c := range phone {
					if c >= '0' && c <= '9' {
						digits = append(digits, c)
					}
				}
				found := false
				for i := range k.hh.n {
					for line := range 4 {
						found = found || bytes.HasSuffix(digits, p.appendPhone(nil, &k.hh, i, line))
					}
				}
				if !found {
					t.Errorf("%s is nobody's number in household %d", phone, h)
				}
			}
			if source == crm && len(k.cells[2]) > 0 && string(k.cells[2]) != string(appendISO(nil, ps.birth)) {
				t.Errorf("born %s, shown %s", appendISO(nil, ps.birth), k.cells[2])
			}
		})
	}
}

// TestShares compares shares that follow directly from rates.go, within five
// standard errors.
func TestShares(t *testing.T) {
	p := populationOf(t, Options{Records: 80_000, Seed: 12, Noise: Normal})
	dirty := populationOf(t, Options{Records: 80_000, Seed: 12, Noise: Dirty})
	households, sizes, helsinki, heads := 0, [6]int{}, 0, 0
	hh := new(household)
	for h := range p.households {
		p.compose(hh, h)
		households++
		sizes[hh.n]++
		if hh.n == 1 {
			heads++
			helsinki += one(p.tab.places[hh.place].name == "Helsinki")
		}
	}
	for i, want := range sizeWeights {
		near(t, "households of one size", want, sizes[i+1], households)
	}
	near(t, "lone heads in Helsinki", 656920.0/5533793, helsinki, heads, 0.03) // towns have fewer children
	normal, shifted := flagCounts(p), flagCounts(dirty)
	for _, c := range []struct {
		flag   recordFlag
		source int
		want   float64
	}{
		{flagTypoFirst, service, noiseRates[service].first}, {flagTypoSurname, webshop, noiseRates[webshop].surname},
		{flagSwapped, webshop, noiseRates[webshop].swapped}, {flagJunkName, service, noiseRates[service].junkName},
		{flagHubPhone, service, noiseRates[service].hubPhone * (1 - missing.phone[service])},
		{flagJunkEmail, crm, noiseRates[crm].junkEmail * (1 - missing.email[crm])},
		{flagPhoneError, crm, noiseRates[crm].phone * (1 - missing.phone[crm])},
		{flagGenderError, crm, noiseRates[crm].gender * (1 - missing.gender)},
		{flagNoAddress, service, missing.address[service]},
	} {
		near(t, c.flag.String(), c.want, normal[c.source][c.flag], int(p.total[c.source]), 0.002)
		if c.flag != flagNoAddress {
			near(t, "dirty "+c.flag.String(), 1.5*c.want, shifted[c.source][c.flag], int(p.total[c.source]), 0.003)
		}
	}
}

func flagCounts(p *population) (counts [sourceCount]map[recordFlag]int) {
	k := &maker{p: p}
	for s := range counts {
		counts[s] = map[recordFlag]int{}
	}
	var running [sourceCount]uint64
	for h := range p.households {
		k.makeHousehold(h, &running, func(_ *person, source int, _ uint64) {
			for f := k.d.flags; f != 0; f &= f - 1 {
				counts[source][f&-f]++
			}
		})
	}
	return counts
}

func near(t *testing.T, what string, want float64, part, whole int, slack ...float64) {
	t.Helper()
	allowed := 5 * math.Sqrt(want*(1-want)/float64(whole))
	for _, s := range slack {
		allowed += s
	}
	if got := float64(part) / float64(whole); math.Abs(got-want) > allowed {
		t.Errorf("%s: %.4f, expected %.4f", what, got, want)
	}
}

func TestCarelessnessHasMeanOne(t *testing.T) {
	sum, above := 0.0, 0
	for _, q := range carelessness {
		sum += q
		above += one(q > 1)
	}
	if mean := sum / float64(len(carelessness)); math.Abs(mean-1) > 1e-9 {
		t.Errorf("mean %v", mean)
	}
	// A log-normal of sigma 0.5 and mean 1 exceeds 1 with probability Φ(-0.25).
	if share := float64(above) / float64(len(carelessness)); math.Abs(share-0.4013) > 0.005 {
		t.Errorf("%.4f of persons are careless", share)
	}
}
