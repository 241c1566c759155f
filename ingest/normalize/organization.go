package normalize

import "strings"

// legalForms end (or in Finnish sometimes begin) the name of an organisation.
// Each is sure: no person's name ends with it.
var legalForms = set(`oy oyj ab ky tmi toiminimi ltd limited inc incorporated llc llp plc corp corporation gmbh ag kg kgaa ohg ug
bv nv sa sarl srl spa aps oyab osk abp asunto asoy ry rf yhdistys saatio rs hb kb pty pvt sro zoo ou uab sia doo kft zrt lda sas vof cv`)

// shortForms are legal forms that are also given or family names or initials
// in some language; they count only at the end of a name of several words.
var shortForms = set(`as sa ag ab ou ug kg kb hb sas rs rf cv spa ky co`)

// Organization returns the normal form of an organisation's name: folded, the
// legal form removed, "& " and "and" alike.
func Organization(s string) string {
	if Null(s) {
		return ""
	}
	words := orgWords(s)
	for len(words) > 1 && (legalForms[words[len(words)-1]] || shortForms[words[len(words)-1]]) {
		words = words[:len(words)-1]
	}
	for len(words) > 1 && (words[0] == "tmi" || words[0] == "toiminimi" || words[0] == "oy" || words[0] == "ab" || words[0] == "the") {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// orgWords folds an organisation's name to words; dotted and colon forms of
// legal forms are joined ("t:mi", "b.v.", "s.a.").
func orgWords(s string) []string {
	s = strings.ReplaceAll(s, "&", " and ")
	words := strings.Fields(Fold(s))
	out := words[:0]
	for i := 0; i < len(words); i++ {
		w := words[i]
		if i+1 < len(words) && len(w) <= 2 && len(words[i+1]) <= 2 || w == "t" && i+1 < len(words) && words[i+1] == "mi" {
			if joined := w + words[i+1]; joined == "tmi" || legalForms[joined] && len(w) == 1 {
				out = append(out, joined)
				i++
				continue
			}
		}
		out = append(out, w)
	}
	return out
}

// HasLegalForm reports that a name carries a legal form and so is that of an
// organisation: "Rakennus Olsson Oy", "T:mi Talvi", "Acme Inc.".
func HasLegalForm(s string) bool {
	if len(s) > 256 || strings.IndexByte(s, ' ') < 0 {
		return false
	}
	words := orgWords(s)
	if len(words) < 2 {
		return false
	}
	if words[0] == "tmi" || words[0] == "toiminimi" || words[0] == "oy" {
		return true
	}
	last := words[len(words)-1]
	return legalForms[last] && (!shortForms[last] || upperWord(s))
}

// upperWord reports that the last word of s is written in capitals or as
// "Oy", "Ab", "Ky": a legal form and not a name typed in lower case.
func upperWord(s string) bool {
	s = strings.TrimRight(s, " .")
	last := s[strings.LastIndexByte(s, ' ')+1:]
	return last != "" && last[0] >= 'A' && last[0] <= 'Z'
}

// organizationWords are words that stand in names of organisations and hardly in those
// of persons.
var organizationWords = set(`school schools church association center centre services service hospital clinic university college institute institution foundation
company industries international group systems solutions technologies technology electronics bank hotel restaurant cafe club community society union
department ministry agency council office store shop market supermarket pharmacy laboratory laboratories holding holdings partners consulting engineering
construction rakennus huolto autohuolto autotalo palvelu palvelut kauppa apteekki ravintola seurakunta koulu kunta kaupunki osuuskunta seura liitto
verein stiftung universitat schule kirche krankenhaus apotheke forening kyrka skola academy childcare daycare nursery ymca kindergarten learning preschool
export exports import imports trading enterprises motors auto logistics transport software insurance pharma chemical chemicals energy media network networks`)

// OrgWords reports a folded word that stands in names of organisations.
func OrgWords(words []string) bool {
	for _, w := range words {
		if organizationWords[w] {
			return true
		}
	}
	return false
}
