// Package moment reads the words by which people name an instant for the time machine:
// "19:31 today", 明日の7時30分, "the day after expiry", 有効期限の1週間前, "my 15th
// birthday", 修理の終了, RFC 3339. Words are read without a world (Parse) and become an
// instant where a world's clock, hours and calendar are known (Wish.In).
package moment
