// An observation in the words of a colleague who looked at it: numbered sentences, and what came of
// it in the last one.
#pragma once

#include <string>

#include "core/observe/observation.hpp"

namespace nsr::router {

// `title` is what the packet is to whoever asked: "The packet", "The answer to it".
std::string story_of(const observe::Observation& seen, const std::string& title);

}  // namespace nsr::router
