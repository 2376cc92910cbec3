# The AMQP dissector behind decode and TCP, on the public captures: two layers that otherwise do not meet below run.
if(EXISTS ${CMAKE_SOURCE_DIR}/sensor/net/tcp.c)
  add_executable(test_amqp_captures ${CMAKE_SOURCE_DIR}/tests/amqp/whole/captures.c)
  target_link_libraries(test_amqp_captures PRIVATE test_support celeriac_amqp celeriac_net)
  add_test(NAME amqp_captures COMMAND test_amqp_captures)
  set_tests_properties(amqp_captures PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()
