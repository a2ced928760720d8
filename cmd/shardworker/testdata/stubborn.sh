# A test runner that neither it nor what it started can be asked to end. Its first argument is the folder in which it says
# that it runs.
trap '' TERM
sh -c 'while :; do sleep 1; done' &
: >"$1/running"
while :; do sleep 1; done
