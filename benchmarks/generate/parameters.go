package generate

// parameters returns the figures of rates.go by name, for the manifest.
func parameters() map[string]any {
	noise := map[string]map[string]float64{}
	for s, n := range noiseRates {
		noise[sourceNames[s]] = map[string]float64{
			"first_name": n.first, "surname": n.surname, "swapped": n.swapped, "nickname": n.nickname, "birth_date": n.birth,
			"phone": n.phone, "email": n.email, "address": n.address, "postal_code": n.postal, "encoding": n.encoding, "gender": n.gender,
			"junk_email": n.junkEmail, "junk_phone": n.junkPhone, "junk_birth_date": n.junkBirth, "junk_name": n.junkName,
			"junk_address": n.junkAddress, "hub_email": n.hubEmail, "hub_phone": n.hubPhone, "birth_date_copied": n.birthCopied,
			"plate_junk": n.plateJunk, "plate_typo": n.plateTypo, "double_surname": n.doubleSurname,
		}
	}
	bySource := func(rates [sourceCount]float64) map[string]float64 {
		m := map[string]float64{}
		for s, r := range rates {
			m[sourceNames[s]] = r
		}
		return m
	}
	return map[string]any{
		"window":          [2]string{string(appendISO(nil, windowStart)), string(appendISO(nil, windowEnd))},
		"household_sizes": sizeWeights, "couple_of_two": coupleOfTwo, "couple_of_more": coupleOfMore,
		"further_given_names": furtherNames, "calls_second": callsSecond, "twins": twinRate, "twins_alike": twinAlike,
		"child_as_parent": childAsParent, "in_flat_country_town": inFlat,
		"language_listed": shareListed, "language_rare": shareRare, "language_swedish": shareSwedish, "language_other": shareOther,
		"move_ages": moveAges, "move_rates": moveRates, "move_near": moveNear, "marries": marries,
		"marriage_his_hers_double_keep": marriageNames, "divorces": divorces, "reverts": reverts,
		"new_email": newEmailRate, "new_phone": newPhoneRate, "second_email": secondEmail, "second_at_work": secondAtWork,
		"second_used": secondUsed, "work_phone": workPhone, "work_phone_used": workPhoneUsed, "own_car_of_second": ownCarOfSecond,
		"runs_firm": runsFirm, "firm_used": bySource(firmUsed), "patterns": patternWeights, "any_teen": anyTeen, "any_child": anyChild,
		"repeats": bySource(repeatRate), "repeat_tail": repeatTail, "extra_at_most": maxExtra, "stale_address": staleAddress,
		"couple_email": coupleEmail, "couple_email_old": coupleEmailOld, "couple_email_used": coupleEmailUsed,
		"family_email": familyEmail, "family_phone": familyPhone,
		"missing_email": bySource(missing.email), "missing_phone": bySource(missing.phone), "missing_address": bySource(missing.address),
		"missing_birth_date": missing.birth, "missing_gender": missing.gender, "missing_plate": missing.plate,
		"missing_language": missing.language, "missing_country": missing.country, "missing_postal_code": missing.postal,
		"missing_updated_at": missing.updated, "throwaway_email": missing.throwaway, "gift": missing.gift, "pickup_point": missing.pickup,
		"all_given_names": missing.allGiven, "upper_case_crm": missing.upperCRM, "upper_case_service": missing.upperName,
		"marriage_span_days": marriageSpan, "child_at_most": childAge, "family_age": familyAge, "young_alone": youngAlone,
		"noise": noise, "edit_single": singleEdit, "edit_kinds": editWeights, "edit_first_letter": firstLetter, "edit_phonetic": phoneticEdit,
	}
}
