package scim

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrorType is the scimType of an error: a refinement of the HTTP status (RFC 7644 table 9, RFC 9865
// section 2.1). The zero value means that none was given.
type ErrorType string

// The error types of RFC 7644 table 9, and the three that RFC 9865 adds for cursors.
const (
	InvalidFilter ErrorType = "invalidFilter"
	TooMany       ErrorType = "tooMany"
	Uniqueness    ErrorType = "uniqueness"
	Mutability    ErrorType = "mutability"
	InvalidSyntax ErrorType = "invalidSyntax"
	InvalidPath   ErrorType = "invalidPath"
	NoTarget      ErrorType = "noTarget"
	InvalidValue  ErrorType = "invalidValue"
	InvalidVers   ErrorType = "invalidVers"
	Sensitive     ErrorType = "sensitive"
	InvalidCursor ErrorType = "invalidCursor"
	ExpiredCursor ErrorType = "expiredCursor"
	InvalidCount  ErrorType = "invalidCount"
)

// Error is a refusal in SCIM's terms (RFC 7644 section 3.12). A server writes one as its response; a
// client returns one for every response that is not a success.
//
// Its JSON form is the SCIM error message. Fields that describe the request (Attribute, Method, Path,
// Attempts, RetryAfter) are for the program at hand and never leave it. When reading, a status given as a number is
// understood like one given as a string, because services send both.
//
// An Error never holds a credential, and is not changed once returned: it may be shared.
type Error struct {
	// Status is the HTTP status code, or 0 when no response was received.
	Status int
	// Type is the scimType, empty when the service gave none.
	Type ErrorType
	// Detail says what went wrong, for a person.
	Detail string
	// Attribute is the full path of the attribute concerned, such as emails[2].value, where known.
	Attribute string
	// Operation is the 1-based index of the PATCH or bulk operation that failed, 0 when there is none.
	Operation int
	// Method and Path name the request that failed, without query and credentials.
	Method, Path string
	// Attempts is how many times the request was sent, 0 when it was refused before being sent.
	Attempts int
	// RetryAfter is how long the service asked to wait, 0 when it did not say.
	RetryAfter time.Duration
	// Err is the cause, such as a network error. It may be nil.
	Err error
}

// NewError returns an error with a status, a type (which may be empty) and a detail.
func NewError(status int, typ ErrorType, detail string) *Error {
	return &Error{Status: status, Type: typ, Detail: detail}
}

// Error returns one line: the request, the status, the type, the attribute and the detail, each where
// known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("scim:")
	if e.Method != "" {
		b.WriteString(" " + e.Method + " " + e.Path + ":")
	}
	if e.Status != 0 {
		b.WriteString(" " + strconv.Itoa(e.Status))
		if e.Type != "" {
			b.WriteString(" " + string(e.Type))
		} else if text := http.StatusText(e.Status); text != "" {
			b.WriteString(" " + text)
		}
		b.WriteByte(':')
	}
	if e.Operation > 0 {
		b.WriteString(" operation " + strconv.Itoa(e.Operation) + ":")
	}
	if e.Attribute != "" && !strings.Contains(e.Detail, e.Attribute) {
		b.WriteString(" " + e.Attribute + ":")
	}
	switch {
	case e.Detail != "":
		b.WriteString(" " + e.Detail)
	case e.Err != nil:
		b.WriteString(" " + e.Err.Error())
	default:
		return strings.TrimSuffix(b.String(), ":")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the kind of this error: one of the Err values of this package. It makes
// errors.Is(err, scim.ErrNotFound) work.
func (e *Error) Is(target error) bool {
	k, ok := target.(*kind)
	if !ok {
		return false
	}
	return (k.status == 0 || k.status == e.Status) && (k.typ == "" || k.typ == e.Type)
}

// kind is what the Err values are: a pattern of status and type.
type kind struct {
	status int
	typ    ErrorType
	text   string
}

func (k *kind) Error() string { return "scim: " + k.text }

// Kinds of error, for errors.Is. A kind matches every [*Error] with its status and, where it has one,
// its scimType.
var (
	ErrUnauthorized    error = &kind{status: http.StatusUnauthorized, text: "unauthorized"}
	ErrForbidden       error = &kind{status: http.StatusForbidden, text: "forbidden"}
	ErrNotFound        error = &kind{status: http.StatusNotFound, text: "not found"}
	ErrConflict        error = &kind{status: http.StatusConflict, text: "conflict"}
	ErrPrecondition    error = &kind{status: http.StatusPreconditionFailed, text: "version does not match"}
	ErrTooLarge        error = &kind{status: http.StatusRequestEntityTooLarge, text: "too large"}
	ErrTooManyRequests error = &kind{status: http.StatusTooManyRequests, text: "too many requests"}
	ErrNotImplemented  error = &kind{status: http.StatusNotImplemented, text: "not implemented"}
	ErrUnavailable     error = &kind{status: http.StatusServiceUnavailable, text: "unavailable"}
	ErrUniqueness      error = &kind{typ: Uniqueness, text: "value already in use"}
	ErrInvalidFilter   error = &kind{typ: InvalidFilter, text: "invalid filter"}
	ErrInvalidPath     error = &kind{typ: InvalidPath, text: "invalid path"}
	ErrInvalidValue    error = &kind{typ: InvalidValue, text: "invalid value"}
	ErrInvalidSyntax   error = &kind{typ: InvalidSyntax, text: "invalid syntax"}
	ErrMutability      error = &kind{typ: Mutability, text: "attribute cannot be changed"}
	ErrNoTarget        error = &kind{typ: NoTarget, text: "path matches nothing"}
	ErrTooMany         error = &kind{typ: TooMany, text: "too many results"}
)

// wireError is the SCIM error message of RFC 7644 section 3.12.
type wireError struct {
	Schemas []string       `json:"schemas"`
	Type    ErrorType      `json:"scimType,omitzero"`
	Detail  string         `json:"detail,omitzero"`
	Status  jsontext.Value `json:"status"`
}

// MarshalJSON returns the SCIM error message, with the status as a string as RFC 7644 asks.
func (e *Error) MarshalJSON() ([]byte, error) {
	status := `"` + strconv.Itoa(e.Status) + `"`
	return json.Marshal(wireError{
		Schemas: []string{ErrorSchema}, Type: e.Type, Detail: e.Detail,
		Status: jsontext.Value(status),
	})
}

// UnmarshalJSON reads a SCIM error message. The status may be a string or a number.
func (e *Error) UnmarshalJSON(data []byte) error {
	var w wireError
	if err := json.Unmarshal(data, &w, decodeOptions); err != nil {
		return err
	}
	status, err := strconv.Atoi(strings.Trim(string(w.Status), `"`))
	if err != nil && len(w.Status) > 0 && string(w.Status) != "null" {
		return NewError(http.StatusBadRequest, InvalidSyntax, "status of an error message must be a number")
	}
	*e = Error{Status: status, Type: w.Type, Detail: w.Detail}
	return nil
}
