// What a running instance leaves in /run/nsrouter: its lock, its socket, and the list of what it
// made.
//
// Theory of operation
//   NAME.pid is locked (flock) for as long as the process lives, so that a second instance of the
//   same name is refused and a killed one is recognised as gone, whatever its file says. NAME.state
//   lists the namespaces that this instance made, each with the inode of the namespace; it is
//   written before a namespace is made and again after, so that a crash at any moment leaves
//   nothing that the next start cannot adopt: a listed namespace whose inode still fits (or was not
//   known yet) is ours, and removed at the next exit. One that holds a device by then which is not
//   ours (another router uses it, or somebody moved a veth there) is given up instead: it stays.
//   Both files go at a clean exit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "netlink/descriptor.hpp"

namespace nsr::router {

// Holds the lock of an instance. Throws SystemError: EBUSY, naming the process, if it is running.
class InstanceLock {
  public:
    explicit InstanceLock(const std::string& name);
    ~InstanceLock();
    InstanceLock(const InstanceLock&) = delete;
    InstanceLock& operator=(const InstanceLock&) = delete;

  private:
    std::string path_;
    netlink::Descriptor file_;
};

// Removes what a killed instance of this name left, and says what, a name a line; empty: there was
// nothing. Throws SystemError (EBUSY) if it is running.
std::string clean_up_after(const std::string& name);

// The namespaces that instances of this name made and did not remove yet.
class OwnedNamespaces {
  public:
    explicit OwnedNamespaces(const std::string& name);  // reads what a killed instance left

    [[nodiscard]] bool owns(const std::string& netns) const;
    [[nodiscard]] std::vector<std::string> all() const;
    // As `ip netns add`, remembered before and after.
    void create(const std::string& netns);
    // Ours no more, and removed unless devices other than `ours` are in it.
    void remove(const std::string& netns, const std::vector<std::string>& ours = {});

  private:
    void write() const;

    std::string path_;
    std::map<std::string, std::uint64_t> inodes_;  // 0: about to be made
};

}  // namespace nsr::router
