package postgres

import (
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// Codes of errors (PostgreSQL, appendix A).
const (
	UniqueViolation      = "23505"
	LockNotAvailable     = "55P03"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// Undone reports whether a transaction failed because of others that ran at the same time. It has been rolled back, and may succeed
// when it is run again.
func Undone(err error) bool { return Is(err, serializationFailure, deadlockDetected) }

// Is reports whether an error comes from the server and has one of the codes.
func Is(err error, codes ...string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && slices.Contains(codes, e.Code)
}
