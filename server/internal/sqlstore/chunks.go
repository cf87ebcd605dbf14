package sqlstore

import (
	"fmt"
	"strings"
)

// widths are how many parameters a list in a statement has: few enough statements to keep them all prepared.
var widths = [...]int{1, 4, 16, 64, 256}

// inChunks calls do with the list of parameters of a statement's IN, and all of its arguments: the fixed ones and some of values. A
// list that is not full is filled up with its last value.
func inChunks[V any](values []V, do func(list string, args []any) error, fixed ...any) error {
	for len(values) > 0 {
		width := widths[len(widths)-1]
		for _, w := range widths {
			if w >= len(values) {
				width = w
				break
			}
		}
		n := min(width, len(values))
		args := append(make([]any, 0, len(fixed)+width), fixed...)
		for i := range width {
			args = append(args, values[min(i, n-1)])
		}
		if err := do(parameters(len(fixed)+1, width), args); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// parameters returns $from, $from+1 and so on.
func parameters(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}
