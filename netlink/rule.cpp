#include "netlink/rule.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/route/rule.h>

#include <cerrno>
#include <memory>

#include "netlink/error.hpp"
#include "netlink/nl_address.hpp"

namespace nsr::netlink {
namespace {

struct PutRule {
    void operator()(rtnl_rule* rule) const { rtnl_rule_put(rule); }
};
using RulePtr = std::unique_ptr<rtnl_rule, PutRule>;

std::string in_words(const Rule& rule) {
    return std::to_string(rule.priority) + " of table " + std::to_string(rule.table);
}

RulePtr describe(const Rule& rule) {
    RulePtr result(rtnl_rule_alloc());
    if (!result) {
        throw SystemError("describe rule " + in_words(rule), ENOMEM);
    }
    rtnl_rule_set_family(result.get(), static_cast<int>(rule.family));
    rtnl_rule_set_prio(result.get(), rule.priority);
    rtnl_rule_set_table(result.get(), rule.table);
    rtnl_rule_set_action(result.get(), FR_ACT_TO_TBL);
    if (!rule.incoming.empty()) {
        check_netlink("describe rule " + in_words(rule),
                      rtnl_rule_set_iif(result.get(), rule.incoming.c_str()));
    }
    if (rule.source) {
        const Prefix whole{*rule.source, static_cast<std::uint8_t>(rule.source->bits())};
        check_netlink("describe rule " + in_words(rule),
                      rtnl_rule_set_src(result.get(), nl_address(whole).get()));
    }
    return result;
}

}  // namespace

void add_rule(const Socket& socket, const Rule& rule) {
    const RulePtr description = describe(rule);
    const int result = rtnl_rule_add(socket.get(), description.get(), NLM_F_EXCL);
    if (result != -NLE_EXIST) {
        check_netlink("add rule " + in_words(rule), result);
    }
}

void remove_rule(const Socket& socket, const Rule& rule) {
    const RulePtr description = describe(rule);
    const int result = rtnl_rule_delete(socket.get(), description.get(), 0);
    if (result != -NLE_OBJ_NOTFOUND) {
        check_netlink("remove rule " + in_words(rule), result);
    }
}

}  // namespace nsr::netlink
