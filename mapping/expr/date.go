package expr

import "slices"

// Functions that work on dates. All dates are in UTC.

func dateFunctions() []builtin {
	return []builtin{
		{
			Signature: Signature{
				Name: "CDate", Result: KindTime, Params: []Param{anything("expression")},
				Help: "A date read from text: 2012-03-16, with or without a time and an offset, 3/16/2012 7:00:00 AM, 16 Mar 2012 and the like. " +
					"Without an offset it is in UTC. Null and \"\" give null, other text is an error.",
			},
			run:    cdate,
			filled: firstFilled,
		},
		{
			Signature: Signature{Name: "Now", Result: KindTime, Help: "The present time in UTC, the same throughout an evaluation."},
			run: func(f *frame, c *invocation) (Value, error) {
				t, err := f.clock(c)
				return timeValue(t), err
			},
			filled: always,
			impure: true,
		},
		{
			Signature: Signature{
				Name: "DateAdd", Result: KindTime, Params: []Param{text("interval"), param("value", KindInt), param("dateTime", KindTime)},
				Help: "The date moved by a number of yyyy years, m months, ww weeks, d days, h hours, n minutes or s seconds. " +
					"A day the month reached does not have becomes its last day. Null gives null.",
			},
			run:    dateAdd,
			check:  checkInterval,
			filled: func(_ *compiler, c *invocation) bool { return c.args[2].filled },
		},
		{
			Signature: Signature{
				Name: "DateDiff", Result: KindInt, Params: []Param{text("interval"), param("date1", KindTime), param("date2", KindTime)},
				Help: "How many intervals date2 is after date1, as Visual Basic counts them: d, h, n and s in full units of elapsed time; " +
					"m and yyyy by the calendar, whatever the day; ww in weeks that begin on Sunday. Null is an error, because a comparison with it would decide on nothing.",
			},
			run:    dateDiff,
			check:  checkInterval,
			filled: always,
		},
		{
			Signature: Signature{
				Name: "DateFromNum", Result: KindTime, Params: []Param{param("value", KindInt)},
				Help: "The date of a Windows file time, the count of 100 nanoseconds since 1601. Null gives null; " +
					"a count after the year 9999, such as 9223372036854775807 for never, is an error.",
			},
			run:    dateFromNum,
			filled: firstFilled,
		},
		{
			Signature: Signature{
				Name: "NumFromDate", Result: KindInt, Params: []Param{anything("value")},
				Help: "The Windows file time of a date or of text that CDate reads. Null and \"\" give null; a date before 1601 is an error.",
			},
			run:    numFromDate,
			filled: firstFilled,
		},
		{
			Signature: Signature{
				Name: "FormatDateTime", Result: KindString,
				Params: []Param{text("source"), text("dateTimeStyles").optional(), text("inputFormat"), text("outputFormat").optional()},
				Help: "A date in another form. Formats are those of .NET, such as yyyy-MM-dd; styles are names of its DateTimeStyles, separated by commas. " +
					"With three arguments there are no styles. Null and \"\" give null, text that does not have the input format is an error.",
			},
			prepare: prepareFormat,
			filled:  filledFormat,
		},
	}
}

func firstFilled(_ *compiler, c *invocation) bool { return c.args[0].filled }

func cdate(f *frame, c *invocation) (Value, error) {
	t, ok, err := c.args[0].date(f)
	if err != nil || !ok {
		return Value{}, err
	}
	return timeValue(t), nil
}

// The intervals of DateAdd and DateDiff.
const (
	intervalYear   = "yyyy"
	intervalMonth  = "m"
	intervalWeek   = "ww"
	intervalDay    = "d"
	intervalHour   = "h"
	intervalMinute = "n"
	intervalSecond = "s"

	// Entra Connect has these too.
	intervalQuarter   = "q"
	intervalDayOfYear = "y"
	intervalWeekday   = "w"
)

