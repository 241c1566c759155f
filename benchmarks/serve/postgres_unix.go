//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// otherUser gives a folder to the user postgres, and returns what lets a
// command run as that user: PostgreSQL does not start as root. Who is not root
// stays who they are.
func otherUser(folder string) func(*exec.Cmd) {
	asIs := func(*exec.Cmd) {}
	if os.Geteuid() != 0 {
		return asIs
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return asIs // initdb says what is wrong
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(folder, uid, gid); err != nil {
		return asIs
	}
	return func(c *exec.Cmd) {
		c.Dir = folder
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
}
