package cli

import (
	"os"
	"os/user"
)

// WhoAmI names the user of this process, for people.
func WhoAmI() string {
	host, _ := os.Hostname()
	if u, err := user.Current(); err == nil {
		return u.Username + "@" + host
	}
	return host
}
