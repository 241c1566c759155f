package generate

import "bytes"

// drawEmail draws which address the record shows, if any, and its noise.
func (k *maker) drawEmail(ps *person, source, n int, r *stream, rates *noise, factor float64) {
	d, p := &k.d, k.p
	absent := r.chance(missing.email[source])
	switch {
	case absent:
		return
	case r.chance(rates.hubEmail * factor):
		d.email = k.holdString(hubEmails[r.int(len(hubEmails))])
		d.flags |= flagHubEmail
		return
	case r.chance(rates.junkEmail * factor):
		d.email = k.holdString(p.junkValue(r, "email"))
		d.flags |= flagJunkEmail
		return
	}
	owner, place, variant := p.emailOwner(&k.hh, ps, d.day, r), 0, 0
	c := p.contactOf(&k.hh, owner)
	place = latest(c.emails[:c.nEmails], d.day)
	switch {
	case owner != ps:
		d.flags |= flagFamilyEmail
	case source == webshop && c.second && r.chance(secondUsed):
		place = secondary
		d.flags |= flagSecondEmail
	case source == webshop && r.chance(missing.throwaway):
		place, variant = throwaway, n+1
		d.flags |= flagThrowaway
	}
	d.email = k.hold(func(b []byte) []byte { return p.appendEmail(b, &k.hh, owner, place, variant) })
	if r.chance(rates.email * factor) {
		k.replace(&d.email, flagEmailError, func(b, old []byte) []byte { return wrongEmail(b, r, old) })
	}
}

// wrongDomains are slips of the hand, the domain before its slips.
var wrongDomains = pairsOf(`gmail.com=gmail.con gmail.com=gmial.com gmail.com=gmail.co gmail.com=gmail.fi hotmail.com=hotmial.com
hotmail.com=hotmail.co hotmail.com=hotmail.fi outlook.com=outlok.com icloud.com=iclod.com luukku.com=luuku.com`)

// wrongEmail appends an address with a slip in the domain (30 %) or an edit in
// the local part.
func wrongEmail(b []byte, r *stream, email []byte) []byte {
	local, domain, _ := bytes.Cut(email, []byte("@"))
	if r.chance(0.3) {
		start := r.int(len(wrongDomains))
		for i := range wrongDomains {
			if w := wrongDomains[(start+i)%len(wrongDomains)]; w.fi == string(domain) {
				return append(append(append(b, local...), '@'), w.sv...)
			}
		}
	}
	b = misspell(b, r, local, false)
	for i := 0; i < len(b); i++ { // no keyboard types å, ä or ö into an address for long
		if b[i] >= 0x80 {
			b = append(b[:i], b[i+2:]...)
			i--
		}
	}
	return append(append(b, '@'), domain...)
}

// drawPhone draws which number the record shows, if any, and its noise.
func (k *maker) drawPhone(ps *person, source int, r *stream, rates *noise, factor float64) {
	d, p := &k.d, k.p
	absent := r.chance(missing.phone[source])
	switch {
	case absent:
		return
	case r.chance(rates.hubPhone * factor):
		d.phone = k.holdString(hubPhones[r.int(len(hubPhones))][1:])
		d.flags |= flagHubPhone
		return
	case r.chance(rates.junkPhone * factor):
		d.phone, d.rawPhone = k.holdString(p.junkValue(r, "phone")), true
		d.flags |= flagJunkPhone
		return
	}
	owner := p.phoneOwner(&k.hh, ps, d.day, r)
	c := p.contactOf(&k.hh, owner)
	line := latest(c.phones[:c.nPhones], d.day)
	switch {
	case owner != ps:
		d.flags |= flagFamilyPhone
	case source == service && c.workLine && r.chance(workPhoneUsed):
		line = 3
		d.flags |= flagWorkPhone
	}
	d.phone = k.hold(func(b []byte) []byte { return p.appendPhone(b, &k.hh, owner.member, line) })
	if r.chance(rates.phone * factor) {
		k.replace(&d.phone, flagPhoneError, func(b, old []byte) []byte {
			b = append(b, old...)
			at := len(b) - 7 + r.int(7)
			b[at] = '0' + (b[at]-'0'+1+byte(r.int(9)))%10
			return b
		})
	}
}

// drawAddress draws which address the record shows, if any, and its noise. Line,
// postal code and town are set together.
func (k *maker) drawAddress(ps *person, source int, r *stream, rates *noise, factor float64) {
	d, p := &k.d, k.p
	if r.chance(missing.address[source]) {
		d.flags |= flagNoAddress
		return
	}
	x := k.hh.home(ps, d.day)
	if r.chance(staleAddress) {
		if old := k.hh.earlierHome(ps, d.day); old != nil {
			x = old
			d.flags |= flagStale
		}
	}
	if source == webshop && r.chance(missing.gift) {
		gift := p.newHome(r, p.nextPlace(r, int(x.place)), d.day)
		x = &gift
		d.flags = d.flags&^flagStale | flagGift
	}
	m := &p.tab.places[x.place]
	swedishForm := m.swedishFirst
	if m.swedish != "" && !m.swedishFirst {
		rate := 0.01
		if ps.lang == swedish {
			rate = 0.7
		}
		if r.chance(rate) {
			swedishForm = true
			d.flags |= flagAddressSwedish
		}
	}
	style := r.float()
	d.street = k.hold(func(b []byte) []byte { return x.appendStreet(b, swedishForm, style) })
	code := &m.codes[x.code]
	d.postal = k.holdString(code.code)
	if swedishForm {
		d.city = k.holdString(code.citySwedish)
	} else {
		d.city = k.holdString(code.city)
	}
	k.spoilAddress(r, rates, factor)
}

func (k *maker) spoilAddress(r *stream, rates *noise, factor float64) {
	d := &k.d
	if r.chance(rates.junkAddress * factor) {
		d.street = k.holdString(k.p.junkValue(r, "address"))
		d.flags = d.flags&^flagStale | flagJunkAddress
	} else if r.chance(rates.address * factor) {
		k.replace(&d.street, flagAddressError, func(b, old []byte) []byte { return misspell(b, r, old, false) })
	}
	if r.chance(rates.postal * factor) {
		k.replace(&d.postal, flagPostalError, func(b, old []byte) []byte {
			b = append(b, old...)
			at := len(b) - 5 + r.weighted([]float64{4, 4, 20, 36, 36})
			b[at] = '0' + (b[at]-'0'+1+byte(r.int(9)))%10
			return b
		})
	}
}
