package expr

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Functions that work on text.

func textFunctions() []builtin {
	return []builtin{
		{
			Signature: Signature{
				Name: "Append", Result: KindString, Params: []Param{text("source"), text("suffix")},
				Help: "The source followed by the suffix. Null is \"\".",
			},
			run:    func(f *frame, c *invocation) (Value, error) { return concatenate(f, c, &c.args[0], &c.args[1]) },
			filled: anyFilled,
		},
		{
			Signature: Signature{
				Name: "Prepend", Result: KindString, Params: []Param{text("prefix"), text("source")},
				Help: "The prefix followed by the source. Null is \"\". Listed by Microsoft Graph only.",
			},
			run:    func(f *frame, c *invocation) (Value, error) { return concatenate(f, c, &c.args[0], &c.args[1]) },
			filled: anyFilled,
		},
		{
			Signature: Signature{
				Name: "Join", Result: KindString, Params: []Param{text("separator"), anything("source1"), anything("source").repeated()},
				Help: "The sources with the separator between them. A list gives each of its values. " +
					"Null and \"\" are skipped, with their separator; WithJoinEmpty keeps them. Without any source \"\".",
			},
			run:    join,
			filled: filledJoin,
		},
		{
			Signature: Signature{
				Name: "Left", Result: KindString, Params: []Param{text("String"), param("NumChars", KindInt)},
				Help: "The first characters, all if there are fewer. A negative number gives the whole text, null gives \"\".",
			},
			run: left,
		},
		{
			Signature: Signature{
				Name: "Len", Result: KindInt, Params: []Param{text("String")},
				Help: "The number of characters; 0 for null. WithUTF16 counts as Entra's runtime does.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				s, err := c.args[0].text(f)
				if err != nil {
					return Value{}, err
				}
				return Int(int64(f.length(s))), f.spend(c, len(s))
			},
			filled: always,
		},
		{
			Signature: Signature{
				Name: "Mid", Result: KindString, Params: []Param{text("source"), param("start", KindInt), param("length", KindInt)},
				Help: "Characters from position start, which counts from 1, to the end if there are fewer than length. " +
					"As in Entra Connect the whole text comes back if start is below 1 or beyond the end, or length is negative. Null gives \"\".",
			},
			run: mid,
		},
		{
			Signature: Signature{
				Name: "InStr", Result: KindInt,
				Params: []Param{text("value1"), text("value2"), param("start", KindInt).optional(), text("compareType").optional().orKeyword()},
				Help: "The position, from 1, of value2 in value1 at or after start; 0 if it is not there. An empty value2 is found at start. " +
					"vbTextCompare ignores case, vbBinaryCompare does not and is the default.",
			},
			run:    inStr,
			check:  func(c *compiler, call *invocation) error { return checkCompareType(c, &call.args[3]) },
			filled: always,
		},
		textFunction("StripSpaces", "source", "The text without its spaces (U+0020); other white space stays. Null stays null.", false,
			func(s string) string { return strings.ReplaceAll(s, " ", "") }),
		textFunction("NormalizeDiacritics", "source", "Latin letters with marks become plain letters, and æ ø œ ß ł ı become ae oe oe ss l i. Null stays null.", true,
			normalizeDiacritics),
		textFunction("ConvertToBase64", "source", "The Base64 form of the text in UTF-16, little-endian. Null stays null.", true,
			func(s string) string { return base64.StdEncoding.EncodeToString(utf16Bytes(s)) }),
		textFunction("ConvertToUTF8Hex", "source", "The bytes of the text in UTF-8 as upper-case hexadecimal digits. Null stays null.", true,
			func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }),
		textFunction("CStr", "value", "The value as text: numbers in digits, booleans as True and False. Null stays null.", true, nil),
		changeCase("ToLower", "lower", "İ", strings.ToLower, unicode.SpecialCase.ToLower),
		changeCase("ToUpper", "upper", "ı", strings.ToUpper, unicode.SpecialCase.ToUpper),
		{
			Signature: Signature{
				Name: "PCase", Result: KindString, Params: []Param{text("source"), text("wordSeparators").optional()},
				Help: "The first letter of each word in upper case, all others in lower case. Words end at the separators given; without any, " +
					"at white space, punctuation, symbols and control characters, the apostrophe included (see WithPCaseApostrophes). Null stays null.",
			},
			run:    pcase,
			filled: func(_ *compiler, c *invocation) bool { return c.args[0].filled },
		},
		{
			Signature: Signature{
				Name: "Word", Result: KindString, Params: []Param{text("String"), param("WordNumber", KindInt), text("Delimiters")},
				Help: "A word by its number, from 1. Each character of Delimiters ends a word, several in a row count once. " +
					"\"\" for null, for a number below 1 and if there are fewer words.",
			},
			run: word,
		},
	}
}

