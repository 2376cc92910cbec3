# The lab's signed captures, and certificates that are replaced while the program runs.
add_test(NAME signed_captures COMMAND ${CMAKE_SOURCE_DIR}/tests/signed.sh $<TARGET_FILE:celeriac>)
set_tests_properties(signed_captures PROPERTIES TIMEOUT 300)
