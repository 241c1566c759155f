package normalize

import "strings"

// PostalCode returns the normal form of a postal code: capitals and digits
// without separators, leading zeros kept, a country prefix ("FI-") and the
// four digits behind a ZIP code removed. Placeholders give "".
func PostalCode(s string) string {
	s = Trim(s)
	if len(s) > 32 || Null(s) {
		return ""
	}
	if n := len(s); n > 2 && s[n-2:] == ".0" && allDigits(s[:n-2]) {
		s = s[:n-2] // a number that went through a spreadsheet
	}
	if i := strings.IndexByte(s, '-'); i >= 1 && i <= 3 && isLetter(s[0]) && len(s) > i+3 && allDigits(s[i+1:]) {
		s = s[i+1:]
	}
	c := Code(s)
	if len(c) > 5 && len(c) <= 8 && isLetter(c[0]) && isLetter(c[1]) && allDigits(c[2:]) {
		c = c[2:]
	}
	if len(c) == 9 && allDigits(c) {
		c = c[:5]
	}
	if junkPostalCode[c] {
		return ""
	}
	return c
}

// City returns the normal form of a town's name: folded, the Swedish names of
// Finnish towns replaced by the Finnish ones ("Helsingfors" → "helsinki").
func City(s string) string {
	if Null(s) {
		return ""
	}
	f := Fold(s)
	if fi, ok := bilingualTowns[f]; ok {
		return fi
	}
	return f
}

// bilingualTowns maps Swedish names of Finnish towns to the Finnish names.
// Names that also are places in Sweden are left out.
var bilingualTowns = pairs(`helsingfors helsinki
esbo espoo
vanda vantaa
abo turku
tammerfors tampere
uleaborg oulu
bjorneborg pori
vasa vaasa
jakobstad pietarsaari
karleby kokkola
borga porvoo
lovisa loviisa
kyrkslatt kirkkonummi
sibbo sipoo
raseborg raasepori
ekenas tammisaari
hango hanko
inga inkoo
lojo lohja
grankulla kauniainen
traskanda jarvenpaa
kervo kerava
tusby tuusula
hyvinge hyvinkaa
tavastehus hameenlinna
lahtis lahti
fredrikshamn hamina
villmanstrand lappeenranta
nyslott savonlinna
raumo rauma
nystad uusikaupunki
nadendal naantali
reso raisio
pargas parainen
brahestad raahe
tornea tornio
korsholm mustasaari
narpes narpio
kristinestad kristiinankaupunki
nykarleby uusikaarlepyy
mariehamn maarianhamina
sjundea siuntio
vichtis vihti`)

// Region returns the normal form of a state, province or county: the short
// code of a state of the United States or Australia where it is known, else
// folded.
func Region(s string) string {
	if Null(s) {
		return ""
	}
	f := Fold(s)
	if code, ok := stateNames[f]; ok {
		return code
	}
	return f
}

// Country returns the ISO 3166 code, capitals, of a country written as a code
// or a name in English, Finnish, Swedish or German; what is not known is
// folded.
func Country(s string) string {
	if Null(s) {
		return ""
	}
	f := Fold(s)
	if code, ok := countryCodes[f]; ok {
		return code
	}
	return f
}

// KnownCountry reports that Country knows s.
func KnownCountry(s string) bool {
	if len(s) > 40 {
		return false
	}
	_, ok := countryCodes[Fold(s)]
	return ok
}

// KnownRegion reports that s is a state of the United States, Canada or Australia.
func KnownRegion(s string) bool {
	if len(s) > 40 {
		return false
	}
	f := Fold(s)
	return stateCodes[f] || stateNames[f] != ""
}

