package bureau

import (
	"errors"
	"sync"
)

// atOnce runs the steps side by side and joins their errors: RSA keys take long to
// make, and a card needs three.
func atOnce(steps ...func() error) error {
	failed := make([]error, len(steps))
	var wait sync.WaitGroup
	for i, step := range steps {
		wait.Go(func() { failed[i] = step() })
	}
	wait.Wait()
	return errors.Join(failed...)
}
