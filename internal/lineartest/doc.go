// Package lineartest asks whether what the world is told of a certificate is always true.
//
// Clients work at one person's credentials at the same time, against a whole server as
// package server wires it: phones apply, personalize, suspend, resume and revoke; the card
// orders from elsewhere; a suspension code is used; operators suspend, and resume and revoke by
// four eyes; the card bureau suspends, resumes and ends the card. Others ask what the
// certificates' status is, through the HTTP responder and its caching. Of every call the
// beginning, the end and the answer are written down, and porcupine searches for one order
// of all of them that agrees with the plain sequential model of model_test.go. Where there
// is none somebody was told something that was not so: a good answer after a
// suspension had been confirmed, two phones personalized, a revocation undone.
//
// Time is a counter that is taken before each call and after each answer. A wall clock
// would order less: two of its readings can be equal, and they may be read on different cores.
package lineartest
