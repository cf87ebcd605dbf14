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

// parseTime reads a dateTime (RFC 7643 section 2.3.5); one without an offset is in UTC.
func parseTime(s string) (time.Time, bool) {
	const shortest = len("2006-01-02T15:04:05")
	if len(s) < shortest || s[4] != '-' || s[10] != 'T' {
		return time.Time{}, false
	}
	layout := time.RFC3339
	if last := s[len(s)-1]; last != 'Z' && s[max(len(s)-6, shortest-1)] != '+' && s[max(len(s)-6, shortest-1)] != '-' {
		layout = "2006-01-02T15:04:05"
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
}
