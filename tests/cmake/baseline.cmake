# The lab's captures judged by a baseline.
add_test(NAME baseline COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/baseline.py $<TARGET_FILE:celeriac>)
set_tests_properties(baseline PROPERTIES TIMEOUT 600)
