package egov

import (
	"strconv"

	"warifu"
)

// Company is an entry of the register. Its numbers begin with a registry office that does not
// exist, so that no true company has them.
type Company struct {
	Number         string `json:"number"` // 法人番号, thirteen digits
	Name           string `json:"name"`
	Representative string `json:"representative"`
	BirthDate      string `json:"-"` // of the representative: namesakes are not the same person
}

// register is who there is.
var register = []Company{
	{numbered("999901000001"), "株式会社割符製作所", "割符　太郎", "1980-02-17"},
	{numbered("999901000002"), "合同会社花やしき商店", "割符　花子", "1985-11-03"},
}

// checkDigit is the first digit of a company's number, over the twelve behind it (法人番号の指定
// 等に関する省令 2): 9 less the remainder by nine of the digits, every second one from the right
// doubled.
func checkDigit(base string) int {
	sum := 0
	for i := range base {
		d := int(base[len(base)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d
	}
	return 9 - sum%9
}

func numbered(base string) string { return strconv.Itoa(checkDigit(base)) + base }

// CompanyOf finds a company. Errors: Invalid "egov-company-number" for a number that cannot
// be one, NotFound "egov-company-unknown".
func CompanyOf(number string) (Company, error) {
	if len(number) != 13 {
		return Company{}, warifu.Invalid("egov-company-number", "number", number)
	}
	for _, c := range number {
		if c < '0' || c > '9' {
			return Company{}, warifu.Invalid("egov-company-number", "number", number)
		}
	}
	if int(number[0]-'0') != checkDigit(number[1:]) {
		return Company{}, warifu.Invalid("egov-company-number", "number", number)
	}
	for _, c := range register {
		if c.Number == number {
			return c, nil
		}
	}
	return Company{}, warifu.NotFound("egov-company-unknown", "number", number)
}

// Procedure is what can be filed.
type Procedure struct {
	ID string `json:"id"`
	Ja string `json:"ja"`
	En string `json:"en"`
}

// Procedures are all of them.
var Procedures = []Procedure{
	{"labor-insurance", "労働保険の年度更新", "Yearly return of labour insurance"},
	{"overtime-agreement", "時間外労働・休日労働に関する協定届（36協定）", "Agreement on overtime work"},
	{"pension-basis", "被保険者報酬月額算定基礎届", "Basis of pension contributions"},
}

// AnyProcedure is what a mandate for everything names.
const AnyProcedure = "any"

func procedureOf(id string) (Procedure, error) {
	for _, p := range Procedures {
		if p.ID == id {
			return p, nil
		}
	}
	return Procedure{}, warifu.Invalid("egov-malformed", "field", "procedure")
}
