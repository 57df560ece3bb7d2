//go:build !unix

package postgrestest

import "errors"

const canLaunch = false

// launch is for Unix: what ends a cluster with its test binary is a shell.
func (c *cluster) launch(string) error { return errors.New("no cluster on this system") }
