//go:build !unix

package store

import "os/exec"

// otherUser does nothing where there is no user that PostgreSQL refuses.
func otherUser(string) func(*exec.Cmd) { return func(*exec.Cmd) {} }

// startTied starts a command and returns what ends it.
func startTied(cmd *exec.Cmd) (stop func(), err error) {
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}, cmd.Start()
}
