package expr

import (
	"regexp/syntax"
	"sync"
	"unicode/utf8"
)

// machine runs a compiled pattern the way .NET iterates over matches, in time linear in the text:
// it follows all threads of the program at once, the preferred one first (a Pike machine).
type machine struct {
	prog    *syntax.Prog
	slots   int // two for each group, the whole match included
	dollar  bool
	threads sync.Pool // of *threadLists
}

// newMachine compiles a parsed pattern. The tree may not be used after.
func newMachine(tree *syntax.Regexp) (*machine, error) {
	// A program does not tell $ from \z, but it tells $ with the option m from both. If the pattern
	// has no $ with that option, its instruction is free to stand for plain $.
	dollar := !contains(tree, func(re *syntax.Regexp) bool { return re.Op == syntax.OpEndLine })
	if dollar {
		markDollars(tree)
	}
	slots := 2 * (tree.MaxCap() + 1)
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	return &machine{prog: prog, slots: slots, dollar: dollar}, nil
}

func markDollars(re *syntax.Regexp) {
	if isDollar(re) {
		re.Op = syntax.OpEndLine
	}
	for _, sub := range re.Sub {
		markDollars(sub)
	}
}

// thread is a place in the program with the groups captured on the way there.
type thread struct {
	pc   uint32
	caps []int
}

// threadList is a set of threads in order of preference.
type threadList struct {
	threads []thread
	where   []uint32 // for each instruction, its index in threads if it is in the set
}

func (l *threadList) has(pc uint32) bool {
	i := l.where[pc]
	return int(i) < len(l.threads) && l.threads[i].pc == pc
}

type threadLists struct {
	now, next threadList
	free      [][]int
	match     []int
	steps     int // taken since the budget was last asked
}

func (m *machine) lists() *threadLists {
	l, _ := m.threads.Get().(*threadLists)
	if l == nil {
		n := len(m.prog.Inst)
		l = &threadLists{match: make([]int, m.slots)}
		l.now.where = make([]uint32, n)
		l.next.where = make([]uint32, n)
	}
	return l
}

// each calls yield with every match as .NET finds them: after a match the search goes on where it
// ended, and only after an empty one a character further. The offsets are overwritten by the next
// match. Whatever the pattern, the steps are paid for by spend, because looking for match after
// match may read the same text again and again.
func (m *machine) each(s string, spend func(steps int) error, yield func(match []int) error) error {
	l := m.lists()
	defer m.threads.Put(l)
	for pos := 0; pos <= len(s); {
		found, err := m.find(l, s, pos, spend)
		if err != nil || !found {
			return err
		}
		start, end := l.match[0], l.match[1]
		if err := yield(l.match); err != nil {
			return err
		}
		pos = end
		if start == end {
			_, size := utf8.DecodeRuneInString(s[pos:])
			pos += max(size, 1)
		}
	}
	return nil
}

// stepsAtOnce is how many steps are taken before they are paid for.
const stepsAtOnce = 4096

// find leaves the first match at or after pos in l.match.
func (m *machine) find(l *threadLists, s string, pos int, spend func(int) error) (found bool, err error) {
	defer func() {
		l.release(l.now.threads)
		l.now.threads = l.now.threads[:0]
	}()
	for {
		if l.steps >= stepsAtOnce || pos == len(s) {
			if err := spend(l.steps); err != nil {
				return false, err
			}
			l.steps = 0
		}
		r, size := rune(-1), 0
		if pos < len(s) {
			r, size = utf8.DecodeRuneInString(s[pos:])
		}
		if !found {
			caps := l.take(m.slots)
			caps[0] = pos
			m.follow(l, &l.now, uint32(m.prog.Start), s, pos, caps)
			l.free = append(l.free, caps)
		}
		if len(l.now.threads) == 0 && (found || size == 0) {
			return found, nil
		}
		if m.step(l, r, size, s, pos) {
			found = true
		}
		if size == 0 {
			return found, nil
		}
		pos += size
	}
}

// step moves every thread over one character, or ends the less preferred ones at a match.
func (m *machine) step(l *threadLists, r rune, size int, s string, pos int) (found bool) {
	for i, t := range l.now.threads {
		if t.caps == nil {
			continue
		}
		inst := &m.prog.Inst[t.pc]
		if inst.Op == syntax.InstMatch {
			copy(l.match, t.caps)
			l.match[1] = pos
			l.release(l.now.threads[i:])
			found = true
			break
		}
		if size > 0 && inst.MatchRune(r) {
			m.follow(l, &l.next, inst.Out, s, pos+size, t.caps)
		}
		l.free = append(l.free, t.caps)
	}
	l.now.threads = l.now.threads[:0]
	l.now, l.next = l.next, l.now
	return found
}

func (l *threadLists) take(n int) []int {
	var caps []int
	if last := len(l.free) - 1; last >= 0 {
		caps, l.free = l.free[last], l.free[:last]
	} else {
		caps = make([]int, n)
	}
	for i := range caps {
		caps[i] = -1
	}
	return caps
}

func (l *threadLists) release(threads []thread) {
	for _, t := range threads {
		if t.caps != nil {
			l.free = append(l.free, t.caps)
		}
	}
}

// follow adds the threads that can be reached from pc without reading a character. Each instruction
// is entered once, so that this ends; the depth is bounded by the size of the program.
func (m *machine) follow(l *threadLists, into *threadList, pc uint32, s string, pos int, caps []int) {
	if into.has(pc) {
		return
	}
	into.where[pc] = uint32(len(into.threads))
	into.threads = append(into.threads, thread{pc: pc})
	at := len(into.threads) - 1
	l.steps += 1 + m.slots/8
	inst := &m.prog.Inst[pc]
	switch inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		m.follow(l, into, inst.Out, s, pos, caps)
		m.follow(l, into, inst.Arg, s, pos, caps)
	case syntax.InstNop:
		m.follow(l, into, inst.Out, s, pos, caps)
	case syntax.InstEmptyWidth:
		if m.holds(syntax.EmptyOp(inst.Arg), s, pos) {
			m.follow(l, into, inst.Out, s, pos, caps)
		}
	case syntax.InstCapture:
		if int(inst.Arg) >= len(caps) {
			m.follow(l, into, inst.Out, s, pos, caps)
			break
		}
		before := caps[inst.Arg]
		caps[inst.Arg] = pos
		m.follow(l, into, inst.Out, s, pos, caps)
		caps[inst.Arg] = before
	case syntax.InstFail:
	default:
		own := l.take(m.slots)
		copy(own, caps)
		into.threads[at].caps = own
	}
}

// holds reports whether the conditions of an instruction without width hold at pos.
func (m *machine) holds(op syntax.EmptyOp, s string, pos int) bool {
	if op&syntax.EmptyBeginText != 0 && pos > 0 ||
		op&syntax.EmptyBeginLine != 0 && pos > 0 && s[pos-1] != '\n' ||
		op&syntax.EmptyEndText != 0 && pos < len(s) {
		return false
	}
	if op&syntax.EmptyEndLine != 0 && pos < len(s) {
		if s[pos] != '\n' || m.dollar && pos+1 < len(s) {
			return false
		}
	}
	if op&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0 {
		before, _ := utf8.DecodeLastRuneInString(s[:pos])
		after, _ := utf8.DecodeRuneInString(s[pos:])
		boundary := isWordRune(before) != isWordRune(after)
		if op&syntax.EmptyWordBoundary != 0 && !boundary || op&syntax.EmptyNoWordBoundary != 0 && boundary {
			return false
		}
	}
	return true
}
