package junit_test

import (
	"strings"
	"testing"

	"github.com/shardctl/shardctl/junit"
)

func TestIndex(t *testing.T) {
	index := junit.NewIndex(suiteOf(
		junit.Case{Name: "add", Classname: "pkg.Cart", File: "cart.py"},
		junit.Case{Name: "sub", Classname: "pkg.Cart", File: "cart.py"},
		junit.Case{Name: "add", Classname: "pkg.Shop", File: "shop.py"},
		junit.Case{Name: "whole file", Classname: "f.ts", File: "f.ts"},
		junit.Case{Name: "pkg.Shop", Classname: "clash"},
		junit.Case{Name: "bare"},
	), suiteOf(
		junit.Case{Name: "add", Classname: "pkg.Cart", File: "again.py"},
	))
	for unit, want := range map[string]string{
		"add":           "pkg.Cart/add/cart.py pkg.Shop/add/shop.py pkg.Cart/add/again.py",
		"pkg.Cart.add":  "pkg.Cart/add/cart.py pkg.Cart/add/again.py",
		"pkg.Cart::sub": "pkg.Cart/sub/cart.py",
		"cart.py":       "pkg.Cart/add/cart.py pkg.Cart/sub/cart.py",
		"pkg.Cart":      "pkg.Cart/add/cart.py pkg.Cart/sub/cart.py pkg.Cart/add/again.py",
		"f.ts":          "f.ts/whole file/f.ts",
		"pkg.Shop":      "clash/pkg.Shop/", // a name goes before a class
		"bare":          "/bare/",
		".bare":         "",
		"::bare":        "",
		"":              "",
		"./cart.py":     "pkg.Cart/add/cart.py pkg.Cart/sub/cart.py",
		"././cart.py":   "",
		"PKG.CART":      "",
	} {
		if got := describe(index.Cases(unit)); got != want {
			t.Errorf("Cases(%q) = %s, want %s", unit, got, want)
		}
	}
	if got, want := describe(index.Unmatched([]string{"add", "f.ts", "gone"})), "pkg.Cart/sub/cart.py clash/pkg.Shop/ /bare/"; got != want {
		t.Errorf("Unmatched = %s, want %s", got, want)
	}
	if got := index.Unmatched([]string{"pkg.Cart", "shop.py", "f.ts", "clash", "bare"}); got != nil {
		t.Errorf("Unmatched = %v, want nil", got)
	}
}

// Units as people list them for these tools, and how many cases of a report of each are theirs.
func TestIndexOfRealReports(t *testing.T) {
	for file, units := range map[string]map[string]int{
		"001-gotestsum": {"TestAdd": 1, "example.com/shop.TestTotals": 1, "example.com/shop::TestTotals": 1, "TestTotals/two_items": 1, "example.com/shop": 6},
		"003-pytest-xunit1": {"test_shop.py": 9, "./test_shop.py": 9, "test_shop": 8, "test_shop.test_add": 1, "test_shop::test_add": 1, "test_call_and_teardown": 2,
			"test_broken.py": 1},
		"004-jest-junit":            {"Cart adds": 1, "Cart when empty has total 0": 1},
		"005-rspec-junit-formatter": {"spec/cart_spec.rb": 5, "./spec/cart_spec.rb": 5, "spec.cart_spec": 5, "Cart adds": 1},
		"007-phpunit-nested":        {"Shop.Tests.CartTest": 5, "testAdd": 1, "Shop.Tests.CartTest::testAdd": 1, "/home/ci/shop/tests/CartTest.php": 5},
	} {
		report, err := junit.ReadFile("testdata/" + file + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		index := junit.NewIndex(report)
		for unit, want := range units {
			if got := len(index.Cases(unit)); got != want {
				t.Errorf("%s: %d cases of %q, want %d", file, got, unit, want)
			}
		}
	}
}

func describe(cases []junit.Case) string {
	var s []string
	for _, c := range cases {
		s = append(s, c.Classname+"/"+c.Name+"/"+c.File)
	}
	return strings.Join(s, " ")
}
