# The lab's captures judged by a baseline.
add_test(NAME baseline COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/baseline.py $<TARGET_FILE:celeriac>)
set_tests_properties(baseline PROPERTIES TIMEOUT 600)
add_test(NAME reload COMMAND ${CMAKE_SOURCE_DIR}/tests/reload.py $<TARGET_FILE:celeriac> ${CMAKE_SOURCE_DIR}/pcaps/attack-who-amqp-new.pcap.zst)
set_tests_properties(reload PROPERTIES TIMEOUT 120)
