package expr_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/scimbridge/scim/mapping/expr"
)

// fill writes as many copies of an argument as an expression may have.
func fill(argument string) string {
	const room = expr.MaxLength - 20
	return `Join("", ` + strings.Repeat(argument+", ", room/(len(argument)+2)) + `"x")`
}

func nest(before, inner, after string, n int) string {
	return strings.Repeat(before, n) + inner + strings.Repeat(after, n)
}

// TestBombsEndWithTheLimit checks that expressions made to take all time or memory end early.
func TestBombsEndWithTheLimit(t *testing.T) {
	const megabyte = 1 << 20
	source := expr.Attributes{
		"a": "aaaa", "long": strings.Repeat("ab c-", megabyte/5), "marks": strings.Repeat("Zoë ǖ", megabyte/8), "x": strings.Repeat("x", megabyte),
		"digits": strings.Repeat("1", megabyte), "pattern": strings.Repeat(`(a|b)*\w{9}`, 90),
	}
	for name, text := range map[string]string{
		"Replace doubles":        nest(`Replace(`, `[a]`, `, "a", , , "aa", , )`, 240),
		"pattern doubles":        nest(`Replace(`, `[a]`, `, , "a", , "aa", , )`, 240),
		"template doubles":       nest(`Replace(`, `[a]`, `, "a", , , , , "aa")`, 240),
		"group doubles":          nest(`Replace(`, `[a]`, `, , "(?<g>)", "g", "aa", , )`, 240),
		"everything around":      nest("Replace(", `[a]`, ", , \"a\", , \"$_$_$`$'\", , )", 200),
		"Join doubles":           nest(`Join(Append(`, `[long]`, `, "x"), [long], [long], [long])`, 120),
		"many long texts":        fill(`[long]`),
		"many ToLower":           fill(`Len(ToLower([long]))`),
		"many diacritics":        fill(`Len(NormalizeDiacritics([marks]))`),
		"many PCase":             fill(`Len(PCase([marks], [long]))`),
		"many words":             fill(`Word([long], 999999, [marks])`),
		"many searches":          fill(`InStr([long], "zz", 1, vbTextCompare)`),
		"many parts":             fill(`Count(Split([long], "b"))`),
		"many cuts":              fill(`Mid([long], 900000, 2)`),
		"many comparisons":       fill(`IIF([digits] < [digits], "y", "n")`),
		"hexadecimal":            nest(`ConvertToUTF8Hex(`, `[long]`, `)`, 200),
		"Base64":                 nest(`ConvertToBase64(`, `[long]`, `)`, 200),
		"search from each match": `Replace([x], , "(?:.*z|.)", , "b", , )`,
		"nested stars":           `Replace([x], , "` + nest("(?:x|", "y", ")*", 90) + `z", , "", , )`,
		"many groups":            `Replace([x], , "` + strings.Repeat("(x*)", 99) + `y", , "", , )`,
		"many options":           `Replace([x], , "` + strings.Repeat("x?", 4900) + `y", , "", , )`,
		"large repetition":       `Replace([marks], , "\\b.*?\\b.{1000}z", , "", , )`,
		"patterns of the source": fill(`Replace([a],,[pattern],,"",,)`),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := expr.Compile(text, expr.WithLimits(expr.Limits{Work: 4 * megabyte}))
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v, err := p.Eval(t.Context(), &expr.Env{Source: source})
			runtime.ReadMemStats(&after)
			if !errors.Is(err, expr.ErrLimit) || !errors.Is(err, expr.ErrEval) {
				t.Errorf("got %d bytes and %v, want the limit", len(v.String()), err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64*megabyte {
				t.Errorf("allocated %d MiB", used/megabyte)
			}
		})
	}
}

func TestConstantBombsEndWhenCompiling(t *testing.T) {
	for _, text := range []string{
		nest(`Replace(`, `"aaaa"`, `, "a", , , "aa", , )`, 240),
		nest(`ConvertToUTF8Hex(`, `"aaaa"`, `)`, 200),
	} {
		if _, err := expr.Compile(text); !errors.Is(err, expr.ErrLimit) || !errors.Is(err, expr.ErrCheck) {
			t.Errorf("%.40s…: %v, want the limit", text, err)
		}
	}
}

func TestResultLimit(t *testing.T) {
	small := expr.WithLimits(expr.Limits{Result: 8})
	env := &expr.Env{Source: expr.Attributes{"a": "1234", "list": []any{"123", "456", "789"}, "long": "123456789"}}
	for text, fits := range map[string]bool{
		`Append([a], [a])`:                          true,
		`Append([a], "12345")`:                      false,
		`Join("", [list])`:                          false,
		`Join("", Item([list], 1), "4567")`:         true,
		`Replace([a], "1", , , "12345", , )`:        true,
		`Replace([a], "1", , , "123456", , )`:       false,
		`Replace([a], , "1", , "123456", , )`:       false,
		`Replace([a], , "(?<g>1)", "g", "12345", )`: true,
		`[long]`:          true,
		`ToLower([long])`: false,
		`Left([long], 8)`: true,
	} {
		_, err := compile(t, text, small).Eval(t.Context(), env)
		if fits && err != nil || !fits && !errors.Is(err, expr.ErrLimit) {
			t.Errorf("%s: %v, fits is %t", text, err, fits)
		}
	}
}

func TestContextEndsLongWork(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := compile(t, `Replace([x], , "(?:.*z|.)", , "b", , )`)
	_, err := p.Eval(ctx, &expr.Env{Source: expr.Attributes{"x": strings.Repeat("x", 1<<16)}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
