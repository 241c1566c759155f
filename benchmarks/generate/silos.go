package generate

import "bytes"

// columns are the columns of the silos after record_id, the first.
var columns = [sourceCount][]string{
	crm: {"first_names", "last_name", "birth_date", "gender", "email", "phone", "street_address", "postal_code", "city", "language",
		"customer_type", "company_name", "created_at", "updated_at"},
	service: {"surname", "forename", "phone1", "phone2", "email", "address", "plate", "company", "first_visit", "last_visit"},
	webshop: {"full_name", "email", "mobile", "address_line1", "address_line2", "zip", "town", "country", "is_guest", "company", "registered_at"},
}

// recordPrefix starts the record ids of a source.
var recordPrefix = [sourceCount]byte{crm: 'C', service: 'S', webshop: 'W'}

// make makes record number n of a person in a source. The cells, one per entry
// of columns, are valid until the next call; empty means null.
func (k *maker) make(ps *person, source, n int) {
	r := k.draftOf(ps, source, n)
	if k.cells == nil {
		k.cells = make([][]byte, 0, 16)
	}
	k.cells = k.cells[:0]
	switch source {
	case crm:
		k.makeCRM(ps, &r)
	case service:
		k.makeService(ps, &r)
	default:
		k.makeWebshop(ps, &r)
	}
}

func (k *maker) cell(text []byte) { k.cells = append(k.cells, text) }

func (k *maker) upper(text []byte) []byte {
	return k.hold(func(b []byte) []byte { return appendUpper(b, text) })
}

func (k *maker) lower(text []byte) []byte {
	return k.hold(func(b []byte) []byte { return appendLower(b, text) })
}

func (k *maker) makeCRM(ps *person, r *stream) {
	d := &k.d
	rates, factor := &noiseRates[crm], ps.care*k.p.opt.Noise.shift()
	if r.chance(missing.upperCRM) {
		d.first, d.last = k.upper(d.first), k.upper(d.last)
	}
	k.cell(d.first)
	k.cell(d.last)
	k.cell(k.birthCell(ps, r, rates, factor))
	k.cell(k.genderCell(ps, r, rates, factor))
	k.cell(d.email)
	k.cell(k.phoneCell([]float64{20, 60, 20}, r))
	k.cell(d.street)
	k.cell(d.postal)
	if r.chance(0.5) {
		d.city = k.upper(d.city)
	}
	k.cell(d.city)
	k.cell(k.languageCell(ps, r))
	company := k.companyCell(ps, crm, r)
	if len(company) > 0 {
		k.cell(k.holdString("B2B"))
	} else {
		k.cell(k.holdString("B2C"))
	}
	k.cell(company)
	k.cell(k.hold(func(b []byte) []byte { return appendISO(b, d.day) }))
	if r.chance(missing.updated) {
		k.cell(nil)
		return
	}
	updated := min(windowEnd, d.day+int32(r.int(801)))
	k.cell(k.hold(func(b []byte) []byte { return appendISO(b, updated) }))
}

func (k *maker) makeService(ps *person, r *stream) {
	d := &k.d
	if r.chance(missing.upperName) {
		d.last = k.upper(d.last)
	}
	if r.chance(0.02) {
		d.first = k.upper(d.first)
	}
	k.cell(d.last)
	k.cell(d.first)
	k.cell(k.phoneCell([]float64{40, 20, 20, 20}, r))
	k.cell(nil)
	k.cell(d.email)
	noPostal := r.chance(missing.postal)
	if len(d.street) > 0 {
		k.cell(k.hold(func(b []byte) []byte {
			b = append(append(b, d.street...), ", "...)
			if !noPostal {
				b = append(b, d.postal...)
			}
			return appendUpper(append(b, ' '), d.city)
		}))
	} else {
		k.cell(nil)
	}
	k.cell(k.plateCell(ps, r))
	k.cell(k.companyCell(ps, service, r))
	k.cell(k.hold(func(b []byte) []byte { return appendFinnish(b, d.day) }))
	last := min(windowEnd, d.day+int32(r.int(1201)))
	k.cell(k.hold(func(b []byte) []byte { return appendFinnish(b, last) }))
}

