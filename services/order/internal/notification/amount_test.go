package notification

import "testing"

func TestAmounts(t *testing.T) {
	for want, amounts := range map[string]struct {
		minor int64
		code  string
	}{
		"19.99 EUR": {1999, "EUR"}, "0.05 USD": {5, "USD"}, "500 JPY": {500, "JPY"}, "1.234 KWD": {1234, "KWD"},
	} {
		if got := amount(amounts.minor, amounts.code); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
