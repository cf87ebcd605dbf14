package expr

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// dateFormat is a custom date format of .NET, taken apart.
type dateFormat struct {
	layout string
	items  []dateItem
}

// dateItem is one specifier with how often its letter stands in a row, or literal text.
type dateItem struct {
	verb    byte // one of d f F g h H K m M s t y z, or 0
	count   int
	literal string
}

// moment is a point in time with what a format can show of where it came from.
type moment struct {
	at   ticks
	kind momentKind
}

// momentKind is how .NET knows the zone of a date. Its local zone is UTC in the service, so the kind
// only changes what K prints.
type momentKind uint8

const (
	unspecifiedZone momentKind = iota
	utcZone
	localZone
)

// dateStyles are the DateTimeStyles of .NET.
type dateStyles uint16

const (
	allowLeadingWhite dateStyles = 1 << iota
	allowTrailingWhite
	allowInnerWhite
	noCurrentDateDefault
	adjustToUniversal
	assumeLocal
	assumeUniversal
	roundtripKind

	defaultStyles = roundtripKind | allowLeadingWhite | allowTrailingWhite
)

var styleNames = map[string]dateStyles{
	"None":                 0,
	"AllowLeadingWhite":    allowLeadingWhite,
	"AllowTrailingWhite":   allowTrailingWhite,
	"AllowInnerWhite":      allowInnerWhite,
	"AllowWhiteSpaces":     allowLeadingWhite | allowTrailingWhite | allowInnerWhite,
	"NoCurrentDateDefault": noCurrentDateDefault,
	"AdjustToUniversal":    adjustToUniversal,
	"AssumeLocal":          assumeLocal,
	"AssumeUniversal":      assumeUniversal,
	"RoundtripKind":        roundtripKind,
}

func parseStyles(s string) (dateStyles, error) {
	if strings.TrimSpace(s) == "" {
		return defaultStyles, nil
	}
	var styles dateStyles
	for name := range strings.SplitSeq(s, ",") {
		style, ok := styleNames[strings.TrimSpace(name)]
		if !ok {
			return 0, fmt.Errorf("%s is not one of the DateTimeStyles", quote(strings.TrimSpace(name)))
		}
		styles |= style
	}
	switch {
	case styles&assumeLocal != 0 && styles&assumeUniversal != 0:
		return 0, errors.New("AssumeLocal and AssumeUniversal exclude each other")
	case styles&roundtripKind != 0 && styles&(assumeLocal|assumeUniversal|adjustToUniversal) != 0:
		return 0, errors.New("RoundtripKind excludes AssumeLocal, AssumeUniversal and AdjustToUniversal")
	}
	return styles, nil
}

// standardFormats are the one-letter formats of .NET that do not depend on a culture.
var standardFormats = map[string]string{
	"o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
	"O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
	"r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
	"R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
	"s": "yyyy-MM-ddTHH:mm:ss",
	"u": "yyyy-MM-dd HH:mm:ss'Z'",
}

const dateVerbs = "dfFghHKmMstyz"

// mostDigits bounds how often the letter of a specifier may stand in a row.
var mostDigits = map[byte]int{'f': 7, 'F': 7}

func parseDateFormat(layout string) (*dateFormat, error) {
	rest := layout
	if len(layout) == 1 {
		custom, ok := standardFormats[layout]
		if !ok {
			return nil, fmt.Errorf("a format of one letter is one of o, r, s and u; write %%%s for the letter alone", layout)
		}
		rest = custom
	}
	if rest == "" {
		return nil, errors.New("a date format cannot be empty")
	}
	if len(rest) > 256 {
		return nil, errors.New("a date format of more than 256 bytes")
	}
	f := &dateFormat{layout: layout}
	for rest != "" {
		c := rest[0]
		switch {
		case c == '%':
			if len(rest) < 2 || rest[1] == '%' {
				return nil, errors.New("% stands before a single letter of a date format")
			}
			rest = rest[1:]
		case c == '\\':
			if len(rest) < 2 {
				return nil, errors.New("the date format ends with a backslash")
			}
			_, size := utf8.DecodeRuneInString(rest[1:])
			f.literal(rest[1 : 1+size])
			rest = rest[1+size:]
		case c == '\'' || c == '"':
			end := strings.IndexByte(rest[1:], c)
			if end < 0 {
				return nil, errors.New("the date format holds a quote that is not closed")
			}
			f.literal(rest[1 : 1+end])
			rest = rest[end+2:]
		case strings.IndexByte(dateVerbs, c) >= 0:
			n := 1
			for n < len(rest) && rest[n] == c {
				n++
			}
			if most := mostDigits[c]; most > 0 && n > most {
				return nil, fmt.Errorf("a date format has at most %d %c in a row", most, c)
			}
			f.items = append(f.items, dateItem{verb: c, count: n})
			rest = rest[n:]
		default:
			_, size := utf8.DecodeRuneInString(rest)
			f.literal(rest[:size])
			rest = rest[size:]
		}
	}
	return f, nil
}

