#include "core/rules/program/conditions.hpp"

#include <bit>

#include "core/rules/match.hpp"
#include "core/rules/words/text.hpp"
#include "core/sets/reach.hpp"

namespace nsr::rules {

namespace {

// Of a mask of ones followed by zeros; nullopt: it is another one.
std::optional<std::uint8_t> prefix_bits(std::span<const std::uint32_t> mask) {
    std::size_t bits = 0;
    bool ended = false;
    for (const std::uint32_t word : mask) {
        const auto ones = static_cast<std::size_t>(std::countl_one(word));
        if ((ended && word != 0) || (ones < 32 && word << ones != 0)) {
            return std::nullopt;
        }
        bits += ones;
        ended = ones < 32;
    }
    return static_cast<std::uint8_t>(bits);
}

class Reader {
  public:
    explicit Reader(const Code& code) : code_(code) {}

    Conditions read(std::span<const Instruction> rule) {
        for (const Instruction& instruction : rule) {
            if (!take(instruction)) {
                break;
            }
        }
        return found_;
    }

  private:
    // False: what follows does not count.
    bool take(const Instruction& instruction) {
        if (instruction.op == Op::Call) {
            take_wanted(code_.calls[instruction.value]->wanted());
            return false;
        }
        if (instruction.op == Op::TransportHeader) {
            header_ = instruction.low;
            return found_.shape.has(Shape::kProtocol) &&
                   header_ <= port_header_bytes(found_.fields.protocol);
        }
        if (!instruction.invert) {
            take_exact(instruction);
        }
        return true;
    }
    void take_exact(const Instruction& instruction) {
        switch (instruction.op) {
            case Op::Protocol:
                take_field(Shape::kProtocol, found_.fields.protocol,
                           static_cast<std::uint8_t>(instruction.low));
                break;
            case Op::Source4:
            case Op::Source6:
                take_address(instruction, found_.shape.source_bits, found_.fields.source);
                break;
            case Op::Destination4:
            case Op::Destination6:
                take_address(instruction, found_.shape.destination_bits, found_.fields.destination);
                break;
            case Op::InInterface:
                take_interface(Shape::kIn, found_.fields.in, instruction);
                break;
            case Op::OutInterface:
                take_interface(Shape::kOut, found_.fields.out, instruction);
                break;
            case Op::SourcePort:
                take_ports(Shape::kSourcePort, found_.fields.source_port, found_.source_ports,
                           instruction);
                break;
            case Op::DestinationPort:
                take_ports(Shape::kDestinationPort, found_.fields.destination_port,
                           found_.destination_ports, instruction);
                break;
            default:
                break;
        }
    }
    template <class Value>
    void take_field(std::uint8_t field, Value& to, Value value) {
        if (!found_.shape.has(field)) {
            found_.shape.fields |= field;
            to = value;
        }
    }
    void take_address(const Instruction& instruction, std::uint8_t& bits,
                      std::array<std::uint32_t, 4>& to) {
        AddressPair pair;
        std::size_t words = 1;
        if (instruction.op == Op::Source6 || instruction.op == Op::Destination6) {
            pair = code_.pairs[instruction.value];
            words = 4;
        } else {
            pair.address[0] = instruction.value;
            pair.mask[0] = instruction.mask;
        }
        const auto length = prefix_bits(std::span(pair.mask).first(words));
        if (bits == 0 && length) {
            bits = *length;
            to = pair.address;
        }
    }
    void take_interface(std::uint8_t field, std::uint32_t& to, const Instruction& instruction) {
        const std::string& pattern = code_.interfaces[instruction.value];
        if (!pattern.ends_with('+')) {
            take_field(field, to, interface_key(pattern));
        }
    }
    // Of a call that does nothing when it says no; when it says yes it may have an effect, so that
    // what stands behind it does not count.
    void take_wanted(const Wanted& wanted) {
        if (!wanted.set.empty()) {
            found_.set = Conditions::Set{sets::hash_of_name(wanted.set), wanted.set_of_sources};
        }
        const bool has_ports =
            found_.shape.has(Shape::kProtocol) && port_header_bytes(found_.fields.protocol) != 0;
        const bool first = found_.source_ports.empty() && found_.destination_ports.empty();
        if (wanted.ports == nullptr || !has_ports || !first) {
            return;
        }
        found_.either_port = wanted.source_port && wanted.destination_port;
        for (const PortRange& range : *wanted.ports) {
            if (wanted.source_port) {
                found_.source_ports.push_back({range.low, range.high});
            }
            if (wanted.destination_port) {
                found_.destination_ports.push_back({range.low, range.high});
            }
        }
    }
    void take_ports(std::uint8_t field, std::uint16_t& to, std::vector<KeyRange>& ranges,
                    const Instruction& instruction) {
        if (header_ == 0) {
            return;
        }
        if (instruction.low == instruction.high) {
            take_field(field, to, instruction.low);
        } else if (ranges.empty()) {
            ranges.push_back({instruction.low, instruction.high});
        }
    }

    const Code& code_;
    Conditions found_;
    std::uint16_t header_ = 0;  // bytes of the header with the ports that are there
};

}  // namespace

Conditions conditions_of(const Code& code, std::span<const Instruction> rule) {
    return Reader(code).read(rule);
}

}  // namespace nsr::rules
