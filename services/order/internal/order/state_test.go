package order

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestMoves(t *testing.T) {
	allowed := map[[2]State]bool{
		{Pending, Reserved}: true, {Pending, Cancelled}: true, {Pending, Failed}: true,
		{Reserved, Paid}: true, {Reserved, Cancelled}: true, {Reserved, Failed}: true,
		{Paid, Fulfilled}: true, {Paid, Refunded}: true, {Fulfilled, Refunded}: true,
		{Cancelled, Refunded}: true, {Failed, Refunded}: true,
	}
	for _, from := range States() {
		for _, to := range States() {
			if CanMove(from, to) != allowed[[2]State{from, to}] {
				t.Errorf("%s to %s: got %v", from, to, CanMove(from, to))
			}
			if slices.Contains(Sources(to), from) != CanMove(from, to) {
				t.Errorf("%s is missing in, or wrongly among, the sources of %s", from, to)
			}
		}
	}
}

func TestTheIdentifierTellsTheTime(t *testing.T) {
	before := time.Now().Truncate(time.Millisecond)
	o, err := New("user", nil, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if o.CreatedAt.Before(before) || o.CreatedAt.After(time.Now()) || !CreatedAt(o.ID).Equal(o.CreatedAt) {
		t.Errorf("order %s says it was made at %v", o.ID, o.CreatedAt)
	}
}

func TestParseID(t *testing.T) {
	good := uuid.Must(uuid.NewV7()).String()
	if _, ok := ParseID(good); !ok {
		t.Errorf("%s is refused", good)
	}
	for _, bad := range []string{"", "x", uuid.NewString(), "{" + good + "}", "urn:uuid:" + good, good + " "} {
		if _, ok := ParseID(bad); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}
