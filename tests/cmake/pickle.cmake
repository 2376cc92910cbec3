# What happens without memory: the machine's allocations go through the test.
target_link_options(test_pickle_no_memory PRIVATE -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc)

# Public test pickles beside picklescan and fickling (PyPI); without --short it is the whole table.
add_test(NAME pickle_compare COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/pickle/compare.py $<TARGET_FILE:celeriac> --short)
set_tests_properties(pickle_compare PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77)
