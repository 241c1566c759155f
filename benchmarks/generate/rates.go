package generate

import "math"

// The figures of the model. Those of noise and presence rest on published
// comparisons of registers where there are any (error rates between two health
// registers, edit-distance studies of typing) and on guesses elsewhere.

// sources in the order of their names.
const (
	crm = iota
	service
	webshop

	sourceCount
)

var sourceNames = [sourceCount]string{crm: "crm", service: "service", webshop: "webshop"}

// The window of events and its last day, in days since 1970-01-01.
const (
	windowStart = 16071 // 2014-01-01
	windowEnd   = 20757 // 2026-10-31
	year        = 365.25
)

// Population.
var (
	sizeWeights   = []float64{0.46, 0.32, 0.10, 0.08, 0.04} // households of 1 to 5
	coupleOfTwo   = 0.82
	coupleOfMore  = 0.92
	familyAge     = uint8(48)                   // heads of childless households below it are drawn again
	youngAlone    = 0.5                         // in this share
	childAge      = 29.3                        // the oldest child a household still counts
	furtherNames  = []float64{0.06, 0.74, 0.20} // 0, 1 or 2 further given names
	callsSecond   = 0.10
	twinRate      = 0.0127 * 2.8 // of children after the first, so that twins are 1.27 % of confinements
	twinAlike     = 0.25
	childAsParent = 0.03
	inFlat        = [2]float64{0.30, 0.62} // country, town
	townSize      = uint32(50_000)
	lowNumber     = 0.85 // house numbers 1 to 60, the rest 61 to 220
)

// Shares of languages: DVV surnames, rare Finnish surnames, Swedish, others.
const (
	shareListed  = 0.85 * 0.91
	shareRare    = 0.85 * 0.09
	shareSwedish = 0.05
	shareOther   = 0.10
)

// Events.
var (
	moveAges       = []int{18, 30, 40, 55, 70}
	moveRates      = []float64{0.32, 0.22, 0.10, 0.07, 0.04} // per year from that age
	moveNear       = 0.67                                    // inside the municipality
	marries        = 0.72
	marriageSpan   = years(18)                           // from the younger's 20th birthday
	marriageNames  = []float64{0.69, 0.015, 0.075, 0.22} // his, hers, double, both keep
	divorces       = 0.12
	reverts        = 0.35
	newEmailRate   = 0.045
	newPhoneRate   = 0.035
	secondEmail    = 0.30
	secondAtWork   = 0.40
	secondUsed     = 0.33 // of webshop records of its owner
	workPhone      = 0.15
	workPhoneUsed  = 0.12 // of service records of its owner
	ownCarOfSecond = 0.40
	runsFirm       = 0.05
	firmUsed       = [sourceCount]float64{crm: 0.5, service: 0.5, webshop: 0.2}
)

// Customers: patterns of silos, and further records in the same silo.
var (
	// none; crm; web; service; crm+web; crm+service; web+service; all
	patternWeights = []float64{0.22, 0.22, 0.15, 0.07, 0.14, 0.10, 0.025, 0.075}
	patternSources = [][]int{{}, {crm}, {webshop}, {service}, {crm, webshop}, {crm, service}, {service, webshop}, {crm, service, webshop}}
	anyTeen        = 0.45 // 14 to 17
	anyChild       = 0.10 // under 14
	repeatRate     = [sourceCount]float64{crm: 0.09, service: 0.10, webshop: 0.22}
	repeatTail     = 1.0 / 3
	maxExtra       = 8
	staleAddress   = 0.12
)

// Shared contact points. The share of couples with one address and the ages of
// children are set so that the figures of Check come out.
var (
	coupleEmail     = 0.13
	coupleEmailOld  = 0.27 // head over 55
	coupleEmailUsed = 0.85
	familyEmail     = []float64{0.90, 0.45, 0.06, 0.012} // under 13, 13-17, 18-24, others
	familyPhone     = []float64{0.60, 0.05, 0.012}       // under 16, sharing partner, others
)

// missing is the share of records without the field.
var missing = struct {
	email, phone, address                       [sourceCount]float64
	birth, gender, language, plate, country     float64
	postal, updated, throwaway                  float64
	gift, pickup, allGiven, upperCRM, upperName float64
}{
	email:   [sourceCount]float64{crm: 0.22, service: 0.55},
	phone:   [sourceCount]float64{crm: 0.14, service: 0.04, webshop: 0.28},
	address: [sourceCount]float64{crm: 0.15, service: 0.35, webshop: 0.04},
	birth:   0.30, gender: 0.20, language: 0.30, plate: 0.20, country: 0.165,
	postal: 0.20, updated: 0.50, throwaway: 0.037,
	gift: 0.03, pickup: 0.06, allGiven: 0.22, upperCRM: 0.10, upperName: 0.60,
}

// A noise says how often each fault hits a record of a source, at factor 1 and
// for a person of average care.
type noise struct {
	first, surname, swapped, nickname, birth, phone, email, address, postal float64
	encoding, gender                                                        float64
	junkEmail, junkPhone, junkBirth, junkName, junkAddress                  float64
	hubEmail, hubPhone                                                      float64
	birthCopied, plateJunk, plateTypo, doubleSurname                        float64
}

var noiseRates = [sourceCount]noise{
	crm: {first: 0.016, surname: 0.016, swapped: 0.0015, nickname: 0.03, birth: 0.006, phone: 0.008, email: 0.008,
		address: 0.02, postal: 0.010, encoding: 0.002, gender: 0.0033, junkEmail: 0.010, junkPhone: 0.006, junkBirth: 0.006,
		junkName: 0.002, junkAddress: 0.004, birthCopied: 0.002, doubleSurname: 0.25},
	service: {first: 0.035, surname: 0.040, swapped: 0.006, nickname: 0.10, phone: 0.020, email: 0.05, address: 0.05,
		postal: 0.020, encoding: 0.004, junkEmail: 0.030, junkPhone: 0.012, junkName: 0.006, junkAddress: 0.008,
		hubEmail: 0.012, hubPhone: 0.006, plateJunk: 0.01, plateTypo: 0.04, doubleSurname: 0.25},
	webshop: {first: 0.028, surname: 0.026, swapped: 0.012, nickname: 0.07, phone: 0.015, email: 0.006, address: 0.035,
		postal: 0.012, encoding: 0.006, junkEmail: 0.003, junkPhone: 0.010, junkName: 0.003, junkAddress: 0.004, doubleSurname: 0.25},
}

// Edits (Damerau 1964; Peterson 1986 and Pollock & Zamora 1984 as listed in
// Febrl's generate.py).
var (
	singleEdit   = 0.80
	editWeights  = []float64{36, 33, 20, 11} // substitution, deletion, insertion, transposition
	firstLetter  = 0.078
	phoneticEdit = 0.40
	initialShare = 0.27 // of nicknames and initials
)

// carelessness holds quantiles of the log-normal distribution of mean 1 and
// sigma 0.5: a person's factor on every rate of noise.
var carelessness = func() (q [1024]float64) {
	sum := 0.0
	for i := range q {
		z := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/float64(len(q))-1)
		q[i] = math.Exp(0.5*z - 0.125)
		sum += q[i]
	}
	for i := range q {
		q[i] *= float64(len(q)) / sum
	}
	return q
}()
