package filter_test

import (
	"errors"
	"fmt"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

func Example() {
	f, err := filter.Parse(`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`)
	if err != nil {
		fmt.Println(err)
		return
	}
	// A server compiles for its *schema.Schema; nil is for documents of which nothing is known.
	p, err := f.Compile(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	user := scim.Document{
		"userType": "employee",
		"emails": []any{
			map[string]any{"type": "home", "value": "babs@jensen.org"},
			map[string]any{"type": "work", "value": "bjensen@example.com"},
		},
	}
	fmt.Println(p.Match(user))
	// Output: true
}

func ExampleEq() {
	name := `Babs "BJ" Jensen`
	f := filter.Eq("displayName", name).And(filter.Pr("title").Not(), filter.Has("emails", filter.Eq("type", "work")))
	fmt.Println(f)
	// Output: displayName eq "Babs \"BJ\" Jensen" and not (title pr) and emails[type eq "work"]
}

func ExampleFilter_Or() {
	var f filter.Filter
	for _, id := range []string{"701984", "701985"} {
		f = f.Or(filter.Eq("externalId", id))
	}
	fmt.Println(f)
	// Output: externalId eq "701984" or externalId eq "701985"
}

func ExampleParse_error() {
	_, err := filter.Parse(`userName regex "^b.*"`)
	fmt.Println(err)

	var refusal *scim.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Status, refusal.Type)
	}
	// Output:
	// filter: invalid filter at byte 9: found "regex", expected an operator: eq, ne, co, sw, ew, gt, ge, lt, le or pr
	// 400 invalidFilter
}

func ExampleFilter_Check() {
	types := userTypes // usually a *schema.Schema
	fmt.Println(filter.MustParse(`active gt true`).Check(types))
	fmt.Println(filter.MustParse(`emails[kind eq "work"]`).Check(types))
	fmt.Println(filter.MustParse(`meta.created gt "yesterday"`).Check(types))
	// Output:
	// filter: invalid filter: active: found gt on type boolean, expected eq, ne or pr
	// filter: invalid filter: emails.kind: found no such attribute
	// filter: invalid filter: meta.created: found a string, expected a string with a dateTime such as 2011-05-13T04:42:34Z
}

func ExampleFilter_Walk() {
	f := filter.MustParse(`userName eq "bjensen" or emails.value eq "bjensen@example.com"`)
	f.Walk(func(n filter.Node) bool {
		if c, ok := n.(*filter.Compare); ok {
			fmt.Printf("%s %s %v\n", c.Attr, c.Op, c.Value.Any())
		}
		return true
	})
	// Output:
	// userName eq bjensen
	// emails.value eq bjensen@example.com
}

func ExampleParsePath() {
	path, err := filter.ParsePath(`emails[type eq "work"].value`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(path.Attr, "|", path.Filter, "|", path.Sub, "|", path.Target())

	selects, err := path.Compile(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(selects.Match(map[string]any{"type": "work", "value": "bjensen@example.com"}))
	fmt.Println(selects.Match(map[string]any{"type": "home", "value": "babs@jensen.org"}))
	// Output:
	// emails | type eq "work" | value | emails.value
	// true
	// false
}

func ExampleFilter_Equalities() {
	path, err := filter.ParsePath(`addresses[type eq "work" and primary eq true].locality`)
	if err != nil {
		fmt.Println(err)
		return
	}
	// No address is found: PATCH makes one that the path selects.
	address := map[string]any{path.Sub: "Hollywood"}
	terms, ok := path.Filter.Equalities()
	for _, t := range terms {
		address[t.Attr.Name] = t.Value.Any()
	}
	fmt.Println(ok, address)
	// Output: true map[locality:Hollywood primary:true type:work]
}
