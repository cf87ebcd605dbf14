package expr

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	bits64 "math/bits"
	"strings"
)

// Functions whose results nobody can foresee.

func randomFunctions() []builtin {
	return []builtin{
		{
			Signature: Signature{Name: "Guid", Result: KindString, Help: "A new random GUID in lower case."},
			run:       guid,
			filled:    always,
			impure:    true,
		},
		{
			Signature: Signature{
				Name: "RandomString", Result: KindString,
				Params: []Param{
					param("Length", KindInt), param("MinimumNumbers", KindInt), param("MinimumSpecialCharacters", KindInt),
					param("MinimumCapital", KindInt), param("MinimumLowerCase", KindInt), text("CharactersToAvoid").optional(),
				},
				Help: "A random text, such as a first password, of at most 256 characters, with at least so many digits, special characters, capitals and " +
					"lower-case letters, in random order. The rest is filled with the kinds of which at least one is asked for; with letters and digits if none is.",
			},
			run:    randomString,
			check:  checkRandomString,
			filled: func(_ *compiler, c *invocation) bool { return c.args[0].konst && c.args[0].fixed.truth() },
			impure: true,
		},
	}
}

func (f *frame) random() io.Reader {
	if f.env.Rand != nil {
		return f.env.Rand
	}
	return rand.Reader
}

func guid(f *frame, c *invocation) (Value, error) {
	if f.env.NewGUID != nil {
		return c.text(f, f.env.NewGUID())
	}
	var b [16]byte
	if _, err := io.ReadFull(f.random(), b[:]); err != nil {
		return Value{}, c.fail(f, err, "reading random bytes: %v", err)
	}
	b[6] = b[6]&0x0f | 0x40 // version 4, random (RFC 9562 section 5.4)
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b[:])
	return c.text(f, s[:8]+"-"+s[8:12]+"-"+s[12:16]+"-"+s[16:20]+"-"+s[20:])
}

// The kinds of character RandomString is asked for, in the order of its parameters.
var characterKinds = [4]string{
	"0123456789",
	"~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"abcdefghijklmnopqrstuvwxyz",
}

const maxRandomString = 256

// randomRecipe is what a RandomString asks for.
type randomRecipe struct {
	length  int64
	minimum [4]int64
	avoid   string
}

// allowed are the characters of a kind that may be used.
func (r *randomRecipe) allowed(kind int) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(r.avoid, c) {
			return -1
		}
		return c
	}, characterKinds[kind])
}

// rest are the characters for the places the minimums leave open.
func (r *randomRecipe) rest() string {
	var all string
	for kind, n := range r.minimum {
		if n > 0 {
			all += r.allowed(kind)
		}
	}
	if all == "" {
		return r.allowed(0) + r.allowed(2) + r.allowed(3)
	}
	return all
}

// problem says why there is no such text.
func (r *randomRecipe) problem() string {
	if r.length < 0 || r.length > maxRandomString {
		return "the length must be from 0 to 256"
	}
	var sum int64
	for kind, n := range r.minimum {
		switch {
		case n < 0 || n > maxRandomString:
			return "a minimum must be from 0 to 256"
		case n > 0 && r.allowed(kind) == "":
			return "no character is left to choose from among " + characterKinds[kind]
		}
		sum += n
	}
	if sum > r.length {
		return "the minimums are more than the length"
	}
	if r.rest() == "" {
		return "no character is left to choose from"
	}
	return ""
}

func checkRandomString(c *compiler, call *invocation) error {
	for i := range call.args {
		if !call.args[i].konst {
			return nil
		}
	}
	recipe, err := readRecipe(c.frame, call)
	if err != nil {
		return err
	}
	if problem := recipe.problem(); problem != "" {
		return c.failCall(call, "%s", problem)
	}
	return nil
}

func readRecipe(f *frame, c *invocation) (r randomRecipe, err error) {
	if r.length, err = c.args[0].count(f); err != nil {
		return r, err
	}
	for i := range r.minimum {
		if r.minimum[i], err = c.args[i+1].count(f); err != nil {
			return r, err
		}
	}
	r.avoid, err = c.args[5].text(f)
	return r, err
}

func randomString(f *frame, c *invocation) (Value, error) {
	recipe, err := readRecipe(f, c)
	if err != nil {
		return Value{}, err
	}
	if err := f.spend(c, 128*(1+len(recipe.avoid))); err != nil {
		return Value{}, err
	}
	if problem := recipe.problem(); problem != "" {
		return Value{}, c.fail(f, nil, "%s", problem)
	}
	dice := dice{source: f.random()}
	out := make([]byte, 0, recipe.length)
	for kind, n := range recipe.minimum {
		from := recipe.allowed(kind)
		for range n {
			out = append(out, from[dice.roll(len(from))])
		}
	}
	for rest := recipe.rest(); len(out) < int(recipe.length); {
		out = append(out, rest[dice.roll(len(rest))])
	}
	for i := len(out) - 1; i > 0; i-- { // Fisher-Yates
		j := dice.roll(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	if dice.err != nil {
		return Value{}, c.fail(f, dice.err, "reading random bytes: %v", dice.err)
	}
	return c.text(f, string(out))
}

// dice gives unbiased numbers from a source of random bytes; the first error stays.
type dice struct {
	source io.Reader
	err    error
}

var errNotRandom = errors.New("the source of random bytes repeats itself")

// roll gives a number from 0 to n-1, n being at most 256.
func (d *dice) roll(n int) int {
	fair := 256 - 256%n  // bytes from here on would favour small numbers
	const attempts = 256 // a source that fails this often is not random
	for range attempts {
		var b [1]byte
		if d.err != nil {
			return 0
		}
		if _, d.err = io.ReadFull(d.source, b[:]); d.err == nil && int(b[0]) < fair {
			return int(b[0]) % n
		}
	}
	if d.err == nil {
		d.err = errNotRandom
	}
	return 0
}

// number gives a number from 0 to most.
func (d *dice) number(most uint64) uint64 {
	var n uint64
	width := bits64.Len64(most)
	const attempts = 256
	for range attempts {
		var b [8]byte
		if _, d.err = io.ReadFull(d.source, b[:]); d.err != nil {
			return 0
		}
		// Cut to as many bits as needed, at least half of all draws do.
		if n = binary.BigEndian.Uint64(b[:]) >> (64 - width); n <= most {
			return n
		}
	}
	d.err = errNotRandom
	return 0
}
