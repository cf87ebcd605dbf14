package provision

import "time"

// Escrow is the schedule by which failed objects are tried again. All times count from the first failure. The zero value is the
// schedule of Microsoft Entra: after 6, 12 and 24 hours, then every 24 hours, for 28 days.
//
// A change of the object in the source starts afresh at once, whatever the schedule says.
type Escrow struct {
	// After are the first retries.
	After []time.Duration `json:"after,omitempty"`
	// Every is the distance of later ones.
	Every time.Duration `json:"every,omitzero"`
	// For is when retries end. The object is then reported as given up until it changes in the source. To end somebody's access is tried for
	// as long as it takes.
	For time.Duration `json:"for,omitzero"`
	// Transient is how many times a failure that is likely to pass, such as a time-out, is tried again in the very next
	// cycle before the schedule applies: 2 when 0, none when negative.
	Transient int `json:"transient,omitzero"`
}

// Next returns when an object that failed first at some time, and failed again now for the n-th time (1 for the first), is tried
// again. It reports false when retries have ended.
func (e Escrow) Next(first, now time.Time, n int, transient bool) (time.Time, bool) {
	after, every, limit, quick := e.After, e.every(), e.For, e.Transient
	if len(after) == 0 && e.Every == 0 {
		after = []time.Duration{6 * time.Hour, 12 * time.Hour, 24 * time.Hour}
	}
	if limit == 0 {
		limit = 28 * 24 * time.Hour
	}
	if quick == 0 {
		quick = 2
	}
	if transient && n <= quick {
		return now, true
	}
	for _, d := range after {
		if at := first.Add(d); at.After(now) {
			return at, d <= limit
		}
	}
	var last time.Duration
	if len(after) > 0 {
		last = after[len(after)-1]
	}
	steps := now.Sub(first.Add(last))/every + 1
	if steps < 1 {
		steps = 1
	}
	d := last + steps*every
	return first.Add(d), d <= limit
}

func (e Escrow) every() time.Duration {
	if e.Every <= 0 {
		return 24 * time.Hour
	}
	return e.Every
}
