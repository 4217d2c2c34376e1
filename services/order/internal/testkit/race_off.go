//go:build !race

package testkit

const raceFlag = "-race=false"
