// Package cli is what the two commands share between the operating system and their work: flags and their environment
// variables, help, exit statuses, signals, the log, and the connection to Redis or the embedded server.
package cli
