//go:build unix

package measure

import (
	"os"
	"runtime"
	"syscall"
)

// peakOf returns the peak resident set of a finished process in bytes: the
// kernel counts in KiB, but on Apple systems in bytes.
func peakOf(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
