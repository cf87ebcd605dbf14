package provision

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// LogEntry is one entry of the provisioning log: what happened to one object. Its JSON form has the fields of Microsoft Graph's
// provisioningObjectSummary, so that tools made for that read it.
type LogEntry struct {
	ID       string    `json:"id"`
	Time     time.Time `json:"activityDateTime"`
	TenantID string    `json:"tenantId"`
	JobID    string    `json:"jobId"`
	CycleID  string    `json:"cycleId"`
	ChangeID string    `json:"changeId"`
	// Action is one of create, update, delete, stageddelete, disable, other.
	Action       Action             `json:"provisioningAction"`
	Duration     int64              `json:"durationInMilliseconds"`
	InitiatedBy  LogInitiator       `json:"initiatedBy"`
	Service      LogService         `json:"servicePrincipal"`
	SourceSystem LogSystem          `json:"sourceSystem"`
	TargetSystem LogSystem          `json:"targetSystem"`
	Source       LogIdentity        `json:"sourceIdentity"`
	Target       LogIdentity        `json:"targetIdentity"`
	Status       LogStatus          `json:"provisioningStatusInfo"`
	Steps        []LogStep          `json:"provisioningSteps"`
	Modified     []ModifiedProperty `json:"modifiedProperties"`
}

// LogInitiator is who started what was done.
type LogInitiator struct {
	ID            string `json:"id"`
	DisplayName   string `json:"displayName"`
	InitiatorType string `json:"initiatorType"`
}

// LogService is the application that is provisioned.
type LogService struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// LogSystem is a source or a target.
type LogSystem struct {
	ID          string            `json:"id"`
	DisplayName string            `json:"displayName"`
	Details     map[string]string `json:"details"`
}

// LogIdentity is an object in a source or a target.
type LogIdentity struct {
	ID           string            `json:"id"`
	DisplayName  string            `json:"displayName"`
	IdentityType string            `json:"identityType"`
	Details      map[string]string `json:"details"`
}

// Status is how something ended.
type Status string

// Statuses.
const (
	StatusSuccess Status = "success"
	StatusWarning Status = "warning"
	StatusFailure Status = "failure"
	StatusSkipped Status = "skipped"
)

// LogStatus is how an operation ended.
type LogStatus struct {
	Status Status    `json:"status"`
	Error  *LogError `json:"errorInformation"`
}

// LogError says what was wrong. Category is failure for faults of this program or the target, nonServiceFailure for what an
// administrator has to mend.
type LogError struct {
	Code              Code   `json:"errorCode"`
	Reason            string `json:"reason"`
	AdditionalDetails string `json:"additionalDetails"`
	Category          string `json:"errorCategory"`
	RecommendedAction string `json:"recommendedAction"`
}

// LogStep is one step on the way of an object: import, scoping, matching, processing, referenceResolution or export.
type LogStep struct {
	Name        string            `json:"name"`
	Type        string            `json:"provisioningStepType"`
	Status      Status            `json:"status"`
	Description string            `json:"description"`
	Details     map[string]string `json:"details"`
}

// ModifiedProperty is an attribute with its old and new value, as JSON texts; nil stands for no value.
type ModifiedProperty struct {
	DisplayName string  `json:"displayName"`
	OldValue    *string `json:"oldValue"`
	NewValue    *string `json:"newValue"`
}

// Redacted is what the log shows in place of a value that the mapping redacts.
const Redacted = "[Redact]"

// LogQuery selects log entries. The zero value selects the newest ones.
type LogQuery struct {
	// ID is a source or target id.
	ID string
	// User is how people name an object: its source or target id, its display name, or a matching value such as the userName, in any
	// case. Only [Job.Log] knows it; an object of which nothing is known any more is found by its ids alone.
	User string
	// Status and Code select by outcome.
	Status Status
	Code   Code
	// CycleID selects one cycle.
	CycleID string
	// Since and Until bound the time.
	Since, Until time.Time
	// Limit is the largest number of entries: 100 when 0.
	Limit int
}

// LogSink receives the provisioning log. Entries arrive in the order of what happened, from one goroutine at a time; those that
// are kept in the [State] need no sink. An error does not stop the job: it is logged, and counted in [Summary.SinkErrors].
type LogSink interface {
	WriteEntries(ctx context.Context, entries []LogEntry) error
}

// JSONLines returns a sink that writes one JSON object a line.
func JSONLines(w io.Writer) LogSink { return &jsonLines{w: w} }

type jsonLines struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *jsonLines) WriteEntries(_ context.Context, entries []LogEntry) error {
	var buf []byte
	for i := range entries {
		line, err := json.Marshal(&entries[i], json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("provision: write log: %w", err)
		}
		buf = append(append(buf, line...), '\n')
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// One write for all, so that a line is never torn by another process that appends to the same file.
	if _, err := s.w.Write(buf); err != nil {
		return fmt.Errorf("provision: write log: %w", err)
	}
	return nil
}

// SlogSink returns a sink that logs each entry with its object, action and outcome: failures as errors, warnings as warnings, the
// rest as information. Values of attributes are left out.
func SlogSink(logger *slog.Logger) LogSink { return slogSink{logger} }

type slogSink struct{ logger *slog.Logger }

func (s slogSink) WriteEntries(ctx context.Context, entries []LogEntry) error {
	for i := range entries {
		e := &entries[i]
		level := slog.LevelInfo
		switch e.Status.Status {
		case StatusFailure:
			level = slog.LevelError
		case StatusWarning:
			level = slog.LevelWarn
		}
		attrs := []slog.Attr{
			slog.String("job", e.JobID), slog.String("type", e.Source.IdentityType), slog.String("source", e.Source.ID),
			slog.String("target", e.Target.ID), slog.String("status", string(e.Status.Status)),
		}
		if e.Status.Error != nil {
			attrs = append(attrs, slog.String("code", string(e.Status.Error.Code)), slog.String("reason", e.Status.Error.Reason))
		}
		s.logger.LogAttrs(ctx, level, string(e.Action), attrs...)
	}
	return nil
}
