package expr

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Regexp is a compiled regular expression. *regexp.Regexp is one; see [WithRegexp].
type Regexp interface {
	// FindAllStringSubmatchIndex returns, for each successive match, the byte offsets of the match
	// and its groups, as the method of *regexp.Regexp does. It must be safe for concurrent use.
	FindAllStringSubmatchIndex(s string, n int) [][]int
	// SubexpNames returns the names of the groups, "" for one without a name and for the whole
	// match, which comes first.
	SubexpNames() []string
}

// pattern is a compiled regular expression in .NET syntax. Matching takes time linear in the text.
//
// The standard library's engine differs from .NET's in three ways that change results: it ignores
// an empty match right after another match, \b knows ASCII letters only, and $ does not match before
// a line feed at the end. Where one of them can matter, machine does the matching.
type pattern struct {
	engine  Regexp
	machine *machine // nil beside an engine of the user
	names   []string // of the groups
	numbers []int    // which group a number in .NET means: groups without a name come first
	cost    int      // work for each byte of the text

	matchesEmpty bool
	hasBoundary  bool
	hasDollar    bool
}

const (
	// maxPatternSize bounds the instructions of a compiled pattern, repetitions written out.
	maxPatternSize = 10_000
	// maxGroups bounds the groups of a pattern.
	maxGroups = 100
	// maxClasses bounds how often a pattern names a class such as \w or \p{L}, each of which takes
	// long to compile.
	maxClasses = 1000
	// maxClassRunes bounds the memory of all character classes of a pattern together.
	maxClassRunes = 1 << 20
	// quickWork is the work, at worst, up to which the standard engine may do a search: it cannot be
	// stopped, and looking for match after match it may read all the text for each.
	quickWork = 4 << 20
)

// compilePattern compiles a pattern, or says what .NET feature it uses that has no equivalent.
func compilePattern(text string, custom func(string) (Regexp, error)) (*pattern, error) {
	if custom != nil {
		engine, err := custom(text)
		if err != nil {
			return nil, err
		}
		p := &pattern{engine: engine, names: engine.SubexpNames(), cost: 16}
		p.numbers = groupNumbers(p.names)
		return p, nil
	}
	translated, err := translate(text)
	if err != nil {
		return nil, err
	}
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, explain(err)
	}
	if size := patternSize(tree); size > maxPatternSize {
		return nil, fmt.Errorf("the pattern is too large: repetitions written out it has %d steps, %d are allowed", size, maxPatternSize)
	}
	if n := tree.MaxCap(); n > maxGroups {
		return nil, fmt.Errorf("the pattern has %d groups, %d are allowed", n, maxGroups)
	}
	if classRunes(tree) > maxClassRunes {
		return nil, errors.New("the character classes of the pattern are too large together")
	}
	engine, err := regexp.Compile(translated)
	if err != nil {
		return nil, explain(err)
	}
	p := &pattern{engine: engine, names: engine.SubexpNames()}
	p.numbers = groupNumbers(p.names)
	p.matchesEmpty = matchesEmpty(tree)
	p.hasBoundary = contains(tree, func(re *syntax.Regexp) bool {
		return re.Op == syntax.OpWordBoundary || re.Op == syntax.OpNoWordBoundary
	})
	p.hasDollar = contains(tree, isDollar)
	if p.machine, err = newMachine(tree); err != nil {
		return nil, err
	}
	p.cost = 1 + len(p.machine.prog.Inst)/16
	return p, nil
}

// CompileRegexp compiles a regular expression in .NET syntax as Replace does without [WithRegexp], with the results of .NET and in time
// linear in the text for each match. The error says which feature of the pattern has no equivalent, or what is wrong with it. An engine for
// WithRegexp can leave to it all patterns that it takes.
func CompileRegexp(pattern string) (Regexp, error) {
	p, err := compilePattern(pattern, nil)
	if err != nil {
		return nil, fmt.Errorf("expr: %w", err)
	}
	return p, nil
}

