package moment

import (
	"cmp"
	"regexp"
	"strconv"
	"time"

	"warifu"
)

var (
	relativeEnglish  = regexp.MustCompile(`^(?:(\d{1,5}) (second|minute|hour|day|week|month|year)s?|day) (before|after) (.+)$`)
	relativeJapanese = regexp.MustCompile(`^(.+?)の?(\d{1,5})(秒|分|時間|日|週間|か月|年)(前|後)$`)
	dayJapanese      = regexp.MustCompile(`^(.+?)の(翌日|前日|当日)$`)
	ownerEnglish     = regexp.MustCompile(`^([a-z][a-z0-9-]{0,63})'s (.+)$`)
	ownerLater       = regexp.MustCompile(`^(.+) of ([a-z][a-z0-9-]{0,63})$`)
	ownerJapanese    = regexp.MustCompile(`^([a-z][a-z0-9-]{0,63})(?:さん)?の(.+)$`)
	birthday         = regexp.MustCompile(`^(\d{1,3})(?:st|nd|rd|th) birthday$|^(\d{1,3})[歳才](?:の)?(?:誕生日|になる日)$`)
)

// events are the names of what the calendar can hold.
var events = []struct {
	name *regexp.Regexp
	what What
}{
	{regexp.MustCompile(`^(end of (the )?)?cut-?off( time)?$|^(申請の)?(締め?切り?|受付終了)(時刻)?$`), CutOff},
	{regexp.MustCompile(`^closing( time)?$|^(end of (the )?)business hours$|^(業務|発行|受付時間|サービス)の?(終了|終わり)(時刻)?$|^閉まる(とき|時刻)$`), Closing},
	{regexp.MustCompile(`^(next )?opening( time)?$|^(業務|発行|受付|サービス)の?(開始|始まり)(時刻)?$`), Opening},
	{regexp.MustCompile(`^end of (the )?repair( hold)?$|^repair( hold)?('s)? end$|^修理(による|のための|中)?の?(停止|保留)?の?(終了|終わり|期限|解除|終了日)$`), RepairEnd},
	{regexp.MustCompile(`^takeover$|^end of (the )?cooling( time)?$|^機種変更の?(待機期間の?終了|確定)$`), Takeover},
	{regexp.MustCompile(`^lapse$|^(application('s)? )?lapse$|^lapse of (the )?application$|^申請の(失効|取得期限|受取期限|登録期限)$|^登録期限$`), Lapse},
	{regexp.MustCompile(`^((phone|certificate|credential)('s)? )?(expiry|expiration)( date)?$|^(スマートフォンの|スマホの)?(電子証明書の|証明書の)?(有効期限|有効期間満了|満了日?|期限切れ|有効期限切れ)$`), Expiry},
	{regexp.MustCompile(`^card('s)? (certificate('s)? )?(expiry|expiration)( date)?$|^カードの(電子証明書の|証明書の)?(有効期限|満了日?|期限切れ)$`), CardExpiry},
	{regexp.MustCompile(`^renewal( opens)?$|^opening of (the )?renewal$|^(カードの)?更新(の)?(受付)?開始日?$|^更新できる日$`), RenewalOpens},
	{regexp.MustCompile(`^(next )?(expiry )?notice$|^(次の)?(有効期限|期限|満了)の?(予告|お知らせ|通知)$`), AnyNotice},
	{regexp.MustCompile(`^(next )?birthday$|^(次の)?誕生日$`), Birthday},
	{regexp.MustCompile(`^(next )?(crl|list) ?update$|^next ?update( of (the )?crl)?$|^(crl|失効リスト)の(次回)?更新$`), ListUpdate},
	{regexp.MustCompile(`^next( event| thing)?$|^(いちばん)?次(の予定|のできごと)?$`), NextOfAny},
}

// readRelative reads an event with a distance before or after it.
func readRelative(s string) (Wish, bool) {
	if m := relativeEnglish.FindStringSubmatch(s); m != nil {
		return related(m[4], m[1], m[2], m[3] == "before")
	}
	if m := dayJapanese.FindStringSubmatch(s); m != nil {
		if m[2] == "当日" {
			w, ok := readEvent(m[1])
			w.offset = startOfDay(0)
			return w, ok
		}
		return related(m[1], "", "", m[2] == "前日")
	}
	if m := relativeJapanese.FindStringSubmatch(s); m != nil {
		return related(m[1], m[2], m[3], m[4] == "前")
	}
	return Wish{}, false
}

// related is so much before or after an event; without a number it is the day before or
// after, from its first second.
func related(event, number, unit string, before bool) (Wish, bool) {
	w, ok := readEvent(event)
	if !ok {
		return Wish{}, false
	}
	n := 1
	if number != "" {
		n, _ = strconv.Atoi(number) // five digits
	}
	if before {
		n = -n
	}
	if number == "" {
		w.offset = startOfDay(n)
	} else {
		w.offset = shift(n, unit)
	}
	return w, true
}

