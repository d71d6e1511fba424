// Sockets that systemd has opened for the program (sd_listen_fds(3)).
#pragma once

#include <vector>

#include "http/listener.hpp"

namespace sftdyn::cli {

/// The endpoints of the sockets that were passed, none when there are none. Their names (FileDescriptorName=) say what they
/// are for: "https" for TLS, any other for HTTP; with "-proxy" behind it for the PROXY protocol.
[[nodiscard]] std::vector<http::Endpoint> passed_sockets();

}  // namespace sftdyn::cli
