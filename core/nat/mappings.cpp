#include "core/nat/mappings.hpp"

#include <array>
#include <utility>

namespace nsr::nat {

namespace {

constexpr std::uint32_t kFirstPort = 1024;  // of those that are chosen
constexpr std::uint32_t kPorts = 65536;

using Words = std::array<std::uint64_t, 5>;

std::uint64_t high(const IpAddress& address) {
    return std::uint64_t{address.words[0]} << 32 | address.words[1];
}
std::uint64_t low(const IpAddress& address) {
    return std::uint64_t{address.words[2]} << 32 | address.words[3];
}

}  // namespace

Inside inside_of(const Source& source, const conntrack::Tuple& tuple, Dependence dependence) {
    Inside inside{source, IpAddress{{}, source.address.family}, 0};
    if (dependence != Dependence::Endpoint) {
        inside.to_address = tuple.destination;
    }
    if (dependence == Dependence::AddressAndPort) {
        inside.to_port = tuple.destination_port;
    }
    return inside;
}

Mappings::Mappings(SipKey key)
    : hash_{key},
      by_inside_(0, hash_),
      by_outside_(0, hash_),
      contacts_(0, hash_),
      hosts_(0, hash_),
      last_ports_(0, hash_) {
}

std::size_t Mappings::Hash::operator()(const Inside& inside) const {
    const Source& source = inside.source;
    const Words words = {high(source.address), low(source.address), high(inside.to_address),
                         low(inside.to_address),
                         std::uint64_t{source.port} << 48 | std::uint64_t{inside.to_port} << 32 |
                             std::uint64_t{source.zone} << 8 | source.protocol};
    return siphash13(key, words.data(), words.size());
}

std::size_t Mappings::Hash::operator()(const Outside& outside) const {
    const std::array<std::uint64_t, 3> words = {
        high(outside.address), low(outside.address),
        std::uint64_t{outside.port} << 8 | outside.protocol};
    return siphash13(key, words.data(), words.size());
}

std::size_t Mappings::Hash::operator()(const Contact& contact) const {
    const std::array<std::uint64_t, 3> words = {high(contact.remote), low(contact.remote),
                                                contact.mapping};
    return siphash13(key, words.data(), words.size());
}

std::size_t Mappings::Hash::operator()(const IpAddress& address) const {
    const std::array<std::uint64_t, 2> words = {high(address), low(address)};
    return siphash13(key, words.data(), words.size());
}

MappingId Mappings::find(const Inside& inside) const {
    const auto found = by_inside_.find(inside);
    return found == by_inside_.end() ? kNoMapping : found->second;
}

MappingId Mappings::find(const Outside& outside) const {
    const auto found = by_outside_.find(outside);
    return found == by_outside_.end() ? kNoMapping : found->second;
}

MappingId Mappings::add(const Mapping& mapping) {
    const MappingId id = ++last_;
    bodies_.emplace(id, mapping);
    by_inside_.emplace(mapping.inside, id);
    by_outside_.emplace(mapping.outside, id);
    return id;
}

void Mappings::join(MappingId mapping, ConnId id, const IpAddress& remote) {
    Mapping& body = bodies_.at(mapping);
    ++body.sessions;
    ++contacts_[{mapping, remote}];
    ++hosts_[body.inside.source.address].sessions;
    sessions_.emplace(raw(id), Session{mapping, remote});
}

void Mappings::leave(ConnId id) {
    const auto [first, last] = sessions_.equal_range(raw(id));
    for (auto session = first; session != last; ++session) {
        leave(session->second);
    }
    sessions_.erase(first, last);
}

void Mappings::leave(const Session& session) {
    const auto body = bodies_.find(session.mapping);
    const auto contact = contacts_.find({session.mapping, session.remote});
    const auto host = hosts_.find(body->second.inside.source.address);
    if (--contact->second == 0) {
        contacts_.erase(contact);
    }
    if (--host->second.sessions == 0) {
        if (const auto& block = host->second.block) {
            blocks_.erase({block->outside, block->first});
        }
        hosts_.erase(host);
    }
    if (--body->second.sessions == 0) {
        by_inside_.erase(body->second.inside);
        by_outside_.erase(body->second.outside);
        bodies_.erase(body);
    }
}

bool Mappings::knows(MappingId mapping, const IpAddress& remote) const {
    return contacts_.contains({mapping, remote});
}

std::uint32_t Mappings::sessions_of(const IpAddress& host) const {
    const auto found = hosts_.find(host);
    return found == hosts_.end() ? 0 : found->second.sessions;
}

std::optional<std::uint16_t> Mappings::block_of(const IpAddress& host, const IpAddress& outside,
                                                std::uint16_t size) {
    if (const auto known = hosts_.find(host);
        known != hosts_.end() && known->second.block && known->second.block->outside == outside) {
        return known->second.block->first;
    }
    for (std::uint32_t first = kFirstPort; first + size <= kPorts; first += size) {
        const auto port = static_cast<std::uint16_t>(first);
        if (blocks_.try_emplace({outside, port}, true).second) {
            hosts_[host].block = Block{outside, port};
            return port;
        }
    }
    return std::nullopt;
}

std::uint16_t Mappings::next_port(const Outside& outside) {
    std::uint16_t& last = last_ports_[{outside.address, 0, outside.protocol}];
    last = last < kFirstPort || last == kPorts - 1 ? static_cast<std::uint16_t>(kFirstPort)
                                                   : static_cast<std::uint16_t>(last + 1);
    return last;
}

}  // namespace nsr::nat
