package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/mail"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/problem"
)

// Bounds of a request's parts; the API description repeats them.
const (
	maxLines       = 50
	maxQuantity    = 999
	maxEmailLength = 254 // RFC 5321, section 4.5.3.1.3, less the angle brackets
	maxKeyLength   = 255
	maxPage        = 100
	defaultPage    = 20
)

var (
	paymentMethodForm = regexp.MustCompile(`^pm_[A-Za-z0-9_]{1,250}$`)
	keyForm           = regexp.MustCompile(`^[\x21-\x7e]{1,255}$`)
)

type itemInput struct {
	ProductID string `json:"product_id"`
	Quantity  int    `json:"quantity"`
}

type cartInput struct {
	Items []itemInput `json:"items"`
}

// orderInput is what a customer may say about a new order; anything else is refused.
type orderInput struct {
	Items         []itemInput `json:"items,omitempty"`
	ContactEmail  string      `json:"contact_email"`
	PaymentMethod string      `json:"payment_method,omitempty"`
}

// decode reads the body strictly. On failure it answers and reports false.
func decode(c *gin.Context, into any) bool {
	if kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil || kind != "application/json" {
		problem.Send(c, problem.New(http.StatusUnsupportedMediaType, "unsupported-media-type", "The body has to be application/json."))
		return false
	}
	decoder := json.NewDecoder(c.Request.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		_, err = decoder.Token()
		if errors.Is(err, io.EOF) {
			return true
		}
		err = errors.New("more than one JSON value")
	}
	var large *http.MaxBytesError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &large):
		problem.Send(c, tooLarge(large.Limit))
	case errors.As(err, &mistyped):
		pointer := "/" + strings.ReplaceAll(mistyped.Field, ".", "/")
		problem.Send(c, problem.Invalid([]problem.Field{{Pointer: pointer, Detail: "has the wrong type"}}))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		problem.Send(c, problem.Invalid([]problem.Field{{Pointer: "/" + name, Detail: "is not known here"}}))
	default:
		problem.Send(c, problem.New(http.StatusBadRequest, "malformed", "The body is not one JSON value."))
	}
	return false
}

func checkItems(items []itemInput) ([]order.Item, []problem.Field) {
	var wrong []problem.Field
	if len(items) > maxLines {
		return nil, []problem.Field{{Pointer: "/items", Detail: fmt.Sprintf("has %d lines, may have up to %d", len(items), maxLines)}}
	}
	seen := map[string]bool{}
	checked := make([]order.Item, 0, len(items))
	for i, item := range items {
		pointer := fmt.Sprintf("/items/%d", i)
		if id, err := uuid.Parse(item.ProductID); err != nil || id.String() != item.ProductID {
			wrong = append(wrong, problem.Field{Pointer: pointer + "/product_id", Detail: "is not a UUID in lower case"})
		}
		if seen[item.ProductID] {
			wrong = append(wrong, problem.Field{Pointer: pointer + "/product_id", Detail: "is there twice; add up the quantities"})
		}
		if item.Quantity < 1 || item.Quantity > maxQuantity {
			wrong = append(wrong, problem.Field{Pointer: pointer + "/quantity", Detail: fmt.Sprintf("is %d, may be 1 to %d", item.Quantity, maxQuantity)})
		}
		seen[item.ProductID] = true
		checked = append(checked, order.Item{ProductID: item.ProductID, Quantity: item.Quantity})
	}
	return checked, wrong
}

func checkOrder(input orderInput) ([]order.Item, []problem.Field) {
	items, wrong := checkItems(input.Items)
	address, err := mail.ParseAddress(input.ContactEmail)
	if err != nil || address.Address != input.ContactEmail || len(input.ContactEmail) > maxEmailLength {
		wrong = append(wrong, problem.Field{Pointer: "/contact_email", Detail: "is not an e-mail address"})
	}
	if input.PaymentMethod != "" && !paymentMethodForm.MatchString(input.PaymentMethod) {
		wrong = append(wrong, problem.Field{Pointer: "/payment_method", Detail: "is not the identifier of a Stripe payment method (pm_...)"})
	}
	return items, wrong
}
