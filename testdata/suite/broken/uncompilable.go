//go:build broken

package broken

var half int = "a string is not an int"
