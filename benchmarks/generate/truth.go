package generate

import (
	"math/bits"
	"strings"
)

// A recordFlag is a set of things done to a source record.
type recordFlag uint64

// The flags of a record, in the order of recordFlagNames.
const (
	flagAddressError recordFlag = 1 << iota
	flagAddressSwedish
	flagAllGiven
	flagBirthCopied
	flagBirthError
	flagDoubleSurname
	flagEmailError
	flagEncoding
	flagFamilyEmail
	flagFamilyPhone
	flagGenderError
	flagGift
	flagHubEmail
	flagHubPhone
	flagInitial
	flagJunkAddress
	flagJunkBirth
	flagJunkEmail
	flagJunkName
	flagJunkPhone
	flagJunkPlate
	flagNickname
	flagNoAddress
	flagPostalError
	flagPhoneError
	flagPlateError
	flagSecondEmail
	flagStale
	flagFormerSurname
	flagSwapped
	flagThrowaway
	flagTypoFirst
	flagTypoSurname
	flagWorkPhone
)

var recordFlagNames = strings.Fields(`addr_err addr_sv all_given dob_copied dob_err double_sur_variant email_err encoding family_email
family_phone gender_err gift_addr hub_email hub_phone initial junk_addr junk_dob junk_email junk_name junk_phone junk_plate nickname
no_addr pc_err phone_err plate_err second_email stale_addr surname_changed_before swapped throwaway_email typo_first typo_sur work_phone`)

// noiseFlags are those that the factor of a profile scales.
const noiseFlags = flagAddressError | flagBirthCopied | flagBirthError | flagDoubleSurname | flagEmailError | flagEncoding |
	flagGenderError | flagHubEmail | flagHubPhone | flagInitial | flagJunkAddress | flagJunkBirth | flagJunkEmail | flagJunkName |
	flagJunkPhone | flagJunkPlate | flagNickname | flagPostalError | flagPhoneError | flagPlateError | flagSwapped |
	flagTypoFirst | flagTypoSurname

// A personFlag is a set of facts about a person.
type personFlag uint8

// The flags of a person, in the order of personFlagNames.
const (
	flagCallsSecond personFlag = 1 << iota
	flagMarried
	flagReverted
	flagNamedAsParent
	flagTwin
)

var personFlagNames = strings.Fields(`calls_second married_in_window reverted same_first_as_parent twin`)

// String returns the names of the flags joined by |.
func (f recordFlag) String() string { return flagText(uint64(f), recordFlagNames) }

// String returns the names of the flags joined by |.
func (f personFlag) String() string { return flagText(uint64(f), personFlagNames) }

func flagText(f uint64, names []string) string {
	var set []string
	for ; f != 0; f &= f - 1 {
		set = append(set, names[bits.TrailingZeros64(f)])
	}
	return strings.Join(set, "|")
}

// appendPersonID writes the identifier of a person in the truth: household
// times 16 plus member.
func appendPersonID(b []byte, h uint64, member int) []byte {
	return appendPadded(append(b, 'P'), h*16+uint64(member), idWidth(h*16+15))
}

func appendHouseholdID(b []byte, h uint64) []byte {
	return appendPadded(append(b, 'H'), h, idWidth(h))
}

// idWidth is 7 digits or as many as the number needs.
func idWidth(n uint64) int {
	width := 7
	for limit := uint64(10_000_000); n >= limit; limit *= 10 {
		width++
	}
	return width
}
