# Recorded behaviour of the Linux kernel (*cases.tar.xz, data only), unpacked into the build folder,
# and a program with one test case for each. `conformance -tc='nat-*'` runs some of them.
file(GLOB oracle_archives CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*cases.tar.xz)
set(oracle_folder ${CMAKE_BINARY_DIR}/oracle)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${oracle_archives})

set(oracle_unpack)
foreach(archive IN LISTS oracle_archives)
    execute_process(COMMAND ${CMAKE_COMMAND} -E tar tf ${archive}
        OUTPUT_VARIABLE oracle_listing_of_one COMMAND_ERROR_IS_FATAL ANY)
    string(APPEND oracle_listing "${oracle_listing_of_one}")
    list(APPEND oracle_unpack COMMAND ${CMAKE_COMMAND} -E tar xf ${archive})
endforeach()
string(REGEX MATCHALL "cases/[^/\n]+/case\\.toml" oracle_names "${oracle_listing}")
set(oracle_source "#include <doctest/doctest.h>\n\n#include \"tests/oracle/conformance.hpp\"\n\n")
foreach(path IN LISTS oracle_names)
    string(REGEX REPLACE "cases/([^/]+)/case\\.toml" "\\1" name ${path})
    string(APPEND oracle_source "TEST_CASE(\"${name}\") {\n    oracle::check_case(\"${name}\");\n}\n")
endforeach()
string(APPEND oracle_source "TEST_CASE(\"all cases: enough was merged\") {\n    oracle::check_enough_was_merged();\n}\n")
string(APPEND oracle_source "TEST_CASE(\"all cases: enough ran in shards\") {\n    oracle::check_enough_ran_in_shards();\n}\n")
file(CONFIGURE OUTPUT ${oracle_folder}/conformance_cases.cpp CONTENT "${oracle_source}" @ONLY)

add_custom_command(OUTPUT ${oracle_folder}/unpacked
    ${oracle_unpack}
    COMMAND ${CMAKE_COMMAND} -E touch ${oracle_folder}/unpacked
    DEPENDS ${oracle_archives} WORKING_DIRECTORY ${oracle_folder}
    COMMENT "Unpacking the recorded cases" VERBATIM)
add_custom_target(oracle_cases DEPENDS ${oracle_folder}/unpacked)

file(GLOB oracle_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
add_executable(conformance ${oracle_sources} ${oracle_folder}/conformance_cases.cpp)
add_dependencies(conformance oracle_cases)
target_link_libraries(conformance PRIVATE test_main nsr_router_replay nsr_router_explain nsr_router_ports
    nsr_router_shards)
# GCC 12 with -O3 warns about its own comparison of vectors.
target_compile_options(conformance PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>)
target_compile_definitions(conformance PRIVATE
    CONFORMANCE_CASES="${oracle_folder}/cases"
    CONFORMANCE_FAILING="${CMAKE_CURRENT_LIST_DIR}/failing.txt"
    CONFORMANCE_ONE_SHARD="${CMAKE_CURRENT_LIST_DIR}/one_shard.txt")
add_test(NAME conformance COMMAND conformance)
# What takes longest begins first, so that it does not end alone; so for all that have a COST.
set_tests_properties(conformance PROPERTIES COST 1000)
