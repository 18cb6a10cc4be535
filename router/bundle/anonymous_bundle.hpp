// A whole bundle with other addresses, the same ones in all its files.
#pragma once

#include <string>

#include "core/base/siphash.hpp"
#include "router/bundle/bundle.hpp"

namespace nsr::router {

// Empty: done. Otherwise what in it would not stay what it is, and `bundle` is unchanged.
std::string make_anonymous(Bundle& bundle, SipKey key);

}  // namespace nsr::router
