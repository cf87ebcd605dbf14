package expr_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping/expr"
)

// object is the source of the tables below.
var object = expr.Attributes{
	"name":     "Zoë",
	"empty":    "",
	"space":    " ",
	"emoji":    "a😀b",
	"int":      int64(42),
	"float":    2.5,
	"yes":      true,
	"no":       false,
	"hire":     "2012-03-16-07:00",
	"when":     time.Date(2024, 2, 29, 13, 5, 9, 120_000_000, time.UTC),
	"list":     []any{"SMTP:a@x", "smtp:b@x", "SMTP:a@x"},
	"one":      []any{"only"},
	"none":     []any{},
	"mixed":    []any{"a", int64(1), nil, "", true},
	"manager":  map[string]any{"value": "m1"},
	"channel":  make(chan int),
	"channels": []any{"a", make(chan int)},
	"filetime": "129699324000000000",
	"control":  int64(514),
	"crlf":     "ab\n",
}

var noon = time.Date(2025, 7, 30, 12, 0, 0, 0, time.UTC)

func objectEnv() *expr.Env {
	return &expr.Env{
		Source: object,
		Clock:  func() time.Time { return noon },
		Rand:   strings.NewReader(strings.Repeat("\x01\x42\x99\xfe\x07", 1000)),
	}
}

// null is what tables write for a null result.
const null = "<null>"

func show(v expr.Value) string {
	switch {
	case v.IsNull():
		return null
	case v.Ignored():
		return "<" + v.String() + ">"
	}
	return v.String()
}

// row is an expression with its result over object, or with a part of its error.
type row struct {
	expression string
	want       string
	err        string
}

func runRows(t *testing.T, rows []row, opts ...expr.Option) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.expression, func(t *testing.T) {
			p, err := expr.Compile(r.expression, opts...)
			var v expr.Value
			if err == nil {
				v, err = p.Eval(t.Context(), objectEnv())
			}
			switch {
			case r.err == "" && err != nil:
				t.Fatalf("%s: %v", r.expression, err)
			case r.err == "":
				if diff := cmp.Diff(r.want, show(v)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", r.expression, diff)
				}
			case err == nil:
				t.Errorf("%s gives %s, want an error with %q", r.expression, show(v), r.err)
			case !strings.Contains(err.Error(), r.err):
				t.Errorf("%s fails with\n%v\nwant an error with %q", r.expression, err, r.err)
			default:
				if e := new(*expr.Error); !errors.As(err, e) {
					t.Errorf("%T is not an *Error", err)
				}
			}
		})
	}
}

func TestTextFunctions(t *testing.T) {
	runRows(t, []row{
		{expression: `Append([name], "!")`, want: "Zoë!"},
		{expression: `Append([absent], "!")`, want: "!"},
		{expression: `Append([name], [absent])`, want: "Zoë"},
		{expression: `Append([absent], [empty])`, want: ""},
		{expression: `Append([int], [float])`, want: "422.5"},
		{expression: `Append([yes], [no])`, want: "TrueFalse"},
		{expression: `Append([one], "!")`, want: "only!"},
		{expression: `Append([none], "!")`, want: "!"},
		{expression: `Append([list], "!")`, err: "Append argument 1 (source): one value is wanted and there are 3"},
		{expression: `Append([manager], "!")`, err: "sub-attributes"},
		{expression: `Append([channel], "!")`, err: "[channel] holds a Go value an expression cannot use: chan int"},
		{expression: `Append([name])`, err: "1 argument given, at least 2 needed: Append(source, suffix)"},
		{expression: `Append([name], )`, err: "argument 2 (suffix): this argument must be given"},
		{expression: `Append([name], "", "")`, err: "3 arguments given, at most 2 allowed"},
		{expression: `Append(007, 1.50)`, want: "0071.50"},
		{expression: `Append(&HF, -0)`, want: "15-0"},
		{expression: `Prepend("a", [name])`, want: "aZoë"},

		{expression: `Join(", ", [absent], [name], [empty], [int])`, want: "Zoë, 42"},
		{expression: `Join(", ", [absent], [empty])`, want: ""},
		{expression: `Join("|", [list])`, want: "SMTP:a@x|smtp:b@x|SMTP:a@x"},
		{expression: `Join("|", [mixed], "end")`, want: "a|1|True|end"},
		{expression: `Join("|", , [name], )`, err: "source1"},
		{expression: `Join("|", [name], , [int])`, want: "Zoë|42"},
		{expression: `Join([absent], "a", "b")`, want: "ab"},
		{expression: `Join("|", [manager])`, err: "text is wanted, not a complex value"},
		{expression: `Join("|", [channels])`, err: "text is wanted, not a unsupported Go value"},
		{expression: `Join("|")`, err: "at least 2 needed: Join(separator, source1, source, …)"},
		{expression: `Join("", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j")`, want: "abcdefghij"},

		{expression: `Left([name], 2)`, want: "Zo"},
		{expression: `Left([name], 3)`, want: "Zoë"},
		{expression: `Left([name], 99)`, want: "Zoë"},
		{expression: `Left([name], 0)`, want: ""},
		{expression: `Left([name], -1)`, want: "Zoë"},
		{expression: `Left([absent], 3)`, want: ""},
		{expression: `Left([emoji], 2)`, want: "a😀"},
		{expression: `Left([name], "2")`, want: "Zo"},
		{expression: `Left([name], &H2)`, want: "Zo"},
		{expression: `Left([name], [absent])`, err: "Left argument 2 (NumChars): a whole number is wanted and there is none"},
		{expression: `Left([name], [name])`, err: `a whole number is wanted, not "Zoë"`},
		{expression: `Left([name], 2.5)`, err: `a whole number is wanted, not "2.5"`},
		{expression: `Left([name], [float])`, err: `a whole number is wanted, not the number "2.5"`},
		{expression: `Left([name], "x")`, err: `a whole number is wanted, not "x"`},
		{expression: `Left([name], Now())`, err: "a number is wanted, not a date"},
		{expression: `Left(12345, 2)`, want: "12"},
		{expression: `Left([name], 9223372036854775807)`, want: "Zoë"},
		{expression: `Left([name], 9223372036854775808)`, err: "a whole number is wanted"},

		{expression: `Len([name])`, want: "3"},
		{expression: `Len([emoji])`, want: "3"},
		{expression: `Len([absent])`, want: "0"},
		{expression: `Len([empty])`, want: "0"},
		{expression: `Len([yes])`, want: "4"},
		{expression: `Len([when])`, want: "20"},

		{expression: `Mid([name], 1, 1)`, want: "Z"},
		{expression: `Mid([name], 3, 1)`, want: "ë"},
		{expression: `Mid([name], 2, 99)`, want: "oë"},
		{expression: `Mid([name], 4, 1)`, want: "Zoë"},
		{expression: `Mid([name], 0, 1)`, want: "Zoë"},
		{expression: `Mid([name], -1, 1)`, want: "Zoë"},
		{expression: `Mid([name], 1, 0)`, want: ""},
		{expression: `Mid([name], 1, -1)`, want: "Zoë"},
		{expression: `Mid([absent], 1, 1)`, want: ""},
		{expression: `Mid([emoji], 2, 1)`, want: "😀"},
		{expression: `Mid([name], 2, 9223372036854775807)`, want: "oë"},
		{expression: `Mid([name], 2)`, err: "at least 3 needed"},

		{expression: `InStr([name], "ë")`, want: "3"},
		{expression: `InStr([emoji], "b")`, want: "3"},
		{expression: `InStr([name], "x")`, want: "0"},
		{expression: `InStr([name], "")`, want: "1"},
		{expression: `InStr([name], "", 3)`, want: "3"},
		{expression: `InStr([name], "", 4)`, want: "0"},
		{expression: `InStr([absent], "a")`, want: "0"},
		{expression: `InStr([absent], "")`, want: "0"},
		{expression: `InStr([name], [absent])`, want: "1"},
		{expression: `InStr("ABCabc", "b", 3)`, want: "5"},
		{expression: `InStr("ABCabc", "b", , vbTextCompare)`, want: "2"},
		{expression: `InStr("ABCabc", "b", , "vbTextCompare")`, want: "2"},
		{expression: `InStr("ABCabc", "b", , 1)`, want: "2"},
		{expression: `InStr("ABCabc", "B", 1, vbBinaryCompare)`, want: "2"},
		{expression: `InStr([name], "a", 0)`, err: "positions count from 1, not \"0\""},
		{expression: `InStr([name], "a", 1, vbFoo)`, err: "vbFoo is no keyword"},
		{expression: `InStr([name], "a", 1, "x")`, err: "vbBinaryCompare or vbTextCompare"},
		{expression: `InStr([name], "a", 1, [name])`, err: "vbBinaryCompare or vbTextCompare"},
		{expression: `InStr(vbTextCompare, "a")`, err: "only as the compareType of InStr"},

		{expression: `StripSpaces(" a b\u00a0c ")`, want: `ab\u00a0c`},
		{expression: `StripSpaces([space])`, want: ""},
		{expression: `StripSpaces([absent])`, want: null},

		{expression: `ConvertToBase64([emoji])`, want: "YQA92ADeYgA="},
		{expression: `ConvertToBase64([empty])`, want: ""},
		{expression: `ConvertToBase64([absent])`, want: null},
		{expression: `ConvertToUTF8Hex([name])`, want: "5A6FC3AB"},
		{expression: `ConvertToUTF8Hex([absent])`, want: null},

		{expression: `CStr([int])`, want: "42"},
		{expression: `CStr([yes])`, want: "True"},
		{expression: `CStr([when])`, want: "2/29/2024 1:05:09 PM"},
		{expression: `CStr([absent])`, want: null},
		{expression: `CStr([list])`, err: "take one with Item"},

		{expression: `ToLower("ÄÖÜ ẞ I İ Σ")`, want: "äöü ß i İ σ"}, // the invariant culture of .NET has no i for İ
		{expression: `ToLower("İSTANBUL İ")`, want: "İstanbul İ"},
		{expression: `ToLower("I İ", "tr-TR")`, want: "ı i"},
		{expression: `ToLower("I İ", "en-US")`, want: "i i"},
		{expression: `ToUpper("ışık i")`, want: "ıŞıK I"},
		{expression: `ToUpper("ışık i", "tr-TR")`, want: "IŞIK İ"},
		{expression: `ToUpper("ışık i", "en-US")`, want: "IŞIK I"},
		{expression: `ToLower("I", "tr-TR")`, want: "ı"},
		{expression: `ToLower("I", "en-US")`, want: "i"},
		{expression: `ToLower("I", )`, want: "i"},
		{expression: `ToLower("I", "")`, want: "i"},
		{expression: `ToLower("I", "english please")`, err: "a culture is written like en-US"},
		{expression: `ToLower([name], [space])`, err: "a culture is written like en-US"},
		{expression: `ToLower([absent])`, want: null},
		{expression: `ToLower([list])`, err: "take one with Item"},
		{expression: `ToLower(Split("a,b", ","))`, err: "a list stands where one value is wanted"},
		{expression: `ToUpper("straße i")`, want: "STRAßE I"},
		{expression: `ToUpper("i", "az")`, want: "İ"},

		{expression: `PCase("mcdonald's o_neil 3RD-floor")`, want: "Mcdonald'S O_Neil 3rd-Floor"},
		{expression: `PCase("ǆungla ÉCOLE")`, want: "ǅungla École"},
		{expression: `PCase("a-b c", " ")`, want: "A-b C"},
		{expression: `PCase("axbxc", "x")`, want: "AxBxC"},
		{expression: `PCase([absent])`, want: null},
		{expression: `PCase([empty])`, want: ""},

		{expression: `Word("  a  b ", 2, " ")`, want: "b"},
		{expression: `Word("a b", 3, " ")`, want: ""},
		{expression: `Word("a b", 0, " ")`, want: ""},
		{expression: `Word("a b", -1, " ")`, want: ""},
		{expression: `Word("a b", [absent], " ")`, want: ""},
		{expression: `Word([absent], 1, " ")`, want: ""},
		{expression: `Word("a b", 1, "")`, want: "a b"},
		{expression: `Word("aëb", 2, "ë")`, want: "b"},
	})
}

