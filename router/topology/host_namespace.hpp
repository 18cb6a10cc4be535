// HostNamespace: makes the [host] namespace see the router's addresses and routes, and keeps it so.
//
// Theory of operation
//   `ip rule`: what begins in the namespace asks kOwnAddressTable before the local table. So a
//   socket reaches the router's own addresses through the device, and what comes in by the device
//   is still local; 127.0.0.0/8 and ::1 stay on lo. Errors and answers of the router to itself
//   come in with the namespace's own address as their source: accept_local takes them,
//   route_localnet those that REDIRECT has sent to 127.0.0.1. follow() compares what the router
//   has (host_tables.hpp) with what it gave the namespace last time and changes the difference;
//   routes that somebody else put there stay his. The end takes back what does not go with the
//   device.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "netlink/rule.hpp"
#include "router/topology/host_tables.hpp"

namespace nsr::router {

class HostNamespace {
  public:
    // The device is there. Throws SystemError.
    explicit HostNamespace(std::string netns);
    ~HostNamespace();
    HostNamespace(const HostNamespace&) = delete;
    HostNamespace& operator=(const HostNamespace&) = delete;

    // Throws SystemError.
    void follow(HostTables wanted);

  private:
    void ask_own_addresses_first();
    void add_rule(const netlink::Rule& rule);
    void set(const std::string& name, const std::string& value);
    void follow_addresses(const netlink::Socket& socket, const HostTables& wanted);
    void forget_source(const IpAddress& address);
    void follow_routes(const netlink::Socket& socket, HostTables& wanted);
    void undo();

    std::string netns_;
    HostTables given_;
    bool in_step_ = false;                     // given_.routes are what the namespace has of ours
    std::vector<std::function<void()>> undo_;  // inside the namespace
};

}  // namespace nsr::router
