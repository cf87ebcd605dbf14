package postgres

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzText(f *testing.F) {
	for _, text := range []string{"", "zoë", "a\x00b", "\x1a", "\x1a00", "\x1a#", "\xff", "a\xc3", strings.Repeat("x", 2000)} {
		f.Add(text, text+"\x00")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		stored, long := short(a)
		for _, text := range []*string{&stored, long} {
			if text != nil && (!utf8.ValidString(*text) || strings.Contains(*text, "\x00")) {
				t.Errorf("%q is stored as %q", a, *text)
			}
		}
		if len(stored) > maxIndexed {
			t.Errorf("%d bytes are indexed", len(stored))
		}
		if got := full(stored, long); got != a {
			t.Errorf("%q comes back as %q", a, got)
		}
		if other, _ := short(b); other == stored && a != b {
			t.Errorf("%q and %q are both stored as %q", a, b, stored)
		}
	})
}

func TestUsualTextsAreStoredAsTheyAre(t *testing.T) {
	for _, text := range []string{"", "4b0c1e", "zoe@example.com", `CORP\zoe`, "Zoë ☃", "cn=a b,dc=example"} {
		if got := encode(text); got != text {
			t.Errorf("%q is stored as %q", text, got)
		}
	}
}

func TestDecodeTakesAnything(t *testing.T) {
	for _, text := range []string{"\x1a", "\x1a0", "\x1azz", "a\x1a", "\x1a00\x1a"} {
		_ = decode(text)
	}
}
