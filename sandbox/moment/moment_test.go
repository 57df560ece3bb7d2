package moment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/moment"
	"warifu/scheme"
)

var tokyo = time.FixedZone("Asia/Tokyo", 9*60*60)

func at(year int, month time.Month, day, hour, minute, second int) time.Time {
	return time.Date(year, month, day, hour, minute, second, 0, tokyo)
}

// world is a Monday evening after the cut-off, with one of everything ahead.
func world(t testing.TB) moment.World {
	s, err := scheme.Shipped("jp-mobile")
	if err != nil {
		t.Fatal(err)
	}
	w := moment.World{
		Now: at(2026, 5, 11, 20, 0, 0), Hours: s.Hours, Usual: "taro",
		Births: map[string]time.Time{"taro": at(1980, 12, 17, 0, 0, 0), "sakura": at(2012, 4, 1, 0, 0, 0), "leap": at(2008, 2, 29, 0, 0, 0)},
		Upcoming: []moment.Due{
			{At: at(2026, 5, 14, 9, 0, 0), What: moment.RepairEnd, Card: "taro"},
			{At: at(2026, 6, 10, 12, 0, 0), What: moment.Lapse, Card: "hanako"},
			{At: at(2030, 9, 30, 23, 59, 59), What: moment.Notice3m, Card: "taro"},
			{At: at(2030, 12, 17, 23, 59, 59), What: moment.CardExpiry, Card: "hanako"},
			{At: at(2030, 12, 31, 23, 59, 59), What: moment.Expiry, Card: "taro"},
			{At: at(2030, 12, 31, 23, 59, 59), What: moment.CardExpiry, Card: "taro"},
			{At: at(2031, 1, 31, 23, 59, 59), What: moment.Expiry, Card: "hanako"},
		},
	}
	w.Upcoming = append(w.Upcoming, moment.Window(s.Hours, w.Now)...)
	moment.Sort(w.Upcoming)
	return w
}

func TestPeopleNameInstantsInJapaneseAndEnglish(t *testing.T) {
	expiry := at(2030, 12, 31, 23, 59, 59)
	for words, want := range map[string]time.Time{
		"+2h": at(2026, 5, 11, 22, 0, 0), "+3d": at(2026, 5, 14, 20, 0, 0), "+ 1w2d1h30m": at(2026, 5, 20, 21, 30, 0), "in 3 days": at(2026, 5, 14, 20, 0, 0), "one week later": at(2026, 5, 18, 20, 0, 0),
		"3日後": at(2026, 5, 14, 20, 0, 0), "１年後": at(2027, 5, 11, 20, 0, 0), "三か月後": at(2026, 8, 11, 20, 0, 0), "2時間後": at(2026, 5, 11, 22, 0, 0),
		"07:30": at(2026, 5, 12, 7, 30, 0), "23:15": at(2026, 5, 11, 23, 15, 0), "21:31 today": at(2026, 5, 11, 21, 31, 0), "today 21:31": at(2026, 5, 11, 21, 31, 0),
		"今日の21:31": at(2026, 5, 11, 21, 31, 0), "本日２１時３１分": at(2026, 5, 11, 21, 31, 0), "午後9時半": at(2026, 5, 11, 21, 30, 0),
		"tomorrow 07:30": at(2026, 5, 12, 7, 30, 0), "07:30 tomorrow": at(2026, 5, 12, 7, 30, 0), "Tomorrow at noon": at(2026, 5, 12, 12, 0, 0),
		"明日の7時30分": at(2026, 5, 12, 7, 30, 0), "明日": at(2026, 5, 12, 0, 0, 0), "明後日の9時": at(2026, 5, 13, 9, 0, 0), "the day after tomorrow": at(2026, 5, 13, 0, 0, 0),
		"2026-06-01 09:00": at(2026, 6, 1, 9, 0, 0), "2026-06-01": at(2026, 6, 1, 0, 0, 0), "令和8年6月1日9時": at(2026, 6, 1, 9, 0, 0), "2026年6月1日": at(2026, 6, 1, 0, 0, 0),
		"2026-06-01T00:00:00Z": at(2026, 6, 1, 9, 0, 0),
		"expiry":               at(2031, 1, 1, 0, 0, 0), "有効期限": at(2031, 1, 1, 0, 0, 0),
		"the day after expiry": at(2031, 1, 1, 0, 0, 0), "有効期限の翌日": at(2031, 1, 1, 0, 0, 0), "the day before expiry": at(2030, 12, 30, 0, 0, 0),
		"one week before expiry": expiry.AddDate(0, 0, -7), "有効期限の1週間前": expiry.AddDate(0, 0, -7), "有効期限の一か月前": expiry.AddDate(0, -1, 0), "3 months before expiry": expiry.AddDate(0, -3, 0),
		"hanako's expiry": at(2031, 2, 1, 0, 0, 0), "hanakoの有効期限の前日": at(2031, 1, 30, 0, 0, 0), "expiry of hanako": at(2031, 2, 1, 0, 0, 0),
		"card expiry": at(2031, 1, 1, 0, 0, 0), "カードの有効期限の翌日": at(2031, 1, 1, 0, 0, 0),
		"my 15th birthday": at(2027, 4, 1, 0, 0, 0), "15歳の誕生日": at(2027, 4, 1, 0, 0, 0), "十五歳の誕生日": at(2027, 4, 1, 0, 0, 0), "sakuraの15歳の誕生日": at(2027, 4, 1, 0, 0, 0),
		"the day after my fifteenth birthday": at(2027, 4, 2, 0, 0, 0), "my birthday": at(2026, 12, 17, 0, 0, 0), "leap's 20th birthday": at(2028, 2, 29, 0, 0, 0), "leapの次の誕生日": at(2027, 3, 1, 0, 0, 0),
		"end of the repair hold": at(2026, 5, 14, 9, 0, 0), "修理の終了": at(2026, 5, 14, 9, 0, 0), "修理による一時停止の終了": at(2026, 5, 14, 9, 0, 0),
		"closing time": at(2026, 5, 12, 20, 0, 0), "業務終了": at(2026, 5, 12, 20, 0, 0), "締切": at(2026, 5, 12, 19, 30, 0), "opening time": at(2026, 5, 12, 7, 30, 0), "受付開始": at(2026, 5, 12, 7, 30, 0),
		"lapse": at(2026, 6, 10, 12, 0, 1), "next expiry notice": at(2030, 9, 30, 23, 59, 59), "next": at(2026, 5, 12, 7, 30, 0), "次の予定": at(2026, 5, 12, 7, 30, 0),
	} {
		wish, err := moment.Parse(words)
		if err != nil {
			t.Errorf("%q: %v", words, err)
			continue
		}
		if got, err := wish.In(world(t)); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v (%v), want %v", words, got, err, want)
		}
	}
}