func TestOptionsOfTextFunctions(t *testing.T) {
	t.Run("UTF16", func(t *testing.T) {
		runRows(t, []row{
			{expression: `Len([emoji])`, want: "4"},
			{expression: `Left([emoji], 2)`, want: "a"},
			{expression: `Left([emoji], 3)`, want: "a😀"},
			{expression: `Mid([emoji], 2, 2)`, want: "😀"},
			{expression: `Mid([emoji], 3, 2)`, want: "b"},
			{expression: `Mid([emoji], 4, 9)`, want: "b"},
			{expression: `InStr([emoji], "b")`, want: "4"},
			{expression: `Len([name])`, want: "3"},
		}, expr.WithUTF16())
	})
	t.Run("Join_keeps_empty", func(t *testing.T) {
		runRows(t, []row{{expression: `Join(",", [absent], [name], [empty])`, want: ",Zoë,"}}, expr.WithJoinEmpty())
	})
	t.Run("PCase_keeps_apostrophes", func(t *testing.T) {
		runRows(t, []row{
			{expression: `PCase("JOHN'S O’NEIL")`, want: "John's O’neil"},
			{expression: `PCase("O'NEIL", "'")`, want: "O'Neil"},
		}, expr.WithPCaseApostrophes())
	})
}

func TestNormalizeDiacritics(t *testing.T) {
	table := map[string]string{
		"àáâãäåāăą ÀÁÂÃÄÅĀĂĄ": "aaaaaaaaa AAAAAAAAA",
		"çćčĉċ ÇĆČ":           "ccccc CCC",
		"ďđ Ď":                "dđ D",
		"èéêëēĕėęě":           "eeeeeeeee",
		"ğĝġģ":                "gggg",
		"ìíîïĩīĭįı İ":         "iiiiiiiii I",
		"ĺļľł Ł":              "llll L",
		"ñńņň":                "nnnn",
		"òóôõöōŏő ø Ø":        "oooooooo oe OE",
		"ŕŗř śşšŝ ß":          "rrr ssss ss",
		"ţť ùúûüũūŭůűų":       "tt uuuuuuuuuu",
		"ýÿ źżž":              "yy zzz",
		"æ Æ œ Œ ǽ œ̄":        "ae AE oe OE ae oe",
		"ḹ ǖ ế":               "l u e",
		"e\u0301x\u0304":      "ex",
		"ħþðŧ":                "ħþðŧ",
		"й ё が 한글 นี้ Ελλάς":  "й ё が 한글 นี้ Ελλάς",
		"plain":               "plain",
		"":                    "",
		"\u0301a":             "\u0301a",
	}
	p, err := expr.Compile(`NormalizeDiacritics([a])`)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range table {
		got, err := p.Eval(t.Context(), &expr.Env{Source: expr.Attributes{"a": in}})
		if err != nil || got.String() != want {
			t.Errorf("NormalizeDiacritics(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	runRows(t, []row{{expression: `NormalizeDiacritics([absent])`, want: null}})
}

func TestFlowFunctions(t *testing.T) {
	runRows(t, []row{
		{expression: `IIF([yes], "y", "n")`, want: "y"},
		{expression: `IIF([no], "y", "n")`, want: "n"},
		{expression: `IIF("True", "y", "n")`, want: "y"},
		{expression: `IIF("true", [name], "n")`, want: "Zoë"},
		{expression: `IIF([int], "y", "n")`, want: "y"},
		{expression: `IIF("0", "y", "n")`, want: "n"},
		{expression: `IIF([absent], "y", "n")`, want: "n"},
		{expression: `IIF([name], "y", "n")`, want: "n"},
		{expression: `IIF([absent]="", "y", "n")`, want: "y"},
		{expression: `IIF([absent]=[empty], "y", "n")`, want: "y"},
		{expression: `IIF([name]="zoë", "y", "n")`, want: "n"},
		{expression: `IIF([int]=42, "y", "n")`, want: "y"},
		{expression: `IIF([int]="42.0", "y", "n")`, want: "y"},
		{expression: `IIF("007"="7", "y", "n")`, want: "y"},
		{expression: `IIF("10">"9", "y", "n")`, want: "y"},
		{expression: `IIF("10a">"9a", "y", "n")`, want: "n"},
		{expression: `IIF("-2"<"-1", "y", "n")`, want: "y"},
		{expression: `IIF("-0"="0", "y", "n")`, want: "y"},
		{expression: `IIF("-1"<"0", "y", "n")`, want: "y"},
		{expression: `IIF("1"<"-1", "y", "n")`, want: "n"},
		{expression: `IIF("1.5">"1.45", "y", "n")`, want: "y"},
		{expression: `IIF("12345678901234567890123"<"12345678901234567890124", "y", "n")`, want: "y"},
		{expression: `IIF("1e3"="1000", "y", "n")`, want: "n"},
		{expression: `IIF([yes]="true", "y", "n")`, want: "y"},
		{expression: `IIF([yes]=[no], "y", "n")`, want: "n"},
		{expression: `IIF([yes]="maybe", "y", "n")`, want: "n"},
		{expression: `IIF([when]>CDate("2024-02-29"), "y", "n")`, want: "y"},
		{expression: `IIF([when]<"2024-03-01", "y", "n")`, want: "y"},
		{expression: `IIF([when]=[absent], "y", "n")`, want: "n"},
		{expression: `IIF([float]>=2.5, "y", "n")`, want: "y"},
		{expression: `IIF([float]<>2.5, "y", "n")`, want: "n"},
		{expression: `IIF([float]<=2, "y", "n")`, want: "n"},
		{expression: `IIF([list]="a", "y", "n")`, err: "comparison argument 1 (left): one value is wanted"},
		{expression: `IIF([a]="b"="c", "y", "n")`, err: "cannot be chained"},
		{expression: `IIF("True", "y", CDate("never"))`, want: "y"},
		{expression: `IIF([yes], "y", CDate("never"))`, want: "y"},
		{expression: `IIF([no], "y", CDate("never"))`, err: "is not a date"},
		{expression: `IIF([yes], IgnoreAttributeFlow, "n")`, want: "<IgnoreAttributeFlow>"},
		{expression: `IIF([no], "y", IgnoreObjectFlow)`, want: "<IgnoreObjectFlow>"},
		{expression: `IIF([yes], , "n")`, err: "must be given"},
		{expression: `IIF(IgnoreFlowIfNullOrEmpty([name])="x", "y", "n")`, err: "cannot be part of a condition"},
		{expression: `ToLower(IIF([yes], IgnoreAttributeFlow, "n"))`, want: "<IgnoreAttributeFlow>"},
		{expression: `Append("a", IgnoreFlowIfNullOrEmpty([absent]))`, want: "<IgnoreAttributeFlow>"},
		{expression: `Append("a", IgnoreFlowIfNullOrEmpty([name]))`, want: "aZoë"},
		{expression: `ToLower(IgnoreAttributeFlow)`, err: "can stand only where its value is the result"},
		{expression: `IgnoreObjectFlow`, want: "<IgnoreObjectFlow>"},
		{expression: `Switch(IgnoreFlowIfNullOrEmpty([absent]), "d", "k", "v")`, want: "<IgnoreAttributeFlow>"},
		{expression: `Switch(IgnoreFlowIfNullOrEmpty(""), "d", "k", "v")`, want: "<IgnoreAttributeFlow>"},
		{expression: `Switch([name], "d", IgnoreFlowIfNullOrEmpty(""), "v")`, want: "<IgnoreAttributeFlow>"},
		{expression: `Switch("x", "d", IgnoreFlowIfNullOrEmpty(""), "v")`, want: "<IgnoreAttributeFlow>"},
		{expression: `IgnoreFlowIfNullOrEmpty([empty])`, want: "<IgnoreAttributeFlow>"},
		{expression: `IgnoreFlowIfNullOrEmpty([list])`, want: "[SMTP:a@x, smtp:b@x, SMTP:a@x]"},

		{expression: `Switch([absent], "d", "", "e", "k", "v")`, want: "e"},
		{expression: `Switch([empty], "d", "", "e")`, want: "e"},
		{expression: `Switch([yes], , "True", "on", "False", "off")`, want: "on"},
		{expression: `Switch([int], , 42, "answer")`, want: "answer"},
		{expression: `Switch([name], , "x", "y")`, want: null},
		{expression: `Switch([name], "d", "zoë", "y")`, want: "d"},
		{expression: `Switch([name], "d", [name], "same")`, want: "same"},
		{expression: `Switch([name], "d", [absent], "none", "Zoë", "first", "Zoë", "second")`, want: "first"},
		{expression: `Switch([name], "d", "Zoë", "first", "Zoë", "second")`, want: "first"},
		{expression: `Switch("k", [name], "k", [int])`, want: "42"},
		{expression: `Switch("k", [name], "l", [int])`, want: "Zoë"},
		{expression: `Switch("k", , "l", [int])`, want: null},
		{expression: `Switch([name], CDate("never"), "Zoë", "ok")`, want: "ok"},
		{expression: `Switch([name], "d", "Zoë", )`, err: "value1"},
		{expression: `Switch([name], "d", "k")`, err: "at least 4 needed"},
		{expression: `Switch([name], "d", "k", "v", "l")`, err: "groups of 2"},
		{expression: `Switch([list], "d", "k", "v")`, err: "one value is wanted and there are 3"},
		{expression: `Switch([int], "d", 1,"a",2,"b",3,"c",4,"d",5,"e",6,"f",7,"g",8,"h",9,"i",42,"j",42,"k")`, want: "j"},
		{expression: `Switch([name], "d", 1,"a",2,"b",3,"c",4,"d",5,"e",6,"f",7,"g",8,"h",9,"i",42,"j",42,"k")`, want: "d"},
		{expression: `Switch(IsPresent([name]), "d", "True", [name])`, want: "Zoë"},

		{expression: `Coalesce([absent], [empty], [name], CDate("never"))`, want: "Zoë"},
		{expression: `Coalesce([absent], [empty])`, want: ""},
		{expression: `Coalesce([empty], [absent])`, want: null},
		{expression: `Coalesce([absent], )`, want: null},
		{expression: `Coalesce([none], [list])`, want: "[SMTP:a@x, smtp:b@x, SMTP:a@x]"},
		{expression: `Coalesce([name])`, want: "Zoë"},
		{expression: `Coalesce()`, err: "0 arguments given, at least 1 needed"},

		{expression: `Redact([name])`, want: "Zoë"},
		{expression: `Redact([absent])`, want: null},
		{expression: `Redact("x")`, want: "x"},

		{expression: `CBool([int]=42)`, want: "True"},
		{expression: `CBool([name]=[empty])`, want: "False"},
		{expression: `CBool(BitAnd([control], 2))`, want: "True"},
		{expression: `CBool(0)`, want: "False"},
		{expression: `CBool("0.0")`, want: "False"},
		{expression: `CBool("-0.5")`, want: "True"},
		{expression: `CBool("TRUE")`, want: "True"},
		{expression: `CBool("yes")`, want: "False"},
		{expression: `CBool([absent])`, want: "False"},
		{expression: `CBool(Now())`, err: "a condition is wanted, not a date"},
		{expression: `Not("True")`, want: "False"},
		{expression: `Not([no])`, want: "True"},
		{expression: `Not(1)`, want: "True"},
		{expression: `Not([absent])`, want: "True"},
		{expression: `Not([int]=42)`, want: "False"},
		{expression: `ToLower([int]=42)`, err: "only as a condition"},
		{expression: `[int]=42`, err: "only as a condition"},

		{expression: `IsNull([absent])`, want: "True"},
		{expression: `IsNull([none])`, want: "True"},
		{expression: `IsNull([empty])`, want: "False"},
		{expression: `IsNothing([empty])`, want: "False"},
		{expression: `IsNullOrEmpty([empty])`, want: "True"},
		{expression: `IsNullOrEmpty([space])`, want: "False"},
		{expression: `IsPresent([list])`, want: "True"},
		{expression: `IsPresent([empty])`, want: "False"},
		{expression: `IsString([name])`, want: "True"},
		{expression: `IsString([one])`, want: "True"},
		{expression: `IsString([int])`, want: "False"},
		{expression: `IsString([absent])`, want: "False"},
		{expression: `IIF(IsNullOrEmpty([empty]), "none", [empty])`, want: "none"},

		{expression: `DefaultDomain()`, err: "Env.DefaultDomain is not set"},
		{expression: `SelectUniqueValue("a", "b")`, err: "Env.Taken is not set"},
		{expression: `SelectUniqueValue("a")`, err: "at least 2 needed"},
		{expression: `ToLower(SelectUniqueValue("a", "b"))`, err: "must be the whole expression"},
	})
}

func TestOptionsOfFlowFunctions(t *testing.T) {
	t.Run("strict", func(t *testing.T) {
		runRows(t, []row{
			{expression: `IIF([name]="", "o", [name])`, err: "Entra does not support conditions about an empty attribute"},
			{expression: `IIF(""<>[name], "o", [name])`, err: "Entra does not support"},
			{expression: `IIF(IsNullOrEmpty([name]), "o", [name])`, err: "Entra does not support"},
			{expression: `IIF(IsPresent([name]), [name], "o")`, err: "Entra does not support"},
			{expression: `IIF(Not(IsNull([name])), [name], "o")`, err: "Entra does not support"},
			{expression: `Switch(IsPresent([name]), "d", "True", [name])`, err: "Entra warns against IsPresent"},
			{expression: `ToLower(IgnoreFlowIfNullOrEmpty([name]))`, err: "must be outermost"},
			{expression: `ToLower(IIF([yes], IgnoreFlowIfNullOrEmpty([name]), "x"))`, err: "must be outermost"},
			{expression: `ToLower(IIF([yes], IgnoreAttributeFlow, "x"))`, err: "can stand only where its value is the result"},
			{expression: `IIF([yes], IgnoreFlowIfNullOrEmpty([name]), "x")`, want: "Zoë"},
			{expression: `IIF([no], [name], IgnoreAttributeFlow)`, want: "<IgnoreAttributeFlow>"},
			{expression: `Switch([name],[name],"","Other")`, want: "Zoë"},
			{expression: `IIF([name]="x", "o", [name])`, want: "Zoë"},
		}, expr.WithStrict())
	})
	t.Run("null_conditions_fail", func(t *testing.T) {
		runRows(t, []row{
			{expression: `IIF([absent]="", "o", "n")`, want: "n"},
			{expression: `IIF([empty]<>"x", "o", "n")`, want: "n"},
			{expression: `IIF(IsNullOrEmpty([absent]), "o", "n")`, want: "n"},
			{expression: `IIF([name]<>"x", [absent], "n")`, want: null},
			{expression: `IIF([name]<>"x", IIF([absent]="", "o", "inner"), "n")`, want: "inner"},
			{expression: `IIF(IIF([absent]="", "True", "True")="True", "o", "outer")`, want: "outer"},
			{expression: `IIF([name]="Zoë", "o", "n")`, want: "o"},
		}, expr.WithNullConditionsFail())
	})
	t.Run("Coalesce_null_only", func(t *testing.T) {
		runRows(t, []row{
			{expression: `Coalesce([absent], [empty], [name])`, want: ""},
		}, expr.WithCoalesceNullOnly())
	})
}

func TestListFunctions(t *testing.T) {
	runRows(t, []row{
		{expression: `Count([list])`, want: "3"},
		{expression: `Count([name])`, want: "1"},
		{expression: `Count([absent])`, want: "0"},
		{expression: `Count([none])`, want: "0"},

		{expression: `Item([list], 2)`, want: "smtp:b@x"},
		{expression: `Item([list], "1")`, want: "SMTP:a@x"},
		{expression: `Item([list], 0)`, err: "there is no value \"0\": the positions are 1 to 3"},
		{expression: `Item([list], 4)`, err: "there is no value \"4\""},
		{expression: `Item([name], 1)`, want: "Zoë"},
		{expression: `Item([absent], 1)`, want: null},
		{expression: `Item([list], [absent])`, err: "there is none"},
		{expression: `Item([channels], 2)`, err: "chan int"},

		{expression: `RemoveDuplicates([list])`, want: "[SMTP:a@x, smtp:b@x]"},
		{expression: `RemoveDuplicates(Split("b,a,B,a,b", ","))`, want: "[b, a, B]"},
		{expression: `RemoveDuplicates([name])`, want: "[Zoë]"},
		{expression: `RemoveDuplicates([absent])`, want: null},
		{expression: `Count(RemoveDuplicates([mixed]))`, want: "5"},

		{expression: `Split("a, b", ",")`, want: "[a,  b]"},
		{expression: `Split("a--b-", "-")`, want: "[a, , b, ]"},
		{expression: `Split("a::b", "::")`, want: "[a, b]"},
		{expression: `Split([name], ",")`, want: "[Zoë]"},
		{expression: `Split([absent], ",")`, want: null},
		{expression: `Split([empty], ",")`, want: null},
		{expression: `Split([name], "")`, err: "a delimiter cannot be empty"},
		{expression: `Split([name], [absent])`, err: "a delimiter cannot be empty"},
		{expression: `Join("+", Split([name], "o"))`, want: "Z+ë"},
	})
	runRows(t, []row{{expression: `Split(" a , b ", ",")`, want: "[a, b]"}}, expr.WithTrimSplit())
	runRows(t, []row{{expression: `RemoveDuplicates([list])`, want: "[SMTP:a@x, smtp:b@x]"}, {expression: `RemoveDuplicates(Split("b,a,B,A", ","))`, want: "[b, a]"}}, expr.WithIgnoreCaseOfDuplicates())
}

func TestNumberFunctions(t *testing.T) {
	runRows(t, []row{
		{expression: `BitAnd([control], 2)`, want: "2"},
		{expression: `BitAnd("&HF", "&hf7")`, want: "7"},
		{expression: `BitAnd(-1, 255)`, want: "255"},
		{expression: `BitAnd([absent], 2)`, want: null},
		{expression: `BitAnd([name], 2)`, err: "a whole number is wanted"},
		{expression: `BitAnd(&H7FFFFFFFFFFFFFFF, &HFF)`, want: "255"},
		{expression: `BitAnd(&HFFFFFFFFFFFFFFFF, 1)`, err: "a whole number is wanted"},
		{expression: `BitAnd([one], 1)`, err: "a whole number is wanted"},
	})
}

func TestDateFunctions(t *testing.T) {
	runRows(t, []row{
		{expression: `CDate([hire])`, want: "3/16/2012 7:00:00 AM"},
		{expression: `CDate([absent])`, want: null},
		{expression: `CDate([empty])`, want: null},
		{expression: `CDate([when])`, want: "2/29/2024 1:05:09 PM"},
		{expression: `CDate([int])`, err: `the integer "42" is not a date`},
		{expression: `CDate("2020-03-16")`, want: "3/16/2020 12:00:00 AM"},
		{expression: `CDate("2020-3-6 7:08")`, want: "3/6/2020 7:08:00 AM"},
		{expression: `CDate("2020-03-16T23:59:59.9999999Z")`, want: "3/16/2020 11:59:59 PM"},
		{expression: `CDate("2020-03-16T23:59:59.123456789+05:30")`, want: "3/16/2020 6:29:59 PM"},
		{expression: `CDate("2020-03-16 08:00 PM")`, want: "3/16/2020 8:00:00 PM"},
		{expression: `CDate("2020/03/16")`, want: "3/16/2020 12:00:00 AM"},
		{expression: `CDate("2020-03")`, want: "3/1/2020 12:00:00 AM"},
		{expression: `CDate("12/31/2020")`, want: "12/31/2020 12:00:00 AM"},
		{expression: `CDate("12-31-2020 12:00:00 AM")`, want: "12/31/2020 12:00:00 AM"},
		{expression: `CDate("1/2/49")`, want: "1/2/2049 12:00:00 AM"},
		{expression: `CDate("1/2/50")`, want: "1/2/1950 12:00:00 AM"},
		{expression: `CDate("16 Mar 2012")`, want: "3/16/2012 12:00:00 AM"},
		{expression: `CDate("16-march-2012 7 pm")`, want: "3/16/2012 7:00:00 PM"},
		{expression: `CDate("March 16, 2012")`, want: "3/16/2012 12:00:00 AM"},
		{expression: `CDate("Fri, 16 Mar 2012 07:00:00 GMT")`, want: "3/16/2012 7:00:00 AM"},
		{expression: `CDate(" 2020-03-16 ")`, want: "3/16/2020 12:00:00 AM"},
		{expression: `CDate("Mon, 16 Mar 2012")`, err: "is not a date"},
		{expression: `CDate("2021-02-29")`, err: "is not a date"},
		{expression: `CDate("2021-13-01")`, err: "is not a date"},
		{expression: `CDate("31/12/2020")`, err: "is not a date"},
		{expression: `CDate("31.12.2020")`, err: "is not a date"},
		{expression: `CDate("20201231")`, err: "is not a date"},
		{expression: `CDate("2020-12-31T")`, err: "is not a date"},
		{expression: `CDate("2020-12-31 25:00")`, err: "is not a date"},
		{expression: `CDate("2020-12-31 12")`, err: "is not a date"},
		{expression: `CDate("2020-12-31 13:00 PM")`, err: "is not a date"},
		{expression: `CDate("2020-12-31 12:00+15:00")`, err: "is not a date"},
		{expression: `CDate("0001-01-01T00:00:00+01:00")`, err: "is not a date"},
		{expression: `CDate("9999-12-31T23:59:59-00:01")`, err: "is not a date"},
		{expression: `CDate("9999-12-31")`, want: "12/31/9999 12:00:00 AM"},
		{expression: `CDate("0001-01-01")`, want: "1/1/0001 12:00:00 AM"},
		{expression: `CDate("10:30")`, err: "is not a date"},

		{expression: `Now()`, want: "7/30/2025 12:00:00 PM"},
		{expression: `Now(1)`, err: "at most 0 allowed"},

		{expression: `DateAdd("d", 1, [hire])`, want: "3/17/2012 7:00:00 AM"},
		{expression: `DateAdd("d", "1", [when])`, want: "3/1/2024 1:05:09 PM"},
		{expression: `DateAdd("yyyy", 1, [when])`, want: "2/28/2025 1:05:09 PM"},
		{expression: `DateAdd("m", 1, CDate("2023-01-31"))`, want: "2/28/2023 12:00:00 AM"},
		{expression: `DateAdd("m", -1, CDate("2024-03-31"))`, want: "2/29/2024 12:00:00 AM"},
		{expression: `DateAdd("m", -14, CDate("2024-01-15"))`, want: "11/15/2022 12:00:00 AM"},
		{expression: `DateAdd("ww", -1, CDate("2024-01-01"))`, want: "12/25/2023 12:00:00 AM"},
		{expression: `DateAdd("h", 25, CDate("2024-01-01"))`, want: "1/2/2024 1:00:00 AM"},
		{expression: `DateAdd("n", -1, CDate("2024-01-01"))`, want: "12/31/2023 11:59:00 PM"},
		{expression: `DateAdd("s", 61, CDate("2024-01-01"))`, want: "1/1/2024 12:01:01 AM"},
		{expression: `DateAdd("d", 1, [absent])`, want: null},
		{expression: `DateAdd("d", [absent], [hire])`, err: "a whole number is wanted and there is none"},
		{expression: `DateAdd("d", 1, "2012-03-16")`, err: "wrap it in CDate"},
		{expression: `DateAdd("d", 1, Append([hire], ""))`, err: "wrap it in CDate"},
		{expression: `DateAdd("D", 1, [hire])`, err: `an interval is yyyy, m, ww, d, h, n or s, not "D"`},
		{expression: `DateAdd([name], 1, [hire])`, err: "an interval is"},
		{expression: `DateAdd("q", 1, [hire])`, err: "an interval is"},
		{expression: `DateAdd("yyyy", 8000, [hire])`, err: "outside the years 1 to 9999"},
		{expression: `DateAdd("yyyy", -2012, [hire])`, err: "outside the years 1 to 9999"},
		{expression: `DateAdd("yyyy", 9223372036854775807, [hire])`, err: "outside the years"},
		{expression: `DateAdd("m", 9223372036854775807, [hire])`, err: "outside the years"},
		{expression: `DateAdd("s", -9223372036854775808, [hire])`, err: "outside the years"},
		{expression: `DateAdd("d", 9223372036854775807, [hire])`, err: "outside the years"},

		{expression: `DateDiff("d", CDate("2024-01-01T23:00:00Z"), CDate("2024-01-02T01:00:00Z"))`, want: "0"},
		{expression: `DateDiff("d", CDate("2024-01-02T01:00:00Z"), CDate("2024-01-01T00:00:00Z"))`, want: "-1"},
		{expression: `DateDiff("yyyy", CDate("2023-12-31"), CDate("2024-01-01"))`, want: "1"},
		{expression: `DateDiff("m", CDate("2023-12-31"), CDate("2024-01-01"))`, want: "1"},
		{expression: `DateDiff("m", CDate("2024-01-01"), CDate("2023-11-30"))`, want: "-2"},
		{expression: `DateDiff("ww", CDate("2024-01-06"), CDate("2024-01-07"))`, want: "1"},
		{expression: `DateDiff("ww", CDate("2024-01-07"), CDate("2024-01-13"))`, want: "0"},
		{expression: `DateDiff("h", CDate("2024-01-01T00:59:59Z"), CDate("2024-01-01T02:00:00Z"))`, want: "1"},
		{expression: `DateDiff("s", CDate("2024-01-01"), Now())`, want: "49809600"},
		{expression: `DateDiff("ww", CDate("0001-01-01"), CDate("9999-12-31"))`, want: "521722"},
		{expression: `DateDiff("d", [hire], [absent])`, err: "DateDiff argument 3 (date2): there is no date"},
		{expression: `DateDiff("d", [hire], [name])`, err: `"Zoë" is not a date`},
		{expression: `DateDiff("d", "2012-01-01", Now())`, err: "wrap it in CDate"},

		{expression: `DateFromNum([filetime])`, want: "1/1/2012 11:00:00 PM"},
		{expression: `DateFromNum(0)`, want: "1/1/1601 12:00:00 AM"},
		{expression: `DateFromNum(2650467743999999999)`, want: "12/31/9999 11:59:59 PM"},
		{expression: `DateFromNum(2650467744000000000)`, err: "is no file time"},
		{expression: `DateFromNum("9223372036854775807")`, err: "means never"},
		{expression: `DateFromNum(-1)`, err: "is no file time"},
		{expression: `DateFromNum([absent])`, want: null},
		{expression: `NumFromDate([when])`, want: "133536855091200000"},
		{expression: `NumFromDate("2025-12-31T23:59:59-08:00")`, want: "134117279990000000"},
		{expression: `NumFromDate("2025-12-31 23:59:59-08:00")`, want: "134117279990000000"},
		{expression: `NumFromDate("2099-12-31T23:59:59-04:00")`, want: "157469327990000000"},
		{expression: `NumFromDate("1601-01-01")`, want: "0"},
		{expression: `NumFromDate("1600-12-31")`, err: "file times begin with the year 1601"},
		{expression: `NumFromDate([absent])`, want: null},
		{expression: `NumFromDate([list])`, err: "one value is wanted"},
	})
	runRows(t, []row{
		{expression: `DateAdd("q", 1, CDate("2024-11-30"))`, want: "2/28/2025 12:00:00 AM"},
		{expression: `DateAdd("y", 1, CDate("2024-11-30"))`, want: "12/1/2024 12:00:00 AM"},
		{expression: `DateAdd("q", 9223372036854775807, [hire])`, err: "outside the years"},
		{expression: `DateDiff("q", CDate("2024-03-31"), CDate("2024-04-01"))`, want: "1"},
		{expression: `DateDiff("w", CDate("2024-01-06"), CDate("2024-01-14"))`, want: "1"},
		{expression: `DateDiff("y", CDate("2024-01-06"), CDate("2024-01-14"))`, want: "8"},
	}, expr.WithConnectFunctions())
}

func TestFormatDateTime(t *testing.T) {
	in := func(text, format string) row {
		return row{expression: `FormatDateTime("` + text + `", , "` + format + `", "yyyy-MM-dd HH:mm:ss.fffffff")`}
	}
	out := func(format string) row {
		return row{expression: `FormatDateTime("2024-02-09T13:05:09.12", , "yyyy-MM-ddTHH:mm:ss.FFFFFFF", "` + format + `")`}
	}
	gives := func(r row, want string) row {
		r.want = want
		return r
	}
	fails := func(r row, err string) row {
		r.err = err
		return r
	}
	const mismatch = "does not have the form"
	runRows(t, []row{
		gives(in("20150123105347.1Z", "yyyyMMddHHmmss.fZ"), "2015-01-23 10:53:47.1000000"),
		gives(in("12/31/9999 12:00:00 AM", "M/d/yyyy hh:mm:ss tt"), "9999-12-31 00:00:00.0000000"),
		gives(in("1/2/2024 3:04:05 PM", "M/d/yyyy hh:mm:ss tt"), "2024-01-02 15:04:05.0000000"),
		gives(in("1/2/2024 12:00:00 PM", "M/d/yyyy h:mm:ss tt"), "2024-01-02 12:00:00.0000000"),
		gives(in("2024-01-02+05:30", "yyyy-MM-ddzzz"), "2024-01-01 18:30:00.0000000"),
		gives(in("2024-01-02Z", "yyyy-MM-ddK"), "2024-01-02 00:00:00.0000000"),
		gives(in("2024-01-02", "yyyy-MM-ddK"), "2024-01-02 00:00:00.0000000"),
		gives(in("2024-01-02-2", "yyyy-MM-ddz"), "2024-01-02 02:00:00.0000000"),
		gives(in("Tuesday, 02 January 24", "dddd, dd MMMM yy"), "2024-01-02 00:00:00.0000000"),
		gives(in("tue 2 jan 2024 A.D.", "ddd d MMM yyyy g"), "2024-01-02 00:00:00.0000000"),
		gives(in("Day 2 of 2024-01", "'Day' d 'of' yyyy-MM"), "2024-01-02 00:00:00.0000000"),
		gives(in("2024-01-02", "''yyyy-MM-dd''"), "2024-01-02 00:00:00.0000000"),
		fails(in("x", "''''"), mismatch),
		gives(in("10:30", "HH:mm"), "2025-07-30 10:30:00.0000000"),
		gives(in("05-06", "MM-dd"), "2025-05-06 00:00:00.0000000"),
		gives(in("2024", "yyyy"), "2024-01-01 00:00:00.0000000"),
		gives(in(" 2024-01-02 ", "yyyy-MM-dd"), "2024-01-02 00:00:00.0000000"),
		gives(in("2024-01-02 5", "yyyy-MM-dd %H"), "2024-01-02 05:00:00.0000000"),
		gives(in("12:30:00", "HH:mm:ss.FFF"), "2025-07-30 12:30:00.0000000"),
		gives(in("12:30:00.25", "HH:mm:ss.FFF"), "2025-07-30 12:30:00.2500000"),
		gives(in("02024-01-02", "yyyyy-MM-dd"), "2024-01-02 00:00:00.0000000"),
		gives(in("2024-02-09T13:05:09", "s"), "2024-02-09 13:05:09.0000000"),
		gives(in("2024-02-09 13:05:09Z", "u"), "2024-02-09 13:05:09.0000000"),
		gives(in("Fri, 09 Feb 2024 13:05:09 GMT", "r"), "2024-02-09 13:05:09.0000000"),
		gives(in("2024-02-09T13:05:09.1234567-08:00", "o"), "2024-02-09 21:05:09.1234567"),
		gives(in("", "yyyy"), null),
		fails(in("2024-1-2", "yyyyMMdd"), mismatch),
		fails(in("2024123", "yyyyMMdd"), mismatch),
		fails(in("2024-02-30", "yyyy-MM-dd"), mismatch),
		fails(in("Monday 2024-01-02", "dddd yyyy-MM-dd"), mismatch),
		fails(in("13:00 PM", "hh:mm tt"), mismatch),
		fails(in("09:00 PM", "HH:mm tt"), mismatch),
		fails(in("25:00", "HH:mm"), mismatch),
		fails(in("2024-01-02x", "yyyy-MM-dd"), mismatch),
		fails(in("24-01-02", "yyyy-MM-dd"), mismatch),
		fails(in("2024-01-02 03", "yyyy-MM-dd dd"), mismatch),
		fails(in("12:00:00.1", "HH:mm:ss.ff"), mismatch),

		gives(out("d M yy H h m s t f F"), "9 2 24 13 1 5 9 P 1 1"),
		gives(out("dd MM yyyy HH hh mm ss tt ff FF"), "09 02 2024 13 01 05 09 PM 12 12"),
		gives(out("ddd dddd MMM MMMM y yyy yyyyy"), "Fri Friday Feb February 24 2024 02024"),
		gives(out("fffffff FFFFFFF ss.FFF"), "1200000 12 09.12"),
		gives(out("%d"), "9"),
		gives(out("d''d"), "99"),
		gives(out("''"), ""),
		gives(out("%K g z zz zzz"), " A.D. +0 +00 +00:00"),
		gives(out("'at' \\\\d \\\"d\\\" Tde"), "at d d T9e"),
		gives(out("r"), "Fri, 09 Feb 2024 13:05:09 GMT"),
		gives(out("o"), "2024-02-09T13:05:09.1200000"),
		fails(out("d"), "write %d for the letter alone"),
		fails(out("'open"), "a quote that is not closed"),
		fails(out("yyyy\\\\"), "ends with a backslash"),
		fails(out("ffffffff"), "at most 7 f"),
		fails(out("%"), "% "),
		fails(out("yyyy%"), "% stands before a single letter"),
		fails(out(""), "cannot be empty"),
		fails(out(strings.Repeat("y", 300)), "more than 256"),

		{expression: `FormatDateTime("10:00:00", , "HH:mm:ss.F", "HH:mm:ss.F")`, want: "10:00:00"},
		{expression: `FormatDateTime([hire], "yyyy-MM-ddzzz", "yyyy-MM-dd")`, want: "2012-03-16"},
		{expression: `FormatDateTime([hire], "yyyy-MM-ddzzz")`, err: "at least 3 needed"},
		{expression: `FormatDateTime([hire], , "yyyy-MM-ddzzz")`, err: "argument 4 (outputFormat): this argument must be given"},
		{expression: `FormatDateTime([absent], , "yyyy", "yy")`, want: null},
		{expression: `FormatDateTime([empty], , "yyyy", "yy")`, want: null},
		{expression: `FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy-MM-ddTHH:mm:ssZ")`, want: "2025-07-30T12:00:00Z"},
		{expression: `FormatDateTime([hire], , "yyyy-MM-ddK", "K")`, err: "a format of one letter"},
		{expression: `FormatDateTime([hire], , "yyyy-MM-ddK", "%K")`, want: "+00:00"},
		{expression: `FormatDateTime("2012-03-16Z", , "yyyy-MM-ddK", "%K")`, want: "Z"},
		{expression: `FormatDateTime("2012-03-16", , "yyyy-MM-ddK", "%K")`, want: ""},
		{expression: `FormatDateTime("2012-03-16", "AssumeUniversal", "yyyy-MM-dd", "%K")`, want: "+00:00"},
		{expression: `FormatDateTime("2012-03-16", "AssumeUniversal, AdjustToUniversal", "yyyy-MM-dd", "%K")`, want: "Z"},
		{expression: `FormatDateTime(" 2012 - 03", "AllowWhiteSpaces", "yyyy-MM", "yyyyMM")`, want: "201203"},
		{expression: `FormatDateTime(" 2012-03", "None", "yyyy-MM", "yyyyMM")`, err: mismatch},
		{expression: `FormatDateTime("10:00", "NoCurrentDateDefault", "HH:mm", "yyyy-MM-dd")`, want: "0001-01-01"},
		{expression: `FormatDateTime("x", "Sloppy", "yyyy-MM", "yyyyMM")`, err: `"Sloppy" is not one of the DateTimeStyles`},
		{expression: `FormatDateTime("x", "AssumeLocal,AssumeUniversal", "yyyy-MM", "yyyyMM")`, err: "exclude each other"},
		{expression: `FormatDateTime("x", "RoundtripKind,AssumeUniversal", "yyyy-MM", "yyyyMM")`, err: "RoundtripKind excludes"},
		{expression: `FormatDateTime([hire], [absent], Append("yyyy-MM-dd", "zzz"), IIF([yes], "yyyy", "MM"))`, want: "2012"},
		{expression: `FormatDateTime([hire], [name], "yyyy-MM-ddzzz", "yyyy")`, err: "is not one of the DateTimeStyles"},
		{expression: `FormatDateTime([hire], , [empty], "yyyy")`, err: "a date format cannot be empty"},
	})
}

func TestReplace(t *testing.T) {
	runRows(t, []row{
		{expression: `Replace("aXaX", "X", , , "", , )`, want: "aa"},
		{expression: `Replace("aXaX", "x", , , "", , )`, want: "aXaX"},
		{expression: `Replace([absent], "x", , , "y", , )`, want: ""},
		{expression: `Replace([name], [absent], , , "y", , )`, want: "Zoë"},
		{expression: `Replace([name], "o", , , [absent], , )`, want: "Zë"},
		{expression: `Replace([name], "o", , , [int])`, want: "Z42ë"},
		{expression: `Replace([int], 2, , , 3)`, want: "43"},

		{expression: `Replace([name], "<n>", , , , , "<n>-<n>")`, want: "Zoë-Zoë"},
		{expression: `Replace([absent], "<n>", , , , , "<n>@x")`, want: ""},
		{expression: `Replace([empty], "<n>", , , , , "<n>@x")`, want: ""},
		{expression: `Replace([name], "<m>", , , , , "<n>@x")`, want: "<n>@x"},

		{expression: `Replace([name], , "o", , "$0$0", , )`, want: "Zooë"},
		{expression: `Replace("ab", , "(?<x>a)(b)", , "$1$2", , )`, want: "ba"},
		{expression: `Replace("ab", , "(?<x>a)(b)", , "${x}${1}${2}", , )`, want: "aba"},
		{expression: `Replace("ab", , "a", , "$1${none}$$ $", , )`, want: "$1${none}$ $b"},
		{expression: `Replace("abc", , "b", , "[$&|$` + "`" + `|$'|$_|$+]", , )`, want: "a[b|a|c|abc|b]c"},
		{expression: `Replace("abc", , "(a)(b)?x?(z)?", , "<$3>", , )`, want: "<>c"},
		{expression: `Replace("abc", , ".*", , "X", , )`, want: "XX"},
		{expression: `Replace("aab", , "a*", , "-", , )`, want: "--b-"},
		{expression: `Replace([absent], , ".*", , "X", , )`, want: ""},
		{expression: `Replace([empty], , "^$", , "X", , )`, want: ""},
		{expression: `Replace([name], , "\\w+", , "X", , )`, want: "X"},
		{expression: `Replace([name], , "[\\w]", , "x", , )`, want: "xxx"},
		{expression: `Replace([name], , "[^\\w]", , "x", , )`, want: "Zoë"},
		{expression: `Replace("é-ü", , "[\\W]", , "x", , )`, want: "éxü"},
		{expression: `Replace("٣x", , "\\d", , "3", , )`, want: "3x"},
		{expression: `Replace("a\b", , "\S", , "x", , )`, want: "xxx"},
		{expression: `Replace("a　b c", , "[\\S]", , "x", , )`, want: "x　x x"},
		{expression: `Replace("a　b", , "\\s", , "_", , )`, want: "a_b"},
		{expression: `Replace("éa b", , "\\b[a-z]", , "X", , )`, want: "éa X"},
		{expression: `Replace("ab é", , "\\B.", , "X", , )`, want: "aX é"},
		{expression: `Replace([crlf], , "b$", , "X", , )`, want: "aX\n"},
		{expression: `Replace([crlf], , "b\\Z", , "X", , )`, want: "aX\n"},
		{expression: `Replace([crlf], , "b\\z", , "X", , )`, want: "ab\n"},
		{expression: `Replace([crlf], , "(?m)b$", , "X", , )`, want: "aX\n"},
		{expression: `Replace("A-a", , "(?i)a", , "x", , )`, want: "x-x"},
		{expression: `Replace("A-a", , "(?i:a)-a", , "x", , )`, want: "x"},
		{expression: `Replace("a[b]", , "[[\\]]", , "", , )`, want: "ab"},
		{expression: `Replace("a]b", , "[]x]", , "", , )`, want: "ab"},
		{expression: `Replace("a-b", , "[a\\-]", , "", , )`, want: "b"},
		{expression: `Replace("aéb", , "\\u00e9", , "e", , )`, want: "aeb"},
		{expression: `Replace("a\éb", , "\é", , "e", , )`, want: `a\eb`},
		{expression: `Replace("x'y", , "(?'n'x)'", , "${n}", , )`, want: "xy"},
		{expression: `Replace("ab", , "a(?#comment)b", , "x", , )`, want: "x"},
		{expression: `Replace("😀a", , "(?<x>)", , "-", , )`, want: "-😀-a-"},
		{expression: `Replace("aaa", , "a{2}?", , "x", , )`, want: "xa"},
		{expression: `Replace([name], , [absent], , "x", , )`, want: "xZxoxëx"},
		{expression: `Replace([name], , IIF([yes], "o", "x"), , [int], , )`, want: "Z42ë"},
		{expression: `Replace([name], , Append("(?<x>o", ")"), "x", "0", , )`, want: "Z0ë"},

		{expression: `Replace("k=1,k=2", , "k=(?<v>\\d)", "v", "$1", , )`, want: "k=$1,k=$1"},
		{expression: `Replace("k=1", , "k=(\\d)", "1", "x", , )`, want: "k=x"},
		{expression: `Replace("ab", , "a(?<v>x)?", "v", "y", , )`, want: "ab"},
		{expression: `Replace("Tremont", , "(?<n>^\\d*)", "n", "8", , )`, want: "8Tremont"},
		{expression: `Replace([absent], , "(?<v>a)", "v", "y", , )`, want: ""},
		{expression: `Replace("a", , "(?<v>a)", "w", "y", , )`, err: `"w" is no group of the pattern: the pattern has v`},
		{expression: `Replace("a", , "(a)", "w", "y", , )`, err: "the pattern has no named groups"},
		{expression: `Replace([name], , "(?<v>a)", [name], "y", , )`, err: `"Zoë" is no group of the pattern`},

		{expression: `Replace([name], , "(?<v>a)", "v", , [int], )`, want: "Zoë"},
		{expression: `Replace([absent], , "(?<v>\\d)", "v", , [int], )`, want: "4"},
		{expression: `Replace([empty], , "(?<v>\\d)", "v", , "int", )`, want: "4"},
		{expression: `Replace([absent], , "(?<v>x)", "v", , [int], )`, want: null},
		{expression: `Replace([absent], , "4(?<v>x)?", "v", , [int], )`, want: null},
		{expression: `Replace([absent], , "(?<v>x)", "v", , [absent], )`, want: null},

		{expression: `Replace([name], , , , , , )`, err: "this combination of arguments means nothing"},
		{expression: `Replace([name], "a", "b", , "c", , )`, err: "this combination of arguments means nothing"},
		{expression: `Replace([name], "", , , "c", , )`, err: "this combination of arguments means nothing"},
		{expression: `Replace([name], "", "o", "", "c", , "")`, want: "Zcë"},
		{expression: `Replace([name])`, err: "this combination"},
		{expression: `Replace([name], "a", , , "c", , , )`, err: "at most 7 allowed"},
		{expression: `Replace(, "a", , , "c", , )`, err: "argument 1 (source): this argument must be given"},

		{expression: `Replace([name], , "(?=a)", , "", , )`, err: "look-ahead ((?=…) has no equivalent in a regular expression that takes linear time"},
		{expression: `Replace([name], , "(?!a)", , "", , )`, err: "negative look-ahead"},
		{expression: `Replace([name], , "(?<=a)", , "", , )`, err: "look-behind"},
		{expression: `Replace([name], , "(?<!a)", , "", , )`, err: "negative look-behind"},
		{expression: `Replace([name], , "(?>a)", , "", , )`, err: "an atomic group"},
		{expression: `Replace([name], , "(?(a)b|c)", , "", , )`, err: "a conditional group"},
		{expression: `Replace([name], , "(?<a-b>c)", , "", , )`, err: "a balancing group"},
		{expression: `Replace([name], , "(a)\1", , "", , )`, err: `a back-reference (\1)`},
		{expression: `Replace([name], , "(?<n>a)\k<n>", , "", , )`, err: `a back-reference (\k)`},
		{expression: `Replace([name], , "\Ga", , "", , )`, err: "the end of the previous match"},
		{expression: `Replace([name], , "[a-z-[aeiou]]", , "", , )`, err: "class subtraction"},
		{expression: `Replace([name], , "(?x)a b", , "", , )`, err: "the option x"},
		{expression: `Replace([name], , "(?n)(a)", , "", , )`, err: "the option n"},
		{expression: `Replace([name], , "(?P<n>a)", , "", , )`, err: "(?<name>…)"},
		{expression: `Replace([name], , "(?<1>a)", , "", , )`, err: "begins with a letter"},
		{expression: `Replace([name], , "(?<n", , "", , )`, err: "not closed"},
		{expression: `Replace([name], , "(?#", , "", , )`, err: "not closed"},
		{expression: `Replace([name], , "(?*a)", , "", , )`, err: "unknown group construct"},
		{expression: `Replace([name], , "(a", , "", , )`, err: "missing closing )"},
		{expression: `Replace([name], , "a)", , "", , )`, err: "unexpected )"},
		{expression: `Replace([name], , "[a", , "", , )`, err: "is not closed"},
		{expression: `Replace([name], , "a**", , "", , )`, err: "invalid nested repetition operator"},
		{expression: `Replace([name], , "*", , "", , )`, err: "missing argument to repetition operator"},
		{expression: `Replace([name], , "\p{IsGreek}", , "", , )`, err: "invalid character class range"},
		{expression: `Replace([name], , "\pL", , "", , )`, err: "in braces"},
		{expression: `Replace([name], , "\p{Lu}", , "z", , )`, want: "zoë"},
		{expression: `Replace([name], , "a\\", , "", , )`, err: "ends with a backslash"},
		{expression: `Replace([name], , "\u12", , "", , )`, err: "four hexadecimal digits"},
		{expression: `Replace([name], , "\c1", , "", , )`, err: "followed by a letter"},
		{expression: `Replace([name], , "\Qa\E", , "", , )`, err: "unknown escape"},
		{expression: `Replace([name], , "\y", , "", , )`, err: "invalid escape sequence"},
		{expression: `Replace([name], , [list], , "", , )`, err: "one value is wanted"},
		{expression: `Replace([name], , [bad], , "", , )`, want: "Zoë"},
		{expression: `Replace("a", , "(a{1000}){1000}", , "", , )`, err: "invalid repeat count"},
		{expression: `Replace("a", , "((aaaaaaaaaaaaaaaa){30}){30}", , "", , )`, err: "the pattern is too large"},
		{expression: `Replace("a", , "` + strings.Repeat("()", 101) + `", , "", , )`, err: "101 groups, 100 are allowed"},
		{expression: `Replace("a", , "` + strings.Repeat(`\w`, 1001) + `", , "", , )`, err: "more than 1000 classes"},
		{expression: `Replace("a", , "` + strings.Repeat(`\w`, 999) + `", , "", , )`, err: "too large together"},
	})
}

func TestRoleFunctions(t *testing.T) {
	roles := []any{
		map[string]any{"id": "0"},
		map[string]any{"id": "1", "value": "Admin", "displayName": "Administrator"},
		map[string]any{"displayName": "User"},
		"Reader",
	}
	for _, test := range []struct {
		expression string
		source     any
		want       any
	}{
		{`AppRoleAssignmentsComplex([appRoleAssignments])`, roles, []any{
			map[string]any{"primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "Administrator", "value": "Admin"},
			map[string]any{"primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "User", "value": "User"},
			map[string]any{"primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "Reader", "value": "Reader"},
		}},
		{`AssertiveAppRoleAssignmentsComplex([appRoleAssignments])`, roles[3:], []any{
			map[string]any{"primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "Reader", "value": "Reader"},
		}},
		{`AppRoleAssignmentsComplex([appRoleAssignments])`, nil, nil},
		{`SingleAppRoleAssignment([appRoleAssignments])`, roles, "Admin"},
		{`SingleAppRoleAssignment([appRoleAssignments])`, roles[:1], nil},
		{`SingleAppRoleAssignment([appRoleAssignments])`, nil, nil},
	} {
		p, err := expr.Compile(test.expression)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Eval(t.Context(), &expr.Env{Source: expr.Attributes{"appRoleAssignments": test.source}})
		if diff := cmp.Diff(test.want, v.Any()); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", test.expression, err, diff)
		}
		if p.AddsOnly() != strings.HasPrefix(test.expression, "AppRole") {
			t.Errorf("%s: AddsOnly is %t", test.expression, p.AddsOnly())
		}
	}
	const roleList = `AppRoleAssignmentsComplex([appRoleAssignments])`
	for text, want := range map[string]bool{
		`Redact(` + roleList + `)`:                            true,
		`IgnoreFlowIfNullOrEmpty(` + roleList + `)`:           true,
		`IIF([a]="x", ` + roleList + `, IgnoreAttributeFlow)`: true,
		`Switch([a], , "x", Redact(` + roleList + `))`:        true,
		`Coalesce(` + roleList + `, [a])`:                     true,
		`IIF(Count(` + roleList + `)=0, "", [a])`:             false,
		`Item(` + roleList + `, 1)`:                           false,
		`Redact(Assertive` + roleList + `)`:                   false,
		`IIF([AppRoleAssignmentsComplex]="x", [a], [b])`:      false,
	} {
		p, err := expr.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.AddsOnly() != want {
			t.Errorf("%s: AddsOnly is %t", text, p.AddsOnly())
		}
	}
	runRows(t, []row{
		{expression: `SingleAppRoleAssignment([roles])`, err: "the argument must be the attribute [appRoleAssignments]"},
		{expression: `AppRoleAssignmentsComplex("x")`, err: "the argument must be the attribute [appRoleAssignments]"},
	})
}

func TestConnectFunctions(t *testing.T) {
	runRows(t, []row{{expression: `Trim([name])`, err: "compiled with WithConnectFunctions"}})
	runRows(t, []row{
		{expression: `Trim(" a b ")`, want: "a b"},
		{expression: `Trim(Split(" a , b ", ","))`, want: "[a, b]"},
		{expression: `Trim([absent])`, want: null},
		{expression: `Trim([manager])`, err: "text is wanted"},
		{expression: `LTrim(" a ")`, want: "a "},
		{expression: `RTrim(" a ")`, want: " a"},
		{expression: `LCase("Ä")`, want: "ä"},
		{expression: `UCase([list])`, want: "[SMTP:A@X, SMTP:B@X, SMTP:A@X]"},
		{expression: `Right([name], 2)`, want: "oë"},
		{expression: `Right([name], 9)`, want: "Zoë"},
		{expression: `Right([name], 0)`, want: ""},
		{expression: `Right([name], -1)`, want: "Zoë"},
		{expression: `Right([absent], 1)`, want: ""},
		{expression: `PadLeft([int], 5, "0")`, want: "00042"},
		{expression: `PadLeft([name], 2, "0")`, want: "Zoë"},
		{expression: `PadLeft([name], -2, "0")`, want: "Zoë"},
		{expression: `PadRight([absent], 2, "ë")`, want: "ëë"},
		{expression: `PadLeft([name], 9, "ab")`, err: "one character is wanted"},
		{expression: `PadLeft([name], 9223372036854775807, "a")`, err: "limit of 1048576 bytes"},
		{expression: `InStrRev("abab", "b")`, want: "4"},
		{expression: `InStrRev("abab", "b", 3)`, want: "2"},
		{expression: `InStrRev("abab", "B", -1, vbTextCompare)`, want: "4"},
		{expression: `InStrRev("abab", "x")`, want: "0"},
		{expression: `InStrRev("abab", "b", 0)`, err: "positions count from 1"},
		{expression: `InStrRev([absent], "")`, want: "0"},
		{expression: `ReplaceChars("Räksmörgås", "å:a,ä:a,ö:o")`, want: "Raksmorgas"},
		{expression: `ReplaceChars("Straße", "ß:ss,e:")`, want: "Strass"},
		{expression: `ReplaceChars("a", "x")`, err: "a pattern is written like"},
		{expression: `ReplaceChars([absent], "å:a")`, want: null},
		{expression: `ConvertFromBase64(ConvertToBase64([emoji]))`, want: "a😀b"},
		{expression: `ConvertFromBase64("YQ==")`, err: "is not text in Base64"},
		{expression: `ConvertFromBase64("?")`, err: "is not text in Base64"},
		{expression: `ConvertFromUTF8Hex(ConvertToUTF8Hex([name]))`, want: "Zoë"},
		{expression: `ConvertFromUTF8Hex("C3")`, err: "is not text in hexadecimal UTF-8"},
		{expression: `ConvertFromUTF8Hex([absent])`, want: null},
		{expression: `DNComponent("cn=Joe\\, Jr,dc=contoso, dc = com", 1)`, want: "Joe, Jr"},
		{expression: `DNComponent("cn=Joe,dc=contoso, dc = com", 3)`, want: "com"},
		{expression: `DNComponent("cn=Joe", 2)`, want: null},
		{expression: `DNComponent("cn=Joe", 0)`, want: null},
		{expression: `ItemOrNull([list], 9)`, want: null},
		{expression: `ItemOrNull([list], 1)`, want: "SMTP:a@x"},
		{expression: `Contains([list], "b@")`, want: "2"},
		{expression: `Contains([list], "B@")`, want: "0"},
		{expression: `BitOr(5, 2)`, want: "7"},
		{expression: `IsBitSet([control], 2)`, want: "True"},
		{expression: `IsBitSet([control], 4)`, want: "False"},
		{expression: `IsBitSet([absent], 4)`, want: "False"},
		{expression: `CNum("12")`, want: "12"},
		{expression: `CNum("1.50")`, want: "1.5"},
		{expression: `CNum([name])`, err: "is not a number"},
		{expression: `CNum([absent])`, want: null},
		{expression: `RandomNum(5, 5)`, want: "5"},
		{expression: `RandomNum(6, 5)`, err: `the end "5" is before the start "6"`},
		{expression: `Error("no department")`, err: "no department"},
		{expression: `IsDate("2024-01-01")`, want: "True"},
		{expression: `IsDate([name])`, want: "False"},
		{expression: `IsEmpty([empty])`, want: "True"},
		{expression: `IsEmpty([absent])`, want: "False"},
		{expression: `IsGuid("{26491cfc-9e50-4857-861b-0cb8df22b5d7}")`, want: "True"},
		{expression: `IsGuid("26491cfc-9e50-4857-861b-0cb8df22b5dX")`, want: "False"},
		{expression: `IsGuid([absent])`, want: "False"},
		{expression: `IsNumeric("-1.5")`, want: "True"},
		{expression: `IsNumeric([name])`, want: "False"},
	}, expr.WithConnectFunctions())
}
