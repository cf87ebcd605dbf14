package postgrestest

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Statements is a tracer for pgx that notes what is sent to the server.
type Statements struct {
	mu   sync.Mutex
	list []Statement
}

// Statement is what was sent.
type Statement struct {
	Text string
	Args []any
}

// Take returns what was sent since it was last called.
func (s *Statements) Take() []Statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return list
}

func (s *Statements) add(text string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, Statement{text, args})
}

// TraceQueryStart notes a statement.
func (s *Statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.add(data.SQL, data.Args)
	return ctx
}

// TraceQueryEnd does nothing.
func (s *Statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart does nothing.
func (s *Statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery notes a statement of a batch.
func (s *Statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	s.add(data.SQL, data.Args)
}

// TraceBatchEnd does nothing.
func (s *Statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
