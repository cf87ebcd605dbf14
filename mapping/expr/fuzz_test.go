package expr_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/scimbridge/scim/mapping/expr"
)

// FuzzParse checks that no text makes the parser or the compiler panic, that what parses prints in a
// form that parses to the same, and that every error shows its place.
func FuzzParse(f *testing.F) {
	vectors := readVectors(f)
	for _, v := range slices.Concat(vectors.Verified, vectors.Inconsistent) {
		f.Add(v.Expression)
	}
	for _, seed := range []string{
		``, `(`, `[`, `[a[b"]"]]`, `"\`, `"a\"`, `&H`, `&hfF`, `-`, `-0`, `1.`, `F(,)`, `F( )`, `F(`, `F(a`, `IIF([a]<=>"b",,)`,
		`Left("a" 1)`, `“x”`, "\ufeffNow()", "\xff", `Len(1,)`, strings.Repeat("Len(", 300), `Replace([a], , "(?<x>\\w)\\b$", "x", "$1", , )`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := expr.Parse(text)
		if err != nil {
			checkError(t, err, expr.ErrSyntax)
			return
		}
		printed := n.String()
		again, err := expr.Parse(printed)
		if err != nil && utf8.RuneCountInString(printed) <= expr.MaxLength {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, printed, err)
		}
		if err == nil && again.String() != printed {
			t.Fatalf("%q prints as %q, which prints as %q", text, printed, again)
		}
		if _, err = expr.Compile(text); err != nil {
			checkError(t, err, expr.ErrCheck)
		}
	})
}

// checkError checks what is promised of every error.
func checkError(t *testing.T, err, kind error) {
	t.Helper()
	var e *expr.Error
	if !errors.As(err, &e) || !errors.Is(err, kind) {
		t.Fatalf("error %v is not an *Error that is %v", err, kind)
	}
	if e.Detail == "" || e.Offset < 0 || e.Offset > len(e.Expression) {
		t.Fatalf("error without reason or place: %#v", e)
	}
	if lines := strings.Split(e.Snippet(), "\n"); len(lines) != 2 || !strings.HasSuffix(lines[1], "^") {
		t.Fatalf("snippet %q", e.Snippet())
	}
}

// fuzzOptions are sets of options an input may choose from.
var fuzzOptions = [][]expr.Option{
	{},
	{expr.WithConnectFunctions()},
	{expr.WithStrict()},
	{expr.WithUTF16(), expr.WithTrimSplit(), expr.WithPCaseApostrophes(), expr.WithConnectFunctions()},
	{expr.WithCoalesceNullOnly(), expr.WithJoinEmpty(), expr.WithNullConditionsFail(), expr.WithIgnoreCaseOfDuplicates()},
}

const fuzzResult = 4096

// checkProgram evaluates an expression over an object and checks what is promised of every program.
func checkProgram(t *testing.T, text string, choice byte, a, b string) {
	t.Helper()
	opts := slices.Concat(fuzzOptions[int(choice)%len(fuzzOptions)], []expr.Option{
		expr.WithLimits(expr.Limits{Result: fuzzResult, Work: 1 << 18}),
	})
	p, err := expr.Compile(text, opts...)
	if err != nil {
		return
	}
	values := map[string]any{
		"a": a, "b": b, "empty": "", "true": true, "n": int64(len(a)), "x": 1.5, "when": time.Unix(int64(len(b))*1e7, 0),
		"list": []any{a, b, a}, "one": []any{b}, "person": map[string]any{"value": a, "displayName": b},
		"appRoleAssignments": []any{map[string]any{"value": a, "displayName": b}, b},
	}
	asked := func(name string) (expr.Value, bool) {
		if !slices.Contains(p.Attributes(), name) {
			t.Errorf("%s reads [%s], which is not one of %q", text, name, p.Attributes())
		}
		v, ok := values[name]
		return expr.FromAny(v), ok
	}
	eval := func(p *expr.Program) (expr.Value, error) {
		return p.Eval(context.Background(), &expr.Env{
			Source:        expr.SourceFunc(asked),
			Clock:         func() time.Time { return time.Date(2025, 7, 30, 12, 0, 0, 0, time.UTC) },
			Rand:          strings.NewReader(strings.Repeat("some random bytes", 1000)),
			DefaultDomain: func(context.Context) (string, error) { return "contoso.com", nil },
			Taken:         func(_ context.Context, value string) (bool, error) { return value == a, nil },
		})
	}
	got, err := eval(p)
	if err != nil {
		checkError(t, err, expr.ErrEval)
		return
	}
	if kind := got.Kind(); p.Type() != expr.KindAny && kind != p.Type() && !got.IsNull() && !got.Ignored() {
		t.Errorf("%s gives the %s %v, its type is %s", text, kind, got, p.Type())
	}
	if p.NeverEmpty() && (got.IsNullOrEmpty() || got.Ignored()) {
		t.Errorf("%s gives %v although it is never empty", text, got)
	}
	if constant, ok := p.Constant(); ok && !constant.Equal(got) {
		t.Errorf("%s gives %v, its constant is %v", text, got, constant)
	}
	for i := range got.Len() {
		if v := got.At(i); v.Kind() == expr.KindString && len(v.String()) > max(fuzzResult, len(text), len(a), len(b)) {
			t.Errorf("%s gives %d bytes", text, len(v.String()))
		}
	}
	again, err := expr.CompileNode(p.Node(), opts...)
	if err != nil {
		t.Fatalf("%s as a tree: %v", text, err)
	}
	if other, err := eval(again); err != nil || !other.Equal(got) {
		t.Errorf("%s gives %v, as a tree %v, %v", text, got, other, err)
	}
}

