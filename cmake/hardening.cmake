# What makes mistakes with memory hard to use, in builds that people run; docs/performance.md has what it costs. Debug builds have
# assertions and sanitizers instead, which find them. Not CMake's POSITION_INDEPENDENT_CODE: it would compile the libraries with
# -fPIC, and functions that could be replaced at run time are not inlined.
option(NSR_HARDEN "stack protector, fortified library calls, control flow protection, read-only relocations" ON)
if(NSR_HARDEN AND NOT NSR_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL Debug)
    add_compile_options(-fPIE -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
        add_compile_options(-fcf-protection=full)
    endif()
    add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
