package handlers

import (
	"strings"

	"frontline/handlers/mask"
	"frontline/store"
)

// APIUser is who the general API token acts as. It is no person: nothing is
// told to it.
const APIUser = "api"

// PersonalOf checks a value that identifies a customer and makes it ready to be
// kept; ok is false when it is not what it should be. Nothing is nothing.
func PersonalOf(kind mask.Kind, text string) (p store.Personal, ok bool) {
	value := strings.TrimSpace(text)
	if value == "" {
		return p, true
	}
	switch kind {
	case mask.Identity:
		value, ok = mask.ValidIdentity(value)
	case mask.Phone:
		value, ok = mask.ValidPhone(value)
	default:
		value, ok = mask.ValidCustomer(value)
	}
	if !ok {
		return p, false
	}
	return store.Personal{Value: value, Mask: mask.Of(kind, value)}, true
}
