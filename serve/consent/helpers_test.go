package consent

import "fmt"

// newsletter is a purpose that stands on consent, by two channels.
func newsletter() *Purpose {
	return &Purpose{
		ID: "newsletter", Title: "Offers", Controller: "Shop Oy", Basis: BasisConsent, Channels: []Channel{"email", "sms"},
		Fields: []string{"given_name", "email", "phone", "city"}, TextVersion: "2026-01",
	}
}

// contactN returns the n-th contact point; n = 0 is none.
func contactN(n int) Contact {
	if n == 0 {
		return Contact{}
	}
	return Contact{"email", fmt.Sprintf("%064x", n)}
}
