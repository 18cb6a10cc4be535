# The program, room by room: everything but main.cpp is a library, so that tests can link it. router/tools links neither
# Asio nor netlink.
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LIBPCAP REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(CAP_NG REQUIRED IMPORTED_TARGET libcap-ng)

nsr_module(router/base nsr_base Threads::Threads)
nsr_module(router/log nsr_router_base nsr_netlink)
nsr_module(router/tools/conntrack nsr_router_base nsr_procfs)
nsr_module(router/tools/ip nsr_router_base nsr_pipeline)
nsr_module(router/tools/iptables nsr_router_base nsr_rules_language)
nsr_module(router/tools/ipset nsr_router_base nsr_sets nsr_rules_words)
nsr_module(router/ports nsr_router_base nsr_pipeline nsr_netlink Boost::headers)
nsr_module(router/config nsr_router_tools_conntrack nsr_router_tools_ip nsr_router_tools_ipset nsr_procfs nsr_rules_lint)
nsr_module(router/control
    nsr_router_config nsr_router_ports nsr_router_log nsr_router_tools_iptables Boost::headers Boost::json Boost::url)
nsr_module(router/topology nsr_router_control)
nsr_module(router/changes nsr_router_topology)
nsr_module(router/daemon nsr_router_changes PkgConfig::SECCOMP PkgConfig::CAP_NG)
nsr_module(router/replay nsr_router_config PkgConfig::LIBPCAP Threads::Threads)
nsr_module(router/commands nsr_router_daemon nsr_router_replay)
target_compile_definitions(nsr_router_base PUBLIC NSR_VERSION="${PROJECT_VERSION}")

add_executable(nsrouter router/main.cpp)
target_link_libraries(nsrouter PRIVATE nsr_router_commands)
set_target_properties(nsrouter PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