func (k *maker) makeWebshop(ps *person, r *stream) {
	d := &k.d
	k.cell(k.fullNameCell(r))
	if r.chance(0.03) {
		d.email = k.upper(d.email)
	}
	k.cell(d.email)
	k.cell(k.phoneCell([]float64{33.4, 11.1, 11.1, 11.1, 11.1, 11.1, 11.1}, r))
	if len(d.street) > 0 && r.chance(missing.pickup) {
		care := r.chance(0.5)
		point := pickups[r.int(len(pickups))]
		k.cell(k.hold(func(b []byte) []byte {
			if care {
				b = append(b, "c/o "...)
			}
			return append(b, point...)
		}))
		k.cell(d.street)
	} else {
		k.cell(d.street)
		k.cell(nil)
	}
	if prefix := r.chance(0.03); prefix && len(d.postal) > 0 {
		d.postal = k.hold(func(b []byte) []byte { return append(append(b, "FI-"...), d.postal...) })
	}
	k.cell(d.postal)
	switch u := r.float(); {
	case u < 0.28:
		d.city = k.upper(d.city)
	case u < 0.40:
		d.city = k.lower(d.city)
	}
	k.cell(d.city)
	if r.chance(missing.country) {
		k.cell(nil)
	} else {
		k.cell(k.choice(r, countries))
	}
	k.cell(k.choice(r, guests))
	k.cell(k.companyCell(ps, webshop, r))
	k.cell(k.hold(func(b []byte) []byte {
		b = append(appendISO(b, d.day), 'T')
		for i, n := range [3]int{24, 60, 60} {
			if i > 0 {
				b = append(b, ':')
			}
			b = appendPadded(b, r.below(uint64(n)), 2)
		}
		return append(b, 'Z')
	}))
}

// An option is a text chosen in a share of records.
type option struct {
	share float64
	text  string
}

var (
	countries = []option{{0.6, "FI"}, {0.2, "Finland"}, {0.2, "Suomi"}}
	guests    = []option{{0.45, "true"}, {0.55, "false"}}
)

func (k *maker) choice(r *stream, options []option) []byte {
	u := r.float()
	for _, o := range options {
		if u -= o.share; u < 0 {
			return k.holdString(o.text)
		}
	}
	return k.holdString(options[len(options)-1].text)
}

// fullNameCell joins the names: 7 % surname first, 12 % lower case, 2.5 % upper
// case, 2 % two spaces.
func (k *maker) fullNameCell(r *stream) []byte {
	d := &k.d
	a, b := d.first, d.last
	if r.chance(0.07) && len(b) > 0 && !d.flags.isSet(flagJunkName) {
		a, b = b, a
	}
	twice := r.chance(0.02)
	name := k.hold(func(x []byte) []byte {
		x = append(x, a...)
		if len(a) > 0 && len(b) > 0 {
			x = append(x, ' ')
			if twice {
				x = append(x, ' ')
			}
		}
		return append(x, b...)
	})
	switch u := r.float(); {
	case u < 0.12:
		return k.lower(name)
	case u < 0.145:
		return k.upper(name)
	}
	return name
}

func (k *maker) birthCell(ps *person, r *stream, rates *noise, factor float64) []byte {
	absent := r.chance(missing.birth)
	if r.chance(rates.junkBirth * factor) {
		k.d.flags |= flagJunkBirth
		return k.holdString(k.p.junkValue(r, "date_of_birth"))
	}
	if absent {
		return nil
	}
	birth := ps.birth
	if r.chance(rates.birthCopied*factor) && k.hh.n > 1 {
		if other := &k.hh.persons[r.int(k.hh.n)]; other.birth != birth {
			birth = other.birth
			k.d.flags |= flagBirthCopied
		}
	}
	right := k.hold(func(b []byte) []byte { return appendISO(b, birth) })
	if r.chance(rates.birth * factor) {
		k.replace(&right, flagBirthError, func(b, _ []byte) []byte { return wrongBirth(b, r, birth) })
	}
	return right
}

func (k *maker) genderCell(ps *person, r *stream, rates *noise, factor float64) []byte {
	if r.chance(missing.gender) {
		return nil
	}
	female := ps.female
	if r.chance(rates.gender * factor) {
		female = !female
		k.d.flags |= flagGenderError
	}
	if female {
		return k.holdString("N")
	}
	return k.holdString("M")
}

