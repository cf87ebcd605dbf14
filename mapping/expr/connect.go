package expr

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// connectFunctions are the functions of Entra Connect and cloud sync, for WithConnectFunctions. Made
// at first use, only read after.
var connectFunctions = sync.OnceValue(func() map[string]*builtin {
	return table(connectTextFunctions(), connectOtherFunctions())
})

func connectTextFunctions() []builtin {
	both := []Param{text("string"), param("length", KindInt), text("padCharacter")}
	return []builtin{
		eachText("Trim", "The text without white space at its ends; of a list, each value. Null stays null.", strings.TrimSpace),
		eachText("LTrim", "The text without white space at its beginning; of a list, each value. Null stays null.", func(s string) string {
			return strings.TrimLeftFunc(s, unicode.IsSpace)
		}),
		eachText("RTrim", "The text without white space at its end; of a list, each value. Null stays null.", func(s string) string {
			return strings.TrimRightFunc(s, unicode.IsSpace)
		}),
		eachText("LCase", "The text in lower case; of a list, each value. Null stays null.", strings.ToLower),
		eachText("UCase", "The text in upper case; of a list, each value. Null stays null.", strings.ToUpper),
		{
			Signature: Signature{
				Name: "Right", Result: KindString, Params: []Param{text("String"), param("NumChars", KindInt)},
				Help: "The last characters, all if there are fewer. A negative number gives the whole text, null gives \"\".",
			},
			run: right,
		},
		{
			Signature: Signature{
				Name: "PadLeft", Result: KindString, Params: both,
				Help: "The text with a character put before it until it has the length. Null is \"\".",
			},
			run: func(f *frame, c *invocation) (Value, error) { return pad(f, c, true) },
		},
		{
			Signature: Signature{
				Name: "PadRight", Result: KindString, Params: both,
				Help: "The text with a character put after it until it has the length. Null is \"\".",
			},
			run: func(f *frame, c *invocation) (Value, error) { return pad(f, c, false) },
		},
		{
			Signature: Signature{
				Name: "InStrRev", Result: KindInt,
				Params: []Param{text("stringcheck"), text("stringmatch"), param("start", KindInt).optional(), text("compare").optional().orKeyword()},
				Help: "The position, from 1, of the last stringmatch in stringcheck that ends at or before start; 0 if there is none. " +
					"Without start, or with -1, the search begins at the end.",
			},
			run:   inStrRev,
			check: func(c *compiler, call *invocation) error { return checkCompareType(c, &call.args[3]) },
		},
		{
			Signature: Signature{
				Name: "ReplaceChars", Result: KindString, Params: []Param{text("string"), text("ReplacePattern")},
				Help: "The text with characters replaced as a pattern such as å:a,ä:a,ß:ss says. Null stays null.",
			},
			run: replaceChars,
		},
		{
			Signature: Signature{
				Name: "ConvertFromBase64", Result: KindString, Params: []Param{text("source")},
				Help: "The text whose UTF-16 form, little-endian, was written as Base64. Null stays null.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				return decode(f, c, "Base64", base64.StdEncoding.DecodeString, utf16Text)
			},
		},
		{
			Signature: Signature{
				Name: "ConvertFromUTF8Hex", Result: KindString, Params: []Param{text("source")},
				Help: "The text whose UTF-8 form was written in hexadecimal digits. Null stays null.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				return decode(f, c, "hexadecimal UTF-8", hex.DecodeString, func(b []byte) (string, bool) { return string(b), utf8.Valid(b) })
			},
		},
		{
			Signature: Signature{
				Name: "DNComponent", Result: KindString, Params: []Param{text("dn"), param("ComponentNumber", KindInt)},
				Help: "The value of a component of a distinguished name, counted from 1 at its left end; null if there are fewer. Null stays null.",
			},
			run: dnComponent,
		},
	}
}

