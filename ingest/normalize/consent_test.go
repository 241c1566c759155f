package normalize

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConsents(t *testing.T) {
	for means, words := range map[string]string{
		Granted: "yes|Yes|YES|y|true|True|t|1|on|x|X|kyllä|Kyllä|KYLLÄ|k|ja|Ja|j|opt-in|Opt In|opted_in|OptIn|granted|Granted|allowed|sallittu|Sallittu|annettu|erlaubt|tillåtet|samtycke|subscribed| yes ",
		Denied:  "no|No|n|false|f|0|off|ei|Ei|e|nej|nein|Nein|opt-out|opted out|OPTOUT|denied|refused|kielletty|Kielletty|kielto|ei sallittu|peruttu|nekad|verboten|nicht erlaubt|abgelehnt|unsubscribed|withdrawn",
		"":      "|-|?|n/a|null|unknown|ei tiedossa|okänd|keine Angabe|maybe|2|10|-1|yes no|2024-05-01|a@b.fi|ehkä|" + strings.Repeat("yes", 40),
	} {
		for _, w := range strings.Split(words, "|") {
			if got := Consent(w); got != means {
				t.Errorf("Consent(%q) = %q, want %q", w, got, means)
			}
		}
	}
	cases{
		{"yes", Denied}, {"Kyllä", Denied}, {"1", Denied}, {"x", Denied}, {"no", ""}, {"ei", ""}, {"0", ""}, {"false", ""},
		{"kielletty", Denied}, {"opt-out", Denied}, {"sallittu", Granted}, {"opt-in", Granted}, {"", ""}, {"unknown", ""}, {"maybe", ""},
	}.check(t, Refusal)
}

// TestRefusalNeverGrantsByAnswer: a refusal is what would have been a yes, and
// nobody agrees by not having refused.
func TestRefusalNeverGrantsByAnswer(t *testing.T) {
	for _, words := range []map[string]string{answers, statements} {
		for w := range words {
			if Fold(w) != w || Null(w) {
				t.Errorf("%q is not folded, or means nothing", w)
			}
			if statements[w] != "" && Refusal(w) != statements[w] || statements[w] == "" && (Refusal(w) == Denied) != (Consent(w) == Granted) {
				t.Errorf("%q is %s, as a refusal %s", w, Consent(w), Refusal(w))
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "value")
		if Consent(s) == "" && Refusal(s) != "" {
			t.Fatalf("%q is %q, as a refusal %q", s, Consent(s), Refusal(s))
		}
		if Null(s) && Consent(s) != "" {
			t.Fatalf("%q is null and %s", s, Consent(s))
		}
	})
}