// countryCodes maps folded names and codes to ISO 3166 codes.
var countryCodes = aliases(`FI fin finland suomi finnland
SE swe sweden sverige ruotsi schweden
NO nor norway norge norja norwegen
DK dnk denmark danmark tanska danemark
EE est estonia eesti viro estland
LV lva latvia lettland
LT ltu lithuania liettua litauen
IS isl iceland island islanti
DE deu ger germany deutschland saksa tyskland
AT aut austria osterreich itavalta
CH che switzerland schweiz sveitsi suisse
LI lie liechtenstein lichtenstein
GB gbr uk united_kingdom great_britain england iso_britannia storbritannien scotland wales
IE irl ireland irlanti irland
US usa united_states united_states_of_america u_s_a yhdysvallat amerika
CA can canada kanada
AU aus australia australien
NZ nzl new_zealand uusi_seelanti
FR fra france ranska frankrike frankreich
ES esp spain espanja spanien espana
PT prt portugal portugali
IT ita italy italia italien
NL nld netherlands the_netherlands alankomaat nederland holland niederlande
BE bel belgium belgia belgien
LU lux luxembourg luxemburg
PL pol poland puola polen polska
CZ cze czech_republic czechia tsekki tjeckien
SK svk slovakia
HU hun hungary unkari ungern ungarn
RO rou romania rumanien
BG bgr bulgaria
GR grc greece kreikka grekland griechenland
TR tur turkey turkki turkiet
RU rus russia venaja ryssland russland russian_federation
UA ukr ukraine ukraina
BY blr belarus
RS srb serbia
HR hrv croatia kroatia
SI svn slovenia
CN chn china kiina kina
HK hkg hong_kong
JP jpn japan japani
KR kor korea south_korea
IN ind india intia indien
PK pak pakistan
SG sgp singapore
TH tha thailand thaimaa
VN vnm vietnam
KH khm cambodia
PH phl philippines
ID idn indonesia
MY mys malaysia
BR bra brazil brasilia brasil
MX mex mexico meksiko
AR arg argentina
CL chl chile
ZA zaf south_africa
NG nga nigeria
KE ken kenya
UG uga uganda
SO som somalia
ET eth ethiopia
EG egy egypt
IL isr israel
IQ irq iraq irak
IR irn iran
SY syr syria syyria
AF afg afghanistan`)

// stateNames maps folded names of states to their short codes.
var stateNames = func() map[string]string {
	m := make(map[string]string)
	for name, code := range aliases(`al alabama
ak alaska
az arizona
ar arkansas
ca california
co colorado
ct connecticut
de delaware
fl florida
ga georgia
hi hawaii
id idaho
il illinois
in indiana
ia iowa
ks kansas
ky kentucky
la louisiana
me maine
md maryland
ma massachusetts
mi michigan
mn minnesota
ms mississippi
mo missouri
mt montana
ne nebraska
nv nevada
nh new_hampshire
nj new_jersey
nm new_mexico
ny new_york
nc north_carolina
nd north_dakota
oh ohio
ok oklahoma
or oregon
pa pennsylvania
ri rhode_island
sc south_carolina
sd south_dakota
tn tennessee
tx texas
ut utah
vt vermont
va virginia
wa washington western_australia
wv west_virginia
wi wisconsin
wy wyoming
dc district_of_columbia
nsw new_south_wales
vic victoria
qld queensland
sa south_australia
tas tasmania
nt northern_territory
act australian_capital_territory`) {
		if len(name) > 3 {
			m[name] = code
		}
	}
	return m
}()

// stateCodes holds the short codes of states of the United States, Canada and
// Australia.
var stateCodes = func() map[string]bool {
	m := set(`on qc bc ab mb sk ns nb nl pe nt yt nu`)
	for _, code := range stateNames {
		m[code] = true
	}
	return m
}()

// aliases reads lines "CODE name name_of_words name": all names map to CODE.
func aliases(text string) map[string]string {
	m := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		code, names, _ := strings.Cut(line, " ")
		m[strings.ToLower(code)] = code
		for _, name := range strings.Fields(names) {
			m[strings.ReplaceAll(name, "_", " ")] = code
		}
	}
	return m
}

// pairs reads lines of two words.
func pairs(text string) map[string]string {
	m := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		if a, b, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			m[a] = b
		}
	}
	return m
}
