package facetest

import (
	"testing"

	"warifu/internal/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m, Close) }
