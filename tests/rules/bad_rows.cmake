# cmake -DSCRIPT=rules.cmake -DWORK=folder -P bad_rows.cmake: every way in which a row can be wrong ends
# with the number of its line.
string(REPLACE "|" "\t" good "a-b|Name of it|cat|high|network|info|T1059.006 T1203|default|sender|1|CWE-1")

# cell of `good` to replace, its new text, what the message must say
function(bad from to says)
  string(REPLACE "${from}" "${to}" row "${good}")
  file(WRITE ${WORK}/bad.tsv "# a comment\n\n${row}\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -DTABLE=${WORK}/bad.tsv -DMADE=${WORK}/made -P ${SCRIPT}
                  RESULT_VARIABLE result ERROR_VARIABLE error OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " error "${error}")
  if(result EQUAL 0 OR NOT error MATCHES "bad.tsv:3: .*${says}")
    message(SEND_ERROR "'${to}' for '${from}': ${result} ${error}")
  endif()
endfunction()

bad("a-b" "Ab" "not a rule id")
bad("\tName of it" "" "10 columns")
bad("Name of it" "Name\tof it" "12 columns")
bad("Name of it" "" "empty cell")
bad("Name of it" "Name of it " "space at the edge")
bad("Name of it" "Name; of it" "a cell holds one of")
bad("Name of it" "Name \"of\" it" "a cell holds one of")
bad("high" "huge" "severity huge")
bad("network" "networks" "allows none of")
bad("info" "indicator" "allows none of")
bad("info" "info indicator" "fits no category")
bad("T1203" "TA0001" "not ATT&CK")
bad("default" "source" "fold source")
bad("default" "source,who/60" "fold by who")
bad("default" "source/0" "default or parts")
bad("sender" "server" "sender or client")
bad("1\tCWE" "2\tCWE" "built 2")
bad("CWE-1" "CWE" "not references")

file(WRITE ${WORK}/bad.tsv "${good}\n${good}\n")
execute_process(COMMAND ${CMAKE_COMMAND} -DTABLE=${WORK}/bad.tsv -DMADE=${WORK}/made -P ${SCRIPT}
                RESULT_VARIABLE result ERROR_VARIABLE error OUTPUT_QUIET)
if(result EQUAL 0 OR NOT error MATCHES "bad.tsv:2:")
  message(SEND_ERROR "twice: ${error}")
endif()
file(WRITE ${WORK}/bad.tsv "${good}")
execute_process(COMMAND ${CMAKE_COMMAND} -DTABLE=${WORK}/bad.tsv -DMADE=${WORK}/made -P ${SCRIPT}
                RESULT_VARIABLE result ERROR_VARIABLE error OUTPUT_QUIET)
if(result EQUAL 0 OR NOT error MATCHES "bad.tsv:1:")
  message(SEND_ERROR "no newline: ${error}")
endif()
file(WRITE ${WORK}/bad.tsv "${good}\n")
execute_process(COMMAND ${CMAKE_COMMAND} -DTABLE=${WORK}/bad.tsv -DMADE=${WORK}/made -P ${SCRIPT}
                RESULT_VARIABLE result ERROR_VARIABLE error OUTPUT_QUIET)
if(NOT result EQUAL 0)
  message(SEND_ERROR "a good row was refused: ${error}")
endif()