func (o *options) isInterval(s string) bool {
	switch s {
	case intervalYear, intervalMonth, intervalWeek, intervalDay, intervalHour, intervalMinute, intervalSecond:
		return true
	case intervalQuarter, intervalDayOfYear, intervalWeekday:
		return o.connect
	}
	return false
}

const intervalHelp = "an interval is yyyy, m, ww, d, h, n or s, not "

func checkInterval(c *compiler, call *invocation) error {
	if a := &call.args[0]; a.konst && !c.opts.isInterval(a.fixed.String()) {
		return c.failArg(a, "%s", intervalHelp+quote(a.fixed.String()))
	}
	return nil
}

func (a *arg) interval(f *frame) (string, error) {
	s, err := a.text(f)
	if err == nil && !f.program.opts.isInterval(s) {
		err = a.fail(f, nil, "%s", intervalHelp+f.quote(s))
	}
	return s, err
}

func dateAdd(f *frame, c *invocation) (Value, error) {
	interval, err := c.args[0].interval(f)
	if err != nil {
		return Value{}, err
	}
	n, err := c.args[1].count(f)
	if err != nil {
		return Value{}, err
	}
	t, ok, err := c.args[2].date(f)
	if err != nil || !ok {
		return Value{}, err
	}
	if t, ok = moved(t, interval, n); !ok {
		return Value{}, c.fail(f, nil, "%s %s from %s is outside the years 1 to 9999", f.digits(n), interval, f.quote(timeValue(t).String()))
	}
	return timeValue(t), nil
}

// moved adds n intervals to t; if the sum is no date it returns t and false.
func moved(t ticks, interval string, n int64) (ticks, bool) {
	var sum ticks
	ok := false
	switch interval {
	case intervalYear:
		if -10_000 < n && n < 10_000 {
			sum, ok = t.plusMonths(12 * n)
		}
	case intervalQuarter:
		if -40_000 < n && n < 40_000 {
			sum, ok = t.plusMonths(3 * n)
		}
	case intervalMonth:
		sum, ok = t.plusMonths(n)
	case intervalWeek:
		sum, ok = t.plus(n, 7*ticksPerDay)
	case intervalHour:
		sum, ok = t.plus(n, ticksPerHour)
	case intervalMinute:
		sum, ok = t.plus(n, ticksPerMinute)
	case intervalSecond:
		sum, ok = t.plus(n, ticksPerSecond)
	default: // d, y and w
		sum, ok = t.plus(n, ticksPerDay)
	}
	if !ok {
		return t, false
	}
	return sum, true
}

func dateDiff(f *frame, c *invocation) (Value, error) {
	interval, err := c.args[0].interval(f)
	if err != nil {
		return Value{}, err
	}
	var dates [2]ticks
	for i := range dates {
		a := &c.args[i+1]
		t, ok, err := a.date(f)
		if err != nil {
			return Value{}, err
		}
		if !ok {
			return Value{}, a.fail(f, nil, "there is no date: give one for an empty attribute, as in Switch([attribute], [attribute], \"\", \"9999-01-01\")")
		}
		dates[i] = t
	}
	return Int(difference(interval, dates[0], dates[1])), nil
}

func difference(interval string, from, to ticks) int64 {
	elapsed := to - from
	switch interval {
	case intervalYear:
		return int64(to.time().Year() - from.time().Year())
	case intervalQuarter:
		return months(to)/3 - months(from)/3
	case intervalMonth:
		return months(to) - months(from)
	case intervalWeek:
		return int64((to.sunday() - from.sunday()) / ticksPerDay / 7)
	case intervalWeekday:
		return int64(elapsed / ticksPerDay / 7)
	case intervalHour:
		return int64(elapsed / ticksPerHour)
	case intervalMinute:
		return int64(elapsed / ticksPerMinute)
	case intervalSecond:
		return int64(elapsed / ticksPerSecond)
	default: // d and y
		return int64(elapsed / ticksPerDay)
	}
}

// months counts the months since the year 0.
func months(t ticks) int64 {
	at := t.time()
	return int64(at.Year())*12 + int64(at.Month()) - 1
}

