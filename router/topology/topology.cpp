#include "router/topology/topology.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "netlink/error.hpp"
#include "netlink/netns.hpp"
#include "router/ports/tun_port.hpp"

namespace nsr::router {

Topology::Topology(Parts parts, const Config& config)
    : parts_(parts), setup_(config.name, parts.journal) {
    try {
        join_all(config);
    } catch (...) {
        close();
        throw;
    }
}

Topology::~Topology() {
    close();
}

void Topology::join_all(const Config& config) {
    watch_ = std::make_unique<NamespaceWatch>(parts_.engine.loop(), [this] { look_around(); });
    const std::vector<routing::Interface>& interfaces = parts_.router.interfaces().all();
    for (Part& part : plan_for(config)) {
        if (links_.size() == interfaces.size()) {
            setup_.apply(part);  // the control port's
            continue;
        }
        Link& link = links_.emplace_back();
        link.interface = interfaces[links_.size() - 1].index;
        link.netns = part.operations.front().netns;
        link.part = std::move(part);
        join(link);
        take_down(link);
    }
    setup_.leave_old_namespaces();
    parts_.engine.on_lost([this](IfIndex interface) {
        if (Link* link = find(interface)) {
            lose(*link, State::DeviceGone);
        }
    });
}

void Topology::change_mtu(IfIndex interface, std::uint32_t mtu) {
    require_no_change("set the MTU of interface " + name_of(at(interface)));
    setup_.change_mtu(at(interface).part.name, mtu);
}

void Topology::set_carrier(IfIndex interface, bool carrier) {
    const Link& link = at(interface);
    require_no_change("change interface " + name_of(link));
    if (carrier && link.state != State::Joined) {
        throw SystemError("bring up interface " + name_of(link), ENODEV,
                          "its device is gone; a reload makes it again");
    }
    parts_.engine.set_carrier(interface, carrier);
}

void Topology::require_no_change(const std::string& attempt) const {
    if (changing_) {
        throw SystemError(attempt, EBUSY, "a reload is changing interfaces; try again");
    }
}

Topology::Link* Topology::find(IfIndex interface) {
    const auto found = std::find_if(links_.begin(), links_.end(),
                                    [&](const Link& link) { return link.interface == interface; });
    return found == links_.end() ? nullptr : &*found;
}

Topology::Link& Topology::at(IfIndex interface) {
    Link* link = find(interface);
    if (link == nullptr) {
        throw SystemError("look for a link", ENODEV);
    }
    return *link;
}

// Our devices first: a namespace that still has one is not given up by the last who uses it.
void Topology::close() {
    watch_.reset();
    parts_.engine.close_ports();
    setup_.take_back_all();
    for (; told_ < setup_.stays().size(); ++told_) {
        say("nsrouter: " + setup_.stays()[told_]);
    }
}

// --- joining and losing -------------------------------------------------------------------------

void Topology::join(Link& link) {
    setup_.apply(link.part);
    attach(link);
}

// A device that is new has a carrier.
void Topology::take_down(const Link& link) {
    if (!parts_.router.interfaces().get(link.interface).up) {
        parts_.engine.set_carrier(link.interface, false);
    }
}

// Its part was carried out.
void Topology::attach(Link& link) {
    if (const auto process = netlink::netns_process(link.netns)) {
        watch_->follow_process(*process, [this, interface = link.interface] {
            if (changing_) {
                look_again_ = true;
                return;
            }
            Link* followed = find(interface);
            if (followed != nullptr && followed->state == State::Joined) {
                lose(*followed, State::NamespaceGone);
            }
        });
    }
    link.inode = netlink::netns_inode(link.netns);
    link.state = State::Joined;
    add_ports(link.interface, setup_.take_tun(link.part.name));
}

// Its first queue is this shard's. An interface that is new must be known to the others before
// packets come by it.
void Topology::add_ports(IfIndex interface, netlink::Tun tun) {
    std::vector<std::unique_ptr<Port>> others;
    if (parts_.others != nullptr) {
        parts_.others->steer(tun);
    }
    for (netlink::Descriptor& queue : std::exchange(tun.more_queues, {})) {
        others.push_back(std::make_unique<TunPort>(
            netlink::Tun{std::move(queue), {}, tun.name, tun.tso, tun.uso}, interface));
    }
    auto port = std::make_unique<TunPort>(std::move(tun), interface);
    parts_.router.set_capabilities(interface, port->capabilities());
    parts_.engine.add_port(std::move(port));
    if (parts_.others != nullptr) {
        parts_.others->follow_network();
        parts_.others->attach(std::move(others));
    }
}

void Topology::detach(IfIndex interface) {
    if (parts_.others != nullptr) {
        parts_.others->detach(interface);
    }
}

void Topology::network_changed() {
    if (parts_.others != nullptr) {
        parts_.others->follow_network();
    }
}

// As it was when it was lost, with what had been changed since the start.
void Topology::restore(Link& link) {
    const routing::Interface& interface = parts_.router.interfaces().get(link.interface);
    if (!interface.host) {
        setup_.change_mtu(link.part.name, interface.mtu);
    }
    parts_.router.set_up(link.interface, link.was_up, parts_.clock.now());
    if (!link.was_up) {
        parts_.engine.set_carrier(link.interface, false);
    }
    for (const routing::Route& route : std::exchange(link.routes, {})) {
        const routing::RouteChange change = parts_.router.add_route(route);
        const bool stayed = !route.hops.empty() && change == routing::RouteChange::Exists;
        if (change != routing::RouteChange::Done && !stayed) {
            say("nsrouter: the route to " + to_string(route.to) + " did not come back");
        }
    }
    std::string where;
    if (!link.netns.empty()) {
        where = " in namespace " + link.netns;
    }
    say("nsrouter: interface " + name_of(link) + " has its device again" + where);
    network_changed();
    if (on_change) {
        on_change(link.interface, true);
    }
}

void Topology::lose(Link& link, State why) {
    if (link.state == State::Joined) {
        link.was_up = parts_.router.interfaces().get(link.interface).up;
        for (const routing::Route& route : parts_.router.routes().configured()) {
            const auto& hops = route.hops;
            const bool leads =
                route.interface == link.interface ||
                std::any_of(hops.begin(), hops.end(), [&](const routing::NextHop& hop) {
                    return hop.interface == link.interface;
                });
            if (leads) {
                link.routes.push_back(route);
            }
        }
    }
    link.state = why;
    if (why == State::NamespaceGone) {
        detach(link.interface);
        parts_.engine.remove_ports(link.interface);
        setup_.take_back(link.part.name);
        say("nsrouter: namespace " + link.netns + " is gone, and with it the device of interface " +
            name_of(link));
    }
    parts_.router.set_up(link.interface, false, parts_.clock.now());
    network_changed();
    if (on_change) {
        on_change(link.interface, false);
    }
}

void Topology::look_around() {
    if (changing_) {
        look_again_ = true;
        return;
    }
    for (Link& link : links_) {
        if (link.netns.empty() || netlink::netns_process(link.netns)) {
            continue;
        }
        const std::uint64_t inode = netlink::netns_inode(link.netns);
        if (link.state != State::NamespaceGone && inode != link.inode) {
            lose(link, State::NamespaceGone);
        }
        if (link.state == State::NamespaceGone && inode != 0) {
            try {
                join(link);
                restore(link);
            } catch (const SystemError& error) {
                say("nsrouter: interface " + name_of(link) + " stays down: " + error.what());
            }
        }
    }
}

// --- a reload -----------------------------------------------------------------------------------

void Topology::begin_change() {
    changing_ = true;
}

void Topology::end_change() {
    changing_ = false;
    if (std::exchange(look_again_, false)) {
        look_around();
    }
}

std::vector<LostLink> Topology::lost() const {
    std::vector<LostLink> lost;
    for (const Link& link : links_) {
        if (link.state != State::Joined) {
            lost.push_back({name_of(link), link.was_up});
        }
    }
    return lost;
}

std::vector<std::unique_ptr<Port>> Topology::exchange(const std::vector<LinkChange>& changes,
                                                      std::string& said) {
    std::vector<std::unique_ptr<Port>> unused;
    for (const LinkChange& change : changes) {
        exchange_one(change, unused, said);
    }
    return unused;
}

void Topology::exchange_one(const LinkChange& change, std::vector<std::unique_ptr<Port>>& unused,
                            std::string& said) {
    using Kind = LinkChange::Kind;
    const IfIndex interface = parts_.router.interfaces().find(change.name)->index;
    if (change.kind == Kind::Goes || change.kind == Kind::Moves) {
        detach(interface);
        for (auto& port : parts_.engine.take_ports(interface)) {
            unused.push_back(std::move(port));
        }
    }
    if (change.kind == Kind::Goes) {
        std::erase_if(links_, [&](const Link& link) { return link.interface == interface; });
        parts_.router.remove_interface(interface, parts_.clock.now());
        return;
    }
    if (change.kind == Kind::Comes) {
        links_.emplace_back().interface = interface;
    }
    Link& link = at(interface);
    const bool was_lost = change.kind == Kind::Rejoins;
    if (was_lost) {
        std::string what = "device";
        if (link.state == State::NamespaceGone) {
            what = "namespace " + link.netns;
        }
        said += "interface " + change.name + ": its " + what + " was gone; made again\n";
    }
    link.part = {part_name(change), change.after.operations};
    link.netns = change.after.operations.front().netns;
    if (change.kind != Kind::Adjusts) {
        attach(link);
    }
    link.part.name = change.name;
    if (was_lost) {
        restore(link);
    } else {
        take_down(link);
    }
}

void Topology::say(const std::string& line) {
    parts_.log.log(parts_.clock.now(), LogLevel::Error, line);
}

std::string Topology::name_of(const Link& link) const {
    return parts_.router.interfaces().get(link.interface).name;
}

}  // namespace nsr::router
