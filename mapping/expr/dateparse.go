package expr

import (
	"strings"
	"time"
	"unicode/utf8"
)

// parseDate reads a date in one of the forms .NET recognises without being told which:
//
//	2012-03-16  2012/3/16  2012-03
//	3/16/2012  3-16-2012  3/16/12
//	16 Mar 2012  16-March-2012  Mar 16, 2012  Fri, 16 Mar 2012
//
// each with an optional time after a space, a comma or T, such as 8:30, 08:30:00.123 or 8:30 PM, and
// an optional zone, such as Z, GMT, -07:00, +0530 or +2. Without a zone it is in UTC. A time alone is
// no date, and neither are runs of digits, which need FormatDateTime.
func parseDate(s string) (ticks, bool) {
	if len(s) > 64 || !utf8.ValidString(s) {
		return 0, false
	}
	r := dateReader{reading{text: strings.TrimSpace(s), month: -1, weekday: -1, hour: -1, hour12: -1, minute: -1, second: -1, pm: -1, fraction: -1}}
	if !r.date() || !r.time() {
		return 0, false
	}
	r.space()
	if r.pos < len(r.text) && !r.anyZone() {
		return 0, false
	}
	if r.pos != len(r.text) || !r.clockFields() {
		return 0, false
	}
	at, ok := dateTicks(r.year, r.month, r.day)
	if !ok || r.weekday >= 0 && r.weekday != int(at.time().Weekday()) {
		return 0, false
	}
	at += ticks(r.hour)*ticksPerHour + ticks(r.minute)*ticksPerMinute + ticks(r.second)*ticksPerSecond + ticks(r.fraction) - r.offset
	return at, at.valid()
}

type dateReader struct{ reading }

func (r *dateReader) peek() byte {
	if r.pos < len(r.text) {
		return r.text[r.pos]
	}
	return 0
}

// date reads the day.
func (r *dateReader) date() bool {
	if r.weekdayName() {
		if r.peek() == ',' {
			r.pos++
		}
		r.space()
	}
	if r.monthName() { // Mar 16, 2012
		r.separators(" ,.-")
		day, _, ok := r.digits(1, 2)
		r.day = day
		return ok && r.separators(" ,-") && r.anyYear()
	}
	first, count, ok := r.digits(1, 4)
	if !ok || count == 3 {
		return false
	}
	if count == 4 {
		return r.yearFirst(first)
	}
	separator := r.peek()
	if separator == '/' || separator == '-' {
		r.pos++
		if r.monthName() { // 16-Mar-2012
			r.day = first
			return r.separators(" -/") && r.anyYear()
		}
		return r.monthFirst(first, separator)
	}
	r.day = first // 16 Mar 2012
	return r.separators(" ") && r.monthName() && r.separators(" ,.") && r.anyYear()
}

// yearFirst reads what follows the year: 2012-03-16 or 2012-03.
func (r *dateReader) yearFirst(year int) bool {
	separator := r.peek()
	if separator != '-' && separator != '/' {
		return false
	}
	r.pos++
	r.year, r.day = year, 1
	month, _, ok := r.digits(1, 2)
	r.month = month
	if !ok || r.peek() != separator {
		return ok
	}
	r.pos++
	r.day, _, ok = r.digits(1, 2)
	return ok
}

// monthFirst reads what follows the month of 3/16/2012.
func (r *dateReader) monthFirst(month int, separator byte) bool {
	r.month = month
	day, _, ok := r.digits(1, 2)
	r.day = day
	if !ok || r.peek() != separator {
		return false
	}
	r.pos++
	return r.anyYear()
}

func (r *dateReader) anyYear() bool {
	year, count, _ := r.digits(2, 4)
	if count == 2 {
		year = century(year)
	}
	r.year = year
	return count == 2 || count == 4
}

// separators skips any number of these bytes and tells whether there was one.
func (r *dateReader) separators(set string) bool {
	start := r.pos
	for r.pos < len(r.text) && strings.IndexByte(set, r.text[r.pos]) >= 0 {
		r.pos++
	}
	return r.pos > start
}

func (r *dateReader) weekdayName() bool {
	return r.name(&r.weekday, 0, 6, func(i int) string { return time.Weekday(i).String() }) ||
		r.name(&r.weekday, 0, 6, func(i int) string { return time.Weekday(i).String()[:3] })
}

func (r *dateReader) monthName() bool {
	return r.name(&r.month, 1, 12, func(i int) string { return time.Month(i).String() }) ||
		r.name(&r.month, 1, 12, func(i int) string { return time.Month(i).String()[:3] })
}

// time reads an optional time of day.
func (r *dateReader) time() bool {
	start := r.pos
	if c := r.peek(); c == 'T' || c == 't' {
		r.pos++
	} else if !r.separators(" ,") {
		return true
	}
	hour, _, ok := r.digits(1, 2)
	if !ok {
		r.pos = start
		return true // what follows can only be a zone
	}
	if r.peek() == ':' {
		r.pos++
		if r.minute, _, ok = r.digits(1, 2); !ok {
			return false
		}
		if r.peek() == ':' {
			r.pos++
			if r.second, _, ok = r.digits(1, 2); !ok {
				return false
			}
			if c := r.peek(); c == '.' && !r.anyFraction() {
				return false
			}
		}
	}
	return r.hourAndHalf(hour)
}

// anyFraction reads a fraction of any length; digits after the seventh are cut off.
func (r *dateReader) anyFraction() bool {
	r.pos++
	value, count, ok := r.digits(1, 7)
	for range 7 - count {
		value *= 10
	}
	r.fraction = value
	for isDigit(r.peek()) {
		r.pos++
	}
	return ok
}

// hourAndHalf reads AM or PM if it is there; an hour alone needs it.
func (r *dateReader) hourAndHalf(hour int) bool {
	after := r.pos
	r.space()
	if r.half(2) {
		r.hour12 = hour
		return hour >= 1
	}
	r.pos = after
	r.hour = hour
	return r.minute >= 0
}

func (r *dateReader) anyZone() bool {
	for _, utc := range [...]string{"Z", "GMT", "UTC"} {
		if r.word(utc) {
			return true
		}
	}
	offset, size, ok := parseOffset(r.text[r.pos:])
	r.pos += size
	r.offset = offset
	return ok
}
