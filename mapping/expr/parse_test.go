package expr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping/expr"
)

func TestParsePrintsCanonicalText(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"Now()", "Now()"},
		{" Now ( ) ", "Now()"},
		{"Join (\"\",\n\t[a] ,[b])", `Join("", [a], [b])`},
		{"\ufeffLen([a])\u00a0", "Len([a])"},
		{`Switch([x],,"k","v")`, `Switch([x], , "k", "v")`},
		{`ToLower([x], )`, `ToLower([x], )`},
		{`F(,,)`, `F(, , )`},
		{`IIF([a]="b",1,-2.50)`, `IIF([a] = "b", 1, -2.50)`},
		{`IIF([a]<>[b],&hfF,007)`, `IIF([a] <> [b], &hfF, 007)`},
		{`IIF(Len([a])<=5,"",IgnoreObjectFlow)`, `IIF(Len([a]) <= 5, "", IgnoreObjectFlow)`},
		{`"\+(?<x>\\d\s)\"\n"`, `"\\+(?<x>\\d\\s)\"\\n"`},
		{`"two` + "\n" + `lines"`, `"two` + "\n" + `lines"`},
		{`[ name.givenName ]`, `[name.givenName]`},
		{`[urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department]`, `[urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department]`},
		{`[emails[type eq "work]"].value]`, `[emails[type eq "work]"].value]`},
		{`[it"s]`, `[it"s]`},
		{`vbTextCompare`, `vbTextCompare`},
	} {
		n, err := expr.Parse(test.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.in, err)
			continue
		}
		if diff := cmp.Diff(test.want, n.String()); diff != "" {
			t.Errorf("Parse(%q) prints (-want +got):\n%s", test.in, diff)
		}
	}
}

