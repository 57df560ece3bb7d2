//go:build unix

package postgrestest

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

const canLaunch = true

// launch starts the shell as an unprivileged user in a process group of its own,
// so that an interrupt at the terminal reaches the tests and not the clean-up.
func (c *cluster) launch(programs string) error {
	cmd := exec.Command("/bin/sh", "-c", script, "postgrestest", c.folder, programs)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		id, err := unprivileged()
		if err != nil {
			return err
		}
		if err := os.Chown(c.folder, int(id.Uid), int(id.Gid)); err != nil {
			return err
		}
		cmd.SysProcAttr.Credential = id
	}
	var err error
	if c.alive, err = cmd.StdinPipe(); err != nil {
		return err
	}
	return cmd.Start()
}

func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.ParseUint(u.Uid, 10, 32)
		gid, errG := strconv.ParseUint(u.Gid, 10, 32)
		if errU == nil && errG == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("running as root, and there is no user postgres or nobody to become")
}