// FindAllStringSubmatchIndex makes a pattern a [Regexp].
func (p *pattern) FindAllStringSubmatchIndex(s string, n int) [][]int {
	if n == 0 {
		return nil
	}
	if !p.differs(s) && (n == 1 || !p.matchesEmpty) {
		return p.engine.FindAllStringSubmatchIndex(s, n)
	}
	var all [][]int
	_ = p.machine.each(s, func(int) error { return nil }, func(match []int) error {
		if all = append(all, slices.Clone(match)); len(all) == n {
			return errEnoughMatches
		}
		return nil
	})
	return all
}

// SubexpNames makes a pattern a [Regexp].
func (p *pattern) SubexpNames() []string { return slices.Clone(p.names) }

// explain tells a pattern's error without the name of the package it comes from.
func explain(err error) error {
	var e *syntax.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %s", e.Code, quote(e.Expr))
	}
	return err
}

// each calls yield with the offsets of every match in s, as .NET finds them. The offsets are only
// good during the call.
func (p *pattern) each(f *frame, c *invocation, s string, yield func(match []int) error) error {
	if err := f.spend(c, len(s)*p.cost); err != nil {
		return err
	}
	if p.machine != nil && p.needsMachine(s) {
		return p.machine.each(s, func(steps int) error { return f.spend(c, steps) }, yield)
	}
	for _, match := range p.engine.FindAllStringSubmatchIndex(s, -1) {
		if err := yield(match); err != nil {
			return err
		}
	}
	return nil
}

func (p *pattern) needsMachine(s string) bool {
	return p.matchesEmpty || len(s)*len(s) > quickWork/len(p.machine.prog.Inst) || p.differs(s)
}

// differs reports whether the standard engine may find another first match in s than .NET.
func (p *pattern) differs(s string) bool {
	return p.hasBoundary && !isASCII(s) || p.hasDollar && strings.HasSuffix(s, "\n")
}

