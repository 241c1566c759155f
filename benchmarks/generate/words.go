package generate

import "strings"

// The words below were written by hand. Streets, villages and rare surnames are
// composed from them; Swedish forms keep the meaning where there is one.

// stems are first parts of street names: Finnish=Swedish.
var stems = pairsOf(`Koivu=Björk Mänty=Tall Kuusi=Gran Haapa=Asp Leppä=Al Pihlaja=Rönn Vaahtera=Lönn Tammi=Ek Kataja=En Paju=Vide
Raita=Sälg Tuomi=Hägg Visa=Masur Lehto=Lund Metsä=Skogs Korpi=Vildmarks Suo=Kärr Niitty=Ängs Pelto=Åker Keto=Ljung Mäki=Back Harju=Ås
Kallio=Berg Kivi=Sten Louhi=Klipp Hiekka=Sand Savi=Ler Multa=Mull Ranta=Strand Niemi=Udd Lahti=Vik Saari=Holm Järvi=Sjö Lampi=Tjärn
Joki=Å Puro=Bäck Oja=Dikes Koski=Fors Virta=Ström Lähde=Käll Meri=Havs Satama=Hamn Laituri=Brygg Vene=Båt Ankkuri=Ankar Purje=Segel
Silta=Bro Mylly=Kvarn Saha=Såg Paja=Smed Tehdas=Fabriks Kauppa=Handels Tori=Torg Asema=Stations Rata=Ban Posti=Post Koulu=Skol
Kirkko=Kyrk Pappila=Prästgårds Kello=Klock Kartano=Herrgårds Torppa=Torp Talo=Hus Riihi=Rie Aitta=Bod Navetta=Ladugårds Tupa=Stug
Kylä=By Raja=Gräns Portti=Ports Veräjä=Grind Aita=Stängsel Puisto=Park Puutarha=Trädgårds Kukka=Blom Ruusu=Ros Orvokki=Viol
Vuokko=Sipp Kielo=Konvalj Apila=Klöver Kanerva=Ljungblom Sammal=Mos Jäkälä=Lav Saniainen=Bräken Mustikka=Blåbärs Puolukka=Lingon
Mansikka=Smultron Karpalo=Tranbärs Lakka=Hjortron Omena=Äppel Vilja=Sädes Kaura=Havre Ohra=Korn Ruis=Råg Vehnä=Vete Pellava=Lin
Kurki=Tran Joutsen=Svan Lokki=Mås Sorsa=And Telkkä=Knip Haukka=Hök Kotka=Örn Pöllö=Uggle Käki=Gök Pääsky=Svale Peippo=Bofinks
Tiainen=Mes Varpunen=Sparv Kiuru=Lärk Rastas=Trast Harakka=Skat Korppi=Korp Metso=Tjäder Teeri=Orr Karhu=Björn Susi=Varg Ilves=Lo
Kettu=Räv Jänis=Har Orava=Ekorr Näätä=Mård Mäyrä=Grävling Hirvi=Älg Peura=Hjort Poro=Ren Majava=Bäver Saukko=Utter Siili=Igelkotts
Hauki=Gädd Ahven=Abborr Särki=Mört Lohi=Lax Siika=Sik Kuha=Gös Aurinko=Sol Kuu=Mån Tähti=Stjärn Aamu=Morgon Ilta=Afton Päivä=Dags
Kevät=Vår Kesä=Sommar Syksy=Höst Talvi=Vinter Lumi=Snö Jää=Is Halla=Frost Tuuli=Vind Myrsky=Storm Sade=Regn Pilvi=Moln Ukkonen=Åsk
Pohjois=Norr Etelä=Söder Itä=Öster Länsi=Väster Ylä=Övre Ala=Nedre Keski=Mellan Uudis=Nybygges Vanha=Gamla Kauppias=Köpmans
Seppä=Smeds Mylläri=Mjölnar Räätäli=Skräddar Suutari=Skomakar Kalastaja=Fiskar Maanviljelijä=Lantbrukar Opettaja=Lärar
Urheilu=Idrotts Kenttä=Plan Latu=Skidspårs Luistin=Skrinnar Pallo=Boll Kisa=Tävlings Voitto=Seger Rauha=Freds Onni=Lycko Toivo=Hopps`)

// middles go between stem and ending of a compound street name.
var middles = pairsOf(`niemen=udds mäen=backs lahden=viks rannan=strands suon=kärrs järven=träsk kosken=fors harjun=ås saaren=holms
pellon=åkers metsän=skogs kallion=bergs laakson=dals kylän=by portin=ports puiston=parks lammen=tjärns ojan=bäcks salmen=sunds kiven=stens`)

