package ingest

import (
	"slices"
	"strings"

	"sama/record"
)

// roleWords lists, for each role, column names in English, Finnish, Swedish and
// German that mean it, as their folded words run together.
var roleWords = []struct {
	role  Role
	names string
}{
	{role(record.GivenName), `givenname givennames given firstname firstnames first fname forename forenames christianname namefirst firstgivenname
		etunimi etunimet kutsumanimi fornamn tilltalsnamn vorname vornamen rufname prenom nombre nickname preferredname callingname knownas fn`},
	{role(record.FamilyName), `surname surnames lastname lastnames last lname familyname family namelast sukunimi sukunimet efternamn slaktnamn nachname familienname zuname nom apellido ln sname`},
	{RoleMiddleName, `middlename middlenames middle middleinitial middleinit mi mname minit secondname namemiddle toinennimi toinenetunimi muutetunimet mellannamn zweitname initial initials midlname midname`},
	{role(record.OtherName), `nameatbirth birthname maidenname maiden formername formernames previousname previoussurname oldname birthsurname surnameatbirth formersurname otherlastname aliasname
		alias aliases aka entinennimi entinensukunimi syntymanimi tyttonimi flicknamn fodelsenamn tidigarenamn geburtsname mothersmaidenname`},
	{RoleFullName, `fullname name namefull completename personname customername clientname patientname contactname contactperson displayname membername holdername accountname
		nimi kokonimi asiakkaannimi asiakasnimi henkilonimi namn fulltnamn helanamnet kundnamn vollername kundenname firstandsurname firstandlastname nameandsurname nativenamefull yhteyshenkilo`},
	{role(record.Organization), `organization organisation company companyname organizationname organisationname orgname nameorg org business businessname firm firmname employer employername
		yritys yrityksennimi yritysnimi firma firmanimi organisaatio tyonantaja toiminimi yhtio foretag foretagsnamn bolag bolagsnamn arbetsgivare unternehmen firmenname arbeitgeber
		sitename vendor vendorname supplier suppliername manufacturer legalname tradename institutionname schoolname hospitalname`},
	{role(record.BirthDate), `dob birthdate dateofbirth birthday birth bdate birthdt datebirth borndate dateborn born birthdateiso syntymaaika syntymapaiva syntymapvm syntpvm fodelsedatum fodelsedag fodd geburtsdatum gebdatum geburtstag dobirth syntaika syntymaaikapvm geburtsdat`},
	{RoleBirthYear, `birthyear yearofbirth by yob byear dobyear dobyr dobyy syntymavuosi fodelsear geburtsjahr birthyr`},
	{RoleBirthMonth, `birthmonth monthofbirth bm mob bmonth dobmonth dobmon dobmm syntymakuukausi fodelsemanad geburtsmonat birthmo`},
	{RoleBirthDay, `birthdayofmonth dayofbirth bd bday dobday dobdd birthdom syntymapaivanumero geburtstagtag birthd`},
	{role(record.Gender), `gender sex sukupuoli kon geschlecht gendercode sexcode sukup salutation anrede puhuttelu tilltal`},
	{role(record.Email), `email emailaddress mail emailaddr mailaddress sahkoposti sahkopostiosoite sposti meili epost epostadress mejl emailadresse emailid contactemail`},
	{role(record.Phone), `phone phonenumber telephone telephonenumber tel telno telnumber telnr phoneno phonenr mobile mobilenumber mobilephone mobileno cell cellphone cellnumber msisdn contactnumber
		homephone workphone phonehome phonework phonemobile fax faxnumber faxno gsm puhelin puhelinnumero puh puhnro matkapuhelin kannykka puhelinnro telefon telefonnummer telefonnr mobil mobilnummer
		mobiltelefon handy handynummer rufnummer festnetz landline daytimephone eveningphone mobilnr gsmnumero telprivat telgeschaftlich puhelinnumerot phonenum mobilenum telnum`},
	{role(record.Street), `street streetname road roadname katu kadunnimi gata gatunamn strasse strassenname str streetaddressname`},
	{RoleAddressLine, `address addressline addressline1 addressline2 addressline3 addrline addrline1 addrline2 streetaddress streetaddress1 streetaddress2 address1 address2 address3 addr1 addr2 addr street1 street2
		postaladdress homeaddress mailingaddress visitingaddress line1 line2 osoite katuosoite lahiosoite postiosoite kotiosoite osoiterivi osoiterivi1 osoiterivi2 adress gatuadress postadress besoksadress
		anschrift adresse wohnadresse strassehausnummer residence`},
	{RoleFullAddress, `fulladdress addressfull addrfull completeaddress addressstring addresstext osoitetiedot kokoosoite fullstandigadress`},
	{role(record.HouseNumber), `housenumber houseno housenr streetnumber streetno streetnr stnumber stno buildingnumber bldgnumber civicnumber talonumero talonro husnummer gatunummer hausnummer hausnr hnr housenum streetnum addressnumber bldgno`},
	{role(record.Unit), `unit unitnumber unitno apartment apartmentnumber apt aptnumber aptno flat flatnumber suite floor huoneisto asunto porras rappu lagenhet lagenhetsnummer wohnung unitnum aptnum stairwell`},
	{role(record.PostalCode), `postalcode postcode zip zipcode zip5 pcode postno postnumber postinumero postinro postnummer postnr plz postleitzahl addresspostalcode postalzip zipplus4`},
	{role(record.City), `city town suburb locality municipality place village posttown postaltown postitoimipaikka ptp kaupunki kunta paikkakunta kotikunta kotipaikka stad ort postort kommun hemort wohnort gemeinde cityname townname postaldistrict`},
	{RoleLocality, `citystatezip postcodecity zipcity postinumerojatoimipaikka plzort postnummerort postalcodecity`},
	{role(record.Region), `state region province county stateprovince statecode provincecode maakunta laani lan landskap bundesland kanton canton countyname regionname statename`},
	{role(record.Country), `country countrycode countryname nation maa maakoodi land landkod landcode staat countryofresidence`},
	{role(record.NationalID), `nationalid nationalidnumber nationalidentifier socsecid ssn socialsecuritynumber socialsecurity socsecno ssnnumber ssid hetu henkilotunnus sotu sosiaaliturvatunnus personnummer personbeteckning
		personalidentitycode personalid personalcode isikukood sozialversicherungsnummer svnr nin nationalinsurancenumber nino aadhaar pesel cpr cprnumber sin nhsnumber nhsno medicarenumber personnr personnro hetutunnus svnummer`},
	{role(record.BusinessID), `businessid ytunnus lytunnus organisationsnummer orgnr orgno orgnumber vatnumber vatid vatno alvnumero alvtunnus registrationnumber companynumber companyid companyregistrationnumber
		ein taxid taxidnumber taxnumber foretagsid foretagsnummer handelsregisternummer ustid leinumber lei businessnumber duns dunsnumber vat`},
	{role(record.VehicleReg), `vehiclereg plate licenseplate licenceplate platenumber platenr regno regnr registrationplate vehicleregistration rekisterinumero rekisteritunnus rekno rekisterinro registernummer
		kennzeichen kfzkennzeichen regnummer vin vinnumber chassisnumber vehicleidentificationnumber alustanumero valmistenumero reknro`},
	{role(record.Identifier), `creditcardnumber creditcard cardnumber cardno ccnumber passportnumber passport driverslicensenumber driverslicense driverlicense licensenumber licencenumber iban accountnumber bankaccount
		loyaltynumber membernumber membershipnumber memberid customernumber customerno customernr clientnumber asiakasnumero asiakasnro kundnummer kundennummer patientid patientnumber mrn artnumber uuid guid externalid
		devicei imei imsi macaddress ipaddress bonuskortti korttinumero tilinumero socialhandle twitter website url homepage www`},
	{role(record.CreatedAt), `createdat created createddate createdon creationdate datecreated createtime createdtime registeredat registered registrationdate dateregistered regdate signupdate signedup joined joindate
		joinedat firstvisit firstseen firstpurchase firstorder opened openedat customersince membersince entrydate insertdate luotu luontipvm luontiaika rekisteroity rekisteroitymispvm asiakasalkaen skapad registrerad
		erstellt erstelltam angelegt`},
	{role(record.UpdatedAt), `updatedat updated updateddate updatedon dateupdated updatetime modified modifiedat modifieddate modifiedon datemodified lastmodified lastmodifieddate lastupdated lastupdate lastchanged changedat
		lastvisit lastseen lastlogin lastpurchase lastorder lastactivity paivitetty muokattu muutettu viimeksipaivitetty andrad uppdaterad senastandrad geandert aktualisiert`},
	{role(record.Language), `language lang languagecode preferredlanguage locale kieli aidinkieli asiointikieli sprak modersmal sprache`},
	{role(record.Date), `date transactiondate eventdate orderdate purchasedate surveydate visitdate admissiondate dischargedate invoicedate startdate enddate validfrom validto validuntil deathdate dateofdeath weddingdate
		paivamaara pvm datum`},
	{role(record.Number), `age amount income salary price total balance quantity height weight lat latitude lng lon long longitude bloodpressure score count ika summa hinta tulot alder inkomst belopp einkommen betrag birthage`},
	{role(record.Category), `race ethnicity raceethnicity maritalstatus civilstatus occupation profession job jobtitle title2 religion education recordtype entitytype persontype category eventtype class siviilisaaty ammatti
		civilstand yrke beruf familienstand relationship suffix namesuffix generation nationality citizenship kansalaisuus medborgarskap staatsangehorigkeit ethniccode racecode`},
	{role(record.Text), `title memo description comment2 author authors coauthor coauthors venue journal publisher abstract editor birthplace placeofbirth syntymapaikka syntymakotikunta fodelseort geburtsort birthcity birthcountry countryofbirth cityofbirth birthstate stateofbirth artist album song track plot synopsis`},
	{RoleCarried, `source sourcefile sourcesystem filename file batch batchid status active isactive deleted isdeleted flag flags isguest guest consent optin newsletter marketing marketingconsent comment comments note notes remark remarks
		kommentti kommentar huomautus lisatiedot phonetype addrtype addresstype emailtype customertype accounttype segment customersegment channel newsletterconsent markkinointilupa suoramarkkinointi nationalidtype taxidtype rowhash hash
		nationalidcountry taxidcountry passportcountry driverslicensestate version householdid familyid groupid clusterid createdby updatedby modifiedby`},
}

