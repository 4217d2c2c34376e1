package config

import (
	"strings"
	"testing"
)

var good = map[string]string{
	"DATABASE_URL": "postgres://u:hidden-password@h/d", "REDIS_URL": "rediss://h", "RABBITMQ_URL": "amqps://h",
	"JWKS_URL": "http://h/jwks", "PRODUCT_INTERNAL_URL": "http://h", "INTERNAL_API_TOKEN": strings.Repeat("x", 32),
	"STRIPE_API_KEY": "k", "STRIPE_WEBHOOK_SECRET": "s",
}

func set(t *testing.T, changes map[string]string) {
	for name, value := range good {
		t.Setenv(name, value)
	}
	for name, value := range changes {
		t.Setenv(name, value)
	}
}

func TestGoodSettings(t *testing.T) {
	set(t, nil)
	if _, err := LoadOrder(); err != nil {
		t.Error(err)
	}
}

func TestErrorsNameTheVariableAndNoSecret(t *testing.T) {
	for name, value := range map[string]string{
		"DATABASE_URL": "mysql://u:hidden-password@h/d", "REDIS_URL": "", "RABBITMQ_URL": "h", "INTERNAL_API_TOKEN": "short",
		"PORT": "70000", "SAGA_LEASE": "1ms", "STRIPE_API_KEY": "", "DATABASE_MAX_CONNECTIONS": "0",
	} {
		t.Run(name, func(t *testing.T) {
			set(t, map[string]string{name: value})
			_, err := LoadOrder()
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "hidden-password") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}
