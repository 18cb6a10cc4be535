// The helpers whose protocol takes one file each: what each does with a packet of a connection that
// it follows.
#pragma once

#include "core/helpers/call/call.hpp"

namespace nsr::helpers {

Verdict help_amanda(Call& call);
Verdict help_ftp(Call& call);
Verdict help_irc(Call& call);
Verdict help_pptp(Call& call);
Verdict help_sane(Call& call);
Verdict help_tftp(Call& call);

}  // namespace nsr::helpers
