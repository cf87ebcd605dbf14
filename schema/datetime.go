package schema

import "time"

// canonicalTime returns an xsd:dateTime (RFC 7643 section 2.3.5) as RFC 3339 in UTC with the fewest digits.
func canonicalTime(s string) (string, bool) {
	t, ok := parseTime(s)
	if !ok {
		return "", false
	}
	var space [40]byte
	b := t.AppendFormat(space[:0], time.RFC3339Nano)
	if string(b) == s {
		return s, true
	}
	return string(b), true
}

// parseTime reads an xsd:dateTime. One without an offset is taken to be in UTC; digits after the ninth of a
// fraction are dropped.
func parseTime(s string) (time.Time, bool) {
	// time.Parse is less strict about the form.
	if len(s) < len("2006-01-02T15:04:05") || len(s) > 64 || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	if len(s) > 19 && s[19] == ',' {
		return time.Time{}, false
	}
	// 24:00:00 is the midnight that ends the day (XML Schema part 2, section 3.2.7).
	midnight := s[11:19] == "24:00:00"
	if midnight {
		s = s[:11] + "00" + s[13:]
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05", s); err != nil {
			return time.Time{}, false
		}
	}
	if midnight {
		if t.Nanosecond() != 0 {
			return time.Time{}, false
		}
		t = t.AddDate(0, 0, 1)
	}
	t = t.UTC()
	return t, 0 <= t.Year() && t.Year() <= 9999
}
