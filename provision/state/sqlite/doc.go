// Package sqlite keeps the state of provisioning jobs in one SQLite file.
//
//	state, err := sqlite.Open("state.db")
//	if err != nil {
//		return err
//	}
//	defer state.Close()
//
// The file holds personal data, as the directory does, and is made readable for its owner only. It never holds credentials. It can be
// read by other processes while a job runs, and copied with SQLite's own tools. Beside it lies a lock file for each job; it may be deleted
// when no job runs.
//
// The file must be on a local disk: SQLite's locks do not work reliably on network file systems.
package sqlite
