add_executable(bench_empty_loop ${CMAKE_SOURCE_DIR}/tests/bench/empty_loop.c)
target_link_libraries(bench_empty_loop PRIVATE dep_libpcap)