// endings are last parts of street names with their weights.
var endings = pairsOf(`tie=vägen katu=gatan kuja=gränden polku=stigen kaari=bågen rinne=brinken raitti=stråket piha=gården väylä=leden aukio=platsen
penger=vallen ranta=stranden`)
var endingWeights = []float64{38, 17, 16, 14, 3, 4, 4, 1, 1, 1, 0.5, 0.5}

// genitives are first names in streets named after somebody.
var genitives = strings.Fields(`Annan Marian Liisan Kaarinan Elisan Helenan Katariinan Kristiinan Matin Juhanan Pekan Antin Heikin Yrjön
Laurin Tuomaan Mikon Olavin Eerikin Kaarlen Iivarin Kustaan Fredrikin Aleksanterin`)

// villageEnds close the name of a village that starts with a stem.
var villageEnds = strings.Fields(`mäki lahti niemi järvi koski ranta kylä perä vaara suo salo harju oja saari lampi pelto korpi kangas joki tausta`)
var villageEndsSwedish = strings.Fields(`by näs vik böle backa fors sund holm träsk bro berg torp`)

// rareFirst and rareLast compose surnames too rare to be in the published list.
var rareFirst = strings.Fields(`Ahven Aitta Apila Aura Halla Hanhi Harju Hauta Helmi Hiekka Hietanen Hiiden Hirsi Honka Huhta Humala Hukka
Ilves Jousi Juka Jylhä Kaarna Kaisla Kalma Kanerva Karhu Kaski Kataja Kelo Keto Kiiski Kirves Kivi Koivu Korpi Koski Kulma Kuru Kuusi
Kytö Käki Laakso Laukka Lauta Lehmus Lehto Lepikkö Liekki Linna Lohi Louhi Lumi Luoto Mesi Metsä Multa Mylly Mänty Naava Neva Niini
Niitty Nuotio Nurmi Ohra Oksa Paasi Pakka Palo Peura Pihka Pilvi Pohja Poro Puro Raita Ranta Rauta Repo Riihi Ruoho Ruska Saari Sala
Salo Sammal Sara Savi Selkä Siika Sorsa Suvi Syvä Taimi Talvi Tammi Terva Tuohi Tuuli Tyrni Ukko Uunio Vaara Valkea Varpu Vesa Virta Vuori`)
var rareLast = strings.Fields(`aho aitta haka halme harju heimo helmi hovi joki juuri järvi kangas kari kaski kivi korpi koski kulma kumpu kunnas
kylä laakso lahti lampi lehto linna luoto maa mäki niemi niitty nurmi oja paasi palo pelto perä pohja puro ranta ranne saari salmi salo
suo suvanto taipale talo tie tupa vainio valkama vesi virta vuori`)

// domains of personal addresses, with weights in percent.
var domains = strings.Fields(`gmail.com hotmail.com outlook.com icloud.com luukku.com elisanet.fi yahoo.com live.fi pp.inet.fi suomi24.fi
saunalahti.fi kolumbus.fi me.com proton.me netti.fi jippii.fi nic.fi`)
var domainWeights = []float64{46, 14, 7, 6, 5, 3, 3, 2.7, 2, 2, 2, 1.9, 1.1, 1, 0.9, 0.5, 0.5}

// nicknames start the local part of addresses that do not show a name.
var nicknames = strings.Fields(`kissa koira mustang bmw harrikka auto neule puutarha hukka lohi iso super pikku vanha kala metsuri pelaaja
rocker mummo vaari kuski sieni pulla kahvi sauna mopo traktori poni lumi aurinko tähti pihla usva`)

// The service desk types these for everybody who has no address or number.
var hubEmails = strings.Fields(`varaosat@autotalolampi.fi vastaanotto@autotalomeri.fi huolto@autotalonordia.fi myynti@autotalolaakso.fi
info@autotalokeskus.fi toimisto@autotaloharju.fi`)
var hubPhones = strings.Fields(`0201234567 0102345678 0298001122 091234560`)

// pickups are parcel points on the first address line.
var pickups = []string{"Matkahuolto Pakettipiste", "Posti Smartpost", "R-Kioski"}

// A pair is a word in Finnish and in Swedish.
type pair struct{ fi, sv string }

func pairsOf(text string) []pair {
	var all []pair
	for _, f := range strings.Fields(text) {
		fi, sv, _ := strings.Cut(f, "=")
		all = append(all, pair{fi, sv})
	}
	return all
}
