#!/bin/sh
# Mutation check: the program is a sandbox test linked with a sandbox whose tables are not applied.
# Each test named must fail; one that passes would also pass when the real sandbox does nothing.
# emptied.sh PROGRAM TEST...
program=$1
shift
output=$("$program" 2>&1)
for name in "$@"; do
    if ! printf '%s\n' "$output" | grep -q "^\[  FAILED  \] .*$name\$"; then
        printf '%s\n' "$output"
        echo "$name does not notice that the sandbox is empty."
        exit 1
    fi
done
