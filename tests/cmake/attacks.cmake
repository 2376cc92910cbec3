# Connections written by hand, against the whole sensor: what a hostile or odd peer may do.
file(GLOB attacks CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/attacks/*.py)
list(FILTER attacks EXCLUDE REGEX "/kit.py$")
foreach(attack ${attacks})
  get_filename_component(name ${attack} NAME_WE)
  add_test(NAME attacks_${name} COMMAND /usr/bin/python3 ${attack} $<TARGET_FILE:celeriac>)
  set_tests_properties(attacks_${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
endforeach()
