package junit_test

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/shardctl/shardctl/junit"
)

// A test failed in the first run and passed when it was run again.
func Example() {
	first, err := junit.Read(strings.NewReader(`<testsuite name="shop">
		<testcase classname="Cart" name="adds" time="0.1"/>
		<testcase classname="Cart" name="pays" time="0.2"><failure message="no connection"/></testcase>
	</testsuite>`))
	if err != nil {
		log.Fatal(err)
	}
	retry, err := junit.Read(strings.NewReader(`<testsuite name="shop">
		<testcase classname="Cart" name="pays" time="0.3"/>
	</testsuite>`))
	if err != nil {
		log.Fatal(err)
	}
	merged := junit.Merge(first, retry)
	t := merged.Totals()
	fmt.Printf("%d tests, %d failed, %d flaky\n", t.Tests, t.Failures+t.Errors, t.Flaky)
	if err := junit.Write(os.Stdout, merged); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 2 tests, 0 failed, 1 flaky
	// <?xml version="1.0" encoding="UTF-8"?>
	// <testsuites tests="2" failures="0" errors="0" skipped="0" time="0.400">
	// 	<testsuite name="shop" tests="2" failures="0" errors="0" id="0" time="0.400" skipped="0">
	// 		<testcase name="adds" classname="Cart" time="0.100000"></testcase>
	// 		<testcase name="pays" classname="Cart" time="0.300000">
	// 			<flakyFailure message="no connection" type="" time="0.200000">
	// 				<stackTrace><![CDATA[no connection]]></stackTrace>
	// 			</flakyFailure>
	// 		</testcase>
	// 	</testsuite>
	// </testsuites>
}

// A unit of work is a file here; both of its cases belong to it.
func ExampleIndex() {
	report, err := junit.Read(strings.NewReader(`<testsuite name="shop" failures="1">
		<testcase name="adds" file="cart.test.js"/>
		<testcase name="pays" file="cart.test.js"><failure message="no connection"/></testcase>
	</testsuite>`))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range junit.NewIndex(report).Cases("cart.test.js") {
		fmt.Printf("%s: %s %q\n", c.Name, c.Status, c.Message)
	}
	// Output:
	// adds: passed ""
	// pays: failed "no connection"
}
