// Package postgrestest gives tests a real PostgreSQL.
//
//	func TestStore(t *testing.T) {
//		dsn := postgrestest.Schema(t)
//		…
//	}
//
// Each call of [Schema] makes an empty schema, and each of [Database] an empty database, that is dropped when the test ends. They are all on
// one server, which the first call
// starts from PostgreSQL's own binaries: initdb into a temporary folder, a Unix socket and no port. [Start] starts a server that belongs
// to one test, which may stop, kill and restart it.
//
// A server ends with the process that started it, however that ends: beside it runs a shell that waits for the end of a pipe, stops the
// server then and removes the folder. So no TestMain is needed.
//
// The binaries are looked for in the folder that the environment variable POSTGRES_BIN names, or else in PATH, and then where
// distributions put them. Where there are none, tests are skipped; with CI=true they fail. PostgreSQL does not run as root, so when
// the tests do, it runs as postgres or nobody.
package postgrestest
