package filter_test

import (
	"testing"

	"github.com/scimbridge/scim/filter"
)

func TestParse_allocates_once_for_a_comparison(t *testing.T) {
	got := testing.AllocsPerRun(100, func() {
		if _, err := filter.Parse(`userName eq "taylor-lee@example.com"`); err != nil {
			t.Fatal(err)
		}
	})
	if got > 1 {
		t.Errorf("%v allocations", got)
	}
}

func TestParseAttr_does_not_allocate(t *testing.T) {
	got := testing.AllocsPerRun(100, func() {
		if _, err := filter.ParseAttr(enterpriseURN + ":manager.value"); err != nil {
			t.Fatal(err)
		}
	})
	if got > 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestMatch_does_not_allocate(t *testing.T) {
	doc := babs()
	for _, text := range []string{
		`userName eq "BJENSEN@example.com"`, `title co "É"`, `meta.created gt "2009-01-23T04:56:22Z"`, `logins ge 7 and score lt 3.5`,
		`emails[type eq "work" and value ew "example.com"]`, enterpriseURN + `:manager eq "26118915" and not (addresses pr)`,
		`numbers eq 5 and active eq true`,
	} {
		p, err := filter.MustParse(text).Compile(userTypes)
		if err != nil {
			t.Fatal(err)
		}
		if got := testing.AllocsPerRun(100, func() { p.Match(doc) }); got > 0 {
			t.Errorf("%s: %v allocations", text, got)
		}
	}
}
