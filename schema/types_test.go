package schema_test

import (
	"errors"
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

var _ filter.Types = (*schema.Schema)(nil)

func TestAttrType(t *testing.T) {
	tests := []struct {
		name string
		want filter.Type
	}{
		{"USERNAME", filter.Type{Kind: filter.String, Canonical: filter.Attr{Name: "userName"}}},
		{"emails", filter.Type{Kind: filter.Complex, MultiValued: true, Canonical: filter.Attr{Name: "emails"}}},
		{"Emails.PRIMARY", filter.Type{Kind: filter.Boolean, Canonical: filter.Attr{Name: "emails", Sub: "primary"}}},
		{"meta.created", filter.Type{Kind: filter.DateTime, Canonical: filter.Attr{Name: "meta", Sub: "created"}}},
		{"externalId", filter.Type{Kind: filter.String, CaseExact: true, Canonical: filter.Attr{Name: "externalId"}}},
		{"x509Certificates.value", filter.Type{Kind: filter.Binary, CaseExact: true, Canonical: filter.Attr{Name: "x509Certificates", Sub: "value"}}},
		{strings.ToLower(userSchema) + ":name.givenName", filter.Type{Kind: filter.String, Canonical: filter.Attr{Name: "name", Sub: "givenName"}}},
		{strings.ToUpper(enterprise) + ":manager.VALUE", filter.Type{Kind: filter.String, CaseExact: true, Canonical: filter.Attr{URN: enterprise, Name: "manager", Sub: "value"}}},
		{enterprise, filter.Type{Kind: filter.Complex, Canonical: filter.Attr{Name: enterprise}}},
		{"manager", filter.Type{}},
		{"userName.value", filter.Type{}},
		{"name.nosuch", filter.Type{}},
		{"urn:example:x:userName", filter.Type{}},
	}
	for _, test := range tests {
		name, err := filter.ParseAttr(test.name)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := schema.User().AttrType(name)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != (test.want.Kind != 0) {
			t.Errorf("%s: %v (-want +got):\n%s", test.name, ok, diff)
		}
	}
}

func TestAttrDoesNotAllocate(t *testing.T) {
	s := schema.User()
	for _, text := range []string{"userName", "NAME.FAMILYNAME", userSchema + ":emails.value", enterprise + ":Manager.Value"} {
		name, err := filter.ParseAttr(text)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { s.Attr(name) }); n != 0 {
			t.Errorf("Attr(%s) allocates %v times", text, n)
		}
	}
}

func TestFilterWithSchema(t *testing.T) {
	doc, err := schema.User().Canonical(decode(t, fullUser), schema.Options{Mode: schema.ModeAny})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		`username eq "BJENSEN@example.com"`:                                  true,
		`emails co "jensen.org"`:                                             true,
		`emails[type eq "work" and value co "@EXAMPLE.com"]`:                 true,
		`meta.created eq "2010-01-23T05:56:22+01:00"`:                        true,
		`groups eq "E9E30DBA-f08f-4109-8486-d5c6a331660a"`:                   false,
		enterprise + `:department eq "tour operations" and title pr`:         true,
		enterprise + `:manager eq "26118915-6090-4610-87e4-49d8ca9f808d"`:    true,
		strings.ToLower(enterprise) + `:manager.displayName eq "john smith"`: true,
		enterprise + ` pr`:   true,
		`nickName ne "Babs"`: false,
	} {
		p, err := filter.MustParse(text).Compile(schema.User())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.Match(doc); got != want {
			t.Errorf("%s = %v", text, got)
		}
	}
}

func TestLooseTypes(t *testing.T) {
	f := filter.MustParse(`manager eq "m1" and manager.value eq "m1" and department eq "D"`)
	if err := f.Check(schema.User()); err == nil {
		t.Error("the strict types know manager without its URN")
	}
	p, err := f.Compile(schema.User().LooseTypes())
	if err != nil {
		t.Fatal(err)
	}
	if !p.Match(object{enterprise: object{"manager": object{"value": "m1"}, "department": "d"}}) {
		t.Error("no match")
	}
}

func TestCheckSensitive(t *testing.T) {
	s := schema.User()
	for text, allowed := range map[string]bool{
		`userName eq "a"`: true,
		`nosuch eq "a"`:   true,
		`PassWord sw "a"`: false,
		`userName eq "a" or not (password eq "b")`:         false,
		userSchema + `:password pr`:                        false,
		`password[value sw "a"]`:                           false,
		`PASSWORD[VALUE pr]`:                               false,
		userSchema + `:password[value pr]`:                 false,
		`title pr and not (password[not (value eq "a")])`:  false,
		`password.value pr`:                                false,
		`title[value pr]`:                                  true,
		`emails[type eq "work"] and not (password eq "x")`: false,
	} {
		err := s.CheckSensitive(filter.MustParse(text))
		refused, _ := errors.AsType[*scim.Error](err)
		if allowed != (err == nil) || err != nil && (refused.Status != 403 || refused.Type != scim.Sensitive) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCheckSensitiveKnowsWhatAComplexAttributeIsComparedBy(t *testing.T) {
	text := func(name string, p elimity.StringParams) elimity.SimpleParams {
		p.Name = name
		return elimity.SimpleStringParams(p)
	}
	s, err := schema.Compile(elimity.Schema{ID: "urn:example:Card", Attributes: []elimity.CoreAttribute{
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "pins", MultiValued: true, SubAttributes: []elimity.SimpleParams{
			text("value", elimity.StringParams{Returned: elimity.AttributeReturnedNever()}), text("type", elimity.StringParams{}),
		}}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "lock", Returned: elimity.AttributeReturnedNever(), SubAttributes: []elimity.SimpleParams{
			text("code", elimity.StringParams{}),
		}}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for text, allowed := range map[string]bool{
		`pins.type eq "a"`: true, `pins[type eq "a"]`: true,
		`pins sw "1"`: false, `pins.value sw "1"`: false, `pins[value sw "1"]`: false, `lock.code sw "1"`: false,
	} {
		if err := s.CheckSensitive(filter.MustParse(text)); allowed != (err == nil) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
