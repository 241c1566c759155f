// Package api is the contract serve/openapi.yaml as Go: its types, the
// interface that package serve implements, and the decoding and encoding
// between them and HTTP. It is generated; change the contract, not the code.
package api

//go:generate go tool oapi-codegen -config generate.yaml ../openapi.yaml
