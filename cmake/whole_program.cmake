# The way of a packet crosses small functions of many files. In builds that people run the libraries of that way keep beside
# their machine code what the compiler knows of it, and the programs that packets run through are optimized as a whole when they
# are linked; docs/performance.md has what that gives. All other programs link the machine code.
option(NSR_WHOLE_PROGRAM "optimize the way of a packet across files" ON)
set(NSR_WAY_OF_A_PACKET
    core/base core/wire core/packet core/defrag core/routing
    core/conntrack/record core/conntrack/table core/conntrack/trackers core/conntrack/expect core/conntrack
    core/nat core/sets core/rules core/rules/program core/rules/matches core/local core/pipeline)
if(NOT NSR_WHOLE_PROGRAM OR NSR_SANITIZE OR NSR_FUZZ OR NOT CMAKE_BUILD_TYPE STREQUAL Release OR NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    set(NSR_WAY_OF_A_PACKET)
endif()

function(nsr_keep_for_whole_program target folder)
    if(folder IN_LIST NSR_WAY_OF_A_PACKET)
        target_compile_options(${target} PRIVATE -flto -ffat-lto-objects)
    endif()
endfunction()

function(nsr_whole_program target)
    if(NSR_WAY_OF_A_PACKET)
        target_link_options(${target} PRIVATE -fuse-ld=bfd -flto=auto -O3)
    endif()
endfunction()
