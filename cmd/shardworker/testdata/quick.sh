# A test runner whose tests all pass, in a moment: quick.sh TESTS_FILE JUNIT_FILE LOG. The log gets a line for each test that
# really ran.
sleep 0.05
cat "$1" >>"$3"
{
	echo '<testsuite name="quick">'
	sed 's|.*|<testcase name="&"/>|' "$1"
	echo '</testsuite>'
} >"$2"
