# $1 is the folder of PostgreSQL's programs, $2 the folder of the server. Each line of the input is a command, answered with a line.
bin=$1 dir=$2 data=$2/data pid=
umask 077

# A server that was killed leaves processes behind that end by themselves; a new one refuses to start until they have.
start() {
	attempts=0
	while [ "$attempts" -lt 100 ]; do
		attempts=$((attempts + 1))
		"$bin/postgres" -D "$data" </dev/null >>"$dir/log" 2>&1 &
		pid=$!
		while kill -0 "$pid" 2>/dev/null; do
			if head -n 1 "$data/postmaster.pid" | grep -qx "$pid" && grep -q '^ready' "$data/postmaster.pid"; then return 0; fi
			sleep 0.02
		done 2>/dev/null
		wait "$pid"
		sleep 0.2
	done
	return 1
}
# The server is a child of this shell, so that nothing is left of it afterwards.
end() {
	kill -s "$1" "$pid" && { wait "$pid" || true; }
}
# The processes of connections notice a moment later, and could answer in between.
killed() {
	children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
	end KILL
	attempts=0
	for child in $children; do
		while kill -0 "$child" 2>/dev/null && [ "$attempts" -lt 500 ]; do
			attempts=$((attempts + 1))
			sleep 0.02
		done
	done
}
run() {
	case $1 in
	init) "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync </dev/null >>"$dir/log" 2>&1 ;;
	start) start ;;
	stop) end INT ;;
	kill) killed ;;
	*) false ;;
	esac
}
while read -r command; do
	if run "$command" 2>>"$dir/log"; then echo done; else echo failed; fi
done
# Whoever started the server needs it no more, or is dead.
end QUIT 2>/dev/null
cd /
# Processes that have not noticed yet may still write.
rm -rf "$dir" 2>/dev/null || { sleep 0.5; rm -rf "$dir"; }
