#include "router/topology/namespaces.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <string_view>

#include "netlink/address.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "netlink/setting.hpp"
#include "router/base/run_directory.hpp"
#include "router/topology/run_files.hpp"

namespace nsr::router {
namespace {

using Kind = Operation::Kind;

std::string file_of(std::uint64_t cookie) {
    return std::string(kRunDirectory) + "/netns/" + std::to_string(cookie);
}

// Its own use is what a router notes of a namespace that it made.
bool was_made(std::uint64_t cookie) {
    const std::vector<Undo> undos = parse_undos(read_run_file(file_of(cookie)));
    return !undos.empty() && undos.front().operation.kind == Kind::Namespace;
}

// The first change of a kind has what was there before the routers; a later one has not.
void note_shared(const Undo& undo) {
    std::vector<Undo> undos = parse_undos(read_run_file(file_of(undo.cookie)));
    undos.push_back(undo);
    replace_run_file(file_of(undo.cookie), to_text(undos));
}

void take_back_shared(std::uint64_t cookie) {
    std::vector<Undo> undos = parse_undos(read_run_file(file_of(cookie)));
    while (!undos.empty()) {
        take_back(undos.back());
        undos.pop_back();
    }
    replace_run_file(file_of(cookie), {});
}

// But for those that every namespace has from its beginning, some of them only if the kernel's
// module for tunnels is loaded. Each with a blank before it.
std::string strangers_in(const std::string& netns) {
    constexpr std::string_view kBuiltIn[] = {"lo",      "tunl0", "gre0",    "gretap0", "erspan0",
                                             "ip_vti0", "sit0",  "ip6tnl0", "ip6gre0", "ip6_vti0"};
    const netlink::Enter enter(netns);
    std::string names;
    for (const std::string& name : netlink::link_names(netlink::Socket())) {
        if (std::find(std::begin(kBuiltIn), std::end(kBuiltIn), name) == std::end(kBuiltIn)) {
            names += " " + name;
        }
    }
    return names;
}

}  // namespace

void forget_dead_namespaces() {
    const RunLock lock;
    std::error_code none;
    const std::string folder = std::filesystem::path(file_of(0)).parent_path().string();
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        const std::string path = entry.path().string();
        const std::vector<Undo> undos = parse_undos(read_run_file(path));
        const bool named =
            !undos.empty() && netlink::valid_netns_name(undos.front().operation.netns);
        if (named && netlink::netns_cookie(undos.front().operation.netns) != undos.front().cookie &&
            !netlink::is_empty_netns_name(undos.front().operation.netns)) {
            replace_run_file(path, {});
        }
    }
}

std::string no_such_namespace(const std::string& netns) {
    return netlink::netns_path(netns) + " is not there, or no network namespace";
}

std::string name_without_namespace(const std::string& netns) {
    return netlink::netns_path(netns) + " is there without a namespace; `ip netns del " + netns +
           "` removes it";
}

Undo NamespaceUser::use(const std::string& netns) {
    const RunLock lock;
    Undo use;
    use.operation.kind = Kind::Namespace;
    use.operation.netns = netns;
    use.cookie = netlink::netns_cookie(netns);
    if (use.cookie != 0) {
        journal_.note(use);
        return use;
    }
    if (!netlink::valid_netns_name(netns)) {
        throw SystemError("use network namespace " + netns, ENOENT, no_such_namespace(netns));
    }
    if (netlink::is_empty_netns_name(netns)) {
        throw SystemError("create network namespace " + netns, EEXIST,
                          name_without_namespace(netns));
    }
    netlink::create_netns(netns, [&](std::uint64_t cookie) {
        use.cookie = cookie;
        journal_.note(use);
        replace_run_file(file_of(cookie), to_text({use}));
    });
    return use;
}

// The kernel gives lo its address when it comes up for the first time, and leaves it there.
void NamespaceUser::bring_up_loopback(const Undo& use) {
    const RunLock lock;
    const netlink::Enter enter(use.operation.netns);
    const netlink::Socket socket;
    const auto link = netlink::find_link(socket, "lo");
    if (link && link->up) {
        return;
    }
    Undo undo = use;
    undo.operation.device = "lo";
    undo.operation.prefix = Prefix{IpAddress::v4(127, 0, 0, 1), 8};
    const bool made = was_made(use.cookie);
    for (const Kind kind : {Kind::Address, Kind::Up}) {
        undo.operation.kind = kind;
        const bool there =
            kind == Kind::Address && netlink::has_address(socket, "lo", undo.operation.prefix);
        if (!made && !there) {
            note_shared(undo);
        }
    }
    netlink::add_address(socket, "lo", undo.operation.prefix);
    netlink::set_link_up(socket, "lo", true);
}

void NamespaceUser::write_setting(const Undo& use, const Operation& setting) {
    const RunLock lock;
    const netlink::Enter enter(setting.netns);
    const auto before = netlink::read_setting(setting.setting);
    if (!before || *before == setting.value) {
        return;
    }
    if (!was_made(use.cookie)) {
        Undo undo{use.cookie, setting};
        undo.operation.value = *before;
        note_shared(undo);
    }
    netlink::write_setting(setting.setting, setting.value);
}

NamespaceUser::Farewell NamespaceUser::leave(const Undo& use) {
    const RunLock lock;
    const auto& entries = journal_.entries();
    const auto uses = std::count_if(entries.begin(), entries.end(), [&](const Undo& undo) {
        return undo.operation.kind == Kind::Namespace && undo.cookie == use.cookie;
    });
    Farewell farewell;
    if (uses <= 1) {  // else another part of this router uses it, too
        farewell = finish(use);
    }
    journal_.strike(use);
    return farewell;
}

NamespaceUser::Farewell NamespaceUser::finish(const Undo& use) const {
    const std::string& netns = use.operation.netns;
    const std::string file = file_of(use.cookie);
    const bool made = was_made(use.cookie);
    if (made && netlink::is_empty_netns_name(netns)) {
        netlink::remove_netns(netns);  // whoever made it was killed before it was one
    }
    if (netlink::netns_cookie(netns) != use.cookie) {
        replace_run_file(file, {});
        return {};
    }
    const std::string other = other_user(use.cookie);
    if (!other.empty()) {
        return {false, "router '" + other + "' uses it"};
    }
    if (!made) {
        take_back_shared(use.cookie);
        return {};
    }
    const std::string strangers = strangers_in(netns);
    if (strangers.empty()) {
        netlink::remove_netns(netns);
    }
    replace_run_file(file, {});
    if (strangers.empty()) {
        return {true, {}};
    }
    return {false, "it holds devices of others:" + strangers};
}

std::string NamespaceUser::other_user(std::uint64_t cookie) const {
    for (const std::string& name : instances_with_state()) {
        if (name == name_ || !is_running(name)) {
            continue;
        }
        const Journal theirs(name);
        for (const Undo& undo : theirs.entries()) {
            if (undo.operation.kind == Kind::Namespace && undo.cookie == cookie) {
                return name;
            }
        }
    }
    return {};
}

}  // namespace nsr::router
