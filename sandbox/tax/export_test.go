package tax

// Compute is what a result is worked out by, for its tests.
func Compute(r Return) Result { return r.compute() }
