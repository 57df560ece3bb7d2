//go:build unix

package judgetest

import (
	"os/exec"
	"syscall"
)

// apart gives a program a process group of its own: Apache ends its whole group when it ends.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
