#!/bin/bash
# SPDX-License-Identifier: MIT
# What a container makes of its cgroup view: it binds parts of it elsewhere, goes up from
# there, and makes links into it and out of it.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cgview.sh"

long_in_vm
daemon one
must_start
container_start x_1 --bind "$MNT/cgroup:/mnt" || bail "the first container starts"
container_start x_10 --bind "$MNT/cgroup:/mnt" || bail "the second starts"
ONE=$((64 << 20)) TEN=$((128 << 20))
number=$ONE
for c in x_1 x_1/own x_1/own/sub x_1/own/sub/sub; do mark $c $number && number=$((number + STEP)); done
number=$TEN
for c in x_10 x_10/own x_10/own/sub x_10/own/other x_10/other; do mark $c $number && number=$((number + STEP)); done
IN=$T/in
mkdir "$IN"
a() { inside x_1 sh -c "cd $IN && $1" 2>&1; } # SHELL: in the first container

check "the container has a directory of its own" inside x_1 mount -t tmpfs tmpfs "$IN"
check "and binds a cgroup there" a "mkdir x && mount --bind $AT/own x"
check "and a file" a "touch file && mount --bind $AT/own/$NUMBER file"
is "$(a "cat x/$NUMBER x/sub/$NUMBER file" | tr '\n' ' ')" "$((ONE + STEP)) $((ONE + 2 * STEP)) $((ONE + STEP)) " "the numbers of these cgroups"
is "$(inside x_1 bash -c "all_cgroups $IN/x")" "$(all_cgroups "$M/x_1/own")" "all that there is below"
is "$(inside x_10 cat "$AT/own/$NUMBER" "$AT/own/sub/$NUMBER" | tr '\n' ' ')" "$((TEN + STEP)) $((TEN + 2 * STEP)) " "the neighbour looks at those that it calls so"
is "$(a "cat x/$NUMBER x/sub/sub/$NUMBER file" | tr '\n' ' ')" "$((ONE + STEP)) $((ONE + 3 * STEP)) $((ONE + STEP)) " "and nothing has changed"

# -------------------------------------------------------------------- upwards