func TestParseGivesTheTree(t *testing.T) {
	got, err := expr.Parse(`IIF([a] = "x\"y", , Left([b], -1))`)
	if err != nil {
		t.Fatal(err)
	}
	want := &expr.Node{Kind: expr.CallNode, Name: "IIF", Args: []*expr.Node{
		{Kind: expr.CompareNode, Name: "=", Offset: 4, Args: []*expr.Node{
			{Kind: expr.AttributeNode, Name: "a", Offset: 4},
			{Kind: expr.TextNode, Text: `x"y`, Offset: 10},
		}},
		{Kind: expr.OmittedNode, Offset: 18},
		{Kind: expr.CallNode, Name: "Left", Offset: 20, Args: []*expr.Node{
			{Kind: expr.AttributeNode, Name: "b", Offset: 25},
			{Kind: expr.NumberNode, Text: "-1", Offset: 30},
		}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		text   string
		offset int
		detail string
	}{
		{"", 0, "empty expression"},
		{"  ", 2, "empty expression"},
		{"Len(", 3, "the parenthesis of Len is never closed"},
		{"Len([a]", 3, "the parenthesis of Len is never closed"},
		{"Len([a]))", 8, "a ) without its ("},
		{"Len([a]),", 8, "a comma outside"},
		{"Left([a] 1)", 9, "a comma or ) is missing in the arguments of Left"},
		{`Len("a)`, 4, "has no closing quote"},
		{`"a\"`, 0, "has no closing quote"},
		{"Len([a)", 4, "has no closing bracket"},
		{"[a[b]", 0, "has no closing bracket"},
		{"[]", 0, "an attribute without a name"},
		{"[ ]", 0, "an attribute without a name"},
		{"Len(True)", 4, `a text "True"`},
		{"mail", 0, `an attribute is written [mail]`},
		{"Len(“a”)", 4, "straight double quotes"},
		{"Len('a')", 4, "straight double quotes"},
		{"[a] AND [b]", 4, "nest IIF on the true path for AND"},
		{"[a] Or [b]", 4, "no operator OR"},
		{`[a] & "x"`, 4, "use Join or Append"},
		{`[a] + "x"`, 4, "use Join or Append"},
		{"[a] * 2", 4, `no operator '*'`},
		{"[a] == [b]", 5, "unexpected '='"},
		{"[a] = ", 6, "ends where a value is expected"},
		{"[a] = [b] = [c]", 10, "cannot be chained"},
		{"Len([a] = [b] < [c])", 14, "cannot be chained"},
		{"-", 0, "a number is written with digits"},
		{"1.", 0, "a number is written with digits"},
		{"12ab", 0, "a number is written with digits"},
		{"&H", 0, "&HF7"},
		{"&HG", 0, "&HF7"},
		{"&x", 0, "&HF7"},
		{"Len(#)", 4, "unexpected '#'"},
		{"Len([a]#)", 7, "unexpected '#'"},
		{"[a]\x00", 3, "unexpected"},
		{"Len(\"\xff\")", 5, "not UTF-8"},
		{"Len(\"\ufffd\xff\")", 5, "not UTF-8"},
		{strings.Repeat("Len(", 300), 4 * 251, "nested deeper than 250 calls"},
		{`"` + strings.Repeat("ä", expr.MaxLength) + `"`, 1 + 2*(expr.MaxLength-1), "longer than 10000 characters"},
	} {
		_, err := expr.Parse(test.text)
		var e *expr.Error
		if !errors.As(err, &e) || !errors.Is(err, expr.ErrSyntax) {
			t.Errorf("Parse(%.40q) = %v, want a syntax error", test.text, err)
			continue
		}
		if e.Offset != test.offset || !strings.Contains(e.Detail, test.detail) {
			t.Errorf("Parse(%.40q): %q at %d, want %q at %d", test.text, e.Detail, e.Offset, test.detail, test.offset)
		}
	}
	if _, err := expr.Parse(`"` + strings.Repeat("ä", expr.MaxLength-2) + `"`); err != nil {
		t.Errorf("exactly 10,000 characters: %v", err)
	}
	if _, err := expr.Parse(strings.Repeat("Len(", 250) + "[a]" + strings.Repeat(")", 250)); err != nil {
		t.Errorf("exactly 250 levels: %v", err)
	}
}

func TestSnippetShowsThePlace(t *testing.T) {
	long := strings.Repeat("x", 50)
	for _, test := range []struct{ text, want string }{
		{`Len(#)`, "Len(#)\n    ^"},
		{"Join(\"\",\n\t[a] #,\n[b])", " [a] #,\n     ^"},
		{`Len(Zoë)`, "Len(Zoë)\n    ^"},
		{`Append("Zoë", #)`, "Append(\"Zoë\", #)\n              ^"},
		{`Append("` + long + `", # "` + long + `")`, "…" + strings.Repeat("x", 33) + `", # "` + strings.Repeat("x", 33) + "…\n" + strings.Repeat(" ", 37) + "^"},
		{"Len(\"\x1b[31m\" #)", "Len(\"·[31m\" #)\n            ^"},
		{"", "\n^"},
	} {
		_, err := expr.Parse(test.text)
		var e *expr.Error
		if !errors.As(err, &e) {
			t.Errorf("Parse(%q) = %v", test.text, err)
			continue
		}
		if diff := cmp.Diff(test.want, e.Snippet()); diff != "" {
			t.Errorf("snippet of %q (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestCompileNode(t *testing.T) {
	p, err := expr.CompileNode(expr.Call("Switch",
		expr.Attribute("state"), nil, expr.Text(`N"S\W`), expr.Call("IIF", expr.Compare(expr.Attribute("a"), "<", expr.Numeral("5")), expr.Text(""), expr.Keyword("IgnoreObjectFlow"))))
	if err != nil {
		t.Fatal(err)
	}
	if want := `Switch([state], , "N\"S\\W", IIF([a] < 5, "", IgnoreObjectFlow))`; p.String() != want {
		t.Errorf("compiled %s, want %s", p, want)
	}
	loop := expr.Call("Len", nil)
	loop.Args[0] = loop
	many := make([]*expr.Node, expr.MaxLength)
	for i := range many {
		many[i] = expr.Text("a")
	}
	for name, n := range map[string]*expr.Node{
		"nil":                      nil,
		"itself":                   loop,
		"too many nodes":           expr.Call("Join", many...),
		"too long":                 expr.Call("Join", expr.Text(""), expr.Text(strings.Repeat("a", expr.MaxLength))),
		"bracket in attribute":     expr.Call("Len", expr.Attribute(`a], "x"`)),
		"spaces around attribute":  expr.Attribute(" a "),
		"empty attribute":          expr.Attribute(""),
		"function with arguments":  expr.Call("Len([a])"),
		"function that is a word":  expr.Keyword("True"),
		"number that is none":      expr.Numeral("1, 2"),
		"number that is a call":    expr.Call("Len", expr.Numeral("Len([a])")),
		"operator that is none":    expr.Call("CBool", expr.Compare(expr.Text("a"), "LIKE", expr.Text("b"))),
		"comparison of one side":   expr.Call("CBool", &expr.Node{Kind: expr.CompareNode, Name: "=", Args: []*expr.Node{expr.Text("a")}}),
		"nil side":                 expr.Call("CBool", expr.Compare(expr.Text("a"), "=", nil)),
		"unknown kind":             {Kind: 99},
		"text with arguments":      {Kind: expr.TextNode, Args: []*expr.Node{expr.Text("a")}},
		"omitted whole expression": expr.Omitted(),
		"invalid UTF-8":            expr.Text("\xff"),
	} {
		if _, err := expr.CompileNode(n); !errors.Is(err, expr.ErrSyntax) {
			t.Errorf("%s: %v, want a syntax error", name, err)
		}
	}
	if _, err := expr.CompileNode(expr.Call("Now", expr.Omitted())); err != nil {
		t.Errorf("a call of nothing with an omitted argument: %v", err)
	}
}

func TestWalkVisitsInOrder(t *testing.T) {
	n, err := expr.Parse(`Join("", Left([a], 1), Len([b]))`)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	n.Walk(func(n *expr.Node) bool {
		seen = append(seen, n.Name+n.Text)
		return n.Name != "Len"
	})
	if diff := cmp.Diff([]string{"Join", "", "Left", "a", "1", "Len"}, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
