package registration_test

import (
	"testing"

	"warifu/internal/housetest"
	"warifu/internal/postgrestest"
)

// onPostgreSQL makes house stand houses on PostgreSQL.
var onPostgreSQL bool

// house is a house on the database that is being tested.
func house(t *testing.T, o housetest.Options) *housetest.House {
	t.Helper()
	if onPostgreSQL {
		o.DSN = postgrestest.DSN(t)
	}
	return housetest.New(t, o)
}

// What depends on how a database keeps transactions apart holds on PostgreSQL as well,
// where each has one of its own and is run again when two get in each other's way.
func TestOnPostgreSQL(t *testing.T) {
	onPostgreSQL = true
	defer func() { onPostgreSQL = false }()
	for name, test := range map[string]func(*testing.T){
		"same submission at once": TestSameSubmissionAtOnceIsOneApplication, "newer withdraws older": TestNewerApplicationWithdrawsTheOlder,
		"same document": TestSameDocumentIsTheSameApplication, "two servers": TestTwoServersOnOneQueueIssueOnce,
		"commit once": TestTwoSessionsOfOneApplicationCommitOnce, "two phones": TestTwoPhonesPersonalizingAtOnce,
		"between receipt and commit": TestNewerApplicationBetweenReceiptAndCommit, "withdraw": TestWithdrawRepeatedOrReplayed,
		"holds": TestHoldStopsPersonalizingAndItsLiftResumes, "settled": TestWhatWasSignedForAnEndedApplicationIsListed, "lapse": TestLapseAfterThirtyDays,
		"resume against revoke": TestAResumeRacesARevocation, "everybody": TestEverybodyAsksAtOnce, "suspend against personalize": TestASuspensionRacesAPersonalization,
	} {
		t.Run(name, test)
	}
}