is "$(a "cat x/sub/../$NUMBER x/sub/sub/../../sub/$NUMBER" | tr '\n' ' ')" "$((ONE + STEP)) $((ONE + 2 * STEP)) " ".. within"
same_place() { # PATH PATH: in the first container
	[ "$(a "stat -Lc %d:%i $1")" = "$(a "stat -Lc %d:%i $2")" ]
}
check ".. of what is bound is where it is bound" same_place x/.. .
check "also from below" same_place x/sub/sub/../../.. .
is "$(a "ls x/sub/../.. | tr '\n' ' '")" "file x " "and nothing else is there"
names=(x_10 other own/other x_10/other sub/../x_10 sub/../other "$CG_NAME" "../x/../x/x_10" sub/other)
for who in '' 'setpriv --reuid 65534 --regid 65534 --clear-groups' 'unshare -U -r'; do
	# shellcheck disable=SC2086 # words
	out=$(inside x_1 $who /usr/bin/python3 - probe "$IN/x" "${names[@]}" <"$VIEW" 2>&1)
	is "$(grep -c 'lstat=ENOENT open=ENOENT listdir=ENOENT readlink=ENOENT.*chdir=ENOENT' <<<"$out")" ${#names[@]} "${who:-root}: nothing else is below"
	is "$(grep -c '=OK' <<<"$out")" 0 "${who:-root}: and nothing can be made there"
done

# Of what somebody else has bound: as with `-v .../cgroup/memory:...`, by a runtime that is
# in a cgroup of its own.
by() { # NAME CMD...: a process of the host in the cgroup of NAME
	(cg_join "$1" && shift && exec "$@" 2>&1)
}
mkdir "$T/part"
check "a part is bound from the neighbour's cgroup" by x_10 mount --bind "$MNT/cgroup${AT#/mnt}/own" "$T/part"
is "$(by x_10 cat "$T/part/$NUMBER")" $((TEN + STEP)) "there it is"
is "$(by x_1 cat "$T/part/$NUMBER" | sed 's/.*: //')" "No such file or directory" "for others there is nothing in it"
is "$(by x_1 ls "$T/part" | sed 's/.*: //')" "No such file or directory" "not even a directory"
umount "$T/part"

# ------------------------------------------------------------- access(2) and links

may() { # PATH...: by BY: which of F_OK R_OK W_OK X_OK
	# shellcheck disable=SC2086 # words
	inside x_1 $BY /usr/bin/python3 -c 'import os, sys
for p in sys.argv[1:]: print("".join(n for n, m in (("f", os.F_OK), ("r", os.R_OK), ("w", os.W_OK), ("x", os.X_OK)) if os.access(p, m)) or "-")' "$@" | tr '\n' ' '
}
for BY in '' 'setpriv --reuid 65534 --regid 65534 --clear-groups' 'unshare -U -r'; do
	is "$(may "$AT/own" "$AT/own/cgroup.procs" "$IN/x" "$IN/x/cgroup.procs" "$AT/x_10" "$AT/own/other" "$AT/../x_10" "$IN/x/other")" \
		"frx fr frx fr - - - - " "${BY:-root}: access(2)"
done
is "$(a "readlink x/cgroup.procs; echo \$?; readlink x/sub; echo \$?" | tr '\n' ' ')" "1 1 " "nothing there is a link"

up=$(printf '../%.0s' {1..20})
links() { # lines NAME TARGET
	cat <<-LIST
	into-absolute $AT/own
	into-relative $up$AT/own
	into-by-dots $AT/own/sub/../../own
	into-bind x/sub/..
	out-absolute $AT/own/../../../../etc
	out-relative x/sub/../../../../../etc
	out-of-bind x/../../..
	neighbour $AT/../x_10
	neighbour-below $AT/own/../x_10/own
	neighbour-bind x/../x_10
	hierarchy $AT/../$CG_NAME/x_10
	other-here $AT/own/other
	LIST
}
while read -r name target; do a "ln -s $target $name" || not_ok "the link $name is made"; done < <(links)
is "$(a "cat into-*/$NUMBER" | sort -u)" $((ONE + STEP)) "links lead into it"
is "$(a 'ls -d into-*' | wc -l)" 4 "four of them"
for name in out-absolute out-relative; do check "$name: out of it is where it is mounted" same_place "$name/" /etc; done
check "out-of-bind: likewise" same_place out-of-bind/ "$(dirname "$(dirname "$IN")")"
for name in neighbour neighbour-below neighbour-bind hierarchy other-here; do
	is "$(a "cat $name/$NUMBER 2>/dev/null || stat -L $name" | sed 's/.*: //')" "No such file or directory" "$name: leads nowhere"
done

# ----------------------------------------------------------- and then it is removed

gone() { # WHAT: everything says so, and shows nothing
	local out
	out=$(a "for f in x/$NUMBER x/sub/$NUMBER x/cgroup.procs file; do cat \$f; done; stat -c %i x; ls x; bash -c 'cd x'" | sed 's/.*: //')
	is "$(sort <<<"$out" | uniq -c | sed 's/^ *//')" "7 No such file or directory" "$1"
}
inside x_1 /usr/bin/python3 - stay "$IN/x/sub" "$NUMBER" "$T/go" "$T/there" <"$RACE" >"$T/stay" 2>&1 &
stay=$!
check "somebody is in it" wait_for "$PATIENCE" is_there "$T/there"
rmdir "$M/x_1/own/sub/sub" "$M/x_1/own/sub" "$M/x_1/own"
gone "a cgroup that is bound and is removed is gone"
inside x_10 cat "$AT/own/$NUMBER" >/dev/null
for c in x_1/own x_1/own/sub; do mark $c $((ONE + 9 * STEP)); done
is "$(inside x_1 cat "$AT/own/$NUMBER" "$AT/own/sub/$NUMBER" | uniq)" $((ONE + 9 * STEP)) "another one of that name is made"
gone "what is bound is still the one that is gone"
: >"$T/go"
wait $stay
is "$(cat "$T/stay")" "before: $((ONE + 2 * STEP)) $((ONE + 2 * STEP)) $((ONE + STEP)); after: ENOENT ENODEV ENOENT; children: ENOENT" \
	"and so it is for who is in it and holds a file"
check "it can be bound anew" a "umount x && mount --bind $AT/own x"
is "$(a "cat x/$NUMBER")" $((ONE + 9 * STEP)) "and is the new one then"
if [ "$CG_MODE" = v1 ]; then
	mv "$M/x_1/own" "$M/x_1/own1"
	mark x_1/own $((ONE + 10 * STEP))
	out=$(a "cat x/$NUMBER x/sub/$NUMBER; ls x" | sed 's/.*: //')
	is "$(sort -u <<<"$out")" "No such file or directory" "renamed, and another one has its name: gone"
	rmdir "$M/x_1/own"
	mv "$M/x_1/own1" "$M/x_1/own"
	is "$(a "cat x/$NUMBER")" $((ONE + 9 * STEP)) "renamed back: it is there again"
fi
is "$(a 'ls')" "$(a 'ls -A')" "the rest is as it was"
finish