// literal adds text to read and print as it is. Empty quotes add nothing.
func (f *dateFormat) literal(s string) {
	if s == "" {
		return
	}
	if last := len(f.items) - 1; last >= 0 && f.items[last].verb == 0 {
		f.items[last].literal += s
		return
	}
	f.items = append(f.items, dateItem{literal: s})
}

// format prints m.
func (f *dateFormat) format(m moment) string {
	t := m.at.time()
	b := make([]byte, 0, len(f.layout)+8)
	for _, item := range f.items {
		n := item.count
		switch item.verb {
		case 0:
			b = append(b, item.literal...)
		case 'd':
			switch n {
			case 1, 2:
				b = appendDigits(b, t.Day(), n)
			case 3:
				b = append(b, t.Weekday().String()[:3]...)
			default:
				b = append(b, t.Weekday().String()...)
			}
		case 'M':
			switch n {
			case 1, 2:
				b = appendDigits(b, int(t.Month()), n)
			case 3:
				b = append(b, t.Month().String()[:3]...)
			default:
				b = append(b, t.Month().String()...)
			}
		case 'y':
			if n <= 2 {
				b = appendDigits(b, t.Year()%100, n)
			} else {
				b = appendDigits(b, t.Year(), n)
			}
		case 'H':
			b = appendDigits(b, t.Hour(), min(n, 2))
		case 'h':
			b = appendDigits(b, (t.Hour()+11)%12+1, min(n, 2))
		case 'm':
			b = appendDigits(b, t.Minute(), min(n, 2))
		case 's':
			b = appendDigits(b, t.Second(), min(n, 2))
		case 'f', 'F':
			b = appendFraction(b, m.at, n, item.verb == 'F')
		case 't':
			half := "AM"
			if t.Hour() >= 12 {
				half = "PM"
			}
			b = append(b, half[:min(n, 2)]...)
		case 'g':
			b = append(b, "A.D."...)
		case 'K':
			for range n {
				b = append(b, [...]string{unspecifiedZone: "", utcZone: "Z", localZone: "+00:00"}[m.kind]...)
			}
		case 'z':
			b = append(b, [...]string{"+0", "+00", "+00:00"}[min(n, 3)-1]...)
		}
	}
	return string(b)
}

// appendFraction prints n digits of the second's fraction. Short leaves out the zeros at the end,
// and if nothing is left the point before them.
func appendFraction(b []byte, at ticks, n int, short bool) []byte {
	fraction := int(at % ticksPerSecond)
	for range 7 - n {
		fraction /= 10
	}
	b = appendDigits(b, fraction, n)
	if !short {
		return b
	}
	for n > 0 && b[len(b)-1] == '0' {
		b = b[:len(b)-1]
		n--
	}
	if n == 0 && len(b) > 0 && b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}

// reading is a text being read by a format. Fields are -1 until something sets them.
type reading struct {
	text                             string
	pos                              int
	year, month, day, weekday        int
	hour, hour12, minute, second, pm int
	fraction                         int
	offset                           ticks
	hasOffset, utc                   bool
}

// parse reads s, which must have this format. The present is asked for if the format has no date.
func (f *dateFormat) parse(s string, styles dateStyles, now func() ticks) (moment, bool) {
	if styles&allowLeadingWhite != 0 {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
	}
	if styles&allowTrailingWhite != 0 {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
	}
	r := reading{
		text: s, year: -1, month: -1, day: -1, weekday: -1,
		hour: -1, hour12: -1, minute: -1, second: -1, pm: -1, fraction: -1,
	}
	for i, item := range f.items {
		if styles&allowInnerWhite != 0 {
			r.space()
		}
		adjacent := i+1 < len(f.items) && f.items[i+1].isDigits() || i > 0 && f.items[i-1].isDigits()
		if !r.item(item, f.items[i+1:], adjacent) {
			return moment{}, false
		}
	}
	if styles&allowInnerWhite != 0 {
		r.space()
	}
	if r.pos != len(r.text) {
		return moment{}, false
	}
	return r.moment(styles, now)
}

