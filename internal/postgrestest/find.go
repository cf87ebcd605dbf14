package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
)

// errMissing says that there is no PostgreSQL to be had.
var errMissing = errors.New("PostgreSQL is not installed")

// programs are what a server needs.
var programs = []string{"initdb", "postgres"}

// findBinaries returns the folder of PostgreSQL's programs.
func findBinaries() (string, error) {
	if runtime.GOOS == "windows" {
		return "", errMissing
	}
	if dir := os.Getenv("POSTGRES_BIN"); dir != "" {
		if !complete(dir) {
			return "", fmt.Errorf("%w: POSTGRES_BIN names a folder without it", errMissing)
		}
		return dir, nil
	}
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		// Debian links it into PATH from a folder that has them all.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"} {
		found, _ := filepath.Glob(pattern)
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		if complete(dir) {
			return dir, nil
		}
	}
	return "", errMissing
}

func complete(dir string) bool {
	return !slices.ContainsFunc(programs, func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err != nil || info.IsDir()
	})
}

// version returns the number in a folder such as /usr/lib/postgresql/15/bin, so that the newest is taken.
func version(dir string) int {
	name := filepath.Base(filepath.Dir(dir))
	start := len(name)
	for start > 0 && name[start-1] >= '0' && name[start-1] <= '9' {
		start--
	}
	n, _ := strconv.Atoi(name[start:])
	return n
}

// unavailable ends a test for which there is no server.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errMissing) && os.Getenv("CI") != "true" {
		t.Skipf("left out: %v", err)
	}
	t.Fatal(err)
}
