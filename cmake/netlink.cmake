# The only code that talks to the kernel's network configuration: libnl and the TUN ioctls.
find_package(PkgConfig REQUIRED)
pkg_check_modules(NL_ROUTE REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)

file(GLOB netlink_sources CONFIGURE_DEPENDS netlink/*.cpp)
add_library(nsr_netlink STATIC ${netlink_sources})
target_link_libraries(nsr_netlink PUBLIC nsr_wire PRIVATE PkgConfig::NL_ROUTE)
nsr_unity(nsr_netlink)
