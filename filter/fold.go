package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// foldRune returns the rune that stands for r and all that differ from it in case only: two runes are
// equal under strings.EqualFold exactly when foldRune gives the same for both. For letters of ASCII it
// is the small one.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(foldByte(byte(r)))
	}
	least := r
	for n := unicode.SimpleFold(r); n != r; n = unicode.SimpleFold(n) {
		least = min(least, n)
	}
	if least < utf8.RuneSelf {
		return rune(foldByte(byte(least)))
	}
	return least
}

func foldByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// fold returns s with every rune replaced by its foldRune.
func fold(s string) string { return strings.Map(foldRune, s) }

// compareFold orders s and folded, which is the result of fold, by the code points of fold(s) and
// folded. It returns what is left of s when it begins with folded.
func compareFold(s, folded string) (order int, rest string) {
	i, j := 0, 0
	for i < len(s) && j < len(folded) {
		c, d := s[i], folded[j]
		if c < utf8.RuneSelf && d < utf8.RuneSelf {
			if c = foldByte(c); c != d {
				return int(c) - int(d), ""
			}
			i++
			j++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		q, m := utf8.DecodeRuneInString(folded[j:])
		if r = foldRune(r); r != q {
			return int(r) - int(q), ""
		}
		i += n
		j += m
	}
	if j < len(folded) {
		return -1, ""
	}
	return len(s) - i, s[i:]
}

func hasPrefixFold(s, folded string) bool {
	order, rest := compareFold(s, folded)
	return order == 0 || rest != ""
}

func hasSuffixFold(s, folded string) bool {
	for folded != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		q, m := utf8.DecodeLastRuneInString(folded)
		if n == 0 || foldRune(r) != q {
			return false
		}
		s, folded = s[:len(s)-n], folded[:len(folded)-m]
	}
	return true
}

// searcher finds a string in others, in time linear in the length of both whatever they are (the
// algorithm of Knuth, Morris and Pratt).
type searcher struct {
	needle string
	folded bool
	// back[i] is how many bytes of the needle still match when its byte i does not.
	back []int32
}

// newSearcher prepares the search for needle, which is the result of fold when case does not count.
func newSearcher(needle string, folded bool) searcher {
	s := searcher{needle: needle, folded: folded}
	if !folded && len(needle) <= maxPlainSearch {
		return s
	}
	s.back = make([]int32, len(needle))
	matched := int32(0)
	for i := 1; i < len(needle); i++ {
		s.back[i] = matched
		for matched > 0 && needle[i] != needle[matched] {
			matched = s.back[matched]
		}
		if needle[i] == needle[matched] {
			matched++
		}
	}
	return s
}

// maxPlainSearch is the length up to which strings.Contains is used. For longer needles its worst case
// is not linear.
const maxPlainSearch = 32

// in reports whether text contains the needle.
func (s *searcher) in(text string) bool {
	if s.needle == "" || s.back == nil {
		return strings.Contains(text, s.needle)
	}
	matched := 0
	var buffer [utf8.UTFMax]byte
	for i := 0; i < len(text); {
		c := text[i]
		if !s.folded || c < utf8.RuneSelf {
			i++
			if s.folded {
				c = foldByte(c)
			}
			if matched = s.step(matched, c); matched == len(s.needle) {
				return true
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		for _, c := range utf8.AppendRune(buffer[:0], foldRune(r)) {
			matched = s.step(matched, c)
		}
		if matched == len(s.needle) {
			return true
		}
	}
	return false
}

// step returns how many bytes of the needle match after c, when matched did before it.
func (s *searcher) step(matched int, c byte) int {
	for matched > 0 && s.needle[matched] != c {
		matched = int(s.back[matched])
	}
	if s.needle[matched] == c {
		matched++
	}
	return matched
}
