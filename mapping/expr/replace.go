package expr

import (
	"errors"
	"strconv"
	"strings"
)

// The parameters of Replace by position.
const (
	replaceSource = iota
	replaceOld
	replacePattern
	replaceGroup
	replaceValue
	replaceAttribute
	replaceTemplate
)

func replaceFunctions() []builtin {
	return []builtin{{
		Signature: Signature{
			Name: "Replace", Result: KindString,
			Params: []Param{
				text("source"), text("oldValue").optional(), text("regexPattern").optional(), text("regexGroupName").optional(),
				text("replacementValue").optional(), text("replacementAttributeName").optional(), text("template").optional(),
			},
			Help: "What it does depends on which arguments are given. oldValue and replacementValue: replaces oldValue in the source. " +
				"oldValue and template: puts the source in the place of oldValue in the template. " +
				"regexPattern and replacementValue: replaces every match; ${name} and $1 stand for groups. " +
				"With regexGroupName too: replaces only what that group matched. " +
				"regexPattern, regexGroupName and replacementAttributeName: the source if it is not empty, else what the group matches in the other attribute, or null. " +
				"Case-sensitive. A null source gives \"\" but in the last form. \"\" counts as given only as replacementValue.",
		},
		prepare: prepareReplace,
	}}
}

// prepareReplace picks the mode by which arguments are given.
func prepareReplace(c *compiler, call *invocation) (runFunc, error) {
	var given [replaceTemplate + 1]bool
	for i := range given {
		a := &call.args[i]
		given[i] = a.given() && (i == replaceSource || i == replaceValue || !a.konst || !a.fixed.IsNullOrEmpty())
	}
	given[replaceSource] = false // always there
	switch given {
	case [...]bool{replaceOld: true, replaceValue: true, replaceTemplate: false}:
		return replaceText, nil
	case [...]bool{replaceOld: true, replaceTemplate: true}:
		return replaceInTemplate, nil
	case [...]bool{replacePattern: true, replaceValue: true, replaceTemplate: false}:
		return prepareReplaceMatches(c, call)
	case [...]bool{replacePattern: true, replaceGroup: true, replaceValue: true, replaceTemplate: false}:
		return preparePattern(c, call, replaceGroupMatches)
	case [...]bool{replacePattern: true, replaceGroup: true, replaceAttribute: true, replaceTemplate: false}:
		c.attributeByName(&call.args[replaceAttribute])
		return preparePattern(c, call, extractFromAttribute)
	}
	return nil, c.failCall(call, "this combination of arguments means nothing; give oldValue with replacementValue or template, "+
		"or regexPattern with replacementValue, with regexGroupName and replacementValue, or with regexGroupName and replacementAttributeName")
}

// attributeByName reads an attribute whose name is given as text, "mobile" for [mobile].
func (c *compiler) attributeByName(a *arg) {
	if a.node.Kind != TextNode {
		return
	}
	c.named = append(c.named, a.node.Text)
	a.code = code{run: &attribute{name: a.node.Text, offset: a.offset}, kind: KindAny, node: a.node}
}

func replaceText(f *frame, c *invocation) (Value, error) {
	source, err := c.args[replaceSource].text(f)
	if err != nil {
		return Value{}, err
	}
	old, err := c.args[replaceOld].text(f)
	if err != nil {
		return Value{}, err
	}
	replacement, err := c.args[replaceValue].text(f)
	if err != nil {
		return Value{}, err
	}
	return replaceAll(f, c, source, old, replacement)
}

// replaceInTemplate puts the source where oldValue stands in the template.
func replaceInTemplate(f *frame, c *invocation) (Value, error) {
	source, err := c.args[replaceSource].text(f)
	if err != nil || source == "" {
		return String(""), err
	}
	old, err := c.args[replaceOld].text(f)
	if err != nil {
		return Value{}, err
	}
	template, err := c.args[replaceTemplate].text(f)
	if err != nil {
		return Value{}, err
	}
	return replaceAll(f, c, template, old, source)
}

// replaceAll replaces old in s. An empty old is nowhere.
func replaceAll(f *frame, c *invocation, s, old, replacement string) (Value, error) {
	if err := f.spend(c, len(s)+len(old)); err != nil {
		return Value{}, err
	}
	if old == "" {
		return String(s), nil
	}
	count := strings.Count(s, old)
	if err := f.fits(c, len(s)+count*(len(replacement)-len(old))); err != nil {
		return Value{}, err
	}
	return String(strings.ReplaceAll(s, old, replacement)), nil
}

