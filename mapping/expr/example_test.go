package expr_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scimbridge/scim/mapping/expr"
)

func Example() {
	p, err := expr.Compile(`Switch([IsSoftDeleted], , "False", "True", "True", "False")`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, deleted := range []bool{false, true} {
		active, err := p.Eval(context.Background(), &expr.Env{
			Source: expr.Attributes{"IsSoftDeleted": deleted},
		})
		fmt.Println(active, err)
	}
	fmt.Println(p.Attributes())
	// Output:
	// True <nil>
	// False <nil>
	// [IsSoftDeleted]
}

func ExampleCompile_error() {
	_, err := expr.Compile(`Join(" ", [givenName], ToUper([surname]))`)
	fmt.Println(err)
	var e *expr.Error
	if errors.As(err, &e) {
		fmt.Println(e.Snippet())
	}
	// Output:
	// expr: unknown function ToUper: did you mean ToUpper? (at offset 23)
	// Join(" ", [givenName], ToUper([surname]))
	//                        ^
}

func ExampleProgram_Eval_dates() {
	p, err := expr.Compile(`IIF(DateDiff("d", Now(), CDate([employeeHireDate])) <= 14, "True", IgnoreObjectFlow)`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, date := range []string{"2025-08-10", "2025-09-15", "soon"} {
		v, err := p.Eval(context.Background(), &expr.Env{
			Source: expr.Attributes{"employeeHireDate": date},
			Clock:  func() time.Time { return time.Date(2025, 7, 30, 12, 0, 0, 0, time.UTC) },
		})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(v)
	}
	// Output:
	// True
	// IgnoreObjectFlow
	// expr: CDate argument 1 (expression): "soon" is not a date; one is written like 2012-03-16, 2012-03-16T08:30:00-07:00 or 3/16/2012 7:00:00 AM (at offset 31)
}

func ExampleWithFunctions() {
	initials := expr.Func2("Initials", [2]string{"givenName", "surname"},
		func(_ context.Context, given, family string) (string, error) {
			if given == "" || family == "" {
				return "", errors.New("both names are needed")
			}
			return given[:1] + family[:1], nil
		})
	p, err := expr.Compile(`ToLower(Initials([givenName], [surname]))`, expr.WithFunctions(initials))
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := p.Eval(context.Background(), &expr.Env{
		Source: expr.Attributes{"givenName": "John", "surname": "Smith"},
	})
	fmt.Println(v, err)
	// Output: js <nil>
}

func ExampleEnv_selectUniqueValue() {
	p, err := expr.Compile(`SelectUniqueValue(
		Join("@", Join(".", [givenName], [surname]), "contoso.com"),
		Join("@", Join(".", Left([givenName], 1), [surname]), "contoso.com"))`)
	if err != nil {
		fmt.Println(err)
		return
	}
	taken := map[string]bool{"john.smith@contoso.com": true}
	v, err := p.Eval(context.Background(), &expr.Env{
		Source: expr.Attributes{"givenName": "John", "surname": "Smith"},
		Taken: func(_ context.Context, value string) (bool, error) {
			return taken[strings.ToLower(value)], nil
		},
	})
	fmt.Println(v, err)
	// Output: J.Smith@contoso.com <nil>
}

func ExampleNode() {
	n, err := expr.Parse(`Switch([state],,"NSW","Australia/Sydney")`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, arg := range n.Args {
		switch arg.Kind {
		case expr.AttributeNode:
			fmt.Println("attribute", arg.Name)
		case expr.TextNode:
			fmt.Println("constant", arg.Text)
		case expr.OmittedNode:
			fmt.Println("left out")
		}
	}
	fmt.Println(n)
	// Output:
	// attribute state
	// left out
	// constant NSW
	// constant Australia/Sydney
	// Switch([state], , "NSW", "Australia/Sydney")
}

func ExampleProgram_Trace() {
	p, err := expr.Compile(`IIF(Len([surname]) <= 5, Join("", [surname], [givenName]), Left([surname], 9))`)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, steps, err := p.Trace(context.Background(), &expr.Env{
		Source: expr.Attributes{"givenName": "John", "surname": "Smith"},
	})
	for _, step := range steps {
		fmt.Println(step.Node, "→", step.Value)
	}
	fmt.Println(err)
	// Output:
	// [surname] → Smith
	// Len([surname]) → 5
	// Len([surname]) <= 5 → True
	// [surname] → Smith
	// [givenName] → John
	// Join("", [surname], [givenName]) → SmithJohn
	// IIF(Len([surname]) <= 5, Join("", [surname], [givenName]), Left([surname], 9)) → SmithJohn
	// <nil>
}
