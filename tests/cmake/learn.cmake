# --learn on the lab's captures.
add_test(NAME learn COMMAND ${CMAKE_SOURCE_DIR}/tests/learn.sh $<TARGET_FILE:celeriac>)
set_tests_properties(learn PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
# 500 pods of two weeks, made of a recorded day.
add_test(NAME learn_pods COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/pods.py $<TARGET_FILE:celeriac>)
set_tests_properties(learn_pods PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