// compiledPattern is the regular expression of a call with what else depends on it.
type compiledPattern struct {
	*pattern
	group int // regexGroupName
}

type patternFunc func(f *frame, c *invocation, p compiledPattern) (Value, error)

// preparePattern compiles the pattern once if it is a constant, as it nearly always is, and finds
// the group.
func preparePattern(c *compiler, call *invocation, run patternFunc) (runFunc, error) {
	expression, group := &call.args[replacePattern], &call.args[replaceGroup]
	if !expression.konst || !group.konst {
		custom := c.opts.regexp
		return func(f *frame, c *invocation) (Value, error) {
			p, err := c.pattern(f, custom)
			if err != nil {
				return Value{}, err
			}
			return run(f, c, p)
		}, nil
	}
	p, err := c.constantPattern(expression)
	if err != nil {
		return nil, err
	}
	compiled := compiledPattern{pattern: p}
	if !group.fixed.IsNullOrEmpty() {
		var ok bool
		if compiled.group, ok = p.group(group.fixed.String()); !ok {
			return nil, c.failArg(group, "%s is no group of the pattern: %s", quote(group.fixed.String()), p.groupNames())
		}
	}
	return func(f *frame, c *invocation) (Value, error) { return run(f, c, compiled) }, nil
}

func (c *compiler) constantPattern(a *arg) (*pattern, error) {
	p, err := compilePattern(a.fixed.String(), c.opts.regexp)
	if err != nil {
		e := c.failArg(a, "%v", err).(*Error)
		e.cause = err
		return nil, e
	}
	return p, nil
}

// pattern compiles a pattern that depends on the source object.
func (c *invocation) pattern(f *frame, custom func(string) (Regexp, error)) (compiledPattern, error) {
	expression, group := &c.args[replacePattern], &c.args[replaceGroup]
	text, err := expression.text(f)
	if err != nil {
		return compiledPattern{}, err
	}
	if len(text) > MaxLength {
		return compiledPattern{}, expression.fail(f, ErrLimit, "the pattern is longer than %d bytes", MaxLength)
	}
	const compileCost = 1024 // for each byte of a pattern
	if err := f.spend(c, compileCost*len(text)); err != nil {
		return compiledPattern{}, err
	}
	p, err := compilePattern(text, custom)
	if err != nil {
		return compiledPattern{}, expression.failOf(f, err)
	}
	compiled := compiledPattern{pattern: p}
	if !group.given() {
		return compiled, nil
	}
	name, err := group.text(f)
	if err != nil {
		return compiledPattern{}, err
	}
	var ok bool
	if compiled.group, ok = p.group(name); ok {
		return compiled, nil
	}
	if f.program.redacted {
		return compiledPattern{}, group.fail(f, nil, "%s is no group of the pattern", f.quote(name))
	}
	return compiledPattern{}, group.fail(f, nil, "%s is no group of the pattern: %s", f.quote(name), p.groupNames())
}

// prepareReplaceMatches also takes the replacement apart once if it and the pattern are constants.
func prepareReplaceMatches(c *compiler, call *invocation) (runFunc, error) {
	expression, value := &call.args[replacePattern], &call.args[replaceValue]
	if !expression.konst || !value.konst {
		return preparePattern(c, call, func(f *frame, c *invocation, p compiledPattern) (Value, error) {
			replacement, err := c.args[replaceValue].text(f)
			if err != nil {
				return Value{}, err
			}
			return replaceMatches(f, c, p.pattern, p.parseReplacement(replacement))
		})
	}
	p, err := c.constantPattern(expression)
	if err != nil {
		return nil, err
	}
	parts := p.parseReplacement(value.fixed.String())
	return func(f *frame, c *invocation) (Value, error) { return replaceMatches(f, c, p, parts) }, nil
}

// output collects a text of limited length.
type output struct {
	b    strings.Builder
	f    *frame
	call *invocation
}

func (o *output) write(s string) error {
	if o.b.Len()+len(s) > o.f.program.opts.limits.Result {
		return o.f.fits(o.call, o.b.Len()+len(s))
	}
	o.b.WriteString(s)
	return o.f.spend(o.call, 1+len(s))
}

