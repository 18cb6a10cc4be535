// Setup: a plan carried out on the machine, and taken back.
//
// Theory of operation
//   Parts are carried out one by one, each as a whole or not at all: when an operation fails, those
//   of its part before it are taken back, last first, before the error leaves. What changed
//   something that was there before is noted in the journal before it happens; what vanishes with
//   our own device (its addresses, its routes) needs no note. A part can be adjusted while its
//   device is in use: what is new comes first, so that no connection in the namespace loses its
//   address for a moment. Of a part whose namespace has ended there is nothing to take back but the
//   notes. The end takes back all parts, last first; what stays behind then is said, a line each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netlink/tun.hpp"
#include "router/topology/journal.hpp"
#include "router/topology/namespaces.hpp"
#include "router/topology/plan.hpp"

namespace nsr::router {

class Setup {
  public:
    // Takes back what a killed instance of that name changed, but for the namespaces that it used.
    Setup(const std::string& name, Journal& journal);
    ~Setup();
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    // In the place of the part of that name, if it was applied before: the namespace that both use
    // stays. Throws SystemError after taking back what was done.
    void apply(const Part& part);
    // The namespaces of a killed instance that no part uses go now. Throws SystemError.
    void leave_old_namespaces();
    void take_back(const std::string& part);
    void take_back_all();

    // The part of that name, which was applied, has the addresses, routes and MTU of this one
    // instead; namespace and device are the same. Throws SystemError after making it as it was.
    void adjust(const Part& part);
    void rename(const std::string& part, const std::string& name);
    void say_that_it_stays(const std::string& what, const std::string& why);

    // Taken back with the part, like the rest. Throws SystemError.
    void change_mtu(const std::string& part, std::uint32_t mtu);
    // The device that the part opened. Once.
    netlink::Tun take_tun(const std::string& part);
    // Namespaces that were removed, and what stays and why; complete after take_back_all().
    [[nodiscard]] const std::vector<std::string>& removed() const { return removed_; }
    [[nodiscard]] const std::vector<std::string>& stays() const { return stays_; }

  private:
    struct Done {
        std::string name;
        Undo where;  // the namespace; cookie and name for what happens in it
        netlink::Tun tun;
        std::string device;
        bool made_device = false;
        std::vector<Operation> operations;
        std::vector<Undo> undos;
    };

    void carry_out(Done& part, const Operation& operation);
    void open_device(Done& part, const Operation& operation);
    void set_mtu(Done& part, const Operation& operation);
    void bring_up(Done& part, const Operation& operation);
    void add_address(Done& part, const Operation& operation);
    void add_route(Done& part, const Operation& operation);
    void note(Done& part, const Operation& operation);
    void exchange(Done& part, const std::vector<Operation>& wanted);
    void withdraw(Done& part, const Operation& operation);
    void take_back_one(const Undo& undo);
    void take_back_device(Done& part);
    void take_back(Done& part);
    [[nodiscard]] std::vector<Done>::iterator find(const std::string& part);

    Journal& journal_;
    NamespaceUser namespaces_;
    std::vector<Undo> old_uses_;
    std::vector<Done> parts_;
    std::vector<std::string> removed_;
    std::vector<std::string> stays_;
};

}  // namespace nsr::router
