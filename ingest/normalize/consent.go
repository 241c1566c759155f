package normalize

import "strings"

// The two things that a person can say of a use of their data.
const (
	Granted = "grant"
	Denied  = "deny"
)

// answers are folded words that answer a question, so that what they mean turns
// round with it: "do not call: yes".
var answers = consentWords(
	`yes y true t 1 on x kylla kyl k joo ja j jo jawohl checked ticked enabled`,
	`no n false f 0 off ei e nej nein unchecked unticked disabled`)

// statements are folded words that speak of the consent itself and mean the same
// whatever the column is called.
var statements = consentWords(
	`granted|grant|given|allowed|allow|permitted|accepted|accept|agreed|agree|consented|consent|consent given|opt in|optin|opted in|in|subscribed|
	sallittu|sallii|salli|saa lahettaa|annettu|hyvaksytty|hyvaksyn|hyvaksyy|suostunut|suostuu|tilattu|tilaa|tilannut|
	tillatet|tillaten|tillat|godkant|godkand|beviljat|samtycke|samtycker|samtyckt|prenumererar|
	erlaubt|zugestimmt|einverstanden|erteilt|eingewilligt|akzeptiert|abonniert|angemeldet`,
	`denied|deny|refused|refuse|declined|rejected|forbidden|not allowed|not granted|withdrawn|revoked|opt out|optout|opted out|out|unsubscribed|do not contact|
	kielletty|kielto|kieltaa|kieltanyt|estetty|ei sallittu|ei saa lahettaa|ei annettu|ei hyvaksytty|ei suostunut|peruttu|peruutettu|perunut|
	nekad|nekat|avbojt|forbjudet|ej tillatet|inte tillatet|ej godkant|aterkallat|avregistrerad|avslutad|avanmald|
	verweigert|abgelehnt|widerrufen|untersagt|verboten|nicht erlaubt|nicht erteilt|abgemeldet`)

// consentWords maps the words of two lists, which bars part, or spaces where
// there are none.
func consentWords(granted, denied string) map[string]string {
	m := make(map[string]string)
	for _, list := range []struct{ words, means string }{{granted, Granted}, {denied, Denied}} {
		split := strings.Fields(list.words)
		if strings.Contains(list.words, "|") {
			split = strings.Split(list.words, "|")
		}
		for _, w := range split {
			m[strings.TrimSpace(w)] = list.means
		}
	}
	return m
}

// Consent returns grant or deny; what says neither gives "".
func Consent(s string) string {
	w, ok := consentWord(s)
	if !ok {
		return ""
	}
	if means := statements[w]; means != "" {
		return means
	}
	return answers[w]
}

// Refusal is Consent for a column that asks whether the person refused: yes is
// deny there, and no is nothing, for who has not refused has not agreed. Words
// that speak of the consent itself (opt-out, kielletty) mean what they mean
// elsewhere.
func Refusal(s string) string {
	w, ok := consentWord(s)
	if !ok {
		return ""
	}
	if means := statements[w]; means != "" {
		return means
	}
	if answers[w] == Granted {
		return Denied
	}
	return ""
}

// consentWord folds a value, unless it says nothing.
func consentWord(s string) (string, bool) {
	if len(s) > 64 || Null(s) {
		return "", false
	}
	w := Fold(s)
	return w, len(w) > 1 || !isDigit(w[0]) || Trim(s) == w // −1 is no 1
}