func replaceMatches(f *frame, c *invocation, p *pattern, replacement []replacementPart) (Value, error) {
	source, err := c.args[replaceSource].text(f)
	if err != nil || source == "" {
		return String(""), err
	}
	out := output{f: f, call: c}
	done := 0
	err = p.each(f, c, source, func(match []int) error {
		if err := out.write(source[done:match[0]]); err != nil {
			return err
		}
		done = match[1]
		for _, part := range replacement {
			if err := out.write(part.text(source, match)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Value{}, err
	}
	return out.rest(source, done)
}

// rest writes what follows the last match.
func (o *output) rest(source string, done int) (Value, error) {
	if done == 0 && o.b.Len() == 0 {
		return String(source), nil
	}
	if err := o.write(source[done:]); err != nil {
		return Value{}, err
	}
	return String(o.b.String()), nil
}

// replaceGroupMatches replaces only what the group matched, in every match.
func replaceGroupMatches(f *frame, c *invocation, p compiledPattern) (Value, error) {
	source, err := c.args[replaceSource].text(f)
	if err != nil || source == "" {
		return String(""), err
	}
	replacement, err := c.args[replaceValue].text(f)
	if err != nil {
		return Value{}, err
	}
	out := output{f: f, call: c}
	done := 0
	err = p.each(f, c, source, func(match []int) error {
		start, end := match[2*p.group], match[2*p.group+1]
		if start < done { // the group took no part
			return nil
		}
		if err := out.write(source[done:start]); err != nil {
			return err
		}
		done = end
		return out.write(replacement)
	})
	if err != nil {
		return Value{}, err
	}
	return out.rest(source, done)
}

// extractFromAttribute gives the source if it has a value, else what the group matches first in
// the other attribute.
func extractFromAttribute(f *frame, c *invocation, p compiledPattern) (Value, error) {
	source, err := c.args[replaceSource].text(f)
	if err != nil {
		return Value{}, err
	}
	if source != "" {
		return c.text(f, source)
	}
	other, err := c.args[replaceAttribute].text(f)
	if err != nil || other == "" {
		return Value{}, err
	}
	result := Null()
	err = p.each(f, c, other, func(match []int) error {
		if start, end := match[2*p.group], match[2*p.group+1]; start >= 0 {
			result = String(other[start:end])
		}
		return errEnoughMatches
	})
	if err == errEnoughMatches {
		err = nil
	}
	return result, err
}

var errEnoughMatches = errors.New("the matches found are enough")

// replacementPart is literal text or a reference to what was matched.
type replacementPart struct {
	literal string
	what    reference
	group   int
}

type reference uint8

const (
	literalText reference = iota
	groupMatch
	beforeMatch
	afterMatch
	wholeSource
)

func (p *replacementPart) text(source string, match []int) string {
	switch p.what {
	case groupMatch:
		if start := match[2*p.group]; start >= 0 {
			return source[start:match[2*p.group+1]]
		}
		return ""
	case beforeMatch:
		return source[:match[0]]
	case afterMatch:
		return source[match[1]:]
	case wholeSource:
		return source
	}
	return p.literal
}

// parseReplacement reads the substitutions of .NET: $1, ${name}, $$, $&, $`, $', $+ and $_. What
// names no group of the pattern is literal.
func (p *pattern) parseReplacement(s string) []replacementPart {
	var parts []replacementPart
	add := func(part replacementPart) {
		if last := len(parts) - 1; part.what == literalText && last >= 0 && parts[last].what == literalText {
			parts[last].literal += part.literal
			return
		}
		parts = append(parts, part)
	}
	for s != "" {
		before, rest, found := strings.Cut(s, "$")
		if before != "" {
			add(replacementPart{literal: before})
		}
		if !found {
			break
		}
		part, size := p.substitution(rest)
		add(part)
		s = rest[size:]
	}
	return parts
}

// substitution reads what follows a dollar sign and tells how long it is.
func (p *pattern) substitution(s string) (replacementPart, int) {
	if s == "" {
		return replacementPart{literal: "$"}, 0
	}
	switch s[0] {
	case '$':
		return replacementPart{literal: "$"}, 1
	case '&':
		return replacementPart{what: groupMatch}, 1
	case '`':
		return replacementPart{what: beforeMatch}, 1
	case '\'':
		return replacementPart{what: afterMatch}, 1
	case '_':
		return replacementPart{what: wholeSource}, 1
	case '+':
		return replacementPart{what: groupMatch, group: p.numbers[len(p.numbers)-1]}, 1
	case '{':
		if name, _, ok := strings.Cut(s[1:], "}"); ok {
			if group, ok := p.group(name); ok {
				return replacementPart{what: groupMatch, group: group}, len(name) + 2
			}
		}
		return replacementPart{literal: "$"}, 0
	}
	digits := 0
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	if n, err := strconv.Atoi(s[:digits]); err == nil && n < len(p.numbers) {
		return replacementPart{what: groupMatch, group: p.numbers[n]}, digits
	}
	return replacementPart{literal: "$"}, 0
}
