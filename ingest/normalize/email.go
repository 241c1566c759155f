package normalize

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Email returns the normal form of an e-mail address: lower case, the address
// out of `Name <address>` or mailto:, the domain in its ASCII form, "+tag"
// removed where the provider ignores it, and dots removed from gmail local
// parts. An address that cannot be one gives "", a placeholder such as
// test@test.com gives "" too: see [JunkEmail].
func Email(s string) string {
	addr := emailForm(s)
	if addr == "" || JunkEmail(addr) {
		return ""
	}
	return addr
}

// emailForm is Email without the judgement about placeholders.
func emailForm(s string) string {
	s = Trim(s)
	if len(s) > 320 {
		return ""
	}
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s = strings.TrimSuffix(s[i+1:], ">")
	}
	s = strings.ToLower(strings.ToValidUTF8(s, ""))
	s = strings.TrimPrefix(s, "mailto:")
	s = strings.Map(dropInvisible, s)
	s = strings.Trim(s, ".,;:<>\"'()")
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(domain, "@/\\,;:") {
		return ""
	}
	domain = asciiDomain(domain)
	if domain == "" {
		return ""
	}
	switch domain {
	case "googlemail.com":
		domain = "gmail.com"
		fallthrough
	case "gmail.com":
		local, _, _ = strings.Cut(local, "+")
		local = strings.ReplaceAll(local, ".", "")
	default:
		if plusProviders[domain] {
			local, _, _ = strings.Cut(local, "+")
		}
	}
	if local == "" {
		return ""
	}
	return local + "@" + domain
}

// plusProviders deliver local+tag to local. Yahoo, GMX and Web.de do not.
var plusProviders = set(`outlook.com hotmail.com live.com msn.com icloud.com me.com mac.com fastmail.com fastmail.fm protonmail.com proton.me pm.me
hotmail.fi hotmail.se outlook.fi live.fi live.se`)

func asciiDomain(domain string) string {
	domain = strings.Trim(domain, ".")
	for i := 0; i < len(domain); i++ {
		if domain[i] >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(domain)
			if err != nil {
				return ""
			}
			return ascii
		}
	}
	return domain
}

// JunkEmail reports that an address in normal form is a placeholder.
func JunkEmail(addr string) bool {
	if junkEmail[addr] {
		return true
	}
	local, domain, _ := strings.Cut(addr, "@")
	name, _, _ := strings.Cut(domain, ".")
	return junkEmailLocal[local] || domain == "example.com" || domain == "example.org" ||
		local == name && (len(local) <= 3 || local == "test" || local == "testi" || local == "email" || local == "mail")
}

// RoleEmail reports that an address in normal form is that of a desk (info@,
// myynti@) and so names no person.
func RoleEmail(addr string) bool {
	local, _, _ := strings.Cut(addr, "@")
	return roleLocal[local]
}

// LooksEmail reports that s holds one "@" with a dotted domain behind it.
func LooksEmail(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && strings.IndexByte(s[at+1:], '@') < 0 && strings.IndexByte(s[at+1:], '.') > 0
}

// dropInvisible removes white space, control and formatting signs.
func dropInvisible(r rune) rune {
	if r > ' ' && r < 0x7f {
		return r
	}
	if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}