// textFunction is a function from one text to another. If full, text that is not empty never
// becomes empty. A nil change leaves the text as it is.
func textFunction(name, param, help string, full bool, change func(string) string) builtin {
	return builtin{
		Signature: Signature{Name: name, Result: KindString, Params: []Param{text(param)}, Help: help},
		run: func(f *frame, c *invocation) (Value, error) {
			s, ok, err := c.args[0].nullable(f)
			if err != nil || !ok {
				return Value{}, err
			}
			if err := f.fits(c, len(s)); err != nil {
				return Value{}, err
			}
			if change != nil {
				s = change(s)
			}
			return c.text(f, s)
		},
		filled: func(_ *compiler, c *invocation) bool { return full && c.args[0].filled },
	}
}

func concatenate(f *frame, c *invocation, first, second *arg) (Value, error) {
	a, err := first.text(f)
	if err != nil {
		return Value{}, err
	}
	b, err := second.text(f)
	if err != nil {
		return Value{}, err
	}
	if err := f.fits(c, len(a)+len(b)); err != nil {
		return Value{}, err
	}
	return String(a + b), nil
}

func join(f *frame, c *invocation) (Value, error) {
	separator, err := c.args[0].text(f)
	if err != nil {
		return Value{}, err
	}
	var few [8]string // so that the usual number of sources needs no allocation
	parts := few[:0]
	size := 0
	for i := 1; i < len(c.args); i++ {
		a := &c.args[i]
		v, err := a.value(f)
		if err != nil {
			return Value{}, err
		}
		if v.Len() > 1 {
			if err := f.fits(c, v.Len()*len(separator)); err != nil {
				return Value{}, err
			}
		}
		for j := range max(v.Len(), 1) {
			part, ok := v.At(j).scalarText()
			if !ok {
				return Value{}, a.fail(f, nil, "text is wanted, not a %s", v.At(j).kind)
			}
			if part == "" && !f.program.opts.joinEmpty {
				continue
			}
			size += len(part) + len(separator)
			if err := f.fits(c, size-len(separator)); err != nil {
				return Value{}, err
			}
			parts = append(parts, part)
		}
	}
	return String(strings.Join(parts, separator)), nil
}

func filledJoin(_ *compiler, c *invocation) bool {
	for i := range c.args[1:] {
		if c.args[i+1].filled {
			return true
		}
	}
	return false
}

func left(f *frame, c *invocation) (Value, error) {
	s, err := c.args[0].text(f)
	if err != nil {
		return Value{}, err
	}
	n, err := c.args[1].count(f)
	if err != nil {
		return Value{}, err
	}
	if err := f.spend(c, len(s)); err != nil {
		return Value{}, err
	}
	if n >= 0 {
		s = f.cut(s, 0, n)
	}
	return c.text(f, s)
}

func mid(f *frame, c *invocation) (Value, error) {
	s, err := c.args[0].text(f)
	if err != nil {
		return Value{}, err
	}
	start, err := c.args[1].count(f)
	if err != nil {
		return Value{}, err
	}
	length, err := c.args[2].count(f)
	if err != nil {
		return Value{}, err
	}
	if err := f.spend(c, len(s)); err != nil {
		return Value{}, err
	}
	if start >= 1 && length >= 0 && start <= int64(f.length(s)) {
		s = f.cut(s, start-1, length)
	}
	return c.text(f, s)
}

