package gate

import "time"

// Settings are what the user of a worker may change.
type Settings struct {
	// Timeout is how long a gate may take to answer. It must be more than 0.
	Timeout time.Duration
	// RequeueDelay is how long the no of a gate stands that ran out of time or could not be started.
	RequeueDelay time.Duration
	// CacheSize is how many gates that said yes are remembered. At least 1.
	CacheSize int
	// MaxNotQualified is after how many refusals in a row a worker leaves; see Keeper.InARow.
	MaxNotQualified int
	// AllowText lets every command run that stands in Redis, whoever put it there.
	AllowText bool
}

// DefaultSettings are the Settings of whoever has no reason for others.
func DefaultSettings() Settings {
	return Settings{Timeout: 30 * time.Second, RequeueDelay: 5 * time.Second, CacheSize: 256, MaxNotQualified: 10}
}
