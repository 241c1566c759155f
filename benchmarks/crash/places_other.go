//go:build !linux

package main

import (
	"context"
	"fmt"
)

func fullDisks(t *target, _ context.Context) error {
	fmt.Fprintln(t.stdout, "full disks skipped: only Linux has file systems in memory that this program can mount")
	return nil
}

func readOnly(t *target, _ context.Context) error {
	fmt.Fprintln(t.stdout, "folders that cannot be written skipped: this program takes rights away on Linux only")
	return nil
}