func connectOtherFunctions() []builtin {
	two := []Param{param("value1", KindInt), param("value2", KindInt)}
	return []builtin{
		{
			Signature: Signature{
				Name: "ItemOrNull", Result: KindAny, Params: []Param{anything("attribute"), param("index", KindInt)},
				Help: "A value of a list by its position, from 1; null if the list does not have it.",
			},
			run: func(f *frame, c *invocation) (Value, error) { return item(f, c, false) },
		},
		{
			Signature: Signature{
				Name: "Contains", Result: KindInt, Params: []Param{anything("attribute"), text("search")},
				Help: "The position, from 1, of the first value that holds the text, case-sensitive; 0 if none does.",
			},
			run: listContains,
		},
		{
			Signature: Signature{
				Name: "BitOr", Result: KindInt, Params: two,
				Help: "The bits set in either number. Null if either is null.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				return bits(f, c, func(a, b int64) int64 { return a | b })
			},
		},
		{
			Signature: Signature{
				Name: "IsBitSet", Result: KindBool, Params: []Param{param("value", KindInt), param("flag", KindInt)},
				Help: "True if the number and the flag have a bit in common.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				common, err := bits(f, c, func(a, b int64) int64 { return a & b })
				return Bool(common.truth()), err
			},
		},
		{
			Signature: Signature{
				Name: "CNum", Result: KindAny, Params: []Param{text("value")},
				Help: "The number a text is written as. Null and \"\" give null, other text is an error.",
			},
			run: cnum,
		},
		{
			Signature: Signature{
				Name: "RandomNum", Result: KindInt, Params: []Param{param("start", KindInt), param("end", KindInt)},
				Help: "A random whole number from start to end, both included.",
			},
			run:    randomNum,
			impure: true,
		},
		{
			Signature: Signature{
				Name: "Error", Result: KindAny, Params: []Param{text("message")},
				Help: "Fails the object with this message.",
			},
			run: func(f *frame, c *invocation) (Value, error) {
				message, err := c.args[0].text(f)
				if err != nil {
					return Value{}, err
				}
				return Value{}, c.fail(f, nil, "%s", f.quote(message))
			},
			impure: true, // failing is its purpose, not a fault to report when compiling
		},
		predicate("IsDate", "True if the value is a date or text that CDate reads.", func(v Value) bool {
			_, ok := v.asDate()
			return ok
		}),
		predicate("IsEmpty", "True if the value is present but \"\".", func(v Value) bool { return v.kind == KindString && v.str() == "" }),
		predicate("IsGuid", "True if the value is a GUID, with or without braces.", func(v Value) bool { return isGUID(v.String()) }),
		predicate("IsNumeric", "True if the value is a number or text written as one.", func(v Value) bool {
			_, ok := v.number()
			return ok
		}),
	}
}

// eachText is a function from one text to another that works on each value of a list.
func eachText(name, help string, change func(string) string) builtin {
	return builtin{
		Signature: Signature{Name: name, Result: KindAny, Params: []Param{anything("value")}, Help: help},
		run: func(f *frame, c *invocation) (Value, error) {
			v, err := c.args[0].value(f)
			if err != nil || v.kind == KindNull {
				return Value{}, err
			}
			changed := make([]Value, v.Len())
			for i := range changed {
				s, ok := v.At(i).scalarText()
				if !ok {
					return Value{}, c.args[0].fail(f, nil, "text is wanted, not a %s", v.At(i).kind)
				}
				if changed[i], err = c.text(f, change(s)); err != nil {
					return Value{}, err
				}
			}
			if v.kind == KindList {
				return List(changed...), nil
			}
			return changed[0], nil
		},
	}
}

func right(f *frame, c *invocation) (Value, error) {
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
	if length := int64(f.length(s)); n >= 0 && n < length {
		s = f.cut(s, length-n, n)
	}
	return c.text(f, s)
}

func pad(f *frame, c *invocation, before bool) (Value, error) {
	s, err := c.args[0].text(f)
	if err != nil {
		return Value{}, err
	}
	length, err := c.args[1].count(f)
	if err != nil {
		return Value{}, err
	}
	character, err := c.args[2].text(f)
	if err != nil {
		return Value{}, err
	}
	if utf8.RuneCountInString(character) != 1 {
		return Value{}, c.args[2].fail(f, nil, "one character is wanted, not %s", f.quote(character))
	}
	missing := length - int64(f.length(s))
	if missing <= 0 {
		return c.text(f, s)
	}
	if err := f.fits(c, int(min(missing, math.MaxInt32))*len(character)); err != nil {
		return Value{}, err
	}
	padding := strings.Repeat(character, int(missing))
	if before {
		return c.text(f, padding+s)
	}
	return c.text(f, s+padding)
}

func inStrRev(f *frame, c *invocation) (Value, error) {
	s, part, err := comparedTexts(f, c, &c.args[3])
	if err != nil {
		return Value{}, err
	}
	start, ok, err := c.args[2].integer(f)
	if err != nil {
		return Value{}, err
	}
	switch {
	case !ok || start == -1:
	case start < 1:
		return Value{}, c.args[2].fail(f, nil, "positions count from 1, or -1 for the end, not %s", f.digits(start))
	default:
		s = f.cut(s, 0, start)
	}
	i := strings.LastIndex(s, part)
	if i < 0 || s == "" {
		return Int(0), nil
	}
	return Int(int64(f.length(s[:i])) + 1), nil
}

