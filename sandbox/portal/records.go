package portal

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"warifu/sandbox/visitor"
)

// Records are what the portal knows about one person, all of it invented (R59).
type Records struct {
	Medicines []Medicine `json:"medicines"` // 薬剤情報, newest first
	Checkups  []Checkup  `json:"checkups"`  // 特定健診情報, newest first
	Handbook  []Entry    `json:"handbook"`  // 母子健康手帳, of the youngest child; none where there is none
	Notices   []Notice   `json:"notices"`   // お知らせ, newest first
}

// Medicine is one line of a prescription.
type Medicine struct {
	Date     string `json:"date"` // 2026-05-11
	Pharmacy Words  `json:"pharmacy"`
	Name     Words  `json:"name"`
	Dose     Words  `json:"dose"`
	Days     int    `json:"days"`
}

// Checkup is one specific health check.
type Checkup struct {
	Date      string  `json:"date"`
	Height    float64 `json:"heightCm"`
	Weight    float64 `json:"weightKg"`
	Systolic  int     `json:"systolic"`
	Diastolic int     `json:"diastolic"`
	HbA1c     float64 `json:"hba1c"`
	LDL       int     `json:"ldl"`
	Judgement Words   `json:"judgement"`
}

// Entry is a line of the mother-and-child handbook.
type Entry struct {
	Date string `json:"date"`
	What Words  `json:"what"`
}

// Notice is a letter of the town to the person.
type Notice struct {
	Date  string `json:"date"`
	Title Words  `json:"title"`
	Body  Words  `json:"body"`
}

var (
	pharmacies = []Words{{"みほん薬局", "Mihon Pharmacy"}, {"わりふ調剤薬局", "Warifu Pharmacy"}, {"いちょう薬局", "Ginkgo Pharmacy"}}
	medicines  = []struct{ name, dose Words }{
		{Words{"アムロジピン錠5mg（見本）", "Amlodipine 5 mg (sample)"}, Words{"1日1回 朝食後 1錠", "one tablet after breakfast"}},
		{Words{"ロキソプロフェン錠60mg（見本）", "Loxoprofen 60 mg (sample)"}, Words{"痛むとき 1錠", "one tablet when in pain"}},
		{Words{"フェキソフェナジン錠60mg（見本）", "Fexofenadine 60 mg (sample)"}, Words{"1日2回 朝夕食後 1錠", "one tablet morning and evening"}},
		{Words{"メトホルミン錠250mg（見本）", "Metformin 250 mg (sample)"}, Words{"1日2回 朝夕食後 1錠", "one tablet morning and evening"}},
		{Words{"カルボシステイン錠500mg（見本）", "Carbocisteine 500 mg (sample)"}, Words{"1日3回 毎食後 1錠", "one tablet after each meal"}},
	}
	vaccinations = []struct {
		months int
		what   Words
	}{
		{2, Words{"五種混合ワクチン 1回目", "Five-in-one vaccine, first"}}, {3, Words{"五種混合ワクチン 2回目", "Five-in-one vaccine, second"}},
		{4, Words{"3～4か月児健診", "Check at three to four months"}}, {5, Words{"BCG", "BCG"}},
		{12, Words{"麻しん風しん混合 第1期", "Measles and rubella, first"}}, {18, Words{"1歳6か月児健診", "Check at eighteen months"}},
		{36, Words{"3歳児健診", "Check at three years"}},
	}
)

// day is how dates are told.
const day = time.DateOnly

// RecordsOf invents the records of a person as they stand at now: the same for the same name
// and birth date, on every machine; with the months new lines come and the oldest go.
func RecordsOf(who visitor.Attributes, now time.Time) Records {
	born, err := time.Parse(day, who.BirthDate)
	if err != nil {
		return Records{Notices: notices(now, 0)}
	}
	sum := sha256.Sum256([]byte("warifu-sandbox-portal\n" + visitor.PlainName(who.Name) + "\n" + who.BirthDate))
	seed := binary.BigEndian.Uint64(sum[:8])
	age := int(now.Sub(born).Hours() / 24 / 365.2425)
	return Records{
		Medicines: prescriptions(seed, now), Checkups: checkups(seed, age, now),
		Handbook: handbook(seed, age, now), Notices: notices(now, age),
	}
}

// months calls f with the first day of each of the last n months, newest first, and a source
// of chance that is the month's own.
func months(seed uint64, now time.Time, n int, f func(first time.Time, r *rand.Rand)) {
	for i := range n {
		first := time.Date(now.Year(), now.Month()-time.Month(i), 1, 0, 0, 0, 0, time.UTC)
		f(first, rand.New(rand.NewPCG(seed, uint64(first.Unix()))))
	}
}

