package benchmarks

import (
	"context"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
	exprlang "github.com/expr-lang/expr"

	"github.com/scimbridge/scim/mapping/expr"
)

// expression is one mapping in three languages.
type expression struct{ ours, exprLang, cel string }

var (
	active = expression{
		`Switch([IsSoftDeleted], , "False", "True", "True", "False")`,
		`IsSoftDeleted == "False" ? "True" : IsSoftDeleted == "True" ? "False" : nil`,
		`IsSoftDeleted == "False" ? "True" : (IsSoftDeleted == "True" ? "False" : "")`,
	}
	formatted = expression{
		`Join(" ", [givenName], [surname])`,
		`join([givenName, surname], " ")`,
		`[givenName, surname].join(" ")`,
	}
	postman = append([]expression{active}, direct("userPrincipalName", "givenName", "surname")...)
)

// direct are mappings that hand an attribute on.
func direct(names ...string) []expression {
	list := make([]expression, len(names))
	for i, name := range names {
		list[i] = expression{"[" + name + "]", name, name}
	}
	return list
}

var directory = map[string]any{
	"IsSoftDeleted": "False", "userPrincipalName": "zoe.berg@meridian.example", "displayName": "Zoe Berg", "givenName": "Zoe", "surname": "Berg",
	"jobTitle": "Engineer", "mail": "Zoe.Berg@meridian.example", "preferredLanguage": "nb-NO", "physicalDeliveryOfficeName": "Oslo 4",
	"streetAddress": "Storgata 1", "city": "Oslo", "state": "Oslo", "postalCode": "0155", "country": "Norway", "telephoneNumber": "+47 22 00 00 00",
	"mobile": "+47 900 00 000", "facsimileTelephoneNumber": "+47 22 00 00 01", "mailNickname": "zoe", "employeeId": "4711", "department": "Engineering",
}

// BenchmarkExpressions evaluates what an attribute mapping computes, in our language and in two general ones. All three read the same map.
func BenchmarkExpressions(b *testing.B) {
	for _, bb := range []struct {
		name        string
		expressions []expression
	}{
		{"switch", []expression{active}},
		{"condition", []expression{{
			`IIF([department] = "Engineering", [mail], [userPrincipalName])`,
			`department == "Engineering" ? mail : userPrincipalName`,
			`department == "Engineering" ? mail : userPrincipalName`,
		}}},
		{"join", []expression{formatted}},
		{"nested", []expression{{
			`ToLower(Join("@", Join(".", [givenName], [surname]), "meridian.example"))`,
			`lower(join([join([givenName, surname], "."), "meridian.example"], "@"))`,
			`[[givenName, surname].join("."), "meridian.example"].join("@").lowerAscii()`,
		}}},
		{"replace", []expression{{
			`Replace([mail], "@meridian.example", , , "", , )`,
			`replace(mail, "@meridian.example", "")`,
			`mail.replace("@meridian.example", "")`,
		}}},
		{"postman-4", postman},
		{"default-20", append([]expression{active, formatted}, direct(
			"userPrincipalName", "displayName", "jobTitle", "mail", "preferredLanguage", "givenName", "surname", "physicalDeliveryOfficeName", "streetAddress",
			"city", "state", "postalCode", "country", "telephoneNumber", "mobile", "mailNickname", "employeeId", "department")...)},
	} {
		b.Run("mapping="+bb.name+"/engine=ours", func(b *testing.B) {
			programs := make([]*expr.Program, len(bb.expressions))
			for i, e := range bb.expressions {
				var err error
				if programs[i], err = expr.Compile(e.ours); err != nil {
					b.Fatal(err)
				}
			}
			env := &expr.Env{Source: expr.Attributes(directory)}
			b.ReportAllocs()
			for b.Loop() {
				for _, p := range programs {
					if v, err := p.Eval(context.Background(), env); err != nil || v.IsNull() {
						b.Fatal(v, err)
					}
				}
			}
		})
		b.Run("mapping="+bb.name+"/engine=expr-lang", func(b *testing.B) { benchmarkExprLang(b, bb.expressions) })
		b.Run("mapping="+bb.name+"/engine=cel-go", func(b *testing.B) { benchmarkCEL(b, bb.expressions) })
	}
}

func benchmarkExprLang(b *testing.B, expressions []expression) {
	run := make([]func() (any, error), len(expressions))
	for i, e := range expressions {
		p, err := exprlang.Compile(e.exprLang, exprlang.Env(directory))
		if err != nil {
			b.Fatal(err)
		}
		run[i] = func() (any, error) { return exprlang.Run(p, directory) }
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range run {
			if v, err := f(); err != nil || v == nil {
				b.Fatal(v, err)
			}
		}
	}
}

func benchmarkCEL(b *testing.B, expressions []expression) {
	options := []cel.EnvOption{ext.Strings()}
	for name := range directory {
		options = append(options, cel.Variable(name, cel.StringType))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		b.Fatal(err)
	}
	programs := make([]cel.Program, len(expressions))
	for i, e := range expressions {
		ast, issues := env.Compile(e.cel)
		if issues.Err() != nil {
			b.Fatal(issues.Err())
		}
		if programs[i], err = env.Program(ast, cel.EvalOptions(cel.OptOptimize)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range programs {
			if v, _, err := p.Eval(directory); err != nil || v == nil {
				b.Fatal(v, err)
			}
		}
	}
}
