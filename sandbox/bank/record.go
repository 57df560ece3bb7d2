package bank

import (
	"time"

	"warifu/sandbox/sheet"
	"warifu/sandbox/visitor"
)

// Record is an identity-verification record (本人確認記録, 犯罪収益移転防止法 第6条): what a
// compliance officer files. The certificate itself is not in it (B.10): who wants to see the
// proof again asks the verification service by the identifiers.
type Record struct {
	Account        string              `json:"account"`
	Method         string              `json:"method"` // which way of the ordinance
	VerifiedAt     time.Time           `json:"verifiedAt"`
	FiledAt        time.Time           `json:"filedAt"`
	FiledBy        string              `json:"filedBy"`
	Transaction    string              `json:"transaction"` // what it was done for
	Purpose        string              `json:"purpose"`
	Occupation     string              `json:"occupation"`
	Customer       visitor.Attributes  `json:"customer"`
	Former         *visitor.Attributes `json:"former,omitempty"`     // before the last change
	ConfirmedAt    time.Time           `json:"confirmedAt,omitzero"` // the holder told the latest attributes
	CertificateOn  string              `json:"certificateOn"`        // "card" or "phone"
	CertificateFor string              `json:"certificateFor"`       // "signature"
	Status         visitor.Standing    `json:"status"`
	Verification   string              `json:"verification"` // at the verification service
	DocumentSHA256 string              `json:"documentSha256"`
	Evidence       *visitor.Evidence   `json:"evidence,omitempty"`
	KeepUntil      string              `json:"keepUntil"` // not before seven years after the account is closed
}

// method is the way by which identity was verified: a document signed with the signing key of
// the public certificate (公的個人認証), the certificate's status checked.
const method = "犯罪収益移転防止法施行規則 第6条第1項第1号ワ（公的個人認証の署名用電子証明書）"

func recordOf(a Account, c visitor.Checked, now time.Time) *Record {
	return &Record{
		Account: a.Number, Method: method, VerifiedAt: c.At.UTC(), FiledAt: now.UTC(), FiledBy: "見本銀行 口座開設システム", Transaction: "普通預金口座の開設",
		Purpose: a.Purpose, Occupation: a.Occupation, Customer: *c.Attributes, CertificateOn: c.Class, CertificateFor: c.Kind, Status: c.Status,
		Verification: c.ID, DocumentSHA256: c.DocumentSHA256, Evidence: c.Evidence, KeepUntil: "口座の解約から7年を経過する日",
	}
}

// sexes are the register's entries as certificates code them.
var sexes = map[string]string{"1": "男 male", "2": "女 female"}

// PDF is the record on paper.
func (r Record) PDF() []byte {
	var s sheet.Sheet
	when := func(t time.Time) string { return t.In(visitor.Tokyo).Format("2006-01-02 15:04:05 -07:00") }
	s.Heading("本人確認記録 Identity-verification record")
	s.Pair("口座番号 Account", r.Account)
	s.Pair("取引 Transaction", r.Transaction)
	s.Pair("確認の方法 Method", r.Method)
	s.Pair("確認の日時 Verified", when(r.VerifiedAt))
	s.Pair("作成 Filed", when(r.FiledAt)+" "+r.FiledBy)
	s.Gap()
	s.Pair("氏名 Name", r.Customer.Name)
	if s1 := r.Customer.NameSubstitution; s1 != "" {
		s.Pair("代替文字 Substitutes", s1)
	}
	s.Pair("住所 Address", r.Customer.Address)
	s.Pair("生年月日 Born", r.born())
	s.Pair("性別 Sex", sexes[r.Customer.Gender])
	if r.Former != nil {
		s.Pair("変更前 Before", r.Former.Name+" "+r.Former.Address)
	}
	s.Pair("目的 Purpose", r.Purpose)
	s.Pair("職業 Occupation", r.Occupation)
	s.Gap()
	s.Pair("証明書 Certificate", r.CertificateFor+" / "+r.CertificateOn)
	s.Pair("失効の確認 Status", r.Status.Status+" "+r.Status.Source)
	s.Pair("検証番号 Verification", r.Verification)
	s.Pair("文書 Document", "SHA-256 "+r.DocumentSHA256)
	if r.Evidence != nil {
		s.Pair("証拠 Evidence", r.Evidence.ID+" ("+when(r.Evidence.Until)+")")
	}
	s.Pair("保存期限 Keep until", r.KeepUntil)
	s.Gap()
	s.Line("電子証明書の写しは保存していません。証拠は検証サービスが保存し、検証番号で再検証できます。")
	s.Line("No copy of the certificate is kept. The verification service keeps the evidence and judges it again by the number above.")
	return s.PDF()
}

func (r Record) born() string {
	born, err := visitor.Born(r.Customer.BirthDate)
	if err != nil {
		return r.Customer.BirthDate
	}
	return born.Format(time.DateOnly)
}