func prescriptions(seed uint64, now time.Time) []Medicine {
	out := []Medicine{}
	months(seed, now, 14, func(first time.Time, r *rand.Rand) {
		date, pharmacy, m := first.AddDate(0, 0, r.IntN(27)), pharmacies[r.IntN(len(pharmacies))], medicines[r.IntN(len(medicines))]
		if r.IntN(3) == 0 || date.After(now) {
			return
		}
		out = append(out, Medicine{date.Format(day), pharmacy, m.name, m.dose, 7 * (1 + r.IntN(4))})
	})
	return out
}

// checkups are for people of 40 to 74 (特定健診).
func checkups(seed uint64, age int, now time.Time) []Checkup {
	out := []Checkup{}
	for i := range 5 {
		year := now.Year() - i
		r := rand.New(rand.NewPCG(seed, uint64(year)))
		date := time.Date(year, time.June, 1+r.IntN(90), 0, 0, 0, 0, time.UTC)
		if years := age - i; years < 40 || years > 74 || date.After(now) {
			continue
		}
		c := Checkup{
			Date: date.Format(day), Height: 150 + float64(seed%300)/10, Weight: 50 + float64(seed%200)/10 + float64(r.IntN(40))/10,
			Systolic: 105 + r.IntN(45), Diastolic: 65 + r.IntN(30), HbA1c: 5 + float64(r.IntN(16))/10, LDL: 80 + r.IntN(80),
			Judgement: Words{"異常なし", "nothing found"},
		}
		if c.Systolic >= 140 || c.HbA1c >= 6.5 || c.LDL >= 140 {
			c.Judgement = Words{"要再検査", "please have it looked at again"}
		}
		out = append(out, c)
	}
	return out
}

// handbook is of a child of two to forty months, for some of those old enough to have one.
func handbook(seed uint64, age int, now time.Time) []Entry {
	out := []Entry{}
	if age < 20 || age > 48 || seed%2 == 1 {
		return out
	}
	r := rand.New(rand.NewPCG(seed, 1))
	born := time.Date(now.Year()-1-int(seed%3), time.Month(1+r.IntN(12)), 1+r.IntN(27), 0, 0, 0, 0, time.UTC)
	out = append(out, Entry{born.Format(day), Words{"出生（体重 3,012g）", "Born (3,012 g)"}})
	for _, v := range vaccinations {
		if at := born.AddDate(0, v.months, r.IntN(20)); !at.After(now) {
			out = append(out, Entry{at.Format(day), v.what})
		}
	}
	return out
}

// notices come by the season and the person's age; at most a year old.
func notices(now time.Time, age int) []Notice {
	all := []struct {
		month    time.Month
		from, to int // ages
		title    Words
		body     Words
	}{
		{time.April, 0, 6, Words{"定期予防接種のお知らせ", "Regular vaccinations"}, Words{"予診票をお送りしました。母子健康手帳とあわせてお持ちください。", "The forms are on their way. Please bring them with the handbook."}},
		{time.May, 40, 74, Words{"特定健康診査のお知らせ", "Your yearly health check"}, Words{"6月から受診できます。費用はかかりません。", "It opens in June and is free of charge."}},
		{time.June, 20, 64, Words{"住民税の通知", "Residence tax"}, Words{"今年度の税額が決まりました。通知書をご確認ください。", "This year's amount is set. Please read the letter."}},
		{time.October, 0, 120, Words{"インフルエンザ予防接種のお知らせ", "Influenza vaccination"}, Words{"10月1日から接種できます。65歳以上の方には助成があります。", "It is given from 1 October; from 65 on the town pays a part."}},
		{time.December, 0, 120, Words{"年末年始の窓口のご案内", "Counters around the New Year"}, Words{"12月29日から1月3日まで、窓口とコンビニ交付はお休みです。", "Counters and kiosks are closed from 29 December to 3 January."}},
	}
	out := []Notice{}
	for _, n := range all {
		at := time.Date(now.Year(), n.month, 1, 0, 0, 0, 0, time.UTC)
		if at.After(now) {
			at = at.AddDate(-1, 0, 0)
		}
		if age >= n.from && age <= n.to {
			out = append(out, Notice{at.Format(day), n.title, n.body})
		}
	}
	slices.SortFunc(out, func(a, b Notice) int {
		if a.Date > b.Date {
			return -1
		}
		return 1
	})
	return out
}