// rolesByName maps run-together names to their roles.
var rolesByName = func() map[string]Role {
	m := make(map[string]Role)
	for _, r := range roleWords {
		for _, name := range strings.Fields(r.names) {
			if _, taken := m[name]; !taken {
				m[name] = r.role
			}
		}
	}
	return m
}()

// fillerWords may stand around a name that means something: customer_email,
// primary_phone, addr_city, birth_date_raw.
var fillerWords = wordSet(`primary main home work business customer cust client person personal patient contact user member subject owner account acct addr address billing shipping delivery mailing postal residence residential
	mail res registr desc cd dt ts full privat numero nummer nro osoite dd mm yyyy yy format num koti tyo
	c current new old other secondary alternative alt the your my raw orig original clean cleaned value field col column text str string data info code nr no number num id fake true a b x y iso full legal asiakas
	asiakkaan kund kunden laskutus toimitus koti postin private home2 preferred second emergency latest last first s of at normal uniform parent`)

// otherPersons are words for somebody else than the person of the record.
var otherPersons = wordSet(`mother mothers father fathers spouse husband wife partner child parent guardian kin relative emergency doctor physician salesperson seller agent referrer aiti isa puoliso huoltaja lapsi omainen mor far make maka barn mutter vater ehepartner kind`)

// personal are the roles that a column about somebody else must not have.
var personal = []Role{role(record.GivenName), role(record.FamilyName), role(record.OtherName), RoleFullName, RoleMiddleName, role(record.BirthDate), role(record.Phone), role(record.Email),
	role(record.Gender), role(record.NationalID), role(record.Organization)}