// languageCell shows Swedish as sv, half of the others as en and all else as fi.
func (k *maker) languageCell(ps *person, r *stream) []byte {
	if r.chance(missing.language) {
		return nil
	}
	switch {
	case ps.lang == swedish:
		return k.holdString("sv")
	case ps.lang >= firstForeign && ps.birth%2 == 0:
		return k.holdString("en")
	}
	return k.holdString("fi")
}

// phoneCell writes the draft's number in one of the formats of appendPhoneAs.
func (k *maker) phoneCell(formats []float64, r *stream) []byte {
	d := &k.d
	format := r.weighted(formats)
	if len(d.phone) == 0 || d.rawPhone {
		return d.phone
	}
	return k.hold(func(b []byte) []byte { return appendPhoneAs(b, d.phone, format) })
}

// appendPhoneAs writes a national number without its leading 0 as
//
//	0 0401234567   1 +358401234567     2 040 123 4567      3 040-1234567
//	4 00358401234567   5 +358 40 123 4567   6 +358(0)40 1234567
func appendPhoneAs(b, n []byte, format int) []byte {
	area, rest := n[:2], n[2:]
	switch format {
	case 0:
		return append(append(b, '0'), n...)
	case 1:
		return append(append(b, "+358"...), n...)
	case 2:
		b = append(append(append(b, '0'), area...), ' ')
		b = append(append(b, rest[:3]...), ' ')
		return append(b, rest[3:]...)
	case 3:
		b = append(append(append(b, '0'), area...), '-')
		return append(b, rest...)
	case 4:
		return append(append(b, "00358"...), n...)
	case 5:
		b = append(append(append(b, "+358 "...), area...), ' ')
		b = append(append(b, rest[:3]...), ' ')
		return append(b, rest[3:]...)
	}
	b = append(append(append(b, "+358(0)"...), area...), ' ')
	return append(b, rest...)
}

// plateCell writes the plate of the car in use, with its faults.
func (k *maker) plateCell(ps *person, r *stream) []byte {
	absent := r.chance(missing.plate)
	rates, factor := &noiseRates[service], ps.care*k.p.opt.Noise.shift()
	if r.chance(rates.plateJunk * factor) {
		k.d.flags |= flagJunkPlate
		return k.holdString(k.p.junkValue(r, "plate"))
	}
	if absent {
		return nil
	}
	line, n := k.p.car(&k.hh, ps, k.d.day)
	plate := k.hold(func(b []byte) []byte { return k.p.appendPlate(b, &k.hh, line, n) })
	if r.chance(rates.plateTypo * factor) {
		k.replace(&plate, flagPlateError, func(b, old []byte) []byte {
			b = append(b, old...)
			at := len(b) - 1 - r.int(len(old)-4)
			if r.chance(0.5) {
				at = len(b) - len(old) + r.int(3)
				b[at] = 'A' + (b[at]-'A'+1+byte(r.int(25)))%26
				return b
			}
			b[at] = '0' + (b[at]-'0'+1+byte(r.int(9)))%10
			return b
		})
	}
	if r.chance(0.10) {
		return bytes.ReplaceAll(plate, []byte("-"), nil)
	}
	return plate
}

// companyCell names the person's firm in a share of its owner's records.
func (k *maker) companyCell(ps *person, source int, r *stream) []byte {
	used := r.chance(firmUsed[source])
	if !used || ps.age(k.d.day) < 25 || !k.p.contactOf(&k.hh, ps).firm {
		return nil
	}
	b := k.p.stream(k.hh.h, forBusiness, ps.member, 0)
	name := ps.surnameAt(ps.birth + years(25))
	other := k.p.tab.surnames.entries[b.int(k.p.tab.listed)].text
	first := ps.given[ps.call].entry.text
	form := b.int(6)
	return k.hold(func(x []byte) []byte {
		switch form {
		case 0:
			x = append(append(append(x, "Tmi "...), first...), ' ')
			return name.appendText(x)
		case 1:
			return name.appendText(append(x, "T:mi "...))
		case 2:
			return append(name.appendText(append(x, "Rakennus "...)), " Oy"...)
		case 3:
			return append(name.appendText(append(x, "LVI-"...)), " Oy"...)
		case 4:
			x = append(name.appendText(x), " & "...)
			return append(append(x, other...), " Ky"...)
		}
		return append(name.appendText(x), " Oy"...)
	})
}
