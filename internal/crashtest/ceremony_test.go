package crashtest_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestKilledCeremonyIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	tn := found(t, places["sqlite"])
	r := rand.New(rand.NewPCG(seed(t), 2))
	for range 8 {
		p := &process{cmd: tn.warifud(t, "keys"), log: &tail{}, ended: make(chan struct{})}
		p.begin(t)
		wait(t.Context(), time.Duration(r.IntN(400))*time.Millisecond)
		if p.alive() {
			_ = p.cmd.Process.Kill()
		}
		<-p.ended
	}
	tn.mustRun(t, "keys")
	tn.mustRun(t, "migrate")
	tn.furnish(t)
	tn.mustRun(t, "check")
}
