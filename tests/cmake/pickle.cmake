# What happens without memory: the machine's allocations go through the test.
target_link_options(test_pickle_no_memory PRIVATE -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc)
