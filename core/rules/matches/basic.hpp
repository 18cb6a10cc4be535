// The conditions every rule may have without -m: -p, -s, -d, -i, -o, -f.
// kernel: ip_packet_match, ip6_packet_match
#pragma once

#include "core/rules/match.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

class AddressMatch : public Match {
  public:
    AddressMatch(bool source, const MaskedAddress& address, bool invert)
        : Match(""), source_(source), invert_(invert), address_(address) {}
    [[nodiscard]] std::string save() const override;
    void compile(Code& code) const override;

  private:
    bool source_;
    bool invert_;
    MaskedAddress address_;
};

class InterfaceMatch : public Match {
  public:
    InterfaceMatch(bool in, std::string_view pattern, bool invert)
        : Match(""), in_(in), invert_(invert), pattern_(pattern) {}
    [[nodiscard]] std::string save() const override;
    void compile(Code& code) const override;

  private:
    bool in_;
    bool invert_;
    std::string pattern_;
};

class ProtocolMatch : public Match {
  public:
    ProtocolMatch(std::uint8_t protocol, bool invert)
        : Match(""), protocol_(protocol), invert_(invert) {}
    [[nodiscard]] std::string save() const override;
    void compile(Code& code) const override;

  private:
    std::uint8_t protocol_;
    bool invert_;
};

class FragmentMatch : public Match {
  public:
    explicit FragmentMatch(bool invert) : Match(""), invert_(invert) {}
    [[nodiscard]] std::string save() const override { return invert_ ? "! -f" : "-f"; }
    void compile(Code& code) const override;

  private:
    bool invert_;
};

}  // namespace nsr::rules
