// PerInterface: one thing that the directories net.*.conf.{all,default,IFACE} say.
//
// Theory of operation
//   "default" is what an interface has that has no value of its own yet; it gets one when somebody
//   writes it, or when it settles (ForwardingSettings::settle). What "all" means beside the value
//   of the interface is different for each sysctl: either counts, the larger one, or "all" alone.
// kernel: ipv4_devconf, devinet_copy_dflt_conf, ipv6_devconf; IN_DEV_ORCONF, IN_DEV_MAXCONF
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/ids.hpp"

namespace nsr::pipeline {

class PerInterface {
  public:
    PerInterface() = default;
    explicit PerInterface(std::uint32_t initial) : all(initial), otherwise(initial) {}

    [[nodiscard]] std::uint32_t of(IfIndex interface) const {
        const std::size_t i = raw(interface);
        return i < own_.size() ? own_[i].value_or(otherwise) : otherwise;
    }
    [[nodiscard]] std::uint32_t larger(IfIndex interface) const {
        return std::max(all, of(interface));
    }
    [[nodiscard]] bool either(IfIndex interface) const { return all != 0 || of(interface) != 0; }

    void set(IfIndex interface, std::uint32_t value) {
        own_.resize(std::max<std::size_t>(own_.size(), raw(interface) + std::size_t{1}));
        own_[raw(interface)] = value;
    }
    // "all" and "default" as well.
    void set_everywhere(std::uint32_t value) {
        all = value;
        otherwise = value;
        for (std::optional<std::uint32_t>& own : own_) {
            own = own ? std::optional(value) : own;
        }
    }
    // What it has now it keeps, whatever becomes of "default".
    void settle(IfIndex interface) { set(interface, of(interface)); }

    std::uint32_t all = 0;
    std::uint32_t otherwise = 0;  // "default"

    friend bool operator==(const PerInterface&, const PerInterface&) = default;

  private:
    std::vector<std::optional<std::uint32_t>> own_;  // [i]: of the interface with the index i
};

}  // namespace nsr::pipeline