func replaceChars(f *frame, c *invocation) (Value, error) {
	s, ok, err := c.args[0].nullable(f)
	if err != nil || !ok {
		return Value{}, err
	}
	pattern, err := c.args[1].text(f)
	if err != nil {
		return Value{}, err
	}
	if err := f.spend(c, 64*len(pattern)); err != nil {
		return Value{}, err
	}
	replacements := map[rune]string{}
	for pair := range strings.SplitSeq(pattern, ",") {
		from, to, ok := strings.Cut(pair, ":")
		if !ok || utf8.RuneCountInString(from) != 1 {
			return Value{}, c.args[1].fail(f, nil, "a pattern is written like å:a,ß:ss; %s is no character with its replacement", f.quote(pair))
		}
		r, _ := utf8.DecodeRuneInString(from)
		replacements[r] = to
	}
	out := output{f: f, call: c}
	done := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		at := i
		i += size
		to, ok := replacements[r]
		if !ok {
			continue
		}
		if err := out.write(s[done:at]); err != nil {
			return Value{}, err
		}
		if err := out.write(to); err != nil {
			return Value{}, err
		}
		done = i
	}
	return out.rest(s, done)
}

func decode(f *frame, c *invocation, form string, bytes func(string) ([]byte, error), text func([]byte) (string, bool)) (Value, error) {
	s, ok, err := c.args[0].nullable(f)
	if err != nil || !ok {
		return Value{}, err
	}
	if err := f.fits(c, len(s)); err != nil {
		return Value{}, err
	}
	b, err := bytes(s)
	if err == nil {
		if s, ok = text(b); ok {
			return c.text(f, s)
		}
	}
	return Value{}, c.args[0].fail(f, nil, "%s is not text in %s", f.quote(s), form)
}

func utf16Text(b []byte) (string, bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
	}
	return string(utf16.Decode(units)), true
}

// dnComponent reads a component of a distinguished name (RFC 4514). A backslash takes the meaning
// off the comma after it, and stays in the value only before hexadecimal digits.
func dnComponent(f *frame, c *invocation) (Value, error) {
	dn, ok, err := c.args[0].nullable(f)
	if err != nil || !ok {
		return Value{}, err
	}
	number, err := c.args[1].count(f)
	if err != nil {
		return Value{}, err
	}
	if err := f.spend(c, len(dn)); err != nil {
		return Value{}, err
	}
	var component strings.Builder
	for i := 0; i <= len(dn); i++ {
		switch {
		case i == len(dn) || dn[i] == ',':
			if number--; number == 0 {
				_, value, _ := strings.Cut(component.String(), "=")
				return c.text(f, strings.TrimSpace(value))
			}
			component.Reset()
		case dn[i] == '\\' && i+1 < len(dn):
			if isHex(dn[i+1]) {
				component.WriteByte('\\')
			}
			i++
			component.WriteByte(dn[i])
		default:
			component.WriteByte(dn[i])
		}
	}
	return Value{}, nil
}

func listContains(f *frame, c *invocation) (Value, error) {
	v, err := c.args[0].value(f)
	if err != nil {
		return Value{}, err
	}
	search, err := c.args[1].text(f)
	if err != nil {
		return Value{}, err
	}
	for i := range v.Len() {
		s, _ := v.At(i).scalarText()
		if err := f.spend(c, 1+len(s)); err != nil {
			return Value{}, err
		}
		if strings.Contains(s, search) {
			return Int(int64(i) + 1), nil
		}
	}
	return Int(0), nil
}

func cnum(f *frame, c *invocation) (Value, error) {
	v, err := c.args[0].single(f)
	if err != nil || v.IsNullOrEmpty() {
		return Value{}, err
	}
	if n, ok := v.integer(); ok {
		return Int(n), nil
	}
	if n, ok := v.number(); ok {
		return Number(n), nil
	}
	return Value{}, c.args[0].fail(f, nil, "%s is not a number", f.show(v))
}

func randomNum(f *frame, c *invocation) (Value, error) {
	from, err := c.args[0].count(f)
	if err != nil {
		return Value{}, err
	}
	to, err := c.args[1].count(f)
	if err != nil {
		return Value{}, err
	}
	if to < from {
		return Value{}, c.args[1].fail(f, nil, "the end %s is before the start %s", f.digits(to), f.digits(from))
	}
	dice := dice{source: f.random()}
	n := dice.number(uint64(to) - uint64(from))
	if dice.err != nil {
		return Value{}, c.fail(f, dice.err, "reading random bytes: %v", dice.err)
	}
	return Int(int64(uint64(from) + n)), nil
}

func isGUID(s string) bool {
	if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
		s = s[1 : len(s)-1]
	}
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return false
		}
	}
	return true
}
