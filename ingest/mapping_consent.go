package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sama/record"
)

// Consents are read from columns of yes and no whose names speak of marketing or
// of a channel of it. A name is understood only as a whole: every part of it is
// a word below. So a consent to something else (profiling, partners, cookies)
// is never taken for one to marketing; it stays what its values look like.

// DefaultPurpose is what consents are for whose mapping does not say.
const DefaultPurpose = "marketing"

// ConsentColumn is a column of the table that holds, for the records of one
// source, what persons agreed or refused to.
type ConsentColumn struct {
	Source  string
	Column  string // of the table
	Purpose string
	Channel string // "" = any
}

// consentWord is what a part of such a column's name says. Several may hold.
type consentWord struct {
	marketing bool
	permits   bool   // speaks of a permission
	refuses   bool   // turns the meaning round
	alone     bool   // says enough by itself
	channel   string // "any": of no channel in particular
}

// consentNames are the parts, folded, in English, Finnish, Swedish and German.
var consentNames = func() map[string]consentWord {
	m := make(map[string]consentWord)
	for _, l := range []struct {
		is    consentWord
		words string
	}{
		{consentWord{marketing: true}, `marketing directmarketing advertising promotions promotional markkinointi markkinoinnin suoramarkkinointi suoramarkkinoinnin mainonta mainonnan mainokset
			marknadsforing marknadsforings direktmarknadsforing reklam direktreklam werbung werbe direktwerbung werbemails`},
		{consentWord{marketing: true, channel: "email"}, `newsletter newsletters mailinglist emailmarketing uutiskirje uutiskirjeet uutiskirjeen nyhetsbrev rundbrief emailwerbung`},
		{consentWord{marketing: true, channel: "phone"}, `telemarketing telemyynti puhelinmyynti puhelinmarkkinointi telefonforsaljning telefonwerbung`},
		{consentWord{marketing: true, channel: "post"}, `directmail directmailing postimarkkinointi briefwerbung postwerbung`},
		{consentWord{permits: true}, `consent consents consented permission permissions allow allows allowed accept accepts accepted agree agrees agreed subscribe subscribes subscribed subscription
			can may lupa luvat suostumus suostumukset sallittu sallii hyvaksynta hyvaksynyt tilaus tilaa tilannut samtycke tillstand godkannande prenumeration prenumererar tillatet
			einwilligung zustimmung erlaubnis erlaubt abo abonnement abonniert`},
		{consentWord{permits: true, alone: true}, `optin optedin`},
		{consentWord{refuses: true}, `no not dont donot never suppress suppressed suppression refused objection objects kielletty kieltanyt sparr sparrad nej ej sperre gesperrt widerspruch kein keine verbot`},
		{consentWord{refuses: true, alone: true}, `optout optedout unsubscribe unsubscribed kielto kiellot esto estto donotcontact avregistrerad abgemeldet`},
		{consentWord{refuses: true, alone: true, channel: "phone"}, `donotcall donotphone`},
		{consentWord{refuses: true, alone: true, channel: "email"}, `donotemail`},
		{consentWord{refuses: true, alone: true, channel: "post"}, `donotmail`},
		{consentWord{channel: "email"}, `email emails epost eposti sahkoposti sahkopostin sahkopostitse sposti mejl`},
		{consentWord{channel: "sms"}, `sms text texts textmessage textmessages tekstiviesti tekstiviestit tekstari textmeddelande kurznachricht`},
		{consentWord{channel: "phone"}, `phone call calls calling telephone puhelin puhelimitse puhelu puhelut soitto soitot telefon samtal anruf anrufe telefonisch`},
		{consentWord{channel: "post"}, `post postal posti postitse letter letters kirje kirjeet brev brief`},
		{consentWord{channel: "any"}, `contact contacting yhteydenotto kontakt kontaktaufnahme`},
		{consentWord{}, `for to the of is has in on by via wants wants receive receives flag status subscriber general gdpr all customer customers client user person my direct suora asiakas kund kunde per for fur auf om av till`},
	} {
		for w := range strings.FieldsSeq(l.words) {
			m[w] = l.is
		}
	}
	return m
}()

// consentName takes a column's name apart and says what it is about: the
// channel, and whether a yes there is a refusal; ok is false for a name that
// does not speak of a consent to marketing.
func consentName(parts []string) (channel string, inverted, ok bool) {
	words, ok := consentParts(strings.Join(parts, ""))
	if !ok || words[len(words)-1] == "no" { // phone_no is a number
		return "", false, false
	}
	var all consentWord
	refusals, named, implied := 0, "", ""
	for _, word := range words {
		w := consentNames[word]
		all.marketing, all.permits, all.alone = all.marketing || w.marketing, all.permits || w.permits, all.alone || w.alone
		if w.refuses {
			refusals++
		}
		switch {
		case w.channel == "":
		case w.channel == "any":
			all.channel = "any"
		case w.marketing && (implied == "" || implied == w.channel): // a newsletter comes by e-mail, unless a channel is named
			implied = w.channel
		case !w.marketing && (named == "" || named == w.channel):
			named = w.channel
		default:
			return "", false, false // a column for two channels
		}
	}
	channel = cmp.Or(named, implied)
	reached := channel != "" || all.channel != ""
	if refusals > 1 || !all.marketing && !all.alone && !(reached && (all.permits || refusals > 0)) {
		return "", false, false
	}
	return channel, refusals > 0, true
}

// consentParts cuts a run-together name into words of consentNames, the longest
// first; ok is false if that cannot be done without a rest.
func consentParts(name string) (words []string, ok bool) {
	next := make([]int, len(name)+1) // place → the end of the word there; 0 = none leads to the end
	next[len(name)] = len(name)
	for from := len(name) - 1; from >= 0; from-- {
		for to := min(len(name), from+longestConsentName); to > from && next[from] == 0; to-- {
			if _, known := consentNames[name[from:to]]; known && next[to] > 0 {
				next[from] = to
			}
		}
	}
	for from := 0; from < len(name); from = next[from] {
		if next[from] == 0 {
			return nil, false
		}
		words = append(words, name[from:next[from]])
	}
	return words, len(words) > 0
}

// longestConsentName is the length of the longest word of consentNames.
var longestConsentName = func() (n int) {
	for w := range consentNames {
		n = max(n, len(w))
	}
	return n
}()

// consents reports a name that speaks of a consent to marketing.
func (c *candidate) consents() bool {
	_, _, ok := consentName(c.parts)
	return ok
}

// describeConsent says what a column of consents is about, and notes where a yes
// in it is a no.
func (p *proposal) describeConsent(m *ColumnMapping) {
	m.Purpose = DefaultPurpose
	m.Channel, m.Inverted, _ = consentName(nameParts(m.Column))
	if m.Inverted {
		p.note(m.Column, "a refusal: yes counts as deny of %s, no as nothing, for who has not refused has not agreed", m.Purpose)
	}
}

// checkConsent says what is wrong with what a mapping says of consents.
func (c ColumnMapping) checkConsent() error {
	if c.As != role(record.Consent) {
		if c.Purpose != "" || c.Channel != "" || c.Inverted {
			return errors.New("purpose, channel and inverted go with the role consent")
		}
		return nil
	}
	if !lowerWord(c.Purpose, "_-", 64) {
		return fmt.Errorf("purpose %q: want a lower-case word, such as marketing", c.Purpose)
	}
	if !lowerWord(c.Channel, "_", 32) {
		return fmt.Errorf("channel %q: want a lower-case word, such as email, sms, phone or post", c.Channel)
	}
	return nil
}

// lowerWord reports a lower-case letter followed by letters, digits and the marks
// allowed, or nothing.
func lowerWord(word, marks string, longest int) bool {
	for i, c := range []byte(word) {
		if !(c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || strings.IndexByte(marks, c) >= 0)) {
			return false
		}
	}
	return len(word) <= longest
}

// leastOf is the normal form of a list of consents: the least permissive of
// them; "" if one says neither.
func (c *columnBuilder) leastOf(list string) string {
	least := ""
	for item := range strings.SplitSeq(list, ListSeparator) {
		n := c.one(item)
		if n == "" {
			return ""
		}
		if least == "" || n < least {
			least = n
		}
	}
	return least
}

// reportConsents says which columns of the table hold whose consents.
func (b *builder) reportConsents(targets []*target) {
	for i := range b.sources {
		for _, t := range targets {
			if f := t.feeds[i]; f != nil && f.consent != nil {
				b.report.Consents = append(b.report.Consents, ConsentColumn{
					Source: b.sources[i].raw.Source, Column: t.name, Channel: f.consent.Channel,
					Purpose: f.consent.purpose(),
				})
			}
		}
	}
	slices.SortStableFunc(b.report.Consents, func(x, y ConsentColumn) int {
		if c := strings.Compare(x.Source, y.Source); c != 0 {
			return c
		}
		return strings.Compare(x.Column, y.Column)
	})
}

// purpose is what the consents of a column are for.
func (c ColumnMapping) purpose() string {
	if c.Purpose == "" {
		return DefaultPurpose
	}
	return c.Purpose
}
