# Comparisons with Python's own readers. Longer: run differential.py by hand with a seed and a count.
add_executable(content_answer ${CMAKE_CURRENT_SOURCE_DIR}/content/differential/answer.c)
target_link_libraries(content_answer PRIVATE celeriac_content)
foreach(what json base64 yaml msgpack)
  add_test(NAME content_differential_${what}
    COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/content/differential/run.sh
            $<TARGET_FILE:content_answer> ${what} 1 2000)
  set_tests_properties(content_differential_${what} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endforeach()