func startOfDay(n int) func(time.Time) time.Time {
	return func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d+n, 0, 0, 0, 0, t.Location())
	}
}

// readEvent reads the name of an event, and whose it is.
func readEvent(s string) (Wish, bool) {
	if w, ok := named(s); ok {
		return w, true
	}
	card, rest := "", ""
	if m := ownerEnglish.FindStringSubmatch(s); m != nil {
		card, rest = m[1], m[2]
	} else if m := ownerJapanese.FindStringSubmatch(s); m != nil {
		card, rest = m[1], m[2]
	} else if m := ownerLater.FindStringSubmatch(s); m != nil {
		card, rest = m[2], m[1]
	}
	w, ok := named(rest)
	w.card = card
	return w, ok
}

func named(s string) (Wish, bool) {
	if m := birthday.FindStringSubmatch(s); m != nil {
		age, _ := strconv.Atoi(m[1] + m[2]) // one of them matched, three digits
		return Wish{what: Birthday, age: age}, age > 0
	}
	for _, e := range events {
		if e.name.MatchString(s) {
			return Wish{what: e.what}, true
		}
	}
	return Wish{}, false
}

// In returns the instant that the wish means in a world. Errors: Refused "clock-backward"
// for a past one, which names the earliest possible; NotFound "clock-event-none" where the
// calendar holds no such event, Invalid "clock-whose" where somebody must be named,
// "clock-malformed" for an instant beyond the calendar.
func (w Wish) In(world World) (time.Time, error) {
	at, err := w.resolve(world)
	if err != nil {
		return at, err
	}
	if err := within(at); err != nil {
		return at, err
	}
	if at.Before(world.Now) {
		return at, warifu.Refused("clock-backward", "now", world.Now.Format(time.RFC3339))
	}
	return at, nil
}

func (w Wish) resolve(world World) (time.Time, error) {
	switch {
	case !w.at.IsZero():
		return w.at, nil
	case w.from != nil:
		return w.from(world.Now), nil
	}
	at, err := w.event(world)
	if err != nil {
		return at, err
	}
	if w.offset != nil {
		at = w.offset(at.In(world.Now.Location()))
	}
	return at, nil
}

func (w Wish) event(world World) (time.Time, error) {
	if w.what == Birthday {
		return w.birthday(world)
	}
	card := cmp.Or(w.card, world.Me)
	if w.what == CardExpiry || w.what == RenewalOpens { // everybody has one some day
		card = cmp.Or(card, world.Usual)
	}
	for _, d := range world.Upcoming {
		if !w.means(d) || (card != "" && d.Card != "" && d.Card != card) || (w.card != "" && d.Card == "") {
			continue
		}
		if w.offset != nil || d.Passed().Equal(d.At) {
			return d.At, nil
		}
		return d.Passed(), nil
	}
	return time.Time{}, warifu.NotFound("clock-event-none", "event", string(w.what))
}

func (w Wish) means(d Due) bool {
	switch w.what {
	case NextOfAny:
		return true
	case AnyNotice:
		return d.What == Notice3m || d.What == Notice1m || d.What == Notice1w
	}
	return d.What == w.what
}

// birthday is the first second of the day on which somebody reaches an age, or of their
// next birthday. Nobody being named, it is of whoever reaches that age first.
func (w Wish) birthday(world World) (time.Time, error) {
	card := cmp.Or(w.card, world.Me)
	if w.age == 0 {
		card = cmp.Or(card, world.Usual)
	}
	if card != "" {
		birth, known := world.Births[card]
		if !known {
			return time.Time{}, warifu.NotFound("clock-event-none", "event", string(Birthday))
		}
		return w.reached(birth, world.Now), nil
	}
	if w.age == 0 {
		return time.Time{}, warifu.Invalid("clock-whose")
	}
	var first time.Time
	for _, birth := range world.Births {
		at := w.reached(birth, world.Now)
		if at.After(world.Now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		return first, warifu.NotFound("clock-event-none", "event", string(Birthday))
	}
	return first, nil
}

// reached is the day on which somebody born then grows so old; 0 takes the next year to come.
func (w Wish) reached(birth, now time.Time) time.Time {
	if w.age > 0 {
		return Reaches(birth, w.age, now.Location())
	}
	for age := max(now.Year()-birth.Year(), 1); ; age++ {
		if at := Reaches(birth, age, now.Location()); at.After(now) {
			return at
		}
	}
}

// Reaches returns the first second of the day on which somebody born then reaches an age.
// Who was born on 29 February does on 1 March of other years.
func Reaches(birth time.Time, age int, zone *time.Location) time.Time {
	return time.Date(birth.Year()+age, birth.Month(), birth.Day(), 0, 0, 0, 0, zone)
}