// group finds a group by name, or by number as .NET counts.
func (p *pattern) group(name string) (int, bool) {
	for i, n := range p.names {
		if n != "" && n == name {
			return i, true
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(p.numbers) && allDigits(name) {
		return p.numbers[n], true
	}
	return 0, false
}

// groupNames lists the names for a message.
func (p *pattern) groupNames() string {
	var list []string
	for _, name := range p.names {
		if name != "" {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return "the pattern has no named groups"
	}
	return "the pattern has " + strings.Join(list, ", ")
}

func groupNumbers(names []string) []int {
	numbers := make([]int, 0, len(names))
	for i, name := range names {
		if name == "" {
			numbers = append(numbers, i)
		}
	}
	for i, name := range names {
		if name != "" {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

func contains(re *syntax.Regexp, is func(*syntax.Regexp) bool) bool {
	if is(re) {
		return true
	}
	for _, sub := range re.Sub {
		if contains(sub, is) {
			return true
		}
	}
	return false
}

// isDollar tells $ from \z.
func isDollar(re *syntax.Regexp) bool {
	return re.Op == syntax.OpEndText && re.Flags&syntax.WasDollar != 0
}

// matchesEmpty reports whether a pattern may match nothing at all.
func matchesEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpNoMatch, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpLiteral:
		return len(re.Rune) == 0
	case syntax.OpCapture, syntax.OpPlus:
		return matchesEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || matchesEmpty(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !matchesEmpty(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if matchesEmpty(sub) {
				return true
			}
		}
		return false
	}
	return true // *, ? and what has no width
}

// patternSize estimates the steps of the compiled pattern without compiling it.
func patternSize(re *syntax.Regexp) int {
	size := 1
	if re.Op == syntax.OpLiteral {
		size = len(re.Rune)
	}
	for _, sub := range re.Sub {
		size = min(size+patternSize(sub), 1<<40)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return size
}

// classRunes counts what the character classes hold in memory; repeated classes share theirs.
func classRunes(re *syntax.Regexp) int {
	n := 0
	if re.Op == syntax.OpCharClass {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += classRunes(sub)
	}
	return n
}

// translate rewrites .NET syntax in Go's. What means the same in both stays as it is.
func translate(text string) (string, error) {
	t := translator{text: text}
	for t.pos < len(text) {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

type translator struct {
	text    string
	pos     int
	classes int // written as an escape so far
	out     strings.Builder
}

func (t *translator) rest() string { return t.text[t.pos:] }

// copy writes the next n bytes as they are.
func (t *translator) copy(n int) {
	t.out.WriteString(t.text[t.pos : t.pos+n])
	t.pos += n
}

// replace writes s instead of the next n bytes.
func (t *translator) replace(n int, s string) {
	t.out.WriteString(s)
	t.pos += n
}

func (t *translator) next() error {
	switch t.text[t.pos] {
	case '\\':
		return t.escape(false)
	case '[':
		return t.class()
	case '(':
		return t.open()
	}
	_, size := utf8.DecodeRuneInString(t.rest())
	t.copy(size)
	return nil
}

func unsupported(what, written string) error {
	return fmt.Errorf("%s (%s) has no equivalent in a regular expression that takes linear time", what, written)
}

// open translates what follows an opening parenthesis.
func (t *translator) open() error {
	rest := t.rest()
	if !strings.HasPrefix(rest, "(?") {
		t.copy(1)
		return nil
	}
	for _, construct := range [...]struct{ start, what string }{
		{"(?=", "look-ahead"},
		{"(?!", "negative look-ahead"},
		{"(?<=", "look-behind"},
		{"(?<!", "negative look-behind"},
		{"(?>", "an atomic group"},
		{"(?(", "a conditional group"},
	} {
		if strings.HasPrefix(rest, construct.start) {
			return unsupported(construct.what, construct.start+"…")
		}
	}
	switch {
	case strings.HasPrefix(rest, "(?#"):
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return errors.New("a comment (?# that is not closed")
		}
		t.replace(end+1, "(?:)") // not nothing, so that a quantifier after it stays an error
		return nil
	case strings.HasPrefix(rest, "(?<"):
		return t.named('>')
	case strings.HasPrefix(rest, "(?'"):
		return t.named('\'')
	case strings.HasPrefix(rest, "(?P"):
		return errors.New("a named group is written (?<name>…)")
	}
	return t.flags()
}

func (t *translator) named(closing byte) error {
	name, _, ok := strings.Cut(t.rest()[3:], string(closing))
	switch {
	case !ok:
		return errors.New("the name of a group is not closed")
	case strings.Contains(name, "-"):
		return unsupported("a balancing group", "(?<"+name+">…")
	case name == "" || isDigit(name[0]):
		return fmt.Errorf("the name of a group begins with a letter: %s", quote(name))
	}
	t.replace(3+len(name)+1, "(?P<"+name+">")
	return nil
}

// flags checks (?i), (?i-m:…) and (?:…).
func (t *translator) flags() error {
	end := 2
	for rest := t.rest(); end < len(rest) && rest[end] != ')' && rest[end] != ':'; end++ {
		switch rest[end] {
		case 'i', 'm', 's', '-':
		case 'n':
			return errors.New("the option n (explicit capture) is not supported: write (?:…) for groups that capture nothing")
		case 'x':
			return errors.New("the option x (white space in patterns) is not supported: write the pattern without white space")
		default:
			return fmt.Errorf("unknown group construct %s", quote(firstRunes(rest, 4)))
		}
	}
	t.copy(end)
	return nil
}

// What .NET's classes hold, by Unicode category, in the form that can stand inside brackets.
const (
	wordClass     = `\p{L}\p{Mn}\p{Nd}\p{Pc}`
	notWordClass  = `\p{Mc}\p{Me}\p{Nl}\p{No}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{S}\p{Z}\p{C}\p{Cn}`
	spaceClass    = `\t\n\v\f\r\x{85}\p{Z}`
	notSpaceClass = `\x00-\x08\x0e-\x1f!-~\x7f-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}` +
		`\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}`
	digitClass = `\p{Nd}`
)

// escape translates a backslash and what follows it, inside or outside brackets.
func (t *translator) escape(inClass bool) error {
	rest := t.rest()
	if len(rest) < 2 {
		return errors.New("the pattern ends with a backslash")
	}
	c := rest[1]
	class, ok := escapedClass(c)
	if ok || c == 'p' || c == 'P' {
		if t.classes++; t.classes > maxClasses {
			return fmt.Errorf("the pattern names more than %d classes", maxClasses)
		}
	}
	if ok {
		if !inClass {
			class = "[" + class + "]"
		}
		t.replace(2, class)
		return nil
	}
	switch {
	case c == 'e':
		t.replace(2, `\x1b`)
	case c == 'u':
		if len(rest) < 6 || !allHex(rest[2:6]) {
			return errors.New(`\u is followed by four hexadecimal digits`)
		}
		t.replace(6, `\x{`+rest[2:6]+`}`)
	case c == 'c':
		if len(rest) < 3 || !isWordStart(rest[2]) || rest[2] == '_' {
			return errors.New(`\c is followed by a letter`)
		}
		t.replace(3, fmt.Sprintf(`\x%02x`, rest[2]&0x1f))
	case c == 'b' && inClass:
		t.replace(2, `\x08`)
	case c == 'Z' && !inClass:
		t.replace(2, `(?-m:$)`)
	case c == 'G' && !inClass:
		return unsupported("the end of the previous match", `\G`)
	case c == 'k' && !inClass:
		return unsupported("a back-reference", `\k`)
	case '1' <= c && c <= '9' && !inClass && !isOctal(rest[1:]):
		return unsupported("a back-reference", rest[:2])
	case c == 'Q' || c == 'E' || c == 'C':
		return fmt.Errorf(`unknown escape \%c`, c)
	case c == 'p' || c == 'P':
		end := strings.IndexByte(rest, '}')
		if len(rest) < 3 || rest[2] != '{' || end < 0 {
			return fmt.Errorf(`\%c is followed by the name of a category in braces`, c)
		}
		t.copy(end + 1)
	case c >= utf8.RuneSelf: // Go knows escapes of ASCII only; the character stands for itself
		_, size := utf8.DecodeRuneInString(rest[1:])
		t.pos++
		t.copy(size)
	default:
		t.copy(2)
	}
	return nil
}

// isOctal tells \012 from a back-reference: three octal digits, or two after a 0.
func isOctal(s string) bool {
	return len(s) >= 3 && isOctalDigit(s[0]) && isOctalDigit(s[1]) && isOctalDigit(s[2])
}

func isOctalDigit(c byte) bool { return '0' <= c && c <= '7' }

func allHex(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

func escapedClass(c byte) (string, bool) {
	switch c {
	case 'd':
		return digitClass, true
	case 'D':
		return `\P{Nd}`, true
	case 'w':
		return wordClass, true
	case 'W':
		return notWordClass, true
	case 's':
		return spaceClass, true
	case 'S':
		return notSpaceClass, true
	}
	return "", false
}

// class translates a bracketed class. An opening bracket inside one is a character in .NET, except
// after a minus, where it subtracts.
func (t *translator) class() error {
	start := t.pos
	t.copy(1)
	if strings.HasPrefix(t.rest(), "^") {
		t.copy(1)
	}
	for first := true; t.pos < len(t.text); first = false {
		switch c := t.text[t.pos]; {
		case c == ']' && first:
			t.replace(1, `\]`)
		case c == ']':
			t.copy(1)
			return nil
		case c == '[':
			if !first && t.text[t.pos-1] == '-' && !strings.HasSuffix(t.text[:t.pos], `\-`) {
				return unsupported("class subtraction", "-[…]")
			}
			t.replace(1, `\[`)
		case c == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		default:
			_, size := utf8.DecodeRuneInString(t.rest())
			t.copy(size)
		}
	}
	return fmt.Errorf("the class that begins with %s is not closed", quote(firstRunes(t.text[start:], 8)))
}

// isWordRune is what \b of .NET looks at: letters, marks, digits, connectors and the two joiners.
func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return isWordPart(byte(r))
	}
	return unicode.In(r, unicode.L, unicode.Mn, unicode.Nd, unicode.Pc) || r == '\u200c' || r == '\u200d'
}
