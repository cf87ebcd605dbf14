package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizeDiacritics takes the marks off Latin letters and spells out the few letters of the
// reference's table that have no mark to take off. Other scripts stay as they are, because there a
// mark is often a letter of its own: й, が, vowel signs. Text that changes nothing comes back as it
// is, in the same normalization form.
func normalizeDiacritics(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	latin := false // the last letter written was a Latin one
	pending := 0   // up to where s has been looked at
	flush := func(end int) {
		b.WriteString(s[pending:end])
		pending = end
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r < utf8.RuneSelf:
			latin = unicode.IsLetter(r)
		case unicode.Is(unicode.Mn, r):
			if latin {
				flush(i)
				pending = i + size
			}
		default:
			plain, isLatin := plainLetters(r)
			latin = isLatin
			if plain != "" {
				flush(i)
				b.WriteString(plain)
				pending = i + size
			}
		}
		i += size
	}
	if pending == 0 {
		return s
	}
	flush(len(s))
	return b.String()
}

// plainLetters spells a letter without its marks; "" leaves it as it is.
func plainLetters(r rune) (plain string, latin bool) {
	base := r
	if d := norm.NFD.PropertiesString(string(r)).Decomposition(); len(d) > 0 {
		base, _ = utf8.DecodeRune(d)
	}
	switch base {
	case 'æ':
		return "ae", true
	case 'Æ':
		return "AE", true
	case 'ø', 'œ':
		return "oe", true
	case 'Ø', 'Œ':
		return "OE", true
	case 'ß':
		return "ss", true
	case 'ł':
		return "l", true
	case 'Ł':
		return "L", true
	case 'ı':
		return "i", true
	}
	latin = unicode.Is(unicode.Latin, base)
	if latin && base != r && base < utf8.RuneSelf {
		return string(base), true
	}
	return "", latin
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
