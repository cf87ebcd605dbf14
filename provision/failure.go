package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
)

// Code is the error code of a provisioning log entry, in the words of Microsoft Entra.
type Code string

// Error and skip codes.
const (
	EntryConflict                          Code = "EntryConflict"
	TooManyRequests                        Code = "TooManyRequests"
	InternalServerError                    Code = "InternalServerError"
	InsufficientRights                     Code = "InsufficientRights"
	MethodNotAllowed                       Code = "MethodNotAllowed"
	Unauthorized                           Code = "Unauthorized"
	UnprocessableEntity                    Code = "UnprocessableEntity"
	WebExceptionProtocolError              Code = "WebExceptionProtocolError"
	InvalidAnchor                          Code = "InvalidAnchor"
	NotImplemented                         Code = "NotImplemented"
	MandatoryFieldsMissing                 Code = "MandatoryFieldsMissing"
	InternalError                          Code = "InternalError"
	Timeout                                Code = "Timeout"
	DuplicateTargetEntries                 Code = "DuplicateTargetEntries"
	DuplicateSourceEntries                 Code = "DuplicateSourceEntries"
	ImportSkipped                          Code = "ImportSkipped"
	EntrySynchronizationSkipped            Code = "EntrySynchronizationSkipped"
	RedundantExport                        Code = "RedundantExport"
	UnableToResolveReferenceAttributeValue Code = "UnableToResolveReferenceAttributeValue"
	ServiceIncompatible                    Code = "SystemForCrossDomainIdentityManagementServiceIncompatible"
	// GroupsContainEachOther is not one of Microsoft's: see [GroupCircle].
	GroupsContainEachOther Code = "GroupsContainEachOther"
	// AttributeNotKept is not one of Microsoft's: see [Altered].
	AttributeNotKept Code = "AttributeNotKept"
)

// Failure is why an object is not in step, and what to do about it.
type Failure struct {
	Code Code `json:"errorCode"`
	// Reason says what happened.
	Reason string `json:"reason"`
	// Attribute is the target attribute concerned, where known.
	Attribute string `json:"attribute,omitzero"`
	// Remedy says what an administrator can do.
	Remedy string `json:"recommendedAction,omitzero"`
	// First is when the object failed first, Tries how often it failed since.
	First time.Time `json:"first"`
	Tries int       `json:"tries"`
	// Reference says that only references failed.
	Reference bool `json:"reference,omitzero"`
	// Transient says that the failure is likely to pass by itself.
	Transient bool `json:"transient,omitzero"`
	// Remap says that the object could not be mapped because of what the target has: the mapping is computed anew when it is tried
	// again.
	Remap bool `json:"remap,omitzero"`
}

// Error returns the code, the attribute and the reason.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s: %s", f.Code, f.about())
}

// about is the reason with the attribute in front, unless the reason begins with it.
func (f *Failure) about() string {
	if f.Attribute == "" || strings.HasPrefix(f.Reason, f.Attribute) {
		return f.Reason
	}
	return f.Attribute + ": " + f.Reason
}

// remedies are what to do about codes whose cause says nothing better.
var remedies = map[Code]string{
	EntryConflict:               "find the object that has the value in the target, and rename it, delete its pending invitation, or let the job adopt it",
	TooManyRequests:             "nothing: it is tried again; if it happens often, see who else uses the target's rate limit",
	InternalServerError:         "nothing: it is tried again; if it stays, ask the target's support with the time of this entry",
	InsufficientRights:          "give the owner of the credential the right to do this in the target",
	MethodNotAllowed:            "switch the action off in the mapping: the target does not offer it",
	NotImplemented:              "switch the action off in the mapping: the target does not offer it",
	UnprocessableEntity:         "correct the value in the source or in the mapping",
	InvalidAnchor:               "nothing: the object is matched again",
	MandatoryFieldsMissing:      "give the attribute a value in the source, or a default in the mapping",
	Timeout:                     "nothing: it is tried again",
	WebExceptionProtocolError:   "check that the target can be reached; it is tried again",
	DuplicateTargetEntries:      "remove all but one of the target objects, or match on an attribute that is unique",
	DuplicateSourceEntries:      "give each of the source objects a value of its own",
	ImportSkipped:               "give the object a value for a matching attribute in the source",
	ServiceIncompatible:         "check the tenant URL: what answers there does not speak SCIM",
	Unauthorized:                "create a new credential in the target and configure it here",
	InternalError:               "report this with the log entry: it is a fault of the program",
	EntrySynchronizationSkipped: "",
	GroupsContainEachOther:      "take one of the groups out of the others in the source",
	AttributeNotKept:            "take the attribute out of the mapping, or write what was seen into the target's profile (AmendProfile)",
}

