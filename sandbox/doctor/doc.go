// Package doctor examines other people's software: it holds what every examination
// has in common, the cases and the report. A suite of its own, such as package party
// for relying parties, plays the other side and says in one Finding a case what it saw.
//
// A case has a stable name, a clause that asks for it, and two sentences in
// text/catalogue/doctor.toml: what is tried ("doctor.case.<id>") and what to mend
// ("doctor.mend.<id>"). What was seen is a note: a key of the same catalogue with its
// parameters, so that a report reads in Japanese and in English alike.
//
// Reports are text, JSON, JUnit (for CI) and one self-contained HTML page.
package doctor