// isDigits reports whether an item is read from digits, so that digits beside it are not its own.
func (item dateItem) isDigits() bool {
	switch item.verb {
	case 'd', 'M':
		return item.count <= 2
	case 'y', 'H', 'h', 'm', 's', 'f', 'F':
		return true
	}
	return item.verb == 0 && (isDigit(item.literal[0]) || isDigit(item.literal[len(item.literal)-1]))
}

func (r *reading) space() {
	for r.pos < len(r.text) {
		c, size := utf8.DecodeRuneInString(r.text[r.pos:])
		if !unicode.IsSpace(c) {
			return
		}
		r.pos += size
	}
}

// item reads one item of the format; next are those after it.
func (r *reading) item(item dateItem, next []dateItem, adjacent bool) bool {
	n := item.count
	switch item.verb {
	case 0:
		return r.literal(item.literal, next)
	case 'd':
		switch n {
		case 1, 2:
			return r.number(&r.day, n, adjacent)
		case 3:
			return r.name(&r.weekday, 0, 6, func(i int) string { return time.Weekday(i).String()[:3] })
		default:
			return r.name(&r.weekday, 0, 6, func(i int) string { return time.Weekday(i).String() })
		}
	case 'M':
		switch n {
		case 1, 2:
			return r.number(&r.month, n, adjacent)
		case 3:
			return r.name(&r.month, 1, 12, func(i int) string { return time.Month(i).String()[:3] })
		default:
			return r.name(&r.month, 1, 12, func(i int) string { return time.Month(i).String() })
		}
	case 'y':
		return r.readYear(n, adjacent)
	case 'H':
		return r.number(&r.hour, min(n, 2), adjacent)
	case 'h':
		return r.number(&r.hour12, min(n, 2), adjacent)
	case 'm':
		return r.number(&r.minute, min(n, 2), adjacent)
	case 's':
		return r.number(&r.second, min(n, 2), adjacent)
	case 'f', 'F':
		return r.readFraction(n, item.verb == 'F')
	case 't':
		return r.half(n)
	case 'g':
		return r.word("A.D.") || r.word("AD")
	default: // K and z
		return r.zone(item.verb == 'K')
	}
}

// set gives a field its value; a field that is given twice must get the same one.
func set(field *int, value int) bool {
	if *field >= 0 && *field != value {
		return false
	}
	*field = value
	return true
}

// digits reads from least to most digits.
func (r *reading) digits(least, most int) (value, count int, ok bool) {
	for count < most && r.pos < len(r.text) && isDigit(r.text[r.pos]) {
		value = value*10 + int(r.text[r.pos]-'0')
		r.pos++
		count++
	}
	return value, count, count >= least
}

// number reads a number of up to two digits. A two-letter specifier wants both, except where no
// other digit can be meant.
func (r *reading) number(field *int, n int, adjacent bool) bool {
	least := 1
	if n == 2 && adjacent {
		least = 2
	}
	value, _, ok := r.digits(least, 2)
	return ok && set(field, value)
}

func (r *reading) readYear(n int, adjacent bool) bool {
	if n > 2 {
		value, _, ok := r.digits(n, max(n, 4))
		return ok && n <= 9 && set(&r.year, value)
	}
	value, _, ok := r.digits(n, 2)
	if !ok {
		return false
	}
	return set(&r.year, century(value))
}

// century completes a year of two digits as .NET does: from 1950 to 2049.
func century(year int) int {
	if year < 50 {
		return 2000 + year
	}
	return 1900 + year
}

func (r *reading) readFraction(n int, optional bool) bool {
	least := n
	if optional {
		least = 0
	}
	value, count, ok := r.digits(least, n)
	for range 7 - count {
		value *= 10
	}
	return ok && set(&r.fraction, value)
}

// literal reads text as it stands in the format. A point before an optional fraction may be
// missing, and Z, which names the zone, also reads GMT.
func (r *reading) literal(s string, next []dateItem) bool {
	if before, ok := strings.CutSuffix(s, "."); ok && len(next) > 0 && next[0].verb == 'F' {
		if !r.plain(before) {
			return false
		}
		if r.pos < len(r.text) && r.text[r.pos] == '.' {
			r.pos++
		}
		return true
	}
	if s == "Z" && !r.hasOffset {
		r.hasOffset, r.utc = true, true
		return r.word("Z") || r.word("GMT")
	}
	return r.plain(s)
}

func (r *reading) plain(s string) bool {
	if !strings.HasPrefix(r.text[r.pos:], s) {
		return false
	}
	r.pos += len(s)
	return true
}

