# The lab: its captures against its own account of them, and the sensor live beside real brokers and a real Kafka.
set(lab_python /usr/bin/python3)
foreach(what tasks alerts findings days commands)
  add_test(NAME lab_${what} COMMAND ${lab_python} ${CMAKE_SOURCE_DIR}/tests/lab/compare.py $<TARGET_FILE:celeriac> ${what})
  set_tests_properties(lab_${what} PROPERTIES TIMEOUT 600)
endforeach()
add_test(NAME lab_live COMMAND ${lab_python} ${CMAKE_SOURCE_DIR}/tests/lab/live.py $<TARGET_FILE:celeriac>)
set_tests_properties(lab_live PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 RUN_SERIAL TRUE)
