// Package desk is the sandbox's front desk, the page to start from: where everything
// stands, who the persons are and what lies in their cards, the phones, the clock,
// and a door to every chip for readers that are not ours (POST /chips/{id}/apdu). It
// names only what stands.
package desk
