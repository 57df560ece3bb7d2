// Package phones is where the sandbox's phones lie: each a handset with the app on
// it, worked by plain form pages or by a JSON API that does the same. It taps cards
// on phones, carries what a person types to the app, and decides nothing itself.
package phones
