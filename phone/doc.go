// Package phone is the app's logic on the holder's phone: what マイナポータル does in
// the real service (R20–R54). It speaks HTTP to a server and APDUs to two chips, the
// phone's own secure element and the card that is tapped, and knows neither's
// inside: both are an iso7816.Transmitter, so a real phone and a real reader change
// nothing here.
//
// An App has one method a step. Applying (design §3.1, R32) goes
//
//	terms  := app.CheckEligible(ctx)        // model, app version and catalogue
//	draft  := app.Begin(choice)             // everything a person can type wrong, before any chip
//	          app.Prepare(ctx, draft)       // challenge, shadow keys, attestation; before the tap (K2)
//	          app.SignWithCard(ctx, draft, card)
//	          app.SetSecrets(ctx, draft, secrets)
//	          app.Submit(ctx, draft)        // only here does the server keep anything
//
// and Abandon at any point before the last clears the shadow slots and leaves
// nothing at the server. Later come Status, Personalize, Withdraw, Sign, Login,
// ChangeSecret and the screen lock.
//
// A login at the provider is shown with Asked, answered with Approve and turned down with
// Decline; Elsewhere does it with a card at a reader (docs/login.md).
//
// Of what is registered, Suspend, Resume and Revoke dispose with one of the phone's
// secrets, Check tells where it stands, Wipe has the chip destroy what is dead, and
// CleanProof proves to whoever takes the phone over that nothing is left. Before the phone
// leaves its holder's hands Leaving asks and Leave does; after a reset Recognise takes up
// what is there; Reminders tells what nobody asked about. Without the
// phone, Elsewhere does the same with the card, and SuspendByCode with the code that
// Personalize showed.
//
// Every error a person may see is a *warifu.Error that says which of the two
// passwords is meant, the card's or the phone's (R28), and how many tries are left.
package phone
