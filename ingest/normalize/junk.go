package normalize

// Placeholders that people type where a form insists on a value. The lists
// were written by hand for sama, in the languages of its first users. A value
// of these lists names nobody. What a list cannot know (the desk phone of one
// garage) is learned from the data when the table is built.

// junkIdentifier holds codes, as [Code] writes them.
var junkIdentifier = set(`NA NONE NULL NIL UNKNOWN TEST TESTI UUSI EIOLE XXX 0 00 000 123456 1234567 12345678 123456789 1234567890`)

// junkEmail holds whole addresses that are placeholders.
var junkEmail = set(`
test@test.com test@test.fi testi@testi.fi testi@testi.com test@test.se test@test.de test@testi.fi
a@a.fi a@a.com aa@aa.fi aa@aa.com a@b.com a@b.fi asd@asd.fi asd@asd.com asdf@asdf.com asdf@asdf.fi qwerty@qwerty.fi qwerty@qwerty.com
ei@ole.fi eiole@sahkopostia.fi eisahkopostia@eisahkopostia.fi ei.ole@email.fi ei@ei.fi no@no.com na@na.com n@a.com
noemail@noemail.com no@email.com none@none.com noreply@noreply.fi no-reply@example.com info@info.fi
asiakas@asiakas.fi x@x.fi x@x.com xx@xx.xx xx@xx.fi xxx@xxx.com 123@123.fi 123@123.com foo@bar.com foo@foo.com
example@example.com user@example.com email@email.com email@email.fi mail@mail.com puuttuu@puuttuu.fi tuntematon@tuntematon.fi
unknown@unknown.com noone@nowhere.com nobody@nowhere.com abc@abc.com
`)

// junkEmailLocal holds local parts that are placeholders at any domain.
var junkEmailLocal = set(`noemail no-email no.email none noreply no-reply donotreply eisahkopostia ei.sahkopostia eiole ei.ole keinemail nomail no.mail`)

// roleLocal holds local parts that name a desk and not a person.
var roleLocal = set(`
info asiakaspalvelu myynti toimisto laskutus laskut posti huolto varaosat vastaanotto office sales support service contact admin
webmaster postmaster hello hallinto kundtjanst kundservice faktura order orders billing accounts reception help helpdesk
verkkokauppa kauppa marketing markkinointi
`)

// junkName holds folded full names that are placeholders.
var junkName = lines(`
testi testinen
testi asiakas
testi testi
test test
test user
test customer
test testsson
testaaja teppo
teppo testaaja
matti meikalainen
maija meikalainen
maija mallikas
matti mallikas
asiakas
asiakas tuntematon
tuntematon asiakas
uusi asiakas
kateisasiakas
kassa asiakas
satunnaisasiakas
ei nimea
x x
xx xx
xxx
aaa aaa
asd asd
asdf asdf
nimeton
anonyymi
anonymous
guest
guest customer
guest user
vieras
poistettu asiakas
deleted
deleted user
ala kayta
duplicate
unknown unknown
no name
noname
john doe
jane doe
max mustermann
erika mustermann
svensson test
huolto auto
esittelyauto
vaihtoauto
varastoauto
takuu
`)

// JunkName reports that a folded given name and family name are together the
// name of nobody, such as "testi" + "asiakas".
func JunkName(given, family string) bool {
	switch {
	case family == "":
		return junkName[given]
	case given == "":
		return junkName[family]
	}
	return junkName[given+" "+family] || junkName[family+" "+given]
}

// junkStreet holds folded street lines that are placeholders or name a place
// where parcels wait.
var junkStreet = lines(`
x
xx
xxx
testikatu
katuosoite
kotikatu
osoite
katu
street
street address
address
adress
strasse
poste restante
nouto
nouto myymalasta
noutopiste
noudetaan
test street
teststrasse
musterstrasse
testgatan
r kioski
posti smartpost
smartpost
matkahuolto
matkahuolto pakettipiste
pakettipiste
pakettiautomaatti
postnord
postnord ombud
packstation
`)

// junkPostalCode holds codes that stand for none.
var junkPostalCode = set(`0 00 000 0000 00000 000000 99999 11111 00001 12345 1 1111 9999`)

// junkPlate holds plates that stand for none.
var junkPlate = set(`ABC123 AAA000 AAA111 XXX000 XXX111 XXX999 TEST TESTI EIOLE UUSI KOE1 NONE NEW X XX XXX`)
