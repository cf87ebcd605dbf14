package casefold_test

import (
	"strings"
	"testing"

	"github.com/scimbridge/scim/server/internal/casefold"
)

func TestEqualUnderEqualFoldIsOneForm(t *testing.T) {
	for _, s := range []string{"", "bjensen", "BJensen@Example.COM", "Straße", "ÅNGSTRÖM", "\u212aelvin", "ſ", "Σς", "\xff"} {
		for _, r := range []string{strings.ToUpper(s), strings.ToLower(s), "k" + s, s} {
			if got := casefold.String(r) == casefold.String(s); got != strings.EqualFold(r, s) {
				t.Errorf("%q and %q have one form: %v", r, s, got)
			}
		}
	}
	if got := casefold.String("\u212aELVIN"); got != "kelvin" {
		t.Errorf("the Kelvin sign folds to %q", got)
	}
}

func FuzzString(f *testing.F) {
	f.Add("Kelvin", "\u212aelvin")
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.EqualFold(a, b) && casefold.String(a) != casefold.String(b) {
			t.Errorf("%q and %q are equal in any case, their forms %q and %q are not", a, b, casefold.String(a), casefold.String(b))
		}
		if again := casefold.String(casefold.String(a)); again != casefold.String(a) {
			t.Errorf("folding %q twice gives %q", a, again)
		}
	})
}