func dateFromNum(f *frame, c *invocation) (Value, error) {
	n, ok, err := c.args[0].integer(f)
	if err != nil || !ok {
		return Value{}, err
	}
	if n < 0 || n > int64(maxTicks-fileTimeEpoch) {
		return Value{}, c.args[0].fail(f, nil, "%s is no file time from 1601 to 9999; 9223372036854775807 means never and needs a key of Switch", f.digits(n))
	}
	return timeValue(ticks(n) + fileTimeEpoch), nil
}

func numFromDate(f *frame, c *invocation) (Value, error) {
	t, ok, err := c.args[0].date(f)
	if err != nil || !ok {
		return Value{}, err
	}
	if t < fileTimeEpoch {
		return Value{}, c.args[0].fail(f, nil, "file times begin with the year 1601")
	}
	return Int(int64(t - fileTimeEpoch)), nil
}

// dateForm is what a FormatDateTime is told to do.
type dateForm struct {
	in, out *dateFormat
	styles  dateStyles
}

// prepareFormat reads the formats once if they are constants, as they nearly always are.
func prepareFormat(c *compiler, call *invocation) (runFunc, error) {
	styles, input, output := &call.args[1], &call.args[2], &call.args[3]
	if !output.given() {
		if output.node.Kind == OmittedNode && styles.given() { // FormatDateTime(source, inputFormat, outputFormat)
			input, output, styles = styles, input, nil
		}
	}
	if !output.given() {
		return nil, c.failArg(output, "this argument must be given")
	}
	read := func(fail func(a *arg, reason error) error, text func(a *arg) (string, error)) (form dateForm, err error) {
		if styles != nil {
			s, err := text(styles)
			if err != nil {
				return form, err
			}
			if form.styles, err = parseStyles(s); err != nil {
				return form, fail(styles, err)
			}
		} else {
			form.styles = defaultStyles
		}
		for _, part := range []struct {
			arg *arg
			to  **dateFormat
		}{{input, &form.in}, {output, &form.out}} {
			s, err := text(part.arg)
			if err != nil {
				return form, err
			}
			if *part.to, err = parseDateFormat(s); err != nil {
				return form, fail(part.arg, err)
			}
		}
		return form, nil
	}
	if input.konst && output.konst && (styles == nil || styles.konst) {
		form, err := read(
			func(a *arg, reason error) error { return c.failArg(a, "%v", reason) },
			func(a *arg) (string, error) { return a.fixed.String(), nil },
		)
		return func(f *frame, c *invocation) (Value, error) { return form.convert(f, c) }, err
	}
	return func(f *frame, c *invocation) (Value, error) {
		form, err := read(
			func(a *arg, reason error) error { return a.failOf(f, reason) },
			func(a *arg) (string, error) { return a.text(f) },
		)
		if err != nil {
			return Value{}, err
		}
		return form.convert(f, c)
	}, nil
}

// filledFormat knows that a date prints as something if the format has more than literals, zones and
// fractions, which may come to nothing.
func filledFormat(_ *compiler, call *invocation) bool {
	output := &call.args[3]
	if !output.given() {
		output = &call.args[2]
	}
	format, err := parseDateFormat(output.fixed.String())
	return call.args[0].filled && err == nil && slices.ContainsFunc(format.items, func(item dateItem) bool {
		return item.verb != 0 && item.verb != 'K' && item.verb != 'F'
	})
}

func (form *dateForm) convert(f *frame, c *invocation) (Value, error) {
	s, err := c.args[0].text(f)
	if err != nil || s == "" {
		return Value{}, err
	}
	if err := f.spend(c, len(s)); err != nil {
		return Value{}, err
	}
	var clockErr error
	moment, ok := form.in.parse(s, form.styles, func() (t ticks) {
		t, clockErr = f.clock(c)
		return t
	})
	if clockErr != nil {
		return Value{}, clockErr
	}
	if !ok {
		return Value{}, c.args[0].fail(f, nil, "%s does not have the form %s", f.quote(s), f.quote(form.in.layout))
	}
	return c.text(f, form.out.format(moment))
}
