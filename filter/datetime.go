package filter

import "time"

// timeTest compares instants.
type timeTest struct {
	op   Op
	want time.Time
}

func (t *timeTest) passes(value any) bool {
	switch v := value.(type) {
	case string:
		at, ok := parseTime(v)
		return ok && t.op.holds(at.Compare(t.want))
	case time.Time:
		return t.op.holds(v.Compare(t.want))
	}
	return false
}

// noOffset is how a dateTime without an offset is written, which no other is shorter than.
const noOffset = "2006-01-02T15:04:05"

// ParseDateTime returns the instant that filters take a dateTime for (RFC 7643 section 2.3.5), one without an offset being in UTC,
// and false when text is no dateTime. Who translates filters into another language needs it.
func ParseDateTime(text string) (time.Time, bool) { return parseTime(text) }

// parseTime reads a dateTime (RFC 7643 section 2.3.5); one without an offset is in UTC.
func parseTime(s string) (time.Time, bool) {
	if len(s) < len(noOffset) || s[4] != '-' || s[10] != 'T' {
		return time.Time{}, false
	}
	layout := time.RFC3339
	if !hasOffset(s) {
		layout = noOffset
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
}

// hasOffset reports whether a dateTime ends with Z or an offset such as +01:00.
func hasOffset(s string) bool {
	sign := s[len(s)-len("+01:00")]
	return s[len(s)-1] == 'Z' || sign == '+' || sign == '-'
}