// length counts the characters of s.
func (f *frame) length(s string) int {
	n := utf8.RuneCountInString(s)
	if f.program.opts.utf16 && n < len(s) {
		for _, r := range s {
			if r > math.MaxUint16 {
				n++
			}
		}
	}
	return n
}

// cut returns up to n characters after the first skip ones; both are at least 0.
func (f *frame) cut(s string, skip, n int64) string {
	end := skip + n
	if end < skip { // beyond what can be counted
		end = math.MaxInt64
	}
	from, to := len(s), len(s)
	at := int64(0)
	for i, r := range s {
		width := int64(1)
		if f.program.opts.utf16 && r > math.MaxUint16 {
			width = 2
		}
		if at >= skip && from == len(s) {
			from = i
		}
		if at+width > end {
			to = i
			break
		}
		at += width
	}
	return s[min(from, to):to]
}

func checkCompareType(c *compiler, a *arg) error {
	if a.konst && a.given() {
		if _, ok := ignoresCase(a.fixed.String()); !ok {
			return c.failArg(a, "the comparison is vbBinaryCompare or vbTextCompare, not %s", quote(a.fixed.String()))
		}
	}
	return nil
}

// ignoresCase reads a kind of comparison, by name or by the number it has in Visual Basic.
func ignoresCase(compareType string) (ignore, ok bool) {
	switch compareType {
	case "", keywordBinaryCompare, "0":
		return false, true
	case keywordTextCompare, "1":
		return true, true
	}
	return false, false
}

// comparedTexts evaluates two texts and the kind of comparison, and folds the case if it says so.
// Folding maps each character to one character, so that positions stay.
func comparedTexts(f *frame, c *invocation, compareType *arg) (s, part string, err error) {
	if s, err = c.args[0].text(f); err != nil {
		return "", "", err
	}
	if part, err = c.args[1].text(f); err != nil {
		return "", "", err
	}
	kind, err := compareType.text(f)
	if err != nil {
		return "", "", err
	}
	ignore, ok := ignoresCase(kind)
	if !ok {
		return "", "", compareType.fail(f, nil, "the comparison is vbBinaryCompare or vbTextCompare, not %s", f.quote(kind))
	}
	if ignore {
		s, part = strings.Map(foldRune, s), strings.Map(foldRune, part)
	}
	return s, part, f.spend(c, 2*(len(s)+len(part)))
}

