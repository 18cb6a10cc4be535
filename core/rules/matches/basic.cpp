#include "core/rules/matches/basic.hpp"

#include "core/rules/code.hpp"

namespace nsr::rules {

std::string AddressMatch::save() const {
    return std::string(invert_ ? "! " : "") + (source_ ? "-s " : "-d ") + to_string(address_);
}

void AddressMatch::compile(Code& code) const {
    if (address_.address.is_v4()) {
        code.emit({.op = source_ ? Op::Source4 : Op::Destination4,
                   .invert = invert_,
                   .value = address_.address.as_v4(),
                   .mask = address_.mask.as_v4()});
    } else {
        code.emit_pair(source_ ? Op::Source6 : Op::Destination6, invert_,
                       {address_.address.words, address_.mask.words});
    }
}

std::string InterfaceMatch::save() const {
    return std::string(invert_ ? "! " : "") + (in_ ? "-i " : "-o ") + whole_word(pattern_);
}

void InterfaceMatch::compile(Code& code) const {
    code.emit_interface(in_ ? Op::InInterface : Op::OutInterface, invert_, pattern_);
}

std::string ProtocolMatch::save() const {
    return std::string(invert_ ? "! " : "") + "-p " + protocol_text(protocol_);
}

void ProtocolMatch::compile(Code& code) const {
    code.emit({.op = Op::Protocol, .invert = invert_, .low = protocol_});
}

void FragmentMatch::compile(Code& code) const {
    code.emit({.op = Op::Fragment, .invert = invert_});
}

}  // namespace nsr::rules
