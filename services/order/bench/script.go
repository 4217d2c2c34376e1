package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

var (
	placeholder = regexp.MustCompile(`\$[0-9]+`)
	uuidArray   = regexp.MustCompile(`^\{[0-9a-f-]{36}(,[0-9a-f-]{36})*\}$`)
)

// script is a pgbench script of the statements of one order. Every transaction of pgbench makes another order: all
// that has to be unique is put together from the client's number and a count; everything else is bound as it was
// when it was recorded, so that pgbench prepares and binds as the service does.
type script struct {
	text      string
	variables map[string]string
}

// firstOrder has as many digits as the last group of a UUID, and keeps having them.
const firstOrder = 100_000_000_000

// keyPrefix begins the idempotency keys, by which they are told from everything else that a statement carries.
const keyPrefix = "bench-"

// newScript makes one. At its end the order's events leave the outbox: the relays' own look-ups, of which one serves
// many orders, are left out, which makes the floor lower.
func newScript(recorded []statement) (script, error) {
	w := writer{variables: map[string]string{}, numbers: map[string]int{}}
	lines := []string{`\set client :client_id + 100`, `\set number :number + 1`}
	for i, one := range recorded {
		sql, err := w.statement(i, one)
		if err != nil {
			return script{}, err
		}
		lines = append(lines, sql)
	}
	if len(w.events) == 0 {
		return script{}, errors.New("no events among the recorded statements")
	}
	lines = append(lines, "delete from outbox where event_id = any(array["+strings.Join(w.events, ",")+"]);\n")
	return script{strings.Join(lines, "\n"), w.variables}, nil
}

// writer puts arguments into statements.
type writer struct {
	variables map[string]string
	numbers   map[string]int // of recorded UUIDs
	events    []string
}

func (w *writer) statement(number int, recorded statement) (string, error) {
	var failure error
	sql := placeholder.ReplaceAllStringFunc(recorded.sql, func(mark string) string {
		position, err := strconv.Atoi(mark[1:])
		if err != nil || position > len(recorded.values) {
			failure = fmt.Errorf("no value for %s of %q", mark, recorded.sql)
			return mark
		}
		return w.argument(fmt.Sprintf("s%dp%d", number, position), recorded.values[position-1])
	})
	return strings.TrimSpace(sql) + ";", failure
}

// argument is what stands for a value in the script.
func (w *writer) argument(name string, value *string) string {
	switch {
	case value == nil:
		return "null"
	case *value == "": // pgbench takes no empty variables
		return "''"
	case strings.HasPrefix(*value, keyPrefix):
		return "('" + keyPrefix + "' || :client || '-' || :number)"
	case uuidArray.MatchString(*value):
		var ids []string
		for id := range strings.SplitSeq(strings.Trim(*value, "{}"), ",") {
			ids = append(ids, w.fresh(id))
		}
		w.events = append(w.events, ids...)
		return "array[" + strings.Join(ids, ",") + "]"
	}
	if id, err := uuid.Parse(*value); err == nil && id.String() == *value {
		return w.fresh(*value)
	}
	w.variables[name] = *value
	return ":" + name
}

// fresh is a UUID that takes the place of a recorded one wherever that stood. It keeps the time in front, as what a
// service makes at about the same time has, because that is where indexes put it.
func (w *writer) fresh(id string) string {
	number, known := w.numbers[id]
	if !known {
		number = len(w.numbers)
		w.numbers[id] = number
	}
	return fmt.Sprintf("('%s-7' || :client || '-8%03d-' || :number)::uuid", id[:13], number)
}
