package notification

import (
	"strconv"

	"golang.org/x/text/currency"
)

// amount writes minor units the way people read them: 1999 EUR is "19.99 EUR", 500 JPY is "500 JPY".
func amount(minor int64, code string) string {
	digits := 2
	if unit, err := currency.ParseISO(code); err == nil {
		digits, _ = currency.Standard.Rounding(unit)
	}
	text := strconv.FormatInt(minor, 10)
	if digits == 0 {
		return text + " " + code
	}
	for len(text) <= digits {
		text = "0" + text
	}
	return text[:len(text)-digits] + "." + text[len(text)-digits:] + " " + code
}
