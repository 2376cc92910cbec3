# Public captures of other projects, beside the source tree, and tshark as a second reader of them and of our own.
set(public ${CMAKE_SOURCE_DIR}/tests/public)
add_test(NAME public_projects COMMAND /usr/bin/python3 ${public}/projects.py $<TARGET_FILE:celeriac>)
add_test(NAME public_tshark COMMAND /usr/bin/python3 ${public}/tshark.py $<TARGET_FILE:celeriac> public)
add_test(NAME own_tshark COMMAND /usr/bin/python3 ${public}/tshark.py $<TARGET_FILE:celeriac> own)
set_tests_properties(public_projects public_tshark own_tshark PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77)
