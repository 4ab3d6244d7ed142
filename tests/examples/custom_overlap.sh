#!/bin/bash
# The example custom_overlap: what each rule makes of Novak's fragments, and a rule of a user that passes the suite.
set -u
out=$("$1") || { echo "FAILED: exit code $?"; exit 1; }
wanted='first        AAAJBBCCCLDLMEEFFFGGHHIQ
last         AJJJJBKKKLLLMMMFNFGOPHQQ
bsd          AAAJJBCCCLLLMMMFFFGGHHIQ
bsd-right    AJJJBBKKKLDLMEEFNFGOPHQQ
linux        AAAJJBKKKLLLMMMFFFGGPHQQ
windows      AAAJBBCCCLLLMEEFFFGGHHIQ
solaris      AAAJBBCCCLLLMMMFFFGGHHIQ
longer       AJJJJBCCCLLLMMMFFFGGHHQQ'
[[ ${out%$'\n'*} == "$wanted" && $out == *", 0 broken" ]] || { echo "FAILED: $out"; exit 1; }
