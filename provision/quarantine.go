package provision

import "time"

// Quarantine is the state of a job that as a whole is in trouble. Its cycles become rarer, down to one a day, and it leaves
// quarantine by itself when a cycle goes well. After [Thresholds.DisableAfter] the job is disabled.
type Quarantine struct {
	Reason QuarantineReason `json:"reason"`
	// Message says what happened and what to do, for an administrator.
	Message string `json:"message"`
	// Began is when the present quarantine began, SeriesBegan and SeriesCount the start and number of quarantines without a
	// good cycle between them.
	Began       time.Time `json:"currentBegan"`
	SeriesBegan time.Time `json:"seriesBegan"`
	SeriesCount int       `json:"seriesCount"`
	// NextAttempt is when [Job.Run] starts the next cycle.
	NextAttempt time.Time `json:"nextAttempt"`
}

// QuarantineReason is why a job is in quarantine, in the words of Microsoft Graph.
type QuarantineReason string

// Quarantine reasons.
const (
	// EncounteredBaseEscrowThreshold: too many objects fail, failures of references aside.
	EncounteredBaseEscrowThreshold QuarantineReason = "EncounteredBaseEscrowThreshold"
	// EncounteredTotalEscrowThreshold: too many objects fail, failures of references included.
	EncounteredTotalEscrowThreshold QuarantineReason = "EncounteredTotalEscrowThreshold"
	// EncounteredEscrowProportionThreshold: too large a share of the objects fails.
	EncounteredEscrowProportionThreshold QuarantineReason = "EncounteredEscrowProportionThreshold"
	// EncounteredQuarantineException: the credentials are refused, or the target does not speak SCIM as it must.
	EncounteredQuarantineException QuarantineReason = "EncounteredQuarantineException"
	// TooManyDeletes: deletions are held because there are too many.
	TooManyDeletes QuarantineReason = "TooManyDeletes"
	// IngestionInterrupted: the source cannot be read, or reads much smaller than before.
	IngestionInterrupted QuarantineReason = "IngestionInterrupted"
)

// Thresholds say when failures of single objects put the whole job into quarantine. The zero value has the figures that Microsoft
// gives; a negative figure switches its rule off.
type Thresholds struct {
	// Minimum is how many failures there must be before anything is judged: 5,000 when 0.
	Minimum int `json:"minimum,omitzero"`
	// Base is the largest number of failures that are not about references: 40,000 when 0.
	Base int `json:"base,omitzero"`
	// Percent is the largest share of such failures among all objects handled: 40 when 0.
	Percent int `json:"percent,omitzero"`
	// Total is the largest number of failures, references included: 60,000 when 0.
	Total int `json:"total,omitzero"`
	// DisableAfter is how long a job stays in quarantine before it is disabled: 28 days when 0.
	DisableAfter time.Duration `json:"disableAfter,omitzero"`
	// MaxInterval is the longest time between two cycles in quarantine: 24 hours when 0.
	MaxInterval time.Duration `json:"maxInterval,omitzero"`
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// Judge returns the reason for a quarantine, or "" when there is none: failed counts objects that failed, references those of
// which only references failed, and succeeded the others.
func (t Thresholds) Judge(failed, references, succeeded int) QuarantineReason {
	base, total := orDefault(t.Base, 40_000), orDefault(t.Total, 60_000)
	percent, minimum := orDefault(t.Percent, 40), orDefault(t.Minimum, 5_000)
	switch {
	case failed+references < minimum:
		return ""
	case base > 0 && failed > base:
		return EncounteredBaseEscrowThreshold
	case total > 0 && failed+references > total:
		return EncounteredTotalEscrowThreshold
	case percent > 0 && failed >= minimum && failed*100 > (failed+succeeded)*percent:
		return EncounteredEscrowProportionThreshold
	}
	return ""
}

// enter returns the quarantine that follows after a bad cycle.
func (t Thresholds) enter(old *Quarantine, reason QuarantineReason, message string, now time.Time, interval time.Duration) *Quarantine {
	q := &Quarantine{Reason: reason, Message: message, Began: now, SeriesBegan: now, SeriesCount: 1}
	if old != nil {
		q.SeriesBegan, q.SeriesCount = old.SeriesBegan, old.SeriesCount+1
		if old.Reason == reason {
			q.Began = old.Began
		}
	}
	wait := interval
	longest := orDefault(t.MaxInterval, 24*time.Hour)
	for i := 0; i < q.SeriesCount && wait < longest; i++ {
		wait *= 2
	}
	q.NextAttempt = now.Add(min(wait, longest))
	return q
}

// over reports whether a quarantine has lasted so long that the job is disabled.
func (t Thresholds) over(q *Quarantine, now time.Time) bool {
	limit := orDefault(t.DisableAfter, 28*24*time.Hour)
	return q != nil && limit > 0 && now.Sub(q.SeriesBegan) > limit
}
