// Package delivery drives parcels around. A drive takes time, which makes its tests the slow ones of this suite.
package delivery

import (
	"errors"
	"time"
)

// Speed is how far a van drives in a second, in kilometres. It is a fast van.
const Speed = 100

// ErrFull is returned for a parcel that does not fit.
var ErrFull = errors.New("the van is full")

// Van carries parcels, which are named by the town that they go to.
type Van struct {
	// Room is the number of parcels that fit.
	Room    int
	parcels []string
	driven  int
}

// Load puts a parcel into the van.
func (v *Van) Load(town string) error {
	if len(v.parcels) == v.Room {
		return ErrFull
	}
	v.parcels = append(v.parcels, town)
	return nil
}

// Drive drives to a town and returns how many parcels were delivered there.
func (v *Van) Drive(town string, km int) int {
	time.Sleep(time.Duration(km) * time.Second / Speed)
	v.driven += km
	var left []string
	for _, parcel := range v.parcels {
		if parcel != town {
			left = append(left, parcel)
		}
	}
	delivered := len(v.parcels) - len(left)
	v.parcels = left
	return delivered
}

// Driven returns how far the van has driven, in kilometres.
func (v *Van) Driven() int { return v.driven }
