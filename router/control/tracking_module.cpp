#include "router/control/tracking_module.hpp"

#include <cstdio>
#include <utility>

namespace nsr::router {
namespace {

std::string first_user(const Router& router) {
    const std::string& user = router.tracking_user(Family::Ipv4);
    return user.empty() ? router.tracking_user(Family::Ipv6) : user;
}

unsigned count_users(const Router& router) {
    unsigned users = 0;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        users += router.tracking_user(family).empty() ? 0 : 1;
    }
    return users;
}

void set_mode(Router& router, TrackingMode mode, Instant now) {
    static_cast<void>(router.set_tracking(mode, now));  // only Off can be refused
}

}  // namespace

void load_tracking(Router& router, Instant now) {
    set_mode(router, TrackingMode::On, now);
}

std::string unload_tracking(Router& router, Instant now) {
    const std::string user = first_user(router);
    if (user.empty()) {
        set_mode(router, TrackingMode::Auto, now);
    }
    return user;
}

void activate_by_view(Router& router, Instant now) {
    if (!router.tracking_active()) {
        load_tracking(router, now);
    }
}

std::string module_listing(const Router& router) {
    std::string text = "Module                  Size  Used by\n";
    if (router.tracking_active()) {
        char line[96];
        std::snprintf(line, sizeof line, "%-19s %8zu  %u\n", kTrackingModule.data(),
                      router.conntrack().table().bytes_in_use(), count_users(router));
        text += line;
    }
    return text;
}

}  // namespace nsr::router
