#!/bin/sh
# Runs shell functions as tests and writes what became of them as JUnit XML: a test runner that shardctl knows nothing about.
#
#   run.sh JUNIT_FILE [TESTS_FILE]
#
# The tests to run are the lines of TESTS_FILE, or of standard input: the names of cases in tests.sh.
set -u

[ $# -ge 1 ] || { echo "usage: $0 JUNIT_FILE [TESTS_FILE]" >&2; exit 2; }
junit=$1
[ $# -lt 2 ] || exec <"$2" || exit 2

. "$(dirname "$0")/tests.sh"

# xml replaces what has a meaning in XML.
xml() { printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'; }

status=0
cases=
while IFS= read -r name || [ -n "$name" ]; do
	[ -n "$name" ] || continue
	# A test runs in a subshell, so that not even `exit` in one ends the others; and it must not eat the list.
	began=$(date +%s)
	if output=$(run_test "$name" </dev/null 2>&1); then
		echo "ok      $name"
		result=
	else
		echo "not ok  $name: $output"
		result="<failure message=\"$(xml "$output")\"/>"
		status=1
	fi
	seconds=$(($(date +%s) - began))
	cases="$cases  <testcase classname=\"shell\" name=\"$(xml "$name")\" time=\"$seconds\">$result</testcase>
"
done

printf '<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="shell">\n%s</testsuite>\n' "$cases" >"$junit" || exit 2
exit $status