// roleByName returns the role that a column's name means, and how well: 3 the
// whole name, 2 with filler words around or as the end of a compound word, 0
// nothing.
func roleByName(name string) (Role, int) {
	parts := nameParts(name)
	r, certain := roleByParts(parts)
	if slices.Contains(personal, r) && slices.ContainsFunc(parts, func(p string) bool { return otherPersons[p] }) {
		return role(record.Text), 2
	}
	if n := len(parts); n > 1 && certain == 2 && (parts[n-1] == "id" || parts[n-1] == "key") && (slices.Contains(personal, r) || r == role(record.City) || r == role(record.Street)) && r != role(record.NationalID) && r != role(record.Email) {
		return "", 0 // family_id names a family, not a surname
	}
	return r, certain
}

func roleByParts(parts []string) (Role, int) {
	if r, ok := lookUpName(parts); ok {
		return r, 3
	}
	// The longest run of words that means something, all other words filler;
	// of equal runs the later one: in "customer contact phone" the noun is last.
	for length := len(parts) - 1; length > 0; length-- {
		for start := len(parts) - length; start >= 0; start-- {
			if r, ok := lookUpName(parts[start : start+length]); ok && filler(parts[:start]) && filler(parts[start+length:]) {
				return r, 2
			}
		}
	}
	if len(parts) == 0 || !filler(parts[1:]) {
		return "", 0
	}
	// Compounds end with what they are: kotipuhelin, arbeitstelefon.
	for n := len(parts[0]) - 1; n >= 6; n-- {
		if r, ok := rolesByName[parts[0][len(parts[0])-n:]]; ok {
			return r, 2
		}
	}
	return "", 0
}

func lookUpName(parts []string) (Role, bool) {
	joined := strings.Join(parts, "")
	if r, ok := rolesByName[joined]; ok {
		return r, true
	}
	if trimmed := strings.TrimRight(joined, "0123456789"); trimmed != joined && trimmed != "" {
		r, ok := rolesByName[trimmed]
		return r, ok
	}
	return "", false
}

func filler(parts []string) bool {
	for _, p := range parts {
		if !fillerWords[p] && strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}
