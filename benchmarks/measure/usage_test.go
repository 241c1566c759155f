package measure

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

func shell(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh on this system")
	}
	return path
}

func TestProcessTellsOutputAndUsage(t *testing.T) {
	out, u, err := Process(context.Background(), shell(t), "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i")
	if err != nil || string(out) != "20000\n" {
		t.Fatalf("got %q, %v", out, err)
	}
	if u.Wall <= 0 || u.CPU <= 0 || u.CPU > 4*u.Wall+time.Second {
		t.Errorf("usage %+v", u)
	}
}

// The kernel's peak of a process begins with that of its starter; see the
// package comment.
func TestPeakIsThatOfTheProcessAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the system does not tell the peak")
	}
	const size = 400 << 20
	ballast := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		ballast[i] = 1
	}
	_, u, err := Process(context.Background(), shell(t), "-c", "exit 0")
	runtime.KeepAlive(ballast)
	if err != nil || u.Peak == 0 || u.Peak > size/4 {
		t.Errorf("peak of sh %d MiB, %v; this process holds %d MiB", u.Peak>>20, err, size>>20)
	}
}

func TestFailedProcessTellsWhy(t *testing.T) {
	_, _, err := Process(context.Background(), shell(t), "-c", "echo no such thing >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("error %v", err)
	}
	if _, _, err := Process(context.Background(), "no-such-program-here"); err == nil {
		t.Error("a missing program gave no error")
	}
}

func TestCancelledProcessEnds(t *testing.T) {
	sh := shell(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Process(ctx, sh, "-c", "exec sleep 600"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := Process(ctx, sh, "-c", "exec sleep 600"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
