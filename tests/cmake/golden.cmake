# A golden for each capture of our lab, and the layers.
add_test(NAME layers COMMAND ${CMAKE_SOURCE_DIR}/tests/check_layers.sh ${CMAKE_SOURCE_DIR})
add_test(NAME layers_finds_a_planted_include COMMAND ${CMAKE_SOURCE_DIR}/tests/check_layers_test.sh)
add_test(NAME cli COMMAND ${CMAKE_SOURCE_DIR}/tests/cli.sh $<TARGET_FILE:celeriac>)
set_tests_properties(cli PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
add_test(NAME stop COMMAND ${CMAKE_SOURCE_DIR}/tests/stop.py $<TARGET_FILE:celeriac> ${CMAKE_SOURCE_DIR}/pcaps/transport-base.pcap.zst)
set_tests_properties(stop PROPERTIES TIMEOUT 120)

file(GLOB captures CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/pcaps/*.pcap ${CMAKE_SOURCE_DIR}/pcaps/*.pcap.* ${CMAKE_SOURCE_DIR}/pcaps/*.pcapng ${CMAKE_SOURCE_DIR}/pcaps/*.pcapng.*)
list(FILTER captures EXCLUDE REGEX "/bench-|\\.md$") # bench-*: what scripts/bench-capture multiplies; large
foreach(capture ${captures})
  get_filename_component(name ${capture} NAME)
  string(REGEX REPLACE "\\.(pcapng|pcap)(\\.(gz|xz|zst|lz4))?$" "" name ${name})
  add_test(NAME golden_${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/golden/run.sh $<TARGET_FILE:celeriac> ${capture})
  set_tests_properties(golden_${name} PROPERTIES TIMEOUT 300)
endforeach()

add_test(NAME secrets COMMAND ${CMAKE_SOURCE_DIR}/tests/secrets.py $<TARGET_FILE:celeriac>)
set_tests_properties(secrets PROPERTIES TIMEOUT 900)
