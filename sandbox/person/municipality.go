package person

// Municipality is where a person's residence register is kept.
type Municipality struct {
	Code       string // five digits of JIS X 0402 without check digit
	Name       string // 清瀬市
	Prefecture string // 東京都
	// Romanised as certificate names have it (docs/card-facts.md §2.2): Tokyo-to, Kiyose-shi.
	PrefectureRoman, NameRoman string
}

// municipalities are the real towns in which the invented people live.
var municipalities = []Municipality{
	{"01101", "札幌市中央区", "北海道", "Hokkaido", "Sapporo-shi Chuo-ku"},
	{"04101", "仙台市青葉区", "宮城県", "Miyagi-ken", "Sendai-shi Aoba-ku"},
	{"13101", "千代田区", "東京都", "Tokyo-to", "Chiyoda-ku"},
	{"13104", "新宿区", "東京都", "Tokyo-to", "Shinjuku-ku"},
	{"13221", "清瀬市", "東京都", "Tokyo-to", "Kiyose-shi"},
	{"14104", "横浜市中区", "神奈川県", "Kanagawa-ken", "Yokohama-shi Naka-ku"},
	{"17201", "金沢市", "石川県", "Ishikawa-ken", "Kanazawa-shi"},
	{"23106", "名古屋市中区", "愛知県", "Aichi-ken", "Nagoya-shi Naka-ku"},
	{"26104", "京都市中京区", "京都府", "Kyoto-fu", "Kyoto-shi Nakagyo-ku"},
	{"27127", "大阪市北区", "大阪府", "Osaka-fu", "Osaka-shi Kita-ku"},
	{"29211", "葛城市", "奈良県", "Nara-ken", "Katsuragi-shi"},
	{"40133", "福岡市中央区", "福岡県", "Fukuoka-ken", "Fukuoka-shi Chuo-ku"},
	{"47201", "那覇市", "沖縄県", "Okinawa-ken", "Naha-shi"},
}

// Municipalities lists the towns of the sandbox.
func Municipalities() []Municipality { return append([]Municipality(nil), municipalities...) }

func municipality(code string) (Municipality, bool) {
	for _, m := range municipalities {
		if m.Code == code {
			return m, true
		}
	}
	return Municipality{}, false
}
