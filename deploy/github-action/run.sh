#!/usr/bin/env bash
# Runs the scenario, and tells GitHub its exit status, where the report is, and the summary. It ends
# with 0: a later step fails by the status, after the report was kept.
set -euo pipefail

ipvsload=$RUNNER_TEMP/ipvsload/bin/ipvsload
options=("--repeats=$IPVSLOAD_REPEATS" "--out=$IPVSLOAD_OUT")
read -ra schedulers <<<"${IPVSLOAD_SCHEDULERS//[$'\n',]/ }"
for one in ${schedulers[@]+"${schedulers[@]}"}; do
    options+=("--scheduler=$one")
done
[ -z "$IPVSLOAD_KEPT" ] || options+=("--fail-on-regression=$IPVSLOAD_KEPT")

before=()
if [ "$IPVSLOAD_KERNEL" = model ]; then
    command=simulate
else
    command=run
    options+=("--kernel=$IPVSLOAD_KERNEL")
    # An ordinary user may make no namespaces on runners of GitHub's (Ubuntu's AppArmor).
    [ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || before=(sudo)
    ${before[@]+"${before[@]}"} "$ipvsload" doctor || true
fi

# Now, because a run that is cancelled leaves a report of what it did. More lines could come of a name
# with a newline in it: a random word ends the value.
end=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf 'report<<%s\n%s\n%s\n' "$end" "$IPVSLOAD_OUT" "$end" >>"$GITHUB_OUTPUT"

status=0
${before[@]+"${before[@]}"} "$ipvsload" "$command" "${options[@]}" -- "$IPVSLOAD_SCENARIO" ||
    status=$?
[ ${#before[@]} = 0 ] || [ ! -e "$IPVSLOAD_OUT" ] || sudo chown -R "$(id -u)" -- "$IPVSLOAD_OUT"

echo "status=$status" >>"$GITHUB_OUTPUT"
if [ -f "$IPVSLOAD_OUT/summary.md" ]; then
    cat -- "$IPVSLOAD_OUT/summary.md" >>"$GITHUB_STEP_SUMMARY"
else
    echo "ipvsload ended with exit status $status and left no report: the log says why." \
        >>"$GITHUB_STEP_SUMMARY"
fi
