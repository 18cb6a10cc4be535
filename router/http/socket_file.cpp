#include "router/http/socket_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <utility>

#include "netlink/error.hpp"

namespace nsr::router {

bool is_dead_socket(const std::string& path) {
    namespace asio = boost::asio;
    asio::io_context loop;
    asio::local::stream_protocol::socket socket(loop);
    boost::system::error_code error;
    socket.open({}, error);
    socket.non_blocking(true, error);  // a listener that accepts nothing is alive all the same
    socket.connect(asio::local::stream_protocol::endpoint(path), error);
    return error == asio::error::connection_refused;
}

bool is_left_socket(const std::string& path) {
    const std::string attempt = "listen on " + path;
    struct stat there {};
    if (::lstat(path.c_str(), &there) != 0) {
        return false;  // bind knows better what is wrong
    }
    if (!S_ISSOCK(there.st_mode)) {
        throw SystemError(attempt, EEXIST, "something is there that is no socket; it stays");
    }
    if (!is_dead_socket(path)) {
        throw SystemError(attempt, EADDRINUSE, "a socket is there that is in use; it stays");
    }
    return true;
}

void clear_socket_path(const std::string& path) {
    if (is_left_socket(path)) {
        ::unlink(path.c_str());
    }
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
    struct stat here {};
    if (::lstat(path_.c_str(), &here) == 0) {
        device_ = here.st_dev;
        inode_ = here.st_ino;
    }
}

void SocketFile::remove() {
    struct stat there {};
    const std::string path = std::exchange(path_, {});
    if (!path.empty() && ::lstat(path.c_str(), &there) == 0 && there.st_dev == device_ &&
        there.st_ino == inode_) {
        ::unlink(path.c_str());
    }
}

}  // namespace nsr::router
