#include "router/import/script.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "netlink/error.hpp"
#include "netlink/netns.hpp"
#include "router/import/dumps.hpp"

namespace nsr::router {
namespace {

constexpr const char* kHead = R"sh(#!/bin/sh
# Asks this machine for all that `nsrouter import-host --from FOLDER` reads, and changes nothing.
# As root:  sh SCRIPT FOLDER
folder=${1:-nsrouter-dump}
umask 077
mkdir "$folder" || exit 1
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL

# ask FILE COMMAND [COMMAND]: the first command that works writes the file.
ask() {
    file=$1
    shift
    for command in "$@"; do
        if sh -c "$command" >"$folder/$file" 2>"$folder/errors.txt"; then
            rm -f "$folder/errors.txt"
            return
        fi
    done
    echo "$file: left out, for \"$command\" says: $(head -n 1 "$folder/errors.txt")" >&2
    rm -f "$folder/$file" "$folder/errors.txt"
}
may_ask() {
    ask "$@" 2>/dev/null
}

)sh";

}  // namespace

std::string import_script() {
    std::string script = kHead;
    for (const DumpRow& row : dump_rows()) {
        script += std::string(row.unknown == nullptr ? "may_ask " : "ask ") + row.file;
        for (const char* command : row.commands) {
            script += command == nullptr ? "" : std::string(" '") + command + "'";
        }
        script += "\n";
    }
    return script;
}

void ask_machine(const std::string& netns, const std::string& folder) {
    const std::string script = import_script();
    const netlink::Enter enter(netns);
    const pid_t child = netlink::check_call("start a process", ::fork());
    if (child == 0) {
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        ::execl("/bin/sh", "sh", "-c", script.c_str(), "sh", folder.c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            throw SystemError("wait for /bin/sh", errno);
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) {
        throw SystemError("run /bin/sh", ENOEXEC);
    }
}

}  // namespace nsr::router
