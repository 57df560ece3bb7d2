package municipality

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"warifu/sandbox/person"
)

// titles are the papers' own; they are Japanese documents in every language of the kiosk.
var titles = map[string]string{Residence: "住民票の写し", Seal: "印鑑登録証明書"}

// eras by the digit that person.Era gives.
var eras = map[byte]string{'1': "明治", '2': "大正", '3': "昭和", '4': "平成", '5': "令和"}

// era writes a day as the register does: 昭和55年2月17日.
func era(t time.Time) string {
	t = t.In(person.Tokyo)
	digit, year := person.Era(t)
	name, ok := eras[digit]
	if !ok {
		return t.Format("2006年1月2日")
	}
	if year == 1 {
		return fmt.Sprintf("%s元年%d月%d日", name, t.Month(), t.Day())
	}
	return fmt.Sprintf("%s%d年%d月%d日", name, year, t.Month(), t.Day())
}

// Where things stand on a paper, in points.
const (
	margin  = 64.0
	column  = 170.0 // where what is told begins
	body    = 11.5
	columns = (pageWidth - margin - column) / body
)

// paper writes an order: each copy on pages of its own.
func (s *Server) paper(who Resident, o Order) []byte {
	now := s.config.Clock.Now().In(person.Tokyo)
	out := newSheet()
	for copied := range o.Copies {
		p := form{out, who, now, paperNumber(who, o, now, copied)}
		if o.Document == Seal {
			p.seal()
		} else {
			p.residence(o.Options)
		}
	}
	return out.file(titles[o.Document]+" 見本 SAMPLE", now)
}

// paperNumber is the number printed on a copy, by which the town would find it again.
func paperNumber(who Resident, o Order, now time.Time, copied int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d %s", who.Person.ID, o.Document, now.Format(time.RFC3339), copied, o.Authentication.Transaction))
	return fmt.Sprintf("%s-%06d", now.Format("20060102"), binary.BigEndian.Uint32(sum[:])%1_000_000)
}

type form struct {
	*sheet
	who    Resident
	now    time.Time
	number string
}

// name is the person's as the register writes it.
func name(p person.Person) string {
	if p.Registered != "" {
		return p.Registered
	}
	return p.Name
}

var sexes = map[person.Sex]string{person.Male: "男", person.Female: "女", person.NotApplicable: "（記載なし）"}

func (f form) residence(o Options) {
	members, whole := []person.Person{f.who.Person}, "一部"
	if o.Household && len(f.who.Household) > 0 {
		members, whole = f.who.Household, "全員"
	}
	var y float64
	for i, p := range members {
		if i%2 == 0 { // two to a page: an address may take ten lines
			y = f.head(Residence)
			y = f.row(y, "住所", p.Address)
			if o.Relation {
				y = f.row(y, "世帯主", householder(f.who.Household, p, f.now))
			}
		}
		y = f.row(y, "氏名", name(p))
		if p.Kana != "" {
			y = f.row(y, "フリガナ", p.Kana)
		}
		y = f.row(y, "生年月日", era(p.Birth))
		y = f.row(y, "性別", sexes[p.Sex])
		if o.Relation {
			y = f.row(y, "続柄", relation(f.who.Household, p, f.now))
		}
		y = f.row(y, "個人番号", "（省略）")
		y = f.row(y, "住民票コード", "（省略）") - body
		if i%2 == 1 || i == len(members)-1 {
			f.foot("この写しは、世帯" + whole + "の住民票の原本と相違ないことを証明します。")
		}
	}
}

// householder is who the household is named after: the oldest who is of age, and where no such
// person is in the sandbox a parent who was invented for it.
func householder(household []person.Person, p person.Person, now time.Time) string {
	oldest := p
	for _, m := range household {
		if m.Birth.Before(oldest.Birth) {
			oldest = m
		}
	}
	if person.Age(oldest.Birth, now) < person.MajorityAge {
		return oldest.Family() + "　見本一郎"
	}
	return name(oldest)
}

func relation(household []person.Person, p person.Person, now time.Time) string {
	switch {
	case householder(household, p, now) == name(p):
		return "世帯主"
	case person.Age(p.Birth, now) < person.MajorityAge:
		return "子"
	}
	return "同居人"
}

func (f form) seal() {
	p := f.who.Person
	y := f.head(Seal)
	const r = 34.0
	f.text(mincho, body, margin, y-r, "印影")
	f.imprint(column+r, y-r, r, p.Family())
	y -= 2*r + 2*body
	y = f.row(y, "登録番号", registration(p))
	y = f.row(y, "氏名", name(p))
	y = f.row(y, "生年月日", era(p.Birth))
	f.row(y, "住所", p.Address)
	f.foot("この写しは、登録された印影と相違ないことを証明します。")
}

// imprint draws an invented seal: the family name in a circle, from top to bottom.
func (f form) imprint(x, y, r float64, family string) {
	letters := []rune(family)
	letters = letters[:min(len(letters), 4)]
	f.circle(x, y, r)
	size := 1.5 * r / float64(max(len(letters), 2))
	top := y + size*float64(len(letters))/2 - size*0.85
	for i, l := range letters {
		f.text(mincho, size, x-size*width(l)/2, top-size*float64(i), string(l))
	}
}

// registration is the number of the seal's registration.
func registration(p person.Person) string {
	sum := sha256.Sum256([]byte("seal " + p.ID))
	return strconv.Itoa(100000 + int(binary.BigEndian.Uint32(sum[:])%900000))
}

// head begins a page and returns where the first row stands.
func (f form) head(document string) float64 {
	f.page()
	f.text(gothic, 9, margin, pageHeight-50, "【見本 SAMPLE】割符のサンドボックスの見本であり、公的な証明には使えません。It proves nothing.")
	f.centred(gothic, 20, pageHeight-110, titles[document])
	f.rule(margin, pageHeight-125, pageWidth-2*margin)
	return pageHeight - 155
}

// row writes one entry and returns where the next stands.
func (f form) row(y float64, label, value string) float64 {
	f.text(gothic, body, margin, y, label)
	next := f.block(mincho, body, column, y, columns, value)
	f.rule(margin, next+body*0.9, pageWidth-2*margin)
	return next - body*0.7
}

// foot ends a page: what is certified, when and by whom.
func (f form) foot(words string) {
	m := f.who.Person.Municipality
	y := f.block(mincho, body, margin, 170, (pageWidth-2*margin)/body, words)
	f.text(mincho, body, margin, y-8, era(f.now))
	f.text(mincho, 14, column+120, y-34, m.Name+"長　見本")
	f.text(mincho, 9, margin, 60, "証明書番号 "+f.number)
}
