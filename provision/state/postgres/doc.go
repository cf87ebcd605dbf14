// Package postgres keeps the state of provisioning jobs in PostgreSQL, for jobs that run on more than one machine.
//
//	state, err := postgres.Open(ctx, "postgres://scim@db.example.com/scim?sslmode=verify-full")
//	if err != nil {
//		return err
//	}
//	defer state.Close()
//
// Any number of processes may have it open, and any number of jobs may be in it. The tables are made, or brought to the version of this
// program, by Open; their names begin with provision_, and they are in the first schema of the search path, which the connection
// string may set. They hold personal data, as the directory does, and never credentials.
//
// # Leases
//
// One process runs a job at a time. [Store.Acquire] holds an advisory lock on a connection of its own, so that another process can take
// over as soon as the server sees that this connection is gone: at once when a process is killed, and after half a minute when a
// machine is. Each lease has a number, which every commit checks within its transaction. So a process that has lost its connection, and
// its lease to another, cannot write any more: Commit returns an error that wraps [provision.ErrBusy].
//
// The lease is held by an open transaction that sees and locks nothing else, so that it also works through a pooler that shares
// connections between transactions. No statement is kept prepared on the server.
//
// # Plans
//
// [Store.Fork] copies nothing: it is a transaction that is never committed. It costs what the plan changes, however large the state is.
// While it is open, vacuum cannot clean up what is deleted anywhere in the database, and commits to the same records wait, and fail after
// ten seconds; with a lease there are none.
package postgres
