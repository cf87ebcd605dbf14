//go:build !unix

package postgrestest

import "os/exec"

func asUser(*exec.Cmd, string) error { return errMissing }
