# The tests that run.sh runs: one case each. A test passes if its last command does.

run_test() {
	case $1 in
	"addition") equal $((2 + 2)) 4 ;;
	"multiplication") equal $((6 * 7)) 42 ;;
	"remainder") equal $((17 % 5)) 2 ;;
	"longest suffix") equal "$(path=a/b/c.txt && echo "${path##*/}")" c.txt ;;
	"shortest suffix") equal "$(path=a.tar.gz && echo "${path%.*}")" a.tar ;;
	"default value") equal "${NOT_SET_ANYWHERE:-default}" default ;;
	"upper case") equal "$(echo shard | tr a-z A-Z)" SHARD ;;
	"sorted lines") equal "$(printf 'b\na\n' | sort | tr '\n' ' ')" "a b " ;;
	"a slow one") sleep 1 ;;
	"another slow one") sleep 1 ;;
	"quotes & <brackets>") equal "a \"b\" <c> & d" 'a "b" <c> & d' ;;
	"fails on demand") equal "${SHELL_BAD:-0}" 0 ;;
	*) echo "there is no test of that name"; return 1 ;;
	esac
}

equal() {
	[ "$1" = "$2" ] || { echo "got \"$1\", want \"$2\""; return 1; }
}
