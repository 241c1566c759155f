package store

import "syscall"

// tie lets a process end with the thread that started it.
func tie(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }
