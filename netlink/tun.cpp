#include "netlink/tun.hpp"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "netlink/error.hpp"
#include "netlink/socket.hpp"

namespace nsr::netlink {
namespace {

// Newer than the headers of some systems this builds on.
constexpr unsigned kUso4 = 0x20;
constexpr unsigned kUso6 = 0x40;
constexpr unsigned kTso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
constexpr int kVnetHeaderBytes = 10;

// --- what there is already ----------------------------------------------------------------------

struct TunFacts {
    bool multi_queue = false;
    unsigned queues = 0;  // open, whoever has them; valid iff multi_queue
};

// kernel: tun_fill_info
std::optional<TunFacts> facts_in(nl_msg* answer) {
    nlattr* link = nlmsg_find_attr(nlmsg_hdr(answer), sizeof(ifinfomsg), IFLA_LINKINFO);
    const auto inside = [](nlattr* outer, int type) {
        return outer == nullptr
                   ? nullptr
                   : nla_find(static_cast<nlattr*>(nla_data(outer)), nla_len(outer), type);
    };
    nlattr* kind = inside(link, IFLA_INFO_KIND);
    nlattr* data = inside(link, IFLA_INFO_DATA);
    nlattr* type = inside(data, IFLA_TUN_TYPE);
    nlattr* multi_queue = inside(data, IFLA_TUN_MULTI_QUEUE);
    const bool is_tun = kind != nullptr && nla_strcmp(kind, "tun") == 0 && type != nullptr &&
                        nla_get_u8(type) == IFF_TUN;  // a TAP device is of this kind, too
    if (!is_tun || multi_queue == nullptr) {
        return std::nullopt;
    }
    TunFacts facts;
    facts.multi_queue = nla_get_u8(multi_queue) != 0;
    if (nlattr* queues = inside(data, IFLA_TUN_NUM_QUEUES)) {
        facts.queues = nla_get_u32(queues);
    }
    return facts;
}

// Nothing: no TUN device of that name, or a kernel that does not say (before 4.16).
std::optional<TunFacts> facts_of(const std::string& name) {
    const Socket socket;
    const std::unique_ptr<nl_msg, void (*)(nl_msg*)> question(
        nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST), nlmsg_free);
    ifinfomsg every_field_zero{};
    if (!question ||
        nlmsg_append(question.get(), &every_field_zero, sizeof every_field_zero, NLMSG_ALIGNTO) <
            0 ||
        nla_put_string(question.get(), IFLA_IFNAME, name.c_str()) < 0) {
        throw SystemError("look up device " + name, ENOMEM);
    }
    std::optional<TunFacts> facts;
    const auto keep = [](nl_msg* answer, void* place) -> int {
        *static_cast<std::optional<TunFacts>*>(place) = facts_in(answer);
        return NL_STOP;
    };
    nl_socket_modify_cb(socket.get(), NL_CB_VALID, NL_CB_CUSTOM, keep, &facts);
    nl_socket_disable_auto_ack(socket.get());
    if (nl_send_auto(socket.get(), question.get()) < 0 || nl_recvmsgs_default(socket.get()) < 0) {
        return std::nullopt;
    }
    return facts;
}

// --- opening ------------------------------------------------------------------------------------

[[noreturn]] void refuse(const std::string& attempt, const std::string& name, bool several) {
    const int error = errno;
    const auto facts = error == EINVAL ? facts_of(name) : std::nullopt;
    if (!facts || facts->multi_queue == several) {
        throw SystemError(attempt, error);
    }
    throw SystemError(attempt, error,
                      several
                          ? "the device was made for one queue; make it with `ip tuntap add ... "
                            "multi_queue`, or ask for one shard"
                          : "the device was made for several queues; make it without "
                            "`multi_queue`, or ask for more than one shard");
}

Descriptor open_queue(const std::string& attempt, const std::string& name, bool several) {
    Descriptor queue(
        check_call("open /dev/net/tun", ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)));
    ifreq request{};
    std::memcpy(request.ifr_name, name.c_str(), name.size());
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (several) {
        request.ifr_flags |= IFF_MULTI_QUEUE;
    }
    if (::ioctl(queue.get(), TUNSETIFF, &request) != 0) {
        refuse(attempt, name, several);
    }
    return queue;
}

// Of two programs that open the device at the same time both may be refused.
void require_no_other(const std::string& attempt, const Tun& tun) {
    const auto facts = facts_of(tun.name);
    if (facts && facts->queues > tun.more_queues.size() + 1) {
        throw SystemError(attempt, EBUSY);
    }
}

bool set_offload(const Tun& tun, unsigned features) {
    return ::ioctl(tun.descriptor.get(), TUNSETOFFLOAD, features) == 0;
}

void negotiate_offload(Tun& tun) {
    if (set_offload(tun, kTso | kUso4 | kUso6)) {
        tun.tso = true;
        tun.uso = true;
    } else if (set_offload(tun, kTso)) {
        tun.tso = true;
    } else {
        set_offload(tun, 0);
    }
}

}  // namespace

Tun open_tun(const std::string& name, bool offload, unsigned queues) {
    const std::string attempt = "open TUN device " + name;
    if (name.empty() || name.size() >= IFNAMSIZ) {
        throw SystemError(attempt, ENAMETOOLONG, "a device name is 1 to 15 characters");
    }
    Tun tun;
    tun.name = name;
    tun.descriptor = open_queue(attempt, name, queues > 1);
    while (tun.more_queues.size() + 1 < queues) {
        tun.more_queues.push_back(open_queue(attempt, name, true));
    }
    if (queues > 1) {
        require_no_other(attempt, tun);
    }
    int header_bytes = kVnetHeaderBytes;
    check_call(attempt, ::ioctl(tun.descriptor.get(), TUNSETVNETHDRSZ, &header_bytes));
    if (offload) {
        negotiate_offload(tun);
    } else {
        set_offload(tun, 0);
    }
    return tun;
}

void set_carrier(const Tun& tun, bool carrier) {
    int value = carrier ? 1 : 0;
    check_call("set the carrier of device " + tun.name,
               ::ioctl(tun.descriptor.get(), TUNSETCARRIER, &value));
}

}  // namespace nsr::netlink
