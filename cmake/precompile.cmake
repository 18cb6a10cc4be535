# Standard headers read once instead of once a file: half of what an unoptimized build costs. Only where it is asked for:
# the other builds see whether each file includes what it uses.
option(NSR_PRECOMPILE "precompile the standard headers" OFF)

# ccache keeps objects made with precompiled headers only if they are preprocessed so.
if(NSR_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()

# The first target of a group makes the headers, with those given behind it; the others take its.
function(nsr_precompile target first)
    if(NOT NSR_PRECOMPILE)
        return()
    endif()
    if(target STREQUAL first)
        target_precompile_headers(${target} PRIVATE <algorithm> <array> <charconv> <chrono> <cstdint> <functional> <map> <memory>
            <optional> <set> <span> <sstream> <string> <string_view> <unordered_map> <utility> <variant> <vector> ${ARGN})
    else()
        target_precompile_headers(${target} REUSE_FROM ${first})
    endif()
endfunction()
