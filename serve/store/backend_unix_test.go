//go:build unix

package store

import (
	"os"
	"os/exec"
	"os/user"
	"runtime"
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
	return func(cmd *exec.Cmd) {
		cmd.Dir = folder
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
}

// startTied starts a command that ends with this process, and returns what ends
// it before.
func startTied(cmd *exec.Cmd) (stop func(), err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	tie(cmd.SysProcAttr)
	started, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // the tie is to the thread
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			// Its log is read by another goroutine until the end.
			_, _ = cmd.Process.Wait()
		}
	}()
	return func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		<-ended
	}, <-started
}
