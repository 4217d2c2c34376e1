package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	description "github.com/cloudcommerce/order"
)

func serveDescription(c *gin.Context) {
	c.Data(http.StatusOK, "application/json; charset=utf-8", description.OpenAPI)
}
