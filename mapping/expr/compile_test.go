package expr_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping/expr"
)

func compile(t *testing.T, text string, opts ...expr.Option) *expr.Program {
	t.Helper()
	p, err := expr.Compile(text, opts...)
	if err != nil {
		t.Fatalf("Compile(%s): %v", text, err)
	}
	return p
}

func TestUnknownFunctionsSuggestTheNearest(t *testing.T) {
	for name, want := range map[string]string{
		"toLower":       "did you mean ToLower?",
		"Swich":         "did you mean Switch?",
		"IFF":           "did you mean IIF?",
		"Lfet":          "did you mean Left?",
		"NormalizeDiac": "unknown function NormalizeDiac",
		"Substring":     "unknown function Substring",
		"Right":         "WithConnectFunctions",
		"FormatDatTime": "did you mean FormatDateTime?",
		"Foo":           "unknown function Foo", // of three letters, two that differ are no slip
		"X":             "unknown function X",
	} {
		_, err := expr.Compile("Len(" + name + "([a]))")
		var e *expr.Error
		if !errors.As(err, &e) || !errors.Is(err, expr.ErrCheck) || !strings.HasSuffix(e.Detail, want) || e.Offset != 4 {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestCheckErrorsTellTheArgument(t *testing.T) {
	_, err := expr.Compile(`Join("", Left([a], "x"))`)
	var e *expr.Error
	if !errors.As(err, &e) || e.Function != "Left" || e.Argument != "NumChars" || e.Index != 2 || e.Offset != 19 {
		t.Errorf("got %#v", err)
	}
}

func TestConstantsAreFolded(t *testing.T) {
	for text, want := range map[string]string{
		`"x"`:                         "x",
		`Join("-", "a", "b")`:         "a-b",
		`CDate("2020-01-01")`:         "1/1/2020 12:00:00 AM",
		`IIF("1" = "1.0", "y", "n")`:  "y",
		`Switch("k", "d", "k", "v")`:  "v",
		`Switch("k", , "l", "v")`:     null,
		`Redact("x")`:                 "x",
		`IIF("", "y", ToLower("N"))`:  "n",
		`Coalesce("", "x", "y")`:      "x",
		`IgnoreFlowIfNullOrEmpty("")`: "<IgnoreAttributeFlow>",
		`Count(Split("a,b", ","))`:    "2",
		`Len(Append("a", , ))`:        "",
	} {
		p, err := expr.Compile(text)
		if want == "" {
			if err == nil {
				t.Errorf("%s compiles", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if v, ok := p.Constant(); !ok || show(v) != want {
			t.Errorf("%s: constant %v, %t, want %s", text, v, ok, want)
		}
	}
	for _, text := range []string{`[a]`, `Now()`, `Guid()`, `DefaultDomain()`, `RandomString(8, 1, 1, 1, 1)`, `SelectUniqueValue("a", "b")`, `FormatDateTime("10:00", , "HH:mm", "yyyy")`} {
		if v, ok := compile(t, text).Constant(); ok {
			t.Errorf("%s is taken for the constant %v", text, v)
		}
	}
}

func TestConstantFailuresAreFoundUnlessTheyMayNotBeReached(t *testing.T) {
	for _, text := range []string{
		`CDate("soon")`,
		`IIF(CDate("soon") > Now(), [a], [b])`,
		`Append([a], CStr(CDate("soon")))`,
		`Coalesce(CDate("soon"), [a])`,
		`Item(Split("a,b", ","), 3)`,
	} {
		_, err := expr.Compile(text)
		if !errors.Is(err, expr.ErrCheck) || errors.Is(err, expr.ErrEval) {
			t.Errorf("%s: %v, want an error of the check", text, err)
		}
	}
	for _, text := range []string{
		`IIF([a] = "x", CDate("soon"), [b])`,
		`Switch([a], CDate("soon"), "k", CDate("sooner"))`,
		`Coalesce([a], CDate("soon"))`,
	} {
		compile(t, text)
	}
}

func TestAttributes(t *testing.T) {
	for text, want := range map[string][]string{
		`Now()`:                   nil,
		`Join("", [b], [a], [b])`: {"b", "a"},
		`IIF([a] = [b], Switch([c], [d], "", [e]), [emails[type].x])`:  {"a", "b", "c", "d", "e", "emails[type].x"},
		`Replace([a], , "(?<x>.)", "x", , "mobile", )`:                 {"a", "mobile"},
		`Replace([a], , "(?<x>.)", "x", , [mobile], )`:                 {"a", "mobile"},
		`IIF([a] = "x", SelectUniqueValue2([b]), "")`:                  nil,
		`AssertiveAppRoleAssignmentsComplex([appRoleAssignments])`:     {"appRoleAssignments"},
		`[urn:ietf:params:scim:schemas:core:2.0:User:name.familyName]`: {"urn:ietf:params:scim:schemas:core:2.0:User:name.familyName"},
	} {
		p, err := expr.Compile(text)
		if err != nil {
			if want != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if diff := cmp.Diff(want, p.Attributes()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestTypes(t *testing.T) {
	for text, want := range map[string]expr.Kind{
		`[a]`:                          expr.KindAny,
		`"x"`:                          expr.KindString,
		`5`:                            expr.KindInt,
		`2.5`:                          expr.KindNumber,
		`Join("", [a])`:                expr.KindString,
		`Len([a])`:                     expr.KindInt,
		`Now()`:                        expr.KindTime,
		`Split([a], ",")`:              expr.KindList,
		`IsNull([a])`:                  expr.KindBool,
		`IIF([a] = "", "x", "y")`:      expr.KindString,
		`IIF([a] = "", "x", [b])`:      expr.KindAny,
		`IIF([a] = "", "x", 5)`:        expr.KindAny,
		`Switch([a], , "k", Now())`:    expr.KindTime,
		`Switch([a], "d", "k", "v")`:   expr.KindString,
		`Switch([a], [d], "k", "v")`:   expr.KindAny,
		`Coalesce(Len([a]), 5)`:        expr.KindInt,
		`Redact(Len([a]))`:             expr.KindInt,
		`IgnoreFlowIfNullOrEmpty([a])`: expr.KindAny,
		`IIF([a] = "", "x", IgnoreAttributeFlow)`: expr.KindString,
		`Item([a], 1)`: expr.KindAny,
	} {
		if got := compile(t, text).Type(); got != want {
			t.Errorf("%s has type %s, want %s", text, got, want)
		}
	}
}

func TestNeverEmpty(t *testing.T) {
	for _, text := range []string{
		`"x"`, `Join("", [a], "x")`, `Append([a], "x")`, `Append("x", [a])`, `Coalesce([a], [b], "x")`, `Len([a])`, `Now()`, `Guid()`,
		`Switch([a], "d", "k", "v")`, `Switch([a], [a], "", "Other")`, `IIF([a] = "x", "y", "n")`,
		`IIF(IsNullOrEmpty([a]), "x", [a])`, `IIF([a] = "", "x", [a])`, `IIF(IsPresent([a]), [a], "x")`, `IIF([a] <> "", [a], "x")`,
		`IIF(Not(IsNullOrEmpty([a])), [a], "x")`, `ToLower(NormalizeDiacritics(Append([a], "x")))`, `Redact("x")`,
		`IgnoreFlowIfNullOrEmpty("x")`, `CDate(Coalesce([a], "2020-01-01"))`, `IsPresent([a])`, `FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy")`, `Join("", [a], Split("b,c", ","))`,
	} {
		if !compile(t, text).NeverEmpty() {
			t.Errorf("%s may be empty", text)
		}
	}
	for _, text := range []string{
		`""`, `[a]`, `Join("", [a], [b])`, `Switch([a], , "k", "v")`, `Switch([a], [a], "x", "Other")`, `Switch([a], [b], "", "Other")`,
		`Switch([a], "d", "k", [v])`, `IIF([a] = "x", "y", [b])`, `IIF(IsNullOrEmpty([a]), [a], "x")`, `IIF(IsNullOrEmpty([b]), "x", [a])`,
		`IIF(IsNull([a]), "x", [a])`, `StripSpaces(Append([a], " "))`, `Left("x", [a])`, `Mid("xy", 1, 1)` + ``, `IgnoreAttributeFlow`,
		`Coalesce([a], [b])`, `FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", [a])`, `FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "%K")`, `Split(Append([a], "x"), "x")`, `Join("", [a], Split("x", "x"))`, `Append(IgnoreFlowIfNullOrEmpty([a]), "x")`, `IIF([a] = "x", "y", IgnoreObjectFlow)`, `Replace([a], "x", , , "y", , )`,
	} {
		if p := compile(t, text); p.NeverEmpty() {
			if _, constant := p.Constant(); !constant {
				t.Errorf("%s is never empty", text)
			}
		}
	}
	if compile(t, `IIF([a] = "", "x", [a])`, expr.WithNullConditionsFail()).NeverEmpty() {
		t.Error("a condition that fails for null lets null through")
	}
	if compile(t, `Coalesce([a], "x")`, expr.WithCoalesceNullOnly()).NeverEmpty() {
		t.Error("Coalesce of null only lets the empty text through")
	}
}

func TestRedactedProgramsKeepValuesOutOfErrors(t *testing.T) {
	source := &expr.Env{
		Source: expr.Attributes{"secret": "hunter2", "n": "1", "pattern": "hunter2(", "named": "(?<hunter2>1)"},
		Taken: func(_ context.Context, value string) (bool, error) {
			return false, fmt.Errorf("no answer about %s", value)
		},
	}
	check := expr.Func1("Check", "value", func(_ context.Context, value string) (string, error) {
		return "", fmt.Errorf("%s is not known", value)
	})
	for _, text := range []string{
		`Redact(CDate([secret]))`, `Join("", CDate([secret]), Redact([n]))`,
		`Redact(Replace([n], , [pattern], , "", , ))`, `Redact(Replace([n], , [named], "x", "", , ))`, `Redact(Replace([n], , "1", [secret], "", , ))`,
		`Redact(FormatDateTime([n], [secret], "yyyy", "yyyy"))`, `Redact(FormatDateTime([secret], , "yyyy", "yyyy"))`,
		`SelectUniqueValue([secret], Redact([n]))`, `Redact(Check([secret]))`,
	} {
		p := compile(t, text, expr.WithFunctions(check))
		if !p.Redacted() {
			t.Errorf("%s is not redacted", text)
		}
		_, err := p.Eval(t.Context(), source)
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2") {
			t.Errorf("%s: %#v", text, err)
		}
	}
	p := compile(t, `CDate([secret])`)
	if _, err := p.Eval(t.Context(), source); p.Redacted() || err == nil || !strings.Contains(err.Error(), "hunter2") {
		t.Errorf("redacted %t, %v", p.Redacted(), err)
	}
}

func TestFunctionsOfTheUser(t *testing.T) {
	failure := errors.New("no such cost centre")
	functions := expr.WithFunctions(
		expr.Func1("Double", "n", func(_ context.Context, n int64) (int64, error) { return 2 * n, nil }),
		expr.Func2("Repeat", [2]string{"s", "times"}, func(_ context.Context, s string, n int64) (string, error) {
			return strings.Repeat(s, int(n)), nil
		}),
		expr.Func3("Pick", [3]string{"list", "when", "otherwise"}, func(_ context.Context, list []string, when bool, otherwise expr.Value) (expr.Value, error) {
			if when {
				return expr.Strings(list...), nil
			}
			return otherwise, nil
		}),
		expr.Func1("Tomorrow", "t", func(_ context.Context, at time.Time) (time.Time, error) { return at.AddDate(0, 0, 1), nil }),
		expr.Func1("Half", "x", func(_ context.Context, x float64) (float64, error) { return x / 2, nil }),
		expr.Func1("CostCentre", "code", func(context.Context, string) (string, error) { return "", failure }),
		expr.Function{
			Signature: expr.Signature{Name: "First", Result: expr.KindString, Params: []expr.Param{
				{Name: "a", Kind: expr.KindString}, {Name: "rest", Kind: expr.KindString, Repeated: true},
			}},
			Pure: true,
			Call: func(_ context.Context, args []expr.Value) (expr.Value, error) {
				return expr.String(fmt.Sprintf("%d%v", len(args), args[0])), nil
			},
		},
		expr.Function{
			Signature: expr.Signature{Name: "Opt", Result: expr.KindString, Params: []expr.Param{
				{Name: "a", Kind: expr.KindAny}, {Name: "b", Kind: expr.KindList, Optional: true},
			}},
			Call: func(_ context.Context, args []expr.Value) (expr.Value, error) {
				return expr.String(fmt.Sprintf("%d%v", len(args), args[1].IsNull())), nil
			},
		},
	)
	runRows(t, []row{
		{expression: `Double([int])`, want: "84"},
		{expression: `Double("21")`, want: "42"},
		{expression: `Double([absent])`, want: "0"},
		{expression: `Double([name])`, err: `Double argument 1 (n): a whole number is wanted, not "Zoë"`},
		{expression: `Double("x")`, err: "a whole number is wanted"},
		{expression: `Double()`, err: "0 arguments given, at least 1 needed: Double(n)"},
		{expression: `Repeat([name], 2)`, want: "ZoëZoë"},
		{expression: `Repeat([list], 2)`, err: "one value is wanted"},
		{expression: `Repeat("x", 9999999)`, err: "limit of 1048576 bytes"},
		{expression: `Pick([list], [int] = 42, "no")`, want: "[SMTP:a@x, smtp:b@x, SMTP:a@x]"},
		{expression: `Pick([name], [yes], "no")`, want: "[Zoë]"},
		{expression: `Pick([name], [no], [none])`, want: null},
		{expression: `Tomorrow([when])`, want: "3/1/2024 1:05:09 PM"},
		{expression: `Tomorrow("2024-01-01")`, err: "wrap it in CDate"},
		{expression: `Half([float])`, want: "1.25"},
		{expression: `Half("5")`, want: "2.5"},
		{expression: `Half([name])`, err: "a number is wanted"},
		{expression: `Half("x")`, err: "a number is wanted"},
		{expression: `CostCentre([name])`, err: "CostCentre: no such cost centre"},
		{expression: `First("a")`, want: "1a"},
		{expression: `First("a", "b", "c")`, want: "3a"},
		{expression: `Opt([name])`, want: "2true"},
		{expression: `Opt([name], [name])`, want: "2false"},
		{expression: `ToLower(Doubel(1))`, err: "did you mean Double?"},
	}, functions)
	_, err := compile(t, `CostCentre([a])`, functions).Eval(t.Context(), nil)
	if !errors.Is(err, failure) || !errors.Is(err, expr.ErrEval) {
		t.Errorf("got %v, want the function's error", err)
	}
	if v, ok := compile(t, `First("a", "b")`, functions).Constant(); !ok || v.String() != "2a" {
		t.Errorf("a pure function is not folded: %v", v)
	}
	if _, ok := compile(t, `Double(1)`, functions).Constant(); ok {
		t.Error("a function that is not pure is folded")
	}

	call := func(context.Context, []expr.Value) (expr.Value, error) { return expr.Null(), nil }
	for name, fn := range map[string]expr.Function{
		"letters":         {Signature: expr.Signature{Name: "No way"}, Call: call},
		`""`:              {Call: call},
		"has no Call":     {Signature: expr.Signature{Name: "F"}},
		"already":         {Signature: expr.Signature{Name: "ToLower"}, Call: call},
		"may be repeated": {Signature: expr.Signature{Name: "F", Params: []expr.Param{{Name: "a", Kind: expr.KindAny, Repeated: true}, {Name: "b", Kind: expr.KindAny}}}, Call: call},
		"kind null":       {Signature: expr.Signature{Name: "F", Params: []expr.Param{{Name: "a"}}}, Call: call},
	} {
		if _, err := expr.Compile(`[a]`, expr.WithFunctions(fn)); !errors.Is(err, expr.ErrCheck) || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want an error with %q", err, name)
		}
	}
	trim := expr.WithFunctions(expr.Function{Signature: expr.Signature{Name: "Trim"}, Call: call})
	if _, err := expr.Compile(`Trim()`, trim); err != nil {
		t.Errorf("a name that only Entra Connect has: %v", err)
	}
	if _, err := expr.Compile(`Trim()`, trim, expr.WithConnectFunctions()); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a function of Entra Connect was replaced: %v", err)
	}
}

func TestSignaturesListTheReference(t *testing.T) {
	reference := strings.Fields(`Append AppRoleAssignmentsComplex AssertiveAppRoleAssignmentsComplex BitAnd CBool CDate Coalesce ConvertToBase64 ConvertToUTF8Hex
		Count CStr DateAdd DateDiff DateFromNum DefaultDomain FormatDateTime Guid IgnoreFlowIfNullOrEmpty IIF InStr IsNull IsNullOrEmpty IsPresent IsString Item
		Join Left Len Mid NormalizeDiacritics Not Now NumFromDate PCase RandomString Redact RemoveDuplicates Replace SelectUniqueValue SingleAppRoleAssignment
		Split StripSpaces Switch ToLower ToUpper Word`)
	known := map[string]bool{}
	for _, s := range expr.Signatures() {
		known[s.Name] = true
		if s.Help == "" {
			t.Errorf("%s has no help", s.Name)
		}
	}
	for _, name := range reference {
		if !known[name] {
			t.Errorf("%s is missing", name)
		}
	}
	if len(expr.Signatures(expr.WithConnectFunctions())) <= len(expr.Signatures()) {
		t.Error("WithConnectFunctions adds nothing")
	}
	list := expr.Signatures()
	list[0].Params[0].Name = "changed"
	if expr.Signatures()[0].Params[0].Name == "changed" {
		t.Error("signatures share memory with the language")
	}
}

func TestHooks(t *testing.T) {
	failure := errors.New("the target does not answer")
	unique := compile(t, `SelectUniqueValue([absent], Append([a], ""), [b], "", "c")`)
	env := expr.Env{Source: expr.Attributes{"a": "x", "b": "y"}}

	var asked []string
	env.Taken = func(_ context.Context, value string) (bool, error) {
		asked = append(asked, value)
		return value != "y", nil
	}
	v, err := unique.Eval(t.Context(), &env)
	if err != nil || v.String() != "y" {
		t.Errorf("got %v, %v, want y", v, err)
	}
	if diff := cmp.Diff([]string{"x", "y"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	env.Taken = func(context.Context, string) (bool, error) { return true, nil }
	if _, err := unique.Eval(t.Context(), &env); !errors.Is(err, expr.ErrAllTaken) || !errors.Is(err, expr.ErrEval) {
		t.Errorf("got %v, want ErrAllTaken", err)
	}
	if v, err := compile(t, `SelectUniqueValue([absent], "")`).Eval(t.Context(), &env); err != nil || !v.IsNull() {
		t.Errorf("without candidates: %v, %v", v, err)
	}
	env.Taken = func(context.Context, string) (bool, error) { return false, failure }
	if _, err := unique.Eval(t.Context(), &env); !errors.Is(err, failure) {
		t.Errorf("got %v, want the hook's error", err)
	}

	domain := compile(t, `Join("@", [a], DefaultDomain())`)
	env.DefaultDomain = func(context.Context) (string, error) { return "contoso.com", nil }
	if v, err := domain.Eval(t.Context(), &env); err != nil || v.String() != "x@contoso.com" {
		t.Errorf("got %v, %v", v, err)
	}
	env.DefaultDomain = func(context.Context) (string, error) { return "", failure }
	if _, err := domain.Eval(t.Context(), &env); !errors.Is(err, failure) {
		t.Errorf("got %v, want the hook's error", err)
	}
	env.DefaultDomain = func(context.Context) (string, error) { return "", nil }
	if _, err := domain.Eval(t.Context(), &env); err == nil {
		t.Error("an empty default domain is accepted")
	}

	clocks := 0
	env.Clock = func() time.Time { clocks++; return noon.Add(time.Duration(clocks) * time.Hour) }
	if v, err := compile(t, `DateDiff("s", Now(), Now())`).Eval(t.Context(), &env); err != nil || v.String() != "0" || clocks != 1 {
		t.Errorf("got %v, %v after %d looks at the clock", v, err, clocks)
	}
	env.Clock = func() time.Time { return time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }
	if _, err := compile(t, `Now()`).Eval(t.Context(), &env); err == nil {
		t.Error("the year 10000 is accepted")
	}

	if v, err := compile(t, `Now()`).Eval(t.Context(), nil); err != nil || v.Kind() != expr.KindTime {
		t.Errorf("without an environment: %v, %v", v, err)
	}
	if v, err := compile(t, `[a]`).Eval(t.Context(), nil); err != nil || !v.IsNull() {
		t.Errorf("without a source: %v, %v", v, err)
	}
}

func TestGuid(t *testing.T) {
	p := compile(t, `Guid()`)
	v, err := p.Eval(t.Context(), &expr.Env{Rand: strings.NewReader("\x00\x01\x02\x03\x04\x05\xf6\x07\xf8\x09\x0a\x0b\x0c\x0d\x0e\x0f")})
	if want := "00010203-0405-4607-b809-0a0b0c0d0e0f"; err != nil || v.String() != want {
		t.Errorf("got %v, %v, want %s", v, err, want)
	}
	v, err = p.Eval(t.Context(), &expr.Env{NewGUID: func() string { return "mine" }})
	if err != nil || v.String() != "mine" {
		t.Errorf("got %v, %v", v, err)
	}
	if _, err := p.Eval(t.Context(), &expr.Env{Rand: strings.NewReader("short")}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want the reader's error", err)
	}
	v, err = p.Eval(t.Context(), nil)
	if form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); err != nil || !form.MatchString(v.String()) {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestRandomString(t *testing.T) {
	count := func(s, set string) (n int) {
		for _, r := range s {
			if strings.ContainsRune(set, r) {
				n++
			}
		}
		return n
	}
	const (
		digits   = "0123456789"
		specials = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"
		upper    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		lower    = "abcdefghijklmnopqrstuvwxyz"
	)
	for range 200 {
		v, err := compile(t, `RandomString(6,3,0,0,3)`).Eval(t.Context(), nil)
		if s := v.String(); err != nil || len(s) != 6 || count(s, digits) != 3 || count(s, lower) != 3 {
			t.Fatalf("got %q, %v", s, err)
		}
		v, err = compile(t, `RandomString(10,2,2,2,1,"?,")`).Eval(t.Context(), nil)
		if s := v.String(); err != nil || len(s) != 10 || count(s, digits) < 2 || count(s, specials) < 2 || count(s, upper) < 2 || count(s, lower) < 1 || count(s, "?,") != 0 {
			t.Fatalf("got %q, %v", s, err)
		}
		v, err = compile(t, `RandomString(256,0,0,0,0)`).Eval(t.Context(), nil)
		if s := v.String(); err != nil || len(s) != 256 || count(s, specials) != 0 {
			t.Fatalf("got %q, %v", s, err)
		}
		v, err = compile(t, `RandomString(20,0,0,1,0)`).Eval(t.Context(), nil)
		if s := v.String(); err != nil || count(s, upper) != 20 {
			t.Fatalf("got %q, %v", s, err)
		}
	}
	runRows(t, []row{
		{expression: `RandomString(0,0,0,0,0)`, want: ""},
		{expression: `RandomString(257,0,0,0,0)`, err: "the length must be from 0 to 256"},
		{expression: `RandomString(-1,0,0,0,0)`, err: "the length must be from 0 to 256"},
		{expression: `RandomString(3,1,1,1,1)`, err: "the minimums are more than the length"},
		{expression: `RandomString(3,-1,1,1,1)`, err: "a minimum must be from 0 to 256"},
		{expression: `RandomString(3,9223372036854775807,1,1,1)`, err: "a minimum must be from 0 to 256"},
		{expression: `RandomString(3,1,0,0,0,"0123456789")`, err: "no character is left to choose from among 0123456789"},
		{expression: `RandomString(3,1,0,0)`, err: "at least 5 needed"},
		{expression: `RandomString([int],1,0,0,100)`, err: "the minimums are more than the length"},
		{expression: `RandomString([absent],1,0,0,100)`, err: "there is none"},
	})
	first, err1 := compile(t, `RandomString(12,1,1,1,1)`).Eval(t.Context(), objectEnv())
	second, err2 := compile(t, `RandomString(12,1,1,1,1)`).Eval(t.Context(), objectEnv())
	if err1 != nil || err2 != nil || !first.Equal(second) {
		t.Errorf("the same random bytes give %v (%v) and %v (%v)", first, err1, second, err2)
	}
	for name, source := range map[string]io.Reader{"end": strings.NewReader("abc"), "stuck": stuck{}} {
		if v, err := compile(t, `RandomString(12,1,1,1,1)`).Eval(t.Context(), &expr.Env{Rand: source}); !errors.Is(err, expr.ErrEval) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}

// stuck gives the same byte for ever, one that no fair die can use.
type stuck struct{}

func (stuck) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 255
	}
	return len(b), nil
}

func TestCustomRegexp(t *testing.T) {
	engine := expr.WithRegexp(func(pattern string) (expr.Regexp, error) {
		if pattern == "bad" {
			return nil, errors.New("not mine")
		}
		return regexp.Compile(strings.ReplaceAll(pattern, "(?=b)", ""))
	})
	runRows(t, []row{
		{expression: `Replace("abab", , "a(?=b)", , "x", , )`, want: "xbxb"},
		{expression: `Replace("abab", , "(?<v>a)", "v", "x", , )`, want: "xbxb"},
		{expression: `Replace("abab", , "bad", , "x", , )`, err: "not mine"},
	}, engine)
}

func TestProgramsAreSafeForConcurrentUse(t *testing.T) {
	p := compile(t, `ToLower(Join("@", Replace(NormalizeDiacritics([name]), , "[a-z]*?o\\b|x*", , "", , ), [n]))`)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				n := fmt.Sprint(i, j)
				v, err := p.Eval(context.Background(), &expr.Env{Source: expr.Attributes{"name": "Zoë", "n": n}})
				if err != nil || v.String() != "zoe@"+n {
					t.Errorf("got %v, %v", v, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestEvalAllocatesOnlyItsResult(t *testing.T) {
	for text, most := range map[string]float64{
		`Switch([IsSoftDeleted], , "False", "True", "True", "False")`: 0,
		`[mail]`: 0,
		`IIF([department] = "Engineering", [mail], [jobTitle])`: 0,
		`Join(" ", [givenName], [surname])`:                     1,
		`Append([givenName], [surname])`:                        1,
	} {
		p := compile(t, text)
		env := &expr.Env{Source: person}
		if got := testing.AllocsPerRun(100, func() { _, _ = p.Eval(t.Context(), env) }); got > most {
			t.Errorf("%s allocates %v times, want at most %v", text, got, most)
		}
	}
}
