package person

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Generator makes any number of further persons. The same seed, index and start
// give the same person, on every machine.
type Generator struct {
	Seed  uint64
	Start time.Time // the day on which the world starts
}

type reading struct{ written, kana string }

var families = []reading{
	{"佐藤", "サトウ"}, {"鈴木", "スズキ"}, {"高橋", "タカハシ"}, {"田中", "タナカ"}, {"伊藤", "イトウ"}, {"渡辺", "ワタナベ"},
	{"山本", "ヤマモト"}, {"中村", "ナカムラ"}, {"小林", "コバヤシ"}, {"加藤", "カトウ"}, {"吉田", "ヨシダ"}, {"山田", "ヤマダ"},
	{"佐々木", "ササキ"}, {"山口", "ヤマグチ"}, {"松本", "マツモト"}, {"井上", "イノウエ"}, {"木村", "キムラ"}, {"林", "ハヤシ"},
	{"斎藤", "サイトウ"}, {"清水", "シミズ"}, {"山崎", "ヤマザキ"}, {"阿部", "アベ"}, {"森", "モリ"}, {"池田", "イケダ"},
}

var givenNames = map[Sex][]reading{
	Male: {
		{"蓮", "レン"}, {"陽翔", "ハルト"}, {"湊", "ミナト"}, {"大輔", "ダイスケ"}, {"健太", "ケンタ"}, {"誠", "マコト"}, {"博", "ヒロシ"},
		{"隆", "タカシ"}, {"翔太", "ショウタ"}, {"学", "マナブ"}, {"浩", "ヒロシ"}, {"拓海", "タクミ"}, {"一郎", "イチロウ"}, {"茂", "シゲル"},
	},
	Female: {
		{"陽菜", "ヒナ"}, {"結衣", "ユイ"}, {"美咲", "ミサキ"}, {"さくら", "サクラ"}, {"愛", "アイ"}, {"恵", "メグミ"}, {"久美子", "クミコ"},
		{"由美子", "ユミコ"}, {"和子", "カズコ"}, {"洋子", "ヨウコ"}, {"真由美", "マユミ"}, {"舞", "マイ"}, {"幸子", "サチコ"}, {"葵", "アオイ"},
	},
}

var streets = []string{"本町", "栄町", "緑町", "中央", "旭町", "桜木町", "若葉台", "泉", "港", "城下町"}

// Person makes the index-th person, whose identifier is "resident-" and the index in
// six digits or more. All are fifteen or older with cards in their first four years, so
// that every one of them may apply.
func (g Generator) Person(index int) Person {
	r := rand.New(rand.NewPCG(g.Seed, uint64(index)))
	sex := []Sex{Male, Female}[r.IntN(2)]
	family, given := families[r.IntN(len(families))], givenNames[sex][r.IntN(len(givenNames[sex]))]
	town := municipalities[r.IntN(len(municipalities))]
	issued := DateOf(g.Start).AddDate(0, 0, -r.IntN(4*365))
	p := Person{
		ID:           fmt.Sprintf("resident-%06d", index),
		Difference:   Text{Ja: "自動で作られた住民", En: "a generated resident"},
		Name:         family.written + "　" + given.written,
		Kana:         family.kana + "　" + given.kana,
		Birth:        DateOf(issued).AddDate(-SigningAge-r.IntN(75), 0, -r.IntN(365)),
		Sex:          sex,
		Address:      town.address(streets[r.IntN(len(streets))], 1+r.IntN(9), 1+r.IntN(30), 1+r.IntN(40)),
		Municipality: town,
		Telephone:    fmt.Sprintf("0%d0-0%03d-%04d", 7+r.IntN(3), r.IntN(1000), r.IntN(10000)),
		Number:       wrongNumber(digits(r, NumberLength-1)),
		CardIssued:   issued,
	}
	p.Registered, p.CertificatesIssued = p.Name, p.CardIssued
	p.NameSubstitution, p.AddressSubstitution = zeros(p.Name), zeros(p.Address)
	p.PINs = PINs{Signature: pin(letters(r, 4) + digits(r, 4)), Authentication: pin(digits(r, 4)), Text: pin(digits(r, 4)), Register: pin(digits(r, 4))}
	return p
}

func (m Municipality) address(street string, block, lot, house int) string {
	return fmt.Sprintf("%s%s%s%d丁目%d番%d号", m.Prefecture, m.Name, street, block, lot, house)
}

func digits(r *rand.Rand, n int) string { return draw(r, "0123456789", n) }

// letters leaves out those that are mistaken for digits.
func letters(r *rand.Rand, n int) string { return draw(r, "ABCDEFGHJKLMNPQRSTUVWXYZ", n) }

func draw(r *rand.Rand, from string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(from[r.IntN(len(from))])
	}
	return b.String()
}
