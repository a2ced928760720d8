package delivery

import (
	"errors"
	"testing"
)

// delivers drives a parcel to a town: 100 km take a second.
func delivers(t *testing.T, town string, km int) {
	t.Helper()
	van := Van{Room: 1}
	if err := van.Load(town); err != nil {
		t.Fatal(err)
	}
	if got := van.Drive(town, km); got != 1 {
		t.Errorf("%d parcels were delivered in %s, want 1", got, town)
	}
}

func TestDeliverNextDoor(t *testing.T)      { delivers(t, "next door", 0) }
func TestDeliverToVillage(t *testing.T)     { delivers(t, "village", 20) }
func TestDeliverToTown(t *testing.T)        { delivers(t, "town", 30) }
func TestDeliverToSuburb(t *testing.T)      { delivers(t, "suburb", 40) }
func TestDeliverToCity(t *testing.T)        { delivers(t, "city", 50) }
func TestDeliverToCoast(t *testing.T)       { delivers(t, "coast", 60) }
func TestDeliverToMountains(t *testing.T)   { delivers(t, "mountains", 70) }
func TestDeliverToIsland(t *testing.T)      { delivers(t, "island", 80) }
func TestDeliverToBorder(t *testing.T)      { delivers(t, "border", 90) }
func TestDeliverToLighthouse(t *testing.T)  { delivers(t, "lighthouse", 100) }
func TestDeliverToObservatory(t *testing.T) { delivers(t, "observatory", 100) }

func TestWrongTown(t *testing.T) {
	van := Van{Room: 1}
	_ = van.Load("Here")
	if got := van.Drive("There", 20); got != 0 {
		t.Errorf("%d parcels were delivered in the wrong town", got)
	}
}

func TestRoundTrip(t *testing.T) {
	van := Van{Room: 3}
	for _, town := range []string{"A", "B", "A"} {
		_ = van.Load(town)
	}
	t.Run("out", func(t *testing.T) {
		if got := van.Drive("A", 30); got != 2 {
			t.Errorf("%d parcels were delivered in A, want 2", got)
		}
	})
	t.Run("back", func(t *testing.T) {
		if got := van.Drive("B", 30); got != 1 {
			t.Errorf("%d parcels were delivered in B, want 1", got)
		}
	})
	if van.Driven() != 60 {
		t.Errorf("drove %d km, want 60", van.Driven())
	}
}

// TestFleet takes less than the two seconds of its subtests: as many of them run at a time as there are CPUs.
func TestFleet(t *testing.T) {
	for _, town := range []string{"North", "East", "South", "West"} {
		t.Run(town, func(t *testing.T) {
			t.Parallel()
			delivers(t, town, 50)
		})
	}
}

func TestVanIsFull(t *testing.T) {
	van := Van{Room: 1}
	_ = van.Load("A")
	if err := van.Load("B"); !errors.Is(err, ErrFull) {
		t.Errorf("a second parcel in a van for one: %v, want %v", err, ErrFull)
	}
}

func TestEmptyVan(t *testing.T) {
	van := Van{Room: 1}
	if got := van.Drive("anywhere", 0); got != 0 {
		t.Errorf("%d parcels came out of an empty van", got)
	}
}

func TestSnow(t *testing.T) {
	t.Skip("vans have no snow chains")
}
