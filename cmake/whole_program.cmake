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

# Which branches packets take: a first build counts them while packets run (`generate`), a second one in the same folder is
# laid out for them (`use`). What no packet came by is optimized as ever.
set(NSR_PROFILE "" CACHE STRING "profile of the way of a packet: empty, generate or use")
if(NSR_PROFILE AND NOT NSR_PROFILE MATCHES "^(generate|use)$")
    message(FATAL_ERROR "NSR_PROFILE is '${NSR_PROFILE}'; it may be empty, generate or use")
endif()
if(NSR_PROFILE AND NOT NSR_WAY_OF_A_PACKET)
    message(FATAL_ERROR "NSR_PROFILE=${NSR_PROFILE} needs a Release build by GCC with NSR_WHOLE_PROGRAM, without sanitizers")
endif()
# Counted in one thread: what runs packets for the profile (a replay) runs all of them in one.
set(NSR_PROFILE_OPTIONS_generate -fprofile-generate -fprofile-update=single)
set(NSR_PROFILE_OPTIONS_use -fprofile-use -fprofile-partial-training -Wno-missing-profile -Wno-error=coverage-mismatch)
set(NSR_PROFILE_OPTIONS ${NSR_PROFILE_OPTIONS_${NSR_PROFILE}})

function(nsr_keep_for_whole_program target folder)
    if(folder IN_LIST NSR_WAY_OF_A_PACKET)
        target_compile_options(${target} PRIVATE -flto -ffat-lto-objects ${NSR_PROFILE_OPTIONS})
    endif()
endfunction()

# mold takes objects that have both for machine code alone.
function(nsr_whole_program target)
    if(NSR_WAY_OF_A_PACKET)
        target_link_options(${target} PRIVATE -fuse-ld=bfd -flto=auto -O3 ${NSR_PROFILE_OPTIONS})
    endif()
endfunction()
