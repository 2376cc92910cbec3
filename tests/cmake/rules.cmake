# A row of rules.tsv that is wrong ends the build with its line.
add_test(NAME rules_bad_rows COMMAND ${CMAKE_COMMAND} -DSCRIPT=${CMAKE_SOURCE_DIR}/signatures/rules.cmake
         -DWORK=${CMAKE_BINARY_DIR}/bad_rows -P ${CMAKE_SOURCE_DIR}/tests/rules/bad_rows.cmake)
