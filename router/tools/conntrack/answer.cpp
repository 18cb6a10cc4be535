#include "router/tools/conntrack/answer.hpp"

namespace nsr::router {

const char* refusal_text(conntrack::Refusal refusal, ConntrackCommand command) {
    using conntrack::Refusal;
    switch (refusal) {
        case Refusal::Exists:
            return command == ConntrackCommand::Create ? "Such conntrack exists, try -U to update"
                                                       : "File exists";
        case Refusal::Invalid:
            return "invalid parameters";
        case Refusal::NoMemory:
            return "not enough memory";
        case Refusal::Busy:
            return "Device or resource busy";
        case Refusal::NotPermitted:
            return "sorry, you must be root or get CAP_NET_ADMIN capability to do this";
        case Refusal::NotSupported:
            break;
    }
    return "Operation not supported";
}

}  // namespace nsr::router
