// Plan: what a configuration asks of the machine, as a list of operations; Setup: the list carried
// out, and taken back.
//
// Theory of operation
//   plan_for() is pure: it turns a Config into operations in the order in which they must happen.
//   Setup carries them out one by one and notes for each how to undo it, but only if it changed
//   something: a namespace that was there before stays, an address that a device had already stays.
//   When one fails, all before it are undone, last first, before the error leaves the constructor.
//   The same happens at the end of Setup's life. What vanishes with its device (addresses, routes)
//   is undone only for devices that we did not make.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "netlink/tun.hpp"
#include "router/config/config.hpp"
#include "router/daemon/instance.hpp"

namespace nsr::router {

struct Operation {
    enum class Kind : std::uint8_t {
        Namespace,
        LoopbackUp,
        Tun,
        Mtu,
        Address,
        Up,
        Route,
    };
    Kind kind = Kind::Namespace;
    std::string netns;   // where it happens; empty: the current one
    std::string device;  // not for Namespace and LoopbackUp
    std::uint32_t mtu = 0;
    bool offload = false;
    Prefix prefix;                 // Address, Route
    std::optional<IpAddress> via;  // Route
};

using Plan = std::vector<Operation>;

Plan plan_for(const Config& config);
std::string in_words(const Operation& operation);

class Setup {
  public:
    // Throws SystemError after undoing what was done.
    Setup(const Plan& plan, OwnedNamespaces& owned);
    ~Setup();
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    // Undone at the end, like the rest. Throws SystemError.
    void change_mtu(const std::string& netns, const std::string& device, std::uint32_t mtu);
    // One per Tun operation, in their order. Once.
    std::vector<netlink::Tun> take_tuns() { return std::move(tuns_); }

  private:
    struct DeviceKey {
        std::string netns;
        std::string device;
        friend bool operator==(const DeviceKey&, const DeviceKey&) = default;
    };

    void carry_out(const Operation& operation);
    void make_namespace(const Operation& operation);
    void open_device(const Operation& operation);
    void set_mtu(const Operation& operation);
    void bring_up(const std::string& netns, const std::string& device);
    void bring_up_loopback(const std::string& netns);
    void add_address(const Operation& operation);
    void add_route(const Operation& operation);
    [[nodiscard]] bool made(const Operation& operation) const;
    [[nodiscard]] std::vector<std::string> made_in(const std::string& netns) const;
    void undo_all();

    OwnedNamespaces& owned_;
    std::vector<netlink::Tun> tuns_;
    std::vector<DeviceKey> made_;  // devices that were not there before
    std::vector<std::function<void()>> undo_;
};

}  // namespace nsr::router
