package main

import (
	"strings"
	"testing"
)

func text(value string) *string { return &value }

func TestAScriptMakesAnotherOrderEachTime(t *testing.T) {
	const id, event = "0193a0b0-c0d0-7123-8456-00000000abcd", "0193a0b0-c0d1-7123-8456-00000000ef01"
	made, err := newScript([]statement{
		{"insert into orders (id, items, key, reason) values ($1, $2::jsonb, $3, $4)", []*string{text(id), text(`[{"a:b": 1}]`), text("bench-x"), text("")}},
		{"\n\tinsert into outbox select * from unnest($1::uuid[])", []*string{text("{" + event + "}")}},
		{"update orders set reserved_until = $2 where id = $1", []*string{text(id), nil}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const order = `('0193a0b0-c0d0-7' || :client || '-8000-' || :number)::uuid`
	const told = `('0193a0b0-c0d1-7' || :client || '-8001-' || :number)::uuid`
	want := strings.Join([]string{
		`\set client :client_id + 100`,
		`\set number :number + 1`,
		`insert into orders (id, items, key, reason) values (` + order + `, :s0p2::jsonb, ('bench-' || :client || '-' || :number), '');`,
		`insert into outbox select * from unnest(array[` + told + `]::uuid[]);`,
		`update orders set reserved_until = null where id = ` + order + `;`,
		`delete from outbox where event_id = any(array[` + told + `]);`,
		"",
	}, "\n")
	if made.text != want {
		t.Errorf("got\n%s\nwant\n%s", made.text, want)
	}
	if len(made.variables) != 1 || made.variables["s0p2"] != `[{"a:b": 1}]` {
		t.Errorf("variables %v", made.variables)
	}
}

func TestWhatIsNotAnOrderIsNoScript(t *testing.T) {
	for name, recorded := range map[string][]statement{
		"nothing":         nil,
		"no events":       {{"select 1", nil}},
		"a missing value": {{"select $2", []*string{text("1")}}},
	} {
		if made, err := newScript(recorded); err == nil {
			t.Errorf("%s: got %s", name, made.text)
		}
	}
}

func TestOnlyWhatIsOutsideOfTransactionsIsRecorded(t *testing.T) {
	var heard []string
	s := session{prepared: map[string]string{}, record: func(one statement) { heard = append(heard, one.sql) }}
	for _, sql := range []string{"-- ping", "select 1", "begin", "select 2", "COMMIT", "select 3", "begin isolation level serializable", "select 4", "rollback", "select 5"} {
		s.ran(statement{sql: sql})
	}
	if got := strings.Join(heard, ", "); got != "select 1, select 3, select 5" {
		t.Errorf("got %s", got)
	}
}

func TestTheMedian(t *testing.T) {
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 3, 2}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %v", values, got)
		}
	}
}