// word reads s in any case.
func (r *reading) word(s string) bool {
	rest := r.text[r.pos:]
	if len(rest) < len(s) || !strings.EqualFold(rest[:len(s)], s) {
		return false
	}
	r.pos += len(s)
	return true
}

// name reads the longest of the names that fits.
func (r *reading) name(field *int, first, last int, name func(int) string) bool {
	for i := first; i <= last; i++ {
		if r.word(name(i)) {
			return set(field, i)
		}
	}
	return false
}

func (r *reading) half(n int) bool {
	switch {
	case r.word("AM"[:min(n, 2)]):
		return set(&r.pm, 0)
	case r.word("PM"[:min(n, 2)]):
		return set(&r.pm, 1)
	}
	return false
}

// zone reads an offset such as -07:00, -0700 or -7; K also reads Z, or nothing.
func (r *reading) zone(isK bool) bool {
	if r.hasOffset {
		return false
	}
	if isK && r.word("Z") {
		r.hasOffset, r.utc = true, true
		return true
	}
	offset, size, ok := parseOffset(r.text[r.pos:])
	if !ok {
		return isK
	}
	r.pos += size
	r.offset, r.hasOffset = offset, true
	return true
}

// parseOffset reads an offset from UTC at the start of s and tells how long it is.
func parseOffset(s string) (offset ticks, size int, ok bool) {
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, 0, false
	}
	r := reading{text: s, pos: 1}
	hours, count, ok := r.digits(1, 2)
	if !ok {
		return 0, 0, false
	}
	minutes := 0
	colon := r.plain(":")
	if colon || count == 2 {
		var n int
		if minutes, n, ok = r.digits(2, 2); !ok {
			if colon || n > 0 {
				return 0, 0, false
			}
			minutes = 0
		}
	}
	offset = ticks(hours)*ticksPerHour + ticks(minutes)*ticksPerMinute
	if minutes > 59 || offset > 14*ticksPerHour {
		return 0, 0, false
	}
	if s[0] == '-' {
		offset = -offset
	}
	return offset, r.pos, true
}

// moment puts the fields together.
func (r *reading) moment(styles dateStyles, now func() ticks) (moment, bool) {
	if !r.clockFields() {
		return moment{}, false
	}
	r.defaultDate(styles, now)
	at, ok := dateTicks(r.year, r.month, r.day)
	if !ok || r.weekday >= 0 && r.weekday != int(at.time().Weekday()) {
		return moment{}, false
	}
	at += ticks(r.hour)*ticksPerHour + ticks(r.minute)*ticksPerMinute + ticks(r.second)*ticksPerSecond + ticks(r.fraction)
	at -= r.offset
	return moment{at, r.kind(styles)}, at.valid()
}

// clockFields checks the time of day and completes it with zeros.
func (r *reading) clockFields() bool {
	if r.hour12 >= 0 {
		if r.hour12 > 12 {
			return false
		}
		hour := r.hour12 % 12
		if r.pm == 1 {
			hour += 12
		}
		if !set(&r.hour, hour) {
			return false
		}
	} else if r.pm >= 0 && r.hour >= 0 && r.pm != r.hour/12 {
		return false
	}
	for _, field := range []*int{&r.hour, &r.minute, &r.second, &r.fraction} {
		*field = max(*field, 0)
	}
	return r.hour < 24 && r.minute < 60 && r.second < 60
}

// defaultDate completes the date: a format without any means today, one without the year this
// year, and without month or day the first.
func (r *reading) defaultDate(styles dateStyles, now func() ticks) {
	if r.year < 0 && r.month < 0 && r.day < 0 {
		r.year, r.month, r.day = 1, 1, 1
		if styles&noCurrentDateDefault == 0 {
			year, month, day := now().time().Date()
			r.year, r.month, r.day = year, int(month), day
		}
	}
	if r.year < 0 {
		r.year = now().time().Year()
	}
	if r.month < 0 {
		r.month = 1
	}
	if r.day < 0 {
		r.day = 1
	}
}

// kind is what .NET would know of the zone.
func (r *reading) kind(styles dateStyles) momentKind {
	switch {
	case styles&adjustToUniversal != 0 && (r.hasOffset || styles&(assumeLocal|assumeUniversal) != 0):
		return utcZone
	case r.hasOffset && r.utc && styles&roundtripKind != 0:
		return utcZone
	case r.hasOffset || styles&(assumeLocal|assumeUniversal) != 0:
		return localZone
	}
	return unspecifiedZone
}