// failureOf turns an error of a target into a failure.
func failureOf(err error) *Failure {
	var known *Failure
	if errors.As(err, &known) {
		f := *known
		if f.Remedy == "" {
			f.Remedy = remedies[f.Code]
		}
		return &f
	}
	f := &Failure{Code: InternalError, Reason: err.Error()}
	var e *scim.Error
	if errors.As(err, &e) {
		f.Code, f.Transient = codeOf(e)
		f.Attribute = e.Attribute
	} else if errors.Is(err, context.DeadlineExceeded) {
		f.Code, f.Transient = Timeout, true
	}
	f.Remedy = remedies[f.Code]
	if errors.Is(err, client.ErrQuotaExhausted) {
		f.Transient, f.Remedy = false, quotaRemedy
	}
	return f
}

// quotaRemedy is what to do about a 429 that waiting does not end.
const quotaRemedy = "wait until the target renews its quota, or get a larger one with its plan"

func codeOf(e *scim.Error) (code Code, transient bool) {
	switch e.Status {
	case 0:
		if errors.Is(e, context.DeadlineExceeded) {
			return Timeout, true
		}
		return WebExceptionProtocolError, true
	case http.StatusUnauthorized:
		return Unauthorized, false
	case http.StatusForbidden:
		return InsufficientRights, false
	case http.StatusNotFound:
		return InvalidAnchor, false
	case http.StatusMethodNotAllowed:
		return MethodNotAllowed, false
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return Timeout, true
	case http.StatusConflict, http.StatusPreconditionFailed:
		return EntryConflict, false
	case http.StatusTooManyRequests:
		return TooManyRequests, true
	case http.StatusNotImplemented:
		return NotImplemented, false
	}
	switch {
	case e.Type == scim.Uniqueness:
		return EntryConflict, false
	case e.Status >= 500:
		return InternalServerError, true
	case e.Status < 400:
		return ServiceIncompatible, false
	}
	return UnprocessableEntity, false
}

// fatal reports whether an error concerns the job as a whole, so that going on with other objects is of no use.
func fatal(err error) bool {
	return errors.Is(err, scim.ErrUnauthorized) || errors.Is(err, context.Canceled) || errors.Is(err, ErrTargetUnusable)
}

// ErrTargetUnusable is wrapped by errors that end a cycle because the target cannot be used: it cannot be reached, refuses the
// credentials, does not speak SCIM, or does nothing more because its quota is used up (see [client.ErrQuotaExhausted]).
var ErrTargetUnusable = errors.New("provision: the target cannot be used")

// SourceFault is returned when a cycle was ended before anything was sent, because what the source says cannot be trusted.
type SourceFault struct {
	// Type is the source object type, where the fault is about one.
	Type string
	// Reason says what is wrong, and what to do if it is meant to be so.
	Reason string
	// Err is the cause; it may be nil.
	Err error
}

// Error returns one line: the type of the objects, the reason and the cause, each where known.
func (e *SourceFault) Error() string {
	text := "provision: source"
	if e.Type != "" {
		text += ": " + e.Type
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *SourceFault) Unwrap() error { return e.Err }
