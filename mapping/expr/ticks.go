package expr

import (
	"strconv"
	"time"
)

// ticks counts 100-nanosecond steps since 0001-01-01T00:00:00Z. It is how the service's runtime
// counts time, so that no date it knows is lost or rounded here.
type ticks int64

const (
	ticksPerSecond ticks = 10_000_000
	ticksPerMinute       = 60 * ticksPerSecond
	ticksPerHour         = 60 * ticksPerMinute
	ticksPerDay          = 24 * ticksPerHour

	maxTicks = ticks(3_155_378_975_999_999_999) // the last tick of the year 9999

	unixEpochSeconds = 62_135_596_800 // from year 1 to 1970
	fileTimeEpoch    = ticks(504_911_232_000_000_000)
)

func ticksOf(t time.Time) (ticks, bool) {
	seconds := t.Unix() + unixEpochSeconds
	if seconds < 0 || seconds > int64(maxTicks/ticksPerSecond) {
		return 0, false
	}
	return ticks(seconds)*ticksPerSecond + ticks(t.Nanosecond()/100), true
}

func (t ticks) time() time.Time {
	seconds := int64(t/ticksPerSecond) - unixEpochSeconds
	return time.Unix(seconds, int64(t%ticksPerSecond)*100).UTC()
}

func (t ticks) valid() bool { return t >= 0 && t <= maxTicks }

// plus adds n units and reports whether the sum is still a date of the years 1 to 9999.
func (t ticks) plus(n int64, unit ticks) (ticks, bool) {
	if limit := int64(maxTicks / unit); n > limit || n < -limit {
		return 0, false
	}
	sum := t + ticks(n)*unit
	return sum, sum.valid()
}

// plusMonths moves by calendar months and stays in the month it reaches: one month after
// 31 January is the last day of February.
func (t ticks) plusMonths(n int64) (ticks, bool) {
	const limit = 12 * 10_000
	if n > limit || n < -limit {
		return 0, false
	}
	year, month, day := t.time().Date()
	total := int64(year)*12 + int64(month) - 1 + n
	newYear, newMonth := int(total/12), int(total%12)+1
	if total < 12 || newYear > 9999 {
		return 0, false
	}
	day = min(day, daysIn(newYear, newMonth))
	midnight, ok := dateTicks(newYear, newMonth, day)
	return midnight + t%ticksPerDay, ok
}

// sunday moves back to the Sunday of the same week at the same time of day. In the first week of
// the year 1 that may lie before the calendar, which only subtraction sees.
func (t ticks) sunday() ticks {
	return t - ticks(t.time().Weekday())*ticksPerDay
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// dateTicks is midnight of a calendar day; false if there is no such day.
func dateTicks(year, month, day int) (ticks, bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return ticksOf(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC))
}

// appendText prints t as M/d/yyyy h:mm:ss tt.
func (t ticks) appendText(b []byte) []byte {
	at := t.time()
	year, month, day := at.Date()
	hour, minute, second := at.Clock()
	b = strconv.AppendInt(b, int64(month), 10)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(day), 10)
	b = append(b, '/')
	b = appendDigits(b, year, 4)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64((hour+11)%12+1), 10)
	b = append(b, ':')
	b = appendDigits(b, minute, 2)
	b = append(b, ':')
	b = appendDigits(b, second, 2)
	if hour < 12 {
		return append(b, " AM"...)
	}
	return append(b, " PM"...)
}

// appendDigits prints n with at least width digits.
func appendDigits(b []byte, n, width int) []byte {
	var digits [20]byte
	i := len(digits)
	for n > 0 || width > 0 {
		i--
		digits[i] = byte('0' + n%10)
		n /= 10
		width--
	}
	return append(b, digits[i:]...)
}
