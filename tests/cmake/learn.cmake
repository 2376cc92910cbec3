# --learn on the lab's captures.
add_test(NAME learn COMMAND ${CMAKE_SOURCE_DIR}/tests/learn.sh $<TARGET_FILE:celeriac>)
set_tests_properties(learn PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
