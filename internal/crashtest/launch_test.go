package crashtest_test

// launched reports whether this process is not the test but a launcher, which has done
// its work.
func launched() bool { return false }