func TestWhatCannotBeGoneToSaysWhy(t *testing.T) {
	for words, want := range map[string]string{
		"": "clock-malformed", "soon": "clock-malformed", "+": "clock-malformed", "+3": "clock-malformed", "+3d4": "clock-malformed", "+d": "clock-malformed", "25:00": "clock-malformed", "+tomorrow": "clock-malformed", "today": "clock-malformed",
		"07:30 yesterday": "clock-malformed", "2026-02-30": "clock-malformed", "99999 years later": "clock-malformed", strings.Repeat("a", 300): "clock-malformed",
		"0th birthday": "clock-malformed", "expiry expiry": "clock-malformed",
		"07:30 today": "clock-backward", "2001-01-01T00:00:00Z": "clock-backward", "taro's 15th birthday": "clock-backward",
		"taro's lapse": "clock-event-none", "takeover": "clock-event-none", "nobody's birthday": "clock-event-none",
	} {
		wish, err := moment.Parse(words)
		if err == nil {
			_, err = wish.In(world(t))
		}
		if !errors.Is(err, &warifu.Error{Problem: want}) {
			t.Errorf("%q: %v, want %s", words, err, want)
		}
	}
	wish, err := moment.Parse("next birthday")
	if err != nil {
		t.Fatal(err)
	}
	several := world(t)
	several.Usual = ""
	if _, err := wish.In(several); !errors.Is(err, &warifu.Error{Problem: "clock-whose"}) {
		t.Errorf("a birthday of nobody: %v", err)
	}
}

func TestHoursThatNeverCloseHaveNoWindow(t *testing.T) {
	s, err := scheme.Shipped("badge")
	if err != nil {
		t.Fatal(err)
	}
	if due := moment.Window(s.Hours, at(2026, 5, 11, 20, 0, 0)); len(due) != 0 {
		t.Errorf("always open, and %v", due)
	}
}

// Whatever is typed names an instant that is not past, or is refused.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"19:31 today", "今日の19:31", "the day after expiry", "有効期限の1週間前", "my 15th birthday", "十五歳の誕生日", "end of the repair hold",
		"closing time", "+2h30m", "in 3 days", "令和8年6月1日9時", "2026-05-12T07:30:00+09:00", "hanakoの有効期限の前日", "九十九歳の誕生日", "24:00 tomorrow"} {
		f.Add(seed)
	}
	w := world(f)
	f.Fuzz(func(t *testing.T, words string) {
		wish, err := moment.Parse(words)
		if err != nil {
			if !errors.Is(err, &warifu.Error{Problem: "clock-malformed"}) {
				t.Fatalf("%q: %v", words, err)
			}
			return
		}
		got, err := wish.In(w)
		if err == nil && (got.Before(w.Now) || got.Year() > 9999) {
			t.Fatalf("%q is %v", words, got)
		}
	})
}
