package expr_test

import (
	"testing"

	"github.com/scimbridge/scim/mapping/expr"
)

var person = expr.Attributes{
	"userPrincipalName": "john.smith@contoso.com",
	"givenName":         "John",
	"surname":           "Smith",
	"mail":              "John.Smith@contoso.com",
	"mobile":            "+1 (555) 123-4567",
	"telephoneNumber":   "+91 9998887777",
	"jobTitle":          "Engineer",
	"department":        "Engineering",
	"IsSoftDeleted":     "False",
	"hireDate":          "2020-03-16-07:00",
}

// BenchmarkEval shows what one evaluation costs.
func BenchmarkEval(b *testing.B) {
	for _, bench := range []struct{ name, expression string }{
		{"attribute", `[userPrincipalName]`},
		{"constant", `Join(" ", "a", "b")`},
		{"Switch", `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
		{"IIF", `IIF([department]="Engineering", [mail], [userPrincipalName])`},
		{"Join", `Join(" ", [givenName], [surname])`},
		{"nested", `ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "contoso.com"))`},
		{"Replace_text", `Replace([mail], "@contoso.com", , , "", , )`},
		{"Replace_pattern", `Replace([mobile], , "[()\\s-]+", , "", , )`},
		{"Replace_group", `Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})", , "${phoneNumber}", , )`},
		{"Replace_empty_matches", `Replace([mail], , "[a-z]*", , "", , )`},
		{"dates", `FormatDateTime(DateAdd("m", 10, CDate([hireDate])), , "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd")`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p, err := expr.Compile(bench.expression)
			if err != nil {
				b.Fatal(err)
			}
			env := &expr.Env{Source: person}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(b.Context(), env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCompile shows what compiling costs, which is done once for a mapping.
func BenchmarkCompile(b *testing.B) {
	for _, bench := range []struct{ name, expression string }{
		{"Switch", `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
		{"nested", `ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "contoso.com"))`},
		{"Replace_pattern", `Replace([mobile], , "[()\\s-]+", , "", , )`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := expr.Compile(bench.expression); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
