//go:build race

package strsim

const raceEnabled = true
