// The packets of a bundled capture that came to the router from outside, for a replay.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "router/bundle/bundle.hpp"
#include "router/capture/capture.hpp"

namespace nsr::router {

// By the interfaces of `config` alone: those that the router made itself, and what left, are passed
// over. The error says that there is no capture, or what is wrong with the filter.
Result<std::unique_ptr<Capture>, std::string> packets_of(const Bundle& bundle, const Config& config,
                                                         const std::string& filter);

}  // namespace nsr::router
