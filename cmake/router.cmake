# The program: everything in router/ but main.cpp is a library, so that tests can link it.
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LIBNL REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
pkg_check_modules(LIBPCAP REQUIRED IMPORTED_TARGET libpcap)

file(GLOB nsr_router_sources CONFIGURE_DEPENDS router/*.cpp)
list(FILTER nsr_router_sources EXCLUDE REGEX "/router/main\\.cpp$")
add_library(nsr_router STATIC ${nsr_router_sources})
target_compile_definitions(nsr_router PUBLIC NSR_VERSION="${PROJECT_VERSION}")
target_link_libraries(nsr_router PUBLIC
    nsr_procfs nsr_netlink Boost::headers Boost::json Boost::url PkgConfig::LIBNL
    PRIVATE PkgConfig::LIBPCAP Threads::Threads)

add_executable(nsrouter router/main.cpp)
target_link_libraries(nsrouter PRIVATE nsr_router)
set_target_properties(nsrouter PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
include(GNUInstallDirs)
install(TARGETS nsrouter RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES docs/nsrouter.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/completion/nsrouter.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME nsrouter)