func foldRune(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

func inStr(f *frame, c *invocation) (Value, error) {
	s, part, err := comparedTexts(f, c, &c.args[3])
	if err != nil {
		return Value{}, err
	}
	start, ok, err := c.args[2].integer(f)
	if err != nil {
		return Value{}, err
	}
	if !ok {
		start = 1
	}
	if start < 1 {
		return Value{}, c.args[2].fail(f, nil, "positions count from 1, not %s", f.digits(start))
	}
	rest := f.cut(s, start-1, math.MaxInt64)
	if rest == "" {
		return Int(0), nil
	}
	i := strings.Index(rest, part)
	if i < 0 {
		return Int(0), nil
	}
	return Int(int64(f.length(s[:len(s)-len(rest)+i])) + 1), nil
}

func utf16Bytes(s string) []byte {
	b := make([]byte, 0, 2*len(s))
	for _, r := range s {
		if r > math.MaxUint16 {
			high, low := utf16.EncodeRune(r)
			b = append(b, byte(high), byte(high>>8), byte(low), byte(low>>8))
			continue
		}
		b = append(b, byte(r), byte(r>>8))
	}
	return b
}

// changeCase is ToLower or ToUpper. Of all cultures only Turkish and Azeri have letters of their
// own in the service's runtime. Its invariant culture, the default, leaves the Turkish letter alone
// that would else become an i or I.
func changeCase(name, direction, turkish string, plain func(string) string, special func(unicode.SpecialCase, rune) rune) builtin {
	change := func(s, culture string) string {
		language, _, _ := strings.Cut(culture, "-")
		switch strings.ToLower(language) {
		case "tr", "az":
			return strings.Map(func(r rune) rune { return special(unicode.TurkishCase, r) }, s)
		case "":
			if strings.Contains(s, turkish) {
				parts := strings.Split(s, turkish)
				for i := range parts {
					parts[i] = plain(parts[i])
				}
				return strings.Join(parts, turkish)
			}
		}
		return plain(s)
	}
	return builtin{
		Signature: Signature{
			Name: name, Result: KindString, Params: []Param{text("source"), text("culture").optional()},
			Help: "The text in " + direction + " case, by the rules of a culture such as tr-TR or by those of the invariant culture, which leave the Turkish " +
				turkish + " as it is. Null stays null.",
		},
		run: func(f *frame, c *invocation) (Value, error) {
			s, ok, err := c.args[0].nullable(f)
			if err != nil || !ok {
				return Value{}, err
			}
			culture, err := c.args[1].text(f)
			if err != nil {
				return Value{}, err
			}
			if !isCulture(culture) {
				return Value{}, c.args[1].fail(f, nil, "a culture is written like en-US, not %s", f.quote(culture))
			}
			if err := f.fits(c, len(s)); err != nil {
				return Value{}, err
			}
			return c.text(f, change(s, culture))
		},
		check: func(c *compiler, call *invocation) error {
			if a := &call.args[1]; a.konst && !isCulture(a.fixed.String()) {
				return c.failArg(a, "a culture is written like en-US, not %s", quote(a.fixed.String()))
			}
			return nil
		},
		filled: func(_ *compiler, c *invocation) bool { return c.args[0].filled },
	}
}

// isCulture accepts what has the form of a language tag; "" is the culture common to all.
func isCulture(s string) bool {
	if s == "" {
		return true
	}
	for i, part := range strings.Split(s, "-") {
		if len(part) < 1 || len(part) > 8 || i == 0 && len(part) < 2 {
			return false
		}
		for j := range len(part) {
			if c := part[j]; !isWordPart(c) || c == '_' || i == 0 && isDigit(c) {
				return false
			}
		}
	}
	return true
}

func pcase(f *frame, c *invocation) (Value, error) {
	s, ok, err := c.args[0].nullable(f)
	if err != nil || !ok {
		return Value{}, err
	}
	separators, err := c.args[1].text(f)
	if err != nil {
		return Value{}, err
	}
	if err := f.spend(c, len(s)*(1+len(separators)/16)); err != nil {
		return Value{}, err
	}
	separates := func(r rune) bool { return strings.ContainsRune(separators, r) }
	if separators == "" {
		separates = f.separatesWords
	}
	inWord := false
	return c.text(f, strings.Map(func(r rune) rune {
		switch {
		case separates(r):
			inWord = false
			return r
		case inWord:
			return unicode.ToLower(r)
		default:
			inWord = true
			return unicode.ToTitle(r)
		}
	}, s))
}

// wordSeparators are the Unicode categories the reference lists for PCase.
var wordSeparators = []*unicode.RangeTable{unicode.Z, unicode.P, unicode.Sm, unicode.Sc, unicode.Sk, unicode.So, unicode.Cc, unicode.Cf}

func (f *frame) separatesWords(r rune) bool {
	if r < utf8.RuneSelf && (isWordPart(byte(r)) && r != '_') {
		return false
	}
	if f.program.opts.keepApostrophes && (r == '\'' || r == '’') {
		return false
	}
	return unicode.IsOneOf(wordSeparators, r)
}

func word(f *frame, c *invocation) (Value, error) {
	s, err := c.args[0].text(f)
	if err != nil {
		return Value{}, err
	}
	number, _, err := c.args[1].integer(f)
	if err != nil {
		return Value{}, err
	}
	delimiters, err := c.args[2].text(f)
	if err != nil {
		return Value{}, err
	}
	if err := f.spend(c, len(s)*(1+len(delimiters)/16)); err != nil {
		return Value{}, err
	}
	start := -1
	for i, r := range s {
		ends := strings.ContainsRune(delimiters, r)
		switch {
		case !ends && start < 0:
			start = i
		case ends && start >= 0:
			if number--; number == 0 {
				return c.text(f, s[start:i])
			}
			start = -1
		}
	}
	if start >= 0 && number == 1 {
		return c.text(f, s[start:])
	}
	return String(""), nil
}
