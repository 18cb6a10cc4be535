#include "netlink/error.hpp"

#include <netlink/errno.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nsr {
namespace {

std::string joined(std::string_view attempt, std::string_view explanation) {
    return std::string(attempt) + ": " + std::string(explanation);
}

}  // namespace

SystemError::SystemError(std::string_view attempt, int error)
    : SystemError(attempt, error, std::strerror(error)) {
}

SystemError::SystemError(std::string_view attempt, int error, std::string_view explanation)
    : std::runtime_error(joined(attempt, explanation)), attempt_(attempt), error_(error) {
}

namespace netlink {

int check_call(std::string_view attempt, int result) {
    if (result < 0) {
        throw SystemError(attempt, errno);
    }
    return result;
}

void check_netlink(std::string_view attempt, int result) {
    if (result >= 0) {
        return;
    }
    const int error = errno_of_netlink(result);
    if (error != 0) {
        throw SystemError(attempt, error);
    }
    throw SystemError(attempt, EIO, nl_geterror(result));
}

int errno_of_netlink(int result) {
    constexpr std::array<std::pair<int, int>, 13> kTable = {{{NLE_EXIST, EEXIST},
                                                             {NLE_PERM, EPERM},
                                                             {NLE_NODEV, ENODEV},
                                                             {NLE_OBJ_NOTFOUND, ENOENT},
                                                             {NLE_NOADDR, EADDRNOTAVAIL},
                                                             {NLE_NOMEM, ENOMEM},
                                                             {NLE_BUSY, EBUSY},
                                                             {NLE_INVAL, EINVAL},
                                                             {NLE_RANGE, ERANGE},
                                                             {NLE_OPNOTSUPP, EOPNOTSUPP},
                                                             {NLE_NOACCESS, EACCES},
                                                             {NLE_AGAIN, EAGAIN},
                                                             {NLE_INTR, EINTR}}};
    for (const auto& [code, error] : kTable) {
        if (-result == code) {
            return error;
        }
    }
    return 0;
}

}  // namespace netlink
}  // namespace nsr