// FuzzEval checks that no expression over no value makes the evaluation panic or leave its bounds.
func FuzzEval(f *testing.F) {
	vectors := readVectors(f)
	for i, v := range slices.Concat(vectors.Verified, vectors.Inconsistent) {
		text := v.Expression
		for j, name := range []string{"a", "b"} {
			if names := attributesOf(text); len(names) > j {
				text = strings.ReplaceAll(text, "["+names[j]+"]", "["+name+"]")
			}
		}
		f.Add(text, byte(i), "+1 (206) 291-8163 x8125", "2025-08-10T23:59:59.5-07:00")
	}
	f.Fuzz(checkProgram)
}

func attributesOf(text string) []string {
	p, err := expr.Compile(text)
	if err != nil {
		return nil
	}
	return p.Attributes()
}

// FuzzCalls makes expressions out of bytes that call every function with arguments of every kind,
// which texts changed at random hardly ever do.
func FuzzCalls(f *testing.F) {
	signatures := expr.Signatures(expr.WithConnectFunctions())
	for i := range signatures {
		f.Add([]byte{byte(i), 200, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, byte(1), "Zoë", "2020-03-16")
		f.Add([]byte{byte(i), 3, byte(i), 90, 91, 92, 93, 94, 95}, byte(i), "", "\xff")
	}
	f.Fuzz(func(t *testing.T, recipe []byte, choice byte, a, b string) {
		g := generator{signatures: signatures, recipe: bytes.NewReader(recipe)}
		g.call(0)
		checkProgram(t, g.out.String(), choice, a, b)
	})
}

// generator writes an expression as a recipe of bytes says.
type generator struct {
	signatures []expr.Signature
	recipe     *bytes.Reader
	out        strings.Builder
}

func (g *generator) pick(n int) int {
	b, err := g.recipe.ReadByte()
	if err != nil {
		return 0
	}
	return int(b) % n
}

func (g *generator) call(depth int) {
	s := g.signatures[g.pick(len(g.signatures))]
	g.out.WriteString(s.Name + "(")
	n := len(s.Params)
	if n > 0 && s.Params[n-1].Repeated && g.pick(2) == 0 {
		n -= 2
	}
	for i := range n {
		if i > 0 {
			g.out.WriteString(",")
		}
		if s.Params[i].Optional && g.pick(3) == 0 {
			continue
		}
		g.argument(s.Params[i].Kind, depth+1)
	}
	g.out.WriteString(")")
}

var fuzzTexts = []string{
	"", "a", "1", "-3", "True", "2012-03-16", "yyyy", "ww", "d", "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd", "AllowWhiteSpaces", "en-US", "tr",
	"(?<x>.*?)\\\\b", "[^\\\\W\\\\d]*$", "x", "${x}$1$_", " ", ",", "ß", "😀", "vbTextCompare", "a:b,c:", "cn=a,ou=b", "&HFF",
}

func (g *generator) argument(kind expr.Kind, depth int) {
	names := []string{"a", "b", "empty", "missing", "true", "n", "x", "when", "list", "one", "person", "appRoleAssignments"}
	choice := g.pick(8)
	switch {
	case choice < 2 && depth < 6:
		g.call(depth)
	case choice < 4:
		g.out.WriteString("[" + names[g.pick(len(names))] + "]")
	case choice == 4:
		g.out.WriteString([]string{"IgnoreAttributeFlow", "IgnoreObjectFlow", "vbTextCompare", "0", "9223372036854775807", "-1", "2.5"}[g.pick(7)])
	case choice == 5 && kind == expr.KindBool:
		g.argument(expr.KindString, depth)
		g.out.WriteString([]string{"=", "<>", "<", ">="}[g.pick(4)])
		g.argument(expr.KindString, depth)
	case kind == expr.KindInt:
		fmt.Fprint(&g.out, g.pick(256)-5)
	case kind == expr.KindTime:
		g.out.WriteString(`CDate("2020-02-29")`)
	default:
		g.out.WriteString(`"` + fuzzTexts[g.pick(len(fuzzTexts))] + `"`)
	}
}
