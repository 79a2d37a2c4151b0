package config

import _ "embed"

// Example is the documented example file. It is made from the comments of
// config.go (make example); a test fails when it is stale.
//
//go:embed example.yaml
var Example string
