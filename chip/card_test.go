package chip_test

import (
	"testing"

	"warifu/chip"
)

// Each script cites the section of docs/card-facts.md whose measurement it replays.
var scripts = []struct {
	rule  string
	steps []step
}{
	{"§1.1 the issuer's domain is current after power-on and can be selected", []step{
		{"00CA00F000", "=3133323231:9000"},
		{selectJPKI, "9000"},
		{"00CA00F000", "6D00"},
		{"00A4040C07 A0000001510000", "9000"},
		{"00CA00F200", "=3230333530323137:9000"},
		{"00CA5F5100", "8:9000"},
		{"00CADF3005", "6A88"},
	}},
	{"§1.2 every application is selected by name and by a prefix of it, P2 00 answers FCI", []step{
		{selectJPKI, "9000"}, {selectSurface, "9000"}, {selectSupport, "9000"}, {selectResident, "9000"}, {selectCommon, "9000"},
		{"00A4040C06 D392F0002601", "9000"},
		{ef("0006"), "9000"},
		{"00A404000A D392F000260100000001 00", "=6F0C840AD392F000260100000001:9000"},
		{"00A4040C05 A000000999", "6A82"},
		{"00A404020A D392F000260100000001", "6A86"},
	}},
	{"§1.4 EF 0006 is 160 octets, EF 0008 is 8F 8F 00", []step{
		{selectJPKI, "9000"}, {ef("0006"), "9000"}, {"00B0000000", "160:9000"},
		{ef("0008"), "9000"}, {"00B0000000", "=8F8F00:9000"},
	}},
	{"§1.4 the signature certificate needs the password, the authentication certificate nothing on a card", []step{
		{selectJPKI, "9000"},
		{ef("0001"), "9000"}, {"00B0000004", "6982"},
		{ef("000A"), "9000"}, {"00B0000004", "4:9000"},
		{ef("0002"), "9000"}, {"00B0000004", "4:9000"},
		{ef("000B"), "9000"}, {"00B0000004", "4:9000"},
		{ef("001B"), "9000"}, {verify(signaturePassword), "9000"},
		{ef("0001"), "9000"}, {"00B0000004", "4:9000"},
		{ef("0009"), "9000"}, {"00B0000004", "6982"},
	}},
	{"§1.5 the tries left are asked for with four octets; five are 6700; a verified PIN still reads 63Cx", []step{
		{selectJPKI, "9000"},
		{ef("0018"), "9000"}, {"00200080", "63C3"}, {"0020008000", "6700"},
		{verify("9999"), "63C2"}, {"00200080", "63C2"},
		{verify(authenticationPIN), "9000"}, {"00200080", "63C3"},
		{ef("001B"), "9000"}, {"00200080", "63C5"},
		{"00200098", "63C3"}, {"0020009B" + ascii(signaturePassword), "9000"},
	}},
	{"§1.5 READ BINARY: short, by short identifier, extended, past the end", []step{
		{selectJPKI, "9000"},
		{"00B0000004", "6986"},
		{"00B0860020", "32:9000"},
		{"00B0009C08", "4:9000"},
		{"00B000A001", "6B00"},
		{"00B07FFF01", "6B00"},
		{"00B08A00 000000", "780:9000"},
		{"00B0930004", "6A82"},
		{"00B0A60004", "6A86"},
		{"00B00000", "6700"},
	}},
	{"§1.6 keys and PINs are not read: 6981", []step{
		{selectJPKI, "9000"},
		{ef("0017"), "9000"}, {"00B0000004", "6981"},
		{ef("0018"), "9000"}, {"00B0000004", "6981"},
		{"00B09A0004", "6981"},
		{ef("000A"), "9000"}, {verify("1234"), "6981"},
		{ef("000A"), "9000"}, {"802A0080023131 00", "6981"},
	}},
	{"§1.6 what is not there and what is not understood", []step{
		{"00A40000", "6A86"},
		{"00A4000C023F00", "6A82"},
		{selectJPKI, "9000"},
		{"00A40000", "9000"},
		{"00A4000C023F00", "6A82"},
		{ef("0003"), "6A82"},
		{"00A4020C01 00", "6700"},
		{"0010000000", "6D00"},
		{"80B0000004", "6D00"},
		{"01B0000004", "6881"}, {"0070000001", "6881"}, {"40B0000004", "6881"},
		{"0CB0000004", "6882"}, {"04B0000004", "6882"}, {"84E2000004", "6882"},
		{"A0A4000002 3F00", "6E00"}, {"10B0000004", "6E00"}, {"FFCA000000", "6E00"},
		{"00B0", "6700"}, {"00200080 04 31", "6700"},
		{"80FC0000", "6700"},
	}},
	{"§1.6 63C0 by the attempt that exhausts and by the empty VERIFY, 6984 after it", []step{
		{selectJPKI, "9000"}, {ef("0018"), "9000"},
		{verify("0000"), "63C2"}, {verify("0000"), "63C1"}, {verify("0000"), "63C0"},
		{verify("0000"), "6984"}, {verify(authenticationPIN), "6984"}, {"00200080", "63C0"},
		{ef("0017"), "9000"}, {"802A0080023131 00", "6982"},
		{ef("001B"), "9000"}, {"00200080", "63C5"},
	}},
	{"§1.6 a wrong PIN takes back what the right one opened", []step{
		{selectJPKI, "9000"}, {ef("0018"), "9000"}, {verify(authenticationPIN), "9000"},
		{"802A0097023131 00", "256:9000"},
		{"00200098" + ascii("0000"), "63C2"},
		{"802A0097023131 00", "6982"},
	}},
	{"§1.8 selecting the same application keeps the status, another clears it", []step{
		{selectJPKI, "9000"}, {ef("0018"), "9000"}, {verify(authenticationPIN), "9000"},
		{selectJPKI, "9000"}, {"00B0000004", "6986"},
		{ef("0017"), "9000"}, {"802A0080023131 00", "256:9000"},
		{selectSupport, "9000"}, {selectJPKI, "9000"},
		{ef("0017"), "9000"}, {"802A0080023131 00", "6982"},
	}},
	{"§1.5 GET CHALLENGE in any application, without a PIN, not in the extended form", []step{
		{selectJPKI, "9000"}, {"0084000008", "8:9000"}, {"0084000000", "256:9000"},
		{selectResident, "9000"}, {"0084000001", "1:9000"},
		{"00840000 000010", "6985"}, {"0084010008", "6A86"}, {"00840000", "6700"},
	}},
	{"§1.4 入力補助: who opens what", []step{
		{selectSupport, "9000"},
		{ef("0001"), "9000"}, {"00B0000011", "6982"},
		{ef("0004"), "9000"}, {"00B0000000", "256:9000"}, {"00B00000 000000", "568:9000"},
		{ef("0005"), "9000"}, {"00B0000000", "256:9000"}, {"00B0010001", "6B00"},
		{ef("0012"), "9000"}, {"00200080", "63C0"}, {verify("1234"), "6984"},
		{ef("0014"), "9000"}, {verify(testPersonality().Holder.Number), "9000"}, // 照合番号A
		{ef("0001"), "9000"}, {"00B0000000", "=FF100C" + hexOf(testPersonality().Holder.Number) + "FFFF:9000"},
		{ef("0002"), "9000"}, {"00B0000004", "6982"},
	}},
	{"§1.4 入力補助: 照合番号A opens 0001 but not 0002, B the reverse, both 0003", []step{
		{selectSupport, "9000"},
		{"00200095" + ascii("55021720352285"), "9000"}, // 照合番号B
		{ef("0001"), "9000"}, {"00B0000011", "6982"},
		{ef("0002"), "9000"}, {"00B0000004", "4:9000"},
		{ef("0003"), "9000"}, {"00B00000 000000", "336:9000"},
		{ef("0006"), "9000"}, {"00B00000 000000", "269:9000"},
		{ef("0007"), "9000"}, {"00B00000 000000", "536:9000"},
		{"00200094" + ascii("000000000000"), "63C9"},
		{"00200095" + ascii("00000000000000"), "63C9"},
		{"00240195" + ascii("00000000000000"), "6982"},
	}},
	{"§1.4 確認: the birth date opens 0001, B or A 0002, only A 0005", []step{
		{selectSurface, "9000"},
		{ef("0003"), "9000"}, {"00B0000004", "4:9000"},
		{ef("0001"), "9000"}, {"00B0000004", "6982"},
		{"00200091" + ascii("550217"), "9000"},
		{ef("0001"), "9000"}, {"00B00000 000000", "547:9000"},
		{ef("0002"), "9000"}, {"00B0000004", "6982"},
		{"00200092" + ascii("55021720352285"), "9000"},
		{ef("0002"), "9000"}, {"00B0000004", "4:9000"},
		{ef("0005"), "9000"}, {"00B0000004", "6982"},
		{"80320091" + ascii("111111"), "6D00"}, {"00240191" + ascii("111111"), "6D00"},
		{ef("0006"), "9000"}, {"00B0000000", "16:9000"},
	}},
	{"§1.4 共通: the serial number as record 1, by short identifier and by selection", []step{
		{selectCommon, "9000"},
		{"00B2010C00", "=011C30303132333435363738393031323331333232313230333530323137:9000"},
		{ef("0001"), "9000"}, {"00B2010400", "30:9000"}, {"00B2020400", "6A83"}, {"00B2000400", "6A83"},
		{"00B2010500", "6A86"}, {"00B0000004", "6981"},
		{ef("0002"), "9000"}, {"00B0000000", "16:9000"}, {"00B2010400", "6981"},
		{"0088009908 0102030405060708 00", "256:9000"},
		{"802A0099023131 00", "6981"},
	}},
	{"§1.5 PINs change with 00 24 01 in JPKI and 入力補助, with 80 32 in 共通 and 住基, after VERIFY only", []step{
		{selectJPKI, "9000"}, {ef("0018"), "9000"},
		{"00240180" + ascii("5678"), "6982"},
		{verify(authenticationPIN), "9000"},
		{"00240180" + ascii("567"), "6A80"}, {"00240180" + ascii("567A"), "6A80"}, {"00240080" + ascii("5678"), "6A86"},
		{"80320080" + ascii("5678"), "6D00"},
		{"00240180" + ascii("5678"), "9000"},
		{verify(authenticationPIN), "63C2"}, {verify("5678"), "9000"},
		{selectCommon, "9000"}, {ef("001C"), "9000"}, {verify(commonPIN), "9000"},
		{"00240180" + ascii("0000"), "6D00"}, {"80320080" + ascii("0000"), "9000"}, {verify("0000"), "9000"},
		{selectResident, "9000"}, {"0020009C" + ascii(residentPIN), "9000"},
	}},
	{"§1.5 a terminal's certificate in two halves, with EF 0016 current", []step{
		{selectJPKI, "9000"},
		{"80A206C1", "6986"},
		{ef("000A"), "9000"}, {"80A206C1", "6981"},
		{ef("0016"), "9000"}, {"80A206C1", "6700"}, {"80A200C1", "6985"}, {"80A206C0", "6A86"},
	}},
}

func TestCardAnswersAsMeasured(t *testing.T) {
	for _, s := range scripts {
		t.Run(s.rule, func(t *testing.T) { play(t, newCard(t, new(chip.Volatile)), s.steps) })
	}
}
