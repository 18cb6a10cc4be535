// /status: the instance at a glance, as JSON.
#pragma once

#include <string>

#include "core/base/instant.hpp"

namespace nsr::router {

struct Controls;

std::string status_json(const Controls& controls, Instant now);

}  // namespace nsr::router
